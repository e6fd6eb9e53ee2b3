/*
 * search_index.h
 *		The index that serves LIKE searches, of contrib's pg_trgm.
 *
 * It is not made by CREATE EXTENSION, which would need pg_trgm everywhere.
 * It is no part of the extension either, so a restore does not bring it back:
 * it is made again then.
 */
#ifndef ATK_SEARCH_INDEX_H
#define ATK_SEARCH_INDEX_H

/* Is there a valid one? */
extern bool atk_search_index_exists(void);

/*
 * Makes pg_trgm and the index, as the current user, who must be allowed to;
 * locks the token table against change meanwhile.  False if all was there.
 */
extern bool atk_search_index_create(void);

#endif							/* ATK_SEARCH_INDEX_H */
