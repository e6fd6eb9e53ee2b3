/*
 * token_text.c
 *		The text of a token; see token_text.h for its make-up.
 *
 * Secrets pass through here.  Whatever local buffer held one is wiped before
 * the function returns.  Decoding a secret (only check_token does it) is not
 * constant-time: it works on what its caller already has in clear, and says
 * nothing of any stored token.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "utils/pg_crc.h"

#include "token_text.h"

#define RANDOM_LEN	36			/* random bytes in a secret */
#define SUM_LEN		4			/* bytes of the check sum behind them */
#define PACKED_LEN	15			/* bytes of an id without its constant bits */

StaticAssertDecl((RANDOM_LEN + SUM_LEN) * 8 == ATK_SECRET_LEN * 5,
				 "a secret is base32 without padding");
StaticAssertDecl(PACKED_LEN * 8 == ATK_PUBLIC_LEN * 5,
				 "a public part is base32 without padding");

static const char base32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Encodes whole groups of five bytes as eight characters. */
static void
base32_encode(const uint8 *src, size_t len, char *dst)
{
	for (; len >= 5; src += 5, len -= 5)
	{
		uint64		group = ((uint64) src[0] << 32) | ((uint64) src[1] << 24) |
			((uint64) src[2] << 16) | ((uint64) src[3] << 8) | src[4];

		for (int shift = 35; shift >= 0; shift -= 5)
			*dst++ = base32_alphabet[(group >> shift) & 31];
	}
}

/* The value of one base32 character, or -1. */
static inline int
base32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* Decodes whole groups of eight characters; false at a foreign character. */
static bool
base32_decode(const char *src, size_t len, uint8 *dst)
{
	for (; len >= 8; src += 8, len -= 8)
	{
		uint64		group = 0;

		for (int i = 0; i < 8; i++)
		{
			int			value = base32_value(src[i]);

			if (value < 0)
				return false;
			group = (group << 5) | (uint64) value;
		}
		for (int shift = 32; shift >= 0; shift -= 8)
			*dst++ = (uint8) (group >> shift);
	}
	return true;
}

static bool
base32_only(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (base32_value(text[i]) < 0)
			return false;
	}
	return true;
}

/*
 * Eight characters at once, none of them outside 0x21 to 0x7E: such a one
 * would leave a highest bit, by itself, or 1 more, or 0x21 less.  A carry or
 * borrow into a neighbour comes from a character that has left one already.
 */
static inline bool
all_printable(const char *text)
{
	const uint64 each = UINT64CONST(0x0101010101010101);
	uint64		word;

	memcpy(&word, text, sizeof(word));
	return ((word | (word + each) | (word - each * 0x21)) & (each << 7)) == 0;
}

ATK_HOT bool
atk_text_printable(const char *text, size_t len)
{
	size_t		i = 0;

	for (; i + sizeof(uint64) <= len; i += sizeof(uint64))
	{
		if (!all_printable(text + i))
			return false;
	}
	for (; i < len; i++)
	{
		if (text[i] < 0x21 || text[i] > 0x7E)
			return false;
	}
	return true;
}

ATK_HOT bool
atk_text_possible(const char *text, size_t len)
{
	return atk_text_length_possible(len) && atk_text_printable(text, len);
}

bool
atk_has_visible_character(const text *value)
{
	for (int i = 0; i < (int) VARSIZE_ANY_EXHDR(value); i++)
	{
		if (strchr(" \t\n\v\f\r", VARDATA_ANY(value)[i]) == NULL)
			return true;
	}
	return false;
}

bool
atk_prefix_valid(const char *prefix, size_t len)
{
	if (len < 1 || len > ATK_PREFIX_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char		c = prefix[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			  (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

bool
atk_public_id_parse(const char *text, size_t len, AtkTextParts *parts)
{
	size_t		prefix_len;

	if (len <= 1 + ATK_PUBLIC_LEN || len > ATK_PUBLIC_ID_MAX)
		return false;
	prefix_len = len - 1 - ATK_PUBLIC_LEN;
	if (!atk_prefix_valid(text, prefix_len) || text[prefix_len] != '.' ||
		!base32_only(text + prefix_len + 1, ATK_PUBLIC_LEN))
		return false;

	parts->prefix = text;
	parts->prefix_len = prefix_len;
	parts->public_part = text + prefix_len + 1;
	parts->secret = NULL;
	return true;
}

bool
atk_text_parse(const char *text, size_t len, AtkTextParts *parts)
{
	const size_t tail = 1 + ATK_SECRET_LEN;

	if (len <= tail || text[len - tail] != '.' ||
		!base32_only(text + len - ATK_SECRET_LEN, ATK_SECRET_LEN) ||
		!atk_public_id_parse(text, len - tail, parts))
		return false;

	parts->secret = text + len - ATK_SECRET_LEN;
	return true;
}

/* CRC-32 over "<prefix>.<public>." (head) and the random bytes, big-endian. */
static void
check_sum(const char *head, size_t head_len, const uint8 *random, uint8 *sum)
{
	pg_crc32	crc;

	INIT_TRADITIONAL_CRC32(crc);
	COMP_TRADITIONAL_CRC32(crc, head, head_len);
	COMP_TRADITIONAL_CRC32(crc, random, RANDOM_LEN);
	FIN_TRADITIONAL_CRC32(crc);

	for (int i = 0; i < SUM_LEN; i++)
		sum[i] = (uint8) (crc >> (24 - 8 * i));
}

bool
atk_text_check(const AtkTextParts *parts)
{
	uint8		secret[RANDOM_LEN + SUM_LEN];
	uint8		sum[SUM_LEN];
	size_t		head_len = parts->prefix_len + 1 + ATK_PUBLIC_LEN + 1;
	bool		agrees;

	agrees = base32_decode(parts->secret, ATK_SECRET_LEN, secret);
	if (agrees)
	{
		check_sum(parts->prefix, head_len, secret, sum);
		agrees = sodium_memcmp(sum, secret + RANDOM_LEN, SUM_LEN) == 0;
	}
	sodium_memzero(secret, sizeof(secret));
	return agrees;
}

void
atk_public_from_id(const uint8 *id, char *public_part)
{
	uint8		packed[PACKED_LEN];

	/* Leave out the 13th and the 17th hex digit: version and variant. */
	memcpy(packed, id, 6);
	packed[6] = (uint8) ((id[6] << 4) | (id[7] >> 4));
	packed[7] = (uint8) ((id[7] << 4) | (id[8] & 0x0F));
	memcpy(packed + 8, id + 9, 7);
	base32_encode(packed, PACKED_LEN, public_part);
}

/* Puts 120 bits around the constant ones. */
static void
unpack_id(const uint8 *packed, uint8 *id)
{
	memcpy(id, packed, 6);
	id[6] = 0x70 | (packed[6] >> 4);
	id[7] = (uint8) ((packed[6] << 4) | (packed[7] >> 4));
	id[8] = 0x80 | (packed[7] & 0x0F);
	memcpy(id + 9, packed + 8, 7);
}

bool
atk_public_to_id(const char *public_part, uint8 *id)
{
	uint8		packed[PACKED_LEN];

	if (!base32_decode(public_part, ATK_PUBLIC_LEN, packed))
		return false;
	unpack_id(packed, id);
	return true;
}

size_t
atk_public_id_write(const char *prefix, size_t prefix_len,
					const uint8 *id, char *out)
{
	memcpy(out, prefix, prefix_len);
	out[prefix_len] = '.';
	atk_public_from_id(id, out + prefix_len + 1);
	return prefix_len + 1 + ATK_PUBLIC_LEN;
}

void
atk_id_generate(uint64 unix_ms, uint8 *id)
{
	uint8		packed[PACKED_LEN];

	for (int i = 0; i < 6; i++)
		packed[i] = (uint8) (unix_ms >> (40 - 8 * i));
	randombytes_buf(packed + 6, PACKED_LEN - 6);
	unpack_id(packed, id);
}

void
atk_id_derive(const uint8 *sha256, uint8 *id)
{
	static const char context[] = "apitoken: id of an imported token";
	crypto_generichash_state state;
	uint8		hash[crypto_generichash_BYTES_MIN];

	StaticAssertStmt(sizeof(hash) >= PACKED_LEN, "an id fits into the hash");

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(&state, (const uint8 *) context,
							  sizeof(context) - 1);
	crypto_generichash_update(&state, sha256, crypto_hash_sha256_BYTES);
	crypto_generichash_final(&state, hash, sizeof(hash));
	unpack_id(hash, id);
}

size_t
atk_text_generate(const char *prefix, size_t prefix_len,
				  const uint8 *id, char *out)
{
	uint8		secret[RANDOM_LEN + SUM_LEN];
	size_t		head_len = atk_public_id_write(prefix, prefix_len, id, out);

	out[head_len++] = '.';
	randombytes_buf(secret, RANDOM_LEN);
	check_sum(out, head_len, secret, secret + RANDOM_LEN);
	base32_encode(secret, sizeof(secret), out + head_len);
	sodium_memzero(secret, sizeof(secret));
	return head_len + ATK_SECRET_LEN;
}

size_t
atk_last_chars_len(size_t text_len)
{
	return Min(ATK_LAST_CHARS, text_len / 4);
}
