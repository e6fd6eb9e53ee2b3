/*
 * realm.c
 *		The policy of a realm and its backend-local cache; see realm.h.
 *
 * The cache is an array in which a realm has one possible place, by the hash
 * of its id; who comes later takes the place.  So it is bounded and needs no
 * bookkeeping.  An entry holds while the generation of the table (table.h)
 * is the one it was read under: invalidation just makes all of them stale.
 */
#include "postgres.h"
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "columns.h"
#include "probe.h"
#include "realm.h"

#define CACHE_SIZE 256			/* realms; a power of two */

typedef struct CachedRealm
{
	text	   *id;				/* in TopMemoryContext; NULL: empty */
	uint64		generation;
	AtkRealm	realm;
} CachedRealm;

static CachedRealm cache[CACHE_SIZE];
static CachedRealm *latest = &cache[0];	/* the place that was asked for last */

ATK_HOT bool
atk_same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static inline bool
is_of(const CachedRealm *place, const text *id)
{
	return place->id != NULL && atk_same_text(place->id, id);
}

/* Makes the place of a realm the latest; is it in there, of any generation? */
ATK_HOT static bool
look_up(const text *id)
{
	uint32		hash;

	if (is_of(latest, id))
		return true;
	hash = hash_bytes((const unsigned char *) VARDATA_ANY(id),
					  VARSIZE_ANY_EXHDR(id));
	latest = &cache[hash & (CACHE_SIZE - 1)];
	return is_of(latest, id);
}

static void
cache_store(CachedRealm *place, const text *id, uint64 generation,
			const AtkRealm *realm)
{
	if (!is_of(place, id))
	{
		Size		len = VARSIZE_ANY_EXHDR(id);
		text	   *copy = MemoryContextAlloc(TopMemoryContext,
											  VARHDRSZ + len);

		SET_VARSIZE(copy, VARHDRSZ + len);
		memcpy(VARDATA(copy), VARDATA_ANY(id), len);
		if (place->id != NULL)
			pfree(place->id);
		place->id = copy;
	}
	place->generation = generation;
	place->realm = *realm;
}

static AtkTtl
read_ttl(TupleTableSlot *slot, AttrNumber attno)
{
	AtkTtl		ttl = {0};
	bool		isnull;
	Datum		value = slot_getattr(slot, attno, &isnull);

	ttl.given = !isnull;
	if (ttl.given)
		ttl.value = *DatumGetIntervalP(value);
	return ttl;
}

static void
read_realm(TupleTableSlot *slot, AtkRealm *realm)
{
	bool		isnull;
	text	   *prefix = DatumGetTextPP(slot_getattr(slot, Anum_realm_prefix,
													 &isnull));

	/* CHECK keeps a prefix within its bounds; memory is no place to trust. */
	realm->prefix_len = Min(VARSIZE_ANY_EXHDR(prefix), ATK_PREFIX_MAX);
	memcpy(realm->prefix, VARDATA_ANY(prefix), realm->prefix_len);
	realm->enabled = DatumGetBool(slot_getattr(slot, Anum_realm_enabled,
											   &isnull));
	realm->default_ttl = read_ttl(slot, Anum_realm_default_ttl);
	realm->max_ttl = read_ttl(slot, Anum_realm_max_ttl);
	realm->max_idle = read_ttl(slot, Anum_realm_max_idle);
	realm->access_token_ttl = read_ttl(slot, Anum_realm_access_token_ttl);
	realm->max_active =
		DatumGetInt32(slot_getattr(slot, Anum_realm_max_active_per_principal,
								   &isnull));
	if (isnull)
		realm->max_active = 0;
	slot_getattr(slot, Anum_realm_known_scopes, &isnull);
	realm->knows_scopes = !isnull;
	realm->notify = DatumGetBool(slot_getattr(slot, Anum_realm_notify,
											  &isnull));
	realm->revoke_on_reuse =
		DatumGetBool(slot_getattr(slot, Anum_realm_revoke_on_reuse, &isnull));
}

static bool
probe_realm(const text *id, AtkRealm *realm, uint64 *generation)
{
	AtkProbe	probe;
	bool		found;

	/*
	 * Before the probe takes its snapshot: a message that arrives behind it,
	 * and be it while the index is looked for, tells of what we shall not see.
	 */
	*generation = atk_table_generation(ATK_TABLE_REALM);
	atk_probe_begin(&probe, ATK_KEY_REALM_ID, AccessShareLock);
	found = atk_probe_find(&probe, PointerGetDatum(id));
	if (found)
		read_realm(probe.slot, realm);
	atk_probe_end(&probe);
	return found;
}

ATK_HOT bool
atk_realm_find(const text *id, AtkRealm *realm)
{
	uint64		generation;

	AcceptInvalidationMessages();
	if (look_up(id) &&
		latest->generation == atk_table_generation(ATK_TABLE_REALM))
	{
		*realm = latest->realm;
		return true;
	}

	if (!probe_realm(id, realm, &generation))
		return false;
	cache_store(latest, id, generation, realm);
	return true;
}

static char *
read_label(TupleTableSlot *slot, AttrNumber attno)
{
	bool		isnull;
	Datum		label = slot_getattr(slot, attno, &isnull);

	return isnull ? NULL : TextDatumGetCString(label);
}

void
atk_realm_labels(const text *id, AtkRealmLabels *labels)
{
	AtkProbe	probe;

	memset(labels, 0, sizeof(*labels));
	atk_probe_begin(&probe, ATK_KEY_REALM_ID, AccessShareLock);
	if (atk_probe_find(&probe, PointerGetDatum(id)))
	{
		labels->token_endpoint_url =
			read_label(probe.slot, Anum_realm_token_endpoint_url);
		labels->oidc_issuer_url =
			read_label(probe.slot, Anum_realm_oidc_issuer_url);
		labels->idp_id = read_label(probe.slot, Anum_realm_idp_id);
		labels->idp_domain = read_label(probe.slot, Anum_realm_idp_domain);
	}
	atk_probe_end(&probe);
}

struct varlena *
atk_realm_known_scopes(const text *id)
{
	struct varlena *scopes = NULL;
	AtkProbe	probe;
	bool		isnull = true;
	Datum		value = (Datum) 0;

	atk_probe_begin(&probe, ATK_KEY_REALM_ID, AccessShareLock);
	if (atk_probe_find(&probe, PointerGetDatum(id)))
		value = slot_getattr(probe.slot, Anum_realm_known_scopes, &isnull);
	if (!isnull)
		scopes = PG_DETOAST_DATUM_COPY(value);
	atk_probe_end(&probe);
	return scopes;
}

void
atk_realm_raise_unknown(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("realm does not exist"),
			 errhint("Realms are the rows of table apitoken.realm.")));
}

void
atk_realm_require(const text *id, AtkRealm *realm)
{
	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("realm must not be null")));

	table_close(atk_table_open(ATK_TABLE_TOKEN, RowExclusiveLock), NoLock);
	if (!atk_realm_find(id, realm))
		atk_realm_raise_unknown();
}

void
atk_realm_require_enabled(const AtkRealm *realm)
{
	if (!realm->enabled)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("realm is disabled")));
}

static bool
any_token(void)
{
	Relation	rel = atk_table_open(ATK_TABLE_TOKEN, ShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	bool		found;

	found = table_scan_getnextslot(scan, ForwardScanDirection, slot);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	return found;
}

static bool
any_token_of(const text *id)
{
	AtkProbe	probe;
	bool		found;

	atk_probe_begin(&probe, ATK_KEY_TOKEN_REALM, ShareLock);
	found = atk_probe_find(&probe, PointerGetDatum(id));
	atk_probe_end(&probe);
	return found;
}

void
atk_realm_guard(const text *id)
{
	if (id == NULL ? any_token() : any_token_of(id))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("realm still has tokens"),
				 errhint("Disable it, or remove its tokens first.")));
}

void
atk_realm_invalidate(Relation rel)
{
	CacheInvalidateRelcache(rel);
}
