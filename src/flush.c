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
 * As a rule each row is there already, a token's from its beginning: so it is
 * changed, and what remains is inserted.  INSERT ... ON CONFLICT locks a row
 * before it changes it.  A key can come twice (tally.c).
 */

#define USES \
	"WITH n AS (SELECT DISTINCT ON (id) id, at, ip," \
	"  sum(uses) OVER (PARTITION BY id)::int8 AS uses" \
	"  FROM unnest($1, $2, $3, $4) AS given(id, at, ip, uses)" \
	"  ORDER BY id, at DESC)"

/* Returns the uses whose rows were not there. */
static const char usage_sql[] = USES
", written AS (UPDATE apitoken._usage u SET"
"  last_used_at = greatest(u.last_used_at, n.at),"
"  last_used_ip = CASE WHEN u.last_used_at >= n.at"
"   THEN u.last_used_ip ELSE n.ip END,"
"  use_count = u.use_count + n.uses"
"  FROM n WHERE u.token_id = n.id RETURNING u.token_id)"
" SELECT FROM n WHERE id NOT IN (SELECT token_id FROM written)";

static const char missing_usage_sql[] = USES
" INSERT INTO apitoken._usage"
"  (token_id, realm, last_used_at, last_used_ip, use_count)"
" SELECT n.id, t.realm, n.at, n.ip, n.uses"
" FROM n JOIN apitoken._token t ON t.id = n.id"
" WHERE NOT EXISTS (SELECT FROM apitoken._usage u WHERE u.token_id = n.id)";

/*
 * Whoever removes a token removes its row here; we may have waited for that,
 * and then made the row anew.
 */
static const char orphans_sql[] =
"DELETE FROM apitoken._usage u USING unnest($1) AS n(id)"
" WHERE u.token_id = n.id"
"  AND NOT EXISTS (SELECT FROM apitoken._token t WHERE t.id = n.id)";

#define HOURS \
	"WITH n AS (SELECT id, hour, outcome, sum(uses)::int8 AS uses" \
	"  FROM unnest($1, $2, $3, $4) AS given(id, hour, outcome, uses)" \
	"  GROUP BY id, hour, outcome ORDER BY id, hour, outcome)"

/* Returns the hours whose rows were not there. */
static const char hourly_sql[] = HOURS
", written AS (UPDATE apitoken._usage_hourly h SET uses = h.uses + n.uses"
"  FROM n WHERE h.token_id = n.id AND h.hour = n.hour"
"   AND h.outcome = n.outcome RETURNING h.token_id, h.hour, h.outcome)"
" SELECT FROM n WHERE (id, hour, outcome) NOT IN"
"  (SELECT token_id, hour, outcome FROM written)";

static const char missing_hourly_sql[] = HOURS
" INSERT INTO apitoken._usage_hourly (token_id, hour, outcome, uses)"
" SELECT id, hour, outcome, uses FROM n"
" WHERE NOT EXISTS (SELECT FROM apitoken._usage_hourly h"
"  WHERE h.token_id = n.id AND h.hour = n.hour AND h.outcome = n.outcome)";

#define NCOLUMNS		4		/* of either statement's input */

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

static void
write_usage(const AtkTally *tallies, int n)
{
	Column		columns[NCOLUMNS] = {
		make_column(UUIDOID, n), make_column(TIMESTAMPTZOID, n),
		make_column(INETOID, n), make_column(INT8OID, n)
	};

	for (int i = 0; i < n; i++)
	{
		const AtkTally *tally = &tallies[i];
		inet	   *address;

		if (tally->outcome != ATK_VALID)
			continue;
		address = atk_usage_address(tally);
		put(&columns[0], UUIDPGetDatum(&tally->token_id), false);
		put(&columns[1], TimestampTzGetDatum(tally->last_at), false);
		put(&columns[2], InetPGetDatum(address), address == NULL);
		put(&columns[3], Int64GetDatum(tally->uses + tally->earlier), false);
	}
	if (run(usage_sql, columns, NCOLUMNS) > 0 &&
		run(missing_usage_sql, columns, NCOLUMNS) > 0)
		(void) run(orphans_sql, columns, 1);
}

static void
put_hour(Column *columns, const AtkTally *tally, TimestampTz hour, int64 uses)
{
	int			outcome = tally->outcome == ATK_FORMER
		? ATK_VALID : tally->outcome;

	if (uses == 0)
		return;
	put(&columns[0], UUIDPGetDatum(&tally->token_id), false);
	put(&columns[1], TimestampTzGetDatum(hour), false);
	put(&columns[2], CStringGetTextDatum(atk_outcome_name(outcome)),
		false);
	put(&columns[3], Int64GetDatum(uses), false);
}

static void
write_hourly(const AtkTally *tallies, int n)
{
	Column		columns[NCOLUMNS] = {
		make_column(UUIDOID, 2 * n), make_column(TIMESTAMPTZOID, 2 * n),
		make_column(TEXTOID, 2 * n), make_column(INT8OID, 2 * n)
	};

	for (int i = 0; i < n; i++)
	{
		const AtkTally *tally = &tallies[i];

		put_hour(columns, tally, tally->hour, tally->uses);
		put_hour(columns, tally, tally->hour - USECS_PER_HOUR, tally->earlier);
	}
	if (run(hourly_sql, columns, NCOLUMNS) > 0)
		(void) run(missing_hourly_sql, columns, NCOLUMNS);
}

static int
compare_tallies(const void *a, const void *b)
{
	return memcmp(&((const AtkTally *) a)->token_id,
				  &((const AtkTally *) b)->token_id, sizeof(pg_uuid_t));
}

/* Rows are locked in the order of ids, so that two writers do not cross. */
static void
write_batch(AtkTally *tallies, int n)
{
	AtkGuard	guard;

	qsort(tallies, n, sizeof(AtkTally), compare_tallies);
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
