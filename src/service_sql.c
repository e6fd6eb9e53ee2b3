/*
 * service_sql.c
 *		SQL interface of the service itself: its state, its search index.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "duty.h"
#include "guc.h"
#include "rekey.h"
#include "result.h"
#include "seal.h"
#include "search_index.h"
#include "session.h"
#include "summon.h"
#include "tally.h"

ATK_FUNCTION(atk_sql_enable_search);
ATK_FUNCTION(atk_sql_stats);
ATK_FUNCTION(atk_sql_version);

/* enable_search() -> boolean: was anything made? */
Datum
atk_sql_enable_search(PG_FUNCTION_ARGS)
{
	atk_session_require(ATK_RIGHT_NONE);
	PreventCommandIfReadOnly("apitoken.enable_search()");
	PG_RETURN_BOOL(atk_search_index_create());
}

static AtkResult stats_result = {
	.ncolumns = 16,
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
		{"oldest_unsealed_event", TIMESTAMPTZOID},
		{"last_seal", INT8OID},
		{"last_seal_error", TEXTOID},
		{"key_id", INT4OID},
		{"key_problem", TEXTOID},
		{"key_remaining", INT8OID},
	}
};

/* It may have been cut inside a character, or be in another encoding. */
static Datum
error_text(char *message, bool *isnull)
{
	*isnull = message[0] == '\0';
	for (char *c = message; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return CStringGetTextDatum(message);
}

static void
put_worker(const AtkTallyStats *tally, Datum *values, bool *nulls)
{
	AtkDutyStats duty;
	char	   *flush_error;

	atk_duty_stats(&duty);
	flush_error = duty.errors[ATK_JOB_FLUSH];
	if (flush_error[0] == '\0')
		flush_error = duty.errors[ATK_JOB_REUSE];
	values[3] = Int64GetDatum(tally->capacity);
	values[4] = Int64GetDatum(tally->uses);
	values[5] = Int64GetDatum(tally->dropped);
	values[6] = BoolGetDatum(duty.worker);
	values[7] = Int64GetDatum(duty.failures);
	values[8] = atk_result_time(duty.last_flush, &nulls[8]);
	values[9] = error_text(flush_error, &nulls[9]);
	values[12] = error_text(duty.errors[ATK_JOB_SEAL], &nulls[12]);
}

/* What is wrong with a key; the current one's trouble before the other's. */
static char *
key_problem(const AtkPepperState states[ATK_PEPPERS])
{
	for (int i = 0; i < ATK_PEPPERS; i++)
	{
		if (states[i].problem != NULL)
			return states[i].problem;
	}
	return states[1].set ? atk_rekey_problem() : NULL;
}

static void
put_keys(Datum *values, bool *nulls)
{
	AtkPepperState states[ATK_PEPPERS];
	char	   *problem;
	int64		remaining;

	atk_pepper_state(states);
	problem = key_problem(states);
	values[13] = Int32GetDatum(states[0].id);
	nulls[13] = !states[0].known;
	nulls[14] = problem == NULL;
	if (problem != NULL)
		values[14] = CStringGetTextDatum(problem);
	nulls[15] = !states[0].known || !states[1].known ||
		!atk_rekey_remaining(&remaining);
	if (!nulls[15])
		values[15] = Int64GetDatum(remaining);
}

/* stats() -> row; whoever looks and finds work sees to it that it is done */
Datum
atk_sql_stats(PG_FUNCTION_ARGS)
{
	AtkTallyStats tally;
	AtkSealStats seal;
	Datum		values[16];
	bool		nulls[16] = {false};

	atk_session_require(ATK_RIGHT_NONE);
	atk_tally_stats(&tally);
	atk_seal_stats(&seal);
	if ((seal.unknown || !TIMESTAMP_IS_NOBEGIN(seal.oldest_unsealed)) &&
		!RecoveryInProgress())
		atk_summon_to_seal();
	else if (tally.used > 0)
		atk_summon(GetCurrentTimestamp());
	values[0] = CStringGetTextDatum(ATK_VERSION);
	values[1] = BoolGetDatum(atk_search_index_exists());
	values[2] = BoolGetDatum(tally.attached && atk_guc_track_usage);
	put_worker(&tally, values, nulls);
	values[10] = atk_result_time(seal.oldest_unsealed, &nulls[10]);
	values[11] = Int64GetDatum(seal.last_seal);
	nulls[11] = seal.last_seal == 0;
	put_keys(values, nulls);
	return atk_result_row(&stats_result, values, nulls);
}

/* version() -> text: of the library, not of the SQL objects */
Datum
atk_sql_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ATK_VERSION));
}
