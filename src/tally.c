/*
 * tally.c
 *		Uses of tokens, counted in shared memory; see tally.h.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"

#include "ending.h"
#include "slot_array.h"
#include "tally.h"

bool
atk_tally_attach(void)
{
	return atk_slots_attached();
}

/* --- noting and finding --- */

ATK_HOT static bool
note(const AtkSlotKey *key, TimestampTz now, const inet *address,
	 uint64 *dropped)
{
	AtkSlotKind kind = atk_slot_kind_of(key->outcome);
	bool		full = false;

	for (AtkSearch at = atk_slots_search(key); at.left > 0;
		 atk_slots_step(&at))
	{
		AtkSlot    *slot = &atk_slots->slots[at.place];

		if (atk_slot_has_key(slot, key) &&
			atk_slot_count(slot, key, now, address, dropped))
			return true;
		/* Where there is no room the key may still have a slot, further on. */
		if (!atk_slot_is_free(slot) || full)
			continue;
		full = !atk_slots_reserve(kind);
		if (full)
			continue;
		if (atk_slot_enter(slot, key, now, address))
			return true;
		atk_slots_give_back(kind);
	}
	return false;
}

ATK_HOT void
atk_tally_note(const pg_uuid_t *token_id, int outcome,
			   TimestampTz now, const inet *address)
{
	AtkSlotKey	key = {MyDatabaseId, outcome, *token_id};
	uint64		dropped = 0;

	if (!atk_slots_attached())
		return;
	if (!note(&key, now, address, &dropped))
		dropped++;
	atk_slots_drop(dropped);
}

void
atk_tally_mark(const pg_uuid_t *token_id, int mark,
			   TimestampTz now, const inet *address)
{
	/* cppcheck-suppress ctunullpointer; a mark is for a token that is known */
	AtkSlotKey	key = {MyDatabaseId, mark, *token_id};
	uint64		ignored = 0;

	if (atk_slots_attached())
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

	if (!atk_slots_attached() || atk_slots_count_all() == 0)
		return false;

	for (AtkSearch at = atk_slots_search(&key); at.left > 0;
		 atk_slots_step(&at))
	{
		AtkSlot    *slot = &atk_slots->slots[at.place];
		AtkTally	part;

		if (!atk_slot_has_key(slot, &key) ||
			!atk_slot_read(slot, atk_slots_writer(at.place), &key, &part))
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

	if (!atk_slots_attached() || atk_slots_count_all() == 0)
		return false;
	for (AtkSearch at = atk_slots_search(&found); at.left > 0;
		 atk_slots_step(&at))
	{
		AtkSlot    *slot = &atk_slots->slots[at.place];

		if (atk_slot_has_key(slot, &key))
			any |= atk_slot_rename(slot, atk_slots_writer(at.place), &key, to,
								   xid);
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
	if (atk_slots_attached())
		atk_slots_settle(database, false);
}

/*
 * Settles what this backend has marked as soon as its transaction ends.  One
 * that is prepared is settled by the next flush after it is finished.
 */
static void
settle_marked(XactEvent event)
{
	if (event != XACT_EVENT_PREPARE)
		atk_slots_settle(MyDatabaseId, true);
}

int
atk_tally_collect(AtkSlotKind kind, Oid database, TransactionId xid,
				  int *position, AtkTally *tallies, int most)
{
	int			n = 0;

	if (!atk_slots_attached())
		return 0;
	atk_at_end(settle_marked);
	for (; *position < (int) atk_slots->nslots && n < most; (*position)++)
	{
		AtkSlot    *slot = &atk_slots->slots[*position];

		CHECK_FOR_INTERRUPTS();
		if (atk_slot_is_free(slot) || slot->database != database ||
			!atk_slot_collect(slot, atk_slots_writer(*position), kind,
							  database, xid, &tallies[n]))
			continue;
		n++;
	}
	return n;
}

Oid
atk_tally_pending_database(Oid behind)
{
	Oid			first = InvalidOid;

	if (!atk_slots_attached() || atk_slots_count_all() == 0)
		return InvalidOid;
	for (uint32 i = 0; i < atk_slots->nslots; i++)
	{
		Oid			database = atk_slots->slots[i].database;

		if (!atk_slot_is_free(&atk_slots->slots[i]) && database > behind &&
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

	if (!atk_slots_attached())
		return;
	for (uint32 i = 0; i < atk_slots->nslots; i++)
	{
		if (atk_slot_discard(&atk_slots->slots[i], atk_slots_writer(i),
							 database, &dropped, &kind))
			atk_slots_give_back(kind);
	}
	atk_slots_drop(dropped);
}

/* --- what stats() shows --- */

void
atk_tally_stats(AtkTallyStats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->attached = atk_slots_attached();
	if (!stats->attached)
		return;
	stats->capacity = atk_slots->capacity;
	stats->used = atk_slots_count_all();
	stats->uses = pg_atomic_read_u32(atk_slots_count(ATK_SLOT_USE));
	stats->dropped = (int64) pg_atomic_read_u64(&atk_slots->dropped);
}
