/*
 * pepper_sql.c
 *		SQL interface of the keys of digests and seals.
 */
#include "postgres.h"
#include "compat.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "pepper.h"
#include "rekey.h"
#include "session.h"

ATK_FUNCTION(atk_sql_keys);

static void
put_key(ReturnSetInfo *rsinfo, const char *role, const AtkPepperState *state)
{
	Datum		values[3];
	bool		nulls[3] = {false};

	values[0] = CStringGetTextDatum(role);
	values[1] = Int32GetDatum(state->id);
	nulls[1] = !state->known;
	nulls[2] = state->problem == NULL;
	if (state->problem != NULL)
		values[2] = CStringGetTextDatum(state->problem);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* _keys() -> SETOF (role, key_id, problem) */
Datum
atk_sql_keys(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AtkPepperState states[ATK_PEPPERS];
	AtkPepperState *previous = &states[1];

	atk_session_require(ATK_RIGHT_NONE);
	InitMaterializedSRF(fcinfo, 0);
	atk_pepper_state(states);
	put_key(rsinfo, "current", &states[0]);
	if (!previous->set)
		return (Datum) 0;
	if (previous->problem == NULL)
		previous->problem = atk_rekey_problem();
	put_key(rsinfo, "previous", previous);
	return (Datum) 0;
}
