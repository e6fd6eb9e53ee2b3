/*
 * reuse.h
 *		Acting on the use of secrets that were rotated away.
 *
 * Such a use, after the grace, is a sign of theft.  Verification cannot write;
 * it leaves a mark in shared memory (usage.h), and the worker writes an event
 * "superseded", at most one an hour a token, and, where the realm says
 * revoke_on_reuse, revokes the token.
 */
#ifndef ATK_REUSE_H
#define ATK_REUSE_H

typedef enum AtkReuse
{
	ATK_REUSE_NONE,				/* there is no mark any more */
	ATK_REUSE_DONE,
	ATK_REUSE_LOCKED			/* roll back, so that the mark stays */
} AtkReuse;

/*
 * Acts on the next token of this database, from mark *position on, in the
 * current transaction, which is to have no other work.  A token whose row is
 * locked is not waited for.  Raises 55000 where something is attached to the
 * tables (guard.h).
 */
extern AtkReuse atk_reuse_act(int *position);

#endif							/* ATK_REUSE_H */
