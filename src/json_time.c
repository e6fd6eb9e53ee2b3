/*
 * json_time.c
 *		Times in the forms of the published documents; see json_time.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/timestamp.h"

#include "json_time.h"

/* A number of units that have so many microseconds, rounded down. */
static int64
whole_units(int64 time, int64 microseconds)
{
	return time / microseconds - (time % microseconds < 0);
}

/* The latest times would not fit as microseconds since that epoch. */
int64
atk_json_time_epoch(TimestampTz time, int64 microseconds)
{
	const int64 days = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

	return whole_units(time, microseconds) +
		days * USECS_PER_DAY / microseconds;
}

const char *
atk_json_time_iso(TimestampTz time, bool with_milliseconds)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char	   *string;

	if (timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	string = psprintf("%s%04d-%02d-%02dT%02d:%02d:%02d",
					  tm.tm_year < 0 ? "-" : "", abs(tm.tm_year),
					  tm.tm_mon, tm.tm_mday,
					  tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (with_milliseconds)
		string = psprintf("%s.%03d", string, (int) (fsec / 1000));
	return psprintf("%sZ", string);
}

int64
atk_json_time_minutes(const Interval *span)
{
	int64		days = span->day + (int64) span->month * DAYS_PER_MONTH;

	return days * HOURS_PER_DAY * MINS_PER_HOUR +
		whole_units(span->time, USECS_PER_MINUTE);
}
