/*
 * probe.c
 *		Looks rows up by a key; see probe.h.
 *
 * This goes below SPI and the executor on purpose: no plan is made, cached
 * or checked, no portal is opened.  What it relies on is the table and index
 * access-method interface that the executor uses as well.
 */
#include "postgres.h"
#include "compat.h"

#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "columns.h"
#include "digest.h"
#include "place.h"
#include "probe.h"

/*
 * A snapshot that is used at once need not be registered, which copies it:
 * the statement has a snapshot of its own that keeps the rows.
 */
static void
keep_snapshot(AtkProbe *probe)
{
	if (probe->beside || probe->registered)
		return;
	probe->snapshot = RegisterSnapshot(probe->snapshot);
	probe->registered = true;
}

ATK_HOT static void
drop_snapshot(AtkProbe *probe)
{
	if (probe->registered)
		UnregisterSnapshot(probe->snapshot);
	probe->registered = false;
}

/*
 * Index and scan, when they are needed first.  A scan is made for a number of
 * keys.  The index has a lock of its own, which is all that keeps a REINDEX
 * from taking its file away, and on a standby a DROP INDEX CONCURRENTLY; like
 * the table's it stays till the end of the transaction.
 */
static void
begin_scan(AtkProbe *probe, int n)
{
	if (probe->index == NULL)
	{
		keep_snapshot(probe);
		probe->index = index_open(atk_table_key(probe->key,
												probe->heap)->index,
								  AccessShareLock);
	}
	else if (probe->scan->numberOfKeys == n)
		return;
	else
		index_endscan(probe->scan);
	probe->scan = atk_index_beginscan(probe->heap, probe->index,
									  probe->snapshot, n);
}

ATK_HOT static void
end_scan(AtkProbe *probe)
{
	if (probe->index == NULL)
		return;
	index_endscan(probe->scan);
	index_close(probe->index, NoLock);
	probe->index = NULL;
}

/*
 * What table_slot_create() would make, without memory of its own and without a
 * reference to the row type, which the open table keeps.
 */
ATK_HOT static TupleTableSlot *
slot_in(AtkProbeRoom *room, TupleDesc desc)
{
	TupleTableSlot *slot = &room->slot.base.base;

	memset(&room->slot, 0, sizeof(room->slot));
	slot->type = T_TupleTableSlot;
	slot->tts_flags = TTS_FLAG_EMPTY | TTS_FLAG_FIXED;
	*((const TupleTableSlotOps **) &slot->tts_ops) = &TTSOpsBufferHeapTuple;
	slot->tts_tupleDescriptor = desc;
	slot->tts_values = room->values;
	slot->tts_isnull = room->nulls;
	slot->tts_mcxt = CurrentMemoryContext;
	slot->tts_ops->init(slot);
	return slot;
}

ATK_HOT static TupleTableSlot *
make_slot(AtkProbe *probe)
{
	TupleDesc	desc = RelationGetDescr(probe->heap);

	if (desc->natts <= ATK_PROBE_COLUMNS &&
		table_slot_callbacks(probe->heap) == &TTSOpsBufferHeapTuple)
		return slot_in(&probe->room, desc);
	return table_slot_create(probe->heap, NULL);
}

ATK_HOT static void
drop_slot(AtkProbe *probe)
{
	if (probe->slot == &probe->room.slot.base.base)
		ExecClearTuple(probe->slot);
	else
		ExecDropSingleTupleTableSlot(probe->slot);
}

/* Heap and snapshot are there. */
ATK_HOT static void
begin(AtkProbe *probe, AtkKey key)
{
	probe->key = key;
	probe->index = NULL;
	probe->context = CurrentMemoryContext;
	probe->slot = make_slot(probe);
}

ATK_HOT void
atk_probe_begin_at(AtkProbe *probe, AtkKey key, LOCKMODE lockmode,
				   Snapshot snapshot)
{
	/*
	 * Opening a table that this transaction has locked before does not look
	 * for messages, and we promise to see what was committed since.
	 */
	AcceptInvalidationMessages();

	probe->heap = atk_table_open(atk_key_table(key), lockmode);
	probe->snapshot = snapshot ? snapshot : GetLatestSnapshot();
	probe->registered = false;
	probe->beside = false;
	begin(probe, key);
}

ATK_HOT void
atk_probe_begin(AtkProbe *probe, AtkKey key, LOCKMODE lockmode)
{
	atk_probe_begin_at(probe, key, lockmode, NULL);
}

void
atk_probe_begin_beside(AtkProbe *probe, AtkKey key, const AtkProbe *other)
{
	Assert(atk_key_table(key) == atk_key_table(other->key));

	probe->heap = other->heap;
	probe->snapshot = other->snapshot;
	probe->registered = false;
	probe->beside = true;
	begin(probe, key);
}

/* A hash index returns whoever shares the hash: compare the value itself. */
static bool
matches(AtkProbe *probe, const AtkKeyIndex *key, Datum value)
{
	bool		isnull;
	Datum		found;

	if (!probe->scan->xs_recheck)
		return true;
	found = slot_getattr(probe->slot,
						 probe->index->rd_index->indkey.values[0], &isnull);
	return !isnull &&
		DatumGetBool(FunctionCall2Coll(unconstify(FmgrInfo *, &key->equal),
									   key->collation, found, value));
}

/*
 * A scan allocates on its way, too: the list of index entries that it has
 * found dead, at the first of them.  Were that freed with the caller's context
 * of the moment, it would mark others dead, and index and table disagree.
 */
void
atk_probe_scan(AtkProbe *probe, ScanKey keys, int n)
{
	MemoryContext old = MemoryContextSwitchTo(probe->context);

	begin_scan(probe, n);
	index_rescan(probe->scan, keys, n, NULL, 0);
	MemoryContextSwitchTo(old);
}

/*
 * As index_getnext_slot(), but keeps what stands in the index: the place of a
 * row is where its chain of versions begins.
 */
static bool
next_row(AtkProbe *probe, ScanDirection direction)
{
	for (;;)
	{
		if (!probe->scan->xs_heap_continue)
		{
			ItemPointer tid = index_getnext_tid(probe->scan, direction);

			if (tid == NULL)
				return false;
			probe->place = *tid;
		}
		if (index_fetch_heap(probe->scan, probe->slot))
			return true;
	}
}

bool
atk_probe_next(AtkProbe *probe, ScanDirection direction)
{
	MemoryContext old = MemoryContextSwitchTo(probe->context);
	bool		found;

	CHECK_FOR_INTERRUPTS();
	found = next_row(probe, direction);
	MemoryContextSwitchTo(old);
	return found;
}

static void
seek(AtkProbe *probe, const AtkKeyIndex *key, Datum value)
{
	ScanKeyData scankey;

	ScanKeyEntryInitializeWithInfo(&scankey, 0, 1, key->strategy, InvalidOid,
								   key->collation,
								   unconstify(FmgrInfo *, &key->equal),
								   value);
	atk_probe_scan(probe, &scankey, 1);
}

static bool
find_by_index(AtkProbe *probe, const AtkKeyIndex *key, Datum value)
{
	seek(probe, key, value);
	while (atk_probe_next(probe, ForwardScanDirection))
	{
		if (matches(probe, key, value))
			return true;
	}
	return false;
}

/* Where it was found the time before, if that is still its place. */
ATK_HOT static bool
find_by_place(AtkProbe *probe, Datum value)
{
	const AtkDigest *digest = DatumGetAtkDigestP(value);
	bool		isnull;
	Datum		found;

	if (!atk_place_fetch(probe->heap, probe->snapshot, digest, probe->slot))
		return false;
	found = slot_getattr(probe->slot, Anum_token_digest, &isnull);
	return !isnull && atk_digest_equal(DatumGetAtkDigestP(found), digest);
}

ATK_HOT bool
atk_probe_find(AtkProbe *probe, Datum value)
{
	const AtkKeyIndex *key = atk_table_key(probe->key, probe->heap);
	bool		placed = probe->key == ATK_KEY_TOKEN_DIGEST;

	if (placed && find_by_place(probe, value))
		return true;
	if (!find_by_index(probe, key, value))
		return false;
	if (placed)
		atk_place_remember(probe->heap, DatumGetAtkDigestP(value),
						   &probe->place, probe->slot);
	return true;
}

/* As an index-only scan decides it; map is the page of the visibility map. */
static bool
is_visible(AtkProbe *probe, ItemPointer tid, Buffer *map)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);

	if (!VM_ALL_VISIBLE(probe->heap, block, map))
		return index_fetch_heap(probe->scan, probe->slot);
	/* Reading the row would have told a serializable transaction. */
	PredicateLockPage(probe->heap, block, probe->snapshot);
	return true;
}

int64
atk_probe_count(AtkProbe *probe, Datum value)
{
	const AtkKeyIndex *key = atk_table_key(probe->key, probe->heap);
	Buffer		map = InvalidBuffer;
	int64		count = 0;
	ItemPointer tid;

	Assert(key->strategy == BTEqualStrategyNumber);
	begin_scan(probe, 1);
	probe->scan->xs_want_itup = true;
	seek(probe, key, value);
	while ((tid = index_getnext_tid(probe->scan,
									ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_visible(probe, tid, &map))
			count++;
	}
	if (BufferIsValid(map))
		ReleaseBuffer(map);
	return count;
}

void
atk_probe_refresh(AtkProbe *probe)
{
	end_scan(probe);
	ExecClearTuple(probe->slot);
	drop_snapshot(probe);
	probe->snapshot = GetLatestSnapshot();
}

void
atk_probe_raise_too_old(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update")));
}

/* May this transaction change the row, as UPDATE would see it? */
static bool
may_change(AtkProbe *probe)
{
	return !IsolationUsesXactSnapshot() ||
		table_tuple_satisfies_snapshot(probe->heap, probe->slot,
									   GetTransactionSnapshot());
}

void
atk_probe_raise_if_outdated(AtkKey key, Datum value)
{
	AtkProbe	own;
	bool		found;

	if (!IsolationUsesXactSnapshot())
		return;
	atk_probe_begin_at(&own, key, AccessShareLock, GetTransactionSnapshot());
	found = atk_probe_find(&own, value);
	atk_probe_end(&own);
	if (found)
		atk_probe_raise_too_old();
}

AtkLock
atk_probe_lock_found(AtkProbe *probe, LockTupleMode mode, LockWaitPolicy wait)
{
	TM_FailureData failure;
	TM_Result	result;

	Assert(!probe->beside);

	if (!may_change(probe))
		return ATK_LOCK_TOO_OLD;
	result = table_tuple_lock(probe->heap, &probe->slot->tts_tid,
							  probe->snapshot, probe->slot,
							  GetCurrentCommandId(false),
							  mode, wait, 0, &failure);
	switch (result)
	{
		case TM_Ok:
			return ATK_LOCK_TAKEN;
		case TM_WouldBlock:
			return ATK_LOCK_BUSY;
		case TM_Updated:
		case TM_Deleted:
			return IsolationUsesXactSnapshot()
				? ATK_LOCK_TOO_OLD : ATK_LOCK_CHANGED;
		default:
			elog(ERROR, "unexpected result %d of locking a row of \"%s\"",
				 result, RelationGetRelationName(probe->heap));
	}
}

AtkLock
atk_probe_try_lock(AtkProbe *probe, Datum value, LockTupleMode mode)
{
	while (atk_probe_find(probe, value))
	{
		AtkLock		lock = atk_probe_lock_found(probe, mode, LockWaitBlock);

		if (lock != ATK_LOCK_CHANGED)
			return lock;
		atk_probe_refresh(probe);
	}
	return ATK_LOCK_GONE;
}

bool
atk_probe_lock(AtkProbe *probe, Datum value, LockTupleMode mode)
{
	AtkLock		lock = atk_probe_try_lock(probe, value, mode);

	if (lock == ATK_LOCK_TOO_OLD)
		atk_probe_raise_too_old();
	return lock == ATK_LOCK_TAKEN;
}

ATK_HOT void
atk_probe_end(AtkProbe *probe)
{
	end_scan(probe);
	drop_slot(probe);
	if (!probe->beside)
	{
		drop_snapshot(probe);
		table_close(probe->heap, NoLock);
	}
}
