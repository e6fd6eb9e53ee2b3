/*
 * represent_sql.c
 *		SQL interface of the published APIs' operations on one token.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "represent.h"
#include "token_text.h"

ATK_FUNCTION(atk_sql_lookup);

/* NULL for what nobody presented, cannot be a token or belongs to none. */
static bool
read_digest(FunctionCallInfo fcinfo, AtkDigest *digest)
{
	text	   *token;

	if (PG_ARGISNULL(0))
		return false;
	token = PG_GETARG_TEXT_PP(0);
	if (!atk_text_possible(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token)))
		return false;
	atk_digest_of_text(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), digest);
	return true;
}

static Jsonb *
represent(AtkShape shape, const AtkToken *token)
{
	AtkUse		use;
	AtkSubject	subject = {token, NULL};

	if (atk_usage_find(&token->id, &use))
		subject.use = &use;
	return atk_represent(shape, &subject);
}

/* lookup(token text) -> jsonb */
Datum
atk_sql_lookup(PG_FUNCTION_ARGS)
{
	AtkTokenFinder finder;
	AtkDigest	digest;
	AtkToken	token;
	Jsonb	   *answer = NULL;

	if (!read_digest(fcinfo, &digest))
		PG_RETURN_NULL();

	atk_token_finder_begin(&finder);
	if (atk_token_find(&finder, &digest, &token) &&
		!atk_secret_superseded(&token, GetCurrentTimestamp()))
		answer = represent(ATK_SHAPE_LOOKUP, &token);
	atk_token_finder_end(&finder);

	if (answer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(answer);
}
