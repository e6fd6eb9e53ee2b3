/*
 * represent.c
 *		A token as JSON; see represent.h.
 *
 * Values travel between source and encoder as Datums of these types:
 *
 *		text_				char *
 *		boolean				bool
 *		integer				int64
 *		seconds, iso_...	timestamptz
 *		minutes				interval
 *		scopes				apitoken.scopes
 *		addresses			inet[]
 *		json_				jsonb
 *		object				a nested list of members
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/timestamp.h"

#include "json_time.h"
#include "represent.h"
#include "scopes.h"

typedef struct Member Member;

/* Returns false when the subject has no such value. */
typedef bool (*Source) (const AtkSubject *subject, const Member *member,
						Datum *value);
typedef void (*Encode) (AtkJson *json, const AtkSubject *subject,
						Datum value);

typedef enum Absent
{
	OMIT,						/* no member at all */
	AS_NULL						/* a member that is null */
} Absent;

struct Member
{
	const char *key;			/* NULL behind the last */
	Source		source;
	int			column;			/* of sources that read one */
	Encode		encode;
	Absent		absent;
	const void *argument;		/* of sources that take one */
};

/* --- sources --- */

static bool
column(const AtkSubject *subject, const Member *member, Datum *value)
{
	bool		isnull;

	*value = atk_token_column(subject->token, member->column, &isnull);
	return !isnull;
}

static bool
text_column(const AtkSubject *subject, const Member *member, Datum *value)
{
	if (!column(subject, member, value))
		return false;
	*value = CStringGetDatum(TextDatumGetCString(*value));
	return true;
}

/* The token's own label, else its realm's; argument is the offset of that. */
static bool
own_or_realm(const AtkSubject *subject, const Member *member, Datum *value)
{
	const char *label;

	if (member->column != 0 && text_column(subject, member, value))
		return true;
	label = *(char *const *) ((const char *) atk_subject_realm(subject) +
							  (Size) member->argument);
	*value = CStringGetDatum(label);
	return label != NULL;
}

static bool
constant(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = CStringGetDatum(member->argument);
	return true;
}

static bool
nested(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = PointerGetDatum(member->argument);
	return true;
}

static bool
id(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = DirectFunctionCall1(uuid_out,
								 UUIDPGetDatum(&subject->token->id));
	return true;
}

static bool
public_id(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = CStringGetDatum(atk_token_public_id(subject->token));
	return true;
}

/* <public id>...<last characters> */
static bool
partial_token(const AtkSubject *subject, const Member *member, Datum *value)
{
	bool		isnull;
	Datum		last_chars = atk_token_column(subject->token,
											  Anum_token_last_chars, &isnull);

	*value = CStringGetDatum(psprintf("%s...%s",
									  atk_token_public_id(subject->token),
									  isnull ? ""
									  : TextDatumGetCString(last_chars)));
	return true;
}

static bool
token_text(const AtkSubject *subject, const Member *member, Datum *value)
{
	if (subject->text == NULL)
		return false;
	*value = CStringGetDatum(text_to_cstring(subject->text));
	return true;
}

static bool
is_user(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = BoolGetDatum(subject->token->kind == ATK_KIND_USER);
	return true;
}

static bool
is_active(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = BoolGetDatum(subject->token->status == ATK_STATUS_ACTIVE);
	return true;
}

static bool
is_not_active(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = BoolGetDatum(subject->token->status != ATK_STATUS_ACTIVE);
	return true;
}

static bool
status_name(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = CStringGetDatum(atk_token_status_name(subject->token->status));
	return true;
}

/* A suspended or revoked token has no status in "Query API Tokens". */
static bool
entry_status(const AtkSubject *subject, const Member *member, Datum *value)
{
	const char *status = "ACTIVE";

	if (subject->token->status != ATK_STATUS_ACTIVE)
		status = "UNKNOWN";
	else if (subject->token->expires_at <= subject->reader->now)
		status = "EXPIRED";
	*value = CStringGetDatum(status);
	return true;
}

static bool
entry_type(const AtkSubject *subject, const Member *member, Datum *value)
{
	*value = CStringGetDatum(subject->token->kind == ATK_KIND_CLIENT
							 ? "API_CLIENT" : "USER");
	return true;
}

static bool
environment_or_account(const AtkSubject *subject, const Member *member,
					   Datum *value)
{
	*value = CStringGetDatum(column(subject, member, value)
							 ? "environment" : "account");
	return true;
}

static bool
last_used_at(const AtkSubject *subject, const Member *member, Datum *value)
{
	if (subject->use == NULL)
		return false;
	*value = TimestampTzGetDatum(subject->use->last_used_at);
	return true;
}

static bool
last_used_ip(const AtkSubject *subject, const Member *member, Datum *value)
{
	Datum		host;

	if (subject->use == NULL || subject->use->last_used_ip == NULL)
		return false;
	host = DirectFunctionCall1(network_host,
							   InetPGetDatum(subject->use->last_used_ip));
	*value = CStringGetDatum(TextDatumGetCString(host));
	return true;
}

/* A list that is absent is empty. */
static bool
addresses_or_none(const AtkSubject *subject, const Member *member,
				  Datum *value)
{
	if (!column(subject, member, value))
		*value = PointerGetDatum(construct_empty_array(INETOID));
	return true;
}

/* --- encoders --- */

static void
text_(AtkJson *json, const AtkSubject *subject, Datum value)
{
	const char *string = DatumGetCString(value);

	atk_json_string(json, ATK_MEMBER, string, strlen(string));
}

static void
boolean(AtkJson *json, const AtkSubject *subject, Datum value)
{
	atk_json_boolean(json, ATK_MEMBER, DatumGetBool(value));
}

static void
integer(AtkJson *json, const AtkSubject *subject, Datum value)
{
	atk_json_integer(json, ATK_MEMBER, DatumGetInt64(value));
}

static void
seconds(AtkJson *json, const AtkSubject *subject, Datum value)
{
	atk_json_integer(json, ATK_MEMBER,
					 atk_json_time_epoch(DatumGetTimestampTz(value),
										 USECS_PER_SEC));
}

static void
milliseconds(AtkJson *json, const AtkSubject *subject, Datum value)
{
	atk_json_integer(json, ATK_MEMBER,
					 atk_json_time_epoch(DatumGetTimestampTz(value), 1000));
}

static void
minutes(AtkJson *json, const AtkSubject *subject, Datum value)
{
	atk_json_integer(json, ATK_MEMBER,
					 atk_json_time_minutes(DatumGetIntervalP(value)));
}

static void
iso_seconds(AtkJson *json, const AtkSubject *subject, Datum value)
{
	const char *string = atk_json_time_iso(DatumGetTimestampTz(value), false);

	atk_json_string(json, ATK_MEMBER, string, strlen(string));
}

static void
iso_milliseconds(AtkJson *json, const AtkSubject *subject, Datum value)
{
	const char *string = atk_json_time_iso(DatumGetTimestampTz(value), true);

	atk_json_string(json, ATK_MEMBER, string, strlen(string));
}

static void
scopes(AtkJson *json, const AtkSubject *subject, Datum value)
{
	AtkScopes	set = ATK_SCOPES_OF(PG_DETOAST_DATUM_PACKED(value));
	AtkScope	scope = {set.text, 0};

	atk_json_begin_array(json);
	while (atk_scopes_next(set, &scope))
		atk_json_string(json, ATK_ELEMENT, scope.text, scope.len);
	atk_json_end_array(json);
}

static void
addresses(AtkJson *json, const AtkSubject *subject, Datum value)
{
	ArrayIterator iterator = array_create_iterator(DatumGetArrayTypeP(value),
												   0, NULL);
	Datum		element;
	bool		isnull;

	atk_json_begin_array(json);
	while (array_iterate(iterator, &element, &isnull))
	{
		const char *address = DatumGetCString(DirectFunctionCall1(inet_out,
																  element));

		atk_json_string(json, ATK_ELEMENT, address, strlen(address));
	}
	atk_json_end_array(json);
	array_free_iterator(iterator);
}

static void
json_(AtkJson *json, const AtkSubject *subject, Datum value)
{
	atk_json_copy(json, ATK_MEMBER, DatumGetJsonbP(value));
}

static void push_object(AtkJson *json, const Member *members,
						const AtkSubject *subject);

static void
object(AtkJson *json, const AtkSubject *subject, Datum value)
{
	push_object(json, (const Member *) DatumGetPointer(value), subject);
}

/* --- the shapes --- */

#define REALM_LABEL(field) ((const void *) offsetof(AtkRealmLabels, field))

static const Member details_members[] = {
	{"acct", text_column, Anum_token_principal, text_, OMIT},
	{"allowedScopes", column, Anum_token_allowed_scopes, json_, OMIT},
	{"createdAt", column, Anum_token_created_at, seconds, OMIT},
	{"deactivated", is_not_active, 0, boolean, OMIT},
	{"deactivatedUpdatedBy", text_column, Anum_token_status_changed_by, text_, OMIT},
	{"deactivatedUpdatedOn", column, Anum_token_status_changed_at, seconds, OMIT},
	{"domain", own_or_realm, Anum_token_idp_domain, text_, OMIT, REALM_LABEL(idp_domain)},
	{"expiresAt", column, Anum_token_expires_at, seconds, OMIT},
	{"idpId", own_or_realm, Anum_token_idp_id, text_, OMIT, REALM_LABEL(idp_id)},
	{"lastUsedAt", last_used_at, 0, seconds, OMIT},
	{"orgId", text_column, Anum_token_realm, text_, OMIT},
	{"scope", column, Anum_token_scopes, scopes, OMIT},
	{"token", token_text, 0, text_, OMIT},
	{"tokenId", id, 0, text_, OMIT},
	{"tokenName", text_column, Anum_token_name, text_, OMIT},
	{"userId", text_column, Anum_token_principal_id, text_, OMIT},
	{"username", text_column, Anum_token_principal, text_, OMIT},
	{NULL}
};

static const Member lookup_members[] = {
	{"id", public_id, 0, text_, OMIT},
	{"name", text_column, Anum_token_name, text_, OMIT},
	{"owner", text_column, Anum_token_principal, text_, OMIT},
	{"enabled", is_active, 0, boolean, OMIT},
	{"personalAccessToken", is_user, 0, boolean, OMIT},
	{"scopes", column, Anum_token_scopes, scopes, OMIT},
	{"creationDate", column, Anum_token_created_at, iso_milliseconds, OMIT},
	{"expirationDate", column, Anum_token_expires_at, iso_milliseconds, OMIT},
	{"lastUsedDate", last_used_at, 0, iso_milliseconds, OMIT},
	{"lastUsedIpAddress", last_used_ip, 0, text_, OMIT},
	{NULL}
};

static const Member summary_members[] = {
	{"account_id", text_column, Anum_token_realm, text_, AS_NULL},
	{"created_by_admin_user_id", text_column, Anum_token_created_by, text_, AS_NULL},
	{"environment_id", text_column, Anum_token_environment_id, text_, AS_NULL},
	{"expires_at", column, Anum_token_expires_at, iso_seconds, AS_NULL},
	{"id", id, 0, text_, AS_NULL},
	{"inserted_at", column, Anum_token_created_at, iso_seconds, AS_NULL},
	{"last_used_at", last_used_at, 0, iso_seconds, AS_NULL},
	{"status", status_name, 0, text_, AS_NULL},
	{"token_scope", environment_or_account, Anum_token_environment_id, text_, AS_NULL},
	{"type", constant, 0, text_, AS_NULL, "api_token"},
	{"updated_at", column, Anum_token_updated_at, iso_seconds, AS_NULL},
	{NULL}
};

static const Member created_by_members[] = {
	{"userId", text_column, Anum_token_created_by, text_, AS_NULL},
	{"userName", text_column, Anum_token_created_by_name, text_, AS_NULL},
	{NULL}
};

static const Member updated_by_members[] = {
	{"userId", text_column, Anum_token_updated_by, text_, AS_NULL},
	{"userName", text_column, Anum_token_updated_by_name, text_, AS_NULL},
	{NULL}
};

static const Member record_members[] = {
	{"version", column, Anum_token_version, integer, AS_NULL},
	{"name", text_column, Anum_token_name, text_, AS_NULL},
	{"expiry", column, Anum_token_expires_at, iso_seconds, AS_NULL},
	{"permissions", column, Anum_token_scopes, scopes, AS_NULL},
	{"id", id, 0, text_, AS_NULL},
	{"creationDate", column, Anum_token_created_at, iso_seconds, AS_NULL},
	{"lastModifiedDate", column, Anum_token_updated_at, iso_seconds, AS_NULL},
	{"createdUserInfo", nested, 0, object, AS_NULL, created_by_members},
	{"lastModifiedUserInfo", nested, 0, object, AS_NULL, updated_by_members},
	{"userId", text_column, Anum_token_principal_id, text_, AS_NULL},
	{"partialToken", partial_token, 0, text_, AS_NULL},
	{"allowedAddresses", addresses_or_none, Anum_token_allowed_addresses, addresses, AS_NULL},
	{NULL}
};

static const Member entry_members[] = {
	{"id", id, 0, text_, OMIT},
	{"apiClientId", text_column, Anum_token_client_id, text_, OMIT},
	{"tokenName", text_column, Anum_token_name, text_, OMIT},
	{"tokenDescription", text_column, Anum_token_description, text_, OMIT},
	{"apiTokenTtl", column, Anum_token_granted_ttl, minutes, OMIT},
	{"accessTokenTtl", column, Anum_token_access_token_ttl, minutes, OMIT},
	{"tokenType", entry_type, 0, text_, OMIT},
	{"tokenLastChars", text_column, Anum_token_last_chars, text_, OMIT},
	{"principalName", text_column, Anum_token_principal, text_, OMIT},
	{"creationDate", column, Anum_token_created_at, milliseconds, OMIT},
	{"expirationDate", column, Anum_token_expires_at, milliseconds, OMIT},
	{"lastUsedDate", last_used_at, 0, milliseconds, OMIT},
	{"tokenStatus", entry_status, 0, text_, OMIT},
	{"tokenEndpointUrl", own_or_realm, 0, text_, OMIT, REALM_LABEL(token_endpoint_url)},
	{"oidcIssuerUrl", own_or_realm, 0, text_, OMIT, REALM_LABEL(oidc_issuer_url)},
	{NULL}
};

static const Member *const shapes[] = {
	[ATK_SHAPE_DETAILS] = details_members,
	[ATK_SHAPE_LOOKUP] = lookup_members,
	[ATK_SHAPE_SUMMARY] = summary_members,
	[ATK_SHAPE_RECORD] = record_members,
	[ATK_SHAPE_ENTRY] = entry_members,
};

static void
push_member(AtkJson *json, const Member *member, const AtkSubject *subject)
{
	Datum		value;

	if (member->source(subject, member, &value))
	{
		atk_json_key(json, member->key);
		member->encode(json, subject, value);
	}
	else if (member->absent == AS_NULL)
		atk_json_null_member(json, member->key);
}

static void
push_object(AtkJson *json, const Member *members, const AtkSubject *subject)
{
	atk_json_begin_object(json);
	for (; members->key != NULL; members++)
		push_member(json, members, subject);
	atk_json_end_object(json);
}

void
atk_represent(AtkJson *json, AtkShape shape, const AtkSubject *subject)
{
	push_object(json, shapes[shape], subject);
}
