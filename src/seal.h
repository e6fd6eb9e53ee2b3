/*
 * seal.h
 *		Sealing events: writing the chain (chain.h) that shows later whether
 *		the history was altered.
 *
 * A writer puts the id of its event into _event_unsealed, in its own
 * transaction, and waits for nobody.  A seal takes from there what a fresh
 * snapshot sees, in the order of ids: what is not committed yet comes into a
 * later one, whatever its id.  Its transaction writes the seal and removes the
 * ids, so an event is in one or the other.
 *
 * One sealer works at a time.  When its transaction has committed, the newest
 * seal goes to the server's log, which is kept elsewhere, one hopes; where it
 * cannot tell, a worker does, once it finds the seal there.  After a start of
 * the server the newest is told once more.
 */
#ifndef ATK_SEAL_H
#define ATK_SEAL_H

#include "datatype/timestamp.h"

#define ATK_SEAL_BATCH 1000		/* events of a seal */

/*
 * Makes one seal of events behind *after, which it moves on, and returns their
 * number.  Fewer than ATK_SEAL_BATCH: that was all.  Waits for another sealer.
 * Raises 55000 where something is attached to the tables (guard.h).
 *
 * Who seals several times in a row does not look at the beginning of the queue
 * again, where what he took off is still in the way.
 */
#define ATK_SEAL_FROM_START PG_INT64_MIN

extern int	atk_seal_batch(int64 *after);

/*
 * Is there a prepared transaction that wrote events?  Nobody is told when it
 * commits.
 */
extern bool atk_seal_is_awaited(void);

/* Shown by stats(). */
typedef struct AtkSealStats
{
	TimestampTz oldest_unsealed;	/* DT_NOBEGIN: all is sealed */
	int64		last_seal;		/* 0: none yet */
	bool		unknown;		/* the tables are not read: guard.h */
} AtkSealStats;

extern void atk_seal_stats(AtkSealStats *stats);

/* Before the tables of events are read as their owner: guard.h. */
extern void atk_seal_check_read(const char *refusal);

#endif							/* ATK_SEAL_H */
