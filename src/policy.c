/*
 * policy.c
 *		What a realm demands of a token; see policy.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/skey.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "bucket.h"
#include "policy.h"
#include "probe.h"
#include "scopes.h"
#include "token.h"

/* --- scopes --- */

/* Which scope, never its text: it may be a misplaced secret. */
static void
raise_unknown_scope(int number)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("scope number %d is not known to the realm", number),
			 errdetail("Scopes are numbered in their order as a set: bytewise, each once."),
			 errhint("Column known_scopes of table apitoken.realm lists those that are known.")));
}

void
atk_policy_check_scopes(const AtkDraft *draft, const AtkRealm *realm)
{
	struct varlena *known;
	struct varlena *granted;
	AtkScope	scope;
	int			number = 0;

	if (!realm->knows_scopes ||
		(known = atk_realm_known_scopes(atk_draft_realm(draft))) == NULL)
		return;
	granted = PG_DETOAST_DATUM_PACKED(draft->values[Anum_token_scopes - 1]);
	scope = (AtkScope) {VARDATA_ANY(granted), 0};
	while (atk_scopes_next(ATK_SCOPES_OF(granted), &scope))
	{
		CHECK_FOR_INTERRUPTS();
		number++;
		if (!atk_scope_known(ATK_SCOPES_OF(known), scope))
			raise_unknown_scope(number);
	}
}

/* --- how many tokens a principal has --- */

/* Whose limit this row counts towards; NULL: nobody's. */
static text *
counted_for(const AtkDraft *draft, TimestampTz now)
{
	const Datum *values = draft->values;

	if (draft->nulls[Anum_token_principal - 1] ||
		DatumGetChar(values[Anum_token_status - 1]) != ATK_STATUS_ACTIVE ||
		atk_draft_expires_at(draft) <= now)
		return NULL;
	return DatumGetTextPP(values[Anum_token_principal - 1]);
}

static void
equals(ScanKey key, int column, RegProcedure procedure, Datum value)
{
	ScanKeyEntryInitialize(key, 0, column, BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, procedure, value);
}

/*
 * Are there so many active tokens?  The index has those of a principal in
 * the order of their ends, so that from its far end come those that never
 * expire, then those that live longest: no more are read than counted.
 */
static bool
has_so_many(const text *realm_id, const text *principal, int many,
			TimestampTz now)
{
	ScanKeyData keys[3];
	AtkProbe	probe;
	int			n = 0;

	equals(&keys[0], 1, F_TEXTEQ, PointerGetDatum(principal));
	equals(&keys[1], 2, F_TEXTEQ, PointerGetDatum(realm_id));
	equals(&keys[2], 3, F_CHAREQ, CharGetDatum(ATK_STATUS_ACTIVE));

	atk_probe_begin(&probe, ATK_KEY_TOKEN_PRINCIPAL, RowExclusiveLock);
	atk_probe_scan(&probe, keys, lengthof(keys));
	while (n < many && atk_probe_next(&probe, BackwardScanDirection))
	{
		bool		isnull;
		Datum		end = slot_getattr(probe.slot, Anum_token_expires_at,
									   &isnull);

		if (!isnull && DatumGetTimestampTz(end) <= now)
			break;
		n++;
	}
	atk_probe_end(&probe);
	return n >= many;
}

/* Was the principal's place taken by what stood here before? */
static bool
had_place(const AtkDraft *old, const text *principal, TimestampTz now)
{
	const text *before = old != NULL ? counted_for(old, now) : NULL;

	return before != NULL && atk_same_text(before, principal);
}

/*
 * Who gives a token a longer life needs the lock even though it has a place:
 * others, who do not see that life before it is committed, may find it expired
 * meanwhile.  Whether it has the place still is asked behind the lock, by the
 * clock.
 */
void
atk_policy_admit(const AtkDraft *draft, const AtkDraft *old,
				 const AtkRealm *realm, TimestampTz now)
{
	const text *realm_id = atk_draft_realm(draft);
	const text *principal;
	AtkRealm	current;

	if (realm->max_active == 0 ||
		(principal = counted_for(draft, now)) == NULL)
		return;
	if (had_place(old, principal, now) &&
		atk_draft_expires_at(draft) <= atk_draft_expires_at(old))
		return;

	atk_bucket_lock(ATK_BUCKET_PRINCIPAL,
					atk_bucket_hash(realm_id, principal));
	now = GetCurrentTimestamp();
	if (had_place(old, principal, now))
		return;
	if (atk_realm_find(realm_id, &current))	/* as it is behind the wait */
		realm = &current;
	if (realm->max_active > 0 &&
		has_so_many(realm_id, principal, realm->max_active, now))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("principal has as many active tokens as its realm allows"),
				 errdetail("The realm's max_active_per_principal is %d.",
						   realm->max_active),
				 errhint("Revoke one of them first.")));
}
