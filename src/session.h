/*
 * session.h
 *		Working on behalf of a token: authentication, and what it confines to.
 *
 * authenticate() makes a token the transaction's current one (current.h).
 * From then on the functions that read or change tokens are confined to its
 * realm and need one of its scopes; without one EXECUTE is their only gate.
 * Where the setting apitoken.require_token is on, they need one.
 *
 * Each such function comes through one of these doors before it does anything:
 *
 *		atk_session_require()			of any kind
 *		atk_session_enter()				for tokens of a realm that is named
 *		atk_session_hides()				for a token that was found
 *		atk_session_require_grant()		before a token may do more
 */
#ifndef ATK_SESSION_H
#define ATK_SESSION_H

#include "token.h"
#include "verify.h"

/* What a function does to tokens, and so what scope the current one needs. */
typedef enum AtkRight
{
	ATK_RIGHT_NONE,				/* by possession, or to the whole service */
	ATK_RIGHT_READ,				/* apitoken.read */
	ATK_RIGHT_WRITE				/* apitoken.write */
} AtkRight;

/*
 * Verifies a token and makes it the current one; the use is recorded as that
 * of any verification.  presented is NULL for what cannot be a token.  Raises
 * 28000, with the outcome, unless it is valid; what was current stays then.
 */
extern pg_uuid_t atk_authenticate(const AtkPresented *presented,
								  const AtkRequest *request);

/*
 * 28000 where a current token is required and there is none; 42501 where it
 * lacks the scope.
 */
extern void atk_session_require(AtkRight right);

/*
 * The same, and 42501 for another realm than the current token's.  Returns
 * that realm where none is named, so NULL only without a current token.
 */
extern const text *atk_session_enter(AtkRight right, const text *realm);

/* The current token's realm; NULL: none, all may be seen. */
extern const text *atk_session_realm(void);

/* Is a token of another realm, and so as good as unknown? */
extern bool atk_session_hides(const AtkToken *token);

/* 42501 unless the current token grants all of these. */
extern void atk_session_require_grant(const struct varlena *scopes);

#endif							/* ATK_SESSION_H */
