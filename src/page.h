/*
 * page.h
 *		One page of the tokens of a realm: which, in what order, how many.
 *
 * By offset, with the exact total; or by cursor, at a cost that does not
 * depend on how deep the page is, and without it.  A walk by cursor shows
 * each token exactly once that was there throughout and whose sort key did
 * not change, whatever is issued or deleted meanwhile.
 */
#ifndef ATK_PAGE_H
#define ATK_PAGE_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "sort.h"

#define ATK_PAGE_SIZE_MAX 1000

typedef struct AtkPageRequest
{
	const text *realm;
	const text *environment_id; /* NULL: any */
	Jsonb	   *body;			/* checked; NULL: no conditions */
	TimestampTz now;			/* when tokens shall be active or expired */
	AtkOrder	order;
	int			size;			/* 1 to ATK_PAGE_SIZE_MAX */
	int64		offset;			/* rows before the page, without a cursor */
	const text *cursor;			/* NULL: by offset; empty: a walk begins */
} AtkPageRequest;

typedef struct AtkPage
{
	int			nrows;
	pg_uuid_t  *ids;
	int64		total;			/* by offset only */
	char	   *next_cursor;	/* by cursor only; NULL at the end */
} AtkPage;

/*
 * Reads what the calling statement sees.  Raises 22023 for a cursor that is
 * malformed or belongs to another walk.
 */
extern void atk_page_read(const AtkPageRequest *request, AtkPage *page);

#endif							/* ATK_PAGE_H */
