/*
 * usage.c
 *		When, from where and how often a token was used; see usage.h.
 */
#include "postgres.h"
#include "compat.h"

#include <sys/socket.h>

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "columns.h"
#include "ending.h"
#include "guc.h"
#include "outcome.h"
#include "row.h"
#include "summon.h"
#include "tally.h"
#include "usage.h"

static void
read_use(TupleTableSlot *slot, AtkUse *use)
{
	bool		isnull;
	Datum		value;

	value = slot_getattr(slot, Anum_usage_last_used_at, &isnull);
	if (!isnull)
		use->last_used_at = DatumGetTimestampTz(value);
	value = slot_getattr(slot, Anum_usage_last_used_ip, &isnull);
	if (!isnull)
		use->last_used_ip = (inet *) PG_DETOAST_DATUM_COPY(value);
	use->use_count = DatumGetInt64(slot_getattr(slot, Anum_usage_use_count,
												&isnull));
}

inet *
atk_usage_address(const AtkTally *tally)
{
	inet	   *address;

	if (tally->ip_family == 0)
		return NULL;
	address = palloc0(sizeof(inet));
	ip_family(address) = tally->ip_family;
	ip_bits(address) = tally->ip_bits;
	memcpy(ip_addr(address), tally->ip, ip_addrsize(address));
	SET_INET_VARSIZE(address);
	return address;
}

/* What is in memory only; false if there is nothing. */
static bool
find_pending(const pg_uuid_t *token_id, AtkUse *use)
{
	AtkTally	tally;

	if (!atk_tally_find(token_id, ATK_VALID, &tally))
		return false;
	atk_summon(GetCurrentTimestamp());
	use->last_used_at = tally.last_at;
	use->last_used_ip = atk_usage_address(&tally);
	use->use_count = tally.uses + tally.earlier;
	return true;
}

static void
add_pending(AtkUse *use, const AtkUse *pending)
{
	use->use_count += pending->use_count;
	if (pending->last_used_at >= use->last_used_at)
	{
		use->last_used_at = pending->last_used_at;
		use->last_used_ip = pending->last_used_ip;
	}
}

void
atk_usage_overlay(const pg_uuid_t *token_id, AtkUse *use)
{
	AtkUse		pending;

	if (find_pending(token_id, &pending))
		add_pending(use, &pending);
}

void
atk_usage_begin(AtkProbe *probe, Snapshot snapshot)
{
	atk_probe_begin_at(probe, ATK_KEY_USAGE_TOKEN_ID, AccessShareLock,
					   snapshot);
}

/*
 * Memory is read first: between the two a flush may move counts from there
 * to the table, and a use counted twice for a moment is better than one that
 * is not there.
 */
bool
atk_usage_find(AtkProbe *probe, const pg_uuid_t *token_id, AtkUse *use)
{
	AtkUse		pending;
	bool		is_pending = find_pending(token_id, &pending);

	*use = (AtkUse) {DT_NOBEGIN, NULL, 0};
	if (atk_probe_find(probe, UUIDPGetDatum(token_id)))
		read_use(probe->slot, use);
	if (is_pending)
		add_pending(use, &pending);
	return !TIMESTAMP_IS_NOBEGIN(use->last_used_at);
}

ATK_HOT void
atk_usage_note(const pg_uuid_t *token_id, int outcome,
			   TimestampTz now, const inet *address)
{
	static const pg_uuid_t nil = {{0}};
	bool		stolen = outcome == ATK_SUPERSEDED && !RecoveryInProgress();

	/* Whether uses are counted or not. */
	if (stolen)
		atk_tally_mark(token_id, ATK_MARK_REUSE, now, address);
	if (atk_guc_track_usage)
		atk_tally_note(token_id ? token_id : &nil, outcome, now, address);
	if (stolen || atk_guc_track_usage)
		atk_summon(now);
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

/* --- ids that are given again --- */

typedef struct Retired
{
	TransactionId xid;			/* of the (sub)transaction */
	pg_uuid_t	token_id;
	struct Retired *next;
} Retired;

static Retired *retired;		/* by the transaction under way */

/* What was rolled back has given no id to anybody: the former token is there. */
static void
revive_aborted(Retired **list)
{
	for (Retired **link = list; *link != NULL;)
	{
		if (TransactionIdDidAbort((*link)->xid))
		{
			atk_tally_revive(&(*link)->token_id);
			*link = (*link)->next;
		}
		else
			link = &(*link)->next;
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subid,
				   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		revive_aborted(&retired);
}

/* Nobody is told what becomes of a prepared transaction: it counts as done. */
static void
end_transaction(XactEvent event)
{
	Retired    *list = retired;

	retired = NULL;
	if (event == XACT_EVENT_ABORT)
		revive_aborted(&list);
}

void
atk_usage_retire(Datum token_id)
{
	TransactionId xid = GetCurrentTransactionId();
	Retired    *one;

	if (!atk_tally_retire(DatumGetUUIDP(token_id), xid))
		return;
	one = MemoryContextAlloc(TopTransactionContext, sizeof(Retired));
	one->xid = xid;
	one->token_id = *DatumGetUUIDP(token_id);
	one->next = retired;
	atk_at_end(end_transaction);
	retired = one;
}

void
atk_usage_init(void)
{
	RegisterSubXactCallback(end_subtransaction, NULL);
}
