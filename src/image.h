/*
 * image.h
 *		Rows as JSON objects, for the history: what they were, what they are.
 *
 * Keys are column names; a column that is NULL is left out, but null where
 * the other side has a value.  Status and kind are names, scopes and
 * addresses arrays of text, intervals text in PostgreSQL's own style, points
 * in time ISO 8601 in UTC, whatever the session's settings are.  Never a
 * digest, nor the key that it was made with.
 */
#ifndef ATK_IMAGE_H
#define ATK_IMAGE_H

#include "access/tupdesc.h"
#include "utils/jsonb.h"

#include "table.h"

/* A row, in arrays with an element for each column that the library knows. */
typedef struct AtkRow
{
	const Datum *values;
	const bool *nulls;
} AtkRow;

/* All that is not NULL; of ATK_TABLE_TOKEN or ATK_TABLE_REALM. */
extern Jsonb *atk_image(AtkTable table, AtkRow row);

/*
 * Both sides of the columns that differ, of those that may (NULL: all).
 * False if none does.  desc is that of both rows.
 */
extern bool atk_image_difference(AtkTable table, TupleDesc desc,
								 AtkRow old_row, AtkRow new_row,
								 const bool *may_differ,
								 Jsonb **old_image, Jsonb **new_image);

#endif							/* ATK_IMAGE_H */
