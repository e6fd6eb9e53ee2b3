/*
 * seal.c
 *		Sealing events; see seal.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "chain.h"
#include "duty.h"
#include "ending.h"
#include "guard.h"
#include "pepper.h"
#include "seal.h"
#include "summon.h"
#include "tally.h"

/* --- telling the log --- */

static struct
{
	TransactionId xid;			/* of the (sub)transaction */
	char		database[NAMEDATALEN];
	int64		id;
	TimestampTz last_event_at;
	AtkDigest	digest;
}			newest;				/* seal of the transaction under way */

static void
tell_newest(void)
{
	char		hex[2 * ATK_DIGEST_LEN + 1];

	atk_digest_to_hex(&newest.digest, hex);
	ereport(LOG,
			(errmsg("events of tokens in database \"%s\" sealed up to %s: seal %lld, digest %s",
					newest.database,
					timestamptz_to_str(newest.last_event_at),
					(long long) newest.id, hex)));
	atk_duty_told(&newest.digest);
}

/*
 * It may have been rolled back with a savepoint, and another seal of the
 * transaction not; of a prepared one nobody is told when it commits.  Then a
 * worker looks after it (remember_untold()).
 */
static void
tell_or_summon(XactEvent event)
{
	if (event == XACT_EVENT_COMMIT && TransactionIdDidCommit(newest.xid))
		tell_newest();
	else if (event != XACT_EVENT_ABORT)
		atk_summon_to_seal();
}

static void
remember_newest(const AtkSeal *seal)
{
	(void) atk_tally_attach();	/* at commit nothing may fail */
	atk_at_end(tell_or_summon);
	newest.xid = GetCurrentTransactionId();
	strlcpy(newest.database, get_database_name(MyDatabaseId), NAMEDATALEN);
	newest.id = seal->id;
	newest.last_event_at = seal->last_event_at;
	newest.digest = seal->digest;
}

/* --- one seal --- */

static const char newest_sql[] =
"SELECT id, digest, key_id, last_event_at FROM apitoken._event_seal"
" ORDER BY id DESC LIMIT 1";

static const char unsealed_sql[] =
"SELECT event_id FROM apitoken._event_unsealed WHERE event_id > $1"
" ORDER BY event_id LIMIT $2";

static const char events_sql[] =
"SELECT " ATK_EVENT_COLUMNS " FROM apitoken._event"
" WHERE id = ANY ($1) ORDER BY id";

static const char sealed_sql[] =
"DELETE FROM apitoken._event_unsealed WHERE event_id = ANY ($1)";

static Datum
column(uint64 row, int attno)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 attno, &isnull);
}

/*
 * A seal without a key behind one that has one is what a forger makes: the
 * chain does not go on until there is a key again.
 */
static void
check_key(int32 key_before)
{
	if (key_before == 0 || atk_pepper_id() != 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("events are not sealed because the last seal was made with a key, and there is none now"),
			 errhint("Set apitoken.pepper_file.")));
}

/* The number that comes next, and the digest before it. */
static int64
find_newest(AtkDigest *before)
{
	*before = atk_digest_of_nothing;
	if (atk_guard_run(newest_sql, 0, NULL, NULL) == 0)
		return 1;
	*before = *DatumGetAtkDigestP(column(0, 2));
	check_key(DatumGetInt32(column(0, 3)));
	return DatumGetInt64(column(0, 1)) + 1;
}

/* The newest seal, where the log has another or, since a start, none. */
static void
remember_untold(void)
{
	AtkSeal		seal = {0};

	if (atk_guard_run(newest_sql, 0, NULL, NULL) == 0)
		return;
	seal.id = DatumGetInt64(column(0, 1));
	seal.digest = *DatumGetAtkDigestP(column(0, 2));
	seal.last_event_at = DatumGetTimestampTz(column(0, 4));
	if (!atk_duty_is_told(&seal.digest))
		remember_newest(&seal);
}

static void
find_unsealed(AtkSeal *seal, int64 after)
{
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {
		Int64GetDatum(after), Int64GetDatum(ATK_SEAL_BATCH)
	};

	seal->nevents = atk_guard_run(unsealed_sql, 2, types, values);
	seal->events = palloc(seal->nevents * sizeof(int64));
	for (int i = 0; i < seal->nevents; i++)
		seal->events[i] = DatumGetInt64(column(i, 1));
}

/* What is missing is sealed as missing, so that it stays known. */
static void
warn_missing(int64 event)
{
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("event %lld was removed before it was sealed",
					(long long) event)));
}

/*
 * Rows come in the order of ids, as the ids do.  Large values are stored out
 * of line and only read one by one.
 */
static void
digest_events(AtkSeal *seal)
{
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[] = {atk_seal_events(seal)};
	uint64		nrows = atk_guard_run(events_sql, 1, types, values);
	uint64		row = 0;
	MemoryContext one = AllocSetContextCreate(CurrentMemoryContext,
											  "apitoken event",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(one);

	for (int i = 0; i < seal->nevents; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (row == nrows || DatumGetInt64(column(row, 1)) != seal->events[i])
		{
			warn_missing(seal->events[i]);
			continue;
		}
		seal->last_event_at = Max(seal->last_event_at,
								  DatumGetTimestampTz(column(row, 2)));
		atk_event_digest(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 &seal->event_digests[i]);
		MemoryContextReset(one);
		row++;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(one);
}

static void
remove_unsealed(const AtkSeal *seal)
{
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[] = {atk_seal_events(seal)};
	uint64		n = atk_guard_run(sealed_sql, 1, types, values);

	if (n != (uint64) seal->nevents)
		elog(ERROR, "%d events were sealed, but " UINT64_FORMAT " left the queue",
			 seal->nevents, n);
}

/* Of a seal whose events are known. */
static void
complete(AtkSeal *seal)
{
	AtkDigest	before;

	seal->id = find_newest(&before);
	seal->sealed_at = GetCurrentTimestamp();
	seal->last_event_at = DT_NOBEGIN;
	seal->event_digests = palloc0(seal->nevents * sizeof(AtkDigest));
	digest_events(seal);
	if (TIMESTAMP_IS_NOBEGIN(seal->last_event_at))
		seal->last_event_at = seal->sealed_at;
	seal->key_id = atk_pepper_id();
	seal->purged = false;
	if (!atk_seal_digest(seal, &before, &seal->digest))
		elog(ERROR, "seals have no key");
}

static int
seal_batch(int64 *after)
{
	static const char refusal[] = "events are not sealed";
	AtkGuard	guard;
	AtkSeal		seal;

	atk_guard_check(ATK_TABLE_EVENT_UNSEALED, refusal);
	atk_guard_check(ATK_TABLE_EVENT_SEAL, refusal);
	atk_guard_check_read(ATK_TABLE_EVENT, refusal);
	atk_guard_lock(ATK_TABLE_EVENT_SEAL);
	atk_guard_begin(&guard, ATK_TABLE_EVENT_SEAL);
	find_unsealed(&seal, *after);
	if (seal.nevents > 0)
	{
		complete(&seal);
		atk_seal_store(&seal);
		remove_unsealed(&seal);
		remember_newest(&seal);
		*after = seal.events[seal.nevents - 1];
	}
	else
		remember_untold();
	atk_guard_end(&guard);
	if (seal.nevents < ATK_SEAL_BATCH)
		atk_duty_done(ATK_JOB_SEAL);
	return seal.nevents;
}

int
atk_seal_batch(int64 *after)
{
	MemoryContext context = CurrentMemoryContext;
	int			n;

	PG_TRY();
	{
		n = seal_batch(after);
	}
	PG_CATCH();
	{
		atk_duty_note_error(ATK_JOB_SEAL, context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return n;
}

/* --- what is to come --- */

/*
 * It has the table locked, and no process.  Databases made from one template
 * have tables with the same OID.
 */
static const char awaited_sql[] =
"SELECT FROM pg_catalog.pg_locks WHERE pid IS NULL AND locktype = 'relation'"
" AND relation = 'apitoken._event_unsealed'::pg_catalog.regclass"
" AND database = (SELECT oid FROM pg_catalog.pg_database"
"  WHERE datname = pg_catalog.current_database()) LIMIT 1";

bool
atk_seal_is_awaited(void)
{
	AtkGuard	guard;
	bool		awaited;

	if (max_prepared_xacts == 0)
		return false;
	atk_guard_begin_reading(&guard, ATK_TABLE_EVENT_SEAL);
	if (SPI_execute(awaited_sql, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed");
	awaited = SPI_processed > 0;
	atk_guard_end(&guard);
	return awaited;
}

void
atk_seal_check_read(const char *refusal)
{
	atk_guard_check_read(ATK_TABLE_EVENT, refusal);
	atk_guard_check_read(ATK_TABLE_EVENT_UNSEALED, refusal);
	atk_guard_check_read(ATK_TABLE_EVENT_SEAL, refusal);
}

/* --- what stats() shows --- */

static const char stats_sql[] =
"SELECT (SELECT e.at FROM apitoken._event_unsealed u"
"  JOIN apitoken._event e ON e.id = u.event_id ORDER BY u.event_id LIMIT 1),"
" (SELECT s.id FROM apitoken._event_seal s ORDER BY s.id DESC LIMIT 1)";

/* Where somebody attached code the worker says so (last_seal_error). */
static bool
may_read(void)
{
	return atk_guard_may_read(ATK_TABLE_EVENT) &&
		atk_guard_may_read(ATK_TABLE_EVENT_UNSEALED) &&
		atk_guard_may_read(ATK_TABLE_EVENT_SEAL);
}

void
atk_seal_stats(AtkSealStats *stats)
{
	AtkGuard	guard;
	Datum		value;
	bool		isnull;

	*stats = (AtkSealStats) {DT_NOBEGIN, 0, !may_read()};
	if (stats->unknown)
		return;
	atk_guard_begin_reading(&guard, ATK_TABLE_EVENT_SEAL);
	if (SPI_execute(stats_sql, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						  &isnull);
	stats->oldest_unsealed = isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2,
						  &isnull);
	stats->last_seal = isnull ? 0 : DatumGetInt64(value);
	atk_guard_end(&guard);
}
