/*
 * slot_array.c
 *		All slots, in shared memory; see slot_array.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/procarray.h"

#include "guc.h"
#include "segment.h"
#include "slot_array.h"
#include "spill.h"

#define SPARE			2		/* slots for each that may be in use */
#define REACH_MAX		64

AtkSlotArray *atk_slots;

/* Is the transaction still under way?  Ours is not, at its very end. */
static bool
is_open(TransactionId xid, bool at_end)
{
	if (TransactionIdIsCurrentTransactionId(xid))
		return !at_end;
	return TransactionIdIsInProgress(xid);
}

void
atk_slots_settle(Oid database, bool at_end)
{
	for (uint32 i = 0; i < atk_slots->nslots; i++)
	{
		AtkSlot    *slot = &atk_slots->slots[i];
		AtkSlotWriter *writer = atk_slots_writer(i);
		TransactionId xid = *writer;
		AtkSlotKind kind;

		if (!at_end)
			CHECK_FOR_INTERRUPTS();
		if (TransactionIdIsValid(xid) &&
			(slot->database == database || !OidIsValid(database)) &&
			!is_open(xid, at_end) &&
			atk_slot_settle(slot, writer, xid, TransactionIdDidCommit(xid),
							&kind))
			atk_slots_give_back(kind);
	}
}

/* --- made, saved and taken back --- */

static uint32
wanted_slots(void)
{
	return (uint32) atk_guc_usage_max_entries * SPARE;
}

static Size
array_size(void)
{
	return offsetof(AtkSlotArray, slots) +
		wanted_slots() * (sizeof(AtkSlot) + sizeof(AtkSlotWriter));
}

static void
create_array(void *memory)
{
	AtkSlotArray *created = memory;

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

	for (; *place < atk_slots->nslots; (*place)++)
	{
		const AtkSlot *slot = &atk_slots->slots[*place];

		if (atk_slot_is_free(slot))
			continue;
		atk_slot_save(slot, *atk_slots_writer((*place)++), &saved);
		return &saved;
	}
	return NULL;
}

static void
save_array(void)
{
	if (atk_slots_count_all() == 0)
		return;
	atk_slots_settle(InvalidOid, true);
	atk_spill_write(next_used_slot, sizeof(AtkSavedSlot));
}

/* A transaction that it is marked with is prepared, and still there. */
static void
restore_slot(const void *record)
{
	const AtkSavedSlot *saved = record;
	AtkSlotKey	key = atk_slot_key(&saved->slot);

	for (AtkSearch at = atk_slots_search(&key); at.left > 0;
		 atk_slots_step(&at))
	{
		AtkSlot    *slot = &atk_slots->slots[at.place];

		if (!atk_slot_is_free(slot))
			continue;
		if (!atk_slots_reserve(atk_slot_kind(&saved->slot)))
			break;
		atk_slot_restore(slot, atk_slots_writer(at.place), saved);
		return;
	}
	if (atk_slot_kind(&saved->slot) == ATK_SLOT_USE)
		atk_slots_drop((uint64) saved->slot.uses + saved->slot.earlier);
}

static void
restore_array(void *memory)
{
	atk_slots = memory;
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

bool
atk_slots_attach(void)
{
	atk_slots = atk_segment_attach(&segment) ? segment.memory : NULL;
	if (atk_slots != NULL)
		atk_duty_attach(&atk_slots->duty);
	return atk_slots != NULL;
}
