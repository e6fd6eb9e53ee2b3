/*
 * report_sql.c
 *		What the views and functions of reports need beyond SQL.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "scopes.h"
#include "session.h"

ATK_FUNCTION(atk_sql_required_scopes);
ATK_FUNCTION(atk_sql_required_time);
ATK_FUNCTION(atk_sql_unknown_scopes);

static void
require_argument(FunctionCallInfo fcinfo, const char *name)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

/*
 * _required_scopes(scope text) -> scopes.  Every call of tokens_granting()
 * comes here, hence the door.
 */
Datum
atk_sql_required_scopes(PG_FUNCTION_ARGS)
{
	atk_session_require(ATK_RIGHT_NONE);
	require_argument(fcinfo, "scope");
	PG_RETURN_POINTER(atk_scopes_required(PG_GETARG_TEXT_PP(0)));
}

/* _required_time(at timestamptz) -> timestamptz: so for tokens_at() */
Datum
atk_sql_required_time(PG_FUNCTION_ARGS)
{
	atk_session_require(ATK_RIGHT_NONE);
	require_argument(fcinfo, "at");
	PG_RETURN_TIMESTAMPTZ(PG_GETARG_TIMESTAMPTZ(0));
}

/* _unknown_scopes(scopes, known scopes) -> text, NULL if there are none */
Datum
atk_sql_unknown_scopes(PG_FUNCTION_ARGS)
{
	struct varlena *scopes = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	struct varlena *known = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	struct varlena *unknown = atk_scopes_unknown(ATK_SCOPES_OF(scopes),
												 ATK_SCOPES_OF(known));

	if (VARSIZE_ANY_EXHDR(unknown) == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(unknown);	/* its content is the text form */
}
