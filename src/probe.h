/*
 * probe.h
 *		Looks rows up by a key, straight through index and heap.
 *
 *		AtkProbe	probe;
 *
 *		atk_probe_begin(&probe, ATK_KEY_TOKEN_ID, AccessShareLock);
 *		if (atk_probe_find(&probe, UUIDPGetDatum(id)))
 *			... probe.slot holds the row, until the next find or the end ...
 *		atk_probe_end(&probe);
 *
 * A probe reads with a snapshot taken when it began, whatever the isolation
 * level: what another session has committed before is seen, also inside an
 * older REPEATABLE READ transaction, and so is what this one has done in
 * earlier commands.  Not for parallel workers or leaders in parallel mode,
 * where no new snapshot can be had.
 *
 * The table stays locked till the end of the transaction.  On error,
 * everything held is released by the resource owner.
 */
#ifndef ATK_PROBE_H
#define ATK_PROBE_H

#include "access/genam.h"
#include "access/sdir.h"
#include "executor/tuptable.h"
#include "nodes/lockoptions.h"
#include "utils/snapshot.h"

#include "table.h"

/* Where a row is put: in the probe itself, unless the table has more columns. */
#define ATK_PROBE_COLUMNS 48

typedef struct AtkProbeRoom
{
	BufferHeapTupleTableSlot slot;
	Datum		values[ATK_PROBE_COLUMNS];
	bool		nulls[ATK_PROBE_COLUMNS];
} AtkProbeRoom;

/* Must stay where it is from its beginning to its end. */
typedef struct AtkProbe
{
	AtkKey		key;
	Relation	heap;
	Relation	index;			/* NULL until it is needed, and so is the scan */
	Snapshot	snapshot;
	bool		registered;		/* the snapshot, by this probe */
	IndexScanDesc scan;
	ItemPointerData place;		/* that the index told of the row in the slot */
	MemoryContext context;		/* in which the scan was begun */
	TupleTableSlot *slot;
	bool		beside;			/* heap and snapshot belong to another */
	AtkProbeRoom room;
} AtkProbe;

extern void atk_probe_begin(AtkProbe *probe, AtkKey key, LOCKMODE lockmode);

/* The same with a snapshot that the caller has; NULL: a fresh one. */
extern void atk_probe_begin_at(AtkProbe *probe, AtkKey key, LOCKMODE lockmode,
							   Snapshot snapshot);

/* Another key of the same table, with the same snapshot; ends first. */
extern void atk_probe_begin_beside(AtkProbe *probe, AtkKey key,
								   const AtkProbe *other);

/*
 * Finds the row that has this key.  Digests are compared in constant time.
 * Can be called again, with another value.
 */
extern bool atk_probe_find(AtkProbe *probe, Datum value);

/*
 * The same, and locks the row against change till the end of the
 * transaction, waiting for whoever holds it; the slot then has its newest
 * version.  False if there is none any more.  Raises 40001 where the
 * transaction's own snapshot is too old to change what was found.
 */
extern bool atk_probe_lock(AtkProbe *probe, Datum value,
						   LockTupleMode mode);

/* What came of trying to lock a row. */
typedef enum AtkLock
{
	ATK_LOCK_TAKEN,
	ATK_LOCK_GONE,				/* there is no such row, or none any more */
	ATK_LOCK_TOO_OLD,			/* the transaction's snapshot, to change it */
	ATK_LOCK_CHANGED,			/* since it was found; look again */
	ATK_LOCK_BUSY				/* somebody else has it */
} AtkLock;

/* As atk_probe_lock(): TAKEN, GONE or TOO_OLD. */
extern AtkLock atk_probe_try_lock(AtkProbe *probe, Datum value,
								  LockTupleMode mode);

/*
 * Locks the row that was just found, with LockWaitBlock or, for those that
 * do not want to wait, LockWaitSkip.  GONE never; CHANGED and BUSY leave it
 * unlocked.
 */
extern AtkLock atk_probe_lock_found(AtkProbe *probe, LockTupleMode mode,
									LockWaitPolicy wait);

pg_noreturn extern void atk_probe_raise_too_old(void);

/*
 * For what was not found: raises 40001 where the transaction's own snapshot
 * still sees it, which is older than its removal.
 */
extern void atk_probe_raise_if_outdated(AtkKey key, Datum value);

/* Starts over with a snapshot that sees what has happened meanwhile. */
extern void atk_probe_refresh(AtkProbe *probe);

/*
 * Any scan of the index, one row after the other, in either direction; keys
 * are numbered by the columns of AtkKey.
 */
extern void atk_probe_scan(AtkProbe *probe, ScanKey keys, int n);
extern bool atk_probe_next(AtkProbe *probe, ScanDirection direction);

/*
 * The number of rows that have this key, which is not a digest.  Reads the
 * index alone where PostgreSQL knows that all rows of a page are visible.
 */
extern int64 atk_probe_count(AtkProbe *probe, Datum value);

extern void atk_probe_end(AtkProbe *probe);

#endif							/* ATK_PROBE_H */
