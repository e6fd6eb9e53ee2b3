/*
 * service_sql.c
 *		SQL interface of the service itself: its state, its search index.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "result.h"
#include "search_index.h"

ATK_FUNCTION(atk_sql_enable_search);
ATK_FUNCTION(atk_sql_stats);
ATK_FUNCTION(atk_sql_version);

/* enable_search() -> boolean: was anything made? */
Datum
atk_sql_enable_search(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("apitoken.enable_search()");
	PG_RETURN_BOOL(atk_search_index_create());
}

static AtkResult stats_result = {
	.ncolumns = 2,
	.columns = {
		{"library_version", TEXTOID},
		{"search_index", BOOLOID},
	}
};

/* stats() -> row */
Datum
atk_sql_stats(PG_FUNCTION_ARGS)
{
	Datum		values[2] = {
		CStringGetTextDatum(ATK_VERSION),
		BoolGetDatum(atk_search_index_exists()),
	};
	bool		nulls[2] = {false};

	return atk_result_row(&stats_result, values, nulls);
}

/* version() -> text: of the library, not of the SQL objects */
Datum
atk_sql_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ATK_VERSION));
}
