/*
 * history.h
 *		Events of tokens and realms, out of their rows before and after.
 */
#ifndef ATK_HISTORY_H
#define ATK_HISTORY_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"

#include "draft.h"

/* "issued", "imported": the whole row, as it was stored, as new */
extern void atk_history_created(const char *event, const AtkDraft *row,
								const AtkRealm *realm, TimestampTz now);

/*
 * What differs, of what may.  realm NULL: it was removed.  reason may be
 * NULL.
 */
extern void atk_history_changed(const char *event, TupleDesc desc,
								const AtkDraft *old_row,
								const AtkDraft *new_row,
								const bool *may_differ, const AtkRealm *realm,
								const text *reason, TimestampTz now);

/* "deleted", "purged": the whole row as old */
extern void atk_history_removed(const char *event, const AtkDraft *row,
								const AtkRealm *realm, TimestampTz now);

/*
 * A realm was made (old NULL), changed or removed (new NULL); nothing is
 * written for a change that changes nothing.
 */
extern void atk_history_realm(TupleDesc desc, HeapTuple old_row,
							  HeapTuple new_row);

/* All realms at once; what they were is not told. */
extern void atk_history_realms_truncated(void);

#endif							/* ATK_HISTORY_H */
