/*
 * place.c
 *		Where tokens were found; see place.h.
 *
 * A table of sets in shared memory, each as large as a line of the processor's
 * cache: digests are uniform, so their own bits choose the set and tell its
 * places apart.  What one backend has found helps all, also those that have
 * just been connected.
 *
 * There is no lock.  A place is two words, each read and written at once; where
 * two writers meet, or one and a reader, the halves of two places may come
 * together.  That is one more way to remember a place wrongly, and it costs
 * what all of them cost: a look at a row, and no more.
 *
 * With it goes where uses of the token are counted (slot_array.h): before its
 * row has come nobody knows whose they are, and then it is late to begin to
 * fetch that, too.
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
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "columns.h"
#include "place.h"
#include "segment.h"
#include "slot_array.h"

#define NSETS		16384
#define NWAYS		4
#define LINE		64			/* bytes that a processor fetches at once */

typedef struct Place
{
	uint32		tag;			/* bits of the digest */
	uint32		uses;			/* where they are counted; slot_array.h */
	Buffer		buffer;			/* InvalidBuffer: nothing is remembered */
	BlockNumber block;
	OffsetNumber line;			/* of the item the index points to */
	uint16		offset;			/* of the row in the page */
} Place;

/*
 * The same as it is shared.  In its first word, from the lowest bit on, line,
 * offset, uses and tag, in the second buffer and block; a row begins where its
 * alignment lets it.
 */
typedef struct Way
{
	pg_atomic_uint64 found;
	pg_atomic_uint64 where;
} Way;

#define LINE_BITS	12
#define OFFSET_BITS	12
#define TAG_BITS	(64 - LINE_BITS - OFFSET_BITS - ATK_SLOTS_BITS)

StaticAssertDecl(MaxHeapTuplesPerPage < 1 << LINE_BITS &&
				 BLCKSZ / MAXIMUM_ALIGNOF <= 1 << OFFSET_BITS,
				 "a row's place in its page has room");

typedef struct Set
{
	Way			ways[NWAYS];
} Set;

StaticAssertDecl(sizeof(Set) == LINE, "a set of places is a cache line");

/* --- the memory --- */

static Size
memory_size(void)
{
	return NSETS * sizeof(Set);
}

static void
create(void *memory)
{
	Set		   *sets = memory;

	for (int i = 0; i < NSETS * NWAYS; i++)
	{
		Way		   *way = &sets[i / NWAYS].ways[i % NWAYS];

		pg_atomic_init_u64(&way->found, 0);
		pg_atomic_init_u64(&way->where, 0);
	}
}

static AtkSegment segment = {
	.name = "apitoken places 2",
	.failure = "places of tokens are not remembered in this session",
	.size = memory_size,
	.create = create,
};

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
	return (Set *) segment.memory + bits(digest, 0) % NSETS;
}

static inline uint32
tag_of(const AtkDigest *digest)
{
	return bits(digest, 1) & ((1 << TAG_BITS) - 1);
}

/* Takes a word apart, from its lowest bit on. */
static inline uint32
take(uint64 *word, int nbits)
{
	uint32		value = *word & ((UINT64CONST(1) << nbits) - 1);

	*word >>= nbits;
	return value;
}

static inline Place
unpack(uint64 found, uint64 where)
{
	Place		place;

	place.line = take(&found, LINE_BITS);
	place.offset = take(&found, OFFSET_BITS) * MAXIMUM_ALIGNOF;
	place.uses = take(&found, ATK_SLOTS_BITS);
	place.tag = take(&found, TAG_BITS);
	place.buffer = (Buffer) take(&where, 32);
	place.block = take(&where, 32);
	return place;
}

/* The way that has this digest's tag, or NULL; *place is what it says. */
ATK_HOT static Way *
find(const AtkDigest *digest, Place *place)
{
	Set		   *set = set_of(digest);
	uint64		tag = tag_of(digest);

	for (int i = 0; i < NWAYS; i++)
	{
		Way		   *way = &set->ways[i];
		uint64		found = pg_atomic_read_u64(&way->found);

		if (found >> (64 - TAG_BITS) != tag)
			continue;
		*place = unpack(found, pg_atomic_read_u64(&way->where));
		if (BufferIsValid(place->buffer))
			return way;
	}
	return NULL;
}

static void
put(Way *way, const Place *place)
{
	uint64		found = place->tag;

	found = found << ATK_SLOTS_BITS | place->uses;
	found = found << OFFSET_BITS | place->offset / MAXIMUM_ALIGNOF;
	found = found << LINE_BITS | place->line;
	pg_atomic_write_u64(&way->found, found);
	pg_atomic_write_u64(&way->where, (uint64) place->block << 32 |
						(uint32) place->buffer);
}

/* --- looking --- */

/*
 * The lines of the processor's cache that are going to be read, all at once:
 * among many tokens, waiting for memory takes longer than anything else.
 */
static inline void
prefetch(const Place *place)
{
	const char *page = BufferGetPage(place->buffer);
	const char *row = page + place->offset;

	__builtin_prefetch(page);
	__builtin_prefetch(page + SizeOfPageHeaderData +
					   place->line * sizeof(ItemIdData));
	__builtin_prefetch(row);
	__builtin_prefetch(row + LINE);
	__builtin_prefetch(row + 2 * LINE);
	atk_slots_expect(place->uses);
}

/* Reads the row as an index scan of the heap would, if it is there. */
ATK_HOT static bool
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

ATK_HOT bool
atk_place_fetch(Relation heap, Snapshot snapshot, const AtkDigest *digest,
				TupleTableSlot *slot)
{
	Place		place;
	Way		   *way;

	if (!atk_segment_attach(&segment))
		return false;
	way = find(digest, &place);
	if (way == NULL)
		return false;
	prefetch(&place);
	if (fetch(heap, snapshot, &place, slot))
		return true;
	pg_atomic_write_u64(&way->where, 0);
	return false;
}

/* A way for the digest: its own, a free one, or the one that is its turn. */
static Way *
choose(const AtkDigest *digest)
{
	Set		   *set = set_of(digest);
	Place		ignored;
	Way		   *way = find(digest, &ignored);

	if (way != NULL)
		return way;
	for (int i = 0; i < NWAYS; i++)
	{
		uint64		where = pg_atomic_read_u64(&set->ways[i].where);

		if (!BufferIsValid((Buffer) take(&where, 32)))
			return &set->ways[i];
	}
	return &set->ways[bits(digest, 2) % NWAYS];
}

/* Of those that are allowed, as nearly all are. */
static uint32
uses_of(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		id = slot_getattr(slot, Anum_token_id, &isnull);
	AtkSlotKey	key = {MyDatabaseId, ATK_VALID, *DatumGetUUIDP(id)};

	return atk_slots_bits(&key);
}

void
atk_place_remember(Relation heap, const AtkDigest *digest, ItemPointer tid,
				   TupleTableSlot *slot)
{
	HeapTuple	tuple = ((HeapTupleTableSlot *) slot)->tuple;
	Buffer		buffer;
	Place		place;

	if (segment.memory == NULL || !TTS_IS_BUFFERTUPLE(slot) ||
		heap->rd_tableam != GetHeapamTableAmRoutine())
		return;
	buffer = ((BufferHeapTupleTableSlot *) slot)->buffer;
	if (!BufferIsValid(buffer) || BufferIsLocal(buffer))
		return;
	place.tag = tag_of(digest);
	place.uses = uses_of(slot);
	place.buffer = buffer;
	place.block = ItemPointerGetBlockNumber(tid);
	place.line = ItemPointerGetOffsetNumber(tid);
	place.offset = (const char *) tuple->t_data -
		(const char *) BufferGetPage(buffer);
	put(choose(digest), &place);
}
