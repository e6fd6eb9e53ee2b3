/*
 * actor.c
 *		Who changes a token; see actor.h.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "actor.h"
#include "current.h"
#include "guc.h"

static Datum
text_datum(const char *value)
{
	return PointerGetDatum(cstring_to_text(value));
}

AtkActor
atk_actor_current(void)
{
	const AtkCurrent *current = atk_current();
	const char *id = atk_guc_actor;
	const char *name = atk_guc_actor_name;

	/* Proven, so no claim stands beside it. */
	if (current != NULL && current->principal != NULL)
		id = name = text_to_cstring(current->principal);
	if (id[0] == '\0')
		id = GetUserNameFromId(GetSessionUserId(), false);
	if (name[0] == '\0')
		name = id;
	return (AtkActor) {text_datum(id), text_datum(name)};
}
