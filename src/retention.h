/*
 * retention.h
 *		Removing history and reports that have been kept long enough.
 *
 * Of the history a beginning is removed: seals all of whose events are older,
 * up to the first that has a younger one, with their events.  The last of
 * them stays, marked as purged: the chain begins with it, and the event that
 * tells of the purge has its digest (audit.h).
 *
 * Both leave an event if they remove anything.  Errors: 22004 without an age,
 * 22023 for a negative one, 55000 where something is attached (guard.h).
 */
#ifndef ATK_RETENTION_H
#define ATK_RETENTION_H

#include "datatype/timestamp.h"

/* Returns the number of events. */
extern int64 atk_purge_events(const Interval *older_than);

/* Hours that ended longer ago; returns the number of counts. */
extern int64 atk_purge_usage(const Interval *older_than);

#endif							/* ATK_RETENTION_H */
