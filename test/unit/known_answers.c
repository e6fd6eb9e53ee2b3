/*
 * known_answers.c
 *		The text of a token, its sums and digests against known values.
 *
 * None of the values was made with this extension.  They come from
 *
 *		RFC 4648	section 10, test vectors of base32
 *		RFC 9562	what a UUIDv7 is
 *		CRC-32		the check value of CRC-32/ISO-HDLC in the catalogue of
 *					parametrised CRC algorithms, CBF43926
 *		FIPS 180-4	NIST's examples of SHA-256: "abc", the empty message, the
 *					message of two blocks, a million times "a"
 *		BLAKE2		the published digest of "abc", and RFC 7693's reference code
 *		document	the sample token of "POST token lookup"
 *		Python 3	hashlib.sha256, hashlib.blake2b, zlib.crc32 and
 *					base64.b32encode of its standard library, which share no
 *					code with libsodium or the server; the expression stands
 *					beside each value
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "utils/pg_crc.h"

#include "digest.h"
#include "token_text.h"

#include "unit.h"

#define SAMPLE \
	"dt0c01.ST2EY72KQINMH574WMNVI7YN." \
	"G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM"

/* --- base32, through the public part --- */

static void
test_base32(void)
{
	/*
	 * RFC 4648: BASE32("fooba") = "MZXW6YTB".  Three times that is a public
	 * part, of the 15 bytes 666f6f6261 666f6f6261 666f6f6261; with a 7 as the
	 * 13th and an 8 as the 17th digit they are an id.
	 */
	static const char public_part[] = "MZXW6YTBMZXW6YTBMZXW6YTB";
	static const char id_hex[] = "666f6f626166" "76f6" "8f62" "61666f6f6261";
	uint8		id[ATK_ID_LEN];
	char		written[ATK_PUBLIC_LEN];

	ok(atk_public_to_id(public_part, id), "RFC 4648's vector is a public part");
	is_hex(id, sizeof(id), id_hex, "... and its id has the bytes of \"fooba\"");
	from_hex(id_hex, id);
	atk_public_from_id(id, written);
	is_text(written, sizeof(written), public_part, "... and back");
}

/*
 * base64.b32encode(bytes.fromhex(packed)), packed being the id without its
 * 13th and 17th hexadecimal digit
 */
static const struct
{
	const char *id;
	const char *public_part;
	const char *name;
}			ids[] = {
	{"94f44c7f4a8271ac83f7fcb31b547f0d", "ST2EY72KQINMH574WMNVI7YN",
	"the document's token"},
	{"00000000000070008000000000000000", "AAAAAAAAAAAAAAAAAAAAAAAA",
	"nothing but zeros"},
	{"ffffffffffff7fff8fffffffffffffff", "777777777777777777777777",
	"nothing but ones"},
	{"00010203040570608708090a0b0c0d0e", "AAAQEAYEAUDAOCAJBIFQYDIO",
	"bytes 0 to 14"},
	{"00000000000170008000000000000000", "AAAAAAAAAEAAAAAAAAAAAAAA",
	"the last bit of the time"},
	{"00000000000078008000000000000000", "AAAAAAAAACAAAAAAAAAAAAAA",
	"the bit behind the version"},
	{"00000000000070008800000000000000", "AAAAAAAAAAAAQAAAAAAAAAAA",
	"the bit behind the variant and its zeros"},
	{"00000000000070008000000000000001", "AAAAAAAAAAAAAAAAAAAAAAAB",
	"the last bit"},
};

static void
test_ids(void)
{
	for (int i = 0; i < (int) lengthof(ids); i++)
	{
		uint8		id[ATK_ID_LEN];
		char		written[ATK_PUBLIC_LEN];

		from_hex(ids[i].id, id);
		atk_public_from_id(id, written);
		is_text(written, sizeof(written), ids[i].public_part, ids[i].name);
		memset(id, 0xEE, sizeof(id));
		atk_public_to_id(ids[i].public_part, id);
		is_hex(id, sizeof(id), ids[i].id, "... and back");
	}
}

/* --- CRC-32 and check sum --- */

static void
test_crc(void)
{
	pg_crc32	crc;

	INIT_TRADITIONAL_CRC32(crc);
	COMP_TRADITIONAL_CRC32(crc, "123456789", 9);
	FIN_TRADITIONAL_CRC32(crc);
	ok(crc == 0xCBF43926, "CRC-32 has its published check value");
}

/*
 *		head = b'<prefix>.<public>.'
 *		sum = zlib.crc32(head + random).to_bytes(4, 'big')
 *		head + base64.b32encode(random + sum)
 */
static const struct
{
	const char *text;
	bool		agrees;
	const char *name;
}			sums[] = {
	/* random = bytes(range(100, 136)), sum d5fc5080 */
	{"tok.AAAQEAYEAUDAOCAJBIFQYDIO."
		"MRSWMZ3INFVGW3DNNZXXA4LSON2HK5TXPB4XU634PV7H7AEBQKBYJBMGQ7K7YUEA",
	true, "a sum by zlib"},
	/* random = b'\xff' * 36, sum d9c9cf6a */
	{"dt0c01.ST2EY72KQINMH574WMNVI7YN."
		"7777777777777777777777777777777777777777777777777777777777M4TT3K",
	true, "a sum by zlib, random bits all ones"},
	/* random = b'\0' * 36, sum 5842581d */
	{"A_1.AAAAAAAAAAAAAAAAAAAAAAAA."
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABMEEWA5",
	true, "a sum by zlib, random bits all zeros"},
	/* the first with the bytes of the sum in the other order */
	{"tok.AAAQEAYEAUDAOCAJBIFQYDIO."
		"MRSWMZ3INFVGW3DNNZXXA4LSON2HK5TXPB4XU634PV7H7AEBQKBYJBMGQ6AFB7GV",
	false, "a little-endian sum"},
	/* the first under another prefix, the rest being the same */
	{"tik.AAAQEAYEAUDAOCAJBIFQYDIO."
		"MRSWMZ3INFVGW3DNNZXXA4LSON2HK5TXPB4XU634PV7H7AEBQKBYJBMGQ7K7YUEA",
	false, "another prefix"},
	/* made elsewhere: zlib.crc32 is 670cfd11, its last bytes are 3bfd472c */
	{SAMPLE, false, "the document's token, which has no sum"},
};

static void
test_sums(void)
{
	for (int i = 0; i < (int) lengthof(sums); i++)
	{
		AtkTextParts parts;

		ok(atk_text_parse(sums[i].text, strlen(sums[i].text), &parts) &&
		   atk_text_check(&parts) == sums[i].agrees,
		   "check sum: %s", sums[i].name);
	}
}

/* --- parts of a text --- */

static void
test_parts(void)
{
	AtkTextParts parts = {0};
	uint8		id[ATK_ID_LEN];
	char		public_id[ATK_PUBLIC_ID_MAX];
	size_t		len;

	ok(atk_text_parse(SAMPLE, strlen(SAMPLE), &parts),
	   "the document's token has the shape");
	is_text(parts.prefix, parts.prefix_len, "dt0c01", "its prefix");
	is_text(parts.public_part, ATK_PUBLIC_LEN, "ST2EY72KQINMH574WMNVI7YN",
			"its public part");
	is_text(parts.secret, ATK_SECRET_LEN,
			"G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM",
			"its secret");

	/* The document's "id" of it. */
	from_hex("94f44c7f4a8271ac83f7fcb31b547f0d", id);
	len = atk_public_id_write("dt0c01", 6, id, public_id);
	is_text(public_id, len, "dt0c01.ST2EY72KQINMH574WMNVI7YN",
			"its public id");
	ok(atk_public_id_parse(public_id, len, &parts) && parts.secret == NULL &&
	   parts.prefix_len == 6, "which is read again");
}

/*
 * What is a text of the shape, a text at all, a prefix, a public id.  S is
 * a sound secret, P a sound public part.
 */
#define S "G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM"
#define P "ST2EY72KQINMH574WMNVI7YN"

static const struct
{
	const char *text;
	bool		shape;
	bool		public_id;
	bool		possible;
	const char *name;
}			shapes[] = {
	{"t." P "." S, true, false, true, "prefix of 1 character"},
	{"Abcdefghijklmno_." P "." S, true, false, true, "prefix of 16"},
	{"Abcdefghijklmno_9." P "." S, false, false, true, "prefix of 17"},
	{"." P "." S, false, false, true, "no prefix"},
	{"t-k." P "." S, false, false, true, "hyphen in the prefix"},
	{"t.k." P "." S, false, false, true, "dot in the prefix"},
	{"t\xc3\xa9." P "." S, false, false, false, "prefix not ASCII"},
	{"tok" P "." S, false, false, true, "no first dot"},
	{"tok." P S, false, false, true, "no second dot"},
	{"tok." P "-" S, false, false, true, "hyphen for the second dot"},
	{"tok.sT2EY72KQINMH574WMNVI7YN." S, false, false, true,
	"lower case in the public part"},
	{"tok.1T2EY72KQINMH574WMNVI7YN." S, false, false, true,
	"1 in the public part"},
	{"tok.ST2EY72KQINMH574WMNVI7Y." S, false, false, true,
	"public part of 23"},
	{"tok." P ".A" S, false, false, true, "secret of 65"},
	{"tok." P ".G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZ",
	false, false, true, "secret of 63"},
	{"tok." P ".g3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM",
	false, false, true, "lower case in the secret"},
	{"tok." P ".G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZ=",
	false, false, true, "padding in the secret"},
	{"tok." P "." S " ", false, false, false, "space at the end"},
	{" tok." P "." S, false, false, false, "space at the beginning"},
	{"tok." P, false, true, true, "a public id"},
	{"Abcdefghijklmno_." P, false, true, true, "a public id, prefix of 16"},
	{"Abcdefghijklmno_9." P, false, false, true, "a public id, prefix of 17"},
	{"." P, false, false, true, "a public id without prefix"},
	{"tok." P ".", false, false, true, "a public id and a dot"},
	{"12345678", false, false, true, "8 characters"},
	{"1234567", false, false, false, "7 characters"},
	{"1234567\t", false, false, false, "a tab"},
	{"1234567\x7f", false, false, false, "a delete"},
	{"1234567\xff", false, false, false, "a byte above ASCII"},
	{"!~!~!~!~", false, false, true, "the first and the last character"},
	{"", false, false, false, "nothing"},
};

static void
test_shapes(void)
{
	char		longest[ATK_TEXT_MAX + 1];

	for (int i = 0; i < (int) lengthof(shapes); i++)
	{
		const char *text = shapes[i].text;
		size_t		len = strlen(text);
		AtkTextParts parts;

		ok(atk_text_parse(text, len, &parts) == shapes[i].shape &&
		   atk_public_id_parse(text, len, &parts) == shapes[i].public_id &&
		   atk_text_possible(text, len) == shapes[i].possible,
		   "shape: %s", shapes[i].name);
	}

	memset(longest, 'x', sizeof(longest));
	ok(atk_text_possible(longest, 512), "512 characters are possible");
	ok(!atk_text_possible(longest, 513), "513 are not");
	ok(!atk_text_possible("12345678\0", 9), "a zero byte is not");
}

/* --- hashes --- */

static void
test_sha256(void)
{
	static char million[1000000];
	static const struct
	{
		const char *message;
		const char *sha256;
		const char *name;
	}			vectors[] = {
		/* FIPS 180-4, NIST's examples with intermediate values */
		{"abc",
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"SHA-256 of \"abc\""},
		{"",
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"SHA-256 of nothing"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		"SHA-256 of two blocks"},
		/* hashlib.sha256(token).hexdigest() */
		{SAMPLE,
			"559fab6733c7072076ce2ef9d3e21f9abb7cab2cbcf96212ece598fcc78668fc",
		"SHA-256 of the document's token"},
	};
	uint8		sha256[ATK_SHA256_LEN];

	for (int i = 0; i < (int) lengthof(vectors); i++)
	{
		atk_sha256(vectors[i].message, strlen(vectors[i].message), sha256);
		is_hex(sha256, sizeof(sha256), vectors[i].sha256, vectors[i].name);
	}

	memset(million, 'a', sizeof(million));
	atk_sha256(million, sizeof(million), sha256);
	is_hex(sha256, sizeof(sha256),
		   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
		   "SHA-256 of a million times \"a\"");
}

static void
test_blake2b(void)
{
	uint8		hash[ATK_DIGEST_LEN];
	uint8		sha256[ATK_SHA256_LEN];
	AtkDigest	digest;

	/* The published BLAKE2b-256 of "abc": the library does what it says. */
	crypto_generichash(hash, sizeof(hash), (const uint8 *) "abc", 3, NULL, 0);
	is_hex(hash, sizeof(hash),
		   "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
		   "libsodium's BLAKE2b-256 of \"abc\"");

	/* hashlib.blake2b(bytes(32), digest_size=32) */
	memset(sha256, 0, sizeof(sha256));
	atk_digest_of_sha256(sha256, NULL, 0, &digest);
	is_hex(digest.bytes, sizeof(digest.bytes),
		   "89eb0d6a8a691dae2cd15ed0369931ce0a949ecafa5c3f93f8121833646e15c3",
		   "digest of 32 zero bytes");

	/* hashlib.blake2b(bytes(range(32)), digest_size=32) */
	for (int i = 0; i < (int) sizeof(sha256); i++)
		sha256[i] = (uint8) i;
	atk_digest_of_sha256(sha256, NULL, 0, &digest);
	is_hex(digest.bytes, sizeof(digest.bytes),
		   "cb2f5160fc1f7e05a55ef49d340b48da2e5a78099d53393351cd579dd42503d6",
		   "digest of bytes 0 to 31");

	/* hashlib.blake2b(hashlib.sha256(token).digest(), digest_size=32) */
	atk_sha256(SAMPLE, strlen(SAMPLE), sha256);
	atk_digest_of_sha256(sha256, NULL, 0, &digest);
	is_hex(digest.bytes, sizeof(digest.bytes),
		   "132bb1512e72afd51381e8f3b23fd1f3b51e08f11e834ba569bb1ac0a4a51afd",
		   "digest of the document's token");

	/* The same by its SHA-256 alone, see above. */
	from_hex("559fab6733c7072076ce2ef9d3e21f9abb7cab2cbcf96212ece598fcc78668fc",
			 sha256);
	atk_digest_of_sha256(sha256, NULL, 0, &digest);
	is_hex(digest.bytes, sizeof(digest.bytes),
		   "132bb1512e72afd51381e8f3b23fd1f3b51e08f11e834ba569bb1ac0a4a51afd",
		   "the same from its SHA-256");
}

/*
 *		context = b'apitoken: id of an imported token'
 *		h = hashlib.blake2b(context + sha256, digest_size=16).hexdigest()[:30]
 *		h[:12] + '7' + h[12:15] + '8' + h[15:]
 */
static void
test_keyed(void)
{
	uint8		key[64];
	uint8		sha256[ATK_SHA256_LEN];
	AtkDigest	digest;

	for (int i = 0; i < (int) sizeof(key); i++)
		key[i] = (uint8) i;
	atk_sha256(SAMPLE, strlen(SAMPLE), sha256);

	/* hashlib.blake2b(sha256, digest_size=32, key=bytes(range(32))) */
	atk_digest_of_sha256(sha256, key, 32, &digest);
	is_hex(digest.bytes, sizeof(digest.bytes),
		   "136e960eb6be89c7fb495f463beb7dec97e59c928a16b16f0c7d16728cc01efd",
		   "digest of the document's token with a key of 32 bytes");

	/* the same with key=bytes(range(64)) */
	atk_digest_of_sha256(sha256, key, 64, &digest);
	is_hex(digest.bytes, sizeof(digest.bytes),
		   "3c9e7a4fcd1d26c223396f58e93c7631ec59516f2c161810caa86bd70574cf2d",
		   "digest of the document's token with a key of 64 bytes");

	/* bits 1 to 31 of hashlib.blake2b(b'apitoken key id', ...) */
	ok(atk_digest_key_id(key, 32) == 450566857, "number of the shorter key");
	ok(atk_digest_key_id(key, 64) == 1507279116, "number of the longer key");
}

static void
test_derived_id(void)
{
	uint8		sha256[ATK_SHA256_LEN];
	uint8		id[ATK_ID_LEN];

	from_hex("559fab6733c7072076ce2ef9d3e21f9abb7cab2cbcf96212ece598fcc78668fc",
			 sha256);
	atk_id_derive(sha256, id);
	is_hex(id, sizeof(id), "3b27686509ec71318dc09e86acb9e6bd",
		   "id derived from the SHA-256 of the document's token");
}

/* --- generating --- */

static void
test_generate(void)
{
	uint8		id[ATK_ID_LEN];
	uint8		other[ATK_ID_LEN];
	char		text[ATK_NATIVE_MAX];
	AtkTextParts parts;
	size_t		len;

	/* 2020-11-05T08:15:30.144Z is 1604564130144 = 0x17597799960 */
	atk_id_generate(UINT64CONST(1604564130144), id);
	is_hex(id, 6, "017597799960", "an id begins with its time");
	atk_id_generate(UINT64CONST(1604564130144), other);
	ok(memcmp(id + 6, other + 6, 10) != 0, "and is random behind it");

	len = atk_text_generate("tok", 3, id, text);
	ok(len == 3 + 1 + 24 + 1 + 64, "a token text has the length it must have");
	ok(atk_text_parse(text, len, &parts) && atk_text_check(&parts),
	   "it has the shape and the sum");
	ok(atk_public_to_id(parts.public_part, other) &&
	   memcmp(id, other, sizeof(id)) == 0, "its public part is its id");
}

/* --- digests as values --- */

static void
test_digest_text(void)
{
	static const char lower[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char upper[] =
		"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";
	static const char *const bad[] = {
		"",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
		" 123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde ",
		"\\x23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"01:23456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
	};
	AtkDigest	a;
	AtkDigest	b;
	char		hex[2 * ATK_DIGEST_LEN + 1];

	ok(atk_digest_from_hex(lower, strlen(lower), &a), "64 digits are a digest");
	ok(atk_digest_from_hex(upper, strlen(upper), &b) &&
	   atk_digest_equal(&a, &b), "in upper case too");
	atk_digest_to_hex(&b, hex);
	is_text(hex, strlen(hex), lower, "written in lower case");
	for (int i = 0; i < (int) lengthof(bad); i++)
		ok(!atk_digest_from_hex(bad[i], strlen(bad[i]), &b),
		   "no digest: \"%s\"", bad[i]);

	ok(!atk_digest_from_hex(lower, 63, &b), "the length counts, not the end");
	b = a;
	b.bytes[31] ^= 1;
	ok(!atk_digest_equal(&a, &b) && atk_digest_compare(&a, &b) != 0,
	   "the last bit counts");
	b.bytes[0] = 0xFF;
	ok(atk_digest_compare(&a, &b) < 0 && atk_digest_compare(&b, &a) > 0 &&
	   atk_digest_compare(&a, &a) == 0, "the order is that of unsigned bytes");
}

/* --- what may be shown --- */

static void
test_last_chars(void)
{
	static const struct
	{
		size_t		text_len;
		size_t		shown;
	}			expected[] = {
		{8, 2}, {11, 2}, {12, 3}, {19, 4}, {20, 5}, {96, 5}, {512, 5},
	};

	for (int i = 0; i < (int) lengthof(expected); i++)
		ok(atk_last_chars_len(expected[i].text_len) == expected[i].shown,
		   "of %d characters %d are shown", (int) expected[i].text_len,
		   (int) expected[i].shown);
}

int
main(void)
{
	unit_begin();
	test_base32();
	test_ids();
	test_crc();
	test_sums();
	test_parts();
	test_shapes();
	test_sha256();
	test_blake2b();
	test_keyed();
	test_derived_id();
	test_generate();
	test_digest_text();
	test_last_chars();
	return unit_end();
}
