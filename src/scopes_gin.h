/*
 * scopes_gin.h
 *		Index keys of sets of scopes, for "which tokens grant X".
 *
 * An indexed set has its scopes as keys, wildcards as they are written.  A
 * search for scopes that must be granted asks for each of them by itself and
 * by every wildcard that would grant it:
 *
 *		api.users.read	->	api.users.read, api.users.*, api.*, *
 *
 * and is satisfied when for each required scope at least one key of its group
 * is there.  That is exact: nothing is rechecked.
 */
#ifndef ATK_SCOPES_GIN_H
#define ATK_SCOPES_GIN_H

#include "scopes.h"

/* Keys that a search for required scopes asks for, and their groups. */
typedef struct AtkScopeSearch
{
	int			nkeys;
	AtkScope   *keys;			/* wildcard keys are palloc'd copies */
	int		   *groups;			/* number of the required scope, a key each */
	int			ngroups;
} AtkScopeSearch;

extern void atk_scopes_search(AtkScopes required, AtkScopeSearch *search);

#endif							/* ATK_SCOPES_GIN_H */
