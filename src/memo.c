/*
 * memo.c
 *		Digests of token texts that were presented before; see memo.h.
 *
 * Codes are uniform, so their own bits choose the place.  A place that has not
 * been used has the code of no text, and so has one that was made under
 * another key.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "memo.h"

#define NPLACES		4096

StaticAssertDecl(ATK_MEMO_CODE_LEN == crypto_shorthash_siphashx24_BYTES,
				 "a code is what SipHash makes");

typedef struct Place
{
	AtkMemoCode code;
	AtkDigest	digest;
} Place;

static Place places[NPLACES];
static uint8 key[crypto_shorthash_siphashx24_KEYBYTES];
static bool has_key;

static inline Place *
place_of(const AtkMemoCode *code)
{
	uint32		bits;

	memcpy(&bits, code->bytes, sizeof(bits));
	return &places[bits % NPLACES];
}

void
atk_memo_forget(void)
{
	has_key = false;
}

ATK_HOT bool
atk_memo_find(const char *text, size_t len, AtkMemoCode *code,
			  AtkDigest *digest)
{
	const Place *place;

	if (unlikely(!has_key))
	{
		randombytes_buf(key, sizeof(key));
		has_key = true;
	}
	(void) crypto_shorthash_siphashx24(code->bytes, (const uint8 *) text, len,
									   key);
	place = place_of(code);
	if (!atk_bytes_equal(place->code.bytes, code->bytes, ATK_MEMO_CODE_LEN))
		return false;
	*digest = place->digest;
	return true;
}

void
atk_memo_keep(const AtkMemoCode *code, const AtkDigest *digest)
{
	*place_of(code) = (Place) {*code, *digest};
}
