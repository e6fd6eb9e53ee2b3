/*
 * current.h
 *		The transaction's current token: on whose behalf it works.
 *
 * Kept in this backend's memory, where no SET, no role and no function of SQL
 * reaches it.  It is there from atk_current_set() until the transaction has
 * ended, by commit, abort or PREPARE, but still for what runs at its end:
 * deferred triggers, cursors WITH HOLD that are being stored.  So the next user
 * of a pooled connection never finds it.
 *
 * Savepoints: what is set behind one is undone with it, and what was current
 * at the savepoint is so again.
 *
 * Parallel workers have none: functions that ask are PARALLEL RESTRICTED.
 */
#ifndef ATK_CURRENT_H
#define ATK_CURRENT_H

#include "utils/uuid.h"

#include "scopes.h"

/* A token as it was when it was verified. */
typedef struct AtkCurrent
{
	pg_uuid_t	id;
	text	   *realm;
	text	   *principal;		/* NULL: it has none */
	struct varlena *scopes;		/* canonical, see scopes.h */
} AtkCurrent;

extern void atk_current_init(void);

/* Makes copies, and takes the place of what is current. */
extern void atk_current_set(const AtkCurrent *token);

/*
 * NULL: there is none.  Belongs to this file, and is gone with the next
 * atk_current_set() or the end of a transaction or savepoint.
 */
extern const AtkCurrent *atk_current(void);

#endif							/* ATK_CURRENT_H */
