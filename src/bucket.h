/*
 * bucket.h
 *		Locks for what no index keeps unique.
 *
 * Whoever is about to store something looks first whether it is there; two
 * who do so at once meet at an advisory lock, one of 1024 of its kind, chosen
 * by a hash and held till the end of the transaction.  Look with a snapshot
 * taken behind it.  One lock for each thing would exhaust the lock table in a
 * large import.  The price: two different things may share a bucket, and then
 * wait for each other.
 */
#ifndef ATK_BUCKET_H
#define ATK_BUCKET_H

typedef enum AtkBucketKind
{
	ATK_BUCKET_DIGEST,			/* digests of imported tokens */
	ATK_BUCKET_PRINCIPAL,		/* how many tokens a principal has */
	ATK_BUCKET_IDEMPOTENCY		/* idempotency keys */
} AtkBucketKind;

extern void atk_bucket_lock(AtkBucketKind kind, uint32 hash);

/* A hash of two texts. */
extern uint32 atk_bucket_hash(const text *a, const text *b);

#endif							/* ATK_BUCKET_H */
