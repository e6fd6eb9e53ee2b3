/*
 * duty.h
 *		Who writes recorded use, and how that went.
 *
 * At most one worker is started or waiting.  Whoever finds none claims the
 * right to start one, and the claim is handed on from worker to worker until
 * nothing is pending.  Databases are gone through in rounds, by OID; how far
 * the round is stands in shared memory, so that a worker goes on where
 * another failed.
 *
 * All of this is kept beside the uses (slot_array.h) and goes with them.  Nothing
 * here waits for more than a spinlock; before atk_duty_attach(), nothing here
 * does anything.
 */
#ifndef ATK_DUTY_H
#define ATK_DUTY_H

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/spin.h"

#include "digest.h"

#define ATK_FLUSH_ERROR_LEN	128
#define ATK_FLUSH_RESULTS	64	/* databases that are remembered */

/* What the worker does in a database, one after the other. */
typedef enum AtkJob
{
	ATK_JOB_FLUSH,				/* writes use */
	ATK_JOB_REUSE,				/* acts on secrets that were rotated away */
	ATK_JOB_SEAL				/* seals events */
} AtkJob;

#define ATK_NJOBS (ATK_JOB_SEAL + 1)

/* What became of the work in a database; for duty.c. */
typedef struct AtkFlushResult
{
	Oid			database;		/* InvalidOid: free */
	int			attempts;		/* to connect to it, since the last success */
	TimestampTz touched;
	TimestampTz last_flush;		/* that was committed */
	AtkDigest	told;			/* the newest seal that the log has */
	char		errors[ATK_NJOBS][ATK_FLUSH_ERROR_LEN]; /* empty: none since */
} AtkFlushResult;

/* Lives in shared memory; for duty.c. */
typedef struct AtkDuty
{
	pg_atomic_uint64 claim;		/* 0: there is none */
	pg_atomic_uint64 failures;
	pg_atomic_uint64 retry_at;	/* TimestampTz */
	pg_atomic_uint32 behind;	/* database of this round; 0: a new round */
	slock_t		mutex;			/* protects the following fields only */
	AtkFlushResult results[ATK_FLUSH_RESULTS];
} AtkDuty;

/* Shown by stats(). */
typedef struct AtkDutyStats
{
	bool		worker;			/* is one started, or about to be? */
	int64		failures;		/* times that none could be had */
	TimestampTz last_flush;		/* of this database; DT_NOBEGIN: none yet */

	/* Of its last; empty: fine. */
	char		errors[ATK_NJOBS][ATK_FLUSH_ERROR_LEN];
} AtkDutyStats;


/* When the memory is made, and when a process has attached to it. */
extern void atk_duty_create(AtkDuty *duty);
extern void atk_duty_attach(AtkDuty *duty);

/*
 * The right to start a worker; 0 if another has it.  A number that no later
 * claim has: a worker must not act for a claim made before a crash.
 */
extern uint64 atk_duty_claim(TimestampTz now);
extern bool atk_duty_is_claimed(uint64 claim);
extern void atk_duty_release(void);

/* Takes it back; false if another has it now. */
extern bool atk_duty_reclaim(uint64 claim);

/* No worker could be had: try again after this time. */
extern void atk_duty_failed(TimestampTz retry_at);

/* The database that this round has come to; InvalidOid: it begins. */
extern Oid	atk_duty_behind(void);
extern void atk_duty_set_behind(Oid database);

/* How often in a row it was tried to connect to it, this time included. */
extern int	atk_duty_attempt(Oid database);
extern void atk_duty_reached(Oid database);

/* A job is done in this database, once the transaction has committed. */
extern void atk_duty_done(AtkJob job);

/* Takes note of the error being caught; context is where it goes on. */
extern void atk_duty_note_error(AtkJob job, MemoryContext context);

/* Has the log this seal, as the newest of this database?  It has now. */
extern bool atk_duty_is_told(const AtkDigest *seal);
extern void atk_duty_told(const AtkDigest *seal);

extern void atk_duty_stats(AtkDutyStats *stats);

#endif							/* ATK_DUTY_H */
