/*
 * cursor.c
 *		Where a walk through pages stands; see cursor.h.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "cursor.h"

#define VERSION		1
#define HEAD_LEN	(2 + ATK_ID_LEN)
#define CHECK_LEN	16
#define TEXT_MAX	8192		/* longer than any cursor that we write */
#define VARIANT		sodium_base64_VARIANT_URLSAFE_NO_PADDING

static void
make_check(const uint8 *body, size_t len, const StringInfoData *context,
		   uint8 *check)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, CHECK_LEN);
	crypto_generichash_update(&state, body, len);
	crypto_generichash_update(&state, (const uint8 *) context->data,
							  context->len);
	crypto_generichash_final(&state, check, CHECK_LEN);
}

char *
atk_cursor_write(const AtkPosition *position, const StringInfoData *context)
{
	size_t		body_len = HEAD_LEN + position->key_len;
	size_t		text_len;
	uint8	   *body = palloc(body_len + CHECK_LEN);
	char	   *text;

	body[0] = VERSION;
	body[1] = position->key_is_null;
	memcpy(body + 2, position->id, ATK_ID_LEN);
	if (position->key_len > 0)
		memcpy(body + HEAD_LEN, position->key, position->key_len);
	make_check(body, body_len, context, body + body_len);

	text_len = sodium_base64_encoded_len(body_len + CHECK_LEN, VARIANT);
	text = palloc(text_len);
	return sodium_bin2base64(text, text_len, body, body_len + CHECK_LEN,
							 VARIANT);
}

/* libsodium's decoder takes some bytes above 127 for letters. */
static bool
is_ascii(const char *text, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(text[i]))
			return false;
	}
	return true;
}

bool
atk_cursor_read(const char *text, int len, const StringInfoData *context,
				AtkPosition *position)
{
	uint8	   *body;
	size_t		body_len;
	uint8		check[CHECK_LEN];

	if (len > TEXT_MAX || !is_ascii(text, len))
		return false;
	body = palloc(len + 1);
	if (sodium_base642bin(body, len + 1, text, len, NULL, &body_len, NULL,
						  VARIANT) != 0 ||
		body_len < HEAD_LEN + CHECK_LEN)
		return false;
	body_len -= CHECK_LEN;
	make_check(body, body_len, context, check);
	if (body[0] != VERSION || body[1] > 1 ||
		memcmp(check, body + body_len, CHECK_LEN) != 0)
		return false;

	position->key_is_null = body[1];
	memcpy(position->id, body + 2, ATK_ID_LEN);
	position->key = (const char *) body + HEAD_LEN;
	position->key_len = body_len - HEAD_LEN;
	return true;
}
