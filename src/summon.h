/*
 * summon.h
 *		Having the worker come.
 *
 * Whoever notes something in shared memory (tally.h), or finds something
 * pending there, sees to it that there is a worker.  Nobody waits for it.
 */
#ifndef ATK_SUMMON_H
#define ATK_SUMMON_H

#include "datatype/timestamp.h"

/* Sees to it that there is a worker; never raises, never waits. */
extern void atk_summon(TimestampTz now);

/* Registers a worker for a claim (duty.h); false if none can be had. */
extern bool atk_summon_start(uint64 claim);

/*
 * The transaction under way writes events: once it has committed, or is
 * prepared, this database is marked, and a worker comes to seal them.
 */
extern void atk_summon_for_events(void);

/* Marks this database and summons a worker at once. */
extern void atk_summon_to_seal(void);

#endif							/* ATK_SUMMON_H */
