/*
 * usage_sql.c
 *		SQL interface of recorded use.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/timestamp.h"

#include "flush.h"
#include "session.h"
#include "usage.h"

ATK_FUNCTION(atk_sql_flush_usage);
ATK_FUNCTION(atk_sql_last_used_at);
ATK_FUNCTION(atk_sql_last_used_ip);
ATK_FUNCTION(atk_sql_use_count);

/* flush_usage() -> bigint: all batches in the caller's transaction */
Datum
atk_sql_flush_usage(PG_FUNCTION_ARGS)
{
	int64		written = 0;
	int			position = 0;
	int			n;

	atk_session_require(ATK_RIGHT_NONE);
	PreventCommandIfReadOnly("apitoken.flush_usage()");
	do
	{
		CHECK_FOR_INTERRUPTS();
		n = atk_flush_batch(&position);
		written += n;
	} while (n == ATK_FLUSH_BATCH);
	PG_RETURN_INT64(written);
}

/* What the table has, by arguments n (last use) and, if that is not 0, ip. */
static AtkUse
stored_use(FunctionCallInfo fcinfo, int n, int ip)
{
	AtkUse		use = {DT_NOBEGIN, NULL, 0};

	if (!PG_ARGISNULL(n))
		use.last_used_at = PG_GETARG_TIMESTAMPTZ(n);
	if (ip != 0 && !PG_ARGISNULL(ip))
		use.last_used_ip = PG_GETARG_INET_PP(ip);
	return use;
}

/* _last_used_at(id uuid, stored timestamptz) -> timestamptz */
Datum
atk_sql_last_used_at(PG_FUNCTION_ARGS)
{
	AtkUse		use = stored_use(fcinfo, 1, 0);

	if (!PG_ARGISNULL(0))
		atk_usage_overlay(PG_GETARG_UUID_P(0), &use);
	if (TIMESTAMP_IS_NOBEGIN(use.last_used_at))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(use.last_used_at);
}

/* _last_used_ip(id uuid, stored_at timestamptz, stored inet) -> text */
Datum
atk_sql_last_used_ip(PG_FUNCTION_ARGS)
{
	AtkUse		use = stored_use(fcinfo, 1, 2);

	if (!PG_ARGISNULL(0))
		atk_usage_overlay(PG_GETARG_UUID_P(0), &use);
	if (use.last_used_ip == NULL)
		PG_RETURN_NULL();
	return DirectFunctionCall1(network_host, InetPGetDatum(use.last_used_ip));
}

/* _use_count(id uuid, stored bigint) -> bigint */
Datum
atk_sql_use_count(PG_FUNCTION_ARGS)
{
	AtkUse		use = {DT_NOBEGIN, NULL, 0};

	if (!PG_ARGISNULL(1))
		use.use_count = PG_GETARG_INT64(1);
	if (!PG_ARGISNULL(0))
		atk_usage_overlay(PG_GETARG_UUID_P(0), &use);
	PG_RETURN_INT64(use.use_count);
}
