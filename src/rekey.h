/*
 * rekey.h
 *		Having tokens stored with the current key while it replaces another.
 *
 * Only who presents a token knows what its digest under the new key is.
 * Verification cannot write; it leaves the new digest in shared memory, and
 * the worker puts it and the key's number into the row, unless that has
 * changed meanwhile.  It is no change of the token: there is no event, and
 * version and times stay.
 *
 * The places in memory are few and nothing is kept: not what finds its
 * place taken, nor whose row is locked when the worker comes, nor across a
 * stop of the server; no digest goes to a file from here.  The next use of
 * the token leaves it again.
 */
#ifndef ATK_REKEY_H
#define ATK_REKEY_H

#include "pepper.h"
#include "token.h"

#define ATK_REKEY_BATCH	100		/* tokens in a transaction */

/*
 * Of a token that was found under the previous key.  Never raises, waits for
 * no more than a spinlock; does nothing on a standby.
 */
extern void atk_rekey_note(const AtkToken *token,
						   const AtkPresented *presented);

/*
 * Writes what was left in this database, from place *position on, in the
 * current transaction; true: there may be more.  Raises 55000 where something
 * is attached to the table (guard.h).
 */
extern bool atk_rekey_batch(int *position);

/* Forgets what was left in a database that is gone, or has no extension. */
extern void atk_rekey_discard(Oid database);

/*
 * How many tokens are not stored with the current key, as the statement sees
 * them; false: no key is being replaced.  Reads all tokens.
 */
extern bool atk_rekey_remaining(int64 *remaining);

/* Why the last attempt in this database failed, palloc'd; NULL: it did not. */
extern char *atk_rekey_problem(void);

#endif							/* ATK_REKEY_H */
