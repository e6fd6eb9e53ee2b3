/*
 * worker.c
 *		The background worker that writes recorded use; see worker.h.
 *
 * The claim on being the worker (duty.h) is taken by the backend that
 * registers the first, handed on from worker to worker, and released by one
 * that finds nothing more to do.  A worker that fails keeps it: the
 * postmaster starts it again, and it goes on with the next database.
 *
 * When the server stops, a worker writes to one database what it can; the
 * rest is saved by whoever leaves the memory last (tally.c).
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
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "duty.h"
#include "flush.h"
#include "guc.h"
#include "tally.h"
#include "usage.h"
#include "worker.h"

#define ATTEMPTS_MAX 3			/* to connect, before a database is given up */

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
		   (rest = atk_guc_usage_flush_interval - milliseconds_since(start)) > 0)
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
		atk_tally_discard(database);
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
 * Settings of the database or of its roles that must not reach the flush.
 * Locks are not waited for without end: other databases want to be written
 * to, and a prepared transaction's would keep the server from stopping.
 */
static void
settle_session(void)
{
	set_option("default_transaction_read_only", "off");
	set_option("default_transaction_isolation", "read committed");
	set_option("statement_timeout", "0");
	set_option("lock_timeout", "2s");

	/*
	 * With "off", a crash would lose what was recorded before the last flush,
	 * too; standbys need not be waited for.
	 */
	set_option("synchronous_commit", "local");
}

/* One batch in a transaction of its own; false: that was all. */
static bool
flush_batch(int *position)
{
	int			n = 0;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "writing use of API tokens");
	if (OidIsValid(get_extension_oid("apitoken", true)))
		n = atk_flush_batch(position);
	else
		atk_tally_discard(MyDatabaseId);
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);
	return n == ATK_FLUSH_BATCH;
}

/* What fails here is tried again in the next round. */
static void
flush_database(void)
{
	int			position = 0;

	PG_TRY();
	{
		while (flush_batch(&position))
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
	return give_up(claim) || atk_usage_start_worker(claim);
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
	flush_database();

	/* Where our own place is the only one, we take it once more. */
	proc_exit(hand_over(claim) ? 0 : 1);
}
