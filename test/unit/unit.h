/*
 * unit.h
 *		What the unit tests share: TAP, random data, trapped errors.
 *
 * A unit test is a C program that is linked with the sources that need no
 * server (UNIT_OBJS in the Makefile) and with server.c, which gives them what
 * they would find in one.  It prints TAP.
 *
 * Property tests are random and repeat themselves: a seed gives the same data
 * everywhere, and is printed when something fails.
 *
 *		APITOKEN_TEST_SEED=<number>	another seed
 *		APITOKEN_TEST_COUNT=<number>	another number of cases
 */
#ifndef ATK_TEST_UNIT_H
#define ATK_TEST_UNIT_H

#include <setjmp.h>

#include "access/xact.h"

/* --- TAP --- */

extern void unit_begin(void);

/* Prints the plan; what main() returns. */
extern int	unit_end(void);

extern bool ok(bool good, const char *name,...) pg_attribute_printf(2, 3);
extern void diag(const char *message,...) pg_attribute_printf(1, 2);

/* Compares bytes with hexadecimal digits. */
extern bool is_hex(const void *bytes, size_t len, const char *hex,
				   const char *name);

/* Compares bytes with a text. */
extern bool is_text(const char *text, size_t len, const char *expected,
					const char *name);

/* Bytes of hexadecimal digits; returns how many. */
extern size_t from_hex(const char *hex, uint8 *bytes);

/*
 * A property: many cases, one line of TAP.  The first case that breaks it is
 * described; the others are only counted.
 *
 *		Property	property;
 *
 *		for (property_begin(&property, "x is y", 1000);
 *			 property_next(&property);)
 *			hold(&property, x == y, "x %d", x);
 */
typedef struct Property
{
	const char *name;
	long		cases;
	long		done;
	long		broken;			/* cases */
	bool		good;			/* of the present case */
	char		first[600];		/* what was wrong with the first */
} Property;

extern void property_begin(Property *property, const char *name, long cases);
extern bool property_next(Property *property);
extern bool hold(Property *property, bool good,
				 const char *what,...) pg_attribute_printf(3, 4);

/* --- random data --- */

extern uint64 random_bits(void);

/* 0 to below - 1 */
extern int	random_below(int below);
extern void random_bytes(void *bytes, size_t len);

/* One of the characters of a text. */
extern char random_of(const char *characters);

/* --- the stand-in for the server, server.c --- */

/* Gives back everything that was palloc'd since the last time. */
extern void stub_reset(void);

/*
 * In how many of the pieces given back since stub_watch() these bytes were
 * still to be read.
 */
extern void stub_watch(const void *bytes, size_t len);
extern int	stub_seen(void);

/*
 * Runs a statement.  If it raises, error_raised is true, and SQLSTATE and
 * messages are in last_error.
 */
#define TRAP(statement) \
	do { \
		error_raised = false; \
		if (sigsetjmp(error_jump, 0) == 0) \
		{ \
			error_trapped = true; \
			statement; \
		} \
		error_trapped = false; \
	} while (0)

typedef struct Raised
{
	char		sqlstate[6];
	char		message[300];
	char		detail[300];
} Raised;

extern Raised last_error;
extern bool error_raised;
extern bool error_trapped;
extern sigjmp_buf error_jump;

/* How often a loop gave the server an opportunity to cancel it. */
extern long interrupts_checked;

/* Who asked to be told of the ends of transactions is told of one. */
extern void stub_end(XactEvent event);
extern int	stub_callbacks;		/* how many asked */

/* A text[] as the stand-in knows it: what stands where an ArrayType would. */
typedef struct StubArray
{
	int			n;
	Datum	   *elements;
	bool	   *nulls;
} StubArray;

#endif							/* ATK_TEST_UNIT_H */
