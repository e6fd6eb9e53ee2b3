/*
 * slot.c
 *		A place in shared memory for the tally of one token; see slot.h.
 */
#include "postgres.h"
#include "compat.h"

#include <sys/socket.h>

#include "access/transam.h"
#include "access/xact.h"
#include "storage/procarray.h"

#include "address.h"
#include "slot.h"

StaticAssertDecl(sizeof(slock_t) > 1 || sizeof(AtkSlot) == 64,
				 "a slot is a cache line");

/* --- noting a use; the slot is locked --- */

static inline uint32
hour_of(TimestampTz when)
{
	return (uint32) (when / USECS_PER_HOUR);
}

/* A client that comes as ::ffff:10.0.0.7 is the client 10.0.0.7. */
ATK_HOT static void
set_address(AtkSlot *slot, const inet *address)
{
	AtkNetwork	network;

	slot->ip_family = 0;
	if (address == NULL)
		return;
	network = atk_address_network(address);
	slot->ip_family = network.family;
	slot->ip_bits = network.bits;
	memcpy(slot->ip, network.bytes,
		   network.family == PGSQL_AF_INET ? 4 : sizeof(slot->ip));
}

/* Returns the number of uses that find no room in the counter. */
static uint32
begin_hour(AtkSlot *slot)
{
	/* Where nothing is written for days, as on a standby, it may be full. */
	uint32		fits = Min(slot->uses, PG_UINT32_MAX - slot->earlier);
	uint32		lost = slot->uses - fits;

	slot->earlier += fits;
	slot->uses = 0;

	/* A flush under way has these among the uses it writes. */
	slot->writing_earlier += Min(slot->writing_uses, fits);
	slot->writing_uses = 0;
	return lost;
}

/* A clock that steps back counts as still. */
static inline uint32
count_use(AtkSlot *slot, TimestampTz now, const inet *address)
{
	uint32		lost = 0;

	if (hour_of(now) > hour_of(slot->last_at))
		lost = begin_hour(slot);
	slot->uses++;
	if (now >= slot->last_at)
	{
		slot->last_at = now;
		set_address(slot, address);
	}
	return lost;
}

bool
atk_slot_enter(AtkSlot *slot, const AtkSlotKey *key,
			   TimestampTz now, const inet *address)
{
	bool		entered;

	SpinLockAcquire(&slot->mutex);
	entered = atk_slot_is_free(slot);
	if (entered)
	{
		slot->outcome = key->outcome + 1;
		slot->database = key->database;
		slot->token_id = key->token_id;
		slot->uses = slot->earlier = 0;
		slot->writing_uses = slot->writing_earlier = 0;
		slot->last_at = now;
		(void) count_use(slot, now, address);
	}
	SpinLockRelease(&slot->mutex);
	return entered;
}

ATK_HOT bool
atk_slot_count(AtkSlot *slot, const AtkSlotKey *key,
			   TimestampTz now, const inet *address, uint64 *dropped)
{
	bool		still;

	SpinLockAcquire(&slot->mutex);
	still = atk_slot_has_key(slot, key);
	if (still)
		*dropped += count_use(slot, now, address);
	SpinLockRelease(&slot->mutex);
	return still;
}

bool
atk_slot_rename(AtkSlot *slot, AtkSlotWriter *writer, const AtkSlotKey *key,
				int outcome, TransactionId xid)
{
	bool		still;

	SpinLockAcquire(&slot->mutex);
	still = atk_slot_has_key(slot, key);
	if (still)
	{
		slot->outcome = outcome + 1;
		if (!TransactionIdIsValid(*writer))
			*writer = xid;
	}
	SpinLockRelease(&slot->mutex);
	return still;
}

/* --- copies --- */

static void
copy(const AtkSlot *slot, AtkTally *tally)
{
	tally->token_id = slot->token_id;
	tally->outcome = slot->outcome - 1;
	tally->last_at = slot->last_at;
	tally->ip_family = slot->ip_family;
	tally->ip_bits = slot->ip_bits;
	memcpy(tally->ip, slot->ip, sizeof(tally->ip));
	tally->hour = hour_of(slot->last_at) * USECS_PER_HOUR;
	tally->uses = slot->uses;
	tally->earlier = slot->earlier;
}

/*
 * What is in progress is asked first: a transaction is noted as committed a
 * little before others see what it has written.
 */
static bool
is_written(TransactionId xid)
{
	if (!TransactionIdIsValid(xid))
		return false;
	return TransactionIdIsCurrentTransactionId(xid) ||
		(!TransactionIdIsInProgress(xid) && TransactionIdDidCommit(xid));
}

bool
atk_slot_read(AtkSlot *slot, const AtkSlotWriter *writer,
			  const AtkSlotKey *key, AtkTally *tally)
{
	bool		matches;
	AtkSlot		found;
	AtkSlotWriter by = InvalidTransactionId;

	SpinLockAcquire(&slot->mutex);
	matches = atk_slot_has_key(slot, key);
	if (matches)
	{
		found = *slot;
		by = *writer;
	}
	SpinLockRelease(&slot->mutex);
	if (!matches)
		return false;
	copy(&found, tally);
	if (is_written(by))
	{
		tally->uses -= found.writing_uses;
		tally->earlier -= found.writing_earlier;
	}
	return true;
}

/* --- for the flush --- */

bool
atk_slot_collect(AtkSlot *slot, AtkSlotWriter *writer, AtkSlotKind kind,
				 Oid database, TransactionId xid, AtkTally *tally)
{
	bool		collected = false;

	SpinLockAcquire(&slot->mutex);
	if (!atk_slot_is_free(slot) && slot->database == database &&
		atk_slot_kind(slot) == kind &&
		(*writer == xid || !TransactionIdIsValid(*writer)))
	{
		copy(slot, tally);
		tally->uses -= slot->writing_uses;
		tally->earlier -= slot->writing_earlier;
		slot->writing_uses = slot->uses;
		slot->writing_earlier = slot->earlier;
		*writer = xid;
		collected = tally->uses + tally->earlier > 0;
	}
	SpinLockRelease(&slot->mutex);
	return collected;
}

bool
atk_slot_settle(AtkSlot *slot, AtkSlotWriter *writer, TransactionId xid,
				bool committed, AtkSlotKind *kind)
{
	bool		freed = false;

	SpinLockAcquire(&slot->mutex);
	if (!atk_slot_is_free(slot) && *writer == xid)
	{
		if (committed)
		{
			slot->uses -= slot->writing_uses;
			slot->earlier -= slot->writing_earlier;
		}
		slot->writing_uses = slot->writing_earlier = 0;
		*writer = InvalidTransactionId;
		*kind = atk_slot_kind(slot);
		freed = slot->uses == 0 && slot->earlier == 0;
		if (freed)
			slot->outcome = 0;
	}
	SpinLockRelease(&slot->mutex);
	return freed;
}

bool
atk_slot_discard(AtkSlot *slot, AtkSlotWriter *writer, Oid database,
				 uint64 *dropped, AtkSlotKind *kind)
{
	bool		found;

	SpinLockAcquire(&slot->mutex);
	found = !atk_slot_is_free(slot) && slot->database == database;
	if (found)
	{
		*kind = atk_slot_kind(slot);
		if (*kind == ATK_SLOT_USE)
			*dropped += (uint64) slot->uses + slot->earlier;
		slot->outcome = 0;
		*writer = InvalidTransactionId;
	}
	SpinLockRelease(&slot->mutex);
	return found;
}

/* --- across shutdowns --- */

void
atk_slot_save(const AtkSlot *slot, AtkSlotWriter writer, AtkSavedSlot *saved)
{
	saved->slot = *slot;
	saved->hour = hour_of(slot->last_at);
	saved->writer = writer;
}

void
atk_slot_restore(AtkSlot *slot, AtkSlotWriter *writer,
				 const AtkSavedSlot *saved)
{
	*slot = saved->slot;
	SpinLockInit(&slot->mutex);
	*writer = saved->writer;
}
