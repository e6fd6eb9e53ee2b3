/*
 * result.c
 *		Row types of functions that return a row; see result.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "result.h"

static TupleDesc
make_desc(const AtkResult *result)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	TupleDesc	desc = CreateTemplateTupleDesc(result->ncolumns);

	for (int i = 0; i < result->ncolumns; i++)
		TupleDescInitEntry(desc, i + 1, result->columns[i].name,
						   result->columns[i].type, -1, 0);
	BlessTupleDesc(desc);
	MemoryContextSwitchTo(old);
	return desc;
}

Datum
atk_result_row(AtkResult *result, const Datum *values, const bool *nulls)
{
	if (result->desc == NULL)
		result->desc = make_desc(result);
	return HeapTupleGetDatum(heap_form_tuple(result->desc,
											 unconstify(Datum *, values),
											 unconstify(bool *, nulls)));
}

Datum
atk_result_time(TimestampTz when, bool *isnull)
{
	*isnull = TIMESTAMP_NOT_FINITE(when);
	return TimestampTzGetDatum(when);
}
