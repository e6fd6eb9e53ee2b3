/*
 * query.h
 *		Listing and searching the tokens of a realm, as published APIs do.
 */
#ifndef ATK_QUERY_H
#define ATK_QUERY_H

#include "utils/jsonb.h"

/*
 * "List API tokens".  A NULL is the document's default; for the realm, here and
 * below, that of the current token, which it must be if there is one.
 */
typedef struct AtkListArguments
{
	const text *account_id;
	const char *sort_field;
	const char *sort_direction;
	const int64 *page_offset;
	const int32 *page_size;
	const text *environment_id;
	const text *cursor;
} AtkListArguments;

/* "Query API Tokens" */
typedef struct AtkQueryArguments
{
	const text *realm;
	const int64 *page;
	const int32 *page_size;
	const char *sort_by;
	const char *sort_order;
	Jsonb	   *body;
	const text *cursor;
} AtkQueryArguments;

/* Raise 22023 with the name of the argument, or the path in the body. */
extern Jsonb *atk_list(const AtkListArguments *arguments);
extern Jsonb *atk_query(const AtkQueryArguments *arguments);

#endif							/* ATK_QUERY_H */
