/*
 * digest.h
 *		What is stored instead of a token's text: 32 bytes.
 *
 *		digest = BLAKE2b-256(key or none, message = SHA-256(token text))
 *
 * The inner SHA-256 is what other systems keep and what a client may send
 * instead of its token; the outer hash makes a stolen table useless at that
 * entry and takes the key, if there is one (pepper.h).  Both are libsodium's.
 *
 * SQL type apitoken.digest: fixed length, by reference, char alignment, so a
 * Datum points straight at an AtkDigest.  Pure: no catalog, no palloc.
 */
#ifndef ATK_DIGEST_H
#define ATK_DIGEST_H

#define ATK_DIGEST_LEN	32
#define ATK_SHA256_LEN	32

typedef struct AtkDigest
{
	uint8		bytes[ATK_DIGEST_LEN];
} AtkDigest;

#define DatumGetAtkDigestP(d)	((AtkDigest *) DatumGetPointer(d))
#define AtkDigestPGetDatum(p)	PointerGetDatum(p)

/* An SHA-256 stands for the token it was made of: wipe it after use. */
extern void atk_sha256(const char *text, size_t len, uint8 *sha256);

/* key_len 0: without a key. */
extern void atk_digest_of_sha256(const uint8 *sha256, const uint8 *key,
								 size_t key_len, AtkDigest *digest);

/*
 * The number of a key, 1 to 2^31 - 1, made of the key itself: the same on a
 * standby and after a restore.  It tells nothing else of a random key.
 */
extern int32 atk_digest_key_id(const uint8 *key, size_t key_len);

/*
 * Without a branch on what is compared, whose time would tell where two
 * differ; len is a multiple of 8.  Of digests and codes of secrets, never of
 * secrets themselves: for them there is sodium_memcmp().
 */
static inline bool
atk_bytes_equal(const uint8 *a, const uint8 *b, size_t len)
{
	uint64		differ = 0;

	for (size_t i = 0; i < len; i += sizeof(uint64))
	{
		uint64		of_a,
					of_b;

		memcpy(&of_a, a + i, sizeof(of_a));
		memcpy(&of_b, b + i, sizeof(of_b));
		differ |= of_a ^ of_b;
	}
	return differ == 0;
}

static inline bool
atk_digest_equal(const AtkDigest *a, const AtkDigest *b)
{
	return atk_bytes_equal(a->bytes, b->bytes, ATK_DIGEST_LEN);
}

/* Bytewise order; a digest is uniform, so its order says nothing. */
extern int	atk_digest_compare(const AtkDigest *a, const AtkDigest *b);

/* 64 hex digits in either case, and back in lower case with a final NUL. */
extern bool atk_digest_from_hex(const char *hex, size_t len,
								AtkDigest *digest);
extern void atk_digest_to_hex(const AtkDigest *digest,
							  char hex[2 * ATK_DIGEST_LEN + 1]);

#endif							/* ATK_DIGEST_H */
