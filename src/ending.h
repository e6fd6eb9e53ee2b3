/*
 * ending.h
 *		What is to be done when the transaction under way ends.
 *
 * Asked for by the transaction that has something to do, so that others, which
 * are nearly all, pay nothing at their end.
 */
#ifndef ATK_ENDING_H
#define ATK_ENDING_H

#include "access/xact.h"

/*
 * Told behind the commit, the PREPARE or the abort (XACT_EVENT_COMMIT, _PREPARE,
 * _ABORT), the last that was asked for first.  The transaction is over: an error
 * behind a commit would be the server's end, and in an abort begins it again,
 * with the endings that are left.
 */
typedef void (*AtkEnding) (XactEvent event);

/* Once, however often it is asked for.  Raises out of memory. */
extern void atk_at_end(AtkEnding ending);

#endif							/* ATK_ENDING_H */
