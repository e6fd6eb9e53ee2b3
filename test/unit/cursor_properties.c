/*
 * cursor_properties.c
 *		What holds for the cursors of walks: any position comes back, and
 *		nothing that differs from a cursor is one.
 *
 * Known cursors are from Python: urlsafe_b64encode() of the bytes, without
 * padding, after blake2b(digest_size=16).
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "cursor.h"

#include "unit.h"

#define CASES 20000
#define ALPHABET \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* The longest key there is: a name of 255 characters of 4 bytes. */
#define KEY_MAX		1020
#define HEAD_LEN	(2 + ATK_ID_LEN)
#define CHECK_LEN	16

static StringInfoData
context_of(char *data, int len)
{
	StringInfoData context = {.data = data, .len = len, .maxlen = len};

	return context;
}

static StringInfoData
random_context(int most)
{
	int			len = random_below(most + 1);
	char	   *data = palloc(len + 1);

	random_bytes(data, len);
	return context_of(data, len);
}

static AtkPosition
random_position(int most)
{
	AtkPosition position = {.key_is_null = random_below(4) == 0};
	char	   *key;

	random_bytes(position.id, ATK_ID_LEN);
	position.key_len = position.key_is_null ? 0 : random_below(most + 1);
	key = palloc(position.key_len + 1);
	random_bytes(key, position.key_len);
	position.key = key;
	return position;
}

static bool
same_position(const AtkPosition *a, const AtkPosition *b)
{
	return memcmp(a->id, b->id, ATK_ID_LEN) == 0 &&
		a->key_is_null == b->key_is_null && a->key_len == b->key_len &&
		memcmp(a->key, b->key, a->key_len) == 0;
}

/* Exactly these bytes, so that a sanitizer sees who reads beyond them. */
static bool
is_cursor(const char *text, int len, const StringInfoData *context)
{
	char	   *exact = palloc(len);
	AtkPosition position;

	memcpy(exact, text, len);
	return atk_cursor_read(exact, len, context, &position);
}

/* --- what is written comes back --- */

static void
test_known(void)
{
	AtkPosition position = {.key = "name", .key_len = 4};
	StringInfoData context = context_of("4:acme-1:-1:name 0", 18);
	char	   *text;

	from_hex("0123456789ab7def8123456789abcdef", position.id);
	text = atk_cursor_write(&position, &context);
	is_text(text, strlen(text),
			"AQABI0Vniat974EjRWeJq83vbmFtZT2wXxVa6oCvmtf3R4TmUKs",
			"a key that is a text");

	position.key_is_null = true;
	position.key_len = 0;
	context = context_of("4:acme-1:-1:id 1", 16);
	text = atk_cursor_write(&position, &context);
	is_text(text, strlen(text),
			"AQEBI0Vniat974EjRWeJq83vVdtIXGvdZNdfAVlGYcgcVg", "no key");

	position.key_is_null = false;
	position.key = "\0\1\2\3\4\5\6\7";
	position.key_len = 8;
	context = context_of("", 0);
	text = atk_cursor_write(&position, &context);
	is_text(text, strlen(text),
			"AQABI0Vniat974EjRWeJq83vAAECAwQFBgcf8Vx3s_Ku1AEdCdoL50YY",
			"a key that has zeros");
}

static void
test_round_trip(void)
{
	Property	property;

	for (property_begin(&property, "position -> cursor -> position", CASES);
		 property_next(&property);)
	{
		AtkPosition position = random_position(KEY_MAX);
		AtkPosition again;
		StringInfoData context = random_context(300);
		char	   *text = atk_cursor_write(&position, &context);
		int			len = strlen(text);

		hold(&property, atk_cursor_read(text, len, &context, &again),
			 "%s is not taken", text);
		hold(&property, same_position(&position, &again),
			 "%s is another position", text);
		hold(&property, (int) strspn(text, ALPHABET) == len,
			 "%s cannot stand in a URL", text);
		hold(&property, strcmp(text, atk_cursor_write(&again, &context)) == 0,
			 "%s is written another way the second time", text);
		stub_reset();
	}
}

/* --- what is no cursor --- */

/* Each byte replaced with each other one. */
static void
test_every_byte(void)
{
	static const int key_lens[] = {0, 1, 2, 3, 8, 16, 100};
	int			wrong = 0;

	for (int i = 0; i < (int) lengthof(key_lens); i++)
	{
		AtkPosition position = random_position(0);
		StringInfoData context = random_context(50);
		char		key[100];
		char	   *text;
		int			len;

		random_bytes(key, sizeof(key));
		position.key = key;
		position.key_len = key_lens[i];
		text = atk_cursor_write(&position, &context);
		len = strlen(text);
		for (int place = 0; place < len; place++)
		{
			for (int other = 1; other < 256; other++)
			{
				text[place] ^= other;
				wrong += is_cursor(text, len, &context);
				text[place] ^= other;
			}
		}
		wrong += !is_cursor(text, len, &context);
		stub_reset();
	}
	ok(wrong == 0, "every byte replaced with every other: %d taken", wrong);
}

static void
test_length(void)
{
	Property	property;

	for (property_begin(&property, "cut off, extended, shifted", 500);
		 property_next(&property);)
	{
		AtkPosition position = random_position(40);
		StringInfoData context = random_context(50);
		char	   *text = atk_cursor_write(&position, &context);
		int			len = strlen(text);
		char	   *longer = palloc(len + 1);

		for (int n = 0; n < len; n++)
		{
			hold(&property, !is_cursor(text, n, &context),
				 "the first %d of %s", n, text);
			hold(&property, !is_cursor(text + len - n, n, &context),
				 "the last %d of %s", n, text);
		}
		for (int place = 0; place <= len; place++)
		{
			memcpy(longer, text, place);
			longer[place] = random_of(ALPHABET "= \n+/");
			memcpy(longer + place + 1, text + place, len - place);
			hold(&property, !is_cursor(longer, len + 1, &context),
				 "%s with %c at %d", text, longer[place], place);
		}
		stub_reset();
	}
}

static void
test_other_context(void)
{
	Property	property;

	for (property_begin(&property, "another context", CASES);
		 property_next(&property);)
	{
		AtkPosition position = random_position(40);
		StringInfoData context = random_context(50);
		char	   *text = atk_cursor_write(&position, &context);
		int			len = strlen(text);
		int			place;

		context.data[context.len] = 0;
		context.len++;
		hold(&property, !is_cursor(text, len, &context),
			 "%s with a byte more", text);
		context.len--;
		if (context.len > 0)
		{
			place = random_below(context.len);
			context.data[place] ^= 1 << random_below(8);
			hold(&property, !is_cursor(text, len, &context),
				 "%s with a bit changed", text);
			context.len--;
			hold(&property, !is_cursor(text, len, &context),
				 "%s with a byte less", text);
		}
		stub_reset();
	}
}

static void
test_noise(void)
{
	Property	property;

	for (property_begin(&property, "noise", CASES); property_next(&property);)
	{
		StringInfoData context = random_context(10);
		int			len = random_below(200);
		char	   *text = palloc(len + 1);

		for (int i = 0; i < len; i++)
			text[i] = random_of(ALPHABET);
		hold(&property, !is_cursor(text, len, &context),
			 "%d letters", len);
		random_bytes(text, len);
		hold(&property, !is_cursor(text, len, &context), "%d bytes", len);
		stub_reset();
	}
}

/* Bytes with a check that is right for them, as somebody could make it. */
static char *
forge(const uint8 *body, size_t len, const StringInfoData *context)
{
	crypto_generichash_state state;
	uint8	   *bytes = palloc(len + CHECK_LEN);
	size_t		text_len = sodium_base64_encoded_len(len + CHECK_LEN,
													 sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	memcpy(bytes, body, len);
	crypto_generichash_init(&state, NULL, 0, CHECK_LEN);
	crypto_generichash_update(&state, body, len);
	crypto_generichash_update(&state, (const uint8 *) context->data,
							  context->len);
	crypto_generichash_final(&state, bytes + len, CHECK_LEN);
	return sodium_bin2base64(palloc(text_len), text_len, bytes,
							 len + CHECK_LEN,
							 sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool
forged_is_taken(const uint8 *body, size_t len, const StringInfoData *context)
{
	char	   *text = forge(body, len, context);

	return is_cursor(text, strlen(text), context);
}

static void
test_forged(void)
{
	StringInfoData context = context_of("context", 7);
	uint8		body[HEAD_LEN + 10] = {1, 0};
	int			taken = 0;

	ok(forged_is_taken(body, sizeof(body), &context),
	   "what is forged well is another place of the walk, and taken");
	for (int len = 0; len < HEAD_LEN; len++)
		taken += forged_is_taken(body, len, &context);
	ok(taken == 0, "too short for its head: %d taken", taken);
	for (int version = 0; version < 256; version++)
	{
		body[0] = version;
		taken += version != 1 && forged_is_taken(body, sizeof(body), &context);
	}
	ok(taken == 0, "another version: %d taken", taken);
	body[0] = 1;
	for (int flag = 2; flag < 256; flag++)
	{
		body[1] = flag;
		taken += forged_is_taken(body, sizeof(body), &context);
	}
	ok(taken == 0, "neither null nor a value: %d taken", taken);
	stub_reset();
}

/* Nothing so long is decoded, even if it were good. */
static void
test_too_long(void)
{
	StringInfoData context = context_of("context", 7);
	uint8	   *body = palloc0(10000);

	body[0] = 1;
	ok(forged_is_taken(body, 6128, &context), "8192 characters");
	ok(!forged_is_taken(body, 6129, &context), "8194 characters");
	ok(!forged_is_taken(body, 10000, &context), "13355 characters");
	stub_reset();
}

int
main(void)
{
	unit_begin();
	test_known();
	test_round_trip();
	test_every_byte();
	test_length();
	test_other_context();
	test_noise();
	test_forged();
	test_too_long();
	return unit_end();
}
