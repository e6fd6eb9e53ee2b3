/*
 * image.c
 *		Rows as JSON objects; see image.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "image.h"
#include "json.h"
#include "scopes.h"
#include "token.h"

/* Writes a value that is not NULL. */
typedef void (*Encode) (AtkJson *json, Datum value);

typedef struct ColumnImage
{
	AttrNumber	attno;
	const char *key;
	Encode		encode;
} ColumnImage;

/* --- encoders --- */

static void
as_text(AtkJson *json, Datum value)
{
	text	   *string = DatumGetTextPP(value);

	atk_json_string(json, ATK_MEMBER, VARDATA_ANY(string),
					VARSIZE_ANY_EXHDR(string));
}

static void
put_string(AtkJson *json, const char *string)
{
	atk_json_string(json, ATK_MEMBER, string, strlen(string));
}

static void
as_boolean(AtkJson *json, Datum value)
{
	atk_json_boolean(json, ATK_MEMBER, DatumGetBool(value));
}

static void
as_integer(AtkJson *json, Datum value)
{
	atk_json_integer(json, ATK_MEMBER, DatumGetInt32(value));
}

static void
as_bigint(AtkJson *json, Datum value)
{
	atk_json_integer(json, ATK_MEMBER, DatumGetInt64(value));
}

static void
as_uuid(AtkJson *json, Datum value)
{
	put_string(json, DatumGetCString(DirectFunctionCall1(uuid_out, value)));
}

static void
as_time(AtkJson *json, Datum value)
{
	static const int utc = 0;
	char	   *string = palloc(MAXDATELEN + 1);

	put_string(json, JsonEncodeDateTime(string, value, TIMESTAMPTZOID, &utc));
}

static void
as_interval(AtkJson *json, Datum value)
{
	struct pg_itm itm;
	char	   *string = palloc(MAXDATELEN + 1);

	interval2itm(*DatumGetIntervalP(value), &itm);
	EncodeInterval(&itm, INTSTYLE_POSTGRES, string);
	put_string(json, string);
}

static void
as_status(AtkJson *json, Datum value)
{
	put_string(json, atk_token_status_name(DatumGetChar(value)));
}

static void
as_kind(AtkJson *json, Datum value)
{
	put_string(json, atk_token_kind_name(DatumGetChar(value)));
}

static void
as_json(AtkJson *json, Datum value)
{
	atk_json_copy(json, ATK_MEMBER, DatumGetJsonbP(value));
}

static void
as_scopes(AtkJson *json, Datum value)
{
	AtkScopes	scopes = ATK_SCOPES_OF(PG_DETOAST_DATUM_PACKED(value));
	AtkScope	scope = {scopes.text, 0};

	atk_json_begin_array(json);
	while (atk_scopes_next(scopes, &scope))
		atk_json_string(json, ATK_ELEMENT, scope.text, scope.len);
	atk_json_end_array(json);
}

static void
as_networks(AtkJson *json, Datum value)
{
	ArrayIterator iterator = array_create_iterator(DatumGetArrayTypeP(value),
												   0, NULL);
	Datum		network;
	bool		isnull;

	atk_json_begin_array(json);
	while (array_iterate(iterator, &network, &isnull))
	{
		char	   *string = DatumGetCString(DirectFunctionCall1(inet_out,
																 network));

		atk_json_string(json, ATK_ELEMENT, string, strlen(string));
	}
	atk_json_end_array(json);
	array_free_iterator(iterator);
}

/* --- tables --- */

/* All but the digests and the numbers of their keys. */
static const ColumnImage token_columns[] = {
	{Anum_token_id, "id", as_uuid},
	{Anum_token_created_at, "created_at", as_time},
	{Anum_token_not_before, "not_before", as_time},
	{Anum_token_expires_at, "expires_at", as_time},
	{Anum_token_previous_expires_at, "previous_expires_at", as_time},
	{Anum_token_status, "status", as_status},
	{Anum_token_kind, "kind", as_kind},
	{Anum_token_realm, "realm", as_text},
	{Anum_token_prefix, "prefix", as_text},
	{Anum_token_scopes, "scopes", as_scopes},
	{Anum_token_allowed_addresses, "allowed_addresses", as_networks},
	{Anum_token_name, "name", as_text},
	{Anum_token_description, "description", as_text},
	{Anum_token_principal, "principal", as_text},
	{Anum_token_principal_id, "principal_id", as_text},
	{Anum_token_client_id, "client_id", as_text},
	{Anum_token_environment_id, "environment_id", as_text},
	{Anum_token_idp_id, "idp_id", as_text},
	{Anum_token_idp_domain, "idp_domain", as_text},
	{Anum_token_allowed_scopes, "allowed_scopes", as_json},
	{Anum_token_metadata, "metadata", as_json},
	{Anum_token_granted_ttl, "granted_ttl", as_interval},
	{Anum_token_access_token_ttl, "access_token_ttl", as_interval},
	{Anum_token_last_chars, "last_chars", as_text},
	{Anum_token_version, "version", as_bigint},
	{Anum_token_created_by, "created_by", as_text},
	{Anum_token_created_by_name, "created_by_name", as_text},
	{Anum_token_updated_at, "updated_at", as_time},
	{Anum_token_updated_by, "updated_by", as_text},
	{Anum_token_updated_by_name, "updated_by_name", as_text},
	{Anum_token_status_changed_at, "status_changed_at", as_time},
	{Anum_token_status_changed_by, "status_changed_by", as_text},
	{Anum_token_status_reason, "status_reason", as_text},
	{Anum_token_rotated_at, "rotated_at", as_time},
};

static const ColumnImage realm_columns[] = {
	{Anum_realm_id, "id", as_text},
	{Anum_realm_name, "name", as_text},
	{Anum_realm_prefix, "prefix", as_text},
	{Anum_realm_enabled, "enabled", as_boolean},
	{Anum_realm_default_ttl, "default_ttl", as_interval},
	{Anum_realm_max_ttl, "max_ttl", as_interval},
	{Anum_realm_max_idle, "max_idle", as_interval},
	{Anum_realm_max_active_per_principal, "max_active_per_principal",
	as_integer},
	{Anum_realm_known_scopes, "known_scopes", as_scopes},
	{Anum_realm_access_token_ttl, "access_token_ttl", as_interval},
	{Anum_realm_token_endpoint_url, "token_endpoint_url", as_text},
	{Anum_realm_oidc_issuer_url, "oidc_issuer_url", as_text},
	{Anum_realm_idp_id, "idp_id", as_text},
	{Anum_realm_idp_domain, "idp_domain", as_text},
	{Anum_realm_notify, "notify", as_boolean},
	{Anum_realm_revoke_on_reuse, "revoke_on_reuse", as_boolean},
	{Anum_realm_metadata, "metadata", as_json},
	{Anum_realm_created_at, "created_at", as_time},
};

static const ColumnImage *
columns_of(AtkTable table, int *n)
{
	Assert(table == ATK_TABLE_TOKEN || table == ATK_TABLE_REALM);

	*n = table == ATK_TABLE_TOKEN
		? lengthof(token_columns) : lengthof(realm_columns);
	return table == ATK_TABLE_TOKEN ? token_columns : realm_columns;
}

/* --- images --- */

static void
put_column(AtkJson *json, const ColumnImage *column, AtkRow row)
{
	int			i = column->attno - 1;

	atk_json_key(json, column->key);
	if (row.nulls[i])
		atk_json_null(json, ATK_MEMBER);
	else
		column->encode(json, row.values[i]);
}

Jsonb *
atk_image(AtkTable table, AtkRow row)
{
	int			n;
	const ColumnImage *columns = columns_of(table, &n);
	AtkJson		json = {0};

	atk_json_begin_object(&json);
	for (int i = 0; i < n; i++)
	{
		if (!row.nulls[columns[i].attno - 1])
			put_column(&json, &columns[i], row);
	}
	atk_json_end_object(&json);
	return atk_json_finish(&json);
}

/* A value out of a row may have a short header, be compressed or elsewhere. */
static bool
same_varlena(Datum a, Datum b)
{
	struct varlena *x = PG_DETOAST_DATUM_PACKED(a);
	struct varlena *y = PG_DETOAST_DATUM_PACKED(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

static bool
differs(Form_pg_attribute column, AtkRow old_row, AtkRow new_row)
{
	int			i = column->attnum - 1;
	Datum		before = old_row.values[i];
	Datum		after = new_row.values[i];

	if (old_row.nulls[i] || new_row.nulls[i])
		return old_row.nulls[i] != new_row.nulls[i];
	if (column->attbyval)
		return before != after;
	if (column->attlen == -1)
		return !same_varlena(before, after);
	return memcmp(DatumGetPointer(before), DatumGetPointer(after),
				  column->attlen) != 0;
}

bool
atk_image_difference(AtkTable table, TupleDesc desc,
					 AtkRow old_row, AtkRow new_row, const bool *may_differ,
					 Jsonb **old_image, Jsonb **new_image)
{
	int			n;
	const ColumnImage *columns = columns_of(table, &n);
	AtkJson		old_json = {0};
	AtkJson		new_json = {0};
	bool		any = false;

	atk_json_begin_object(&old_json);
	atk_json_begin_object(&new_json);
	for (int i = 0; i < n; i++)
	{
		int			attno = columns[i].attno;

		if ((may_differ != NULL && !may_differ[attno - 1]) ||
			!differs(TupleDescAttr(desc, attno - 1), old_row, new_row))
			continue;
		put_column(&old_json, &columns[i], old_row);
		put_column(&new_json, &columns[i], new_row);
		any = true;
	}
	atk_json_end_object(&old_json);
	atk_json_end_object(&new_json);
	*old_image = atk_json_finish(&old_json);
	*new_image = atk_json_finish(&new_json);
	return any;
}
