/*
 * duty.c
 *		Who writes recorded use, and how that went; see duty.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "duty.h"
#include "ending.h"
#include "guc.h"

static AtkDuty *duty;
static TransactionId done[ATK_NJOBS]; /* by (sub)transactions under way */

void
atk_duty_create(AtkDuty *created)
{
	memset(created, 0, sizeof(AtkDuty));
	pg_atomic_init_u64(&created->claim, 0);
	pg_atomic_init_u64(&created->failures, 0);
	pg_atomic_init_u64(&created->retry_at, 0);
	pg_atomic_init_u32(&created->behind, InvalidOid);
	SpinLockInit(&created->mutex);
}

void
atk_duty_attach(AtkDuty *attached)
{
	duty = attached;
}

/* --- the claim --- */

/* A failure far ahead was noted by a clock that has been set back since. */
static bool
shall_retry(TimestampTz now)
{
	TimestampTz rest = (TimestampTz) pg_atomic_read_u64(&duty->retry_at) - now;

	return rest <= 0 ||
		rest > atk_guc_usage_flush_interval * INT64CONST(1000);
}

bool
atk_duty_reclaim(uint64 claim)
{
	uint64		unclaimed = 0;

	return duty != NULL &&
		pg_atomic_compare_exchange_u64(&duty->claim, &unclaimed, claim);
}

ATK_HOT uint64
atk_duty_claim(TimestampTz now)
{
	uint64		claim = (uint64) now;

	if (duty == NULL || pg_atomic_read_u64(&duty->claim) != 0 ||
		!shall_retry(now))
		return 0;
	return atk_duty_reclaim(claim) ? claim : 0;
}

bool
atk_duty_is_claimed(uint64 claim)
{
	return duty != NULL && pg_atomic_read_u64(&duty->claim) == claim;
}

void
atk_duty_release(void)
{
	if (duty != NULL)
		pg_atomic_write_u64(&duty->claim, 0);
}

void
atk_duty_failed(TimestampTz retry_at)
{
	if (duty == NULL)
		return;
	pg_atomic_fetch_add_u64(&duty->failures, 1);
	pg_atomic_write_u64(&duty->retry_at, (uint64) retry_at);
	atk_duty_release();
}

/* --- the round --- */

Oid
atk_duty_behind(void)
{
	return duty != NULL ? pg_atomic_read_u32(&duty->behind) : InvalidOid;
}

void
atk_duty_set_behind(Oid database)
{
	if (duty != NULL)
		pg_atomic_write_u32(&duty->behind, database);
}

/* --- results --- */

/*
 * A database's own entry, else, if one shall be made, in place of whoever was
 * not heard of for longest.  The entries are locked.
 */
static AtkFlushResult *
result_of(Oid database, bool make)
{
	AtkFlushResult *oldest = &duty->results[0];

	for (int i = 0; i < ATK_FLUSH_RESULTS; i++)
	{
		AtkFlushResult *result = &duty->results[i];

		if (result->database == database)
			return result;
		if (result->touched < oldest->touched)
			oldest = result;
	}
	if (!make)
		return NULL;
	memset(oldest, 0, sizeof(*oldest));
	oldest->database = database;
	oldest->last_flush = DT_NOBEGIN;
	return oldest;
}

static void
set_result(AtkJob job, const char *error)
{
	TimestampTz now = GetCurrentTimestamp();
	AtkFlushResult *result;

	if (duty == NULL)
		return;
	SpinLockAcquire(&duty->mutex);
	result = result_of(MyDatabaseId, true);
	result->touched = now;
	if (error == NULL && job == ATK_JOB_FLUSH)
		result->last_flush = now;
	strlcpy(result->errors[job], error ? error : "",
			sizeof(result->errors[job]));
	SpinLockRelease(&duty->mutex);
}

int
atk_duty_attempt(Oid database)
{
	TimestampTz now = GetCurrentTimestamp();
	AtkFlushResult *result;
	int			attempts;

	if (duty == NULL)
		return 0;
	SpinLockAcquire(&duty->mutex);
	result = result_of(database, true);
	result->touched = now;
	attempts = ++result->attempts;
	SpinLockRelease(&duty->mutex);
	return attempts;
}

void
atk_duty_reached(Oid database)
{
	AtkFlushResult *result;

	if (duty == NULL)
		return;
	SpinLockAcquire(&duty->mutex);
	result = result_of(database, false);
	if (result != NULL)
		result->attempts = 0;
	SpinLockRelease(&duty->mutex);
}

/*
 * It counts when it has committed: flush_usage() may be rolled back, or a
 * savepoint before it.
 */
static void
set_results(XactEvent event)
{
	for (int job = 0; job < ATK_NJOBS; job++)
	{
		if (event == XACT_EVENT_COMMIT && TransactionIdIsValid(done[job]) &&
			TransactionIdDidCommit(done[job]))
			set_result(job, NULL);
		done[job] = InvalidTransactionId;
	}
}

void
atk_duty_done(AtkJob job)
{
	atk_at_end(set_results);
	done[job] = GetCurrentTransactionId();
}

void
atk_duty_note_error(AtkJob job, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	set_result(job, error->message);
	FreeErrorData(error);
}

/* --- what the log has --- */

bool
atk_duty_is_told(const AtkDigest *seal)
{
	AtkFlushResult *result;
	bool		told = false;

	if (duty == NULL)
		return false;
	SpinLockAcquire(&duty->mutex);
	result = result_of(MyDatabaseId, false);
	if (result != NULL)
		told = memcmp(&result->told, seal, sizeof(AtkDigest)) == 0;
	SpinLockRelease(&duty->mutex);
	return told;
}

void
atk_duty_told(const AtkDigest *seal)
{
	if (duty == NULL)
		return;
	SpinLockAcquire(&duty->mutex);
	result_of(MyDatabaseId, true)->told = *seal;
	SpinLockRelease(&duty->mutex);
}

/* --- what stats() shows --- */

void
atk_duty_stats(AtkDutyStats *stats)
{
	const AtkFlushResult *result;

	memset(stats, 0, sizeof(*stats));
	stats->last_flush = DT_NOBEGIN;
	if (duty == NULL)
		return;
	stats->worker = pg_atomic_read_u64(&duty->claim) != 0;
	stats->failures = (int64) pg_atomic_read_u64(&duty->failures);
	SpinLockAcquire(&duty->mutex);
	result = result_of(MyDatabaseId, false);
	if (result != NULL)
	{
		stats->last_flush = result->last_flush;
		memcpy(stats->errors, result->errors, sizeof(stats->errors));
	}
	SpinLockRelease(&duty->mutex);
}
