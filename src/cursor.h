/*
 * cursor.h
 *		Where a walk through pages stands, as an opaque text.
 *
 * A position is the sort key and the id of the last row shown.  The text is
 * URL-safe base64 of
 *
 *		version (1)  null or value (1)  id (16)  key (rest)  check (16)
 *
 * where the check is a BLAKE2b over all before it and over a context: what
 * realm, filter and sort the walk is of.  So a cursor that is damaged, or
 * used with another filter or sort, is told apart from a good one.  It is no
 * secret and needs no key: a forged one reaches nothing but another position
 * of the same walk.
 */
#ifndef ATK_CURSOR_H
#define ATK_CURSOR_H

#include "lib/stringinfo.h"

#include "token_text.h"

typedef struct AtkPosition
{
	uint8		id[ATK_ID_LEN];
	bool		key_is_null;
	const char *key;			/* not terminated; of the key's type */
	int			key_len;
} AtkPosition;

extern char *atk_cursor_write(const AtkPosition *position,
							  const StringInfoData *context);

/* False if the text is no cursor of this context; key is palloc'd. */
extern bool atk_cursor_read(const char *text, int len,
							const StringInfoData *context,
							AtkPosition *position);

#endif							/* ATK_CURSOR_H */
