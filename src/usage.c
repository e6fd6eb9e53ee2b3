/*
 * usage.c
 *		When, from where and how often a token was used; see usage.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/timestamp.h"

#include "columns.h"
#include "row.h"
#include "usage.h"

/* False for a row that only says that the token was never used. */
static bool
read_use(TupleTableSlot *slot, AtkUse *use)
{
	bool		isnull;
	Datum		address;

	use->last_used_at =
		DatumGetTimestampTz(slot_getattr(slot, Anum_usage_last_used_at,
										 &isnull));
	if (isnull)
		return false;
	address = slot_getattr(slot, Anum_usage_last_used_ip, &isnull);
	use->last_used_ip = isnull ? NULL
		: (inet *) PG_DETOAST_DATUM_COPY(address);
	use->use_count = DatumGetInt64(slot_getattr(slot, Anum_usage_use_count,
												&isnull));
	return true;
}

void
atk_usage_begin(AtkProbe *probe, Snapshot snapshot)
{
	atk_probe_begin_at(probe, ATK_KEY_USAGE_TOKEN_ID, AccessShareLock,
					   snapshot);
}

bool
atk_usage_find(AtkProbe *probe, const pg_uuid_t *token_id, AtkUse *use)
{
	return atk_probe_find(probe, UUIDPGetDatum(token_id)) &&
		read_use(probe->slot, use);
}

void
atk_usage_insert(Datum token_id, Datum realm)
{
	Datum		values[Natts_usage] = {0};
	bool		nulls[Natts_usage] = {false};

	values[Anum_usage_token_id - 1] = token_id;
	values[Anum_usage_realm - 1] = realm;
	values[Anum_usage_use_count - 1] = Int64GetDatum(0);
	nulls[Anum_usage_last_used_at - 1] = true;
	nulls[Anum_usage_last_used_ip - 1] = true;
	atk_row_insert(ATK_TABLE_USAGE, values, nulls);
}

void
atk_usage_forget(Datum token_id)
{
	AtkProbe	probe;

	atk_probe_begin(&probe, ATK_KEY_USAGE_TOKEN_ID, RowExclusiveLock);
	if (atk_probe_lock(&probe, token_id, LockTupleExclusive))
		atk_row_delete(ATK_TABLE_USAGE, probe.slot);
	atk_probe_end(&probe);
}
