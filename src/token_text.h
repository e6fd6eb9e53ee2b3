/*
 * token_text.h
 *		The text of a token: its parts, its check sum, its public part.
 *
 *		dt0c01.ST2EY72KQINMH574WMNVI7YN.G3DFPBEJYMODIDAEX454M7YW...572RZM
 *		prefix public part (24)         secret (64)
 *
 * The alphabet of public part and secret is RFC 4648 base32 without padding
 * and in upper case only, so that no two texts mean the same token.
 *
 * The public part holds the 120 free bits of the token's id, a UUIDv7 (RFC
 * 9562) whose first two bits after the variant are zero:
 *
 *		id      94f44c7f-4a82-71ac-83f7-fcb31b547f0d
 *		                      ^    ^    7 and 8 are constant, left out
 *		packed  94f44c7f4a82 1ac   3f7 fcb31b547f0d
 *		public  ST2EY72KQINMH574WMNVI7YN
 *
 * The secret holds 36 random bytes and the CRC-32 (IEEE 802.3, big-endian) of
 * "<prefix>.<public>." followed by those bytes, so that a scanner can tell a
 * real token from noise without asking anybody.
 *
 * Everything here is pure: no catalog, no palloc, no ereport.  Callers own
 * all buffers; lengths are in bytes; nothing is terminated unless said.
 */
#ifndef ATK_TOKEN_TEXT_H
#define ATK_TOKEN_TEXT_H

#define ATK_PREFIX_MAX		16	/* characters of a prefix, at least one */
#define ATK_PUBLIC_LEN		24	/* characters of a public part */
#define ATK_SECRET_LEN		64	/* characters of a secret */
#define ATK_PUBLIC_ID_MAX	(ATK_PREFIX_MAX + 1 + ATK_PUBLIC_LEN)
#define ATK_NATIVE_MAX		(ATK_PUBLIC_ID_MAX + 1 + ATK_SECRET_LEN)

#define ATK_TEXT_MIN		8	/* of any token text, foreign ones included */
#define ATK_TEXT_MAX		512

#define ATK_LAST_CHARS		5	/* shown of a token text, at the most */

#define ATK_ID_LEN			16	/* bytes of a token's id */

/* Where the parts stand in a text of the shape above; not terminated. */
typedef struct AtkTextParts
{
	const char *prefix;
	size_t		prefix_len;
	const char *public_part;	/* ATK_PUBLIC_LEN characters */
	const char *secret;			/* ATK_SECRET_LEN, NULL in a public id */
} AtkTextParts;

static inline bool
atk_text_length_possible(size_t len)
{
	return len >= ATK_TEXT_MIN && len <= ATK_TEXT_MAX;
}

/* May this be the text of any token at all?  8 to 512 bytes 0x21 to 0x7E. */
extern bool atk_text_possible(const char *text, size_t len);

/* Only bytes 0x21 to 0x7E? */
extern bool atk_text_printable(const char *text, size_t len);

/* Is there anything in it but ASCII white space? */
extern bool atk_has_visible_character(const text *value);

/* 1 to 16 of [A-Za-z0-9_] */
extern bool atk_prefix_valid(const char *prefix, size_t len);

/* Splits <prefix>.<public>.<secret>; false if the text has another shape. */
extern bool atk_text_parse(const char *text, size_t len, AtkTextParts *parts);

/* The same of <prefix>.<public>. */
extern bool atk_public_id_parse(const char *text, size_t len,
								AtkTextParts *parts);

/* Does the check sum of a parsed text agree with its other bytes? */
extern bool atk_text_check(const AtkTextParts *parts);

/* Between the public part and the 16 bytes of the id, both ways. */
extern void atk_public_from_id(const uint8 *id, char *public_part);
extern bool atk_public_to_id(const char *public_part, uint8 *id);

/* Writes <prefix>.<public>, not terminated, and returns its length. */
extern size_t atk_public_id_write(const char *prefix, size_t prefix_len,
								  const uint8 *id, char *out);

/* A new id, from the Unix time in milliseconds and 72 random bits. */
extern void atk_id_generate(uint64 unix_ms, uint8 *id);

/* A foreign token's id: a digest of its SHA-256 in a context of its own. */
extern void atk_id_derive(const uint8 *sha256, uint8 *id);

/*
 * Writes a new token text of this id with a fresh secret into out, which has
 * room for ATK_NATIVE_MAX bytes, and returns its length.  The caller wipes
 * out once the text has been handed on.
 */
extern size_t atk_text_generate(const char *prefix, size_t prefix_len,
								const uint8 *id, char *out);

/*
 * How many characters of the end of a text may be shown: five, and at most a
 * quarter of it, so that a short foreign token is not given away.
 */
extern size_t atk_last_chars_len(size_t text_len);

#endif							/* ATK_TOKEN_TEXT_H */
