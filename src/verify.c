/*
 * verify.c
 *		Whether a use of a token is allowed; see verify.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/array.h"
#include "utils/timestamp.h"

#include "address.h"
#include "verify.h"

static const char *const outcome_names[] = {
	[ATK_MALFORMED] = "malformed",
	[ATK_UNKNOWN] = "unknown",
	[ATK_SUPERSEDED] = "superseded",
	[ATK_REVOKED] = "revoked",
	[ATK_SUSPENDED] = "suspended",
	[ATK_REALM_DISABLED] = "realm_disabled",
	[ATK_NOT_YET_VALID] = "not_yet_valid",
	[ATK_EXPIRED] = "expired",
	[ATK_IDLE] = "idle",
	[ATK_ADDRESS_DENIED] = "address_denied",
	[ATK_SCOPE_DENIED] = "scope_denied",
	[ATK_VALID] = "valid",
};

const char *
atk_outcome_name(AtkOutcome outcome)
{
	return outcome_names[outcome];
}

static bool
address_allowed(const AtkToken *token, const AtkRequest *request)
{
	bool		isnull;
	Datum		networks = atk_token_column(token, Anum_token_allowed_addresses,
											&isnull);

	return isnull ||
		atk_address_allowed(DatumGetArrayTypeP(networks), request->address);
}

static bool
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

AtkOutcome
atk_decide(const AtkToken *token, const AtkRealm *realm,
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

	/* 10 where it comes from */
	if (!address_allowed(token, request))
		return ATK_ADDRESS_DENIED;

	/* 11 what it is for */
	if (!scope_granted(token, request))
		return ATK_SCOPE_DENIED;

	/* 12 */
	return ATK_VALID;
}

AtkOutcome
atk_verify(AtkTokenFinder *finder, const AtkDigest *digest,
		   const AtkRequest *request, AtkToken *token)
{
	AtkRealm	realm;
	bool		realm_found;
	bool		isnull;

	if (!atk_token_find(finder, digest, token))
		return ATK_UNKNOWN;
	realm_found =
		atk_realm_find(DatumGetTextPP(atk_token_column(token,
													   Anum_token_realm,
													   &isnull)),
					   &realm);
	return atk_decide(token, realm_found ? &realm : NULL,
					  GetCurrentTimestamp(), request);
}
