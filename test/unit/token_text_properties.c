/*
 * token_text_properties.c
 *		What holds for any token text, with random ones.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>
#include <stdlib.h>

#include "digest.h"
#include "token_text.h"

#include "unit.h"

#define BASE32 "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#define PREFIX_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

#define CASES 100000

/* The version and variant digits, and the zeros behind the variant. */
static bool
constant_bits(const uint8 *id)
{
	return (id[6] & 0xF0) == 0x70 && (id[8] & 0xF0) == 0x80;
}

static size_t
random_prefix(char *prefix)
{
	size_t		len = 1 + random_below(ATK_PREFIX_MAX);

	for (size_t i = 0; i < len; i++)
		prefix[i] = random_of(PREFIX_CHARACTERS);
	return len;
}

/* A new token text under a random prefix; returns its length. */
static size_t
random_token(char *text, uint8 *id)
{
	char		prefix[ATK_PREFIX_MAX];
	size_t		prefix_len = random_prefix(prefix);

	atk_id_generate(random_bits() >> 16, id);
	return atk_text_generate(prefix, prefix_len, id, text);
}

static bool
check(const char *text, size_t len)
{
	AtkTextParts parts;

	return atk_text_parse(text, len, &parts) && atk_text_check(&parts);
}

/* --- id and public part --- */

static void
test_public_to_id(void)
{
	Property	property;

	for (property_begin(&property, "public part -> id -> public part", CASES);
		 property_next(&property);)
	{
		char		public_part[ATK_PUBLIC_LEN];
		char		again[ATK_PUBLIC_LEN];
		uint8		id[ATK_ID_LEN];

		for (int i = 0; i < ATK_PUBLIC_LEN; i++)
			public_part[i] = random_of(BASE32);
		hold(&property, atk_public_to_id(public_part, id),
			 "%.24s is not taken", public_part);
		hold(&property, constant_bits(id),
			 "the id of %.24s is no UUIDv7 of ours", public_part);
		atk_public_from_id(id, again);
		hold(&property, memcmp(public_part, again, ATK_PUBLIC_LEN) == 0,
			 "%.24s becomes %.24s", public_part, again);
	}
}

static void
test_id_to_public(void)
{
	Property	property;

	for (property_begin(&property, "id -> public part -> id", CASES);
		 property_next(&property);)
	{
		uint64		unix_ms = random_bits() >> 16;
		char		public_part[ATK_PUBLIC_LEN];
		uint8		id[ATK_ID_LEN];
		uint8		again[ATK_ID_LEN];
		uint64		time = 0;

		atk_id_generate(unix_ms, id);
		for (int i = 0; i < 6; i++)
			time = (time << 8) | id[i];
		hold(&property, time == unix_ms, "time %llx becomes %llx",
			 (unsigned long long) unix_ms, (unsigned long long) time);
		hold(&property, constant_bits(id), "no UUIDv7 of ours");
		atk_public_from_id(id, public_part);
		for (int i = 0; i < ATK_PUBLIC_LEN; i++)
			hold(&property, strchr(BASE32, public_part[i]) != NULL &&
				 public_part[i] != '\0', "byte %d is not base32", i);
		hold(&property, atk_public_to_id(public_part, again) &&
			 memcmp(id, again, ATK_ID_LEN) == 0,
			 "%.24s leads to another id", public_part);
	}
}

/* In the public part as in the id, an older token sorts before a newer one. */
static void
test_order_of_time(void)
{
	Property	property;

	for (property_begin(&property, "ids sort by their time", CASES);
		 property_next(&property);)
	{
		uint64		earlier = random_bits() >> 17;
		uint64		later = earlier + 1 + random_below(1000000);
		uint8		a[ATK_ID_LEN];
		uint8		b[ATK_ID_LEN];

		atk_id_generate(earlier, a);
		atk_id_generate(later, b);
		hold(&property, memcmp(a, b, ATK_ID_LEN) < 0, "%llx and %llx",
			 (unsigned long long) earlier, (unsigned long long) later);
	}
}

static void
test_derived_ids(void)
{
	Property	property;

	for (property_begin(&property, "a derived id is a UUIDv7 of its own", CASES);
		 property_next(&property);)
	{
		uint8		sha256[ATK_SHA256_LEN];
		uint8		id[ATK_ID_LEN];
		uint8		other[ATK_ID_LEN];

		random_bytes(sha256, sizeof(sha256));
		atk_id_derive(sha256, id);
		hold(&property, constant_bits(id), "no UUIDv7 of ours");
		atk_id_derive(sha256, other);
		hold(&property, memcmp(id, other, ATK_ID_LEN) == 0, "not repeatable");
		sha256[random_below(sizeof(sha256))] ^= 1 << random_below(8);
		atk_id_derive(sha256, other);
		hold(&property, memcmp(id, other, ATK_ID_LEN) != 0,
			 "another SHA-256 has the same");
	}
}

/* Every one of the 72 bits that shall be random takes both values. */
static void
test_randomness(void)
{
	uint8		ones[ATK_ID_LEN] = {0};
	uint8		zeros[ATK_ID_LEN] = {0};
	int			bits = 0;

	for (int i = 0; i < 1000; i++)
	{
		uint8		id[ATK_ID_LEN];

		atk_id_generate(0, id);
		for (int j = 0; j < ATK_ID_LEN; j++)
		{
			ones[j] |= id[j];
			zeros[j] |= (uint8) ~id[j];
		}
	}
	for (int j = 0; j < ATK_ID_LEN * 8; j++)
		bits += (ones[j / 8] & zeros[j / 8]) >> (j % 8) & 1;
	ok(bits == 72, "72 bits of an id are random (%d)", bits);
}

/* --- the whole text --- */

static void
test_generate(void)
{
	Property	property;
	char		last[ATK_SECRET_LEN] = {0};

	for (property_begin(&property, "generate, parse, check", CASES);
		 property_next(&property);)
	{
		char	   *text = palloc(ATK_NATIVE_MAX);
		uint8		id[ATK_ID_LEN];
		uint8		own[ATK_ID_LEN];
		size_t		len = random_token(text, id);
		AtkTextParts parts;

		if (!hold(&property, len <= ATK_NATIVE_MAX &&
				  atk_text_parse(text, len, &parts), "%.*s has no parts",
				  (int) len, text))
			continue;
		hold(&property, atk_text_check(&parts), "%.*s: wrong sum",
			 (int) len, text);
		hold(&property, atk_text_possible(text, len),
			 "%.*s is not possible", (int) len, text);
		hold(&property, parts.prefix_len ==
			 len - 1 - ATK_PUBLIC_LEN - 1 - ATK_SECRET_LEN &&
			 parts.prefix == text &&
			 parts.public_part == text + parts.prefix_len + 1 &&
			 parts.secret == text + len - ATK_SECRET_LEN,
			 "%.*s: the parts are elsewhere", (int) len, text);
		hold(&property, atk_public_to_id(parts.public_part, own) &&
			 memcmp(id, own, ATK_ID_LEN) == 0, "%.*s: another id",
			 (int) len, text);
		hold(&property, memcmp(last, parts.secret, ATK_SECRET_LEN) != 0,
			 "the secret before again");
		memcpy(last, parts.secret, ATK_SECRET_LEN);
	}
}

/* Whatever stands in the place of one character, the sum does not hold. */
static void
test_one_character(void)
{
	Property	property;

	for (property_begin(&property, "one other character: check fails", CASES);
		 property_next(&property);)
	{
		char	   *text = palloc(ATK_NATIVE_MAX);
		uint8		id[ATK_ID_LEN];
		size_t		len = random_token(text, id);
		size_t		place = random_below((int) len);
		char		was = text[place];

		do
			text[place] = random_below(2)
				? random_of(PREFIX_CHARACTERS) : (char) random_below(256);
		while (text[place] == was);
		hold(&property, !check(text, len),
			 "%.*s, where character %d was '%c'", (int) len, text,
			 (int) place, was);
	}
}

/* The same at every place of one token, with every other byte. */
static void
test_every_character(void)
{
	char	   *text = palloc(ATK_NATIVE_MAX);
	uint8		id[ATK_ID_LEN];
	size_t		len = random_token(text, id);
	int			held = 0;

	for (size_t place = 0; place < len; place++)
	{
		char		was = text[place];

		for (int c = 0; c < 256; c++)
		{
			text[place] = (char) c;
			held += check(text, len) != (text[place] == was);
		}
		text[place] = was;
	}
	ok(held == 0, "any byte at any place: check fails");
	if (held > 0)
		diag("%d times not, with %.*s", held, (int) len, text);
	stub_reset();
}

/* What a scanner meets: text cut short, lengthened, parts in another order. */
static void
test_other_text(void)
{
	Property	property;

	for (property_begin(&property, "a longer or shorter text: check fails", CASES);
		 property_next(&property);)
	{
		char		text[ATK_NATIVE_MAX];
		uint8		id[ATK_ID_LEN];
		size_t		len = random_token(text, id);
		size_t		cut = 1 + random_below((int) len);
		char	   *other = palloc(len + 1);

		memcpy(other, text, len);
		other[len] = random_of(BASE32);
		hold(&property, !check(other, len + 1), "%.*s and a character",
			 (int) len, text);
		hold(&property, !check(other, len - cut), "%.*s without its last %d",
			 (int) len, text, (int) cut);
		hold(&property, !check(other + cut, len - cut),
			 "%.*s without its first %d", (int) len, text, (int) cut);
	}
}

/*
 * Any bytes at all, each in a piece of memory of exactly its length, so that
 * a sanitizer notices whatever reads beyond.
 */
static char *
random_noise(size_t *len)
{
	char		token[ATK_NATIVE_MAX];
	uint8		id[ATK_ID_LEN];
	char	   *text;

	/* Half of them begin as tokens, else nothing would get far. */
	if (random_below(2))
	{
		*len = random_token(token, id);
		*len = *len - random_below(3);
		text = palloc(*len);
		memcpy(text, token, *len);
		for (int i = random_below(4); i > 0; i--)
			text[random_below((int) *len)] = (char) random_below(256);
	}
	else
	{
		*len = random_below(random_below(8) ? 120 : 600);
		text = palloc(*len);
		random_bytes(text, *len);
		for (size_t i = 0; i < *len; i++)
		{
			if (random_below(2))
				text[i] = random_of(BASE32 "._");
		}
	}
	return text;
}

static void
test_noise(void)
{
	Property	property;

	for (property_begin(&property, "any bytes: answers, and stays inside", CASES);
		 property_next(&property);)
	{
		size_t		len;
		char	   *text = random_noise(&len);
		AtkTextParts parts;
		bool		printable = true;
		bool		shape;

		for (size_t i = 0; i < len; i++)
			printable = printable &&
				(uint8) text[i] >= 0x21 && (uint8) text[i] <= 0x7E;
		hold(&property, atk_text_printable(text, len) == printable,
			 "printable, %d bytes", (int) len);
		hold(&property, atk_text_possible(text, len) ==
			 (printable && len >= 8 && len <= 512),
			 "possible, %d bytes", (int) len);

		shape = atk_text_parse(text, len, &parts);
		hold(&property, !shape || printable, "a shape that is not printable");
		if (shape)
			(void) atk_text_check(&parts);
		if (atk_public_id_parse(text, len, &parts))
			hold(&property, printable && !shape && parts.secret == NULL &&
				 len <= ATK_PUBLIC_ID_MAX, "%.*s is no public id",
				 (int) len, text);
		(void) atk_prefix_valid(text, len);
		if (len >= ATK_PUBLIC_LEN)
		{
			uint8		id[ATK_ID_LEN];

			(void) atk_public_to_id(text, id);
		}
	}
}

static void
test_last_chars(void)
{
	Property	property;

	for (property_begin(&property,
						"at most five characters, at most a quarter, are shown",
						1000);
		 property_next(&property);)
	{
		size_t		len = random_below(ATK_TEXT_MAX + 1);
		size_t		shown = atk_last_chars_len(len);

		hold(&property, shown <= 5 && shown * 4 <= len &&
			 (shown == 5 || (shown + 1) * 4 > len), "%d of %d",
			 (int) shown, (int) len);
	}
}

/* --- digests --- */

static int
naive_compare(const uint8 *a, const uint8 *b)
{
	for (int i = 0; i < ATK_DIGEST_LEN; i++)
	{
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return 0;
}

static void
test_digests(void)
{
	Property	property;

	for (property_begin(&property, "digests compare and are written alike", CASES);
		 property_next(&property);)
	{
		AtkDigest	a;
		AtkDigest	b;
		AtkDigest	c;
		char		hex[2 * ATK_DIGEST_LEN + 1];
		int			order;

		random_bytes(&a, sizeof(a));
		b = a;
		if (random_below(4))
			b.bytes[random_below(ATK_DIGEST_LEN)] = (uint8) random_below(256);
		order = atk_digest_compare(&a, &b);
		hold(&property, (order > 0) - (order < 0) ==
			 naive_compare(a.bytes, b.bytes), "order");
		hold(&property, atk_digest_equal(&a, &b) == (order == 0), "equality");
		atk_digest_to_hex(&a, hex);
		hold(&property, atk_digest_from_hex(hex, strlen(hex), &c) &&
			 atk_digest_equal(&a, &c), "%s is read as another", hex);
		hold(&property, strspn(hex, "0123456789abcdef") == 64 &&
			 strlen(hex) == 64, "%s is not 64 lower-case digits", hex);
	}
}

/* By text or by SHA-256, it is the same digest; another text, another one. */
static void
test_digest_of_text(void)
{
	Property	property;

	for (property_begin(&property, "digest of a text, with a key and without", CASES);
		 property_next(&property);)
	{
		size_t		len = ATK_TEXT_MIN + random_below(200);
		char	   *text = palloc(len);
		uint8		sha256[ATK_SHA256_LEN];
		uint8		key[32];
		AtkDigest	digest;
		AtkDigest	other;

		random_bytes(text, len);
		random_bytes(key, sizeof(key));
		atk_sha256(text, len, sha256);
		atk_digest_of_sha256(sha256, NULL, 0, &digest);
		hold(&property, memcmp(sha256, digest.bytes, ATK_SHA256_LEN) != 0,
			 "the SHA-256 itself");
		atk_digest_of_sha256(sha256, key, sizeof(key), &other);
		hold(&property, !atk_digest_equal(&digest, &other),
			 "the same with a key");
		text[random_below((int) len)] ^= 1 << random_below(8);
		atk_sha256(text, len, sha256);
		atk_digest_of_sha256(sha256, NULL, 0, &other);
		hold(&property, !atk_digest_equal(&digest, &other),
			 "that of another text");
	}
}

int
main(void)
{
	unit_begin();
	test_public_to_id();
	test_id_to_public();
	test_order_of_time();
	test_derived_ids();
	test_randomness();
	test_generate();
	test_one_character();
	test_every_character();
	test_other_text();
	test_noise();
	test_last_chars();
	test_digests();
	test_digest_of_text();
	return unit_end();
}
