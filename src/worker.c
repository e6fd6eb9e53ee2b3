/*
 * worker.c
 *		The background worker; see worker.h.
 *
 * The claim on being the worker (duty.h) is taken by the backend that
 * registers the first, handed on from worker to worker, and released by one
 * that finds nothing more to do.  A worker that fails keeps it: the
 * postmaster starts it again, and it goes on with the next database.
 *
 * When the server stops, a worker writes to one database what it can; the
 * rest is saved by whoever leaves the memory last (slot_array.h).
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "duty.h"
#include "flush.h"
#include "guc.h"
#include "rekey.h"
#include "reuse.h"
#include "seal.h"
#include "summon.h"
#include "tally.h"
#include "worker.h"

#define ATTEMPTS_MAX 3			/* to connect, before a database is given up */
#define LOCK_WAIT_MAX 2000		/* milliseconds */

/* --- waiting, connected to nothing --- */

/* By a clock that nobody can set back. */
static long
milliseconds_since(instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return (long) INSTR_TIME_GET_MILLISEC(now);
}

/* Sleeps an interval, less if we are to stop. */
static void
sleep_interval(void)
{
	instr_time	start;
	long		rest;

	INSTR_TIME_SET_CURRENT(start);
	while (!ShutdownRequestPending &&
		   (rest = atk_guc_usage_flush_interval -
			milliseconds_since(start)) > 0)
	{
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 rest, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}

/* A standby writes nothing; one that is promoted does. */
static void
wait_interval(void)
{
	do
		sleep_interval();
	while (RecoveryInProgress() && !ShutdownRequestPending);

	if (RecoveryInProgress())
	{
		atk_duty_release();
		proc_exit(0);
	}
}

/*
 * Gives the claim up, unless something is pending, also what has come in
 * meanwhile: whoever noted that saw the claim taken and relied on us.
 */
static bool
give_up(uint64 claim)
{
	if (OidIsValid(atk_tally_pending_database(InvalidOid)))
		return false;
	atk_duty_set_behind(InvalidOid);
	atk_duty_release();
	return !OidIsValid(atk_tally_pending_database(InvalidOid)) ||
		!atk_duty_reclaim(claim);
}

/* What nobody is going to write. */
static void
discard(Oid database)
{
	atk_tally_discard(database);
	atk_rekey_discard(database);
}

/*
 * The next database of the round, leaving out those that cannot be reached;
 * InvalidOid if that was all.
 */
static Oid
next_of_round(void)
{
	Oid			database;

	for (;;)
	{
		database = atk_tally_pending_database(atk_duty_behind());
		atk_duty_set_behind(database);
		if (!OidIsValid(database) ||
			atk_duty_attempt(database) <= ATTEMPTS_MAX)
			return database;
		ereport(LOG,
				(errmsg("uses of tokens in database with OID %u are dropped because it cannot be connected to",
						database)));
		discard(database);
		atk_duty_reached(database);
	}
}

/* Each round begins with an interval of waiting. */
static Oid
next_database(uint64 claim)
{
	Oid			database;

	if (!OidIsValid(atk_duty_behind()))
		wait_interval();
	while (!OidIsValid(database = next_of_round()))
	{
		if (give_up(claim))
			proc_exit(0);
		wait_interval();
	}
	return database;
}

/* --- writing, connected to a database --- */

static void
set_option(const char *name, const char *value)
{
	SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

/*
 * Locks are not waited for without end: other databases want to be written
 * to, and a prepared transaction's would keep the server from stopping.  In a
 * deadlock it is we who give up, and try again, before the server has chosen
 * somebody.
 */
static void
limit_waiting(void)
{
	char		limit[16];

	snprintf(limit, sizeof(limit), "%dms",
			 Max(Min(DeadlockTimeout / 2, LOCK_WAIT_MAX), 1));
	set_option("lock_timeout", limit);
}

/* Settings of the database or of its roles that must not reach our work. */
static void
settle_session(void)
{
	set_option("default_transaction_read_only", "off");
	set_option("default_transaction_isolation", "read committed");
	set_option("statement_timeout", "0");
	atk_disable_transaction_timeout();
	limit_waiting();

	/*
	 * With "off", a crash would lose what was recorded before the last flush,
	 * too; standbys need not be waited for.
	 */
	set_option("synchronous_commit", "local");

	/* Who is the author of what we change: nobody with a token. */
	set_option("apitoken.actor", "apitoken");
	set_option("apitoken.actor_name", "apitoken");
	set_option("apitoken.require_token", "off");
}

/* What became of a transaction's worth of a job. */
typedef enum Step
{
	STEP_LAST,
	STEP_DONE,
	STEP_UNDO					/* not this time; go on with the next */
} Step;

/* How far a job has come. */
typedef struct Progress
{
	int			place;			/* in the array of slots */
	AtkReuseRound reuse;
	int64		event;
} Progress;

typedef struct Job
{
	Step		(*step) (Progress *progress);
	const char *activity;
	bool		can_wait;		/* when the server stops */
} Job;

static Step
flush_step(Progress *progress)
{
	int			n = atk_flush_batch(&progress->place);

	return n < ATK_FLUSH_BATCH ? STEP_LAST : STEP_DONE;
}

static Step
reuse_step(Progress *progress)
{
	switch (atk_reuse_act(&progress->reuse))
	{
		case ATK_REUSE_UNDO:
			return STEP_UNDO;
		case ATK_REUSE_DONE:
			return STEP_DONE;
		default:
			return STEP_LAST;
	}
}

/*
 * The mark is taken off with the transaction; whatever is marked from now on
 * stays.  It is taken before the seal's snapshot, so that it sees all events
 * of whoever marked before.
 */
static void
take_mark(void)
{
	AtkTally	mark;
	int			position = 0;

	atk_tally_settle(MyDatabaseId);
	if (!atk_seal_is_awaited())
		(void) atk_tally_collect(ATK_SLOT_EVENTS, MyDatabaseId,
								 GetCurrentTransactionId(), &position,
								 &mark, 1);
}

/*
 * In the first step alone: the steps behind it do not look at the beginning of
 * the queue, where who marks then may have left an event.
 */
static Step
seal_step(Progress *progress)
{
	if (progress->event == ATK_SEAL_FROM_START)
		take_mark();
	if (atk_seal_batch(&progress->event) < ATK_SEAL_BATCH)
		return STEP_LAST;
	atk_summon_to_seal();		/* should we not come to it ourselves */
	return STEP_DONE;
}

/* Behind the mark that calls for it: what comes now leaves another. */
static Step
rekey_step(Progress *progress)
{
	return atk_rekey_batch(&progress->place) ? STEP_DONE : STEP_LAST;
}

/* Those that tell of themselves by duty.h, in its order, and one more. */
static const Job jobs[] = {
	[ATK_JOB_FLUSH] = {flush_step, "writing use of API tokens", false},
	[ATK_JOB_REUSE] = {reuse_step, "acting on stolen API tokens", true},
	[ATK_JOB_SEAL] = {seal_step, "sealing events of API tokens", true},
	[ATK_NJOBS] = {rekey_step, "storing API tokens with a new key", true}
};

/* In a transaction of its own. */
static Step
run_step(const Job *job, Progress *progress)
{
	Step		result = STEP_LAST;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, job->activity);
	if (OidIsValid(get_extension_oid("apitoken", true)))
		result = job->step(progress);
	else
		discard(MyDatabaseId);
	if (result == STEP_UNDO)
		AbortCurrentTransaction();
	else
	{
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	pgstat_report_activity(STATE_IDLE, NULL);
	return result;
}

/* What fails here is tried again in the next round. */
static void
run_job(const Job *job)
{
	Progress	progress = {.event = ATK_SEAL_FROM_START};

	PG_TRY();
	{
		while (run_step(job, &progress) != STEP_LAST &&
			   !(job->can_wait && ShutdownRequestPending))
			CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(TopMemoryContext);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	pgstat_report_stat(true);
}

/*
 * Another worker goes on where this one ends, or none is needed.  False if
 * there shall be one but none can be had.
 */
static bool
hand_over(uint64 claim)
{
	return give_up(claim) || atk_summon_start(claim);
}

void
atk_worker_main(Datum arg)
{
	uint64		claim;

	memcpy(&claim, MyBgworkerEntry->bgw_extra, sizeof(claim));
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();

	if (!atk_tally_attach())
		proc_exit(1);
	if (!atk_duty_is_claimed(claim))
		proc_exit(0);			/* the server has crashed since it was made */

	BackgroundWorkerInitializeConnectionByOid(next_database(claim), InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	atk_duty_reached(MyDatabaseId);
	settle_session();
	for (int job = 0; job < (int) lengthof(jobs); job++)
		run_job(&jobs[job]);

	/* Where our own place is the only one, we take it once more. */
	proc_exit(hand_over(claim) ? 0 : 1);
}
