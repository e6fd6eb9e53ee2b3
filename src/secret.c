/*
 * secret.c
 *		Wiping what held a secret, whatever happens; see secret.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/memutils.h"

#include "secret.h"

/* Lives in the same context as what it wipes. */
typedef struct Wiping
{
	MemoryContextCallback callback;
	void	   *memory;
	size_t		len;
} Wiping;

static void
wipe(void *arg)
{
	Wiping	   *wiping = arg;

	sodium_memzero(wiping->memory, wiping->len);
}

/* The callback first: without room for it there is no secret yet. */
static Wiping *
prepare_wiping(void)
{
	Wiping	   *wiping = palloc0(sizeof(Wiping));

	wiping->callback.func = wipe;
	wiping->callback.arg = wiping;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &wiping->callback);
	return wiping;
}

void *
atk_secret_alloc(size_t len)
{
	Wiping	   *wiping = prepare_wiping();

	wiping->memory = palloc(len);
	wiping->len = len;
	return wiping->memory;
}

static struct varlena *
wipe_copy_later(Wiping *wiping, struct varlena *value, Datum argument)
{
	if ((Pointer) value != DatumGetPointer(argument))
	{
		wiping->memory = value;
		wiping->len = VARSIZE_ANY(value);
	}
	return value;
}

struct varlena *
atk_secret_argument(Datum argument)
{
	Wiping	   *wiping = prepare_wiping();

	return wipe_copy_later(wiping, PG_DETOAST_DATUM_PACKED(argument), argument);
}

ArrayType *
atk_secret_array(Datum argument)
{
	Wiping	   *wiping = prepare_wiping();

	return (ArrayType *)
		wipe_copy_later(wiping, PG_DETOAST_DATUM(argument), argument);
}
