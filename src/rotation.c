/*
 * rotation.c
 *		A new secret for a token; see rotation.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "policy.h"
#include "rotation.h"

static AtkDigest
current_digest(const AtkProbe *probe)
{
	bool		isnull;

	return *DatumGetAtkDigestP(slot_getattr(probe->slot, Anum_token_digest,
											&isnull));
}

/*
 * The row that is locked may not be the one that was found: somebody may have
 * changed it while we waited.  A rotation among those changes is told apart by
 * the digest, also where the snapshot is too old to change the row at all.
 */
static void
begin_rotation(AtkChange *change, const pg_uuid_t *id)
{
	Datum		key = UUIDPGetDatum(id);
	AtkProbe   *probe = &change->probe;
	AtkDigest	found;
	AtkDigest	locked;
	AtkLock		lock;

	atk_change_open(change, "apitoken.rotate()", id);
	if (!atk_probe_find(probe, key))
		atk_change_raise_unknown(id);
	found = current_digest(probe);

	lock = atk_probe_try_lock(probe, key, LockTupleNoKeyExclusive);
	if (lock == ATK_LOCK_GONE)
		atk_change_raise_unknown(id);
	if (lock == ATK_LOCK_TOO_OLD)
	{
		atk_probe_refresh(probe);
		if (!atk_probe_find(probe, key))
			atk_probe_raise_too_old();
	}

	locked = current_digest(probe);
	if (!atk_digest_equal(&found, &locked))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("token was rotated by another transaction meanwhile"),
				 errdetail("The secret that it has now was given to that one.")));
	if (lock == ATK_LOCK_TOO_OLD)
		atk_probe_raise_too_old();
	atk_change_read(change);
}

static void
check_rotation(const AtkChange *change)
{
	if (change->token.status == ATK_STATUS_REVOKED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("token cannot be rotated because it is revoked"),
				 errhint("Issue another one.")));
	atk_change_require_realm(change);
	atk_realm_require_enabled(&change->realm);
	atk_policy_check_scopes(&change->row, &change->realm);
}

/* Till when the old secret works; now where there is no grace. */
static TimestampTz
grace_end(const Interval *grace, const AtkChange *change)
{
	TimestampTz end = atk_time_after("grace", grace, change->now);

	return Min(end, change->token.expires_at);
}

/* Not longer by omission: without a default the token's own end stays. */
static void
renew(AtkChange *change, const AtkExpiry *expiry)
{
	const AtkRealm *realm = &change->realm;

	if (atk_expiry_given(expiry) || realm->default_ttl.given)
	{
		AtkLife		life = atk_expiry_grant(expiry, realm, change->now);

		atk_change_set_life(change, &life);
		atk_draft_check_times(&change->row);
	}
	else
		atk_expiry_check_max(realm, change->now, change->token.expires_at);
}

static void
replace_secret(AtkChange *change, TimestampTz previous_end,
			   AtkIssued *issued)
{
	const Datum *values = change->row.values;
	text	   *prefix = DatumGetTextPP(values[Anum_token_prefix - 1]);

	issued->id = change->token.id;
	atk_issue_secret(VARDATA_ANY(prefix),
					 Min(VARSIZE_ANY_EXHDR(prefix), ATK_PREFIX_MAX), issued);

	atk_change_set(change, Anum_token_previous_digest,
				   change->row.values[Anum_token_digest - 1]);
	atk_change_set(change, Anum_token_previous_expires_at,
				   TimestampTzGetDatum(previous_end));
	atk_change_set(change, Anum_token_digest,
				   AtkDigestPGetDatum(&issued->digest));
	atk_change_set(change, Anum_token_key_id, Int32GetDatum(0));
	atk_change_set(change, Anum_token_last_chars,
				   PointerGetDatum(issued->last_chars));
	atk_change_set(change, Anum_token_rotated_at,
				   TimestampTzGetDatum(change->now));
}

void
atk_rotate(const pg_uuid_t *id, const Interval *grace,
		   const AtkExpiry *expiry, AtkIssued *issued)
{
	AtkChange	change;

	if (grace == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("grace must not be null")));
	begin_rotation(&change, id);
	check_rotation(&change);
	renew(&change, expiry);
	replace_secret(&change, grace_end(grace, &change), issued);
	atk_change_modify(&change);
	atk_change_store(&change, "rotated", NULL);
	issued->expires_at = atk_draft_expires_at(&change.row);
	atk_change_end(&change);
}

void
atk_end_grace(const pg_uuid_t *id, AtkChanged *changed)
{
	AtkChange	change;

	atk_change_begin(&change, "apitoken.end_grace()", id);
	if (change.token.previous_expires_at <= change.now)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("token has no previous secret that works")));
	atk_change_set(&change, Anum_token_previous_expires_at,
				   TimestampTzGetDatum(change.now));
	atk_change_store(&change, "grace_ended", NULL);
	atk_change_answer(&change, changed);
	atk_change_end(&change);
}
