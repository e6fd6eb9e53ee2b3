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
	ATK_REUSE_UNDO				/* roll back at once, so that the mark stays */
} AtkReuse;

/* All marks of a database, one after the other; begins with zeros. */
typedef struct AtkReuseRound
{
	int			place;			/* of the next mark */
	int			failed;			/* tokens that could not be acted on */
} AtkReuseRound;

/*
 * Acts on the next token of this database, in the current transaction, which
 * is to have no other work.  A token whose row is locked is not waited for;
 * one that cannot be changed, because of an administrator's CHECK for example,
 * is passed over, and shown by stats() and the log.  Both are tried again in
 * the next round.  Raises 55000 where something is attached to the tables
 * (guard.h), and what would happen to every token.
 */
extern AtkReuse atk_reuse_act(AtkReuseRound *round);

#endif							/* ATK_REUSE_H */
