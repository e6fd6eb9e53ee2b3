/*
 * draft.c
 *		A token's row before it is stored; see draft.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "actor.h"
#include "address.h"
#include "allowed_scopes.h"
#include "draft.h"
#include "expiry.h"
#include "row.h"
#include "scopes.h"
#include "token.h"
#include "usage.h"

#define LABEL_MAX 255			/* characters of a name or identifier */

/* Checks an argument and returns the column's form of it. */
typedef Datum (*Check) (const char *argument, Datum value);

void
atk_draft_check_label(const char *argument, const text *label)
{
	if (pg_mbstrlen_with_len(VARDATA_ANY(label),
							 VARSIZE_ANY_EXHDR(label)) > LABEL_MAX ||
		!atk_has_visible_character(label))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is empty or too long", argument),
				 errhint("It has 1 to %d characters, at least one of them not a space.",
						 LABEL_MAX)));
}

static Datum
check_label(const char *argument, Datum value)
{
	text	   *label = DatumGetTextPP(value);

	atk_draft_check_label(argument, label);
	return PointerGetDatum(label);
}

static Datum
check_kind(const char *argument, Datum value)
{
	char		kind;

	if (!atk_token_kind_parse(DatumGetTextPP(value), &kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not recognized", argument),
				 errhint("Allowed values are \"user\" and \"client\".")));
	return CharGetDatum(kind);
}

static Datum
check_scopes(const char *argument, Datum value)
{
	return PointerGetDatum(atk_scopes_from_array(DatumGetArrayTypeP(value)));
}

static void
check_network(const char *argument, int position, Datum value, bool isnull)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s: element %d is null", argument, position)));
	if (atk_address_has_host_bits(DatumGetInetPP(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: element %d is neither an address nor a network",
						argument, position),
				 errdetail("Bits are set to the right of its mask.")));
}

static Datum
check_networks(const char *argument, Datum value)
{
	ArrayType  *networks = DatumGetArrayTypeP(value);
	ArrayIterator iterator = array_create_iterator(networks, 0, NULL);
	Datum		element;
	bool		isnull;
	int			position = 0;

	while (array_iterate(iterator, &element, &isnull))
		check_network(argument, ++position, element, isnull);
	array_free_iterator(iterator);
	return PointerGetDatum(networks);
}

static Datum
check_object(const char *argument, Datum value)
{
	Jsonb	   *object = DatumGetJsonbP(value);

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not a JSON object", argument)));
	return PointerGetDatum(object);
}

static Datum
check_allowed_scopes(const char *argument, Datum value)
{
	Jsonb	   *allowed_scopes = DatumGetJsonbP(value);

	atk_allowed_scopes_check(allowed_scopes, argument);
	return PointerGetDatum(allowed_scopes);
}

/* PostgreSQL 17 brought infinite intervals. */
static Datum
check_finite_ttl(const char *argument, Datum value)
{
	if (!DatumGetBool(DirectFunctionCall1(interval_finite, value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is infinite", argument)));
	atk_expiry_check_positive(argument, DatumGetIntervalP(value));
	return value;
}

static Datum
check_finite(const char *argument, Datum value)
{
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is infinite", argument)));
	return value;
}

static Datum
accept(const char *argument, Datum value)
{
	return value;
}

static const struct
{
	AttrNumber	attno;
	const char *argument;
	Check		check;
	bool		required;
}			attributes[] = {
	{Anum_token_name, "name", check_label, true},
	{Anum_token_scopes, "scopes", check_scopes, true},
	{Anum_token_kind, "kind", check_kind, true},
	{Anum_token_not_before, "not_before", check_finite, false},
	{Anum_token_description, "description", accept, false},
	{Anum_token_principal, "principal", check_label, false},
	{Anum_token_principal_id, "principal_id", check_label, false},
	{Anum_token_client_id, "client_id", check_label, false},
	{Anum_token_environment_id, "environment_id", check_label, false},
	{Anum_token_idp_id, "idp_id", check_label, false},
	{Anum_token_idp_domain, "idp_domain", check_label, false},
	{Anum_token_allowed_addresses, "allowed_addresses", check_networks, false},
	{Anum_token_allowed_scopes, "allowed_scopes", check_allowed_scopes, false},
	{Anum_token_access_token_ttl, "access_token_ttl", check_finite_ttl, false},
	{Anum_token_metadata, "metadata", check_object, false},
};

void
atk_draft_init(AtkDraft *draft)
{
	memset(draft->values, 0, sizeof(draft->values));
	memset(draft->nulls, true, sizeof(draft->nulls));
}

void
atk_draft_set(AtkDraft *draft, AttrNumber attno, Datum value)
{
	draft->values[attno - 1] = value;
	draft->nulls[attno - 1] = false;
}

const text *
atk_draft_realm(const AtkDraft *draft)
{
	return draft->nulls[Anum_token_realm - 1]
		? NULL : DatumGetTextPP(draft->values[Anum_token_realm - 1]);
}

TimestampTz
atk_draft_expires_at(const AtkDraft *draft)
{
	return draft->nulls[Anum_token_expires_at - 1]
		? DT_NOEND
		: DatumGetTimestampTz(draft->values[Anum_token_expires_at - 1]);
}

void
atk_draft_check(AtkDraft *draft)
{
	for (int i = 0; i < (int) lengthof(attributes); i++)
	{
		int			column = attributes[i].attno - 1;

		if (!draft->nulls[column])
			draft->values[column] =
				attributes[i].check(attributes[i].argument,
									draft->values[column]);
	}
}

void
atk_draft_require(const AtkDraft *draft)
{
	for (int i = 0; i < (int) lengthof(attributes); i++)
	{
		if (attributes[i].required && draft->nulls[attributes[i].attno - 1])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", attributes[i].argument)));
	}
}

/* never: both columns are NULL */
void
atk_draft_set_life(AtkDraft *draft, const AtkLife *life)
{
	bool		never = TIMESTAMP_IS_NOEND(life->end);
	Interval   *ttl = palloc(sizeof(Interval));

	*ttl = life->ttl;
	atk_draft_set(draft, Anum_token_expires_at,
				  TimestampTzGetDatum(life->end));
	atk_draft_set(draft, Anum_token_granted_ttl, IntervalPGetDatum(ttl));
	draft->nulls[Anum_token_expires_at - 1] = never;
	draft->nulls[Anum_token_granted_ttl - 1] = never;
}

void
atk_draft_check_times(const AtkDraft *draft)
{
	if (!draft->nulls[Anum_token_not_before - 1] &&
		DatumGetTimestampTz(draft->values[Anum_token_not_before - 1]) >=
		atk_draft_expires_at(draft))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not_before is not before the token expires")));
}

void
atk_draft_stamp(AtkDraft *draft, const AtkRealm *realm,
				TimestampTz created_at)
{
	AtkActor	actor = atk_actor_current();
	Datum		when = TimestampTzGetDatum(created_at);

	atk_draft_set(draft, Anum_token_status, CharGetDatum(ATK_STATUS_ACTIVE));
	atk_draft_set(draft, Anum_token_key_id, Int32GetDatum(0));
	atk_draft_set(draft, Anum_token_version, Int64GetDatum(1));
	atk_draft_set(draft, Anum_token_created_at, when);
	atk_draft_set(draft, Anum_token_created_by, actor.id);
	atk_draft_set(draft, Anum_token_created_by_name, actor.name);
	atk_draft_set(draft, Anum_token_updated_at, when);
	atk_draft_set(draft, Anum_token_updated_by, actor.id);
	atk_draft_set(draft, Anum_token_updated_by_name, actor.name);

	if (draft->nulls[Anum_token_prefix - 1])
	{
		text	   *prefix = cstring_to_text_with_len(realm->prefix,
													  realm->prefix_len);

		atk_draft_set(draft, Anum_token_prefix, PointerGetDatum(prefix));
	}
	if (draft->nulls[Anum_token_access_token_ttl - 1] &&
		realm->access_token_ttl.given)
	{
		Interval   *ttl = palloc(sizeof(Interval));

		*ttl = realm->access_token_ttl.value;
		atk_draft_set(draft, Anum_token_access_token_ttl,
					  IntervalPGetDatum(ttl));
	}
}

void
atk_draft_store(AtkDraft *draft, bool generated)
{
	Datum		id;

	atk_row_insert(ATK_TABLE_TOKEN, draft->values, draft->nulls);
	id = draft->values[Anum_token_id - 1];
	if (!generated)
	{
		atk_usage_forget(id);
		atk_usage_retire(id);
	}
	atk_usage_insert(id, draft->values[Anum_token_realm - 1]);
}
