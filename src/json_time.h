/*
 * json_time.h
 *		Times in the forms of the published documents.
 *
 * They are truncated to the document's unit, not rounded; before the epoch,
 * too, that is towards the past.
 */
#ifndef ATK_JSON_TIME_H
#define ATK_JSON_TIME_H

#include "datatype/timestamp.h"

/* Since the Unix epoch, in units that have so many microseconds. */
extern int64 atk_json_time_epoch(TimestampTz time, int64 microseconds);

/* 2020-11-12T08:15:30Z, or with milliseconds 2020-11-12T08:15:30.144Z */
extern const char *atk_json_time_iso(TimestampTz time,
									 bool with_milliseconds);

/* A month has 30 days. */
extern int64 atk_json_time_minutes(const Interval *span);

#endif							/* ATK_JSON_TIME_H */
