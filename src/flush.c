/*
 * flush.c
 *		Writing recorded use to the tables; see flush.h.
 *
 * Times only go forward; counts are added.  What is written is marked in
 * shared memory with this transaction, and taken off by atk_tally_settle()
 * once it has committed: after a rollback it is simply still there.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "duty.h"
#include "flush.h"
#include "guard.h"
#include "outcome.h"
#include "table.h"
#include "usage.h"

/* Another flush of the database is waited for. */
static void
lock_tables(void)
{
	static const char refusal[] = "use is not written";

	atk_guard_check(ATK_TABLE_USAGE, refusal);
	atk_guard_check(ATK_TABLE_USAGE_HOURLY, refusal);
	atk_guard_check_read(ATK_TABLE_TOKEN, refusal);
	atk_guard_lock(ATK_TABLE_USAGE);
}

/*
 * --- statements ---
 *
 * As a rule each row is there already, a token's from its beginning: so rows
 * are changed, and if those were not all the others are inserted.  INSERT ...
 * ON CONFLICT locks a row before it changes it.  No key is given twice.
 */

static const char usage_sql[] =
"UPDATE apitoken._usage u SET"
"  last_used_at = greatest(u.last_used_at, n.at),"
"  last_used_ip = CASE WHEN u.last_used_at >= n.at"
"   THEN u.last_used_ip ELSE n.ip END,"
"  use_count = u.use_count + n.uses"
" FROM unnest($1, $2, $3, $4) AS n(id, at, ip, uses)"
" WHERE u.token_id = n.id";

static const char missing_usage_sql[] =
"INSERT INTO apitoken._usage"
"  (token_id, realm, last_used_at, last_used_ip, use_count)"
" SELECT n.id, t.realm, n.at, n.ip, n.uses"
" FROM unnest($1, $2, $3, $4) AS n(id, at, ip, uses)"
"  JOIN apitoken._token t ON t.id = n.id"
" WHERE NOT EXISTS (SELECT FROM apitoken._usage u WHERE u.token_id = n.id)";

/*
 * Whoever removes a token removes its row here; we may have waited for that,
 * and then made the row anew.
 */
static const char orphans_sql[] =
"DELETE FROM apitoken._usage u USING unnest($1) AS n(id)"
" WHERE u.token_id = n.id"
"  AND NOT EXISTS (SELECT FROM apitoken._token t WHERE t.id = n.id)";

static const char hourly_sql[] =
"UPDATE apitoken._usage_hourly h SET uses = h.uses + n.uses"
" FROM unnest($1, $2, $3, $4) AS n(id, hour, outcome, uses)"
" WHERE h.token_id = n.id AND h.hour = n.hour AND h.outcome = n.outcome";

static const char missing_hourly_sql[] =
"INSERT INTO apitoken._usage_hourly (token_id, hour, outcome, uses)"
" SELECT n.id, n.hour, n.outcome, n.uses"
" FROM unnest($1, $2, $3, $4) AS n(id, hour, outcome, uses)"
" WHERE NOT EXISTS (SELECT FROM apitoken._usage_hourly h"
"  WHERE h.token_id = n.id AND h.hour = n.hour AND h.outcome = n.outcome)";

#define NCOLUMNS		4		/* of either statement's input */

static int
compare_ids(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int
compare_times(TimestampTz a, TimestampTz b)
{
	return (a > b) - (a < b);
}

typedef struct Column
{
	Oid			type;
	Datum	   *values;
	bool	   *nulls;
	int			n;
} Column;

static Column
make_column(Oid type, int room)
{
	return (Column) {type, palloc(room * sizeof(Datum)),
					 palloc(room * sizeof(bool)), 0};
}

static void
put(Column *column, Datum value, bool isnull)
{
	column->values[column->n] = value;
	column->nulls[column->n] = isnull;
	column->n++;
}

static Datum
array_of(Column *column)
{
	int			lower = 1;
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(column->type, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(column->values, column->nulls,
											  1, &column->n, &lower,
											  column->type, len, byval,
											  align));
}

static uint64
run(const char *sql, Column *columns, int n)
{
	Oid			types[NCOLUMNS];
	Datum		arrays[NCOLUMNS];

	for (int i = 0; i < n; i++)
	{
		types[i] = get_array_type(columns[i].type);
		arrays[i] = array_of(&columns[i]);
	}
	return atk_guard_run(sql, n, types, arrays);
}

/* More of what has been put last. */
static void
add(Column *column, int64 uses)
{
	Datum	   *last = &column->values[column->n - 1];

	*last = Int64GetDatum(DatumGetInt64(*last) + uses);
}

/* True if all rows were there. */
static bool
update(const char *sql, Column *columns)
{
	return run(sql, columns, NCOLUMNS) == (uint64) columns[0].n;
}

/* --- last uses --- */

/* Two slots may have the uses of one token: the later use first. */
static int
compare_tallies(const void *a, const void *b)
{
	const AtkTally *x = a;
	const AtkTally *y = b;
	int			order = compare_ids(&x->token_id, &y->token_id);

	return order != 0 ? order : compare_times(y->last_at, x->last_at);
}

static void
put_use(Column *columns, const AtkTally *tally)
{
	inet	   *address = atk_usage_address(tally);

	put(&columns[0], UUIDPGetDatum(&tally->token_id), false);
	put(&columns[1], TimestampTzGetDatum(tally->last_at), false);
	put(&columns[2], InetPGetDatum(address), address == NULL);
	put(&columns[3], Int64GetDatum(tally->uses + tally->earlier), false);
}

static void
write_usage(AtkTally *tallies, int n)
{
	Column		columns[NCOLUMNS] = {
		make_column(UUIDOID, n), make_column(TIMESTAMPTZOID, n),
		make_column(INETOID, n), make_column(INT8OID, n)
	};
	const AtkTally *last = NULL;

	qsort(tallies, n, sizeof(AtkTally), compare_tallies);
	for (int i = 0; i < n; i++)
	{
		const AtkTally *tally = &tallies[i];

		if (tally->outcome != ATK_VALID)
			continue;
		if (last != NULL && compare_ids(&last->token_id, &tally->token_id) == 0)
			add(&columns[3], tally->uses + tally->earlier);
		else
			put_use(columns, tally);
		last = tally;
	}
	if (!update(usage_sql, columns) &&
		run(missing_usage_sql, columns, NCOLUMNS) > 0)
		(void) run(orphans_sql, columns, 1);
}

/* --- hours --- */

typedef struct Hour
{
	pg_uuid_t	token_id;
	TimestampTz hour;
	int			outcome;
	int64		uses;
} Hour;

static int
compare_hours(const void *a, const void *b)
{
	const Hour *x = a;
	const Hour *y = b;
	int			order = compare_ids(&x->token_id, &y->token_id);

	if (order == 0)
		order = compare_times(x->hour, y->hour);
	return order != 0 ? order : x->outcome - y->outcome;
}

/* The hour of a tally's last use and the one before it: room for two. */
static int
hours_of(const AtkTally *tally, Hour *hours)
{
	int			outcome = tally->outcome == ATK_FORMER
		? ATK_VALID : tally->outcome;
	int			n = 0;

	if (tally->uses > 0)
		hours[n++] = (Hour) {tally->token_id, tally->hour, outcome,
			tally->uses};
	if (tally->earlier > 0)
		hours[n++] = (Hour) {tally->token_id, tally->hour - USECS_PER_HOUR,
			outcome, tally->earlier};
	return n;
}

static void
put_hour(Column *columns, const Hour *hour)
{
	put(&columns[0], UUIDPGetDatum(&hour->token_id), false);
	put(&columns[1], TimestampTzGetDatum(hour->hour), false);
	put(&columns[2], CStringGetTextDatum(atk_outcome_name(hour->outcome)),
		false);
	put(&columns[3], Int64GetDatum(hour->uses), false);
}

static void
write_hourly(const AtkTally *tallies, int ntallies)
{
	int			most = 2 * ntallies;
	Column		columns[NCOLUMNS] = {
		make_column(UUIDOID, most), make_column(TIMESTAMPTZOID, most),
		make_column(TEXTOID, most), make_column(INT8OID, most)
	};
	Hour	   *hours = palloc(most * sizeof(Hour));
	int			n = 0;

	for (int i = 0; i < ntallies; i++)
		n += hours_of(&tallies[i], &hours[n]);
	qsort(hours, n, sizeof(Hour), compare_hours);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && compare_hours(&hours[i - 1], &hours[i]) == 0)
			add(&columns[3], hours[i].uses);
		else
			put_hour(columns, &hours[i]);
	}
	if (!update(hourly_sql, columns))
		(void) run(missing_hourly_sql, columns, NCOLUMNS);
}

/* Rows are locked in the order of ids, so that two writers do not cross. */
static void
write_batch(AtkTally *tallies, int n)
{
	AtkGuard	guard;

	atk_guard_begin(&guard, ATK_TABLE_USAGE);
	write_usage(tallies, n);
	write_hourly(tallies, n);
	atk_guard_end(&guard);
}

static int
flush_batch(int *position)
{
	AtkTally   *tallies = palloc(ATK_FLUSH_BATCH * sizeof(AtkTally));
	int			n;

	lock_tables();
	if (*position == 0)
		atk_tally_settle(MyDatabaseId);
	n = atk_tally_collect(ATK_SLOT_USE, MyDatabaseId,
						  GetCurrentTransactionId(), position,
						  tallies, ATK_FLUSH_BATCH);
	if (n > 0)
		write_batch(tallies, n);
	if (n < ATK_FLUSH_BATCH)
		atk_duty_done(ATK_JOB_FLUSH);
	pfree(tallies);
	return n;
}

int
atk_flush_batch(int *position)
{
	MemoryContext context = CurrentMemoryContext;
	int			n;

	PG_TRY();
	{
		n = flush_batch(position);
	}
	PG_CATCH();
	{
		atk_duty_note_error(ATK_JOB_FLUSH, context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return n;
}
