/*
 * verify.h
 *		Whether a use of a token is allowed.
 *
 *		digest -> probe -> decide
 *
 * A verification never writes to a table and never raises for a bad token:
 * it ends with one outcome out of a closed list.
 */
#ifndef ATK_VERIFY_H
#define ATK_VERIFY_H

#include "utils/inet.h"

#include "realm.h"
#include "scopes.h"
#include "token.h"

/* In the order in which they are decided. */
typedef enum AtkOutcome
{
	ATK_MALFORMED,
	ATK_UNKNOWN,
	ATK_SUPERSEDED,
	ATK_REVOKED,
	ATK_SUSPENDED,
	ATK_REALM_DISABLED,
	ATK_NOT_YET_VALID,
	ATK_EXPIRED,
	ATK_IDLE,
	ATK_ADDRESS_DENIED,
	ATK_SCOPE_DENIED,
	ATK_VALID
} AtkOutcome;

/* What is asked for beside the token. */
typedef struct AtkRequest
{
	AtkScopes	required;		/* empty: none */
	const inet *address;		/* NULL: not known */
} AtkRequest;

extern const char *atk_outcome_name(AtkOutcome outcome);

/*
 * Decides on a token that was found, at a moment.  A realm of NULL has been
 * removed: it is as good as disabled.  Pure.
 */
extern AtkOutcome atk_decide(const AtkToken *token, const AtkRealm *realm,
							 TimestampTz now, const AtkRequest *request);

/*
 * Looks a digest up and decides on it now.  token is filled from
 * ATK_SUPERSEDED on, and belongs to the finder.
 */
extern AtkOutcome atk_verify(AtkTokenFinder *finder, const AtkDigest *digest,
							 const AtkRequest *request, AtkToken *token);

#endif							/* ATK_VERIFY_H */
