/*
 * canon.h
 *		Values as bytes that are the same in every database.
 *
 * What is digested must read the same after a dump and restore, also into a
 * database of another encoding.  So text is taken in UTF-8, members of a JSON
 * object in the order of their keys' UTF-8 bytes (their order in jsonb depends
 * on the encoding), numbers and times in big-endian order.  Each value begins
 * with its kind and its length, so that no two rows run into the same bytes.
 *
 * Text that has no counterpart in UTF-8, and all text of a database whose
 * encoding is SQL_ASCII, is taken as it is.
 */
#ifndef ATK_CANON_H
#define ATK_CANON_H

#include <sodium.h>

#include "datatype/timestamp.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "digest.h"

typedef crypto_generichash_state AtkCanon;

/* purpose is a literal: bytes for one are never bytes for another. */
extern void atk_canon_begin(AtkCanon *canon, const char *purpose,
							const uint8 *key, size_t key_len);
extern void atk_canon_null(AtkCanon *canon);
extern void atk_canon_int64(AtkCanon *canon, int64 value);
extern void atk_canon_bytes(AtkCanon *canon, const void *bytes, size_t len);
extern void atk_canon_text(AtkCanon *canon, const text *value);
extern void atk_canon_inet(AtkCanon *canon, const inet *value);
extern void atk_canon_jsonb(AtkCanon *canon, Jsonb *value);
extern void atk_canon_end(AtkCanon *canon, AtkDigest *digest);

#endif							/* ATK_CANON_H */
