/*
 * sort.h
 *		The orders in which tokens can be listed.
 *
 * A sort has a key and, among equal keys, the id, both in the same direction,
 * and an index on (realm, key, id) that serves it forwards and backwards.  A
 * key that can be null has its nulls at one end:
 *
 *		expires_at		null is "never", so the latest of all
 *		last_used_at	null is "never used", so the earliest of all
 *
 * A walk by keyset therefore passes through one or two segments, rows with a
 * key and rows without, and within a segment goes on behind (key, id).
 */
#ifndef ATK_SORT_H
#define ATK_SORT_H

#include "cursor.h"
#include "statement.h"

/* The table whose index gives the order. */
typedef struct AtkSortSource
{
	const char *from;
	const char *realm;
	const char *id;
	const char *alias;			/* t for _token, u for _usage */
	bool		is_token;
} AtkSortSource;

typedef struct AtkSort
{
	const char *field;			/* as the document names it */
	const AtkSortSource *source;
	const char *key;			/* SQL expression; NULL: the id is the key */
	Oid			type;			/* of the key */
	bool		nullable;
	bool		nulls_first;	/* in ascending order */
} AtkSort;

/* The order of one call. */
typedef struct AtkOrder
{
	const AtkSort *sort;
	bool		descending;
} AtkOrder;

/* Sorts of the two documents, a NULL field behind the last. */
extern const AtkSort atk_list_sorts[];
extern const AtkSort atk_query_sorts[];

/* NULL if there is no such field. */
extern const AtkSort *atk_sort_find(const AtkSort *sorts, const char *field);

/* "a", "b": the fields that there are, for a hint */
extern char *atk_sort_names(const AtkSort *sorts);

/* Appends " ORDER BY ..." */
extern void atk_sort_add_order(AtkStatement *statement, AtkOrder order);

/* Are the rows without a key the first segment? */
extern bool atk_sort_nulls_come_first(AtkOrder order);

/* Appends " AND ...": the rows of one segment behind a position, if any. */
extern void atk_sort_add_segment(AtkStatement *statement, AtkOrder order,
								 bool nulls, const AtkPosition *behind);

/* The bytes of a key, for a cursor, and back; false if it cannot be one. */
extern void atk_sort_key_bytes(const AtkSort *sort, Datum key, bool isnull,
							   AtkPosition *position);
extern bool atk_sort_key_valid(const AtkSort *sort,
							   const AtkPosition *position);

#endif							/* ATK_SORT_H */
