/*
 * page.c
 *		One page of the tokens of a realm; see page.h.
 *
 * Statements return ids and sort keys only, which an index-only scan gives;
 * the rows of the page are read by id afterwards.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "page.h"
#include "search.h"

/*
 * One more than the largest page.  Written into kept plans, so that they are
 * made for few rows; how many are really read is said when they are run.
 */
#define LIMIT_MAX " LIMIT 1001"
StaticAssertDecl(ATK_PAGE_SIZE_MAX == 1000, "LIMIT_MAX says the same");

static void
add_conditions(AtkStatement *statement, const AtkPageRequest *request,
			   const char *realm_column)
{
	atk_statement_add(statement, " WHERE ");
	atk_statement_add(statement, realm_column);
	atk_statement_add(statement, " OPERATOR(pg_catalog.=) ");
	atk_statement_bind(statement, TEXTOID, PointerGetDatum(request->realm));
	if (request->environment_id != NULL)
	{
		atk_statement_add(statement,
						  " AND t.environment_id OPERATOR(pg_catalog.=) ");
		atk_statement_bind(statement, TEXTOID,
						   PointerGetDatum(request->environment_id));
	}
	if (request->body != NULL)
		atk_search_add(statement, request->body, GetCurrentTimestamp());
}

static bool
is_filtered(const AtkPageRequest *request)
{
	return request->environment_id != NULL || request->body != NULL;
}

/* "... FROM ... WHERE ...", from the table that gives the order */
static void
add_from(AtkStatement *statement, const AtkPageRequest *request)
{
	const AtkSortSource *source = request->order.sort->source;

	atk_statement_add(statement, " FROM ");
	atk_statement_add(statement, source->from);
	if (!source->is_token && is_filtered(request))
		atk_statement_add(statement,
						  " JOIN apitoken._token t ON t.id OPERATOR(pg_catalog.=) u.token_id");
	add_conditions(statement, request, source->realm);
}

/*
 * "SELECT id, key FROM ... WHERE ...".  Where conditions may match few rows,
 * the order's index must not be walked in search of them: OFFSET 0 has them
 * found first and sorted then.
 */
static void
add_select(AtkStatement *statement, const AtkPageRequest *request)
{
	const AtkSort *sort = request->order.sort;
	bool		find_first = request->body != NULL &&
		atk_search_is_selective(request->body);

	atk_statement_add(statement, "SELECT ");
	atk_statement_add(statement, sort->source->id);
	atk_statement_add(statement, ", ");
	atk_statement_add(statement, sort->key ? sort->key : sort->source->id);
	if (find_first)
	{
		atk_statement_add(statement, " FROM (SELECT ");
		atk_statement_add(statement, sort->source->alias);
		atk_statement_add(statement, ".*");
		add_from(statement, request);
		atk_statement_add(statement, " OFFSET 0) ");
		atk_statement_add(statement, sort->source->alias);
		atk_statement_add(statement, " WHERE true");
	}
	else
		add_from(statement, request);
}

static int64
count_total(const AtkPageRequest *request)
{
	AtkStatement statement;

	atk_statement_init(&statement);
	atk_statement_add(&statement,
					  "SELECT pg_catalog.count(*) FROM apitoken._token t");
	add_conditions(&statement, request, "t.realm");
	return atk_statement_count(&statement);
}

static pg_uuid_t
row_id(SPITupleTable *rows, uint64 i)
{
	bool		isnull;

	return *DatumGetUUIDP(SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
										&isnull));
}

static void
take_rows(AtkPage *page, SPITupleTable *rows, int most)
{
	for (uint64 i = 0; i < rows->numvals && page->nrows < most; i++)
		page->ids[page->nrows++] = row_id(rows, i);
}

/* --- by offset --- */

static void
read_by_offset(const AtkPageRequest *request, AtkPage *page)
{
	AtkStatement statement;
	bool		simple = request->offset == 0 && !is_filtered(request);

	atk_statement_init(&statement);
	add_select(&statement, request);
	atk_sort_add_order(&statement, request->order);
	if (simple)
		atk_statement_add(&statement, LIMIT_MAX);
	else
	{
		atk_statement_add(&statement, " LIMIT ");
		atk_statement_bind(&statement, INT8OID, Int64GetDatum(request->size));
		atk_statement_add(&statement, " OFFSET ");
		atk_statement_bind(&statement, INT8OID,
						   Int64GetDatum(request->offset));
	}
	take_rows(page, atk_statement_run(&statement, request->size, simple),
			  request->size);

	/* A page that is neither full nor empty ends at the last row. */
	if (page->nrows > 0 && page->nrows < request->size)
		page->total = request->offset + page->nrows;
	else
		page->total = count_total(request);
}

/* --- by cursor --- */

/* What a cursor must be of: realm, filters and order, unambiguously. */
static void
make_context(const AtkPageRequest *request, StringInfo context)
{
	const struct varlena *parts[] = {
		(const struct varlena *) request->realm,
		(const struct varlena *) request->environment_id,
		(const struct varlena *) request->body,
	};

	initStringInfo(context);
	for (int i = 0; i < (int) lengthof(parts); i++)
	{
		appendStringInfo(context, "%d:",
						 parts[i] ? (int) VARSIZE_ANY_EXHDR(parts[i]) : -1);
		if (parts[i] != NULL)
			appendBinaryStringInfo(context, VARDATA_ANY(parts[i]),
								   VARSIZE_ANY_EXHDR(parts[i]));
	}
	appendStringInfo(context, "%s %d", request->order.sort->field,
					 request->order.descending);
}

static void
read_cursor(const AtkPageRequest *request, const StringInfoData *context,
			AtkPosition *position)
{
	if (!atk_cursor_read(VARDATA_ANY(request->cursor),
						 VARSIZE_ANY_EXHDR(request->cursor),
						 context, position) ||
		!atk_sort_key_valid(request->order.sort, position))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cursor is malformed, or belongs to another filter or sort"),
				 errhint("Take next_cursor of the page before, or '' for the first page.")));
}

/* Rows of one segment behind a position, or from its beginning. */
static SPITupleTable *
read_segment(const AtkPageRequest *request, bool nulls,
			 const AtkPosition *behind, int most)
{
	AtkStatement statement;

	atk_statement_init(&statement);
	add_select(&statement, request);
	atk_sort_add_segment(&statement, request->order, nulls, behind);
	atk_sort_add_order(&statement, request->order);
	atk_statement_add(&statement, LIMIT_MAX);
	return atk_statement_run(&statement, most, !is_filtered(request));
}

/* Where the walk stands after the n-th of these rows. */
static void
position_after(const AtkPageRequest *request, SPITupleTable *rows, int n,
			   AtkPosition *position)
{
	bool		isnull;
	Datum		key = SPI_getbinval(rows->vals[n - 1], rows->tupdesc, 2,
									&isnull);
	pg_uuid_t	id = row_id(rows, n - 1);

	atk_sort_key_bytes(request->order.sort, key, isnull, position);
	memcpy(position->id, id.data, ATK_ID_LEN);
}

/*
 * Takes rows of a segment as long as there is room.  True if there was not:
 * then the walk goes on after *position.
 */
static bool
take_segment(const AtkPageRequest *request, bool nulls,
			 const AtkPosition *behind, AtkPage *page, AtkPosition *position)
{
	int			room = request->size - page->nrows;
	SPITupleTable *rows = read_segment(request, nulls, behind, room + 1);
	int			taken = Min((int) rows->numvals, room);

	take_rows(page, rows, request->size);
	if (taken > 0)
		position_after(request, rows, taken, position);
	return (int) rows->numvals > room;
}

static void
read_by_cursor(const AtkPageRequest *request, AtkPage *page)
{
	AtkOrder	order = request->order;
	bool		nulls = atk_sort_nulls_come_first(order);
	bool		begins = VARSIZE_ANY_EXHDR(request->cursor) == 0;
	StringInfoData context;
	AtkPosition position;
	bool		more;

	make_context(request, &context);
	if (!begins)
	{
		read_cursor(request, &context, &position);
		nulls = position.key_is_null && order.sort->nullable;
	}

	more = take_segment(request, nulls, begins ? NULL : &position,
						page, &position);
	if (!more && order.sort->nullable &&
		nulls == atk_sort_nulls_come_first(order))
		more = take_segment(request, !nulls, NULL, page, &position);
	if (more)
		page->next_cursor = atk_cursor_write(&position, &context);
}

void
atk_page_read(const AtkPageRequest *request, AtkPage *page)
{
	MemoryContext caller = CurrentMemoryContext;
	AtkStatementRun run;

	page->nrows = 0;
	page->ids = palloc(request->size * sizeof(pg_uuid_t));
	page->total = 0;
	page->next_cursor = NULL;

	atk_statements_begin(&run);
	if (request->cursor == NULL)
		read_by_offset(request, page);
	else
		read_by_cursor(request, page);
	if (page->next_cursor != NULL)
		page->next_cursor = MemoryContextStrdup(caller, page->next_cursor);
	atk_statements_end(&run);
}
