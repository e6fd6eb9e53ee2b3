/*
 * session_sql.c
 *		SQL interface of the transaction's current token.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "current.h"
#include "session.h"

ATK_FUNCTION(atk_sql_authenticate);
ATK_FUNCTION(atk_sql_current_principal);
ATK_FUNCTION(atk_sql_current_realm);
ATK_FUNCTION(atk_sql_current_token);
ATK_FUNCTION(atk_sql_has_scope);

/* Answers are copies: what is current can be replaced in the same statement. */
static Datum
copy_of(const void *value)
{
	return PointerGetDatum(DatumGetTextPCopy(PointerGetDatum(value)));
}

static Datum
uuid_of(const pg_uuid_t *id)
{
	pg_uuid_t  *copy = palloc(sizeof(pg_uuid_t));

	*copy = *id;
	return UUIDPGetDatum(copy);
}

/* authenticate(token text, scope text, address inet) -> uuid */
Datum
atk_sql_authenticate(PG_FUNCTION_ARGS)
{
	AtkRequest	request = atk_request_of(fcinfo);
	AtkPresented presented;
	bool		possible = !PG_ARGISNULL(0) &&
		atk_present_argument(PG_GETARG_DATUM(0), &presented);
	pg_uuid_t	id = atk_authenticate(possible ? &presented : NULL, &request);

	return uuid_of(&id);
}

/* current_token() -> uuid */
Datum
atk_sql_current_token(PG_FUNCTION_ARGS)
{
	const AtkCurrent *current = atk_current();

	if (current == NULL)
		PG_RETURN_NULL();
	return uuid_of(&current->id);
}

/* current_realm() -> text */
Datum
atk_sql_current_realm(PG_FUNCTION_ARGS)
{
	const AtkCurrent *current = atk_current();

	if (current == NULL)
		PG_RETURN_NULL();
	return copy_of(current->realm);
}

/* current_principal() -> text */
Datum
atk_sql_current_principal(PG_FUNCTION_ARGS)
{
	const AtkCurrent *current = atk_current();

	if (current == NULL || current->principal == NULL)
		PG_RETURN_NULL();
	return copy_of(current->principal);
}

/*
 * has_scope(scope text) -> boolean.  NULL is false: nothing that was left out
 * may open a policy.
 */
Datum
atk_sql_has_scope(PG_FUNCTION_ARGS)
{
	const AtkCurrent *current = atk_current();
	struct varlena *required;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	required = atk_scopes_required(PG_GETARG_TEXT_PP(0));
	PG_RETURN_BOOL(current != NULL &&
				   atk_scopes_grant(ATK_SCOPES_OF(current->scopes),
									ATK_SCOPES_OF(required)));
}
