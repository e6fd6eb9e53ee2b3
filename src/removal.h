/*
 * removal.h
 *		Removing tokens.  Their events stay, and so do hourly counts.
 */
#ifndef ATK_REMOVAL_H
#define ATK_REMOVAL_H

#include "change.h"

#define ATK_PURGE_MAX 1000000	/* tokens of a batch */

/* 55000 unless it is revoked.  The answer's status is "deleted". */
extern void atk_delete(const pg_uuid_t *id, AtkChanged *changed);

/*
 * Removes tokens that were revoked or expired longer ago, at most so many,
 * and idempotency keys that have served, as many.  Returns how many tokens, or
 * else how many keys; passes over those that somebody else has locked.  22023 for a negative or infinite
 * interval and for a batch of none or too many.
 */
extern int64 atk_purge(const Interval *older_than, int batch_size);

#endif							/* ATK_REMOVAL_H */
