/*
 * unit.c
 *		TAP and random data for the unit tests; see unit.h.
 */
#include "postgres.h"
#include "compat.h"

/* Ours are those of the C library: nothing of libpgport is linked. */
#undef vsnprintf
#undef snprintf
#undef printf
#undef vprintf

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

#define DEFAULT_SEED 20250601

static int	tests;
static int	failures;
static uint64 seed;
static uint64 state;

void
unit_begin(void)
{
	const char *given = getenv("APITOKEN_TEST_SEED");

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sodium_init() < 0)
		abort();
	seed = state = given ? strtoull(given, NULL, 0) : DEFAULT_SEED;
}

int
unit_end(void)
{
	printf("1..%d\n", tests);
	if (failures > 0)
		diag("%d failed; again with APITOKEN_TEST_SEED=%llu",
			 failures, (unsigned long long) seed);
	return failures > 0;
}

bool
ok(bool good, const char *name,...)
{
	va_list		args;

	failures += !good;
	printf("%sok %d - ", good ? "" : "not ", ++tests);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	printf("\n");
	return good;
}

void
diag(const char *message,...)
{
	va_list		args;

	printf("# ");
	va_start(args, message);
	vprintf(message, args);
	va_end(args);
	printf("\n");
}

static char *
to_hex(const void *bytes, size_t len)
{
	static char hex[1000];

	sodium_bin2hex(hex, sizeof(hex), bytes, Min(len, sizeof(hex) / 2 - 1));
	return hex;
}

bool
is_hex(const void *bytes, size_t len, const char *hex, const char *name)
{
	bool		good = strlen(hex) == 2 * len &&
		strcmp(to_hex(bytes, len), hex) == 0;

	if (!ok(good, "%s", name))
	{
		diag("expected %s", hex);
		diag("     got %s", to_hex(bytes, len));
	}
	return good;
}

bool
is_text(const char *text, size_t len, const char *expected, const char *name)
{
	bool		good = strlen(expected) == len &&
		memcmp(text, expected, len) == 0;

	if (!ok(good, "%s", name))
	{
		diag("expected %s", expected);
		diag("     got %.*s", (int) len, text);
	}
	return good;
}

size_t
from_hex(const char *hex, uint8 *bytes)
{
	size_t		len;

	if (sodium_hex2bin(bytes, strlen(hex) / 2, hex, strlen(hex), NULL,
					   &len, NULL) != 0 || len * 2 != strlen(hex))
		abort();
	return len;
}

/* --- properties --- */

void
property_begin(Property *property, const char *name, long cases)
{
	const char *given = getenv("APITOKEN_TEST_COUNT");

	memset(property, 0, sizeof(*property));
	property->name = name;
	property->cases = given ? strtol(given, NULL, 0) : cases;
	property->good = true;
}

/* Counts the case that has just been, and says whether there is another. */
bool
property_next(Property *property)
{
	stub_reset();
	property->broken += !property->good;
	property->good = true;
	if (property->done < property->cases)
	{
		property->done++;
		return true;
	}
	if (!ok(property->broken == 0, "%s (%ld cases)",
			property->name, property->cases))
	{
		diag("%ld cases break it, the first: %s",
			 property->broken, property->first);
		diag("seed %llu", (unsigned long long) seed);
	}
	return false;
}

bool
hold(Property *property, bool good, const char *what,...)
{
	va_list		args;

	if (good)
		return true;
	if (property->broken == 0 && property->good)
	{
		int			len = snprintf(property->first, sizeof(property->first),
								   "case %ld: ", property->done);

		va_start(args, what);
		vsnprintf(property->first + len, sizeof(property->first) - len,
				  what, args);
		va_end(args);
	}
	property->good = false;
	return false;
}

/* --- random data: splitmix64 --- */

uint64
random_bits(void)
{
	uint64		z = (state += UINT64CONST(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

int
random_below(int below)
{
	return (int) (random_bits() % (uint64) below);
}

void
random_bytes(void *bytes, size_t len)
{
	uint8	   *out = bytes;

	while (len-- > 0)
		*out++ = (uint8) (random_bits() >> 24);
}

char
random_of(const char *characters)
{
	return characters[random_below((int) strlen(characters))];
}
