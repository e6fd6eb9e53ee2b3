/*
 * removal.c
 *		Removing tokens; see removal.h.
 *
 * A purge first locks what it is going to remove and then removes it in the
 * order of ids: the worker writes use in that order, and two who lock the
 * same rows in different orders deadlock.
 */
#include "postgres.h"
#include "compat.h"

#include "access/skey.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "history.h"
#include "idempotency.h"
#include "removal.h"
#include "row.h"
#include "usage.h"

/* The locked row, and that of its use. */
static void
remove_token(const AtkChange *change, const char *event)
{
	atk_row_delete(ATK_TABLE_TOKEN, change->probe.slot);
	atk_usage_forget(change->old_row.values[Anum_token_id - 1]);
	atk_history_removed(event, &change->old_row,
						change->has_realm ? &change->realm : NULL,
						change->now);
}

void
atk_delete(const pg_uuid_t *id, AtkChanged *changed)
{
	AtkChange	change;

	atk_change_open(&change, "apitoken.delete()", id);
	if (!atk_probe_lock(&change.probe, UUIDPGetDatum(id), LockTupleExclusive))
		atk_change_raise_unknown(id);
	atk_change_read(&change);
	if (change.token.status != ATK_STATUS_REVOKED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("token cannot be deleted because it is %s",
						atk_token_status_name(change.token.status)),
				 errhint("Revoke it first.")));
	atk_change_answer(&change, changed);
	changed->status = "deleted";
	remove_token(&change, "deleted");
	atk_change_end(&change);
}

/* --- purge --- */

typedef struct Batch
{
	pg_uuid_t  *ids;			/* locked; one may be there twice */
	int			n;
	int			room;
} Batch;

/* The row that was just found, unless somebody else is at work on it. */
static void
take(AtkProbe *probe, Batch *batch)
{
	bool		isnull;

	switch (atk_probe_lock_found(probe, LockTupleExclusive, LockWaitSkip))
	{
		case ATK_LOCK_TAKEN:
			batch->ids[batch->n++] =
				*DatumGetUUIDP(slot_getattr(probe->slot, Anum_token_id,
											&isnull));
			break;
		case ATK_LOCK_TOO_OLD:
			atk_probe_raise_too_old();
		default:
			break;
	}
}

static void
take_all(AtkProbe *probe, ScanKey keys, int n, Batch *batch)
{
	atk_probe_scan(probe, keys, n);
	while (batch->n < batch->room &&
		   atk_probe_next(probe, ForwardScanDirection))
		take(probe, batch);
}

static void
take_revoked(TimestampTz before, Batch *batch)
{
	ScanKeyData keys[2];
	AtkProbe	probe;

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_CHAREQ,
				CharGetDatum(ATK_STATUS_REVOKED));
	ScanKeyInit(&keys[1], 2, BTLessStrategyNumber, F_TIMESTAMPTZ_LT,
				TimestampTzGetDatum(before));
	atk_probe_begin(&probe, ATK_KEY_TOKEN_STATUS_CHANGED, RowExclusiveLock);
	take_all(&probe, keys, lengthof(keys), batch);
	atk_probe_end(&probe);
}

static void
compare_realm(ScanKey key, StrategyNumber strategy, RegProcedure procedure,
			  const text *realm_id)
{
	ScanKeyEntryInitialize(key, 0, 1, strategy, InvalidOid, C_COLLATION_OID,
						   procedure, PointerGetDatum(realm_id));
}

/* The first realm with a token, or the first behind another; NULL: no more. */
static text *
next_realm(AtkProbe *probe, const text *realm_id)
{
	ScanKeyData key;
	bool		isnull;

	if (realm_id != NULL)
		compare_realm(&key, BTGreaterStrategyNumber, F_TEXT_GT, realm_id);
	atk_probe_scan(probe, &key, realm_id != NULL ? 1 : 0);
	if (!atk_probe_next(probe, ForwardScanDirection))
		return NULL;
	return DatumGetTextPCopy(slot_getattr(probe->slot, Anum_token_realm,
										  &isnull));
}

/* Realm by realm, because the index begins with it. */
static void
take_expired(TimestampTz before, Batch *batch)
{
	AtkProbe	probe;
	text	   *realm_id = NULL;

	atk_probe_begin(&probe, ATK_KEY_TOKEN_EXPIRES, RowExclusiveLock);
	while (batch->n < batch->room &&
		   (realm_id = next_realm(&probe, realm_id)) != NULL)
	{
		ScanKeyData keys[2];

		compare_realm(&keys[0], BTEqualStrategyNumber, F_TEXTEQ, realm_id);
		ScanKeyInit(&keys[1], 2, BTLessStrategyNumber, F_TIMESTAMPTZ_LT,
					TimestampTzGetDatum(before));
		take_all(&probe, keys, lengthof(keys), batch);
	}
	atk_probe_end(&probe);
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(pg_uuid_t));
}

/* What was locked is there, and as it was. */
static void
find_locked(AtkProbe *probe, const pg_uuid_t *id)
{
	if (!atk_probe_find(probe, UUIDPGetDatum(id)))
		elog(ERROR, "a token that is locked was not found");
}

/* Memory is given back after each, but for what the scan keeps for itself. */
static void
remove_found(AtkChange *change, MemoryContext each)
{
	MemoryContext old = MemoryContextSwitchTo(each);

	atk_change_read(change);
	remove_token(change, "purged");
	MemoryContextSwitchTo(old);
	MemoryContextReset(each);
}

static int64
remove_all(const Batch *batch)
{
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext,
											   "apitoken purge",
											   ALLOCSET_DEFAULT_SIZES);
	AtkChange	change;
	int64		removed = 0;

	atk_probe_begin(&change.probe, ATK_KEY_TOKEN_ID, RowExclusiveLock);
	for (int i = 0; i < batch->n; i++)
	{
		if (i > 0 && compare_ids(&batch->ids[i - 1], &batch->ids[i]) == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		find_locked(&change.probe, &batch->ids[i]);
		remove_found(&change, each);
		removed++;
	}
	atk_probe_end(&change.probe);
	return removed;
}

static void
check_batch_size(int batch_size)
{
	if (batch_size < 1 || batch_size > ATK_PURGE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_size is out of range"),
				 errhint("It is 1 to %d.", ATK_PURGE_MAX)));
}

int64
atk_purge(const Interval *older_than, int batch_size)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz before;
	Batch		batch;
	int64		tokens;
	int64		keys;

	PreventCommandIfReadOnly("apitoken.purge()");
	before = atk_time_before("older_than", older_than, now);
	check_batch_size(batch_size);

	batch = (Batch) {palloc(batch_size * sizeof(pg_uuid_t)), 0, batch_size};
	take_revoked(before, &batch);
	take_expired(before, &batch);
	qsort(batch.ids, batch.n, sizeof(pg_uuid_t), compare_ids);
	keys = atk_idempotency_purge(now, batch_size);
	tokens = remove_all(&batch);
	return tokens > 0 ? tokens : keys;
}
