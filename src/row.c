/*
 * row.c
 *		Inserts, changes and deletes single rows; see row.h.
 *
 * ExecSimpleRelation...() are what logical replication applies changes with.
 * Our result relation is in no range table, so that "UPDATE OF column"
 * triggers, which need one, do not fire either.
 */
#include "postgres.h"
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "row.h"

/* What the executor's functions want to be handed around. */
typedef struct Change
{
	Relation	rel;
	EState	   *estate;
	EPQState	epqstate;
	ResultRelInfo *target;
	TupleTableSlot *slot;		/* the new row, all NULL at first */
	ErrorContextCallback callback;
} Change;

/*
 * The server shows the row, or the key, that a constraint refuses: to whoever
 * may read the table, and in its log.  Ours have digests.
 */
static void
hide_row(void *context)
{
	switch (geterrcode())
	{
		case ERRCODE_CHECK_VIOLATION:
		case ERRCODE_NOT_NULL_VIOLATION:
		case ERRCODE_UNIQUE_VIOLATION:
		case ERRCODE_EXCLUSION_VIOLATION:
			errdetail("The row is not shown.");
			break;
		default:
			break;
	}
}

static void
begin_hiding(Change *change)
{
	change->callback = (ErrorContextCallback) {error_context_stack, hide_row};
	error_context_stack = &change->callback;
}

static void
begin_change(Change *change, AtkTable table)
{
	EState	   *estate = CreateExecutorState();

	change->rel = atk_table_open(table, RowExclusiveLock);
	change->estate = estate;
	estate->es_snapshot = GetActiveSnapshot();
	/* BEFORE triggers lock the row, which this transaction may have made. */
	estate->es_output_cid = GetCurrentCommandId(true);
	atk_eval_plan_qual_init(&change->epqstate, estate);
	change->target = makeNode(ResultRelInfo);
	InitResultRelInfo(change->target, change->rel, 0, NULL, 0);
	/* Where AFTER triggers look for their table, before they open it anew. */
	estate->es_opened_result_relations = list_make1(change->target);
	ExecOpenIndices(change->target, false);
	change->slot = ExecInitExtraTupleSlot(estate,
										  RelationGetDescr(change->rel),
										  &TTSOpsVirtual);
	AfterTriggerBeginQuery();
	begin_hiding(change);
}

static void
raise_suppressed(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a trigger on table \"%s\" suppressed the row",
					RelationGetRelationName(rel))));
}

/* Storing a row gives its slot an address; a trigger may have prevented it. */
static void
check_stored(const Change *change)
{
	if (!ItemPointerIsValid(&change->slot->tts_tid))
		raise_suppressed(change->rel);
}

/* The same of a row that is to be removed: is it still there? */
static void
check_removed(Relation rel, TupleTableSlot *old)
{
	TriggerDesc *triggers = rel->trigdesc;
	Snapshot	snapshot;

	if (triggers == NULL || !triggers->trig_delete_before_row)
		return;
	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	if (table_tuple_satisfies_snapshot(rel, old, snapshot))
		raise_suppressed(rel);
	UnregisterSnapshot(snapshot);
}

static void
end_change(Change *change)
{
	AfterTriggerEndQuery(change->estate);
	error_context_stack = change->callback.previous;
	EvalPlanQualEnd(&change->epqstate);
	ExecCloseResultRelations(change->estate);	/* and their indexes */
	ExecResetTupleTable(change->estate->es_tupleTable, false);
	FreeExecutorState(change->estate);
	table_close(change->rel, NoLock);
	CommandCounterIncrement();
}

/*
 * What a trigger made of the row is what was stored, and what the caller has
 * from now on; it must outlive the slot.
 */
static void
take_stored(const Change *change, int natts, Datum *values, bool *nulls)
{
	TupleTableSlot *slot = change->slot;

	slot_getallattrs(slot);
	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(slot->tts_tupleDescriptor, i);

		nulls[i] = slot->tts_isnull[i];
		if (!nulls[i])
			values[i] = datumCopy(slot->tts_values[i], column->attbyval,
								  column->attlen);
	}
}

void
atk_row_insert(AtkTable table, Datum *values, bool *nulls)
{
	int			natts = atk_table_natts(table);
	Change		change;

	begin_change(&change, table);
	ExecStoreAllNullTuple(change.slot);
	memcpy(change.slot->tts_values, values, natts * sizeof(Datum));
	memcpy(change.slot->tts_isnull, nulls, natts * sizeof(bool));

	ItemPointerSetInvalid(&change.slot->tts_tid);
	ExecSimpleRelationInsert(change.target, change.estate, change.slot);
	check_stored(&change);
	if (change.rel->trigdesc && change.rel->trigdesc->trig_insert_before_row)
		take_stored(&change, natts, values, nulls);
	end_change(&change);
}

void
atk_row_update(AtkTable table, TupleTableSlot *old, Datum *values,
			   bool *nulls, bool *replaces)
{
	int			natts = atk_table_natts(table);
	Change		change;

	begin_change(&change, table);
	slot_getallattrs(old);
	ExecClearTuple(change.slot);
	for (int i = 0; i < old->tts_tupleDescriptor->natts; i++)
	{
		bool		replace = i < natts && replaces[i];

		change.slot->tts_values[i] = replace ? values[i] : old->tts_values[i];
		change.slot->tts_isnull[i] = replace ? nulls[i] : old->tts_isnull[i];
	}
	ExecStoreVirtualTuple(change.slot);

	ItemPointerSetInvalid(&change.slot->tts_tid);
	ExecSimpleRelationUpdate(change.target, change.estate, &change.epqstate,
							 old, change.slot);
	check_stored(&change);
	if (change.rel->trigdesc && change.rel->trigdesc->trig_update_before_row)
	{
		take_stored(&change, natts, values, nulls);
		memset(replaces, true, natts);
	}
	end_change(&change);
}

void
atk_row_delete(AtkTable table, TupleTableSlot *old)
{
	Change		change;

	begin_change(&change, table);
	ExecSimpleRelationDelete(change.target, change.estate, &change.epqstate,
							 old);
	check_removed(change.rel, old);
	end_change(&change);
}
