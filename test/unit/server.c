/*
 * server.c
 *		Stands in for the server, as far as the pure sources ask for one.
 *
 * palloc() is malloc(), each piece by itself, so that a sanitizer sees every
 * byte read or written beyond its end; stub_reset() frees what is left, as the
 * reset of the one memory context, which calls back who asked for it.
 * ereport() remembers what was raised and jumps to where TRAP() waits.
 */
#include "postgres.h"
#include "compat.h"

/* Ours are those of the C library: nothing of libpgport is linked. */
#undef vsnprintf
#undef fprintf
#undef qsort

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "unit.h"

/* --- memory --- */

static void **pieces;
static size_t n_pieces;
static size_t room;

static void *
keep(void *piece)
{
	if (n_pieces == room)
		pieces = realloc(pieces, (room = room * 2 + 64) * sizeof(void *));
	if (piece == NULL || pieces == NULL)
		abort();
	return pieces[n_pieces++] = piece;
}

/* What was allocated last is what is mostly looked for. */
static void **
find_piece(void *piece)
{
	for (size_t i = n_pieces; i-- > 0;)
	{
		if (pieces[i] == piece)
			return &pieces[i];
	}
	abort();					/* not palloc'd, or freed already */
}

/* What is watched, and in how many pieces it was when they were given back. */
static const void *watched;
static size_t watched_len;
static int	seen;

void
stub_watch(const void *bytes, size_t len)
{
	watched = bytes;
	watched_len = len;
	seen = 0;
}

int
stub_seen(void)
{
	return seen;
}

static void
give_back(void *piece)
{
	if (watched != NULL &&
		memmem(piece, malloc_usable_size(piece), watched, watched_len) != NULL)
		seen++;
	free(piece);
}

MemoryContext CurrentMemoryContext;
static MemoryContextCallback *callbacks;

void
MemoryContextRegisterResetCallback(MemoryContext context,
								   MemoryContextCallback *callback)
{
	callback->next = callbacks;
	callbacks = callback;
}

/* All are called before anything is freed. */
void
stub_reset(void)
{
	for (; callbacks != NULL; callbacks = callbacks->next)
		callbacks->func(callbacks->arg);
	while (n_pieces > 0)
		give_back(pieces[--n_pieces]);
}

void *
palloc(Size size)
{
	return keep(malloc(size));
}

void *
palloc0(Size size)
{
	return keep(calloc(1, size));
}

void *
palloc_extended(Size size, int flags)
{
	return palloc(size);
}

void *
repalloc(void *pointer, Size size)
{
	void	  **place = find_piece(pointer);

	return *place = realloc(pointer, size);
}

void *
repalloc_huge(void *pointer, Size size)
{
	return repalloc(pointer, size);
}

void
pfree(void *pointer)
{
	void	  **place = find_piece(pointer);

	*place = pieces[--n_pieces];
	give_back(pointer);
}

/* --- errors --- */

Raised		last_error;
bool		error_raised;
bool		error_trapped;
sigjmp_buf	error_jump;

bool
errstart(int elevel, const char *domain)
{
	memset(&last_error, 0, sizeof(last_error));
	strcpy(last_error.sqlstate, "XX000");
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	error_raised = true;
	if (!error_trapped)
	{
		fprintf(stderr, "%s:%d: %s: %s\n", filename, lineno,
				last_error.sqlstate, last_error.message);
		abort();
	}
	siglongjmp(error_jump, 1);
}

/*
 * Soft errors exist from 16 on; declared here for those before.  Without a
 * context they are hard ones, and a context is never given here.
 */
extern bool errsave_start(struct Node *context, const char *domain);
extern void errsave_finish(struct Node *context, const char *filename,
						   int lineno, const char *funcname);

bool
errsave_start(struct Node *context, const char *domain)
{
	return errstart(ERROR, domain);
}

void
errsave_finish(struct Node *context, const char *filename, int lineno,
			   const char *funcname)
{
	errfinish(filename, lineno, funcname);
}

int
errcode(int sqlerrcode)
{
	for (int i = 0; i < 5; i++, sqlerrcode >>= 6)
		last_error.sqlstate[i] = PGUNSIXBIT(sqlerrcode);
	return 0;
}

int
errmsg(const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(last_error.message, sizeof(last_error.message), fmt, args);
	va_end(args);
	return 0;
}

int
errmsg_internal(const char *fmt,...)
{
	return 0;
}

int
errdetail(const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(last_error.detail, sizeof(last_error.detail), fmt, args);
	va_end(args);
	return 0;
}

int
errhint(const char *fmt,...)
{
	return 0;
}

/* --- the rest --- */

volatile sig_atomic_t InterruptPending = true;
long		interrupts_checked;

void
ProcessInterrupts(void)
{
	interrupts_checked++;
}

void
pg_qsort(void *base, size_t n, size_t size, int (*compare) (const void *, const void *))
{
	qsort(base, n, size, compare);
}

static XactCallback callback;
int			stub_callbacks;

void
RegisterXactCallback(XactCallback given, void *arg)
{
	callback = given;
	stub_callbacks++;
}

void
stub_end(XactEvent event)
{
	callback(event, NULL);
}

/* A short header becomes a long one.  Nothing is compressed or out of line. */
struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	return VARATT_IS_SHORT(datum) ? (struct varlena *)
		cstring_to_text_with_len(VARDATA_SHORT(datum),
								 VARSIZE_SHORT(datum) - VARHDRSZ_SHORT) : datum;
}

struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	return datum;
}

text *
cstring_to_text_with_len(const char *s, int len)
{
	text	   *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	memcpy(VARDATA(result), s, len);
	return result;
}

void
deconstruct_array(ArrayType *array, Oid elmtype, int elmlen, bool elmbyval,
				  char elmalign, Datum **elemsp, bool **nullsp, int *nelemsp)
{
	StubArray  *ours = (StubArray *) array;

	*elemsp = ours->elements;
	*nullsp = ours->nulls;
	*nelemsp = ours->n;
}

/*
 * The table behind the server's traditional CRC-32, which is in the backend
 * alone.  Made from the polynomial; known_answers.c holds it against the
 * published check value.
 */
extern uint32 pg_crc32_table[256];
uint32		pg_crc32_table[256];

__attribute__((constructor))
static void
make_crc_table(void)
{
	for (uint32 i = 0; i < 256; i++)
	{
		uint32		crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
		pg_crc32_table[i] = crc;
	}
}

/*
 * A sanitizer's own options: leaks are none of our business, memory goes when
 * the program ends.
 */
extern PGDLLEXPORT const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
