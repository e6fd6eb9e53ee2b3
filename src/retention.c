/*
 * retention.c
 *		Removing history and reports; see retention.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "chain.h"
#include "event.h"
#include "expiry.h"
#include "guard.h"
#include "json.h"
#include "retention.h"

/* The point in time before which nothing is kept. */
static TimestampTz
cutoff(const Interval *older_than)
{
	if (older_than == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("older_than must not be null")));
	return atk_time_before("older_than", older_than, GetCurrentTimestamp());
}

static void
write_event(const char *name, AtkJson *what)
{
	AtkEvent	event = {.name = name, .at = GetCurrentTimestamp()};

	atk_json_end_object(what);
	event.new = atk_json_finish(what);
	atk_event_write(&event);
}

/* --- events --- */

static const char last_seal_sql[] =
"SELECT " ATK_SEAL_COLUMNS " FROM apitoken._event_seal WHERE NOT purged"
" AND id < coalesce((SELECT min(id) FROM apitoken._event_seal"
"  WHERE last_event_at >= $1), 9223372036854775807)"
" ORDER BY id DESC LIMIT 1";

static const char events_sql[] =
"DELETE FROM apitoken._event WHERE id IN"
" (SELECT unnest(events) FROM apitoken._event_seal"
"  WHERE id <= $1 AND NOT purged)";

static const char seals_sql[] =
"DELETE FROM apitoken._event_seal WHERE id < $1";

static const char anchor_sql[] =
"UPDATE apitoken._event_seal SET purged = true WHERE id = $1";

/* False: there is nothing to purge. */
static bool
find_last_seal(TimestampTz before, AtkSeal *seal)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(before)};

	if (atk_guard_run(last_seal_sql, 1, types, values) == 0)
		return false;
	(void) atk_seal_read(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, seal);
	return true;
}

static int64
remove_events(const AtkSeal *last)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(last->id)};
	int64		n = atk_guard_run(events_sql, 1, types, values);

	(void) atk_guard_run(seals_sql, 1, types, values);
	(void) atk_guard_run(anchor_sql, 1, types, values);
	return n;
}

static void
tell_events_purged(const AtkSeal *last, int64 n)
{
	char		hex[2 * ATK_DIGEST_LEN + 1];
	AtkJson		what = {NULL};

	atk_digest_to_hex(&last->digest, hex);
	atk_json_begin_object(&what);
	atk_json_integer_member(&what, "events", n);
	atk_json_integer_member(&what, "seal", last->id);
	atk_json_text_member(&what, "digest", hex);
	write_event("events_purged", &what);
}

int64
atk_purge_events(const Interval *older_than)
{
	static const char refusal[] = "events are not purged";
	TimestampTz before = cutoff(older_than);
	AtkGuard	guard;
	AtkSeal		last;
	bool		found;
	int64		n = 0;

	PreventCommandIfReadOnly("apitoken.purge_events()");
	atk_guard_check(ATK_TABLE_EVENT, refusal);
	atk_guard_check(ATK_TABLE_EVENT_SEAL, refusal);
	atk_guard_lock(ATK_TABLE_EVENT);	/* another purge; sealing goes on */
	atk_guard_begin(&guard, ATK_TABLE_EVENT_SEAL);
	found = find_last_seal(before, &last);
	if (found)
		n = remove_events(&last);
	atk_guard_end(&guard);
	if (found)
		tell_events_purged(&last, n);
	return n;
}

/* --- use by hour --- */

static const char usage_sql[] =
"DELETE FROM apitoken._usage_hourly WHERE hour <= $1";

static void
tell_usage_purged(TimestampTz before, int64 n)
{
	char		when[MAXDATELEN + 1];
	int			utc = 0;
	AtkJson		what = {NULL};

	JsonEncodeDateTime(when, TimestampTzGetDatum(before), TIMESTAMPTZOID,
					   &utc);
	atk_json_begin_object(&what);
	atk_json_integer_member(&what, "counts", n);
	atk_json_text_member(&what, "before", when);
	write_event("usage_purged", &what);
}

int64
atk_purge_usage(const Interval *older_than)
{
	TimestampTz before = cutoff(older_than);
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[1];
	AtkGuard	guard;
	int64		n;

	PreventCommandIfReadOnly("apitoken.purge_usage()");
	atk_guard_check(ATK_TABLE_USAGE_HOURLY, "use is not purged");
	atk_guard_lock(ATK_TABLE_USAGE);	/* a flush, which locks rows, too */
	atk_guard_begin(&guard, ATK_TABLE_USAGE_HOURLY);
	values[0] = TimestampTzGetDatum(before - USECS_PER_HOUR);
	n = atk_guard_run(usage_sql, 1, types, values);
	atk_guard_end(&guard);
	if (n > 0)
		tell_usage_purged(before, n);
	return n;
}
