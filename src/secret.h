/*
 * secret.h
 *		Wiping what held a secret.
 *
 * An argument that was compressed, stored out of line or has a short header
 * is read through a copy of our own, which must not stay behind in freed
 * memory.  The argument itself belongs to the caller.
 */
#ifndef ATK_SECRET_H
#define ATK_SECRET_H

#include <sodium.h>

/* value is what PG_DETOAST_DATUM_PACKED() made of the argument. */
static inline void
atk_wipe_copy(const void *value, Datum argument)
{
	if ((const char *) value != DatumGetPointer(argument))
		sodium_memzero(unconstify(void *, value), VARSIZE_ANY(value));
}

#endif							/* ATK_SECRET_H */
