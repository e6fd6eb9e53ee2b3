/*
 * place.h
 *		Where tokens were found, and where their uses are counted, remembered by
 *		all backends together.
 *
 * Clients present the same tokens again and again.  Most of them are still in
 * the row, page and buffer in which they were found the time before, and to
 * look there costs a third of a probe through the index.  What is remembered
 * is a hint and no more: the row that stands there now is read as a probe
 * reads it, with a fresh snapshot, and its digest compared, so that what has
 * been changed, revoked, deleted, or moved, and whatever took the place
 * since, is seen or looked for through the index.
 *
 * A megabyte for 65,536 tokens of all databases, made at the first
 * verification; where it cannot be had, nothing is remembered.  Nothing of it
 * is a secret: places, and a few of the bits of digests.
 */
#ifndef ATK_PLACE_H
#define ATK_PLACE_H

#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "digest.h"

/*
 * Fetches into slot the row, visible to the snapshot, that stands where this
 * digest was found; false: unknown, or none is there any more.  It may be
 * another token's: compare.  The caller has the table open, and locked.
 */
extern bool atk_place_fetch(Relation heap, Snapshot snapshot,
							const AtkDigest *digest, TupleTableSlot *slot);

/*
 * Remembers a row that an index led to: tid is what stood in the index, slot
 * holds the row.  Forgets another for it, when there is no room.
 */
extern void atk_place_remember(Relation heap, const AtkDigest *digest,
							   ItemPointer tid, TupleTableSlot *slot);

#endif							/* ATK_PLACE_H */
