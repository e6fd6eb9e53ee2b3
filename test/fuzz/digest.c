/*
 * digest.c
 *		Any bytes as a digest: text form, binary form, bytea.
 */
#include "postgres.h"
#include "compat.h"

#include <ctype.h>

#include "digest.h"

#include "fuzz.h"

extern Datum atk_sql_digest_in(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_out(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_recv(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_send(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_cmp(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_eq(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_hash(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_hash_extended(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_from_bytea(PG_FUNCTION_ARGS);
extern Datum atk_sql_digest_to_bytea(PG_FUNCTION_ARGS);

static bool
naive_is_digest(const char *text)
{
	size_t		len = strlen(text);

	for (size_t i = 0; i < len; i++)
	{
		if (!isxdigit((unsigned char) text[i]))
			return false;
	}
	return len == 64;
}

static bool
is_bytes(Datum bytes, const void *data)
{
	return VARSIZE_ANY_EXHDR(DatumGetPointer(bytes)) == ATK_DIGEST_LEN &&
		memcmp(VARDATA_ANY(DatumGetPointer(bytes)), data, ATK_DIGEST_LEN) == 0;
}

/* What holds for each value of the type. */
static void
check_value(Datum value)
{
	const AtkDigest *digest = DatumGetAtkDigestP(value);
	Datum		text = fuzz_call(atk_sql_digest_out, value, 0);
	Datum		again = fuzz_call(atk_sql_digest_in, text, 0);

	CHECK(naive_is_digest(DatumGetCString(text)));
	CHECK(memcmp(digest, DatumGetAtkDigestP(again), ATK_DIGEST_LEN) == 0);
	CHECK(DatumGetBool(fuzz_call(atk_sql_digest_eq, value, again)));
	CHECK(DatumGetInt32(fuzz_call(atk_sql_digest_cmp, value, again)) == 0);
	CHECK(is_bytes(fuzz_call(atk_sql_digest_send, value, 0), digest));
	CHECK(is_bytes(fuzz_call(atk_sql_digest_to_bytea, value, 0), digest));
	CHECK(DatumGetUInt32(fuzz_call(atk_sql_digest_hash, value, 0)) ==
		  (uint32) DatumGetUInt64(fuzz_call(atk_sql_digest_hash_extended, value, 0)));
}

static void
check_text(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_cstring(data, len);
	Datum		value = 0;

	TRAP(value = fuzz_call(atk_sql_digest_in, CStringGetDatum(text), 0));
	CHECK(error_raised == !naive_is_digest(text));
	CHECK(!error_raised || fuzz_raised("22P02"));
	if (error_raised)
		return;
	check_value(value);
	CHECK(strcasecmp(text, DatumGetCString(fuzz_call(atk_sql_digest_out, value, 0))) == 0);
}

static void
check_binary(const uint8_t *data, size_t len)
{
	Datum		value = 0;

	TRAP(value = fuzz_receive(atk_sql_digest_recv, data, len));
	CHECK(error_raised == (len != ATK_DIGEST_LEN));
	CHECK(!error_raised || fuzz_raised("22P03"));
	if (error_raised)
		return;
	CHECK(memcmp(DatumGetAtkDigestP(value), data, len) == 0);
	check_value(value);
}

static void
check_bytea(const uint8_t *data, size_t len)
{
	Datum		value = 0;

	TRAP(value = fuzz_call(atk_sql_digest_from_bytea,
						   PointerGetDatum(fuzz_text(data, len)), 0));
	CHECK(error_raised == (len != ATK_DIGEST_LEN));
	CHECK(!error_raised || fuzz_raised("22023"));
	if (!error_raised)
		CHECK(memcmp(DatumGetAtkDigestP(value), data, len) == 0);
}

/* The halves of 64 bytes, in order as memcmp() has it. */
static void
check_order(const uint8_t *data, size_t len)
{
	char	   *a = fuzz_copy(data, ATK_DIGEST_LEN);
	char	   *b = fuzz_copy(data + len - ATK_DIGEST_LEN, ATK_DIGEST_LEN);
	int			order = DatumGetInt32(fuzz_call(atk_sql_digest_cmp,
												PointerGetDatum(a), PointerGetDatum(b)));
	int			expected = memcmp(a, b, ATK_DIGEST_LEN);

	CHECK((order < 0) == (expected < 0) && (order > 0) == (expected > 0));
	CHECK(DatumGetBool(fuzz_call(atk_sql_digest_eq, PointerGetDatum(a),
								 PointerGetDatum(b))) == (expected == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	stub_reset();
	check_text(data, len);
	check_binary(data, len);
	check_bytea(data, len);
	if (len >= ATK_DIGEST_LEN)
		check_order(data, len);
	return 0;
}
