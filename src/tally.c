/*
 * tally.c
 *		Uses of tokens, counted in shared memory; see tally.h.
 *
 * An array of slots (slot.h) in a segment that needs no preloading
 * (segment.h).  What is pending when the last process leaves is saved to a
 * file (spill.h): the server may be about to stop, when no worker can write to
 * more than one database any more.  While anybody is attached there is no
 * file, and after a crash none that is old.
 *
 * The array is a hash table with open addressing and a bounded search.  Two
 * backends may enter one key twice: what is read or flushed is a sum of counts
 * and a maximum of times, so that does no harm, and nobody needs a lock on
 * more than one slot.
 *
 * Slots that are in use are counted, uses and marks each for themselves, so
 * that neither takes the other's room.  A count can exceed the capacity for a
 * moment, by no more than the number of backends.
 */
#include "postgres.h"
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/procarray.h"

#include "duty.h"
#include "ending.h"
#include "guc.h"
#include "segment.h"
#include "slot.h"
#include "spill.h"
#include "tally.h"

#define SPARE			2		/* slots for each that may be in use */
#define REACH_MAX		64

typedef struct Array
{
	uint32		nslots;
	uint32		capacity;
	uint32		reach;			/* slots looked at for one key, each once */
	pg_atomic_uint32 used[2];	/* by uses, by marks */
	pg_atomic_uint64 dropped;
	AtkDuty		duty;

	/* Each in a line of the cache of its own; behind them, their writers. */
	AtkSlot		slots[FLEXIBLE_ARRAY_MEMBER] pg_attribute_aligned(64);
} Array;

static Array *array;

/* --- places --- */

/* As a fraction of the array. */
static inline uint32
relative_place(const AtkSlotKey *key)
{
	return (uint32) (atk_slot_hash(key) >> (64 - ATK_TALLY_PLACE_BITS));
}

static inline uint32
absolute_place(uint32 place)
{
	return (uint32) ((uint64) place * array->nslots >> ATK_TALLY_PLACE_BITS);
}

/* Where the search for a key begins. */
static inline uint32
first_place(const AtkSlotKey *key)
{
	return absolute_place(relative_place(key));
}

static inline uint32
next_place(uint32 place)
{
	return place + 1 == array->nslots ? 0 : place + 1;
}

static inline AtkSlotWriter *
writer_of(uint32 place)
{
	return (AtkSlotWriter *) &array->slots[array->nslots] + place;
}

static inline pg_atomic_uint32 *
count_of(AtkSlotKind kind)
{
	return &array->used[kind == ATK_SLOT_USE ? 0 : 1];
}

static inline uint32
count_all(void)
{
	return pg_atomic_read_u32(&array->used[0]) +
		pg_atomic_read_u32(&array->used[1]);
}

/* Room for one more? */
static inline bool
reserve(AtkSlotKind kind)
{
	pg_atomic_uint32 *used = count_of(kind);

	if (pg_atomic_fetch_add_u32(used, 1) < array->capacity)
		return true;
	pg_atomic_fetch_sub_u32(used, 1);
	return false;
}

static inline void
give_back(AtkSlotKind kind)
{
	pg_atomic_fetch_sub_u32(count_of(kind), 1);
}

static inline void
drop(uint64 uses)
{
	if (unlikely(uses > 0))
		pg_atomic_fetch_add_u64(&array->dropped, uses);
}

/* --- settling what transactions wrote --- */

/* Is the transaction still under way?  Ours is not, at its very end. */
static bool
is_open(TransactionId xid, bool at_end)
{
	if (TransactionIdIsCurrentTransactionId(xid))
		return !at_end;
	return TransactionIdIsInProgress(xid);
}

/* In one database, or, InvalidOid, in all. */
static void
settle(Oid database, bool at_end)
{
	for (uint32 i = 0; i < array->nslots; i++)
	{
		AtkSlot    *slot = &array->slots[i];
		AtkSlotWriter *writer = writer_of(i);
		TransactionId xid = *writer;
		AtkSlotKind kind;

		if (!at_end)
			CHECK_FOR_INTERRUPTS();
		if (TransactionIdIsValid(xid) &&
			(slot->database == database || !OidIsValid(database)) &&
			!is_open(xid, at_end) &&
			atk_slot_settle(slot, writer, xid, TransactionIdDidCommit(xid),
							&kind))
			give_back(kind);
	}
}

/* --- the array, made, saved and taken back --- */

static uint32
wanted_slots(void)
{
	return (uint32) atk_guc_usage_max_entries * SPARE;
}

static Size
array_size(void)
{
	return offsetof(Array, slots) +
		wanted_slots() * (sizeof(AtkSlot) + sizeof(AtkSlotWriter));
}

static void
create_array(void *memory)
{
	Array	   *created = memory;

	created->nslots = wanted_slots();
	created->capacity = atk_guc_usage_max_entries;
	created->reach = Min(created->nslots, REACH_MAX);
	pg_atomic_init_u32(&created->used[0], 0);
	pg_atomic_init_u32(&created->used[1], 0);
	pg_atomic_init_u64(&created->dropped, 0);
	atk_duty_create(&created->duty);
	for (uint32 i = 0; i < created->nslots; i++)
		SpinLockInit(&created->slots[i].mutex);
}

static const void *
next_used_slot(uint32 *place)
{
	static AtkSavedSlot saved;

	for (; *place < array->nslots; (*place)++)
	{
		const AtkSlot *slot = &array->slots[*place];

		if (atk_slot_is_free(slot))
			continue;
		atk_slot_save(slot, *writer_of((*place)++), &saved);
		return &saved;
	}
	return NULL;
}

static void
save_array(void)
{
	if (count_all() == 0)
		return;
	settle(InvalidOid, true);
	atk_spill_write(next_used_slot, sizeof(AtkSavedSlot));
}

/* A transaction that it is marked with is prepared, and still there. */
static void
restore_slot(const void *record)
{
	const AtkSavedSlot *saved = record;
	AtkSlotKey	key = atk_slot_key(&saved->slot);
	uint32		place = first_place(&key);

	for (uint32 i = 0; i < array->reach; i++, place = next_place(place))
	{
		AtkSlot    *slot = &array->slots[place];

		if (!atk_slot_is_free(slot))
			continue;
		if (!reserve(atk_slot_kind(&saved->slot)))
			break;
		atk_slot_restore(slot, writer_of(place), saved);
		return;
	}
	if (atk_slot_kind(&saved->slot) == ATK_SLOT_USE)
		drop((uint64) saved->slot.uses + saved->slot.earlier);
}

static void
restore_array(void *memory)
{
	array = memory;
	atk_spill_read(restore_slot, sizeof(AtkSavedSlot));
}

static AtkSegment segment = {
	.name = "apitoken uses 2",
	.failure = "uses of tokens are not counted in this session",
	.size = array_size,
	.create = create_array,
	.restore = restore_array,
	.forget = atk_spill_remove,
	.save = save_array,
};

/* --- attaching --- */

static void
attach(void)
{
	array = atk_segment_attach(&segment) ? segment.memory : NULL;
	if (array != NULL)
		atk_duty_attach(&array->duty);
}

static inline bool
attached(void)
{
	if (unlikely(array == NULL))
		attach();
	return array != NULL;
}

bool
atk_tally_attach(void)
{
	return attached();
}

/* --- noting and finding --- */

ATK_HOT static bool
note(const AtkSlotKey *key, TimestampTz now, const inet *address,
	 uint64 *dropped)
{
	AtkSlotKind kind = atk_slot_kind_of(key->outcome);
	uint32		place = first_place(key);
	bool		full = false;

	for (uint32 i = 0; i < array->reach; i++, place = next_place(place))
	{
		AtkSlot    *slot = &array->slots[place];

		if (atk_slot_has_key(slot, key) &&
			atk_slot_count(slot, key, now, address, dropped))
			return true;
		/* Where there is no room the key may still have a slot, further on. */
		if (!atk_slot_is_free(slot) || full)
			continue;
		full = !reserve(kind);
		if (full)
			continue;
		if (atk_slot_enter(slot, key, now, address))
			return true;
		give_back(kind);
	}
	return false;
}

uint32
atk_tally_place(const pg_uuid_t *token_id, int outcome)
{
	AtkSlotKey	key = {MyDatabaseId, outcome, *token_id};

	return relative_place(&key);
}

ATK_HOT void
atk_tally_expect(uint32 place)
{
	if (array != NULL && atk_guc_track_usage)
		__builtin_prefetch(&array->slots[absolute_place(place)], 1);
}

ATK_HOT void
atk_tally_note(const pg_uuid_t *token_id, int outcome,
			   TimestampTz now, const inet *address)
{
	AtkSlotKey	key = {MyDatabaseId, outcome, *token_id};
	uint64		dropped = 0;

	if (!attached())
		return;
	if (!note(&key, now, address, &dropped))
		dropped++;
	drop(dropped);
}

void
atk_tally_mark(const pg_uuid_t *token_id, int mark,
			   TimestampTz now, const inet *address)
{
	/* cppcheck-suppress ctunullpointer; a mark is for a token that is known */
	AtkSlotKey	key = {MyDatabaseId, mark, *token_id};
	uint64		ignored = 0;

	if (attached())
		(void) note(&key, now, address, &ignored);
}

static void
merge(AtkTally *into, const AtkTally *other)
{
	/* cppcheck-suppress ctuuninitvar; the first that is found is copied */
	int64		uses = into->uses + other->uses;
	int64		earlier = into->earlier + other->earlier;

	if (other->last_at > into->last_at)
		*into = *other;
	into->uses = uses;
	into->earlier = earlier;
}

bool
atk_tally_find(const pg_uuid_t *token_id, int outcome, AtkTally *tally)
{
	AtkSlotKey	key = {MyDatabaseId, outcome, *token_id};
	bool		found = false;
	uint32		place;

	if (!attached() || count_all() == 0)
		return false;

	place = first_place(&key);
	for (uint32 i = 0; i < array->reach; i++, place = next_place(place))
	{
		AtkSlot    *slot = &array->slots[place];
		AtkTally	part;

		if (!atk_slot_has_key(slot, &key) ||
			!atk_slot_read(slot, writer_of(place), &key, &part))
			continue;
		if (found)
			merge(tally, &part);
		else
			*tally = part;
		found = true;
	}
	return found;
}

/* In the places where the valid uses of a token are found. */
static bool
rename_slots(const pg_uuid_t *token_id, int from, int to, TransactionId xid)
{
	AtkSlotKey	found = {MyDatabaseId, ATK_VALID, *token_id};
	AtkSlotKey	key = {MyDatabaseId, from, *token_id};
	bool		any = false;
	uint32		place;

	if (!attached() || count_all() == 0)
		return false;
	place = first_place(&found);
	for (uint32 i = 0; i < array->reach; i++, place = next_place(place))
	{
		if (atk_slot_has_key(&array->slots[place], &key))
			any |= atk_slot_rename(&array->slots[place], writer_of(place),
								   &key, to, xid);
	}
	return any;
}

bool
atk_tally_retire(const pg_uuid_t *token_id, TransactionId xid)
{
	return rename_slots(token_id, ATK_VALID, ATK_FORMER, xid);
}

void
atk_tally_revive(const pg_uuid_t *token_id)
{
	(void) rename_slots(token_id, ATK_FORMER, ATK_VALID,
						InvalidTransactionId);
}

/* --- the flush --- */

void
atk_tally_settle(Oid database)
{
	if (attached())
		settle(database, false);
}

/*
 * Settles what this backend has marked as soon as its transaction ends.  One
 * that is prepared is settled by the next flush after it is finished.
 */
static void
settle_marked(XactEvent event)
{
	if (event != XACT_EVENT_PREPARE)
		settle(MyDatabaseId, true);
}

int
atk_tally_collect(AtkSlotKind kind, Oid database, TransactionId xid,
				  int *position, AtkTally *tallies, int most)
{
	int			n = 0;

	if (!attached())
		return 0;
	atk_at_end(settle_marked);
	for (; *position < (int) array->nslots && n < most; (*position)++)
	{
		AtkSlot    *slot = &array->slots[*position];

		CHECK_FOR_INTERRUPTS();
		if (atk_slot_is_free(slot) || slot->database != database ||
			!atk_slot_collect(slot, writer_of(*position), kind, database, xid,
							  &tallies[n]))
			continue;
		n++;
	}
	return n;
}

Oid
atk_tally_pending_database(Oid behind)
{
	Oid			first = InvalidOid;

	if (!attached() || count_all() == 0)
		return InvalidOid;
	for (uint32 i = 0; i < array->nslots; i++)
	{
		Oid			database = array->slots[i].database;

		if (!atk_slot_is_free(&array->slots[i]) && database > behind &&
			(!OidIsValid(first) || database < first))
			first = database;
	}
	return first;
}

void
atk_tally_discard(Oid database)
{
	uint64		dropped = 0;
	AtkSlotKind kind;

	if (!attached())
		return;
	for (uint32 i = 0; i < array->nslots; i++)
	{
		if (atk_slot_discard(&array->slots[i], writer_of(i), database, &dropped,
							 &kind))
			give_back(kind);
	}
	drop(dropped);
}

/* --- what stats() shows --- */

void
atk_tally_stats(AtkTallyStats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->attached = attached();
	if (!stats->attached)
		return;
	stats->capacity = array->capacity;
	stats->used = count_all();
	stats->uses = pg_atomic_read_u32(count_of(ATK_SLOT_USE));
	stats->dropped = (int64) pg_atomic_read_u64(&array->dropped);
}
