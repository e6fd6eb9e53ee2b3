/*
 * flush.h
 *		Writing recorded use to apitoken._usage and _usage_hourly.
 *
 * Runs nothing that a user attached to these tables (guard.h).
 */
#ifndef ATK_FLUSH_H
#define ATK_FLUSH_H

#define ATK_FLUSH_BATCH 1000	/* tallies written by one statement */

/*
 * Writes a batch in the current transaction, from *position on, and returns
 * the number of tallies.  Fewer than ATK_FLUSH_BATCH: that was all.  Raises
 * 55000 where it refuses.  Another flush of this database is waited for.
 * Within a batch rows are locked in the order of ids.  Of a transaction that
 * has changed or removed tokens before, and then flushes, that is not true: it
 * may deadlock with another that removes tokens, and with two flushes of more
 * than a batch, but not with the worker, which gives up first.
 * stats() shows how it ended.
 */
extern int	atk_flush_batch(int *position);

#endif							/* ATK_FLUSH_H */
