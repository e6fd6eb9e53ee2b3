/*
 * chain.h
 *		The chain of seals: digests over events and the seal before.
 *
 *		event digest = BLAKE2b-256("apitoken event", every column)
 *		seal digest  = BLAKE2b-256("apitoken seal", the digest before,
 *						every column but digest and purged)
 *
 * in the form of canon.h.  The first seal has 32 zero bytes before it, and so
 * has an event that was missing when it was to be sealed.  Whoever has a copy
 * of one digest can tell whether anything before it was altered since.
 */
#ifndef ATK_CHAIN_H
#define ATK_CHAIN_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"

#include "digest.h"

/* The columns of _event, as atk_event_digest() takes them. */
#define ATK_EVENT_COLUMNS \
	"id, at, realm, token_id, event, actor, actor_name, session_role," \
	" client_addr, application_name, reason, old, new"

/* And those of _event_seal, for atk_seal_read(). */
#define ATK_SEAL_COLUMNS \
	"id, sealed_at, last_event_at, events, event_digests, key_id," \
	" digest, purged"

/* A row of _event_seal; arrays belong to the current memory context. */
typedef struct AtkSeal
{
	int64		id;
	TimestampTz sealed_at;
	TimestampTz last_event_at;
	int			nevents;
	int64	   *events;			/* ids, ascending */
	AtkDigest  *event_digests;	/* as many */
	int			key_id;
	AtkDigest	digest;
	bool		purged;
} AtkSeal;

/* What stands before the first seal, and for a missing event. */
extern const AtkDigest atk_digest_of_nothing;

extern void atk_event_digest(HeapTuple row, TupleDesc desc,
							 AtkDigest *digest);

/* False: it was made with a key that is not in use. */
extern bool atk_seal_digest(const AtkSeal *seal, const AtkDigest *before,
							AtkDigest *digest);

/*
 * False: the row is none that was ever written here, its events being no
 * ascending list, or its digests not as many.
 */
extern bool atk_seal_read(HeapTuple row, TupleDesc desc, AtkSeal *seal);

/* Stores it in _event_seal. */
extern void atk_seal_store(const AtkSeal *seal);

/* The bigint[] of ids, palloc'd. */
extern Datum atk_seal_events(const AtkSeal *seal);

#endif							/* ATK_CHAIN_H */
