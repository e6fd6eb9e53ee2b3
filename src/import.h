/*
 * import.h
 *		Taking over tokens that were made elsewhere.
 *
 * From their text or from their SHA-256 alone.  The same token again in the
 * same realm is a no-op that answers its id, whatever else is asked for and
 * whatever has become of it.
 */
#ifndef ATK_IMPORT_H
#define ATK_IMPORT_H

#include "utils/uuid.h"

#include "draft.h"

/* The foreign token; exactly one of the first two is given, others may be. */
typedef struct AtkForeign
{
	const text *token;
	const bytea *sha256;
	const text *public_id;
	const text *last_chars;
	const TimestampTz *created_at;
} AtkForeign;

/*
 * Errors beside those of draft.h and atk_realm_require(): 22023 for a token
 * that cannot be one, 23505 for one that belongs to another realm, was
 * rotated away, or claims the public id of another.
 */
extern pg_uuid_t atk_import(AtkDraft *draft, const AtkExpiry *expiry,
							const AtkForeign *foreign);

#endif							/* ATK_IMPORT_H */
