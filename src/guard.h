/*
 * guard.h
 *		What the extension does to its tables as their owner, and how that is
 *		kept from running what others attached to them.
 *
 * The worker acts for the owner of the tables, a superuser as a rule, and so
 * do functions whose caller has no right on them.  A trigger that somebody
 * with TRIGGER on a table added would run with the owner's rights.  So
 * triggers are switched off as on a replica, and where something else stands
 * on the table that would run a function which is not the server's own, the
 * work is refused: an ALWAYS or REPLICA trigger, a rule, a default or
 * generated column, a CHECK, an expression of an index or of extended
 * statistics, a column of a domain.
 *
 *		AtkGuard	guard;
 *
 *		atk_guard_check(ATK_TABLE_USAGE, "use is not written");
 *		atk_guard_begin(&guard, ATK_TABLE_USAGE);
 *		... SPI, or atk_row_...() ...
 *		atk_guard_end(&guard);
 */
#ifndef ATK_GUARD_H
#define ATK_GUARD_H

#include "executor/spi.h"

#include "table.h"

typedef struct AtkGuard
{
	int			guc_level;
	Oid			user;
	int			context;
} AtkGuard;

/*
 * Locks a table for writing and raises 55000 where code is attached, naming
 * what is refused because of it.  The lock keeps it so till the end of the
 * transaction, but for indexes that are built concurrently.
 */
extern void atk_guard_check(AtkTable table, const char *refusal);

/*
 * The same for a table that is only read: the planner runs immutable
 * functions in the expressions of its indexes and extended statistics.
 */
extern void atk_guard_check_read(AtkTable table, const char *refusal);

/* For those who do without instead. */
extern bool atk_guard_may_read(AtkTable table);

/*
 * Between these two SPI is connected, the user is the table's owner, names
 * are looked up in pg_catalog alone, and ordinary triggers do not fire.  An
 * error restores all that together with the transaction's state.
 */
extern void atk_guard_begin(AtkGuard *guard, AtkTable table);

/* The same for reading only, also in a read-only transaction. */
extern void atk_guard_begin_reading(AtkGuard *guard, AtkTable table);
extern void atk_guard_end(const AtkGuard *guard);

/*
 * One of a kind in this database at a time, till the end of the (sub)
 * transaction.  Not an advisory lock: anybody could take that and keep the
 * worker waiting.  Not a lock on the table: VACUUM would be in its way.
 */
extern void atk_guard_lock(AtkTable table);

/*
 * Runs a statement whose parameters are not null with a snapshot of its own:
 * that of a REPEATABLE READ transaction is too old for what is to be written.
 * Returns the number of rows; they are in SPI_tuptable.  Names in the text
 * are looked up in pg_catalog alone.
 */
extern uint64 atk_guard_run(const char *sql, int nargs, Oid *types,
							Datum *values);

#endif							/* ATK_GUARD_H */
