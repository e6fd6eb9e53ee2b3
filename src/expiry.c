/*
 * expiry.c
 *		How long a token shall live; see expiry.h.
 */
#include "postgres.h"
#include "compat.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "expiry.h"

bool
atk_expiry_given(const AtkExpiry *expiry)
{
	return expiry->in != NULL || expiry->at != NULL;
}

void
atk_expiry_check_positive(const char *argument, const Interval *span)
{
	static const Interval zero = {0};

	if (!DatumGetBool(DirectFunctionCall2(interval_gt,
										  IntervalPGetDatum(span),
										  IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not a positive interval", argument)));
}

/* Is a part of it, months, days or time, longer than so many years? */
static bool
exceeds(const Interval *span, int years)
{
	return fabs(span->month / (double) MONTHS_PER_YEAR) > years ||
		fabs(span->day / DAYS_PER_YEAR) > years ||
		fabs(span->time / (double) USECS_PER_DAY / DAYS_PER_YEAR) > years;
}

TimestampTz
atk_time_add(TimestampTz start, const Interval *span)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(start),
												   IntervalPGetDatum(span)));
}

TimestampTz
atk_time_subtract(TimestampTz start, const Interval *span)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
												   TimestampTzGetDatum(start),
												   IntervalPGetDatum(span)));
}

TimestampTz
atk_limit_after(TimestampTz start, const Interval *limit)
{
	return exceeds(limit, ATK_LIMIT_YEARS) ? DT_NOEND
		: atk_time_add(start, limit);
}

TimestampTz
atk_limit_before(TimestampTz start, const Interval *limit)
{
	return exceeds(limit, ATK_LIMIT_YEARS) ? DT_NOBEGIN
		: atk_time_subtract(start, limit);
}

/* PostgreSQL 17 brought infinite intervals. */
static void
check_finite(const char *argument, const Interval *span)
{
	if (!DatumGetBool(DirectFunctionCall1(interval_finite,
										  IntervalPGetDatum(span))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is infinite", argument)));
}

static void
check_order(const char *argument, TimestampTz first, TimestampTz second)
{
	if (first > second)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is negative", argument)));
}

TimestampTz
atk_time_after(const char *argument, const Interval *span, TimestampTz start)
{
	TimestampTz end;

	check_finite(argument, span);
	end = atk_time_add(start, span);
	check_order(argument, start, end);
	return end;
}

TimestampTz
atk_time_before(const char *argument, const Interval *span,
				TimestampTz start)
{
	TimestampTz end;

	check_finite(argument, span);
	end = atk_time_subtract(start, span);
	check_order(argument, end, start);
	return end;
}

/* Three parts of this length, from today, end before timestamps do. */
#define LIFE_YEARS		90000

/*
 * Not taken for "never": who mistook a unit would have given away for ever
 * what was to end.
 */
static void
check_tellable(const char *argument, const Interval *life)
{
	if (exceeds(life, LIFE_YEARS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is too long", argument),
				 errdetail("It can be %d years.", LIFE_YEARS)));
}

/*
 * The end of a life that begins now.  The calendar may make nothing of an
 * interval that looks positive: "-1 year 361 days".
 */
static TimestampTz
end_after(const char *argument, const Interval *life, TimestampTz now)
{
	TimestampTz end;

	atk_expiry_check_positive(argument, life);
	check_tellable(argument, life);
	end = atk_time_add(now, life);
	if (end <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s ends in the past", argument)));
	return end;
}

/* The end that was asked for, DT_NOEND for never. */
static TimestampTz
requested_end(const AtkExpiry *expiry, const AtkRealm *realm, TimestampTz now)
{
	if (expiry->in != NULL && expiry->at != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_in and expires_at cannot both be given")));
	if (expiry->at != NULL)
	{
		if (*expiry->at <= now)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("expires_at is in the past")));
		return *expiry->at;
	}
	if (expiry->in != NULL)
		return end_after("expires_in", expiry->in, now);
	return realm->default_ttl.given
		? end_after("default_ttl", &realm->default_ttl.value, now) : DT_NOEND;
}

/* The life that was granted, as it was said or else as it comes out. */
static const Interval *
granted_ttl(const AtkExpiry *expiry, const AtkRealm *realm,
			TimestampTz now, TimestampTz end)
{
	if (expiry->in != NULL)
		return expiry->in;
	if (expiry->at == NULL)
		return &realm->default_ttl.value;
	return DatumGetIntervalP(DirectFunctionCall2(timestamp_mi,
												 TimestampTzGetDatum(end),
												 TimestampTzGetDatum(now)));
}

void
atk_expiry_check_max(const AtkRealm *realm, TimestampTz now, TimestampTz end)
{
	Datum		max;

	if (!realm->max_ttl.given ||
		end <= atk_limit_after(now, &realm->max_ttl.value))
		return;
	max = DirectFunctionCall1(interval_out,
							  IntervalPGetDatum(&realm->max_ttl.value));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("token would live longer than its realm allows"),
			 errdetail("The realm's max_ttl is %s.", DatumGetCString(max)),
			 errhint("Give expires_in or expires_at within it.")));
}

AtkLife
atk_expiry_grant(const AtkExpiry *expiry, const AtkRealm *realm,
				 TimestampTz now)
{
	AtkLife		life = {requested_end(expiry, realm, now), {0}};

	/* A default stands for itself: February is shorter than 30 days. */
	if (atk_expiry_given(expiry) || !realm->default_ttl.given)
		atk_expiry_check_max(realm, now, life.end);
	if (!TIMESTAMP_IS_NOEND(life.end))
		life.ttl = *granted_ttl(expiry, realm, now, life.end);
	return life;
}
