/*
 * statement.c
 *		SELECT statements over the extension's tables; see statement.h.
 *
 * Plans that are kept stand in an array in which a text has one possible
 * place, by its hash; who comes later takes the place.  There are as many
 * texts as combinations of sort, direction and position, a few dozen.
 */
#include "postgres.h"
#include "compat.h"

#include "access/table.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "statement.h"
#include "table.h"

#define KEPT_MAX 128

typedef struct KeptPlan
{
	char	   *text;			/* in TopMemoryContext */
	SPIPlanPtr	plan;
} KeptPlan;

static KeptPlan kept_plans[KEPT_MAX];

void
atk_statement_init(AtkStatement *statement)
{
	initStringInfo(&statement->text);
	statement->nparams = 0;
	statement->room = 8;
	statement->types = palloc(statement->room * sizeof(Oid));
	statement->values = palloc(statement->room * sizeof(Datum));
}

void
atk_statement_add(AtkStatement *statement, const char *text)
{
	appendStringInfoString(&statement->text, text);
}

void
atk_statement_bind(AtkStatement *statement, Oid type, Datum value)
{
	if (statement->nparams == statement->room)
	{
		statement->room *= 2;
		statement->types = repalloc(statement->types,
									statement->room * sizeof(Oid));
		statement->values = repalloc(statement->values,
									 statement->room * sizeof(Datum));
	}
	statement->types[statement->nparams] = type;
	statement->values[statement->nparams] = value;
	statement->nparams++;
	appendStringInfo(&statement->text, "$%d", statement->nparams);
}

/*
 * The caller has EXECUTE on the function and no right on the tables.  An
 * error restores the user together with the transaction's state.
 */
void
atk_statements_begin(AtkStatementRun *run)
{
	Relation	rel = atk_table_open(ATK_TABLE_TOKEN, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;

	table_close(rel, NoLock);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	GetUserIdAndSecContext(&run->saved_user, &run->saved_context);
	SetUserIdAndSecContext(owner, run->saved_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
}

void
atk_statements_end(AtkStatementRun *run)
{
	SetUserIdAndSecContext(run->saved_user, run->saved_context);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

static SPIPlanPtr
prepare(const AtkStatement *statement, int options)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(statement->text.data,
										  statement->nparams,
										  statement->types,
										  CURSOR_OPT_PARALLEL_OK | options);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	return plan;
}

static SPIPlanPtr
find_kept(const AtkStatement *statement)
{
	uint32		hash = hash_bytes((const unsigned char *) statement->text.data,
								  statement->text.len);
	KeptPlan   *place = &kept_plans[hash % KEPT_MAX];

	if (place->text != NULL && strcmp(place->text, statement->text.data) == 0)
		return place->plan;

	/* Who comes later takes the place. */
	if (place->text != NULL)
	{
		SPI_freeplan(place->plan);
		pfree(place->text);
		place->text = NULL;
	}
	place->plan = prepare(statement, CURSOR_OPT_GENERIC_PLAN);
	SPI_keepplan(place->plan);
	place->text = MemoryContextStrdup(TopMemoryContext, statement->text.data);
	return place->plan;
}

SPITupleTable *
atk_statement_run(const AtkStatement *statement, long limit, bool keep_plan)
{
	SPIPlanPtr	plan = keep_plan ? find_kept(statement)
		: prepare(statement, CURSOR_OPT_CUSTOM_PLAN);
	int			result = SPI_execute_plan(plan, statement->values, NULL,
										  true, limit);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s",
			 SPI_result_code_string(result));
	return SPI_tuptable;
}

int64
atk_statement_count(const AtkStatement *statement)
{
	SPITupleTable *rows = atk_statement_run(statement, 0, false);
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(rows->vals[0], rows->tupdesc, 1,
									   &isnull));
}
