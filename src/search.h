/*
 * search.h
 *		The conditions of "Query API Tokens": search terms and filters.
 *
 *		{"searchTerms": {"allOf": [condition...], "anyOf": [condition...]},
 *		 "filters": {"tokenType": [...], "tokenStatus": [...]}}
 *
 * A condition is {field, operator, terms[]}; several terms mean any of them.
 * Groups and filters are all to hold; an empty group is no condition.
 */
#ifndef ATK_SEARCH_H
#define ATK_SEARCH_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "statement.h"

/* Raises 22023 with the path of what is wrong. */
extern void atk_search_check(Jsonb *body);

/* Has a checked body no condition at all? */
extern bool atk_search_is_empty(Jsonb *body);

/*
 * Appends " AND ..." for a checked body.  Status is that of the moment now.
 */
extern void atk_search_add(AtkStatement *statement, Jsonb *body,
						   TimestampTz now);

/*
 * Can an index on trigrams find the rows?  That is where some condition that
 * must hold is made of terms with three letters or digits in a row.
 */
extern bool atk_search_is_selective(Jsonb *body);

#endif							/* ATK_SEARCH_H */
