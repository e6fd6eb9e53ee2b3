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
#include "row.h"
#include "scopes.h"
#include "token.h"
#include "usage.h"

#define LABEL_MAX 255			/* characters of a name or identifier */

/* Checks an argument and returns the column's form of it. */
typedef Datum (*Check) (const char *argument, Datum value);

/* 1 to 255 characters, not all of them white space */
static Datum
check_label(const char *argument, Datum value)
{
	text	   *label = DatumGetTextPP(value);

	if (pg_mbstrlen_with_len(VARDATA_ANY(label),
							 VARSIZE_ANY_EXHDR(label)) > LABEL_MAX ||
		!atk_has_visible_character(label))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is empty or too long", argument),
				 errhint("It has 1 to %d characters, at least one of them not a space.",
						 LABEL_MAX)));
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

static Datum
check_ttl(const char *argument, Datum value)
{
	static const Interval zero = {0};

	if (!DatumGetBool(DirectFunctionCall2(interval_gt, value,
										  IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not a positive interval", argument)));
	return value;
}

/* PostgreSQL 17 brought infinite intervals. */
static Datum
check_finite_ttl(const char *argument, Datum value)
{
	if (!DatumGetBool(DirectFunctionCall1(interval_finite, value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is infinite", argument)));
	return check_ttl(argument, value);
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
		else if (attributes[i].required)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", attributes[i].argument)));
	}
}

static TimestampTz
add_interval(TimestampTz start, const Interval *span)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(start),
												   IntervalPGetDatum(span)));
}

/*
 * The end of a life that begins now.  The calendar may make nothing of an
 * interval that looks positive: "-1 year 361 days".
 */
static TimestampTz
end_after(const char *argument, const Interval *life, TimestampTz now)
{
	TimestampTz end;

	check_ttl(argument, IntervalPGetDatum(life));
	end = add_interval(now, life);
	if (end <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s ends in the past", argument)));
	return end;
}

/* The end that was asked for, DT_NOEND for never. */
static TimestampTz
requested_end(const AtkExpiry *expiry, const AtkRealm *realm, TimestampTz now)
{
	if (expiry->in != NULL && expiry->at != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_in and expires_at cannot both be given")));
	if (expiry->at != NULL)
	{
		if (*expiry->at <= now)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("expires_at is in the past")));
		return *expiry->at;
	}
	if (expiry->in != NULL)
		return end_after("expires_in", expiry->in, now);
	return realm->default_ttl.given
		? end_after("default_ttl", &realm->default_ttl.value, now) : DT_NOEND;
}

/* The life that was granted, as it was said or else as it comes out. */
static const Interval *
granted_ttl(const AtkExpiry *expiry, const AtkRealm *realm,
			TimestampTz now, TimestampTz end)
{
	if (expiry->in != NULL)
		return expiry->in;
	if (expiry->at == NULL)
		return &realm->default_ttl.value;
	return DatumGetIntervalP(DirectFunctionCall2(timestamp_mi,
												 TimestampTzGetDatum(end),
												 TimestampTzGetDatum(now)));
}

static void
check_max_ttl(const AtkRealm *realm, TimestampTz now, TimestampTz end)
{
	if (!realm->max_ttl.given ||
		end <= add_interval(now, &realm->max_ttl.value))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("token would live longer than its realm allows"),
			 errdetail("The realm's max_ttl is %s.",
					   DatumGetCString(DirectFunctionCall1(interval_out,
														   IntervalPGetDatum(&realm->max_ttl.value)))),
			 errhint("Give expires_in or expires_at within it.")));
}

void
atk_draft_set_expiry(AtkDraft *draft, const AtkExpiry *expiry,
					 const AtkRealm *realm, TimestampTz now)
{
	TimestampTz end = requested_end(expiry, realm, now);
	Interval   *ttl;

	/* A default stands for itself: in February a month is less than 30 days. */
	if (expiry->in != NULL || expiry->at != NULL || !realm->default_ttl.given)
		check_max_ttl(realm, now, end);
	if (TIMESTAMP_IS_NOEND(end))
		return;					/* never: both columns stay NULL */

	if (!draft->nulls[Anum_token_not_before - 1] &&
		DatumGetTimestampTz(draft->values[Anum_token_not_before - 1]) >= end)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not_before is not before the token expires")));

	ttl = palloc(sizeof(Interval));
	*ttl = *granted_ttl(expiry, realm, now, end);
	atk_draft_set(draft, Anum_token_expires_at, TimestampTzGetDatum(end));
	atk_draft_set(draft, Anum_token_granted_ttl, IntervalPGetDatum(ttl));
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
		atk_draft_set(draft, Anum_token_prefix,
					  PointerGetDatum(cstring_to_text_with_len(realm->prefix,
															   realm->prefix_len)));
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
atk_draft_store(const AtkDraft *draft, bool generated)
{
	Datum		id = draft->values[Anum_token_id - 1];

	atk_row_insert(ATK_TABLE_TOKEN, draft->values, draft->nulls);
	if (!generated)
		atk_usage_forget(id);
	atk_usage_insert(id, draft->values[Anum_token_realm - 1]);
}
