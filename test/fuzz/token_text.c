/*
 * token_text.c
 *		Any bytes as the text of a token, as its public id, and as the stuff
 *		that a token is made of.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "token_text.h"

#include "fuzz.h"

static bool
naive_possible(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (data[i] < 0x21 || data[i] > 0x7E)
			return false;
	}
	return len >= 8 && len <= 512;
}

/* What is parsed is all of the text, and its id has one spelling. */
static void
check_parts(const char *text, size_t len, const AtkTextParts *parts)
{
	uint8		id[ATK_ID_LEN];
	char		public_id[ATK_PUBLIC_ID_MAX];
	size_t		head = parts->prefix_len + 1 + ATK_PUBLIC_LEN;

	CHECK(parts->prefix == text && parts->public_part == text + parts->prefix_len + 1);
	CHECK(atk_prefix_valid(parts->prefix, parts->prefix_len));
	CHECK(text[parts->prefix_len] == '.');
	CHECK(len == head || (len == head + 1 + ATK_SECRET_LEN && text[head] == '.'));
	CHECK(atk_public_to_id(parts->public_part, id));
	CHECK((id[6] & 0xF0) == 0x70 && (id[8] & 0xF0) == 0x80);
	CHECK(atk_public_id_write(parts->prefix, parts->prefix_len, id, public_id) == head);
	CHECK(memcmp(public_id, text, head) == 0);
}

static void
check_text(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_copy(data, len);
	AtkTextParts parts;
	bool		possible = atk_text_possible(text, len);

	CHECK(possible == naive_possible(data, len));
	CHECK(!possible || atk_text_printable(text, len));
	CHECK(atk_last_chars_len(len) <= ATK_LAST_CHARS &&
		  atk_last_chars_len(len) * 4 <= len);
	if (atk_text_parse(text, len, &parts))
	{
		CHECK(possible && parts.secret == text + len - ATK_SECRET_LEN);
		check_parts(text, len, &parts);
		(void) atk_text_check(&parts);
	}
	if (atk_public_id_parse(text, len, &parts))
	{
		CHECK(parts.secret == NULL && len <= ATK_PUBLIC_ID_MAX);
		check_parts(text, len, &parts);
	}
}

/*
 * A token made of the input is a good one, and is none with any one of its
 * characters changed.
 */
static void
check_made(const uint8_t *data, size_t len)
{
	char		text[ATK_NATIVE_MAX];
	char		prefix[ATK_PREFIX_MAX];
	size_t		prefix_len;
	uint8		id[ATK_ID_LEN];
	uint8		again[ATK_ID_LEN];
	size_t		text_len;
	AtkTextParts parts;
	size_t		place;

	if (len < ATK_ID_LEN + 4)
		return;
	prefix_len = data[0] % ATK_PREFIX_MAX + 1;
	for (size_t i = 0; i < prefix_len; i++)
		prefix[i] = "ABZaz_09"[data[1 + i % (len - 1)] % 8];
	memcpy(id, data + 1, ATK_ID_LEN);
	id[6] = (id[6] & 0x0F) | 0x70;
	id[8] = (id[8] & 0x0F) | 0x80;

	text_len = atk_text_generate(prefix, prefix_len, id, text);
	CHECK(text_len <= sizeof(text));
	check_text((const uint8_t *) text, text_len);
	CHECK(atk_text_parse(text, text_len, &parts) && atk_text_check(&parts));
	CHECK(atk_public_to_id(parts.public_part, again) &&
		  memcmp(id, again, ATK_ID_LEN) == 0);

	place = data[ATK_ID_LEN + 1] % text_len;
	if (text[place] == (char) data[ATK_ID_LEN + 2])
		return;
	text[place] = (char) data[ATK_ID_LEN + 2];
	CHECK(!atk_text_parse(text, text_len, &parts) || !atk_text_check(&parts));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	stub_reset();
	error_raised = false;
	if (sodium_init() < 0)
		abort();
	check_text(data, len);
	check_made(data, len);
	CHECK(!error_raised);
	return 0;
}
