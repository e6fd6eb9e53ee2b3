/*
 * lifecycle_sql.c
 *		SQL interface of issuing, importing, rotating and changing tokens.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "changed.h"
#include "import.h"
#include "issue.h"
#include "modification.h"
#include "result.h"
#include "rotation.h"
#include "secret.h"

ATK_FUNCTION(atk_sql_issue);
ATK_FUNCTION(atk_sql_import);
ATK_FUNCTION(atk_sql_rotate);
ATK_FUNCTION(atk_sql_update);

/* Arguments that go into a column of the token as they are. */
typedef struct ArgumentColumn
{
	int			argument;
	AttrNumber	column;
} ArgumentColumn;

/* issue(); 3 and 4 expiry, 18 idempotency_key */
static const ArgumentColumn issue_arguments[] = {
	{0, Anum_token_realm},
	{1, Anum_token_name},
	{2, Anum_token_scopes},
	{5, Anum_token_not_before},
	{6, Anum_token_kind},
	{7, Anum_token_principal},
	{8, Anum_token_principal_id},
	{9, Anum_token_client_id},
	{10, Anum_token_environment_id},
	{11, Anum_token_description},
	{12, Anum_token_allowed_addresses},
	{13, Anum_token_allowed_scopes},
	{14, Anum_token_idp_id},
	{15, Anum_token_idp_domain},
	{16, Anum_token_access_token_ttl},
	{17, Anum_token_metadata},
};

/* import(); 2 and 3 token and sha256, 5 and 6 expiry, 8 to 10 what it shows */
static const ArgumentColumn import_arguments[] = {
	{0, Anum_token_realm},
	{1, Anum_token_name},
	{4, Anum_token_scopes},
	{7, Anum_token_not_before},
	{11, Anum_token_kind},
	{12, Anum_token_principal},
	{13, Anum_token_principal_id},
	{14, Anum_token_client_id},
	{15, Anum_token_environment_id},
	{16, Anum_token_description},
	{17, Anum_token_allowed_addresses},
	{18, Anum_token_allowed_scopes},
	{19, Anum_token_idp_id},
	{20, Anum_token_idp_domain},
	{21, Anum_token_access_token_ttl},
	{22, Anum_token_metadata},
};

/* update(); 0 id, 4 and 5 expiry, 17 clear, 18 version */
static const ArgumentColumn update_arguments[] = {
	{1, Anum_token_name},
	{2, Anum_token_description},
	{3, Anum_token_scopes},
	{6, Anum_token_not_before},
	{7, Anum_token_principal},
	{8, Anum_token_principal_id},
	{9, Anum_token_client_id},
	{10, Anum_token_environment_id},
	{11, Anum_token_allowed_addresses},
	{12, Anum_token_allowed_scopes},
	{13, Anum_token_idp_id},
	{14, Anum_token_idp_domain},
	{15, Anum_token_access_token_ttl},
	{16, Anum_token_metadata},
};

static void
read_draft(FunctionCallInfo fcinfo, const ArgumentColumn *arguments, int n,
		   AtkDraft *draft)
{
	atk_draft_init(draft);
	for (int i = 0; i < n; i++)
	{
		if (!PG_ARGISNULL(arguments[i].argument))
			atk_draft_set(draft, arguments[i].column,
						  PG_GETARG_DATUM(arguments[i].argument));
	}
}

static const TimestampTz *
read_time(FunctionCallInfo fcinfo, int argument)
{
	TimestampTz *when;

	if (PG_ARGISNULL(argument))
		return NULL;
	when = palloc(sizeof(TimestampTz));
	*when = PG_GETARG_TIMESTAMPTZ(argument);
	return when;
}

/* expires_in and, behind it, expires_at */
static AtkExpiry
read_expiry(FunctionCallInfo fcinfo, int argument)
{
	AtkExpiry	expiry = {NULL, read_time(fcinfo, argument + 1)};

	if (!PG_ARGISNULL(argument))
		expiry.in = PG_GETARG_INTERVAL_P(argument);
	return expiry;
}

static AtkResult issue_result = {
	.ncolumns = 4,
	.columns = {
		{"id", UUIDOID},
		{"token", TEXTOID},
		{"public_id", TEXTOID},
		{"expires_at", TIMESTAMPTZOID},
	}
};

static Datum
issued_row(AtkIssued *issued)
{
	text	   *token = atk_secret_alloc(VARHDRSZ + issued->text_len);
	text	   *public_id = cstring_to_text_with_len(issued->text,
													 issued->public_id_len);
	Datum		values[4];
	bool		nulls[4] = {false};
	Datum		row;

	SET_VARSIZE(token, VARHDRSZ + issued->text_len);
	memcpy(VARDATA(token), issued->text, issued->text_len);
	values[0] = UUIDPGetDatum(&issued->id);
	values[1] = PointerGetDatum(token);
	values[2] = PointerGetDatum(public_id);
	values[3] = atk_result_time(issued->expires_at, &nulls[3]);
	row = atk_result_row(&issue_result, values, nulls);

	/* The row is the answer; these two were on the way to it. */
	sodium_memzero(token, VARSIZE(token));
	sodium_memzero(issued->text, sizeof(issued->text));
	return row;
}

/* issue(realm, name, scopes, ...) -> row */
Datum
atk_sql_issue(PG_FUNCTION_ARGS)
{
	AtkExpiry	expiry = read_expiry(fcinfo, 3);
	AtkIssued  *issued = atk_secret_alloc(sizeof(AtkIssued));
	AtkDraft	draft;

	read_draft(fcinfo, issue_arguments, lengthof(issue_arguments), &draft);
	atk_issue(&draft, &expiry, PG_ARGISNULL(18) ? NULL : PG_GETARG_TEXT_PP(18),
			  issued);
	return issued_row(issued);
}

/* rotate(id uuid, grace interval, expires_in, expires_at) -> row */
Datum
atk_sql_rotate(PG_FUNCTION_ARGS)
{
	AtkExpiry	expiry = read_expiry(fcinfo, 2);
	AtkIssued  *issued = atk_secret_alloc(sizeof(AtkIssued));

	atk_rotate(PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0),
			   PG_ARGISNULL(1) ? NULL : PG_GETARG_INTERVAL_P(1),
			   &expiry, issued);
	return issued_row(issued);
}

static struct varlena *
read_secret(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL
		: atk_secret_argument(PG_GETARG_DATUM(argument));
}

/* import(realm, name, token, sha256, ...) -> uuid */
Datum
atk_sql_import(PG_FUNCTION_ARGS)
{
	AtkExpiry	expiry = read_expiry(fcinfo, 5);
	AtkForeign	foreign = {
		.token = read_secret(fcinfo, 2),
		.sha256 = read_secret(fcinfo, 3),
		.public_id = PG_ARGISNULL(8) ? NULL : PG_GETARG_TEXT_PP(8),
		.last_chars = PG_ARGISNULL(9) ? NULL : PG_GETARG_TEXT_PP(9),
		.created_at = read_time(fcinfo, 10),
	};
	AtkDraft	draft;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	read_draft(fcinfo, import_arguments, lengthof(import_arguments), &draft);
	*id = atk_import(&draft, &expiry, &foreign);
	if (foreign.token != NULL)
		atk_wipe_copy(foreign.token, PG_GETARG_DATUM(2));
	if (foreign.sha256 != NULL)
		atk_wipe_copy(foreign.sha256, PG_GETARG_DATUM(3));
	PG_RETURN_UUID_P(id);
}

/* update(id uuid, ..., clear text[], version bigint) -> row */
Datum
atk_sql_update(PG_FUNCTION_ARGS)
{
	int64		version = PG_ARGISNULL(18) ? 0 : PG_GETARG_INT64(18);
	AtkModification modification = {
		.id = PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0),
		.expiry = read_expiry(fcinfo, 4),
		.clear = PG_ARGISNULL(17) ? NULL : PG_GETARG_ARRAYTYPE_P(17),
		.version = PG_ARGISNULL(18) ? NULL : &version,
	};
	AtkChanged	changed;

	read_draft(fcinfo, update_arguments, lengthof(update_arguments),
			   &modification.given);
	atk_update(&modification, &changed);
	return atk_changed_row(&changed);
}
