/*
 * tally.h
 *		Uses of tokens, counted in shared memory until they are written.
 *
 * A verification notes (token, outcome, time, address) here: no table is
 * touched, nobody is waited for, nothing can fail.  A background worker
 * writes what has gathered to apitoken._usage and _usage_hourly and clears
 * it; flush_usage() does it now.  Where the array is full a use is counted as
 * dropped.
 *
 * What a crash loses: uses noted since the last flush, and at an immediate
 * shutdown the same.  Any other shutdown loses nothing: what is still here
 * when the last process leaves goes to a file and comes back from there (but
 * see spill.h).  What a standby notes stays here until it is promoted.
 *
 * Hours are exact for the one of the last use; what was counted before it
 * and is not written yet is put into the hour before.
 *
 * Counts are exact across a flush that fails: a slot is cleared only when the
 * transaction that was writing it has committed (slot.h).
 */
#ifndef ATK_TALLY_H
#define ATK_TALLY_H

#include "datatype/timestamp.h"
#include "utils/inet.h"
#include "utils/uuid.h"

#include "slot.h"

/* Shown by stats(). */
typedef struct AtkTallyStats
{
	bool		attached;		/* is there any memory? */
	int64		capacity;		/* slots of uses; marks have as many */
	int64		used;			/* by uses and marks */
	int64		uses;			/* by uses */
	int64		dropped;		/* uses that found no slot */
} AtkTallyStats;


/* Attaches to the memory, unless this has been done; false: there is none. */
extern bool atk_tally_attach(void);

/* Never raises, never waits for more than a spinlock. */
extern void atk_tally_note(const pg_uuid_t *token_id, int outcome,
						   TimestampTz now, const inet *address);

/*
 * Leaves a mark in the place of an outcome, in the same way; without room it
 * is not left, and counts as nothing.
 */
extern void atk_tally_mark(const pg_uuid_t *token_id, int mark,
						   TimestampTz now, const inet *address);

/* What has not been written of a token's uses with this outcome. */
extern bool atk_tally_find(const pg_uuid_t *token_id, int outcome,
						   AtkTally *tally);

/*
 * The token is gone and its id another's: its valid uses are not that one's.
 * False if there are none.  They are written once the transaction that did so
 * has ended: only then it is known whose they are.  A flush that has collected
 * them already may still write them as that one's.
 */
extern bool atk_tally_retire(const pg_uuid_t *token_id, TransactionId xid);

/* The token was not gone after all. */
extern void atk_tally_revive(const pg_uuid_t *token_id);

/* --- for the flush, of which there is one at a time in a database --- */

/*
 * Takes note of what became of the transactions that wrote slots: clears
 * what was committed, forgets about what was rolled back.
 */
extern void atk_tally_settle(Oid database);

/*
 * Copies up to most tallies of a kind and a database that no other
 * (sub)transaction is writing, from slot *position on, and marks them as
 * written by this one.
 * What it has written of them before is left out.
 */
extern int	atk_tally_collect(AtkSlotKind kind, Oid database,
							  TransactionId xid, int *position,
							  AtkTally *tallies, int most);

/*
 * The first database behind this one, by OID, that has something to write;
 * InvalidOid: none has.
 */
extern Oid	atk_tally_pending_database(Oid behind);

/* Counts all of a database as dropped: it is gone. */
extern void atk_tally_discard(Oid database);

extern void atk_tally_stats(AtkTallyStats *stats);

#endif							/* ATK_TALLY_H */
