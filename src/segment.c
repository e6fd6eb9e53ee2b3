/*
 * segment.c
 *		A dynamic shared memory segment without preloading; see segment.h.
 *
 * AddinShmemInitLock guards the anchor.  It is held while the segment is made
 * or attached to, and while what it has is saved or taken back.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "segment.h"

typedef struct AtkAnchor
{
	dsm_handle	handle;			/* set once */
	uint32		attached;		/* processes */
} AtkAnchor;

StaticAssertDecl(sizeof(AtkAnchor) <= 256, "the anchor fits into spare room");

/* --- attaching --- */

static AtkAnchor *
find_anchor(const char *name)
{
	bool		found;
	AtkAnchor  *anchor = ShmemInitStruct(name, sizeof(AtkAnchor), &found);

	if (!found)
	{
		memset(anchor, 0, sizeof(AtkAnchor));
		anchor->handle = DSM_HANDLE_INVALID;
	}
	return anchor;
}

static void *
create(AtkSegment *segment)
{
	Size		size = segment->size();
	dsm_segment *dsm = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	void	   *memory;

	if (dsm == NULL)
		return NULL;
	memory = dsm_segment_address(dsm);
	memset(memory, 0, size);
	segment->create(memory);
	dsm_pin_segment(dsm);
	dsm_pin_mapping(dsm);
	segment->anchor->handle = dsm_segment_handle(dsm);
	return memory;
}

static void *
find(AtkSegment *segment)
{
	dsm_segment *dsm = dsm_attach(segment->anchor->handle);

	if (dsm == NULL)
		return NULL;
	dsm_pin_mapping(dsm);
	return dsm_segment_address(dsm);
}

static void
attach_locked(AtkSegment *segment)
{
	void	   *memory;

	segment->anchor = find_anchor(segment->name);
	if (segment->anchor->handle == DSM_HANDLE_INVALID)
	{
		memory = create(segment);
		if (memory != NULL && segment->restore != NULL)
			segment->restore(memory);
	}
	else
	{
		memory = find(segment);
		if (memory != NULL && segment->anchor->attached == 0 &&
			segment->forget != NULL)
			segment->forget();
	}
	if (memory != NULL)
		segment->anchor->attached++;
	segment->memory = memory;
}

/* Says in the log what is not done, instead of failing the caller. */
static void
report_failure(const AtkSegment *segment, MemoryContext context)
{
	ErrorData  *error;

	if (LWLockHeldByMe(AddinShmemInitLock))
	{
		/* errfinish() has reset the count that LWLockRelease() decrements */
		HOLD_INTERRUPTS();
		LWLockRelease(AddinShmemInitLock);
	}
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("%s: %s", segment->failure, error->message)));
	FreeErrorData(error);
}

/*
 * Out of memory or of segments must not fail the caller's verification.  What
 * may be half done is in no state of ours, and dynamic segments belong to the
 * resource owner until they are pinned.
 */
static void
attach(AtkSegment *segment)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
		attach_locked(segment);
		LWLockRelease(AddinShmemInitLock);
	}
	PG_CATCH();
	{
		report_failure(segment, context);
	}
	PG_END_TRY();
}

/* --- leaving --- */

/*
 * This comes before a transaction under way is rolled back, which therefore
 * has written nothing.
 */
static void
leave(int code, Datum arg)
{
	AtkSegment *segment = (AtkSegment *) DatumGetPointer(arg);

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	if (--segment->anchor->attached == 0 && segment->save != NULL)
		segment->save();
	LWLockRelease(AddinShmemInitLock);
}

bool
atk_segment_try(AtkSegment *segment)
{
	if (segment->failed)
		return false;
	attach(segment);
	segment->failed = segment->memory == NULL;
	if (segment->failed)
		return false;
	before_shmem_exit(leave, PointerGetDatum(segment));
	return true;
}
