/*
 * digest_sql.c
 *		SQL interface of type apitoken.digest.
 *
 * No message repeats its input: a digest is no secret, but what somebody
 * pastes in its place may be one.
 */
#include "postgres.h"
#include "compat.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "digest.h"
#include "pepper.h"
#include "secret.h"

#define PG_GETARG_DIGEST_P(n)	DatumGetAtkDigestP(PG_GETARG_DATUM(n))
#define PG_RETURN_DIGEST_P(p)	return AtkDigestPGetDatum(p)

ATK_FUNCTION(atk_sql_digest_in);
ATK_FUNCTION(atk_sql_digest_out);
ATK_FUNCTION(atk_sql_digest_recv);
ATK_FUNCTION(atk_sql_digest_send);
ATK_FUNCTION(atk_sql_digest_eq);
ATK_FUNCTION(atk_sql_digest_ne);
ATK_FUNCTION(atk_sql_digest_lt);
ATK_FUNCTION(atk_sql_digest_le);
ATK_FUNCTION(atk_sql_digest_gt);
ATK_FUNCTION(atk_sql_digest_ge);
ATK_FUNCTION(atk_sql_digest_cmp);
ATK_FUNCTION(atk_sql_digest_hash);
ATK_FUNCTION(atk_sql_digest_hash_extended);
ATK_FUNCTION(atk_sql_digest_from_bytea);
ATK_FUNCTION(atk_sql_digest_to_bytea);
ATK_FUNCTION(atk_sql_token_digest);

Datum
atk_sql_digest_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	AtkDigest  *digest = palloc(sizeof(AtkDigest));

	if (!atk_digest_from_hex(text, strlen(text), digest))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s",
						"apitoken.digest"),
				 errdetail("A digest is written as 64 hexadecimal digits.")));
	PG_RETURN_DIGEST_P(digest);
}

Datum
atk_sql_digest_out(PG_FUNCTION_ARGS)
{
	char	   *hex = palloc(2 * ATK_DIGEST_LEN + 1);

	atk_digest_to_hex(PG_GETARG_DIGEST_P(0), hex);
	PG_RETURN_CSTRING(hex);
}

Datum
atk_sql_digest_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	AtkDigest  *digest = palloc(sizeof(AtkDigest));

	/* Too short or too long: 22P03 (the server checks the latter itself). */
	if (buf->len - buf->cursor != ATK_DIGEST_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "apitoken.digest"),
				 errdetail("A digest has 32 bytes.")));
	pq_copymsgbytes(buf, (char *) digest->bytes, ATK_DIGEST_LEN);
	PG_RETURN_DIGEST_P(digest);
}

Datum
atk_sql_digest_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, (char *) PG_GETARG_DIGEST_P(0)->bytes, ATK_DIGEST_LEN);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static int
compare_arguments(FunctionCallInfo fcinfo)
{
	return atk_digest_compare(PG_GETARG_DIGEST_P(0), PG_GETARG_DIGEST_P(1));
}

Datum
atk_sql_digest_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(atk_digest_equal(PG_GETARG_DIGEST_P(0),
									PG_GETARG_DIGEST_P(1)));
}

Datum
atk_sql_digest_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!atk_digest_equal(PG_GETARG_DIGEST_P(0),
									 PG_GETARG_DIGEST_P(1)));
}

Datum
atk_sql_digest_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
atk_sql_digest_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
atk_sql_digest_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
atk_sql_digest_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

Datum
atk_sql_digest_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/* A digest is uniform already: its leading bytes are its hash. */
Datum
atk_sql_digest_hash(PG_FUNCTION_ARGS)
{
	uint32		hash;

	memcpy(&hash, PG_GETARG_DIGEST_P(0)->bytes, sizeof(hash));
	PG_RETURN_UINT32(hash);
}

/*
 * The server wants the low half with seed 0 to be the plain hash.  The high
 * half comes from the next bytes; a seed other than 0 is mixed into both.
 */
Datum
atk_sql_digest_hash_extended(PG_FUNCTION_ARGS)
{
	const uint8 *bytes = PG_GETARG_DIGEST_P(0)->bytes;
	uint64		seed = PG_GETARG_INT64(1);
	uint32		low;
	uint32		high;

	memcpy(&low, bytes, sizeof(low));
	memcpy(&high, bytes + sizeof(low), sizeof(high));
	PG_RETURN_UINT64((((uint64) high << 32) | low) ^
					 (seed * UINT64CONST(0x9E3779B97F4A7C15)));
}

Datum
atk_sql_digest_from_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	AtkDigest  *digest = palloc(sizeof(AtkDigest));

	if (VARSIZE_ANY_EXHDR(bytes) != ATK_DIGEST_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a digest has 32 bytes")));
	memcpy(digest->bytes, VARDATA_ANY(bytes), ATK_DIGEST_LEN);
	PG_RETURN_DIGEST_P(digest);
}

Datum
atk_sql_digest_to_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = palloc(VARHDRSZ + ATK_DIGEST_LEN);

	SET_VARSIZE(bytes, VARHDRSZ + ATK_DIGEST_LEN);
	memcpy(VARDATA(bytes), PG_GETARG_DIGEST_P(0)->bytes, ATK_DIGEST_LEN);
	PG_RETURN_BYTEA_P(bytes);
}

/* token_digest(token text) -> apitoken.digest */
Datum
atk_sql_token_digest(PG_FUNCTION_ARGS)
{
	AtkDigest  *digest = palloc(sizeof(AtkDigest));
	text	   *token;

	atk_pepper_require();
	token = PG_GETARG_TEXT_PP(0);
	atk_pepper_digest(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token), digest);
	atk_wipe_copy(token, PG_GETARG_DATUM(0));
	PG_RETURN_DIGEST_P(digest);
}
