/*
 * place.c
 *		Where tokens were found; see place.h.
 *
 * A table of sets, each as large as a line of the processor's cache: digests
 * are uniform, so their own bits choose the set and tell its places apart.  A
 * place that is remembered wrongly costs a look at a row, and no more.
 *
 * Besides the row's place there is the buffer that had its page.  Where the
 * page is still in it, PostgreSQL's table of buffers need not be asked, and
 * where it is not, the index is: it leads to the page wherever it is now, and
 * a block that no longer exists is never asked for.
 *
 * Of tables that are heaps, with rows in buffers.  Not through the interface
 * of table access methods: that fetches rows by places that an index gave it,
 * and may rely on their being there.
 */
#include "postgres.h"
#include "compat.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "place.h"

#define NSETS		4096
#define NWAYS		4
#define LINE		64			/* bytes that a processor fetches at once */

typedef struct Place
{
	uint32		tag;			/* bits of the digest */
	Buffer		buffer;			/* InvalidBuffer: nothing is remembered */
	BlockNumber block;
	OffsetNumber line;			/* of the item the index points to */
} Place;

typedef struct Set
{
	Place		ways[NWAYS];
} Set;

StaticAssertDecl(sizeof(Set) == LINE, "a set of places is a cache line");

/* Takes no memory but for the pages of it that have been written to. */
static Set	sets[NSETS] pg_attribute_aligned(LINE);

static inline uint32
bits(const AtkDigest *digest, int word)
{
	uint32		value;

	memcpy(&value, digest->bytes + word * sizeof(value), sizeof(value));
	return value;
}

static inline Set *
set_of(const AtkDigest *digest)
{
	return &sets[bits(digest, 0) % NSETS];
}

static Place *
find(const AtkDigest *digest)
{
	Set		   *set = set_of(digest);
	uint32		tag = bits(digest, 1);

	for (int i = 0; i < NWAYS; i++)
	{
		Place	   *place = &set->ways[i];

		if (place->tag == tag && BufferIsValid(place->buffer))
			return place;
	}
	return NULL;
}

/* Reads the row as an index scan of the heap would, if it is there. */
static bool
fetch(Relation heap, Snapshot snapshot, const Place *place,
	  TupleTableSlot *slot)
{
	HeapTuple	tuple = &((BufferHeapTupleTableSlot *) slot)->base.tupdata;
	ItemPointerData tid;
	bool		found;

	if (!atk_read_recent_buffer(heap, place->block, place->buffer))
		return false;

	ItemPointerSet(&tid, place->block, place->line);
	LockBuffer(place->buffer, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(&tid, heap, place->buffer, snapshot, tuple,
								   NULL, true);
	LockBuffer(place->buffer, BUFFER_LOCK_UNLOCK);
	if (found)
		ExecStorePinnedBufferHeapTuple(tuple, slot, place->buffer);
	else
		ReleaseBuffer(place->buffer);
	return found;
}

bool
atk_place_fetch(Relation heap, Snapshot snapshot, const AtkDigest *digest,
				TupleTableSlot *slot)
{
	Place	   *place = find(digest);

	if (place == NULL)
		return false;
	if (fetch(heap, snapshot, place, slot))
		return true;
	place->buffer = InvalidBuffer;
	return false;
}

/* A way for the digest: its own, a free one, or the one that is its turn. */
static Place *
choose(const AtkDigest *digest)
{
	Set		   *set = set_of(digest);
	Place	   *place = find(digest);

	if (place != NULL)
		return place;
	for (int i = 0; i < NWAYS; i++)
	{
		if (!BufferIsValid(set->ways[i].buffer))
			return &set->ways[i];
	}
	return &set->ways[bits(digest, 2) % NWAYS];
}

void
atk_place_remember(Relation heap, const AtkDigest *digest, ItemPointer tid,
				   TupleTableSlot *slot)
{
	Buffer		buffer;

	if (heap->rd_tableam != GetHeapamTableAmRoutine() ||
		!TTS_IS_BUFFERTUPLE(slot))
		return;
	buffer = ((BufferHeapTupleTableSlot *) slot)->buffer;
	if (!BufferIsValid(buffer) || BufferIsLocal(buffer))
		return;
	*choose(digest) = (Place) {
		.tag = bits(digest, 1),
		.buffer = buffer,
		.block = ItemPointerGetBlockNumber(tid),
		.line = ItemPointerGetOffsetNumber(tid),
	};
}
