/*
 * statement.h
 *		SELECT statements over the extension's tables.
 *
 * Text is appended from literals and from static tables only; whatever came
 * from a user is bound as a parameter.  Every operator and function in a text
 * is written with its schema: statements run with the rights of the tables'
 * owner, and the caller's search_path must have no say in them.
 */
#ifndef ATK_STATEMENT_H
#define ATK_STATEMENT_H

#include "executor/spi.h"
#include "lib/stringinfo.h"

typedef struct AtkStatement
{
	StringInfoData text;
	int			nparams;
	int			room;
	Oid		   *types;
	Datum	   *values;			/* none is NULL */
} AtkStatement;

extern void atk_statement_init(AtkStatement *statement);

/* Appends literal text of the program. */
extern void atk_statement_add(AtkStatement *statement, const char *text);

/* Binds a value and appends its $n. */
extern void atk_statement_bind(AtkStatement *statement, Oid type, Datum value);

/*
 * Between these two statements are run, as the owner of the tables; what they
 * return lives until the end.
 */
typedef struct AtkStatementRun
{
	Oid			saved_user;
	int			saved_context;
} AtkStatementRun;

extern void atk_statements_begin(AtkStatementRun *run);
extern void atk_statements_end(AtkStatementRun *run);

/*
 * Runs one and returns its rows, at most limit of them (0: all).  It reads
 * what the calling statement sees.  A kept plan does not look at the values:
 * right where an index gives the order whatever they are.
 */
extern SPITupleTable *atk_statement_run(const AtkStatement *statement,
										long limit, bool keep_plan);

/* The same for a single bigint. */
extern int64 atk_statement_count(const AtkStatement *statement);

#endif							/* ATK_STATEMENT_H */
