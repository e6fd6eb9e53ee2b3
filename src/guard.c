/*
 * guard.c
 *		Work as the owner of the tables, guarded; see guard.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_index.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/prs2lock.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "guard.h"

#define GUARD_SUBID		1		/* no column is locked as an object */

/* --- whose functions an expression calls --- */

static bool
is_foreign_function(Oid function, void *context)
{
	return function >= FirstNormalObjectId;
}

/* A domain's checks are not part of the expression. */
static bool
calls_foreign(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomain) ||
		check_functions_in_node(node, is_foreign_function, context))
		return true;
	return expression_tree_walker(node, calls_foreign, context);
}

static bool
stored_calls_foreign(const char *expression)
{
	return calls_foreign(stringToNode(expression), NULL);
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
has_foreign_default(Relation rel)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_defval; i++)
	{
		if (stored_calls_foreign(constr->defval[i].adbin))
			return true;
	}
	return false;
}

static bool
has_foreign_check(Relation rel)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		if (stored_calls_foreign(constr->check[i].ccbin))
			return true;
	}
	return false;
}

/*
 * From the catalog: RelationGetIndexExpressions() would simplify it, which
 * runs immutable functions.
 */
static bool
index_calls_foreign(Relation index, AttrNumber attno)
{
	bool		isnull;
	Datum		expression = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
											 attno, &isnull);

	return !isnull && stored_calls_foreign(TextDatumGetCString(expression));
}

static bool
has_foreign_index_expression(Relation rel)
{
	ListCell   *cell;
	bool		found = false;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found = found ||
			index_calls_foreign(index, Anum_pg_index_indexprs) ||
			index_calls_foreign(index, Anum_pg_index_indpred);
		index_close(index, AccessShareLock);
	}
	return found;
}

static bool
statistics_call_foreign(Oid statistics)
{
	HeapTuple	tuple = SearchSysCache1(STATEXTOID,
										ObjectIdGetDatum(statistics));
	Datum		expressions;
	bool		isnull;
	bool		foreign;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for statistics object %u",
			 statistics);
	expressions = SysCacheGetAttr(STATEXTOID, tuple,
								  Anum_pg_statistic_ext_stxexprs, &isnull);
	foreign = !isnull &&
		stored_calls_foreign(TextDatumGetCString(expressions));
	ReleaseSysCache(tuple);
	return foreign;
}

static bool
has_foreign_statistics(Relation rel)
{
	ListCell   *cell;

	foreach(cell, RelationGetStatExtList(rel))
	{
		if (statistics_call_foreign(lfirst_oid(cell)))
			return true;
	}
	return false;
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

/* What stands on the table and would be run by planning alone, or NULL. */
static const char *
planned_code(Relation rel)
{
	if (has_foreign_index_expression(rel))
		return "an index expression";
	if (has_foreign_statistics(rel))
		return "an expression of extended statistics";
	return NULL;
}

/* What would be run by writing, or NULL. */
static const char *
attached_code(Relation rel)
{
	if (rel->rd_rules != NULL)
		return "a rule";
	if (has_live_trigger(rel))
		return "a trigger that fires on replicas";
	if (has_foreign_default(rel))
		return "a default";
	if (has_foreign_check(rel))
		return "a check constraint";
	if (has_domain_column(rel))
		return "a column of a domain type";
	return planned_code(rel);
}

pg_noreturn static void
refuse(Relation rel, const char *code, const char *refusal)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s because %s stands on table \"%s\"",
					refusal, code, RelationGetRelationName(rel)),
			 errhint("Remove it: it would run with the rights of the table's owner.")));
}

/*
 * The extension first, as DROP EXTENSION does it: the tables alone, taken in
 * another order than it takes them, could be a deadlock.
 */
static void
lock_extension(void)
{
	Oid			extension = get_extension_oid("apitoken", false);

	LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
}

void
atk_guard_check(AtkTable table, const char *refusal)
{
	Relation	rel;
	const char *code;

	lock_extension();
	rel = atk_table_open(table, RowExclusiveLock);
	code = attached_code(rel);
	if (code != NULL)
		refuse(rel, code, refusal);
	table_close(rel, NoLock);
}

bool
atk_guard_may_read(AtkTable table)
{
	Relation	rel = atk_table_open(table, AccessShareLock);
	bool		clean = planned_code(rel) == NULL;

	table_close(rel, NoLock);
	return clean;
}

void
atk_guard_check_read(AtkTable table, const char *refusal)
{
	Relation	rel;
	const char *code;

	lock_extension();
	rel = atk_table_open(table, AccessShareLock);
	code = planned_code(rel);
	if (code != NULL)
		refuse(rel, code, refusal);
	table_close(rel, NoLock);
}

/* --- as the owner --- */

static Oid
owner_of(AtkTable table)
{
	Relation	rel = atk_table_open(table, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;

	table_close(rel, NoLock);
	return owner;
}

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static void
begin(AtkGuard *guard, AtkTable table, bool writes)
{
	Oid			owner;

	lock_extension();
	owner = owner_of(table);
	guard->guc_level = NewGUCNestLevel();
	set_local("search_path", "pg_catalog, pg_temp");
	if (writes)
		set_local("session_replication_role", "replica");
	GetUserIdAndSecContext(&guard->user, &guard->context);
	SetUserIdAndSecContext(owner, guard->context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION |
						   SECURITY_NOFORCE_RLS);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
atk_guard_begin(AtkGuard *guard, AtkTable table)
{
	begin(guard, table, true);
}

/* Plans that are kept are thrown away where the role changes: not for this. */
void
atk_guard_begin_reading(AtkGuard *guard, AtkTable table)
{
	begin(guard, table, false);
}

void
atk_guard_end(const AtkGuard *guard)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	SetUserIdAndSecContext(guard->user, guard->context);
	AtEOXact_GUC(true, guard->guc_level);
}

void
atk_guard_lock(AtkTable table)
{
	Relation	rel = atk_table_open(table, RowExclusiveLock);
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId,
					   RelationGetRelid(rel), GUARD_SUBID);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	table_close(rel, NoLock);
}

uint64
atk_guard_run(const char *sql, int nargs, Oid *types, Datum *values)
{
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, types);
	Snapshot	snapshot;
	int			result;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	result = SPI_execute_snapshot(plan, values, NULL, snapshot,
								  InvalidSnapshot, false, true, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(result));
	UnregisterSnapshot(snapshot);
	SPI_freeplan(plan);
	return SPI_processed;
}
