/*
 * verify.h
 *		Whether a use of a token is allowed.
 *
 *		digest -> probe -> decide -> record
 *
 * A verification never writes to a table and never raises for a bad token:
 * it ends with one outcome out of a closed list.
 */
#ifndef ATK_VERIFY_H
#define ATK_VERIFY_H

#include "utils/inet.h"

#include "outcome.h"
#include "realm.h"
#include "scopes.h"
#include "token.h"

/* What is asked for beside the token. */
typedef struct AtkRequest
{
	AtkScopes	required;		/* empty: none */
	const inet *address;		/* NULL: not known */
} AtkRequest;

/* Of a function whose arguments 1 and 2 are scope and address. */
extern AtkRequest atk_request_of(FunctionCallInfo fcinfo);

/*
 * Decides on a token that was found, at a moment.  A realm of NULL has been
 * removed: it is as good as disabled.  idle: it was not used for longer than
 * the realm allows.  Pure.
 */
extern AtkOutcome atk_decide(const AtkToken *token, const AtkRealm *realm,
							 bool idle, TimestampTz now,
							 const AtkRequest *request);

/*
 * Looks up what was presented, decides on it now, and records the use.  token
 * is filled from ATK_SUPERSEDED on, and belongs to the finder.
 */
extern AtkOutcome atk_verify(AtkTokenFinder *finder,
							 const AtkPresented *presented,
							 const AtkRequest *request, AtkToken *token);

/* Records and returns what is known without looking: ATK_MALFORMED. */
extern AtkOutcome atk_verify_malformed(const AtkRequest *request);

#endif							/* ATK_VERIFY_H */
