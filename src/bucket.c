/*
 * bucket.c
 *		Locks for what no index keeps unique; see bucket.h.
 */
#include "postgres.h"
#include "compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"

#include "bucket.h"

#define BUCKETS 1024

/* The first half of our advisory locks' numbers. */
static const uint32 classes[] = {
	[ATK_BUCKET_DIGEST] = 0x61746B69,
	[ATK_BUCKET_PRINCIPAL] = 0x61746B70,
	[ATK_BUCKET_IDEMPOTENCY] = 0x61746B79,
};

void
atk_bucket_lock(AtkBucketKind kind, uint32 hash)
{
	LOCKTAG		tag;

	/* 1 and 2 are SQL's advisory locks, which any role can take; not 3. */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, classes[kind], hash % BUCKETS, 3);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

static uint32
hash_text(const text *value)
{
	return hash_bytes((const unsigned char *) VARDATA_ANY(value),
					  VARSIZE_ANY_EXHDR(value));
}

uint32
atk_bucket_hash(const text *a, const text *b)
{
	return hash_combine(hash_text(a), hash_text(b));
}
