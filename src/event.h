/*
 * event.h
 *		The history: what happened to tokens and realms, who did it, and how.
 *
 * Every change writes one event in its own transaction.  An event never has
 * a secret or a digest of one.  Where the realm asks for it, the event also
 * goes out as NOTIFY apitoken when the transaction commits.
 *
 * Events are numbered by a sequence.  Those of one token are in the order in
 * which they happened, because its row is locked meanwhile; between tokens
 * the order of numbers and of commits can differ.
 */
#ifndef ATK_EVENT_H
#define ATK_EVENT_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

typedef struct AtkEvent
{
	const char *name;			/* "issued", "rotated", ... */
	TimestampTz at;
	const text *realm;			/* NULL: of no realm */
	const pg_uuid_t *token_id;	/* NULL: of no token */
	const text *reason;			/* NULL: none given */
	Jsonb	   *old;			/* values before, of what changed; or NULL */
	Jsonb	   *new;			/* values after; or NULL */
	bool		notify;			/* the realm's wish */
} AtkEvent;

/*
 * It joins those that no seal covers yet (seal.h); once the transaction has
 * committed, a worker comes for it.  Actor, role, address and application are
 * those of the session.
 */
extern void atk_event_write(const AtkEvent *event);

#endif							/* ATK_EVENT_H */
