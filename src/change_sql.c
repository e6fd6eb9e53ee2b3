/*
 * change_sql.c
 *		SQL interface of changing the state of tokens and removing them.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "changed.h"
#include "removal.h"
#include "rotation.h"
#include "scopes.h"
#include "secret.h"
#include "selection.h"
#include "session.h"
#include "state.h"

ATK_FUNCTION(atk_sql_suspend);
ATK_FUNCTION(atk_sql_activate);
ATK_FUNCTION(atk_sql_revoke);
ATK_FUNCTION(atk_sql_revoke_self);
ATK_FUNCTION(atk_sql_revoke_all);
ATK_FUNCTION(atk_sql_end_grace);
ATK_FUNCTION(atk_sql_delete);
ATK_FUNCTION(atk_sql_purge);

static const pg_uuid_t *
read_id(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0);
}

static text *
read_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_NARGS() <= argument || PG_ARGISNULL(argument)
		? NULL : PG_GETARG_TEXT_PP(argument);
}

static void
require(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

static Datum
change_status(FunctionCallInfo fcinfo, AtkTransition transition)
{
	AtkChanged	changed;

	atk_change_status(transition, read_id(fcinfo), read_text(fcinfo, 1),
					  &changed);
	return atk_changed_row(&changed);
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

/* revoke_self(token text) -> boolean */
Datum
atk_sql_revoke_self(PG_FUNCTION_ARGS)
{
	text	   *token;
	AtkPresented presented;

	atk_session_require(ATK_RIGHT_NONE);
	atk_pepper_require();
	token = PG_ARGISNULL(0) ? NULL : atk_secret_argument(PG_GETARG_DATUM(0));
	if (token == NULL || !atk_present_text(VARDATA_ANY(token),
										   VARSIZE_ANY_EXHDR(token),
										   &presented))
		atk_raise_not_a_secret();
	atk_wipe_copy(token, PG_GETARG_DATUM(0));
	PG_RETURN_BOOL(atk_revoke_self(&presented));
}

/* As in verify(): all of these; a blank text is a mistake. */
static struct varlena *
read_scopes(FunctionCallInfo fcinfo, int argument)
{
	text	   *scope = read_text(fcinfo, argument);
	struct varlena *scopes;

	if (scope == NULL)
		return NULL;
	scopes = atk_scopes_from_text(VARDATA_ANY(scope), VARSIZE_ANY_EXHDR(scope),
								  NULL);
	if (VARSIZE_ANY_EXHDR(scopes) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scope is empty"),
				 errhint("Leave it out, or say NULL, for tokens of any scope.")));
	return scopes;
}

static void
put_selected(ReturnSetInfo *rsinfo, const AtkSelected *selected)
{
	Datum		values[2];
	bool		nulls[2] = {false};

	values[0] = UUIDPGetDatum(&selected->id);
	values[1] = PointerGetDatum(selected->name);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Memory is given back after each. */
static void
revoke_each(ReturnSetInfo *rsinfo, const AtkSelection *selection,
			const AtkSelected *selected, uint64 n, const text *reason,
			bool dry_run)
{
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext,
											   "apitoken revoke_all",
											   ALLOCSET_DEFAULT_SIZES);

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(each);

		CHECK_FOR_INTERRUPTS();
		if (dry_run || atk_revoke_selected(selection, &selected[i], reason))
			put_selected(rsinfo, &selected[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(each);
	}
}

/* revoke_all(realm, principal, client_id, scope, reason, dry_run) -> rows */
Datum
atk_sql_revoke_all(PG_FUNCTION_ARGS)
{
	AtkSelection selection = {
		.realm = read_text(fcinfo, 0),
		.principal = read_text(fcinfo, 1),
		.client_id = read_text(fcinfo, 2),
		.scopes = read_scopes(fcinfo, 3),
	};
	AtkSelected *selected;
	uint64		n;

	require(fcinfo, 0, "realm");
	require(fcinfo, 5, "dry_run");
	if (!PG_GETARG_BOOL(5))
		PreventCommandIfReadOnly("apitoken.revoke_all()");
	InitMaterializedSRF(fcinfo, 0);
	selected = atk_select(&selection, &n);
	revoke_each((ReturnSetInfo *) fcinfo->resultinfo, &selection, selected, n,
				read_text(fcinfo, 4), PG_GETARG_BOOL(5));
	return (Datum) 0;
}

/* end_grace(id uuid) -> row */
Datum
atk_sql_end_grace(PG_FUNCTION_ARGS)
{
	AtkChanged	changed;

	atk_end_grace(read_id(fcinfo), &changed);
	return atk_changed_row(&changed);
}

/* delete(id uuid) -> row */
Datum
atk_sql_delete(PG_FUNCTION_ARGS)
{
	AtkChanged	changed;

	atk_delete(read_id(fcinfo), &changed);
	return atk_changed_row(&changed);
}

/* purge(older_than interval, batch_size integer) -> bigint */
Datum
atk_sql_purge(PG_FUNCTION_ARGS)
{
	require(fcinfo, 0, "older_than");
	require(fcinfo, 1, "batch_size");
	PG_RETURN_INT64(atk_purge(PG_GETARG_INTERVAL_P(0), PG_GETARG_INT32(1)));
}
