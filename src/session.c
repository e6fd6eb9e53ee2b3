/*
 * session.c
 *		Working on behalf of a token; see session.h.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "current.h"
#include "guc.h"
#include "session.h"

static const char *const right_scopes[] = {
	[ATK_RIGHT_READ] = "apitoken.read",
	[ATK_RIGHT_WRITE] = "apitoken.write",
};

/* --- authentication --- */

static void
make_current(const AtkToken *token)
{
	AtkCurrent	current = {.id = token->id};
	bool		isnull;
	Datum		principal;

	current.realm = DatumGetTextPP(atk_token_column(token, Anum_token_realm,
													&isnull));
	principal = atk_token_column(token, Anum_token_principal, &isnull);
	if (!isnull)
		current.principal = DatumGetTextPP(principal);
	current.scopes =
		PG_DETOAST_DATUM_PACKED(atk_token_column(token, Anum_token_scopes,
												 &isnull));
	atk_current_set(&current);
}

/*
 * The outcome tells nobody more than he knows: past "unknown" one comes only
 * with the secret.
 */
pg_noreturn static void
raise_not_valid(AtkOutcome outcome)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("token is not valid"),
			 errdetail("The outcome of its verification is \"%s\".",
					   atk_outcome_name(outcome))));
}

pg_uuid_t
atk_authenticate(const AtkPresented *presented, const AtkRequest *request)
{
	AtkTokenFinder finder;
	AtkToken	token;
	AtkOutcome	outcome;

	if (presented == NULL)
		raise_not_valid(atk_verify_malformed(request));

	atk_token_finder_begin(&finder);
	outcome = atk_verify(&finder, presented, request, &token);
	if (outcome != ATK_VALID)
		raise_not_valid(outcome);
	make_current(&token);
	atk_token_finder_end(&finder);
	return token.id;
}

/* --- confinement --- */

pg_noreturn static void
raise_denied(const char *message, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s", message),
			 errdetail("%s", detail)));
}

static void
require_current(void)
{
	if (!atk_guc_require_token || atk_current() != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("a current token is required"),
			 errdetail("The setting apitoken.require_token is on."),
			 errhint("Call apitoken.authenticate() earlier in the transaction.")));
}

void
atk_session_require(AtkRight right)
{
	const AtkCurrent *current = atk_current();
	AtkScopes	needed;

	require_current();
	if (current == NULL || right == ATK_RIGHT_NONE)
		return;
	needed = (AtkScopes) {right_scopes[right], strlen(right_scopes[right])};
	if (!atk_scopes_grant(ATK_SCOPES_OF(current->scopes), needed))
		raise_denied("permission denied for the current token",
					 psprintf("It lacks the scope %s.", right_scopes[right]));
}

const text *
atk_session_enter(AtkRight right, const text *realm)
{
	const AtkCurrent *current = atk_current();

	atk_session_require(right);
	if (current == NULL)
		return realm;
	if (realm != NULL && !atk_same_text(realm, current->realm))
		raise_denied("permission denied for the current token",
					 "It is a token of another realm.");
	return current->realm;
}

const text *
atk_session_realm(void)
{
	const AtkCurrent *current = atk_current();

	return current == NULL ? NULL : current->realm;
}

bool
atk_session_hides(const AtkToken *token)
{
	const AtkCurrent *current = atk_current();
	bool		isnull;
	Datum		realm;

	if (current == NULL)
		return false;
	realm = atk_token_column(token, Anum_token_realm, &isnull);
	return !atk_same_text(DatumGetTextPP(realm), current->realm);
}

/* Which scope, never its text: it may be a misplaced secret. */
static void
check_grant(AtkScopes held, AtkScope scope, int number)
{
	if (atk_scopes_grant(held, (AtkScopes) {scope.text, scope.len}))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("scope number %d is not granted by the current token",
					number),
			 errdetail("Scopes are numbered in their order as a set: bytewise, each once."),
			 errhint("A token gives out or renews no more than it may do itself.")));
}

void
atk_session_require_grant(const struct varlena *scopes)
{
	const AtkCurrent *current = atk_current();
	AtkScope	scope;
	int			number = 0;

	if (current == NULL)
		return;
	scope = (AtkScope) {VARDATA_ANY(scopes), 0};
	while (atk_scopes_next(ATK_SCOPES_OF(scopes), &scope))
	{
		CHECK_FOR_INTERRUPTS();
		check_grant(ATK_SCOPES_OF(current->scopes), scope, ++number);
	}
}
