/*
 * outcome.c
 *		What a verification can end with; see outcome.h.
 */
#include "postgres.h"
#include "compat.h"

#include "outcome.h"

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
