/*
 * verify_sql.c
 *		SQL interface of verification.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "result.h"
#include "secret.h"
#include "verify.h"

ATK_FUNCTION(atk_sql_verify);
ATK_FUNCTION(atk_sql_verify_sha256);
ATK_FUNCTION(atk_sql_verify_many);
ATK_FUNCTION(atk_sql_verified_id);

/* Makes digests of what was presented; false if it cannot be a token. */
typedef bool (*Reader) (Datum argument, AtkPresented *presented);

static bool
read_sha256(Datum argument, AtkPresented *presented)
{
	bytea	   *sha256;
	bool		possible;

	atk_pepper_require();
	sha256 = DatumGetByteaPP(argument);
	possible = VARSIZE_ANY_EXHDR(sha256) == ATK_SHA256_LEN;
	if (possible)
		atk_present_sha256((uint8 *) VARDATA_ANY(sha256), presented);
	atk_wipe_copy(sha256, argument);
	return possible;
}

static AtkResult verify_result = {
	.ncolumns = 13,
	.columns = {
		{"valid", BOOLOID},
		{"outcome", TEXTOID},
		{"id", UUIDOID},
		{"realm", TEXTOID},
		{"name", TEXTOID},
		{"kind", TEXTOID},
		{"principal", TEXTOID},
		{"principal_id", TEXTOID},
		{"client_id", TEXTOID},
		{"environment_id", TEXTOID},
		{"scopes", TEXTARRAYOID},
		{"expires_at", TIMESTAMPTZOID},
		{"metadata", JSONBOID},
	}
};

enum
{
	OUT_VALID, OUT_OUTCOME, OUT_ID, OUT_REALM, OUT_NAME, OUT_KIND,
	OUT_PRINCIPAL, OUT_PRINCIPAL_ID, OUT_CLIENT_ID, OUT_ENVIRONMENT_ID,
	OUT_SCOPES, OUT_EXPIRES_AT, OUT_METADATA, OUT_COUNT
};

/* Result columns that are columns of the token. */
static const struct
{
	int			out;
	AttrNumber	column;
}			copied_columns[] = {
	{OUT_REALM, Anum_token_realm},
	{OUT_NAME, Anum_token_name},
	{OUT_PRINCIPAL, Anum_token_principal},
	{OUT_PRINCIPAL_ID, Anum_token_principal_id},
	{OUT_CLIENT_ID, Anum_token_client_id},
	{OUT_ENVIRONMENT_ID, Anum_token_environment_id},
	{OUT_METADATA, Anum_token_metadata},
};

ATK_HOT static void
describe_token(const AtkToken *token, Datum *values, bool *nulls)
{
	struct varlena *scopes;

	for (int i = 0; i < (int) lengthof(copied_columns); i++)
		values[copied_columns[i].out] =
			atk_token_column(token, copied_columns[i].column,
							 &nulls[copied_columns[i].out]);

	values[OUT_ID] = UUIDPGetDatum(&token->id);
	values[OUT_KIND] = CStringGetTextDatum(atk_token_kind_name(token->kind));
	scopes = PG_DETOAST_DATUM_PACKED(atk_token_column(token,
													  Anum_token_scopes,
													  &nulls[OUT_SCOPES]));
	values[OUT_SCOPES] =
		PointerGetDatum(atk_scopes_to_array(ATK_SCOPES_OF(scopes)));
	values[OUT_EXPIRES_AT] = atk_result_time(atk_secret_expires_at(token),
											 &nulls[OUT_EXPIRES_AT]);
	nulls[OUT_ID] = nulls[OUT_KIND] = false;
}

/* The columns; token is NULL where none was found. */
ATK_HOT static void
describe(AtkOutcome outcome, const AtkToken *token, Datum *values, bool *nulls)
{
	memset(nulls, true, OUT_COUNT * sizeof(bool));
	values[OUT_VALID] = BoolGetDatum(outcome == ATK_VALID);
	values[OUT_OUTCOME] = CStringGetTextDatum(atk_outcome_name(outcome));
	nulls[OUT_VALID] = nulls[OUT_OUTCOME] = false;
	if (token != NULL)
		describe_token(token, values, nulls);
}

ATK_HOT static Datum
verify_row(AtkOutcome outcome, const AtkToken *token)
{
	Datum		values[OUT_COUNT];
	bool		nulls[OUT_COUNT];

	describe(outcome, token, values, nulls);
	return atk_result_row(&verify_result, values, nulls);
}

ATK_HOT static Datum
verify_one(FunctionCallInfo fcinfo, Reader read)
{
	AtkRequest	request = atk_request_of(fcinfo);
	AtkTokenFinder finder;
	AtkPresented presented;
	AtkToken	token;
	AtkOutcome	outcome;
	Datum		row;

	if (PG_ARGISNULL(0) || !read(PG_GETARG_DATUM(0), &presented))
		return verify_row(atk_verify_malformed(&request), NULL);

	atk_token_finder_begin(&finder);
	outcome = atk_verify(&finder, &presented, &request, &token);
	row = verify_row(outcome, outcome == ATK_UNKNOWN ? NULL : &token);
	atk_token_finder_end(&finder);
	return row;
}

/* verify(token text, scope text, address inet) -> row */
ATK_HOT Datum
atk_sql_verify(PG_FUNCTION_ARGS)
{
	return verify_one(fcinfo, atk_present_argument);
}

/* verify_sha256(sha256 bytea, scope text, address inet) -> row */
Datum
atk_sql_verify_sha256(PG_FUNCTION_ARGS)
{
	return verify_one(fcinfo, read_sha256);
}

/* One row of verify_many(): ordinality, then the columns of verify(). */
static void
put_one(ReturnSetInfo *rsinfo, int64 ordinality, AtkTokenFinder *finder,
		const AtkRequest *request, Datum argument, bool isnull)
{
	Datum		values[1 + OUT_COUNT];
	bool		nulls[1 + OUT_COUNT];
	AtkPresented presented;
	AtkToken	token;
	AtkOutcome	outcome;

	values[0] = Int64GetDatum(ordinality);
	nulls[0] = false;
	if (isnull || !atk_present_argument(argument, &presented))
		describe(atk_verify_malformed(request), NULL, values + 1, nulls + 1);
	else
	{
		outcome = atk_verify(finder, &presented, request, &token);
		describe(outcome, outcome == ATK_UNKNOWN ? NULL : &token,
				 values + 1, nulls + 1);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * verify_many(tokens text[], scope text, address inet) -> rows.  All with one
 * open table and scan, memory being given back after each token.
 */
Datum
atk_sql_verify_many(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AtkRequest	request = atk_request_of(fcinfo);
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext,
											   "apitoken verify_many",
											   ALLOCSET_DEFAULT_SIZES);
	AtkTokenFinder finder;
	ArrayType  *tokens;
	ArrayIterator iterator;
	Datum		argument;
	bool		isnull;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;

	atk_pepper_require();
	tokens = atk_secret_array(PG_GETARG_DATUM(0));
	atk_token_finder_begin(&finder);
	iterator = array_create_iterator(tokens, 0, NULL);
	for (int64 n = 1; array_iterate(iterator, &argument, &isnull); n++)
	{
		MemoryContext old = MemoryContextSwitchTo(each);

		CHECK_FOR_INTERRUPTS();
		put_one(rsinfo, n, &finder, &request, argument, isnull);
		MemoryContextSwitchTo(old);
		MemoryContextReset(each);
	}
	array_free_iterator(iterator);
	atk_token_finder_end(&finder);
	return (Datum) 0;
}

/* verified_id(token text, scope text, address inet) -> uuid */
ATK_HOT Datum
atk_sql_verified_id(PG_FUNCTION_ARGS)
{
	AtkRequest	request = atk_request_of(fcinfo);
	AtkTokenFinder finder;
	AtkPresented presented;
	AtkToken	token;
	AtkOutcome	outcome;
	pg_uuid_t  *id;

	if (PG_ARGISNULL(0) || !atk_present_argument(PG_GETARG_DATUM(0), &presented))
	{
		(void) atk_verify_malformed(&request);
		PG_RETURN_NULL();
	}

	atk_token_finder_begin(&finder);
	outcome = atk_verify(&finder, &presented, &request, &token);
	atk_token_finder_end(&finder);
	if (outcome != ATK_VALID)
		PG_RETURN_NULL();

	id = palloc(sizeof(pg_uuid_t));
	*id = token.id;
	PG_RETURN_UUID_P(id);
}
