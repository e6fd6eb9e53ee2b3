/*
 * audit.h
 *		Looking for what was altered in the history.
 *
 * Walks over the chain of seals and the events of each, as a fresh snapshot
 * sees them, one seal in memory at a time.  Then it looks for events
 * that no seal covers and that are not about to be sealed either.
 *
 * What it cannot see: seals at the end that were removed together with their
 * events, and a chain that was made anew from somewhere on, by who can write
 * to the tables.  For these there are the seals that went to the log (seal.h).
 */
#ifndef ATK_AUDIT_H
#define ATK_AUDIT_H

#include "datatype/timestamp.h"

/* What is wrong with a seal, or, without one, with events. */
typedef struct AtkFinding
{
	bool		of_seal;
	int64		seal;
	TimestampTz sealed_at;
	bool		of_event;		/* else it is the seal */
	int64		event;			/* the first bad one */
	const char *problem;
} AtkFinding;

typedef void (*AtkReport) (const AtkFinding *finding, void *arg);

/* Reports one finding a bad seal, in the order of the chain. */
extern void atk_audit(AtkReport report, void *arg);

#endif							/* ATK_AUDIT_H */
