/*
 * slot.h
 *		A place in shared memory for the tally of one token.
 *
 * Each slot has a spinlock, held for a few instructions and never across
 * anything that can raise, allocate or wait.  Keys are compared without it
 * first, and again with it.
 *
 * With a slot goes the transaction that is writing it, and the slot remembers
 * what of its counts that writes.  They are taken off when it has committed
 * (atk_slot_settle()); after a rollback they are simply still there.
 *
 * Where a spinlock is a byte, a slot is one line of a processor's cache.  That
 * is why the transaction, which a verification never looks at, is kept apart,
 * and why the hour is not kept: it is that of the last use.
 */
#ifndef ATK_SLOT_H
#define ATK_SLOT_H

#include "datatype/timestamp.h"
#include "storage/spin.h"
#include "utils/inet.h"
#include "utils/uuid.h"

#include "outcome.h"

/*
 * A slot holds uses with an outcome, or, in place of that, a mark: work for
 * the worker that has the same needs, but is no use.
 */
#define ATK_MARK_REUSE	(ATK_VALID + 1) /* a superseded secret was used */
#define ATK_MARK_EVENTS	(ATK_VALID + 2) /* events were written; of no token */

/*
 * Uses of a token that is gone and whose id another has now: they count in the
 * hours, as valid, and are no use of the other.
 */
#define ATK_FORMER		(ATK_VALID + 3)

/* By who writes it. */
typedef enum AtkSlotKind
{
	ATK_SLOT_USE,
	ATK_SLOT_REUSE,
	ATK_SLOT_EVENTS
} AtkSlotKind;

/* What is counted by itself. */
typedef struct AtkSlotKey
{
	Oid			database;
	int			outcome;		/* an AtkOutcome, ATK_FORMER or ATK_MARK_... */
	pg_uuid_t	token_id;		/* nil: of no token */
} AtkSlotKey;

/* Uses with one key, copied out of a slot. */
typedef struct AtkTally
{
	pg_uuid_t	token_id;
	int			outcome;
	TimestampTz last_at;
	int			ip_family;		/* PGSQL_AF_..., 0: address not given */
	int			ip_bits;
	uint8		ip[16];
	TimestampTz hour;			/* beginning of the last use's hour */
	int64		uses;			/* in that hour */
	int64		earlier;		/* in hours before it */
} AtkTally;

/* For slot.c, but for keys, which may be looked at without the lock. */
typedef struct AtkSlot
{
	slock_t		mutex;			/* protects all that follows */
	uint8		outcome;		/* + 1; 0: the slot is free */
	uint8		ip_family;
	uint8		ip_bits;
	Oid			database;
	pg_uuid_t	token_id;
	uint8		ip[16];
	TimestampTz last_at;
	uint32		uses;			/* in the hour of the last */
	uint32		earlier;
	uint32		writing_uses;	/* of these, what a transaction writes */
	uint32		writing_earlier;
} AtkSlot;

/* Protected by the slot's spinlock, and changed by the flush only. */
typedef TransactionId AtkSlotWriter;	/* invalid: nobody */

/* As it outlives the memory; with version 1.0's layout (spill.h). */
typedef struct AtkSavedSlot
{
	AtkSlot		slot;
	uint32		hour;			/* of the last use, for 1.0 */
	AtkSlotWriter writer;
} AtkSavedSlot;

static inline bool
atk_slot_is_free(const AtkSlot *slot)
{
	return slot->outcome == 0;
}

static inline bool
atk_slot_has_key(const AtkSlot *slot, const AtkSlotKey *key)
{
	return slot->outcome == key->outcome + 1 &&
		slot->database == key->database &&
		memcmp(&slot->token_id, &key->token_id, sizeof(pg_uuid_t)) == 0;
}

/* Of a slot that is not free. */
static inline AtkSlotKey
atk_slot_key(const AtkSlot *slot)
{
	return (AtkSlotKey) {slot->database, slot->outcome - 1, slot->token_id};
}

/*
 * The finalizer of MurmurHash3, by which every bit of the input reaches every
 * other; ids are random in their second half.
 */
static inline uint64
atk_slot_hash(const AtkSlotKey *key)
{
	uint64		x;

	memcpy(&x, key->token_id.data + 8, sizeof(x));
	x ^= ((uint64) key->database << 8) ^ (uint64) key->outcome;
	x = (x ^ (x >> 33)) * UINT64CONST(0xff51afd7ed558ccd);
	x = (x ^ (x >> 33)) * UINT64CONST(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}

static inline AtkSlotKind
atk_slot_kind_of(int outcome)
{
	switch (outcome)
	{
		case ATK_MARK_REUSE:
			return ATK_SLOT_REUSE;
		case ATK_MARK_EVENTS:
			return ATK_SLOT_EVENTS;
		default:
			return ATK_SLOT_USE;
	}
}

/* Of a slot that is not free. */
static inline AtkSlotKind
atk_slot_kind(const AtkSlot *slot)
{
	return atk_slot_kind_of(slot->outcome - 1);
}

/* Makes a free slot that of a key, with a use; false: another was quicker. */
extern bool atk_slot_enter(AtkSlot *slot, const AtkSlotKey *key,
						   TimestampTz now, const inet *address);

/*
 * Counts a use; false: the slot is another key's by now.  Older uses for which
 * its counters have no room are added to *dropped.
 */
extern bool atk_slot_count(AtkSlot *slot, const AtkSlotKey *key,
						   TimestampTz now, const inet *address,
						   uint64 *dropped);

/*
 * Changes the outcome of its uses; false: the slot is another key's by now.
 * No other transaction writes them before this one has ended, if it is given.
 */
extern bool atk_slot_rename(AtkSlot *slot, AtkSlotWriter *writer,
							const AtkSlotKey *key, int outcome,
							TransactionId xid);

/*
 * Copies what has not been written, which is to say, all but what a
 * transaction has written whose work we see.  False: it is another key's.
 */
extern bool atk_slot_read(AtkSlot *slot, const AtkSlotWriter *writer,
						  const AtkSlotKey *key, AtkTally *tally);

/*
 * Copies what this transaction is to write and marks it.  What it writes
 * already is left out; false: there is nothing else, it is another's, or of
 * another kind.
 */
extern bool atk_slot_collect(AtkSlot *slot, AtkSlotWriter *writer,
							 AtkSlotKind kind, Oid database,
							 TransactionId xid, AtkTally *tally);

/*
 * Once the transaction that was writing it has ended: takes off what it wrote,
 * if it has committed.  True if the slot is free now, nothing being left;
 * *kind is what it held.
 */
extern bool atk_slot_settle(AtkSlot *slot, AtkSlotWriter *writer,
							TransactionId xid, bool committed,
							AtkSlotKind *kind);

/*
 * Frees a database's slot, of which *kind is what it held; false: it is not.
 * Uses are added to *dropped.
 */
extern bool atk_slot_discard(AtkSlot *slot, AtkSlotWriter *writer,
							 Oid database, uint64 *dropped,
							 AtkSlotKind *kind);

/* With nobody else there: copies one, and makes a free one like that. */
extern void atk_slot_save(const AtkSlot *slot, AtkSlotWriter writer,
						  AtkSavedSlot *saved);
extern void atk_slot_restore(AtkSlot *slot, AtkSlotWriter *writer,
							 const AtkSavedSlot *saved);

#endif							/* ATK_SLOT_H */
