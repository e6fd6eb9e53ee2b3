/*
 * search_index.c
 *		The index that serves LIKE searches; see search_index.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "columns.h"
#include "search_index.h"

#define INDEX_NAME "_token_search_idx"

static Oid
find_index(void)
{
	Oid			schema = get_namespace_oid(ATK_SCHEMA, true);

	return OidIsValid(schema) ? get_relname_relid(INDEX_NAME, schema)
		: InvalidOid;
}

bool
atk_search_index_exists(void)
{
	Oid			index = find_index();

	return OidIsValid(index) && get_index_isvalid(index);
}

static void
run_utility(const char *sql)
{
	int			result = SPI_execute(sql, false, 0);

	if (result != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

/*
 * The schema that pg_trgm is in, quoted.  Made first if need be, and then in
 * public: never in ours, should that be first in the search_path.
 */
static char *
trigram_schema(void)
{
	run_utility("CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public");
	SPI_execute("SELECT pg_catalog.quote_ident(n.nspname)"
				" FROM pg_catalog.pg_extension e"
				" JOIN pg_catalog.pg_namespace n"
				" ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
				" WHERE e.extname OPERATOR(pg_catalog.=)"
				" 'pg_trgm'::pg_catalog.name",
				false, 1);
	if (SPI_processed != 1)
		elog(ERROR, "extension pg_trgm is gone");
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* Matching ignores case as the database does, hence the default collation. */
static void
create_index(void)
{
	const char *schema = trigram_schema();
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "CREATE INDEX " INDEX_NAME
						   " ON apitoken._token USING gin (");
	appendStringInfo(&sql,
					 "name COLLATE pg_catalog.\"default\" %s.gin_trgm_ops, "
					 "client_id COLLATE pg_catalog.\"default\" %s.gin_trgm_ops, "
					 "principal COLLATE pg_catalog.\"default\" %s.gin_trgm_ops)",
					 schema, schema, schema);
	run_utility(sql.data);
	run_utility("COMMENT ON INDEX apitoken." INDEX_NAME
				" IS 'LIKE searches; made by apitoken.enable_search()'");
}

bool
atk_search_index_create(void)
{
	if (atk_search_index_exists())
		return false;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (OidIsValid(find_index()))
		run_utility("REINDEX INDEX apitoken." INDEX_NAME);
	else
		create_index();
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return true;
}
