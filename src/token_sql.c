/*
 * token_sql.c
 *		SQL interface of what a token's row and text show, and of the guards
 *		on table realm.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_collation.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "columns.h"
#include "history.h"
#include "realm.h"
#include "secret.h"
#include "token_text.h"

ATK_FUNCTION(atk_sql_check_token);
ATK_FUNCTION(atk_sql_public_id);
ATK_FUNCTION(atk_sql_realm_changed);
ATK_FUNCTION(atk_sql_realm_event);
ATK_FUNCTION(atk_sql_realm_guard);

/* check_token(token text) -> boolean */
Datum
atk_sql_check_token(PG_FUNCTION_ARGS)
{
	text	   *token = PG_GETARG_TEXT_PP(0);
	AtkTextParts parts;
	bool		good = atk_text_parse(VARDATA_ANY(token),
									  VARSIZE_ANY_EXHDR(token), &parts) &&
		atk_text_check(&parts);

	atk_wipe_copy(token, PG_GETARG_DATUM(0));
	PG_RETURN_BOOL(good);
}

/* _public_id(prefix text, id uuid) -> text */
Datum
atk_sql_public_id(PG_FUNCTION_ARGS)
{
	text	   *prefix = PG_GETARG_TEXT_PP(0);
	pg_uuid_t  *id = PG_GETARG_UUID_P(1);
	char		public_id[ATK_PUBLIC_ID_MAX];
	size_t		len;

	if (!atk_prefix_valid(VARDATA_ANY(prefix), VARSIZE_ANY_EXHDR(prefix)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("prefix is malformed"),
				 errdetail("It has 1 to 16 letters, digits or underscores.")));
	len = atk_public_id_write(VARDATA_ANY(prefix), VARSIZE_ANY_EXHDR(prefix),
							  id->data, public_id);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(public_id, len));
}

static TriggerData *
require_trigger(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called as a trigger")));
	return (TriggerData *) fcinfo->context;
}

/* _realm_changed(): after any change, has every session forget its policy */
Datum
atk_sql_realm_changed(PG_FUNCTION_ARGS)
{
	atk_realm_invalidate(require_trigger(fcinfo)->tg_relation);
	PG_RETURN_POINTER(NULL);
}

/* _realm_event(): after INSERT, UPDATE, DELETE, TRUNCATE */
Datum
atk_sql_realm_event(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_trigger(fcinfo);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	row = trigger->tg_trigtuple;

	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		atk_history_realms_truncated();
	else if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		atk_history_realm(desc, NULL, row);
	else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		atk_history_realm(desc, row, NULL);
	else
		atk_history_realm(desc, row, trigger->tg_newtuple);
	PG_RETURN_POINTER(NULL);
}

/* _realm_guard(): before DELETE, UPDATE OF id, TRUNCATE */
Datum
atk_sql_realm_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_trigger(fcinfo);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	old = trigger->tg_trigtuple;
	bool		isnull;
	Datum		id;
	Datum		new_id;

	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
	{
		atk_realm_guard(NULL);
		PG_RETURN_POINTER(NULL);
	}

	id = heap_getattr(old, Anum_realm_id, desc, &isnull);
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		atk_realm_guard(DatumGetTextPP(id));
		PG_RETURN_POINTER(old);
	}

	/* The same id again is no rename: upserts write all columns. */
	new_id = heap_getattr(trigger->tg_newtuple, Anum_realm_id, desc, &isnull);
	if (isnull ||
		!DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID,
											  id, new_id)))
		atk_realm_guard(DatumGetTextPP(id));
	PG_RETURN_POINTER(trigger->tg_newtuple);
}
