/*
 * verify.c
 *		Whether a use of a token is allowed; see verify.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "address.h"
#include "expiry.h"
#include "guc.h"
#include "rekey.h"
#include "usage.h"
#include "verify.h"

ATK_HOT AtkRequest
atk_request_of(FunctionCallInfo fcinfo)
{
	AtkRequest	request = {{"", 0}, NULL};

	if (!PG_ARGISNULL(1))
		request.required =
			ATK_SCOPES_OF(atk_scopes_required(PG_GETARG_TEXT_PP(1)));
	if (!PG_ARGISNULL(2))
		request.address = PG_GETARG_INET_PP(2);
	return request;
}

ATK_HOT static bool
address_allowed(const AtkToken *token, const AtkRequest *request)
{
	bool		isnull;
	Datum		networks = atk_token_column(token,
											Anum_token_allowed_addresses,
											&isnull);

	return isnull ||
		atk_address_allowed(DatumGetArrayTypeP(networks), request->address);
}

ATK_HOT static bool
scope_granted(const AtkToken *token, const AtkRequest *request)
{
	struct varlena *scopes;
	bool		isnull;

	if (request->required.len == 0)
		return true;
	scopes = PG_DETOAST_DATUM_PACKED(atk_token_column(token,
													  Anum_token_scopes,
													  &isnull));
	return atk_scopes_grant(ATK_SCOPES_OF(scopes), request->required);
}

ATK_HOT AtkOutcome
atk_decide(const AtkToken *token, const AtkRealm *realm, bool idle,
		   TimestampTz now, const AtkRequest *request)
{
	/* 1 malformed and 2 unknown have been decided: here is the token */

	/* 3 a secret that was rotated away, after its grace: a sign of theft */
	if (atk_secret_superseded(token, now))
		return ATK_SUPERSEDED;

	/* 4, 5 the token's own state */
	if (token->status == ATK_STATUS_REVOKED)
		return ATK_REVOKED;
	if (token->status != ATK_STATUS_ACTIVE)
		return ATK_SUSPENDED;

	/* 6 the realm is switched off, or gone */
	if (realm == NULL || !realm->enabled)
		return ATK_REALM_DISABLED;

	/* 7, 8 time */
	if (now < token->not_before)
		return ATK_NOT_YET_VALID;
	if (now >= token->expires_at)
		return ATK_EXPIRED;

	/* 9 not used for too long */
	if (idle)
		return ATK_IDLE;

	/* 10 where it comes from */
	if (!address_allowed(token, request))
		return ATK_ADDRESS_DENIED;

	/* 11 what it is for */
	if (!scope_granted(token, request))
		return ATK_SCOPE_DENIED;

	/* 12 */
	return ATK_VALID;
}

static bool
not_before(const AtkToken *token, AttrNumber attno, TimestampTz limit)
{
	bool		isnull;
	Datum		when = atk_token_column(token, attno, &isnull);

	return !isnull && DatumGetTimestampTz(when) >= limit;
}

static bool
changed_since(const AtkToken *token, TimestampTz limit)
{
	return token->created_at >= limit ||
		not_before(token, Anum_token_status_changed_at, limit) ||
		not_before(token, Anum_token_rotated_at, limit);
}

static bool
last_use_since(AtkProbe *probe, const AtkToken *token, TimestampTz limit)
{
	AtkUse		use;

	return atk_usage_find(probe, &token->id, &use) &&
		use.last_used_at >= limit;
}

/*
 * Twice: what was in memory may have been written behind the first look's
 * snapshot, and been gone from memory when it came to look there.
 */
static bool
used_since(const AtkToken *token, TimestampTz limit)
{
	AtkProbe	probe;
	bool		used;

	atk_usage_begin(&probe, NULL);
	used = last_use_since(&probe, token, limit);
	if (!used)
	{
		atk_probe_refresh(&probe);
		used = last_use_since(&probe, token, limit);
	}
	atk_probe_end(&probe);
	return used;
}

/*
 * Is the latest of creation, change of state, rotation and use longer ago than
 * the realm allows?  What needs no look-up is asked first.
 */
ATK_HOT static bool
is_idle(const AtkToken *token, const AtkRealm *realm, TimestampTz now)
{
	TimestampTz limit;

	if (!realm->max_idle.given || !atk_guc_track_usage)
		return false;
	limit = atk_limit_before(now, &realm->max_idle.value);
	return !changed_since(token, limit) && !used_since(token, limit);
}

ATK_HOT static AtkOutcome
decide_now(const AtkToken *token, const AtkRequest *request, TimestampTz now)
{
	AtkRealm	realm;
	bool		isnull;
	text	   *id = DatumGetTextPP(atk_token_column(token, Anum_token_realm,
													 &isnull));

	if (!atk_realm_find(id, &realm))
		return atk_decide(token, NULL, false, now, request);
	return atk_decide(token, &realm, is_idle(token, &realm, now), now,
					  request);
}

ATK_HOT AtkOutcome
atk_verify(AtkTokenFinder *finder, const AtkPresented *presented,
		   const AtkRequest *request, AtkToken *token)
{
	bool		found = atk_token_find(finder, presented, token);
	TimestampTz now = GetCurrentTimestamp();
	AtkOutcome	outcome = found
		? decide_now(token, request, now) : ATK_UNKNOWN;

	atk_usage_note(found ? &token->id : NULL, outcome, now, request->address);
	if (unlikely(found && token->by_key > 0))
		atk_rekey_note(token, presented);
	return outcome;
}

AtkOutcome
atk_verify_malformed(const AtkRequest *request)
{
	atk_usage_note(NULL, ATK_MALFORMED, GetCurrentTimestamp(),
				   request->address);
	return ATK_MALFORMED;
}
