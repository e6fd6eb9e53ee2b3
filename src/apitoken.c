/*
 * apitoken.c
 *		Module magic and what happens when the library is loaded.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "guc.h"
#include "table.h"

ATK_MODULE_MAGIC(ATK_VERSION);

extern PGDLLEXPORT void _PG_init(void);

ATK_FUNCTION(atk_sql_version);

void
_PG_init(void)
{
	if (sodium_init() < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not initialize libsodium")));
	atk_guc_init();
	atk_table_init();
}

/* version() -> text: of the library, not of the SQL objects */
Datum
atk_sql_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ATK_VERSION));
}
