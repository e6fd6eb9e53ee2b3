/*
 * current.c
 *		The transaction's current token; see current.h.
 *
 * A stack with an entry for each subtransaction that has set one; the
 * uppermost is current.  A subtransaction that is undone takes its entry with
 * it; one that is released hands it to its parent.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "current.h"
#include "ending.h"

typedef struct Entry
{
	AtkCurrent	token;
	SubTransactionId setter;
	struct Entry *below;
} Entry;

/* Entries are in TopTransactionContext. */
static Entry *top = NULL;

static void
drop(Entry *entry)
{
	pfree(entry->token.realm);
	if (entry->token.principal != NULL)
		pfree(entry->token.principal);
	pfree(entry->token.scopes);
	pfree(entry);
}

static void
pop(void)
{
	Entry	   *entry = top;

	top = entry->below;
	drop(entry);
}

/* Two of one subtransaction: the newer is all that counts. */
static void
merge(void)
{
	Entry	   *below = top->below;

	if (below == NULL || below->setter != top->setter)
		return;
	top->below = below->below;
	drop(below);
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId subtransaction,
					  SubTransactionId parent, void *arg)
{
	if (top == NULL || top->setter != subtransaction)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pop();
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		top->setter = parent;
		merge();
	}
}

/*
 * Behind the commit: triggers and cursors have been served by then.  The
 * memory goes with the transaction.
 */
static void
forget(XactEvent event)
{
	top = NULL;
}

void
atk_current_init(void)
{
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}

static void *
copy(const void *value)
{
	return value == NULL
		? NULL : DatumGetTextPCopy(PointerGetDatum(value));
}

/* Enters it only when all of it is there: an error leaves what was. */
void
atk_current_set(const AtkCurrent *token)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Entry	   *entry = palloc(sizeof(Entry));

	entry->token.id = token->id;
	entry->token.realm = copy(token->realm);
	entry->token.principal = copy(token->principal);
	entry->token.scopes = copy(token->scopes);
	entry->setter = GetCurrentSubTransactionId();
	entry->below = top;
	MemoryContextSwitchTo(old);

	atk_at_end(forget);
	top = entry;
	merge();
}

const AtkCurrent *
atk_current(void)
{
	return top == NULL ? NULL : &top->token;
}
