/*
 * query.c
 *		Listing and searching the tokens of a realm; see query.h.
 *
 * What the two documents share, and each one's frame around the page.
 */
#include "postgres.h"
#include "compat.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "page.h"
#include "query.h"
#include "represent.h"
#include "search.h"
#include "session.h"

#define DEFAULT_PAGE_SIZE 10

/* --- arguments --- */

pg_noreturn static void
raise_argument(const char *argument, const char *fault, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s %s", argument, fault),
			 errhint("%s", hint)));
}

static const AtkSort *
read_sort(const AtkSort *sorts, const char *field, const char *argument)
{
	const AtkSort *sort = atk_sort_find(sorts, field);

	if (sort == NULL)
		raise_argument(argument, "is no field that tokens are sorted by",
					   psprintf("Allowed values are %s.",
								atk_sort_names(sorts)));
	return sort;
}

static bool
read_descending(const char *direction, bool any_case, const char *argument)
{
	bool		descending = strcmp(direction, "desc") == 0 ||
		(any_case && pg_strcasecmp(direction, "desc") == 0);

	if (!descending && strcmp(direction, "asc") != 0 &&
		!(any_case && pg_strcasecmp(direction, "asc") == 0))
		raise_argument(argument, "is neither \"asc\" nor \"desc\"",
					   "Allowed values are \"asc\", \"desc\".");
	return descending;
}

static int
read_page_size(const int32 *size)
{
	if (size == NULL)
		return DEFAULT_PAGE_SIZE;
	if (*size < 1 || *size > ATK_PAGE_SIZE_MAX)
		raise_argument("page_size", "is out of range",
					   "Allowed values are 1 to 1000.");
	return *size;
}

/* The number of a page, or of a row, from 0. */
static int64
read_place(const int64 *place, const text *cursor, const char *argument)
{
	if (place == NULL)
		return 0;
	if (*place < 0)
		raise_argument(argument, "is negative", "It counts from 0.");
	if (*place > 0 && cursor != NULL)
		raise_argument(argument, "cannot be given together with cursor",
					   "A cursor says by itself where its page begins.");
	return *place;
}

/* --- what both have --- */

static void
push_rows(AtkJson *json, const AtkPageRequest *request, const AtkPage *page,
		  AtkShape shape)
{
	AtkSubjectReader reader;
	AtkSubject	subject;

	atk_subject_reader_begin(&reader, GetActiveSnapshot(), request->now);
	atk_json_begin_array(json);
	for (int i = 0; i < page->nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (atk_subject_read(&reader, &page->ids[i], &subject))
			atk_represent(json, shape, &subject);
	}
	atk_json_end_array(json);
	atk_subject_reader_end(&reader);
}

/* Only a walk has a next_cursor: the document knows no such key. */
static void
push_next_cursor(AtkJson *json, const AtkPageRequest *request,
				 const AtkPage *page)
{
	if (request->cursor != NULL)
		atk_json_text_member(json, "next_cursor", page->next_cursor);
}

/* --- List API tokens --- */

static void
push_list_page(AtkJson *json, const AtkPageRequest *request,
			   const AtkPage *page)
{
	int64		offset = request->offset;
	int			size = request->size;
	int64		pages = page->total / size + (page->total % size != 0);
	bool		any = page->nrows > 0;

	atk_json_integer_member(json, "item_count", page->total);
	atk_json_integer_member(json, "item_start", any ? offset + 1 : 0);
	atk_json_integer_member(json, "item_end", any ? offset + page->nrows : 0);
	atk_json_integer_member(json, "page_count", pages);
	atk_json_integer_member(json, "page_index", offset / size + 1);
	atk_json_integer_member(json, "page_offset", offset);
	if (offset < page->total - size)
		atk_json_integer_member(json, "next_page_offset", offset + size);
	else
		atk_json_null_member(json, "next_page_offset");
	if (offset > 0)
		atk_json_integer_member(json, "previous_page_offset",
								Max(offset - size, 0));
	else
		atk_json_null_member(json, "previous_page_offset");
}

static void
push_list_pagination(AtkJson *json, const AtkPageRequest *request,
					 const AtkPage *page)
{
	static const char *const unknown[] = {
		"item_count", "item_start", "item_end", "page_count", "page_index",
		"page_offset", "next_page_offset", "previous_page_offset"
	};

	atk_json_key(json, "pagination");
	atk_json_begin_object(json);
	if (request->cursor == NULL)
		push_list_page(json, request, page);
	else
	{
		for (int i = 0; i < (int) lengthof(unknown); i++)
			atk_json_null_member(json, unknown[i]);
	}
	atk_json_integer_member(json, "page_size", request->size);
	atk_json_end_object(json);
}

static void
push_list_sorting(AtkJson *json, AtkOrder order)
{
	atk_json_key(json, "sorting");
	atk_json_begin_object(json);
	atk_json_text_member(json, "field", order.sort->field);
	atk_json_text_member(json, "direction",
						 order.descending ? "desc" : "asc");
	atk_json_end_object(json);
}

static AtkPageRequest
read_list(const AtkListArguments *arguments)
{
	AtkPageRequest request = {
		.realm = atk_session_enter(ATK_RIGHT_READ, arguments->account_id),
		.environment_id = arguments->environment_id,
		.cursor = arguments->cursor,
		.now = GetCurrentTimestamp(),
	};

	if (request.realm == NULL)
		raise_argument("account_id", "must be given",
					   "It is the id of a realm.");
	request.order.sort = read_sort(atk_list_sorts,
								   arguments->sort_field
								   ? arguments->sort_field : "id",
								   "sort_field");
	request.order.descending =
		read_descending(arguments->sort_direction
						? arguments->sort_direction : "asc",
						false, "sort_direction");
	request.size = read_page_size(arguments->page_size);
	request.offset = read_place(arguments->page_offset, request.cursor,
								"page_offset");
	if (request.offset > PG_INT64_MAX - request.size)
		raise_argument("page_offset", "is too large",
					   "page_offset plus page_size must fit into a bigint.");
	return request;
}

Jsonb *
atk_list(const AtkListArguments *arguments)
{
	AtkPageRequest request = read_list(arguments);
	AtkPage		page;
	AtkJson		json = {NULL};

	atk_page_read(&request, &page);

	atk_json_begin_object(&json);
	atk_json_text_member(&json, "status", "success");
	push_list_pagination(&json, &request, &page);
	push_list_sorting(&json, request.order);
	atk_json_key(&json, "summaries");
	push_rows(&json, &request, &page, ATK_SHAPE_SUMMARY);
	push_next_cursor(&json, &request, &page);
	atk_json_end_object(&json);
	return atk_json_finish(&json);
}

/* --- Query API Tokens --- */

static void
push_page_info(AtkJson *json, const AtkPageRequest *request,
			   const AtkPage *page)
{
	atk_json_key(json, "pageInfo");
	atk_json_begin_object(json);
	if (request->cursor == NULL)
	{
		atk_json_integer_member(json, "totalCount", page->total);
		atk_json_integer_member(json, "page", request->offset / request->size);
	}
	else
	{
		atk_json_null_member(json, "totalCount");
		atk_json_null_member(json, "page");
	}
	atk_json_integer_member(json, "pageSize", request->size);
	atk_json_text_member(json, "sortBy", request->order.sort->field);
	atk_json_text_member(json, "sortOrder",
						 request->order.descending ? "desc" : "asc");
	atk_json_end_object(json);
}

/* href is a relative query string; a cursor's characters need no escapes. */
static void
push_link(AtkJson *json, const AtkPageRequest *request, const char *rel,
		  const char *place)
{
	atk_json_begin_object(json);
	atk_json_text_member(json, "rel", rel);
	atk_json_text_member(json, "href",
						 psprintf("?%s&pageSize=%d&sortBy=%s&sortOrder=%s",
								  place, request->size,
								  request->order.sort->field,
								  request->order.descending ? "desc" : "asc"));
	atk_json_end_object(json);
}

static void
push_page_link(AtkJson *json, const AtkPageRequest *request,
			   const char *rel, int64 page)
{
	push_link(json, request, rel,
			  psprintf("page=" INT64_FORMAT, page));
}

/* A page past the end has the last one before it. */
static void
push_page_links(AtkJson *json, const AtkPageRequest *request,
				const AtkPage *page)
{
	int64		here = request->offset / request->size;
	int64		last = page->total > 0 ? (page->total - 1) / request->size : 0;

	push_page_link(json, request, "self", here);
	push_page_link(json, request, "first", 0);
	if (here > 0)
		push_page_link(json, request, "prev", Min(here - 1, last));
	if (here < last)
		push_page_link(json, request, "next", here + 1);
	push_page_link(json, request, "last", last);
}

static void
push_cursor_links(AtkJson *json, const AtkPageRequest *request,
				  const AtkPage *page)
{
	push_link(json, request, "self",
			  psprintf("cursor=%.*s",
					   (int) VARSIZE_ANY_EXHDR(request->cursor),
					   VARDATA_ANY(request->cursor)));
	push_link(json, request, "first", "cursor=");
	if (page->next_cursor != NULL)
		push_link(json, request, "next",
				  psprintf("cursor=%s", page->next_cursor));
}

static AtkPageRequest
read_query(const AtkQueryArguments *arguments)
{
	AtkPageRequest request = {
		.realm = atk_session_enter(ATK_RIGHT_READ, arguments->realm),
		.cursor = arguments->cursor,
		.body = arguments->body,
		.now = GetCurrentTimestamp(),
	};

	if (request.realm == NULL)
		raise_argument("realm", "must be given", "It is the id of a realm.");
	request.order.sort = read_sort(atk_query_sorts,
								   arguments->sort_by
								   ? arguments->sort_by : "creationDate",
								   "sort_by");
	request.order.descending =
		read_descending(arguments->sort_order
						? arguments->sort_order : "desc",
						true, "sort_order");
	request.size = read_page_size(arguments->page_size);
	if (pg_mul_s64_overflow(read_place(arguments->page, request.cursor,
									   "page"),
							request.size, &request.offset))
		raise_argument("page", "is too large",
					   "page times page_size must fit into a bigint.");
	if (request.body != NULL)
		atk_search_check(request.body);
	if (request.body != NULL && atk_search_is_empty(request.body))
		request.body = NULL;
	return request;
}

Jsonb *
atk_query(const AtkQueryArguments *arguments)
{
	AtkPageRequest request = read_query(arguments);
	AtkPage		page;
	AtkJson		json = {NULL};

	atk_page_read(&request, &page);

	atk_json_begin_object(&json);
	push_page_info(&json, &request, &page);
	atk_json_key(&json, "apiTokens");
	push_rows(&json, &request, &page, ATK_SHAPE_ENTRY);
	atk_json_key(&json, "links");
	atk_json_begin_array(&json);
	if (request.cursor == NULL)
		push_page_links(&json, &request, &page);
	else
		push_cursor_links(&json, &request, &page);
	atk_json_end_array(&json);
	push_next_cursor(&json, &request, &page);
	atk_json_end_object(&json);
	return atk_json_finish(&json);
}
