/*
 * endings.c
 *		What is to be done at the end of a transaction is done once, the last
 *		that was asked for first, also where some of it raises.
 */
#include "postgres.h"
#include "compat.h"

#include "ending.h"
#include "unit.h"

/* --- endings write down that they were called --- */

static char called[20];
static XactEvent told;
static int	to_raise;

static void
write_down(char name, XactEvent event)
{
	size_t		n = strlen(called);

	called[n] = name;
	called[n + 1] = '\0';
	told = event;
}

static void
first(XactEvent event)
{
	write_down('1', event);
}

static void
second(XactEvent event)
{
	write_down('2', event);
	if (to_raise-- > 0)
		ereport(ERROR, (errmsg("raised")));
}

static void
third(XactEvent event)
{
	write_down('3', event);
}

static void
ask_for_all(int raises)
{
	called[0] = '\0';
	to_raise = raises;
	atk_at_end(first);
	atk_at_end(second);
	atk_at_end(third);
	atk_at_end(first);
}

static bool
were(const char *expected)
{
	bool		equal = strcmp(called, expected) == 0;

	if (!equal)
		diag("called: %s, not %s", called, expected);
	return equal;
}

static void
test_order(void)
{
	static const XactEvent ends[] = {
		XACT_EVENT_COMMIT, XACT_EVENT_PREPARE, XACT_EVENT_ABORT
	};

	for (int i = 0; i < (int) lengthof(ends); i++)
	{
		ask_for_all(0);
		stub_end(ends[i]);
		ok(were("321") && told == ends[i],
		   "end %d: each was called once, the last first", i);
		stub_end(ends[i]);
		ok(were("321"), "... and not by the transaction behind it");
	}
	ok(stub_callbacks == 1, "the server was asked once to tell of ends");
}

static void
test_what_is_no_end(void)
{
	static const XactEvent others[] = {
		XACT_EVENT_PRE_COMMIT, XACT_EVENT_PRE_PREPARE,
		XACT_EVENT_PARALLEL_PRE_COMMIT, XACT_EVENT_PARALLEL_COMMIT,
		XACT_EVENT_PARALLEL_ABORT
	};

	ask_for_all(0);
	for (int i = 0; i < (int) lengthof(others); i++)
		stub_end(others[i]);
	ok(were(""), "what is not the end, or not ours, calls nothing");
	stub_end(XACT_EVENT_COMMIT);
	ok(were("321"), "... and takes nothing away");
}

/* An error in an abort begins the abort again. */
static void
test_raising(void)
{
	ask_for_all(1);
	TRAP(stub_end(XACT_EVENT_ABORT));
	ok(error_raised && were("32"), "one raises in an abort");
	TRAP(stub_end(XACT_EVENT_ABORT));
	ok(!error_raised && were("321"), "... the next abort calls those behind it, and no other again");
	TRAP(stub_end(XACT_EVENT_ABORT));
	ok(were("321"), "... and nothing is left");
}

int
main(void)
{
	unit_begin();
	test_order();
	test_what_is_no_end();
	test_raising();
	return unit_end();
}
