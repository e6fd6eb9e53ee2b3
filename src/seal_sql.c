/*
 * seal_sql.c
 *		SQL interface of the sealed history and of what is kept how long.
 */
#include "postgres.h"
#include "compat.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "audit.h"
#include "retention.h"
#include "seal.h"
#include "session.h"

ATK_FUNCTION(atk_sql_check_events);
ATK_FUNCTION(atk_sql_purge_events);
ATK_FUNCTION(atk_sql_purge_usage);
ATK_FUNCTION(atk_sql_seal_events);

/* seal_events() -> bigint: all seals in the caller's transaction */
Datum
atk_sql_seal_events(PG_FUNCTION_ARGS)
{
	int64		sealed = 0;
	int64		after = ATK_SEAL_FROM_START;
	int			n;

	atk_session_require(ATK_RIGHT_NONE);
	PreventCommandIfReadOnly("apitoken.seal_events()");
	do
	{
		CHECK_FOR_INTERRUPTS();
		n = atk_seal_batch(&after);
		sealed += n;
	} while (n == ATK_SEAL_BATCH);
	PG_RETURN_INT64(sealed);
}

static void
put_finding(const AtkFinding *finding, void *arg)
{
	ReturnSetInfo *rsinfo = arg;
	Datum		values[4];
	bool		nulls[4] = {false};

	nulls[0] = nulls[1] = !finding->of_seal;
	nulls[2] = !finding->of_event;
	values[0] = Int64GetDatum(finding->seal);
	values[1] = TimestampTzGetDatum(finding->sealed_at);
	values[2] = Int64GetDatum(finding->event);
	values[3] = CStringGetTextDatum(finding->problem);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* check_events() -> SETOF (seal_id, sealed_at, event_id, problem) */
Datum
atk_sql_check_events(PG_FUNCTION_ARGS)
{
	atk_session_require(ATK_RIGHT_NONE);
	InitMaterializedSRF(fcinfo, 0);
	atk_audit(put_finding, fcinfo->resultinfo);
	return (Datum) 0;
}

static Interval *
interval_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_INTERVAL_P(n);
}

/* purge_events(older_than interval) -> bigint */
Datum
atk_sql_purge_events(PG_FUNCTION_ARGS)
{
	atk_session_require(ATK_RIGHT_NONE);
	PG_RETURN_INT64(atk_purge_events(interval_argument(fcinfo, 0)));
}

/* purge_usage(older_than interval) -> bigint */
Datum
atk_sql_purge_usage(PG_FUNCTION_ARGS)
{
	atk_session_require(ATK_RIGHT_NONE);
	PG_RETURN_INT64(atk_purge_usage(interval_argument(fcinfo, 0)));
}
