/*
 * ending.c
 *		What is to be done when the transaction under way ends; see ending.h.
 */
#include "postgres.h"
#include "compat.h"

#include "ending.h"

#define MOST	8				/* there are as many as callers in the source */

static AtkEnding endings[MOST];
static int	nendings;
static bool registered;

/* Nothing that a parallel worker may do asks for an ending. */
static void
transaction_ends(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PREPARE &&
		event != XACT_EVENT_ABORT)
		return;

	/* Should one raise in an abort, we come again, for those that are left. */
	while (nendings > 0)
		endings[--nendings] (event);
}

void
atk_at_end(AtkEnding ending)
{
	for (int i = 0; i < nendings; i++)
	{
		if (endings[i] == ending)
			return;
	}
	if (!registered)
		RegisterXactCallback(transaction_ends, NULL);
	registered = true;
	if (nendings == MOST)
		elog(ERROR, "too many kinds of endings");
	endings[nendings++] = ending;
}
