/*
 * service_sql.c
 *		SQL interface of the service itself: its state, its search index.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "duty.h"
#include "guc.h"
#include "result.h"
#include "search_index.h"
#include "tally.h"
#include "usage.h"

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
	.ncolumns = 10,
	.columns = {
		{"library_version", TEXTOID},
		{"search_index", BOOLOID},
		{"usage_tracked", BOOLOID},
		{"usage_capacity", INT8OID},
		{"usage_pending", INT8OID},
		{"usage_dropped", INT8OID},
		{"worker_running", BOOLOID},
		{"worker_failures", INT8OID},
		{"last_flush_at", TIMESTAMPTZOID},
		{"last_flush_error", TEXTOID},
	}
};

/* It may have been cut inside a character, or be in another encoding. */
static Datum
ascii_text(char *message)
{
	for (char *c = message; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return CStringGetTextDatum(message);
}

/* stats() -> row */
Datum
atk_sql_stats(PG_FUNCTION_ARGS)
{
	AtkTallyStats tally;
	AtkDutyStats duty;
	Datum		values[10];
	bool		nulls[10] = {false};

	atk_tally_stats(&tally);
	if (tally.used > 0)
		atk_usage_ensure_worker(GetCurrentTimestamp());
	atk_duty_stats(&duty);
	values[0] = CStringGetTextDatum(ATK_VERSION);
	values[1] = BoolGetDatum(atk_search_index_exists());
	values[2] = BoolGetDatum(tally.attached && atk_guc_track_usage);
	values[3] = Int64GetDatum(tally.capacity);
	values[4] = Int64GetDatum(tally.used);
	values[5] = Int64GetDatum(tally.dropped);
	values[6] = BoolGetDatum(duty.worker);
	values[7] = Int64GetDatum(duty.failures);
	values[8] = atk_result_time(duty.last_flush, &nulls[8]);
	nulls[9] = duty.error[0] == '\0';
	values[9] = ascii_text(duty.error);
	return atk_result_row(&stats_result, values, nulls);
}

/* version() -> text: of the library, not of the SQL objects */
Datum
atk_sql_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ATK_VERSION));
}
