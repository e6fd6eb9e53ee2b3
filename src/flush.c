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

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "rewrite/prs2lock.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "duty.h"
#include "flush.h"
#include "outcome.h"
#include "table.h"
#include "usage.h"

#define FLUSH_SUBID		1		/* no column is locked as an object */

/* --- one flush of a database at a time --- */

/*
 * Not an advisory lock: anybody could take that and keep the worker waiting.
 * Not a lock on the table: VACUUM would be in its way.
 */
static void
lock_flush(Relation usage)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId,
					   RelationGetRelid(usage), FLUSH_SUBID);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* --- what users attached --- */

/* Would it fire with session_replication_role = replica? */
static bool
has_live_trigger(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		char		enabled = triggers->triggers[i].tgenabled;

		if (enabled == TRIGGER_FIRES_ALWAYS ||
			enabled == TRIGGER_FIRES_ON_REPLICA)
			return true;
	}
	return false;
}

static bool
has_index_expression(Relation rel)
{
	ListCell   *cell;
	bool		found = false;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found = found || RelationGetIndexExpressions(index) != NIL ||
			RelationGetIndexPredicate(index) != NIL;
		index_close(index, AccessShareLock);
	}
	return found;
}

/* A domain's checks are run for NULL, too, and it may have a default. */
static bool
has_domain_column(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped &&
			get_typtype(column->atttypid) == TYPTYPE_DOMAIN)
			return true;
	}
	return false;
}

/* What stands on the table and would be run, or NULL. */
static const char *
attached_code(Relation rel)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	if (rel->rd_rules != NULL)
		return "a rule";
	if (has_live_trigger(rel))
		return "a trigger that fires on replicas";
	if (constr != NULL && constr->num_defval > 0)
		return "a default";
	if (constr != NULL && constr->num_check > 0)
		return "a check constraint";
	if (has_domain_column(rel))
		return "a column of a domain type";
	if (has_index_expression(rel))
		return "an index expression";
	return NULL;
}

/* The lock on the table keeps it so, but for indexes built concurrently. */
static void
check_nothing_attached(Relation rel)
{
	const char *code = attached_code(rel);

	if (code != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("use is not written because %s stands on table \"%s\"",
						code, RelationGetRelationName(rel)),
				 errhint("Remove it: it would run with the rights of the table's owner.")));
}

static void
lock_tables(void)
{
	Relation	usage = atk_table_open(ATK_TABLE_USAGE, RowExclusiveLock);
	Relation	hourly = atk_table_open(ATK_TABLE_USAGE_HOURLY, RowExclusiveLock);

	check_nothing_attached(usage);
	check_nothing_attached(hourly);
	lock_flush(usage);
	table_close(hourly, NoLock);
	table_close(usage, NoLock);
}

/*
 * The extension first, as DROP EXTENSION does it: the tables alone, taken in
 * another order than it takes them, could be a deadlock.
 */
static void
lock_all(void)
{
	Oid			extension = get_extension_oid("apitoken", false);

	LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
	lock_tables();
}

/* --- statements --- */

static const char usage_sql[] =
"INSERT INTO apitoken._usage AS u (token_id, realm, last_used_at, last_used_ip, use_count)"
" SELECT p.id, t.realm, p.at, p.ip, p.uses"
" FROM (SELECT DISTINCT ON (n.id) n.id, n.at, n.ip,"
"  sum(n.uses) OVER (PARTITION BY n.id)::int8 AS uses"
"  FROM unnest($1, $2, $3, $4) AS n(id, at, ip, uses) ORDER BY n.id, n.at DESC) p"
" JOIN apitoken._token t ON t.id = p.id"
" ORDER BY p.id"
" ON CONFLICT (token_id) DO UPDATE SET"
"  last_used_at = greatest(u.last_used_at, excluded.last_used_at),"
"  last_used_ip = CASE WHEN u.last_used_at >= excluded.last_used_at"
"   THEN u.last_used_ip ELSE excluded.last_used_ip END,"
"  use_count = u.use_count + excluded.use_count";

static const char hourly_sql[] =
"INSERT INTO apitoken._usage_hourly AS h (token_id, hour, outcome, uses)"
" SELECT n.id, n.hour, n.outcome, sum(n.uses)::int8"
" FROM unnest($1, $2, $3, $4) AS n(id, hour, outcome, uses)"
" GROUP BY n.id, n.hour, n.outcome"
" ORDER BY n.id, n.hour, n.outcome"
" ON CONFLICT (token_id, hour, outcome) DO UPDATE SET uses = h.uses + excluded.uses";

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

/*
 * With a snapshot of its own: that of a REPEATABLE READ transaction may not
 * have a token that was used since, and its use would be lost.
 */
static void
execute(SPIPlanPtr plan, Datum *arrays)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int			result = SPI_execute_snapshot(plan, arrays, NULL, snapshot,
											  InvalidSnapshot, false, true, 0);

	if (result != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(result));
	UnregisterSnapshot(snapshot);
}

static void
run(const char *sql, Column *columns)
{
	Oid			types[NCOLUMNS];
	Datum		arrays[NCOLUMNS];
	SPIPlanPtr	plan;

	for (int i = 0; i < NCOLUMNS; i++)
	{
		types[i] = get_array_type(columns[i].type);
		arrays[i] = array_of(&columns[i]);
	}
	plan = SPI_prepare(sql, NCOLUMNS, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	execute(plan, arrays);
	SPI_freeplan(plan);
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
	run(usage_sql, columns);
}

static void
put_hour(Column *columns, const AtkTally *tally, TimestampTz hour, int64 uses)
{
	if (uses == 0)
		return;
	put(&columns[0], UUIDPGetDatum(&tally->token_id), false);
	put(&columns[1], TimestampTzGetDatum(hour), false);
	put(&columns[2], CStringGetTextDatum(atk_outcome_name(tally->outcome)),
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
	run(hourly_sql, columns);
}

/* --- under the owner's name, with nothing of the session's --- */

typedef struct Setting
{
	int			guc_level;
	Oid			user;
	int			context;
} Setting;

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static void
enter(Setting *setting)
{
	Relation	rel = atk_table_open(ATK_TABLE_USAGE, RowExclusiveLock);

	setting->guc_level = NewGUCNestLevel();
	set_local("search_path", "pg_catalog, pg_temp");
	set_local("session_replication_role", "replica");
	GetUserIdAndSecContext(&setting->user, &setting->context);
	SetUserIdAndSecContext(rel->rd_rel->relowner, setting->context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION |
						   SECURITY_NOFORCE_RLS);
	table_close(rel, NoLock);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
leave(const Setting *setting)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	SetUserIdAndSecContext(setting->user, setting->context);
	AtEOXact_GUC(true, setting->guc_level);
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
	Setting		setting;

	qsort(tallies, n, sizeof(AtkTally), compare_tallies);
	enter(&setting);
	write_usage(tallies, n);
	write_hourly(tallies, n);
	leave(&setting);
}

static int
flush_batch(int *position)
{
	AtkTally   *tallies = palloc(ATK_FLUSH_BATCH * sizeof(AtkTally));
	int			n;

	lock_all();
	if (*position == 0)
		atk_tally_settle(MyDatabaseId);
	n = atk_tally_collect(MyDatabaseId, GetCurrentTransactionId(),
						  position, tallies, ATK_FLUSH_BATCH);
	if (n > 0)
		write_batch(tallies, n);
	if (n < ATK_FLUSH_BATCH)
		atk_duty_flushed();
	pfree(tallies);
	return n;
}

static void
note_failure(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	atk_duty_flush_failed(error->message);
	FreeErrorData(error);
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
		note_failure(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return n;
}
