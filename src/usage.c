/*
 * usage.c
 *		When, from where and how often a token was used; see usage.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/timestamp.h"

#include "columns.h"
#include "probe.h"
#include "usage.h"

static void
read_use(TupleTableSlot *slot, AtkUse *use)
{
	bool		isnull;
	Datum		address;

	use->last_used_at =
		DatumGetTimestampTz(slot_getattr(slot, Anum_usage_last_used_at,
										 &isnull));
	address = slot_getattr(slot, Anum_usage_last_used_ip, &isnull);
	use->last_used_ip = isnull ? NULL
		: (inet *) PG_DETOAST_DATUM_COPY(address);
	use->use_count = DatumGetInt64(slot_getattr(slot, Anum_usage_use_count,
												&isnull));
}

bool
atk_usage_find(const pg_uuid_t *token_id, AtkUse *use)
{
	AtkProbe	probe;
	bool		found;

	atk_probe_begin(&probe, ATK_KEY_USAGE_TOKEN_ID, AccessShareLock);
	found = atk_probe_find(&probe, UUIDPGetDatum(token_id));
	if (found)
		read_use(probe.slot, use);
	atk_probe_end(&probe);
	return found;
}
