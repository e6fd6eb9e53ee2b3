/*
 * idempotency.h
 *		Keys of issue(), so that a repeated call makes no second token.
 *
 * A key belongs to its realm and is kept for a day.  A repeated call is
 * refused and told the first token's id; the secret is not stored and cannot
 * be shown again.
 */
#ifndef ATK_IDEMPOTENCY_H
#define ATK_IDEMPOTENCY_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/*
 * Raises 23505 for a key that is in use, 22023 for what cannot be one.  Waits
 * for whoever is about to use it, and keeps others waiting till the end of
 * the transaction.
 */
extern void atk_idempotency_check(const text *realm_id, const text *key);

/* Behind that: the key is in use from now on. */
extern void atk_idempotency_store(const text *realm_id, const text *key,
								  const pg_uuid_t *token_id, TimestampTz now);

/*
 * Removes keys that have served, at most so many, and returns their number;
 * passes over those that somebody is at work on.
 */
extern int64 atk_idempotency_purge(TimestampTz now, int most);

#endif							/* ATK_IDEMPOTENCY_H */
