/*
 * cursor.c
 *		Any bytes as a cursor, and as the position of one.  The first line of
 *		the input is the context, the rest is the text or the sort key.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "cursor.h"

#include "fuzz.h"

static StringInfoData
context_of(const uint8_t *data, size_t len)
{
	StringInfoData context = {.data = fuzz_copy(data, len), .len = (int) len};

	return context;
}

/* Whatever is taken for a cursor is what would have been written. */
static void
check_text(const char *text, size_t len, const StringInfoData *context)
{
	AtkPosition position;
	char	   *again;

	if (!atk_cursor_read(text, (int) len, context, &position))
		return;
	CHECK(position.key_len >= 0);
	again = atk_cursor_write(&position, context);
	CHECK(strlen(again) == len && memcmp(again, text, len) == 0);
}

static void
check_position(const uint8_t *data, size_t len, const StringInfoData *context)
{
	AtkPosition position = {.key_is_null = len % 2};
	AtkPosition again;
	StringInfoData other = *context;
	char	   *text;
	int			text_len;

	/* longer than any key there is: 255 characters of 4 bytes */
	len = Min(len, 1020);
	for (int i = 0; i < ATK_ID_LEN; i++)
		position.id[i] = len > 0 ? data[i % len] : 0;
	position.key = fuzz_copy(data, len);
	position.key_len = (int) len;

	text = atk_cursor_write(&position, context);
	text_len = (int) strlen(text);
	text = fuzz_copy(text, text_len);
	CHECK(atk_cursor_read(text, text_len, context, &again));
	CHECK(memcmp(again.id, position.id, ATK_ID_LEN) == 0);
	CHECK(again.key_is_null == position.key_is_null && again.key_len == position.key_len);
	CHECK(memcmp(again.key, position.key, again.key_len) == 0);

	/* another walk, a part of it, a damaged one */
	if (context->len > 0)
	{
		other.len--;
		CHECK(!atk_cursor_read(text, text_len, &other, &again));
	}
	CHECK(!atk_cursor_read(text, text_len - 1, context, &again));
	if (text[data[0] % text_len] == (char) data[len - 1])
		return;
	text[data[0] % text_len] = (char) data[len - 1];
	CHECK(!atk_cursor_read(text, text_len, context, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *newline = len > 0 ? memchr(data, '\n', len) : NULL;
	const uint8_t *rest = newline != NULL ? newline + 1 : data;
	size_t		rest_len = data + len - rest;
	StringInfoData context;

	stub_reset();
	error_raised = false;
	if (sodium_init() < 0)
		abort();
	context = context_of(data, newline != NULL ? newline - data : 0);
	check_text(fuzz_copy(rest, rest_len), rest_len, &context);
	if (rest_len > 0)
		check_position(rest, rest_len, &context);
	CHECK(!error_raised);
	return 0;
}
