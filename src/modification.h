/*
 * modification.h
 *		Changing what a token is and may do: update().
 *
 * What is not given stays, what is given replaces, and what is named to be
 * cleared becomes NULL.  Whoever reads a token and writes it back gives the
 * version that was read: then nobody's change is lost.
 */
#ifndef ATK_MODIFICATION_H
#define ATK_MODIFICATION_H

#include "utils/array.h"

#include "change.h"

typedef struct AtkModification
{
	const pg_uuid_t *id;
	AtkDraft	given;			/* arguments as they came; NULL: not given */
	AtkExpiry	expiry;
	ArrayType  *clear;			/* text[] of column names; NULL: none */
	const int64 *version;		/* NULL: any */
} AtkModification;

/*
 * Errors beside those of draft.h, expiry.h and policy.h: 40001 for another
 * version, 55000 for a revoked token, 22023 for a name that cannot be cleared
 * or is given at the same time.
 */
extern void atk_update(AtkModification *modification, AtkChanged *changed);

#endif							/* ATK_MODIFICATION_H */
