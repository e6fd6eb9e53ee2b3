/*
 * compat.h
 *		The one place that knows which PostgreSQL this is.
 *
 * The sources are written for the newest supported server; what an older one
 * lacks is bent here, each bend with the upstream commit or release that
 * made it necessary.  No other file tests PG_VERSION_NUM.  Every source file
 * includes this header straight after postgres.h, because it also corrects
 * PGDLLEXPORT before any macro of fmgr.h is expanded.
 */
#ifndef ATK_COMPAT_H
#define ATK_COMPAT_H

#include "access/genam.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "storage/bufmgr.h"
#include "utils/guc.h"
#include "utils/rel.h"

#if PG_VERSION_NUM < 150000
#error "apitoken needs PostgreSQL 15 or newer"
#endif

/*
 * 16 (commit 089480c077) made PGDLLEXPORT a visibility attribute and put it
 * into PG_FUNCTION_INFO_V1.  We compile with -fvisibility=hidden everywhere,
 * so on 15 we do both ourselves.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/*
 * On the way of a verification.  Functions that are marked so stand together:
 * a process that comes to its turn finds few of the pages that it needs.
 */
#define ATK_HOT __attribute__((hot))

/* Declares an SQL-callable function and its call information. */
#define ATK_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/*
 * 16 (commit d9f7f5d32f) brought soft errors: an input function reports into
 * fcinfo->context and returns.  Before, it can only raise.
 */
#if PG_VERSION_NUM < 160000
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

/* 18 made a prefix of pg_attribute_noreturn(). */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* 18 (commit 0fbceae841) gave index_beginscan an instrumentation argument. */
static inline IndexScanDesc
atk_index_beginscan(Relation heap, Relation index, Snapshot snapshot,
					int nkeys)
{
#if PG_VERSION_NUM < 180000
	return index_beginscan(heap, index, snapshot, nkeys, 0);
#else
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0);
#endif
}

/* 17 (commit 51efe38cb9) brought a timeout that ends the session. */
static inline void
atk_disable_transaction_timeout(void)
{
#if PG_VERSION_NUM >= 170000
	SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
#endif
}

/* 16 names a relation's files by a locator. */
static inline bool
atk_read_recent_buffer(Relation heap, BlockNumber block, Buffer buffer)
{
#if PG_VERSION_NUM < 160000
	return ReadRecentBuffer(heap->rd_node, MAIN_FORKNUM, block, buffer);
#else
	return ReadRecentBuffer(heap->rd_locator, MAIN_FORKNUM, block, buffer);
#endif
}

/* 16 (commit 70b42f2790) gave EvalPlanQualInit the result relations. */
static inline void
atk_eval_plan_qual_init(EPQState *epqstate, EState *estate)
{
#if PG_VERSION_NUM < 160000
	EvalPlanQualInit(epqstate, estate, NULL, NIL, -1);
#else
	EvalPlanQualInit(epqstate, estate, NULL, NIL, -1, NIL);
#endif
}

/* 18 (commit 9324c8c580) lets a module state its name and version. */
#ifdef PG_MODULE_MAGIC_EXT
#define ATK_MODULE_MAGIC(version_) \
	PG_MODULE_MAGIC_EXT(.name = "apitoken", .version = (version_))
#else
#define ATK_MODULE_MAGIC(version_) PG_MODULE_MAGIC
#endif

#endif							/* ATK_COMPAT_H */
