/*
 * represent.c
 *		A token as JSON; see represent.h.
 *
 * Values travel between source and encoder as Datums of these types:
 *
 *		encode_text		char *
 *		encode_boolean	bool
 *		encode_scopes	apitoken.scopes
 *		encode_iso...	timestamptz
 */
#include "postgres.h"
#include "compat.h"

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "represent.h"
#include "scopes.h"

/* False when the subject has no such value.  column is for those that ask. */
typedef bool (*Source) (const AtkSubject *subject, AttrNumber column,
						Datum *value);
typedef void (*Encode) (JsonbParseState **state, JsonbIteratorToken where,
						Datum value);

typedef enum Absent
{
	OMIT,						/* no member at all */
	AS_NULL						/* a member that is null */
} Absent;

typedef struct Member
{
	const char *key;
	Source		source;
	AttrNumber	column;
	Encode		encode;
	Absent		absent;
} Member;

/* --- sources --- */

static bool
from_text_column(const AtkSubject *subject, AttrNumber column, Datum *value)
{
	bool		isnull;

	*value = atk_token_column(subject->token, column, &isnull);
	if (!isnull)
		*value = CStringGetDatum(TextDatumGetCString(*value));
	return !isnull;
}

static bool
from_column(const AtkSubject *subject, AttrNumber column, Datum *value)
{
	bool		isnull;

	*value = atk_token_column(subject->token, column, &isnull);
	return !isnull;
}

static bool
from_public_id(const AtkSubject *subject, AttrNumber column, Datum *value)
{
	*value = CStringGetDatum(atk_token_public_id(subject->token));
	return true;
}

static bool
from_is_user(const AtkSubject *subject, AttrNumber column, Datum *value)
{
	*value = BoolGetDatum(subject->token->kind == ATK_KIND_USER);
	return true;
}

static bool
from_is_active(const AtkSubject *subject, AttrNumber column, Datum *value)
{
	*value = BoolGetDatum(subject->token->status == ATK_STATUS_ACTIVE);
	return true;
}

static bool
from_last_used_at(const AtkSubject *subject, AttrNumber column, Datum *value)
{
	if (subject->use == NULL)
		return false;
	*value = TimestampTzGetDatum(subject->use->last_used_at);
	return true;
}

static bool
from_last_used_ip(const AtkSubject *subject, AttrNumber column, Datum *value)
{
	if (subject->use == NULL || subject->use->last_used_ip == NULL)
		return false;
	*value = CStringGetDatum(TextDatumGetCString(DirectFunctionCall1(network_host,
																	 InetPGetDatum(subject->use->last_used_ip))));
	return true;
}

/* --- encoders --- */

/* The string must outlive the building of the whole value. */
static void
push_string(JsonbParseState **state, JsonbIteratorToken where,
			const char *text, int len)
{
	JsonbValue	json;

	json.type = jbvString;
	json.val.string.val = unconstify(char *, text);
	json.val.string.len = len;
	pushJsonbValue(state, where, &json);
}

static void
push_null(JsonbParseState **state, JsonbIteratorToken where)
{
	JsonbValue	json;

	json.type = jbvNull;
	pushJsonbValue(state, where, &json);
}

static void
encode_text(JsonbParseState **state, JsonbIteratorToken where, Datum value)
{
	const char *text = DatumGetCString(value);

	push_string(state, where, text, strlen(text));
}

static void
encode_boolean(JsonbParseState **state, JsonbIteratorToken where, Datum value)
{
	JsonbValue	json;

	json.type = jbvBool;
	json.val.boolean = DatumGetBool(value);
	pushJsonbValue(state, where, &json);
}

static void
encode_scopes(JsonbParseState **state, JsonbIteratorToken where, Datum value)
{
	struct varlena *varlena_ = PG_DETOAST_DATUM_PACKED(value);
	AtkScopes	scopes = ATK_SCOPES_OF(varlena_);
	AtkScope	scope = {scopes.text, 0};

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	while (atk_scopes_next(scopes, &scope))
		push_string(state, WJB_ELEM, scope.text, scope.len);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* 2020-11-12T08:15:30.144Z: UTC, truncated to the millisecond */
static void
encode_iso_milliseconds(JsonbParseState **state, JsonbIteratorToken where,
						Datum value)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char	   *text;

	if (timestamp2tm(DatumGetTimestampTz(value), NULL, &tm, &fsec,
					 NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	text = psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
					tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec, (int) (fsec / 1000));
	push_string(state, where, text, strlen(text));
}

/* --- the shapes --- */

static const Member lookup_members[] = {
	{"id", from_public_id, 0, encode_text, OMIT},
	{"name", from_text_column, Anum_token_name, encode_text, OMIT},
	{"owner", from_text_column, Anum_token_principal, encode_text, OMIT},
	{"enabled", from_is_active, 0, encode_boolean, OMIT},
	{"personalAccessToken", from_is_user, 0, encode_boolean, OMIT},
	{"scopes", from_column, Anum_token_scopes, encode_scopes, OMIT},
	{"creationDate", from_column, Anum_token_created_at, encode_iso_milliseconds, OMIT},
	{"expirationDate", from_column, Anum_token_expires_at, encode_iso_milliseconds, OMIT},
	{"lastUsedDate", from_last_used_at, 0, encode_iso_milliseconds, OMIT},
	{"lastUsedIpAddress", from_last_used_ip, 0, encode_text, OMIT},
};

static const struct
{
	const Member *members;
	int			count;
}			shapes[] = {
	[ATK_SHAPE_LOOKUP] = {lookup_members, lengthof(lookup_members)},
};

static void
push_member(JsonbParseState **state, const Member *member,
			const AtkSubject *subject)
{
	Datum		value;
	bool		present = member->source(subject, member->column, &value);

	if (!present && member->absent == OMIT)
		return;
	push_string(state, WJB_KEY, member->key, strlen(member->key));
	if (present)
		member->encode(state, WJB_VALUE, value);
	else
		push_null(state, WJB_VALUE);
}

Jsonb *
atk_represent(AtkShape shape, const AtkSubject *subject)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < shapes[shape].count; i++)
		push_member(&state, &shapes[shape].members[i], subject);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
