/*
 * result.h
 *		Row types of functions that return a row.
 *
 * A function's OUT columns could be looked up in the catalog at each call; a
 * descriptor made once a backend from a list of columns is cheaper by a good
 * deal.  The lists repeat what the install script declares; a mismatch is an
 * error of the executor, not a wrong answer.
 */
#ifndef ATK_RESULT_H
#define ATK_RESULT_H

#include "access/tupdesc.h"

#include "datatype/timestamp.h"

#define ATK_RESULT_MAX 16		/* columns */

typedef struct AtkResult
{
	int			ncolumns;
	struct
	{
		const char *name;
		Oid			type;
	}			columns[ATK_RESULT_MAX];
	TupleDesc	desc;			/* NULL until first used */
} AtkResult;

/* A row as a composite Datum; values and nulls have ncolumns elements. */
extern Datum atk_result_row(AtkResult *result, const Datum *values,
							const bool *nulls);

/* A point in time of which DT_NOEND and DT_NOBEGIN mean null. */
extern Datum atk_result_time(TimestampTz when, bool *isnull);

#endif							/* ATK_RESULT_H */
