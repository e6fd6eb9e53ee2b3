/*
 * idempotency.c
 *		Keys of issue(); see idempotency.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/skey.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "bucket.h"
#include "columns.h"
#include "draft.h"
#include "idempotency.h"
#include "probe.h"
#include "row.h"

#define KEPT_FOR USECS_PER_DAY

static void
equals(ScanKey key, int column, const text *value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, F_TEXTEQ, PointerGetDatum(value));
}

static bool
find_key(AtkProbe *probe, const text *realm_id, const text *key)
{
	ScanKeyData keys[2];

	equals(&keys[0], 1, realm_id);
	equals(&keys[1], 2, key);
	atk_probe_scan(probe, keys, lengthof(keys));
	return atk_probe_next(probe, ForwardScanDirection);
}

static void
raise_used(const AtkProbe *probe)
{
	bool		isnull;
	Datum		id = slot_getattr(probe->slot, Anum_idempotency_token_id,
								  &isnull);

	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("idempotency_key was used already"),
			 errdetail("It made token %s.",
					   DatumGetCString(DirectFunctionCall1(uuid_out, id))),
			 errhint("The token's secret is not stored and cannot be shown again: rotate or revoke it if it was lost.")));
}

static bool
has_served(const AtkProbe *probe, TimestampTz now)
{
	bool		isnull;
	Datum		created_at = slot_getattr(probe->slot,
										  Anum_idempotency_created_at,
										  &isnull);

	return DatumGetTimestampTz(created_at) + KEPT_FOR <= now;
}

/* The row that was just found; one that somebody is removing is as good. */
static bool
remove_found(AtkProbe *probe, LockWaitPolicy wait)
{
	switch (atk_probe_lock_found(probe, LockTupleExclusive, wait))
	{
		case ATK_LOCK_TAKEN:
			atk_row_delete(ATK_TABLE_IDEMPOTENCY, probe->slot);
			return true;
		case ATK_LOCK_TOO_OLD:
			atk_probe_raise_too_old();
		default:
			return false;
	}
}

void
atk_idempotency_check(const text *realm_id, const text *key)
{
	AtkProbe	probe;

	atk_draft_check_label("idempotency_key", key);
	atk_bucket_lock(ATK_BUCKET_IDEMPOTENCY, atk_bucket_hash(realm_id, key));

	atk_probe_begin(&probe, ATK_KEY_IDEMPOTENCY, RowExclusiveLock);
	if (find_key(&probe, realm_id, key))
	{
		if (!has_served(&probe, GetCurrentTimestamp()))
			raise_used(&probe);
		(void) remove_found(&probe, LockWaitBlock);
	}
	atk_probe_end(&probe);
}

void
atk_idempotency_store(const text *realm_id, const text *key,
					  const pg_uuid_t *token_id, TimestampTz now)
{
	Datum		values[Natts_idempotency];
	bool		nulls[Natts_idempotency] = {false};

	values[Anum_idempotency_realm - 1] = PointerGetDatum(realm_id);
	values[Anum_idempotency_key - 1] = PointerGetDatum(key);
	values[Anum_idempotency_token_id - 1] = UUIDPGetDatum(token_id);
	values[Anum_idempotency_created_at - 1] = TimestampTzGetDatum(now);
	atk_row_insert(ATK_TABLE_IDEMPOTENCY, values, nulls);
}

/* By age, oldest first; who is at work on one takes care of it. */
int64
atk_idempotency_purge(TimestampTz now, int most)
{
	ScanKeyData key;
	AtkProbe	probe;
	int64		removed = 0;

	ScanKeyInit(&key, 1, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(now - KEPT_FOR));
	atk_probe_begin(&probe, ATK_KEY_IDEMPOTENCY_CREATED, RowExclusiveLock);
	atk_probe_scan(&probe, &key, 1);
	while (removed < most && atk_probe_next(&probe, ForwardScanDirection))
	{
		if (remove_found(&probe, LockWaitSkip))
			removed++;
	}
	atk_probe_end(&probe);
	return removed;
}
