/*
 * selection.h
 *		Revoking the tokens of a realm that match.
 *
 * They are selected as a fresh snapshot sees them, and each is looked at
 * again once its row is locked.  One that is issued meanwhile is not among
 * them.
 */
#ifndef ATK_SELECTION_H
#define ATK_SELECTION_H

#include "change.h"

/* All but the realm may be NULL, and match any then. */
typedef struct AtkSelection
{
	const text *realm;
	const text *principal;
	const text *client_id;
	const struct varlena *scopes;	/* all of which it grants */
} AtkSelection;

typedef struct AtkSelected
{
	pg_uuid_t	id;
	text	   *name;
} AtkSelected;

/* The active and suspended ones, by id; palloc'd. */
extern AtkSelected *atk_select(const AtkSelection *selection, uint64 *n);

/* Revokes one of them; false where it does not match any more. */
extern bool atk_revoke_selected(const AtkSelection *selection,
								const AtkSelected *selected,
								const text *reason);

#endif							/* ATK_SELECTION_H */
