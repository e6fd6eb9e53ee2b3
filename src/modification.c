/*
 * modification.c
 *		Changing what a token is and may do; see modification.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "modification.h"
#include "policy.h"

/* What can be emptied.  expires_at: it never expires then. */
static const struct
{
	const char *name;
	AttrNumber	attno;
}			clearable[] = {
	{"description", Anum_token_description},
	{"expires_at", Anum_token_expires_at},
	{"not_before", Anum_token_not_before},
	{"principal", Anum_token_principal},
	{"principal_id", Anum_token_principal_id},
	{"client_id", Anum_token_client_id},
	{"environment_id", Anum_token_environment_id},
	{"allowed_addresses", Anum_token_allowed_addresses},
	{"allowed_scopes", Anum_token_allowed_scopes},
	{"idp_id", Anum_token_idp_id},
	{"idp_domain", Anum_token_idp_domain},
	{"access_token_ttl", Anum_token_access_token_ttl},
	{"metadata", Anum_token_metadata},
};

static AttrNumber
find_clearable(const text *name)
{
	for (int i = 0; i < (int) lengthof(clearable); i++)
	{
		if (VARSIZE_ANY_EXHDR(name) == strlen(clearable[i].name) &&
			memcmp(VARDATA_ANY(name), clearable[i].name,
				   strlen(clearable[i].name)) == 0)
			return clearable[i].attno;
	}
	return InvalidAttrNumber;
}

static const char *
allowed_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(clearable); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 clearable[i].name);
	return names.data;
}

static bool
is_given(const AtkModification *modification, AttrNumber attno)
{
	if (attno == Anum_token_expires_at)
		return atk_expiry_given(&modification->expiry);
	return !modification->given.nulls[attno - 1];
}

/* Never by omission or by name alike: a limit on life still holds. */
static void
clear_expiry(AtkChange *change)
{
	AtkLife		never = {DT_NOEND};

	if (change->has_realm)
		atk_expiry_check_max(&change->realm, change->now, never.end);
	atk_change_set_life(change, &never);
}

static void
clear_one(const AtkModification *modification, int position, Datum name,
		  bool isnull, AtkChange *change)
{
	AttrNumber	attno = isnull
		? InvalidAttrNumber : find_clearable(DatumGetTextPP(name));

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("clear: element %d does not name what can be cleared",
						position),
				 errhint("Allowed names are %s.", allowed_names())));
	if (is_given(modification, attno))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("clear: element %d names what is given a value",
						position)));
	if (attno == Anum_token_expires_at)
		clear_expiry(change);
	else
		atk_change_clear(change, attno);
}

static void
clear_all(const AtkModification *modification, AtkChange *change)
{
	ArrayIterator iterator = array_create_iterator(modification->clear, 0,
												   NULL);
	Datum		name;
	bool		isnull;
	int			position = 0;

	while (array_iterate(iterator, &name, &isnull))
		clear_one(modification, ++position, name, isnull, change);
	array_free_iterator(iterator);
}

static void
set_given(AtkModification *modification, AtkChange *change)
{
	AtkDraft   *given = &modification->given;

	atk_draft_check(given);
	for (int attno = 1; attno <= Natts_token; attno++)
	{
		if (!given->nulls[attno - 1])
			atk_change_set(change, attno, given->values[attno - 1]);
	}
	if (atk_expiry_given(&modification->expiry))
	{
		AtkLife		life;

		atk_change_require_realm(change);
		life = atk_expiry_grant(&modification->expiry, &change->realm,
								change->now);
		atk_change_set_life(change, &life);
	}
}

static bool
replaces_anything(const AtkChange *change)
{
	for (int i = 0; i < Natts_token; i++)
	{
		if (change->replaces[i])
			return true;
	}
	return false;
}

static void
check_modifiable(const AtkModification *modification, const AtkChange *change)
{
	const Datum *values = change->row.values;
	int64		version = DatumGetInt64(values[Anum_token_version - 1]);

	if (modification->version != NULL && *modification->version != version)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("token has been modified since version %lld",
						(long long) *modification->version),
				 errdetail("It has version %lld.", (long long) version),
				 errhint("Read it again.")));
	if (change->token.status == ATK_STATUS_REVOKED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("token cannot be updated because it is revoked")));
}

void
atk_update(AtkModification *modification, AtkChanged *changed)
{
	AtkChange	change;

	atk_change_begin(&change, "apitoken.update()", modification->id);
	check_modifiable(modification, &change);
	set_given(modification, &change);
	if (modification->clear != NULL)
		clear_all(modification, &change);
	if (replaces_anything(&change))
	{
		atk_draft_check_times(&change.row);
		if (change.replaces[Anum_token_scopes - 1] && change.has_realm)
			atk_policy_check_scopes(&change.row, &change.realm);
		atk_change_modify(&change);
		atk_change_store(&change, "updated", NULL);
	}
	atk_change_answer(&change, changed);
	atk_change_end(&change);
}
