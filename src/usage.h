/*
 * usage.h
 *		When, from where and how often a token was used.
 *
 * Kept apart from the token, so that recording a use never rewrites, locks
 * or bloats the token's row.  Each token has a row here from its beginning,
 * so that one index lists the tokens of a realm by last use, the never used
 * ones among them.
 */
#ifndef ATK_USAGE_H
#define ATK_USAGE_H

#include "datatype/timestamp.h"
#include "utils/inet.h"
#include "utils/uuid.h"

#include "probe.h"
#include "tally.h"

typedef struct AtkUse
{
	TimestampTz last_used_at;	/* DT_NOBEGIN: never */
	inet	   *last_used_ip;	/* palloc'd; NULL: not known */
	int64		use_count;
} AtkUse;

/*
 * A probe for uses, as the snapshot sees them (NULL: a fresh one); one serves
 * any number of tokens, and atk_probe_end() ends it.
 */
extern void atk_usage_begin(AtkProbe *probe, Snapshot snapshot);

/* Table and memory together.  False if no use of the token is recorded. */
extern bool atk_usage_find(AtkProbe *probe, const pg_uuid_t *token_id,
						   AtkUse *use);

/*
 * Adds what memory has to use, which holds what the table has; in constant
 * time.  A flush that ends between the two readings can leave its uses out of
 * both: what is shown is then as old as the caller's snapshot.
 */
extern void atk_usage_overlay(const pg_uuid_t *token_id, AtkUse *use);

/*
 * Records a verification with this outcome; token_id is NULL where there is
 * no token.  Nothing is written, nobody waited for, nothing raised: it is
 * counted in shared memory, and a worker made sure of that will write it.
 * The use of a secret that was rotated away is left to the worker, too, to
 * act on (reuse.h); a standby only counts it.
 */
extern void atk_usage_note(const pg_uuid_t *token_id, int outcome,
						   TimestampTz now, const inet *address);

/* The address of a tally, palloc'd; NULL if none was given. */
extern inet *atk_usage_address(const AtkTally *tally);

/* The row of a new token; and removing it, if it is there. */
extern void atk_usage_insert(Datum token_id, Datum realm);
extern void atk_usage_forget(Datum token_id);

/*
 * A new token is about to have the id of one that is gone: what memory has of
 * that one's use is none of its own, unless this is rolled back.
 */
extern void atk_usage_retire(Datum token_id);

/* When the library is loaded. */
extern void atk_usage_init(void);

#endif							/* ATK_USAGE_H */
