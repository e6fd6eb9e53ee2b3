/*
 * changed.c
 *		The row that a change of a token answers; see changed.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "changed.h"
#include "result.h"

static AtkResult change_result = {
	.ncolumns = 6,
	.columns = {
		{"id", UUIDOID},
		{"realm", TEXTOID},
		{"name", TEXTOID},
		{"status", TEXTOID},
		{"version", INT8OID},
		{"expires_at", TIMESTAMPTZOID},
	}
};

Datum
atk_changed_row(const AtkChanged *changed)
{
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = UUIDPGetDatum(&changed->id);
	values[1] = PointerGetDatum(changed->realm);
	values[2] = PointerGetDatum(changed->name);
	values[3] = CStringGetTextDatum(changed->status);
	values[4] = Int64GetDatum(changed->version);
	values[5] = atk_result_time(changed->expires_at, &nulls[5]);
	return atk_result_row(&change_result, values, nulls);
}
