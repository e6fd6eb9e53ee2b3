/*
 * query_sql.c
 *		SQL interface of listing and searching tokens.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"

#include "query.h"

ATK_FUNCTION(atk_sql_list);
ATK_FUNCTION(atk_sql_query);

static text *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n);
}

static char *
string_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static int64 *
bigint_argument(FunctionCallInfo fcinfo, int n)
{
	int64	   *value;

	if (PG_ARGISNULL(n))
		return NULL;
	value = palloc(sizeof(int64));
	*value = PG_GETARG_INT64(n);
	return value;
}

static int32 *
integer_argument(FunctionCallInfo fcinfo, int n)
{
	int32	   *value;

	if (PG_ARGISNULL(n))
		return NULL;
	value = palloc(sizeof(int32));
	*value = PG_GETARG_INT32(n);
	return value;
}

/*
 * list(account_id, sort_field, sort_direction, page_offset, page_size,
 * environment_id, cursor) -> jsonb
 */
Datum
atk_sql_list(PG_FUNCTION_ARGS)
{
	AtkListArguments arguments = {
		.account_id = text_argument(fcinfo, 0),
		.sort_field = string_argument(fcinfo, 1),
		.sort_direction = string_argument(fcinfo, 2),
		.page_offset = bigint_argument(fcinfo, 3),
		.page_size = integer_argument(fcinfo, 4),
		.environment_id = text_argument(fcinfo, 5),
		.cursor = text_argument(fcinfo, 6),
	};

	PG_RETURN_JSONB_P(atk_list(&arguments));
}

/* query(realm, page, page_size, sort_by, sort_order, body, cursor) -> jsonb */
Datum
atk_sql_query(PG_FUNCTION_ARGS)
{
	AtkQueryArguments arguments = {
		.realm = text_argument(fcinfo, 0),
		.page = bigint_argument(fcinfo, 1),
		.page_size = integer_argument(fcinfo, 2),
		.sort_by = string_argument(fcinfo, 3),
		.sort_order = string_argument(fcinfo, 4),
		.body = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5),
		.cursor = text_argument(fcinfo, 6),
	};

	PG_RETURN_JSONB_P(atk_query(&arguments));
}
