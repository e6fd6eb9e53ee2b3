/*
 * rekey.c
 *		Having tokens stored with the current key; see rekey.h.
 *
 * Each token has one place it can be left in, so nothing is searched for;
 * each place has a spinlock.  Whether it is taken is looked at without.
 */
#include "postgres.h"
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/spin.h"
#include "utils/snapmgr.h"

#include "columns.h"
#include "guard.h"
#include "guc.h"
#include "rekey.h"
#include "row.h"
#include "segment.h"
#include "summon.h"

#define PLACES			4096
#define PROBLEM_LEN		128

typedef struct Entry
{
	Oid			database;		/* InvalidOid: the place is free */
	pg_uuid_t	token_id;
	int32		old_key;
	int32		new_key;
	AtkDigest	old_digest;		/* in the row, of this or the previous secret */
	AtkDigest	new_digest;
} Entry;

typedef struct Place
{
	slock_t		mutex;			/* protects the entry */
	Entry		entry;
} Place;

typedef struct Board
{
	slock_t		mutex;			/* protects the following fields only */
	Oid			problem_database;
	char		problem[PROBLEM_LEN];	/* of the last attempt anywhere */
	Place		places[PLACES];
} Board;

/* --- the memory --- */

static Size
board_size(void)
{
	return sizeof(Board);
}

static void
create_board(void *memory)
{
	Board	   *board = memory;

	SpinLockInit(&board->mutex);
	for (int i = 0; i < PLACES; i++)
		SpinLockInit(&board->places[i].mutex);
}

static AtkSegment segment = {
	.name = "apitoken rekey 1",
	.failure = "tokens are not stored with the new key in this session",
	.size = board_size,
	.create = create_board,
};

/* No key is being replaced: nobody needs the memory. */
static Board *
get_board(void)
{
	if (atk_guc_previous_pepper_file[0] == '\0' ||
		!atk_segment_attach(&segment))
		return NULL;
	return segment.memory;
}

/* --- leaving --- */

/* The end of an id is random. */
static Place *
place_of(Board *board, const pg_uuid_t *token_id)
{
	uint32		hash;

	memcpy(&hash, token_id->data + UUID_LEN - sizeof(hash), sizeof(hash));
	return &board->places[hash % PLACES];
}

/* What was left for another key than is current now is of no use any more. */
static inline bool
is_vacant(const Place *place, int32 new_key)
{
	return !OidIsValid(place->entry.database) ||
		place->entry.new_key != new_key;
}

static bool
put(Place *place, const Entry *entry)
{
	bool		vacant;

	SpinLockAcquire(&place->mutex);
	vacant = is_vacant(place, entry->new_key);
	if (vacant)
		place->entry = *entry;
	SpinLockRelease(&place->mutex);
	return vacant;
}

void
atk_rekey_note(const AtkToken *token, const AtkPresented *presented)
{
	Board	   *board = RecoveryInProgress() ? NULL : get_board();
	Place	   *place;
	Entry		entry;

	if (board == NULL)
		return;
	place = place_of(board, &token->id);
	if (!is_vacant(place, presented->key_ids[0]))
		return;
	entry.database = MyDatabaseId;
	entry.token_id = token->id;
	entry.old_key = presented->key_ids[token->by_key];
	entry.new_key = presented->key_ids[0];
	entry.old_digest = presented->digests[token->by_key];
	entry.new_digest = presented->digests[0];
	if (put(place, &entry))
		atk_summon_to_seal();	/* it does this on its way */
}

/* --- writing --- */

static bool
take(Place *place, Entry *entry)
{
	bool		ours;

	if (place->entry.database != MyDatabaseId)
		return false;
	SpinLockAcquire(&place->mutex);
	ours = place->entry.database == MyDatabaseId;
	if (ours)
	{
		*entry = place->entry;
		memset(&place->entry, 0, sizeof(place->entry));
	}
	SpinLockRelease(&place->mutex);
	return ours;
}

/* Columns of a secret; true if they are as they were when it was seen. */
static bool
matches(TupleTableSlot *slot, AttrNumber digest, AttrNumber key,
		const Entry *entry)
{
	bool		isnull;
	Datum		found = slot_getattr(slot, digest, &isnull);
	Datum		found_key;

	if (isnull || !atk_digest_equal(DatumGetAtkDigestP(found),
									&entry->old_digest))
		return false;
	found_key = slot_getattr(slot, key, &isnull);
	return (isnull ? 0 : DatumGetInt32(found_key)) == entry->old_key;
}

static void
store(TupleTableSlot *slot, AttrNumber digest, AttrNumber key,
	  const Entry *entry)
{
	Datum		values[Natts_token] = {0};
	bool		nulls[Natts_token] = {false};
	bool		replaces[Natts_token] = {false};

	values[digest - 1] = AtkDigestPGetDatum(&entry->new_digest);
	values[key - 1] = Int32GetDatum(entry->new_key);
	replaces[digest - 1] = replaces[key - 1] = true;
	atk_row_update(ATK_TABLE_TOKEN, slot, values, nulls, replaces);
}

/* A digest is that of one secret: of the two at most one is stored. */
static void
rewrite(const Entry *entry)
{
	AtkProbe	probe;

	atk_probe_begin(&probe, ATK_KEY_TOKEN_ID, RowExclusiveLock);
	if (atk_probe_find(&probe, UUIDPGetDatum(&entry->token_id)) &&
		atk_probe_lock_found(&probe, LockTupleNoKeyExclusive,
							 LockWaitSkip) == ATK_LOCK_TAKEN)
	{
		if (matches(probe.slot, Anum_token_digest, Anum_token_key_id, entry))
			store(probe.slot, Anum_token_digest, Anum_token_key_id, entry);
		else if (matches(probe.slot, Anum_token_previous_digest,
						 Anum_token_previous_key_id, entry))
			store(probe.slot, Anum_token_previous_digest,
				  Anum_token_previous_key_id, entry);
	}
	atk_probe_end(&probe);
}

/* The key may have been replaced again since, or taken back. */
static bool
rewrite_some(Board *board, int *position)
{
	int			n = 0;
	Entry		entry;
	AtkGuard	guard;

	for (; *position < PLACES && n < ATK_REKEY_BATCH; (*position)++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!take(&board->places[*position], &entry) ||
			entry.new_key != atk_pepper_id())
			continue;
		if (n++ == 0)
		{
			atk_guard_check(ATK_TABLE_TOKEN,
							"tokens are not stored with the new key");
			atk_guard_begin(&guard, ATK_TABLE_TOKEN);
		}
		rewrite(&entry);
	}
	if (n > 0)
		atk_guard_end(&guard);
	return *position < PLACES;
}

/* Nobody else is going to take them. */
void
atk_rekey_discard(Oid database)
{
	Board	   *board = get_board();

	for (int i = 0; board != NULL && i < PLACES; i++)
	{
		Place	   *place = &board->places[i];

		SpinLockAcquire(&place->mutex);
		if (place->entry.database == database)
			memset(&place->entry, 0, sizeof(place->entry));
		SpinLockRelease(&place->mutex);
	}
}

/* --- how it went --- */

/* Empty: there is none; then another database's stays. */
static void
set_problem(Board *board, const char *problem)
{
	SpinLockAcquire(&board->mutex);
	if (problem[0] != '\0' || board->problem_database == MyDatabaseId)
	{
		board->problem_database = MyDatabaseId;
		strlcpy(board->problem, problem, sizeof(board->problem));
	}
	SpinLockRelease(&board->mutex);
}

static void
note_error(Board *board, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	set_problem(board, error->message);
	FreeErrorData(error);
}

bool
atk_rekey_batch(int *position)
{
	MemoryContext context = CurrentMemoryContext;
	Board	   *board = get_board();
	bool		more = false;

	if (board == NULL)
		return false;
	PG_TRY();
	{
		more = rewrite_some(board, position);
	}
	PG_CATCH();
	{
		note_error(board, context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	set_problem(board, "");
	return more;
}

/* --- what remains --- */

static int64
count_others(int32 key_id)
{
	Relation	rel = atk_table_open(ATK_TABLE_TOKEN, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	int64		others = 0;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (DatumGetInt32(slot_getattr(slot, Anum_token_key_id,
									   &isnull)) != key_id)
			others++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	return others;
}

bool
atk_rekey_remaining(int64 *remaining)
{
	int32		ids[ATK_PEPPERS];

	if (atk_pepper_ids(ids) < ATK_PEPPERS)
		return false;
	*remaining = count_others(ids[0]);
	return true;
}

char *
atk_rekey_problem(void)
{
	Board	   *board = get_board();
	char		problem[PROBLEM_LEN] = "";

	if (board == NULL)
		return NULL;
	SpinLockAcquire(&board->mutex);
	if (board->problem_database == MyDatabaseId)
		memcpy(problem, board->problem, sizeof(problem));
	SpinLockRelease(&board->mutex);
	return problem[0] == '\0' ? NULL : pstrdup(problem);
}
