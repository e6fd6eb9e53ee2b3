/*
 * digest.c
 *		What is stored instead of a token's text; see digest.h.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "digest.h"

StaticAssertDecl(ATK_DIGEST_LEN == crypto_generichash_BYTES,
				 "a digest is BLAKE2b-256");
StaticAssertDecl(ATK_SHA256_LEN == crypto_hash_sha256_BYTES,
				 "its message is an SHA-256");

void
atk_sha256(const char *text, size_t len, uint8 *sha256)
{
	crypto_hash_sha256(sha256, (const unsigned char *) text, len);
}

void
atk_digest_of_sha256(const uint8 *sha256, const uint8 *key, size_t key_len,
					 AtkDigest *digest)
{
	crypto_generichash(digest->bytes, ATK_DIGEST_LEN,
					   sha256, ATK_SHA256_LEN, key, key_len);
}

/* No SHA-256 has the length of this message, so it is no token's digest. */
int32
atk_digest_key_id(const uint8 *key, size_t key_len)
{
	static const char message[] = "apitoken key id";
	uint8		hash[ATK_DIGEST_LEN];
	uint32		id;

	crypto_generichash(hash, sizeof(hash), (const uint8 *) message,
					   sizeof(message) - 1, key, key_len);
	id = ((uint32) hash[0] << 24 | hash[1] << 16 | hash[2] << 8 | hash[3]) &
		PG_INT32_MAX;
	return id == 0 ? 1 : (int32) id;
}

int
atk_digest_compare(const AtkDigest *a, const AtkDigest *b)
{
	return memcmp(a->bytes, b->bytes, ATK_DIGEST_LEN);
}

bool
atk_digest_from_hex(const char *hex, size_t len, AtkDigest *digest)
{
	size_t		written;

	return len == 2 * ATK_DIGEST_LEN &&
		sodium_hex2bin(digest->bytes, ATK_DIGEST_LEN, hex, len,
					   NULL, &written, NULL) == 0 &&
		written == ATK_DIGEST_LEN;
}

void
atk_digest_to_hex(const AtkDigest *digest, char hex[2 * ATK_DIGEST_LEN + 1])
{
	sodium_bin2hex(hex, 2 * ATK_DIGEST_LEN + 1,
				   digest->bytes, ATK_DIGEST_LEN);
}
