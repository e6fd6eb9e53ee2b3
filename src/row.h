/*
 * row.h
 *		Inserts, changes and deletes single rows of the extension's tables.
 *
 * As the executor would: constraints are checked, indexes maintained,
 * row-level triggers fired (those of foreign keys included), logical
 * replication fed.  As in the apply of logical replication, there are no
 * statement-level triggers, no rules, no column defaults and no permission
 * checks: EXECUTE on the SQL function is the gate.
 *
 * The command counter is advanced behind each change, so that later probes
 * of the same statement see it.  Arrays have an element for every column
 * that columns.h lists; columns that others added keep their value, or are
 * NULL in a new row.  Where a BEFORE trigger stands on the table the arrays
 * have afterwards what was stored, palloc'd, and all of replaces is true.
 */
#ifndef ATK_ROW_H
#define ATK_ROW_H

#include "executor/tuptable.h"

#include "table.h"

/*
 * Raises what the server raises: 23505, 23514, 23502, but with a detail that
 * does not show the row, which has digests.
 */
extern void atk_row_insert(AtkTable table, Datum *values, bool *nulls);

/* old holds the row as atk_probe_lock() left it. */
extern void atk_row_update(AtkTable table, TupleTableSlot *old,
						   Datum *values, bool *nulls, bool *replaces);
extern void atk_row_delete(AtkTable table, TupleTableSlot *old);

#endif							/* ATK_ROW_H */
