/*
 * table.c
 *		The extension's own tables and their indexes; see table.h.
 *
 * All state here is backend-local.  The invalidation callback only clears
 * flags and counts: it may come at any moment, also in the middle of one of
 * the functions below, and must neither raise nor allocate.
 */
#include "postgres.h"
#include "compat.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "columns.h"
#include "table.h"

static const struct
{
	const char *name;
	int			natts;
}			table_specs[ATK_NTABLES] = {
	[ATK_TABLE_REALM] = {"realm", Natts_realm},
	[ATK_TABLE_TOKEN] = {"_token", Natts_token},
	[ATK_TABLE_USAGE] = {"_usage", Natts_usage},
	[ATK_TABLE_USAGE_HOURLY] = {"_usage_hourly", Natts_usage_hourly},
	[ATK_TABLE_EVENT] = {"_event", Natts_event},
	[ATK_TABLE_EVENT_ID_SEQ] = {"_event_id_seq", Natts_event_id_seq},
	[ATK_TABLE_EVENT_UNSEALED] = {"_event_unsealed", Natts_event_unsealed},
	[ATK_TABLE_EVENT_SEAL] = {"_event_seal", Natts_event_seal},
	[ATK_TABLE_IDEMPOTENCY] = {"_idempotency", Natts_idempotency},
};

#define KEY_COLUMNS 4			/* of an index, at the most */

static const struct
{
	AtkTable	table;
	Oid			method;
	AttrNumber	columns[KEY_COLUMNS];	/* that its index begins with */
	AttrNumber	not_null;		/* by the predicate, if any; 0: the first */
	bool		not_zero;		/* the predicate leaves out an integer 0 */
}			key_specs[ATK_NKEYS] = {
	[ATK_KEY_REALM_ID] = {ATK_TABLE_REALM, BTREE_AM_OID,
	{Anum_realm_id}},
	[ATK_KEY_TOKEN_ID] = {ATK_TABLE_TOKEN, BTREE_AM_OID,
	{Anum_token_id}},
	[ATK_KEY_TOKEN_DIGEST] = {ATK_TABLE_TOKEN, HASH_AM_OID,
	{Anum_token_digest}},
	[ATK_KEY_TOKEN_PREVIOUS_DIGEST] = {ATK_TABLE_TOKEN, HASH_AM_OID,
	{Anum_token_previous_digest}},
	[ATK_KEY_TOKEN_REALM] = {ATK_TABLE_TOKEN, BTREE_AM_OID,
	{Anum_token_realm}},
	[ATK_KEY_TOKEN_EXPIRES] = {ATK_TABLE_TOKEN, BTREE_AM_OID,
	{Anum_token_realm, Anum_token_expires_at}, Anum_token_expires_at},
	[ATK_KEY_TOKEN_PRINCIPAL] = {ATK_TABLE_TOKEN, BTREE_AM_OID,
	{Anum_token_principal, Anum_token_realm, Anum_token_status,
	Anum_token_expires_at}},
	[ATK_KEY_TOKEN_STATUS_CHANGED] = {ATK_TABLE_TOKEN, BTREE_AM_OID,
		{Anum_token_status, Anum_token_status_changed_at},
	Anum_token_status_changed_at},
	[ATK_KEY_TOKEN_KEY_ID] = {ATK_TABLE_TOKEN, BTREE_AM_OID,
	{Anum_token_key_id}, .not_zero = true},
	[ATK_KEY_USAGE_TOKEN_ID] = {ATK_TABLE_USAGE, BTREE_AM_OID,
	{Anum_usage_token_id}},
	[ATK_KEY_IDEMPOTENCY] = {ATK_TABLE_IDEMPOTENCY, BTREE_AM_OID,
	{Anum_idempotency_realm, Anum_idempotency_key}},
	[ATK_KEY_IDEMPOTENCY_CREATED] = {ATK_TABLE_IDEMPOTENCY, BTREE_AM_OID,
	{Anum_idempotency_created_at}},
};

static struct
{
	Oid			oid;			/* InvalidOid: to be found */
	uint64		generation;
}			tables[ATK_NTABLES];

static AtkKeyIndex keys[ATK_NKEYS];

/* Forgets a table and every key of it. */
static void
forget_table(AtkTable table)
{
	tables[table].oid = InvalidOid;
	tables[table].generation++;
	for (int key = 0; key < ATK_NKEYS; key++)
	{
		if (key_specs[key].table == table)
			keys[key].resolved = false;
	}
}

/* relid is InvalidOid when everything may have changed. */
static void
relation_changed(Datum arg, Oid relid)
{
	for (int table = 0; table < ATK_NTABLES; table++)
	{
		if (!OidIsValid(relid) || tables[table].oid == relid)
			forget_table(table);
	}
	for (int key = 0; key < ATK_NKEYS; key++)
	{
		if (keys[key].resolved && keys[key].index == relid)
			keys[key].resolved = false;
	}
}

void
atk_table_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

uint64
atk_table_generation(AtkTable table)
{
	return tables[table].generation;
}

ATK_HOT AtkTable
atk_key_table(AtkKey key)
{
	return key_specs[key].table;
}

int
atk_table_natts(AtkTable table)
{
	return table_specs[table].natts;
}

static Oid
find_table(AtkTable table)
{
	Oid			schema = get_namespace_oid(ATK_SCHEMA, true);

	return OidIsValid(schema)
		? get_relname_relid(table_specs[table].name, schema) : InvalidOid;
}

static void
check_layout(Relation rel, AtkTable table)
{
	if (RelationGetNumberOfAttributes(rel) < table_specs[table].natts)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" is older than the library of apitoken",
						ATK_SCHEMA, table_specs[table].name),
				 errhint("Run ALTER EXTENSION apitoken UPDATE.")));
}

/*
 * As try_relation_open(), which asks the catalog's cache first whether there
 * is such a relation: its own cache knows, since locking reads all messages.
 */
ATK_HOT static Relation
try_open(Oid oid, LOCKMODE lockmode)
{
	Relation	rel;

	LockRelationOid(oid, lockmode);
	rel = RelationIdGetRelation(oid);
	if (RelationIsValid(rel))
	{
		if (rel->pgstat_enabled != pgstat_track_counts)
			pgstat_init_relation(rel);
	}
	else
		UnlockRelationOid(oid, lockmode);
	return rel;
}

ATK_HOT Relation
atk_table_open(AtkTable table, LOCKMODE lockmode)
{
	/*
	 * Twice: the first try may find the OID of a table that was dropped and
	 * created anew, which the lock's own invalidation messages tell.
	 */
	for (int attempt = 0; attempt < 2; attempt++)
	{
		Oid			oid = tables[table].oid;
		bool		known = OidIsValid(oid);
		Relation	rel;

		if (!known)
			oid = find_table(table);
		rel = OidIsValid(oid) ? try_open(oid, lockmode) : NULL;
		if (rel != NULL)
		{
			if (!known)
				check_layout(rel, table);
			tables[table].oid = oid;
			return rel;
		}
		forget_table(table);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s.%s\" does not exist",
					ATK_SCHEMA, table_specs[table].name),
			 errhint("The extension apitoken is not installed in this database, or is being dropped.")));
}

static bool
is_column(const void *expression, AttrNumber attno)
{
	return IsA(expression, Var) &&
		((const Var *) expression)->varattno == attno;
}

/* column <> 0 */
static bool
leaves_out_zero(const Node *condition, AttrNumber attno)
{
	const OpExpr *test = (const OpExpr *) condition;
	const Const *zero;

	if (!IsA(condition, OpExpr) || get_opcode(test->opno) != F_INT4NE ||
		!is_column(linitial(test->args), attno) ||
		!IsA(lsecond(test->args), Const))
		return false;
	zero = lsecond_node(Const, test->args);
	return !zero->constisnull && DatumGetInt32(zero->constvalue) == 0;
}

/* column IS NOT NULL */
static bool
leaves_out_null(const Node *condition, AttrNumber attno)
{
	const NullTest *test = (const NullTest *) condition;

	return IsA(condition, NullTest) && test->nulltesttype == IS_NOT_NULL &&
		is_column(test->arg, attno);
}

/* No predicate, or just what leaves out values that are not looked up. */
static bool
covers_all_values(Relation index, AtkKey key)
{
	AttrNumber	first = key_specs[key].columns[0];
	AttrNumber	not_null = key_specs[key].not_null;
	List	   *predicate = RelationGetIndexPredicate(index);

	if (predicate == NIL)
		return true;
	if (list_length(predicate) != 1)
		return false;
	return key_specs[key].not_zero
		? leaves_out_zero(linitial(predicate), first)
		: leaves_out_null(linitial(predicate),
						  not_null != 0 ? not_null : first);
}

/*
 * Does the index begin with these columns?  All by their types' default
 * order, ascending: scans go by it.
 */
static bool
begins_with(Relation index, const AttrNumber *columns)
{
	Form_pg_index form = index->rd_index;

	for (int i = 0; i < KEY_COLUMNS && columns[i] != 0; i++)
	{
		if (i >= form->indnkeyatts || form->indkey.values[i] != columns[i] ||
			index->rd_indoption[i] != 0)
			return false;
	}
	return true;
}

static bool
serves_key(Relation index, AtkKey key)
{
	Form_pg_index form = index->rd_index;

	return index->rd_rel->relam == key_specs[key].method &&
		form->indisvalid && form->indisready && form->indislive &&
		begins_with(index, key_specs[key].columns) &&
		covers_all_values(index, key);
}

static void
resolve_key(AtkKey key, Relation index)
{
	AtkKeyIndex *entry = &keys[key];
	Oid			type = index->rd_opcintype[0];
	Oid			operator;

	entry->index = RelationGetRelid(index);
	entry->collation = index->rd_indcollation[0];
	entry->strategy = key_specs[key].method == HASH_AM_OID
		? HTEqualStrategyNumber : BTEqualStrategyNumber;
	operator = get_opfamily_member(index->rd_opfamily[0], type, type,
								   entry->strategy);
	fmgr_info_cxt(get_opcode(operator), &entry->equal, TopMemoryContext);
	entry->resolved = true;
}

pg_noreturn static void
raise_no_index(Relation table, AtkKey key)
{
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < KEY_COLUMNS && key_specs[key].columns[i] != 0; i++)
	{
		AttrNumber	attno = key_specs[key].columns[i];

		appendStringInfo(&columns, "%s%s", i > 0 ? ", " : "",
						 NameStr(TupleDescAttr(RelationGetDescr(table),
											   attno - 1)->attname));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s.%s\" has no valid index on (%s)",
					ATK_SCHEMA, RelationGetRelationName(table), columns.data),
			 errhint("Rebuild it with REINDEX, or create it as the extension's script does.")));
}

ATK_HOT const AtkKeyIndex *
atk_table_key(AtkKey key, Relation table)
{
	ListCell   *cell;

	if (likely(keys[key].resolved))
		return &keys[key];

	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		bool		serves = serves_key(index, key);

		if (serves)
			resolve_key(key, index);
		index_close(index, AccessShareLock);
		if (serves)
			return &keys[key];
	}
	raise_no_index(table, key);
}
