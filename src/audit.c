/*
 * audit.c
 *		Looking for what was altered in the history; see audit.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "audit.h"
#include "chain.h"
#include "guard.h"
#include "seal.h"

#define SEALS_AT_ONCE	10

typedef struct Audit
{
	AtkReport	report;
	void	   *arg;
	MemoryContext context;		/* of one seal */
	SPIPlanPtr	events;
	bool		begun;			/* is there a seal before? */
	int64		last_id;
	bool		keyed;			/* a sound seal so far was made with a key */
	AtkDigest	stored;			/* what the seal before says it is */
	AtkDigest	computed;		/* and what it is */
} Audit;

static const char seals_sql[] =
"SELECT " ATK_SEAL_COLUMNS " FROM apitoken._event_seal ORDER BY id";

static const char events_sql[] =
"SELECT " ATK_EVENT_COLUMNS " FROM apitoken._event"
" WHERE id = ANY ($1) ORDER BY id";

/* The index on realm finds the few events that are of none. */
static const char purge_sql[] =
"SELECT FROM apitoken._event WHERE realm IS NULL AND event = 'events_purged'"
" AND new ->> 'seal' = $1 AND new ->> 'digest' = $2 LIMIT 1";

static const char uncovered_sql[] =
"SELECT min(e.id) FROM apitoken._event e"
" WHERE NOT EXISTS (SELECT FROM apitoken._event_unsealed u"
"  WHERE u.event_id = e.id)"
" AND NOT EXISTS (SELECT FROM (SELECT unnest(s.events) AS id"
"  FROM apitoken._event_seal s WHERE NOT s.purged) m WHERE m.id = e.id)";

static const char vanished_sql[] =
"SELECT min(u.event_id) FROM apitoken._event_unsealed u"
" WHERE NOT EXISTS (SELECT FROM apitoken._event e WHERE e.id = u.event_id)";

static SPIPlanPtr
prepare(const char *sql, int nargs, Oid *types)
{
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	return plan;
}

/* With the active snapshot, as all that is read here. */
static uint64
select_rows(SPIPlanPtr plan, Datum *values)
{
	int			result = SPI_execute_plan(plan, values, NULL, true, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s",
			 SPI_result_code_string(result));
	return SPI_processed;
}

/* --- the events of a seal --- */

static const char *
check_event(HeapTuple row, TupleDesc desc, const AtkDigest *sealed)
{
	AtkDigest	digest;

	atk_event_digest(row, desc, &digest);
	return atk_digest_equal(&digest, sealed) ? NULL : "event was changed";
}

static bool
is_row_of(HeapTuple row, TupleDesc desc, int64 event)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull)) == event;
}

/* The first problem; NULL: none.  Rows come in the order of ids. */
static const char *
compare_events(const AtkSeal *seal, const SPITupleTable *rows, uint64 nrows,
			   int64 *event)
{
	uint64		row = 0;

	for (int i = 0; i < seal->nevents; i++)
	{
		const char *problem;

		CHECK_FOR_INTERRUPTS();
		*event = seal->events[i];
		if (row < nrows && is_row_of(rows->vals[row], rows->tupdesc, *event))
			problem = check_event(rows->vals[row++], rows->tupdesc,
								  &seal->event_digests[i]);
		else if (atk_digest_equal(&seal->event_digests[i],
								  &atk_digest_of_nothing))
			problem = "event was missing when it was sealed";
		else
			problem = "event is missing";
		if (problem != NULL)
			return problem;
	}
	return NULL;
}

static const char *
check_events(Audit *audit, const AtkSeal *seal, int64 *event)
{
	Datum		values[] = {atk_seal_events(seal)};
	uint64		n = select_rows(audit->events, values);
	SPITupleTable *rows = SPI_tuptable;
	const char *problem = compare_events(seal, rows, n, event);

	SPI_freetuptable(rows);
	return problem;
}

/* --- a seal in its chain --- */

/*
 * The chain begins with seal 1, or where purge_events() has left one, whose
 * digest stands in an event of the purge: otherwise the beginning could be
 * cut off by marking any seal.
 */
static const char *
check_beginning(const AtkSeal *seal)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	char		hex[2 * ATK_DIGEST_LEN + 1];
	Datum		values[2];

	if (!seal->purged)
		return seal->id == 1 ? NULL : "seals before it are missing";
	atk_digest_to_hex(&seal->digest, hex);
	values[0] = CStringGetTextDatum(psprintf("%lld", (long long) seal->id));
	values[1] = CStringGetTextDatum(hex);
	if (select_rows(prepare(purge_sql, 2, types), values) == 0)
		return "no event tells of the purge";
	return NULL;
}

static const char *
check_place(const Audit *audit, const AtkSeal *seal)
{
	if (!audit->begun)
		return check_beginning(seal);
	if (seal->purged)
		return "seals before it were not purged";
	if (seal->id != audit->last_id + 1)
		return "seals before it are missing";
	return NULL;
}

/*
 * Behind a seal whose digest was changed, or whose contents were, the chain is
 * held against both what it says and what it is: one row a bad seal.
 */
static const char *
compute_digest(const Audit *audit, const AtkSeal *seal, AtkDigest *computed)
{
	if (!atk_seal_digest(seal, &audit->stored, computed))
		return "seal was made with a key that is not in use";
	if (atk_digest_equal(computed, &seal->digest))
		return NULL;
	if (atk_seal_digest(seal, &audit->computed, computed) &&
		atk_digest_equal(computed, &seal->digest))
		return NULL;
	return "seal was changed";
}

/* Who cannot make seals with the key may make some without. */
static const char *
check_digest(Audit *audit, const AtkSeal *seal, AtkDigest *computed)
{
	const char *problem = compute_digest(audit, seal, computed);

	if (problem == NULL && seal->key_id == 0 && audit->keyed)
		return "seal has no key, but one before it has";
	if (problem == NULL && seal->key_id != 0)
		audit->keyed = true;
	return problem;
}

/* Nothing is known of what a purged seal was made of. */
static void
check_seal(Audit *audit, const AtkSeal *seal, bool sound,
		   AtkDigest *computed, AtkFinding *finding)
{
	const char *place = check_place(audit, seal);
	const char *digest;

	finding->problem = place;
	if (!audit->begun && seal->purged)
		return;
	if (place == NULL && !sound)
		finding->problem = "seal was changed";
	if (!sound)
		return;
	digest = check_digest(audit, seal, computed);
	if (place != NULL)
		return;
	finding->problem = check_events(audit, seal, &finding->event);
	finding->of_event = finding->problem != NULL;
	if (!finding->of_event)
		finding->problem = digest;
}

static void
audit_seal(Audit *audit, HeapTuple row, TupleDesc desc)
{
	AtkSeal		seal;
	bool		sound = atk_seal_read(row, desc, &seal);
	AtkDigest	computed = seal.digest;
	AtkFinding	finding = {
		.of_seal = true, .seal = seal.id, .sealed_at = seal.sealed_at
	};

	check_seal(audit, &seal, sound, &computed, &finding);
	if (finding.problem != NULL)
		audit->report(&finding, audit->arg);
	audit->begun = true;
	audit->last_id = seal.id;
	audit->stored = seal.digest;
	audit->computed = computed;
}

static void
audit_seals(Audit *audit)
{
	Portal		portal = SPI_cursor_open(NULL, prepare(seals_sql, 0, NULL),
										 NULL, NULL, true);

	for (;;)
	{
		SPITupleTable *rows;
		uint64		n;

		SPI_cursor_fetch(portal, true, SEALS_AT_ONCE);
		rows = SPI_tuptable;
		n = SPI_processed;
		for (uint64 i = 0; i < n; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(audit->context);

			audit_seal(audit, rows->vals[i], rows->tupdesc);
			MemoryContextSwitchTo(old);
			MemoryContextReset(audit->context);
		}
		SPI_freetuptable(rows);
		if (n == 0)
			break;
	}
	SPI_cursor_close(portal);
}

/* --- events that are in no seal --- */

static void
report_first(Audit *audit, const char *sql, const char *problem)
{
	AtkFinding	finding = {.of_event = true, .problem = problem};
	bool		isnull;

	(void) select_rows(prepare(sql, 0, NULL), NULL);
	finding.event = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
												SPI_tuptable->tupdesc, 1,
												&isnull));
	if (!isnull)
		audit->report(&finding, audit->arg);
}

/*
 * How many ids the seals have is underestimated by far; a nested loop over
 * them would never end.
 */
static void
audit_uncovered(Audit *audit)
{
	(void) set_config_option("enable_nestloop", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	report_first(audit, uncovered_sql, "no seal covers the event");
	report_first(audit, vanished_sql,
				 "event was removed before it was sealed");
}

void
atk_audit(AtkReport report, void *arg)
{
	Oid			types[] = {INT8ARRAYOID};
	Audit		audit = {.report = report, .arg = arg};
	AtkGuard	guard;

	atk_seal_check_read("the history is not checked");
	PushActiveSnapshot(GetLatestSnapshot());
	atk_guard_begin_reading(&guard, ATK_TABLE_EVENT_SEAL);
	audit.context = AllocSetContextCreate(CurrentMemoryContext,
										  "apitoken seal",
										  ALLOCSET_DEFAULT_SIZES);
	audit.events = prepare(events_sql, 1, types);
	audit.stored = audit.computed = atk_digest_of_nothing;
	audit_seals(&audit);
	audit_uncovered(&audit);
	atk_guard_end(&guard);
	PopActiveSnapshot();
}
