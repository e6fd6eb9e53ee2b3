/*
 * lifecycle_sql.c
 *		SQL interface of issuing, importing and changing tokens.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "import.h"
#include "lifecycle.h"
#include "result.h"
#include "secret.h"

ATK_FUNCTION(atk_sql_issue);
ATK_FUNCTION(atk_sql_import);
ATK_FUNCTION(atk_sql_suspend);
ATK_FUNCTION(atk_sql_activate);
ATK_FUNCTION(atk_sql_revoke);

/* Arguments that go into a column of the token as they are. */
typedef struct ArgumentColumn
{
	int			argument;
	AttrNumber	column;
} ArgumentColumn;

/* issue(); expiry is arguments 3 and 4 */
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
	text	   *token = cstring_to_text_with_len(issued->text,
												 issued->text_len);
	Datum		values[4];
	bool		nulls[4] = {false};
	Datum		row;

	values[0] = UUIDPGetDatum(&issued->id);
	values[1] = PointerGetDatum(token);
	values[2] = PointerGetDatum(cstring_to_text_with_len(issued->text,
														 issued->public_id_len));
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
	AtkDraft	draft;
	AtkIssued	issued;

	read_draft(fcinfo, issue_arguments, lengthof(issue_arguments), &draft);
	atk_issue(&draft, &expiry, &issued);
	return issued_row(&issued);
}

/* import(realm, name, token, sha256, ...) -> uuid */
Datum
atk_sql_import(PG_FUNCTION_ARGS)
{
	AtkExpiry	expiry = read_expiry(fcinfo, 5);
	AtkForeign	foreign = {
		.token = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2),
		.sha256 = PG_ARGISNULL(3) ? NULL : PG_GETARG_BYTEA_PP(3),
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

static AtkResult change_result = {
	.ncolumns = 6,
	.columns = {
		{"id", UUIDOID},
		{"realm", TEXTOID},
		{"name", TEXTOID},
		{"status", TEXTOID},
		{"version", INT8OID},
		{"expires_at", TIMESTAMPTZOID},
	}
};

static Datum
changed_row(const AtkChanged *changed)
{
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = UUIDPGetDatum(&changed->id);
	values[1] = PointerGetDatum(changed->realm);
	values[2] = PointerGetDatum(changed->name);
	values[3] = CStringGetTextDatum(changed->status);
	values[4] = Int64GetDatum(changed->version);
	values[5] = atk_result_time(changed->expires_at, &nulls[5]);
	return atk_result_row(&change_result, values, nulls);
}

static Datum
change_status(FunctionCallInfo fcinfo, AtkTransition transition)
{
	pg_uuid_t  *id = PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0);
	text	   *reason = PG_NARGS() < 2 || PG_ARGISNULL(1)
		? NULL : PG_GETARG_TEXT_PP(1);
	AtkChanged	changed;

	atk_change_status(transition, id, reason, &changed);
	return changed_row(&changed);
}

/* suspend(id uuid, reason text) -> row */
Datum
atk_sql_suspend(PG_FUNCTION_ARGS)
{
	return change_status(fcinfo, ATK_SUSPEND);
}

/* activate(id uuid) -> row */
Datum
atk_sql_activate(PG_FUNCTION_ARGS)
{
	return change_status(fcinfo, ATK_ACTIVATE);
}

/* revoke(id uuid, reason text) -> row */
Datum
atk_sql_revoke(PG_FUNCTION_ARGS)
{
	return change_status(fcinfo, ATK_REVOKE);
}
