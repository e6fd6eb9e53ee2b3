/*
 * secret.h
 *		Wiping what held a secret, whatever happens.
 *
 * An argument that was compressed, stored out of line or has a short header
 * is read through a copy of our own, which must not stay behind in freed
 * memory.  The argument itself belongs to the caller.
 *
 * Memory that holds a secret while something can raise is had from here: it
 * is wiped when its memory context is reset or deleted, which an error leads
 * to as well.  Who is finished with it earlier wipes it then.  Local
 * variables, which no context knows, hold secrets only where nothing can
 * raise before they are wiped; so do the copies that a verification makes,
 * for which a callback would be more work than the digest.
 */
#ifndef ATK_SECRET_H
#define ATK_SECRET_H

#include <sodium.h>

#include "utils/array.h"

/* palloc'd */
extern void *atk_secret_alloc(size_t len);

/* The argument, or a copy of it that is wiped with the current context. */
extern struct varlena *atk_secret_argument(Datum argument);
extern ArrayType *atk_secret_array(Datum argument);

/* value is what was made of the argument: atk_secret_argument(), ..._PP(). */
static inline void
atk_wipe_copy(const void *value, Datum argument)
{
	if ((const char *) value != DatumGetPointer(argument))
		sodium_memzero(unconstify(void *, value), VARSIZE_ANY(value));
}

#endif							/* ATK_SECRET_H */
