/*
 * represent_sql.c
 *		SQL interface of the published APIs' operations on one token.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "represent.h"
#include "secret.h"
#include "session.h"
#include "token_text.h"

ATK_FUNCTION(atk_sql_details);
ATK_FUNCTION(atk_sql_lookup);
ATK_FUNCTION(atk_sql_read);

/* What nobody presented, or cannot be a token, belongs to none. */
static bool
present(const text *token, AtkPresented *presented)
{
	return token != NULL &&
		atk_present_text(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token),
						 presented);
}

static Jsonb *
represent(AtkShape shape, const AtkSubject *subject)
{
	AtkJson		json = {NULL};

	atk_represent(&json, shape, subject);
	return atk_json_finish(&json);
}

/*
 * The token of a text in a shape, or NULL if there is none, its secret was
 * rotated away, or it has expired and the shape hides that.  shown is the
 * text if it is to be told.
 */
static Jsonb *
represent_by_text(AtkShape shape, const text *token_text, const text *shown,
				  bool hide_expired)
{
	AtkTokenFinder finder;
	AtkPresented presented;
	AtkToken	token;
	TimestampTz now = GetCurrentTimestamp();
	Jsonb	   *answer = NULL;

	if (!present(token_text, &presented))
		return NULL;

	atk_token_finder_begin(&finder);
	if (atk_token_find(&finder, &presented, &token) &&
		!atk_secret_superseded(&token, now) &&
		!(hide_expired && token.expires_at <= now))
	{
		AtkSubjectReader reader;
		AtkSubject	subject;

		atk_subject_reader_begin_found(&reader, NULL, now);
		atk_subject_complete(&reader, &token, &subject);
		subject.text = shown;
		answer = represent(shape, &subject);
		atk_subject_reader_end(&reader);
	}
	atk_token_finder_end(&finder);
	return answer;
}

/* Argument 0, once nothing stands in the way of its digest. */
static text *
read_token(FunctionCallInfo fcinfo)
{
	atk_session_require(ATK_RIGHT_NONE);
	atk_pepper_require();
	return PG_ARGISNULL(0) ? NULL : atk_secret_argument(PG_GETARG_DATUM(0));
}

/* details(token text, include_token boolean) -> jsonb */
Datum
atk_sql_details(PG_FUNCTION_ARGS)
{
	text	   *token = read_token(fcinfo);
	bool		include = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	Jsonb	   *answer = represent_by_text(ATK_SHAPE_DETAILS, token,
										   include ? token : NULL, true);

	if (token != NULL)
		atk_wipe_copy(token, PG_GETARG_DATUM(0));
	if (answer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(answer);
}

/* lookup(token text) -> jsonb */
Datum
atk_sql_lookup(PG_FUNCTION_ARGS)
{
	text	   *token = read_token(fcinfo);
	Jsonb	   *answer = represent_by_text(ATK_SHAPE_LOOKUP, token, NULL,
										   false);

	if (token != NULL)
		atk_wipe_copy(token, PG_GETARG_DATUM(0));
	if (answer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(answer);
}

/* read(id uuid) -> jsonb */
Datum
atk_sql_read(PG_FUNCTION_ARGS)
{
	AtkSubjectReader reader;
	AtkSubject	subject;
	Jsonb	   *answer = NULL;

	atk_session_require(ATK_RIGHT_READ);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	atk_subject_reader_begin(&reader, NULL, GetCurrentTimestamp());
	if (atk_subject_read(&reader, PG_GETARG_UUID_P(0), &subject) &&
		!atk_session_hides(subject.token))
		answer = represent(ATK_SHAPE_RECORD, &subject);
	atk_subject_reader_end(&reader);

	if (answer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(answer);
}
