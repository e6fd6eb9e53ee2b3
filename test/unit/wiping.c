/*
 * wiping.c
 *		Memory of ours that held a secret does not hold it any more when it is
 *		given back: on the heap where something raises, on the stack when a
 *		function has returned.
 */
#include "postgres.h"
#include "compat.h"

#include "secret.h"
#include "token_text.h"
#include "unit.h"

#define SECRET "CANARY-CANARY-CANARY-CANARY"

static void
raise_error(void)
{
	ereport(ERROR, (errmsg("raised")));
}

/* --- the heap --- */

/* A text with a short header, as it comes out of a row: to read it is to copy. */
static Datum
short_text(void)
{
	char	   *value = palloc(VARHDRSZ_SHORT + strlen(SECRET));

	SET_VARSIZE_SHORT(value, VARHDRSZ_SHORT + strlen(SECRET));
	memcpy(VARDATA_SHORT(value), SECRET, strlen(SECRET));
	return PointerGetDatum(value);
}

/* The caller's own, which is not ours to wipe, is given back in any case. */
static int
copies_left(void (*use) (void))
{
	stub_reset();
	stub_watch(SECRET, strlen(SECRET));
	TRAP(use());
	stub_reset();
	return stub_seen();
}

static void
forget_nothing(void)
{
	memcpy(palloc(64), SECRET, sizeof(SECRET));
	raise_error();
}

static void
alloc_and_raise(void)
{
	memcpy(atk_secret_alloc(64), SECRET, sizeof(SECRET));
	raise_error();
}

/* Not in the way of who is finished with it earlier. */
static void
alloc_and_free(void)
{
	char	   *memory = atk_secret_alloc(64);

	memcpy(memory, SECRET, sizeof(SECRET));
	sodium_memzero(memory, 64);
}

static void
copy_and_raise(void)
{
	(void) atk_secret_array(short_text());
	raise_error();
}

static void
copy_nothing(void)
{
	(void) atk_secret_argument(short_text());
	raise_error();
}

static void
copy_and_wipe(void)
{
	Datum		argument = short_text();

	atk_wipe_copy(PG_DETOAST_DATUM(argument), argument);
}

static void
wipe_no_copy(void)
{
	Datum		argument = short_text();

	atk_wipe_copy(DatumGetPointer(argument), argument);
}

static void
test_heap(void)
{
	ok(copies_left(forget_nothing) == 1 && error_raised,
	   "what is not wiped is found");
	ok(copies_left(alloc_and_raise) == 0 && error_raised,
	   "secret memory is wiped where something raises");
	ok(copies_left(alloc_and_free) == 0, "... and may have been before");
	ok(copies_left(copy_and_raise) == 1 && error_raised,
	   "of an argument that was copied the caller's is left");
	ok(copies_left(copy_nothing) == 1 && error_raised,
	   "... and so it is where there was no copy");
	ok(copies_left(copy_and_wipe) == 1, "a copy is wiped");
	ok(copies_left(wipe_no_copy) == 1, "... the caller's is not");
}

/* --- the stack --- */

#define DEEP	(32 * 1024)

static uint8 looked_for[16];

/*
 * Below the frame of whoever calls is what functions left that have returned.
 * A sanitizer would not have us look there, and memmem() must not leave
 * anything itself.
 */
#if defined(__has_attribute) && __has_attribute(no_sanitize_address)
#define UNCHECKED __attribute__((noinline, no_sanitize_address))
#else
#define UNCHECKED __attribute__((noinline))
#endif

UNCHECKED static bool
is_left_on_stack(void)
{
	const volatile uint8 *top = __builtin_frame_address(0);

	for (const volatile uint8 *at = top - DEEP; at < top - sizeof(looked_for); at++)
	{
		size_t		same = 0;

		while (same < sizeof(looked_for) && at[same] == looked_for[same])
			same++;
		if (same == sizeof(looked_for))
			return true;
	}
	return false;
}

/* The stack as nobody left it. */
UNCHECKED static void
clear_stack(void)
{
	volatile uint8 room[DEEP];

	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = 0;
}

UNCHECKED static void
leave_on_stack(void)
{
	volatile uint8 copy[sizeof(looked_for)];

	for (size_t i = 0; i < sizeof(copy); i++)
		copy[i] = looked_for[i];
}

/* The first bytes of base32: five bits a letter or digit. */
static void
decode(const char *letters, uint8 *bytes, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32		bits = 0;
	int			n = 0;

	while (len > 0)
	{
		bits = bits << 5 | (uint32) (strchr(alphabet, *letters++) - alphabet);
		n += 5;
		if (n < 8)
			continue;
		n -= 8;
		*bytes++ = (uint8) (bits >> n);
		len--;
	}
}

static void
test_stack(void)
{
	uint8		id[16];
	char		text[200];
	size_t		len;
	AtkTextParts parts;
	bool		left;
	bool		agrees;

	atk_id_generate(1700000000000, id);
	clear_stack();
	len = atk_text_generate("acme", 4, id, text);
	decode(text + len - ATK_SECRET_LEN, looked_for, sizeof(looked_for));
	left = is_left_on_stack();
	ok(!left, "a new secret is not left on the stack");

	ok(atk_text_parse(text, len, &parts), "it is a token's text");
	clear_stack();
	agrees = atk_text_check(&parts);
	left = is_left_on_stack();
	ok(agrees && !left, "nor one whose check sum is right");

	text[len - 1] = text[len - 1] == 'A' ? 'B' : 'A';
	clear_stack();
	agrees = atk_text_check(&parts);
	left = is_left_on_stack();
	ok(!agrees && !left, "nor one whose check sum is wrong");

	clear_stack();
	leave_on_stack();
	left = is_left_on_stack();
	ok(left, "what is left there is found");
}

int
main(void)
{
	unit_begin();
	test_heap();
	test_stack();
	return unit_end();
}
