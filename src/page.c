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
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "page.h"
#include "search.h"
#include "search_index.h"
#include "token.h"

/*
 * One more than the largest page.  Written into kept plans, so that they are
 * made for few rows; how many are really read is said when they are run.
 * Other statements have their own LIMIT, because PostgreSQL uses no parallel
 * workers for one that may be stopped from outside.
 */
#define LIMIT_MAX " LIMIT 1001"
StaticAssertDecl(ATK_PAGE_SIZE_MAX == 1000, "LIMIT_MAX says the same");

/*
 * Where there are conditions, the index that gives the order has to be walked
 * past the tokens that do not match.  That is quick where many match, and
 * shows within a window; few are better found first, by whatever index or
 * scan, and sorted then.  The numbers balance one against the other: a search
 * index finds in milliseconds, and a scan reads a token at a fraction of what
 * it costs in an index's order.
 */
#define WINDOW_INDEXED " LIMIT 500"
#define WINDOW_UNINDEXED " LIMIT 10000"
#define WINDOW_END (ATK_PAGE_SIZE_MAX + 1)	/* further down none is tried */
#define FEW 10000

/* The rows that are wanted: of all, or of one segment behind a position. */
typedef struct Slice
{
	bool		all;
	bool		nulls;
	const AtkPosition *behind;	/* NULL: from the segment's beginning */
	int64		offset;			/* rows to leave out */
	int			most;
} Slice;

/* All that match the conditions, if they are few. */
typedef struct Matches
{
	bool		sought;
	bool		few;
	int64		count;			/* if few */
	Datum		ids;			/* uuid[], if few */
} Matches;

static bool
is_filtered(const AtkPageRequest *request)
{
	return request->environment_id != NULL || request->body != NULL;
}

static bool
search_is_indexed(const AtkPageRequest *request)
{
	return request->body != NULL && atk_search_is_selective(request->body) &&
		atk_search_index_exists();
}

/* --- pieces of statements --- */

static void
add_realm(AtkStatement *statement, const AtkPageRequest *request,
		  const char *column)
{
	atk_statement_add(statement, " WHERE ");
	atk_statement_add(statement, column);
	atk_statement_add(statement, " OPERATOR(pg_catalog.=) ");
	atk_statement_bind(statement, TEXTOID, PointerGetDatum(request->realm));
}

/* Conditions on a token, which is called t. */
static void
add_filter(AtkStatement *statement, const AtkPageRequest *request)
{
	if (request->environment_id != NULL)
	{
		atk_statement_add(statement,
						  " AND t.environment_id OPERATOR(pg_catalog.=) ");
		atk_statement_bind(statement, TEXTOID,
						   PointerGetDatum(request->environment_id));
	}
	if (request->body != NULL)
		atk_search_add(statement, request->body, request->now);
}

/* The token, where there are conditions and another table gives the order. */
static void
add_token(AtkStatement *statement, const AtkPageRequest *request,
		  const char *join)
{
	if (is_filtered(request) && !request->order.sort->source->is_token)
		atk_statement_add(statement, join);
}

/* "SELECT id, key FROM " */
static void
begin_select(AtkStatement *statement, const AtkSort *sort)
{
	atk_statement_init(statement);
	atk_statement_add(statement, "SELECT ");
	atk_statement_add(statement, sort->source->id);
	atk_statement_add(statement, ", ");
	atk_statement_add(statement, sort->key ? sort->key : sort->source->id);
	atk_statement_add(statement, " FROM ");
}

static void
add_segment(AtkStatement *statement, const AtkPageRequest *request,
			const Slice *slice)
{
	if (!slice->all)
		atk_sort_add_segment(statement, request->order, slice->nulls,
							 slice->behind);
}

static void
add_limit(AtkStatement *statement, const Slice *slice)
{
	atk_statement_add(statement, " LIMIT ");
	atk_statement_bind(statement, INT8OID, Int64GetDatum(slice->most));
	atk_statement_add(statement, " OFFSET ");
	atk_statement_bind(statement, INT8OID, Int64GetDatum(slice->offset));
}

/* --- the ways to read --- */

/* In one statement; where conditions apply PostgreSQL weighs the ways. */
static SPITupleTable *
read_plainly(const AtkPageRequest *request, const Slice *slice)
{
	const AtkSortSource *source = request->order.sort->source;
	AtkStatement statement;

	begin_select(&statement, request->order.sort);
	atk_statement_add(&statement, source->from);
	add_token(&statement, request,
			  " JOIN apitoken._token t"
			  " ON t.id OPERATOR(pg_catalog.=) u.token_id");
	add_realm(&statement, request, source->realm);
	add_filter(&statement, request);
	add_segment(&statement, request, slice);
	atk_sort_add_order(&statement, request->order);
	if (slice->offset == 0 && !is_filtered(request))
	{
		atk_statement_add(&statement, LIMIT_MAX);
		return atk_statement_run(&statement, slice->most, true);
	}
	add_limit(&statement, slice);
	return atk_statement_run(&statement, 0, false);
}

/*
 * Those in the window.  OFFSET 0 has PostgreSQL fetch tokens one by one, not
 * join the window to all that match.
 */
static SPITupleTable *
read_window(const AtkPageRequest *request, const Slice *slice)
{
	const AtkSortSource *source = request->order.sort->source;
	AtkStatement statement;

	begin_select(&statement, request->order.sort);
	atk_statement_add(&statement, "(SELECT * FROM ");
	atk_statement_add(&statement, source->from);
	add_realm(&statement, request, source->realm);
	add_segment(&statement, request, slice);
	atk_sort_add_order(&statement, request->order);
	atk_statement_add(&statement, search_is_indexed(request)
					  ? WINDOW_INDEXED : WINDOW_UNINDEXED);
	atk_statement_add(&statement, ") ");
	atk_statement_add(&statement, source->alias);
	add_token(&statement, request,
			  " JOIN LATERAL (SELECT * FROM apitoken._token t"
			  " WHERE t.id OPERATOR(pg_catalog.=) u.token_id"
			  " OFFSET 0) t ON true");
	atk_statement_add(&statement, " WHERE true");
	add_filter(&statement, request);
	atk_sort_add_order(&statement, request->order);
	add_limit(&statement, slice);
	return atk_statement_run(&statement, 0, false);
}

/* Those found by id. */
static SPITupleTable *
read_matches(const AtkPageRequest *request, const Slice *slice,
			 const Matches *matches)
{
	const AtkSortSource *source = request->order.sort->source;
	AtkStatement statement;

	begin_select(&statement, request->order.sort);
	atk_statement_add(&statement, source->from);
	atk_statement_add(&statement, " WHERE ");
	atk_statement_add(&statement, source->id);
	atk_statement_add(&statement, " OPERATOR(pg_catalog.=) ANY (");
	atk_statement_bind(&statement, UUIDARRAYOID, matches->ids);
	atk_statement_add(&statement, ")");
	add_segment(&statement, request, slice);
	atk_sort_add_order(&statement, request->order);
	add_limit(&statement, slice);
	return atk_statement_run(&statement, 0, false);
}

static Datum
id_array(SPITupleTable *rows)
{
	Datum	   *ids = palloc(rows->numvals * sizeof(Datum));
	bool		isnull;

	for (uint64 i = 0; i < rows->numvals; i++)
		ids[i] = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);
	return PointerGetDatum(construct_array(ids, rows->numvals, UUIDOID,
										   UUID_LEN, false, TYPALIGN_CHAR));
}

static void
seek_matches(const AtkPageRequest *request, Matches *matches)
{
	AtkStatement statement;
	SPITupleTable *rows;

	if (matches->sought)
		return;
	atk_statement_init(&statement);
	atk_statement_add(&statement, "SELECT t.id FROM apitoken._token t");
	add_realm(&statement, request, "t.realm");
	add_filter(&statement, request);
	atk_statement_add(&statement, " LIMIT ");
	atk_statement_bind(&statement, INT8OID, Int64GetDatum(FEW + 1));
	rows = atk_statement_run(&statement, 0, false);

	matches->sought = true;
	matches->few = rows->numvals <= FEW;
	if (matches->few)
	{
		matches->count = rows->numvals;
		matches->ids = id_array(rows);
	}
	SPI_freetuptable(rows);
}

static SPITupleTable *
read_slice(const AtkPageRequest *request, const Slice *slice,
		   Matches *matches)
{
	SPITupleTable *rows;

	if (!is_filtered(request))
		return read_plainly(request, slice);
	if (!matches->sought && slice->offset + slice->most <= WINDOW_END)
	{
		rows = read_window(request, slice);
		if ((int) rows->numvals == slice->most)
			return rows;
	}
	seek_matches(request, matches);
	return matches->few ? read_matches(request, slice, matches)
		: read_plainly(request, slice);
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

static int64
count_total(const AtkPageRequest *request)
{
	AtkStatement statement;

	if (!is_filtered(request))
		return atk_token_count(request->realm, GetActiveSnapshot());
	atk_statement_init(&statement);
	atk_statement_add(&statement,
					  "SELECT pg_catalog.count(*) FROM apitoken._token t");
	add_realm(&statement, request, "t.realm");
	add_filter(&statement, request);
	return atk_statement_count(&statement);
}

static void
reverse(AtkPage *page)
{
	for (int i = 0, j = page->nrows - 1; i < j; i++, j--)
	{
		pg_uuid_t	id = page->ids[i];

		page->ids[i] = page->ids[j];
		page->ids[j] = id;
	}
}

/* Reads the same page in the opposite order, with so many rows left. */
static void
read_from_end(const AtkPageRequest *request, int64 left, AtkPage *page)
{
	const Slice slice = {
		.all = true,
		.offset = Max(left - request->size, 0),
		.most = Min(left, request->size)
	};
	AtkPageRequest opposite = *request;

	opposite.order.descending = !opposite.order.descending;
	take_rows(page, read_plainly(&opposite, &slice), request->size);
	reverse(page);
}

/* All tokens of the realm, from whichever end is nearer. */
static void
read_behind_offset(const AtkPageRequest *request, const Slice *slice,
				   AtkPage *page)
{
	int64		left;

	page->total = count_total(request);
	left = page->total - request->offset;
	if (left > request->offset)
		take_rows(page, read_plainly(request, slice), request->size);
	else if (left > 0)
		read_from_end(request, left, page);
}

static void
read_by_offset(const AtkPageRequest *request, AtkPage *page)
{
	const Slice slice = {
		.all = true, .offset = request->offset, .most = request->size
	};
	Matches		matches = {false};

	if (request->offset > 0 && !is_filtered(request))
	{
		read_behind_offset(request, &slice, page);
		return;
	}

	/* A page that is neither full nor empty ends at the last row. */
	take_rows(page, read_slice(request, &slice, &matches), request->size);
	if (matches.few)
		page->total = matches.count;
	else if (page->nrows > 0 && page->nrows < request->size)
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
			 const AtkPosition *behind, Matches *matches, AtkPage *page,
			 AtkPosition *position)
{
	int			room = request->size - page->nrows;
	const Slice slice = {.nulls = nulls, .behind = behind, .most = room + 1};
	SPITupleTable *rows = read_slice(request, &slice, matches);
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
	Matches		matches = {false};
	bool		more;

	make_context(request, &context);
	if (!begins)
	{
		read_cursor(request, &context, &position);
		nulls = position.key_is_null && order.sort->nullable;
	}

	more = take_segment(request, nulls, begins ? NULL : &position,
						&matches, page, &position);
	if (!more && order.sort->nullable &&
		nulls == atk_sort_nulls_come_first(order))
		more = take_segment(request, !nulls, NULL, &matches, page, &position);
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
