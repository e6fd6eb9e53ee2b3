/*
 * slot_array.h
 *		All slots, in shared memory.
 *
 * An array in a segment that needs no preloading (segment.h).  What is pending
 * when the last process leaves is saved to a file (spill.h): the server may be
 * about to stop, when no worker can write to more than one database any more.
 * While anybody is attached there is no file, and after a crash none that is
 * old.
 *
 * It is a hash table with open addressing and a bounded search:
 *
 *		for (AtkSearch at = atk_slots_search(&key); at.left > 0;
 *			 atk_slots_step(&at))
 *			... atk_slots->slots[at.place] may be the key's ...
 *
 * Two backends may enter one key twice: what is read or flushed is a sum of
 * counts and a maximum of times, so that does no harm, and nobody needs a lock
 * on more than one slot.
 *
 * Slots that are in use are counted, uses and marks each for themselves, so
 * that neither takes the other's room.  A count can exceed the capacity for a
 * moment, by no more than the number of backends.
 */
#ifndef ATK_SLOT_ARRAY_H
#define ATK_SLOT_ARRAY_H

#include "port/atomics.h"

#include "duty.h"
#include "guc.h"
#include "slot.h"

typedef struct AtkSlotArray
{
	uint32		nslots;
	uint32		capacity;		/* of each: uses and marks */
	uint32		reach;			/* slots looked at for one key, each once */
	pg_atomic_uint32 used[2];	/* by uses, by marks */
	pg_atomic_uint64 dropped;	/* uses that found no slot */
	AtkDuty		duty;

	/* Each in a line of the cache of its own; behind them, their writers. */
	AtkSlot		slots[FLEXIBLE_ARRAY_MEMBER] pg_attribute_aligned(64);
} AtkSlotArray;

/* For a key, at one of the places where it may be. */
typedef struct AtkSearch
{
	uint32		place;			/* in the array */
	uint32		left;			/* places to look at, this one included */
} AtkSearch;

/* NULL: not attached, or there is none. */
extern AtkSlotArray *atk_slots;

/* Attaches to the memory, unless this has been done; false: there is none. */
extern bool atk_slots_attach(void);

/*
 * Clears what transactions wrote that have been committed since, and forgets
 * about those that were rolled back; in one database, or, InvalidOid, in all.
 * Our own is under way, unless this is its very end.
 */
extern void atk_slots_settle(Oid database, bool at_end);

static inline bool
atk_slots_attached(void)
{
	return likely(atk_slots != NULL) || atk_slots_attach();
}

/* --- places --- */

/*
 * Where the search for a key begins is known from so many bits, which do not
 * depend on the size of the array.
 */
#define ATK_SLOTS_BITS	24

static inline uint32
atk_slots_bits(const AtkSlotKey *key)
{
	return (uint32) (atk_slot_hash(key) >> (64 - ATK_SLOTS_BITS));
}

static inline uint32
atk_slots_place(uint32 bits)
{
	return (uint32) ((uint64) bits * atk_slots->nslots >> ATK_SLOTS_BITS);
}

/* Has the processor fetch where a use will be counted, if it is. */
static inline void
atk_slots_expect(uint32 bits)
{
	if (likely(atk_slots != NULL) && atk_guc_track_usage)
		__builtin_prefetch(&atk_slots->slots[atk_slots_place(bits)], 1);
}

static inline AtkSearch
atk_slots_search(const AtkSlotKey *key)
{
	return (AtkSearch) {atk_slots_place(atk_slots_bits(key)),
		atk_slots->reach};
}

static inline void
atk_slots_step(AtkSearch *search)
{
	search->left--;
	search->place++;
	if (search->place == atk_slots->nslots)
		search->place = 0;
}

static inline AtkSlotWriter *
atk_slots_writer(uint32 place)
{
	return (AtkSlotWriter *) &atk_slots->slots[atk_slots->nslots] + place;
}

/* --- counts --- */

static inline pg_atomic_uint32 *
atk_slots_count(AtkSlotKind kind)
{
	return &atk_slots->used[kind == ATK_SLOT_USE ? 0 : 1];
}

static inline uint32
atk_slots_count_all(void)
{
	return pg_atomic_read_u32(&atk_slots->used[0]) +
		pg_atomic_read_u32(&atk_slots->used[1]);
}

/* Room for one more? */
static inline bool
atk_slots_reserve(AtkSlotKind kind)
{
	pg_atomic_uint32 *used = atk_slots_count(kind);

	if (pg_atomic_fetch_add_u32(used, 1) < atk_slots->capacity)
		return true;
	pg_atomic_fetch_sub_u32(used, 1);
	return false;
}

static inline void
atk_slots_give_back(AtkSlotKind kind)
{
	pg_atomic_fetch_sub_u32(atk_slots_count(kind), 1);
}

static inline void
atk_slots_drop(uint64 uses)
{
	if (unlikely(uses > 0))
		pg_atomic_fetch_add_u64(&atk_slots->dropped, uses);
}

#endif							/* ATK_SLOT_ARRAY_H */
