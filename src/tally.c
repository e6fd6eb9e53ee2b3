/*
 * tally.c
 *		Uses of tokens, counted in shared memory; see tally.h.
 *
 * Needs no preloading.  A small anchor is put into the main shared memory by
 * whoever comes first (there is room to spare for such), and names a dynamic
 * segment with the array itself, which stays until the server stops.  A crash
 * restart makes both anew.
 *
 * Who has attached is counted, and the last to leave saves what is pending to
 * a file (spill.h): the server may be about to stop, when no worker can write
 * to more than one database any more.  Whoever makes the memory anew reads
 * the file; whoever finds the memory still there removes it.  So while
 * anybody is attached there is no file, and after a crash none that is old.
 * A process that is killed does not leave; the memory dies with it.
 *
 * The array is a hash table with open addressing and a bounded search.  Each
 * slot has a spinlock, held for a few instructions and never across anything
 * that can raise, allocate or wait.  Keys are compared without it first, and
 * again with it.  Two backends may enter one key twice: what is read or
 * flushed is a sum of counts and a maximum of times, so that does no harm,
 * and nobody needs a lock on more than one slot.
 *
 * used counts slots that are in use; it can exceed the capacity for a moment,
 * by no more than the number of backends.
 */
#include "postgres.h"
#include "compat.h"

#include <sys/socket.h>

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

#include "address.h"
#include "duty.h"
#include "guc.h"
#include "spill.h"
#include "tally.h"

/* The layout's version is in the name: two libraries never share an anchor. */
#define ANCHOR_NAME		"apitoken uses 1"

#define SPARE			2		/* slots for each that may be in use */
#define REACH_MAX		64

typedef struct Slot
{
	slock_t		mutex;			/* protects all that follows */
	uint8		outcome;		/* + 1; 0: the slot is free */
	uint8		ip_family;
	uint8		ip_bits;
	Oid			database;
	pg_uuid_t	token_id;
	uint8		ip[16];
	TimestampTz last_at;
	uint32		uses;			/* in the hour */
	uint32		earlier;
	uint32		writing_uses;	/* of these, what transaction xid writes */
	uint32		writing_earlier;
	uint32		hour;			/* since the epoch of timestamps */
	TransactionId xid;			/* changed by the flush only */
} Slot;

typedef struct Array
{
	uint32		nslots;
	uint32		capacity;
	uint32		reach;			/* slots looked at for one key, each once */
	pg_atomic_uint32 used;
	pg_atomic_uint64 dropped;
	AtkDuty		duty;
	Slot		slots[FLEXIBLE_ARRAY_MEMBER];
} Array;

typedef struct Anchor
{
	dsm_handle	handle;			/* set once, under AddinShmemInitLock */
	uint32		attached;		/* processes; under AddinShmemInitLock */
} Anchor;

StaticAssertDecl(sizeof(Anchor) <= 256, "the anchor fits into spare room");

static Anchor *anchor;
static Array *array;
static bool attach_failed;		/* in this backend, so not tried again */
static bool marked;				/* slots, by the transaction under way */

static void settle(Oid database, bool at_end);
static void restore_slot(const void *record);
static const void *next_used_slot(uint32 *place);

/* --- attaching --- */

static void
init_anchor(void)
{
	memset(anchor, 0, sizeof(Anchor));
	anchor->handle = DSM_HANDLE_INVALID;
}

static void
create_array(void)
{
	uint32		nslots = (uint32) atk_guc_usage_max_entries * SPARE;
	Size		size = offsetof(Array, slots) + nslots * sizeof(Slot);
	dsm_segment *segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);

	if (segment == NULL)
		return;
	array = dsm_segment_address(segment);
	memset(array, 0, size);
	array->nslots = nslots;
	array->capacity = atk_guc_usage_max_entries;
	array->reach = Min(nslots, REACH_MAX);
	pg_atomic_init_u32(&array->used, 0);
	pg_atomic_init_u64(&array->dropped, 0);
	atk_duty_create(&array->duty);
	for (uint32 i = 0; i < nslots; i++)
		SpinLockInit(&array->slots[i].mutex);
	dsm_pin_segment(segment);
	dsm_pin_mapping(segment);
	anchor->handle = dsm_segment_handle(segment);
}

static void
attach_array(void)
{
	dsm_segment *segment = dsm_attach(anchor->handle);

	if (segment == NULL)
		return;
	dsm_pin_mapping(segment);
	array = dsm_segment_address(segment);
}

static void
attach_locked(void)
{
	bool		found;

	anchor = ShmemInitStruct(ANCHOR_NAME, sizeof(Anchor), &found);
	if (!found)
		init_anchor();
	if (anchor->handle == DSM_HANDLE_INVALID)
	{
		create_array();
		if (array != NULL)
			atk_spill_read(restore_slot, sizeof(Slot));
	}
	else
	{
		attach_array();
		if (array != NULL && anchor->attached == 0)
			atk_spill_remove();
	}
	if (array != NULL)
		anchor->attached++;
}

/*
 * The last to leave saves what is pending.  This comes before a transaction
 * under way is rolled back, which therefore has written nothing.
 */
static void
leave(int code, Datum arg)
{
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	if (--anchor->attached == 0 && pg_atomic_read_u32(&array->used) > 0)
	{
		settle(InvalidOid, true);
		atk_spill_write(next_used_slot, sizeof(Slot));
	}
	LWLockRelease(AddinShmemInitLock);
}

/* Says in the log why nothing is counted, instead of failing the caller. */
static void
report_failure(MemoryContext context)
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
			 errmsg("uses of tokens are not counted in this session: %s",
					error->message)));
	FreeErrorData(error);
}

/*
 * Once a backend.  Out of memory or of segments must not fail the caller's
 * verification: then this backend counts nothing.  What may be half done is
 * in no state of ours, and dynamic segments belong to the resource owner
 * until they are pinned.
 */
static void
attach(void)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
		attach_locked();
		LWLockRelease(AddinShmemInitLock);
	}
	PG_CATCH();
	{
		report_failure(context);
		array = NULL;
	}
	PG_END_TRY();
	attach_failed = array == NULL;
	if (attach_failed)
		return;
	atk_duty_attach(&array->duty);
	before_shmem_exit(leave, (Datum) 0);
}

static inline bool
attached(void)
{
	if (unlikely(array == NULL) && !attach_failed)
		attach();
	return array != NULL;
}

/* --- slots --- */

static inline uint32
hour_of(TimestampTz when)
{
	return (uint32) (when / USECS_PER_HOUR);
}

static inline bool
has_key(const Slot *slot, const pg_uuid_t *token_id, int outcome)
{
	return slot->outcome == outcome + 1 &&
		slot->database == MyDatabaseId &&
		memcmp(&slot->token_id, token_id, sizeof(pg_uuid_t)) == 0;
}

/* The finalizer of MurmurHash3: every bit of the input reaches every other. */
static inline uint64
mix(uint64 x)
{
	x = (x ^ (x >> 33)) * UINT64CONST(0xff51afd7ed558ccd);
	x = (x ^ (x >> 33)) * UINT64CONST(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}

/* Where the search for a key begins; ids are random in their second half. */
static inline uint32
first_place(Oid database, const pg_uuid_t *token_id, int outcome)
{
	uint64		half;
	uint64		hash;

	memcpy(&half, token_id->data + 8, sizeof(half));
	hash = mix(half ^ ((uint64) database << 8) ^ (uint64) outcome);
	return (uint32) (((hash >> 32) * array->nslots) >> 32);
}

static inline uint32
next_place(uint32 place)
{
	return place + 1 == array->nslots ? 0 : place + 1;
}

/* A client that comes as ::ffff:10.0.0.7 is the client 10.0.0.7. */
static void
set_address(Slot *slot, const inet *address)
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

static void
begin_hour(Slot *slot, uint32 hour)
{
	/* Where nothing is written for days, as on a standby, it may be full. */
	uint32		fits = Min(slot->uses, PG_UINT32_MAX - slot->earlier);

	slot->earlier += fits;
	pg_atomic_fetch_add_u64(&array->dropped, slot->uses - fits);
	slot->uses = 0;

	/* A flush under way has these among the uses it writes. */
	slot->writing_earlier += slot->writing_uses;
	slot->writing_uses = 0;
	slot->hour = hour;
}

/* Counts a use; the slot is locked.  A clock that steps back counts as still. */
static inline void
count_use(Slot *slot, TimestampTz now, const inet *address)
{
	uint32		hour = hour_of(now);

	if (hour > slot->hour)
		begin_hour(slot, hour);
	slot->uses++;
	if (now >= slot->last_at)
	{
		slot->last_at = now;
		set_address(slot, address);
	}
}

/* Makes a free slot that of a key, unless another has been quicker. */
static bool
enter_key(Slot *slot, const pg_uuid_t *token_id, int outcome,
		  TimestampTz now, const inet *address)
{
	bool		entered;

	SpinLockAcquire(&slot->mutex);
	entered = slot->outcome == 0;
	if (entered)
	{
		slot->outcome = outcome + 1;
		slot->database = MyDatabaseId;
		slot->token_id = *token_id;
		slot->uses = slot->earlier = 0;
		slot->writing_uses = slot->writing_earlier = 0;
		slot->xid = InvalidTransactionId;
		slot->hour = hour_of(now);
		slot->last_at = now;
		count_use(slot, now, address);
	}
	SpinLockRelease(&slot->mutex);
	return entered;
}

static bool
count_in(Slot *slot, const pg_uuid_t *token_id, int outcome,
		 TimestampTz now, const inet *address)
{
	bool		still;

	SpinLockAcquire(&slot->mutex);
	still = has_key(slot, token_id, outcome);
	if (still)
		count_use(slot, now, address);
	SpinLockRelease(&slot->mutex);
	return still;
}

/* Room for one more? */
static inline bool
reserve(void)
{
	if (pg_atomic_fetch_add_u32(&array->used, 1) < array->capacity)
		return true;
	pg_atomic_fetch_sub_u32(&array->used, 1);
	return false;
}

static bool
note(const pg_uuid_t *token_id, int outcome,
	 TimestampTz now, const inet *address)
{
	uint32		place = first_place(MyDatabaseId, token_id, outcome);
	bool		full = false;

	for (uint32 i = 0; i < array->reach; i++, place = next_place(place))
	{
		Slot	   *slot = &array->slots[place];

		if (has_key(slot, token_id, outcome) &&
			count_in(slot, token_id, outcome, now, address))
			return true;
		/* Where there is no room the key may still have a slot, further on. */
		if (slot->outcome != 0 || full)
			continue;
		full = !reserve();
		if (full)
			continue;
		if (enter_key(slot, token_id, outcome, now, address))
			return true;
		pg_atomic_fetch_sub_u32(&array->used, 1);
	}
	return false;
}

void
atk_tally_note(const pg_uuid_t *token_id, int outcome,
			   TimestampTz now, const inet *address)
{
	if (!attached())
		return;
	if (!note(token_id, outcome, now, address))
		pg_atomic_fetch_add_u64(&array->dropped, 1);
}

/* Leaves out what a transaction has written that we see in the table. */
static void
take_off_written(AtkTally *tally)
{
	if (!TransactionIdIsValid(tally->xid) ||
		!(TransactionIdIsCurrentTransactionId(tally->xid) ||
		  TransactionIdDidCommit(tally->xid)))
		return;
	tally->uses -= tally->writing_uses;
	tally->earlier -= tally->writing_earlier;
}

static void
copy_slot(const Slot *slot, AtkTally *tally)
{
	tally->token_id = slot->token_id;
	tally->outcome = slot->outcome - 1;
	tally->last_at = slot->last_at;
	tally->ip_family = slot->ip_family;
	tally->ip_bits = slot->ip_bits;
	memcpy(tally->ip, slot->ip, sizeof(tally->ip));
	tally->hour = slot->hour * USECS_PER_HOUR;
	tally->uses = slot->uses;
	tally->earlier = slot->earlier;
	tally->xid = slot->xid;
	tally->writing_uses = slot->writing_uses;
	tally->writing_earlier = slot->writing_earlier;
}

static void
merge(AtkTally *into, const AtkTally *other)
{
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
	bool		found = false;
	uint32		place;

	if (!attached() || pg_atomic_read_u32(&array->used) == 0)
		return false;

	place = first_place(MyDatabaseId, token_id, outcome);
	for (uint32 i = 0; i < array->reach; i++, place = next_place(place))
	{
		Slot	   *slot = &array->slots[place];
		AtkTally	part;
		bool		matches;

		if (!has_key(slot, token_id, outcome))
			continue;
		SpinLockAcquire(&slot->mutex);
		matches = has_key(slot, token_id, outcome);
		if (matches)
			copy_slot(slot, &part);
		SpinLockRelease(&slot->mutex);
		if (matches)
			take_off_written(&part);
		if (matches && found)
			merge(tally, &part);
		else if (matches)
			*tally = part;
		found = found || matches;
	}
	return found;
}

/* --- the flush --- */

static void
free_slot(Slot *slot)
{
	slot->outcome = 0;
	pg_atomic_fetch_sub_u32(&array->used, 1);
}

/* Takes off what was written, if it was; the slot is free when nothing is left. */
static void
settle_slot(Slot *slot, TransactionId xid, bool committed)
{
	SpinLockAcquire(&slot->mutex);
	if (slot->outcome != 0 && slot->xid == xid)
	{
		if (committed)
		{
			slot->uses -= slot->writing_uses;
			slot->earlier -= slot->writing_earlier;
		}
		slot->writing_uses = slot->writing_earlier = 0;
		slot->xid = InvalidTransactionId;
		if (slot->uses == 0 && slot->earlier == 0)
			free_slot(slot);
	}
	SpinLockRelease(&slot->mutex);
}

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
		Slot	   *slot = &array->slots[i];
		TransactionId xid = slot->xid;

		if (slot->outcome != 0 &&
			(slot->database == database || !OidIsValid(database)) &&
			TransactionIdIsValid(xid) && !is_open(xid, at_end))
			settle_slot(slot, xid, TransactionIdDidCommit(xid));
	}
}

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
settle_at_end(XactEvent event, void *arg)
{
	if (marked && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT))
		settle(MyDatabaseId, true);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		marked = false;
}

bool
atk_tally_attach(void)
{
	return attached();
}

void
atk_tally_init(void)
{
	RegisterXactCallback(settle_at_end, NULL);
}

/*
 * Copies what is to be written, and marks it.  What this transaction writes
 * already is left out; false if nothing else is there.
 */
static bool
collect_slot(Slot *slot, Oid database, TransactionId xid, AtkTally *tally)
{
	bool		collected = false;

	SpinLockAcquire(&slot->mutex);
	if (slot->outcome != 0 && slot->database == database &&
		(slot->xid == xid || !TransactionIdIsValid(slot->xid)))
	{
		copy_slot(slot, tally);
		tally->uses -= slot->writing_uses;
		tally->earlier -= slot->writing_earlier;
		slot->writing_uses = slot->uses;
		slot->writing_earlier = slot->earlier;
		slot->xid = xid;
		collected = tally->uses + tally->earlier > 0;
	}
	SpinLockRelease(&slot->mutex);
	return collected;
}

int
atk_tally_collect(Oid database, TransactionId xid, int *position,
				  AtkTally *tallies, int most)
{
	int			n = 0;

	if (!attached())
		return 0;
	for (; *position < (int) array->nslots && n < most; (*position)++)
	{
		Slot	   *slot = &array->slots[*position];

		if (slot->outcome == 0 || slot->database != database ||
			!collect_slot(slot, database, xid, &tallies[n]))
			continue;
		marked = true;
		n++;
	}
	return n;
}

Oid
atk_tally_pending_database(Oid behind)
{
	Oid			first = InvalidOid;

	if (!attached() || pg_atomic_read_u32(&array->used) == 0)
		return InvalidOid;
	for (uint32 i = 0; i < array->nslots; i++)
	{
		Oid			database = array->slots[i].database;

		if (array->slots[i].outcome != 0 && database > behind &&
			(!OidIsValid(first) || database < first))
			first = database;
	}
	return first;
}

void
atk_tally_discard(Oid database)
{
	uint64		lost = 0;

	if (!attached())
		return;
	for (uint32 i = 0; i < array->nslots; i++)
	{
		Slot	   *slot = &array->slots[i];

		SpinLockAcquire(&slot->mutex);
		if (slot->outcome != 0 && slot->database == database)
		{
			lost += slot->uses + slot->earlier;
			free_slot(slot);
		}
		SpinLockRelease(&slot->mutex);
	}
	pg_atomic_fetch_add_u64(&array->dropped, lost);
}

/* --- from one run of the server to the next --- */

static const void *
next_used_slot(uint32 *place)
{
	while (*place < array->nslots)
	{
		const Slot *slot = &array->slots[(*place)++];

		if (slot->outcome != 0)
			return slot;
	}
	return NULL;
}

/* A transaction that it is marked with is prepared, and still there. */
static void
restore_slot(const void *record)
{
	const Slot *saved = record;
	uint32		place = first_place(saved->database, &saved->token_id,
									saved->outcome - 1);

	for (uint32 i = 0; i < array->reach; i++, place = next_place(place))
	{
		Slot	   *slot = &array->slots[place];

		if (slot->outcome != 0)
			continue;
		if (!reserve())
			break;
		*slot = *saved;
		SpinLockInit(&slot->mutex);
		return;
	}
	pg_atomic_fetch_add_u64(&array->dropped,
							(uint64) saved->uses + saved->earlier);
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
	stats->used = pg_atomic_read_u32(&array->used);
	stats->dropped = (int64) pg_atomic_read_u64(&array->dropped);
}
