/*
 * apitoken.c
 *		Module magic and what happens when the library is loaded.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "fmgr.h"

#include "current.h"
#include "guc.h"
#include "table.h"
#include "usage.h"

ATK_MODULE_MAGIC(ATK_VERSION);

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	if (sodium_init() < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not initialize libsodium")));
	atk_guc_init();
	atk_table_init();
	atk_current_init();
	atk_usage_init();
}
