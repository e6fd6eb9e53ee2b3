/*
 * table.h
 *		The extension's own tables and the indexes that are probed directly.
 *
 * Their OIDs are found by name once and kept in backend memory until
 * PostgreSQL says, through relation-cache invalidation, that something about
 * them changed: dropped, rewritten, reindexed, created anew.
 *
 * A direct probe asks nobody for permission: neither privileges nor row
 * security are checked here.  EXECUTE on the SQL function is the gate.
 */
#ifndef ATK_TABLE_H
#define ATK_TABLE_H

#include "access/stratnum.h"
#include "fmgr.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

typedef enum AtkTable
{
	ATK_TABLE_REALM,
	ATK_TABLE_TOKEN,
	ATK_TABLE_USAGE,
	ATK_TABLE_USAGE_HOURLY,
	ATK_TABLE_EVENT,
	ATK_TABLE_EVENT_ID_SEQ,
	ATK_TABLE_EVENT_UNSEALED,
	ATK_TABLE_EVENT_SEAL,
	ATK_TABLE_IDEMPOTENCY
} AtkTable;

#define ATK_NTABLES (ATK_TABLE_IDEMPOTENCY + 1)

/* What is looked up by, through an index that begins with these columns. */
typedef enum AtkKey
{
	ATK_KEY_REALM_ID,
	ATK_KEY_TOKEN_ID,
	ATK_KEY_TOKEN_DIGEST,
	ATK_KEY_TOKEN_PREVIOUS_DIGEST,
	ATK_KEY_TOKEN_REALM,
	ATK_KEY_TOKEN_EXPIRES,		/* realm, expires_at */
	ATK_KEY_TOKEN_PRINCIPAL,	/* principal, realm, status, expires_at */
	ATK_KEY_TOKEN_STATUS_CHANGED,	/* status, status_changed_at */
	ATK_KEY_TOKEN_KEY_ID,		/* but 0 */
	ATK_KEY_USAGE_TOKEN_ID,
	ATK_KEY_IDEMPOTENCY,		/* realm, key */
	ATK_KEY_IDEMPOTENCY_CREATED
} AtkKey;

#define ATK_NKEYS (ATK_KEY_IDEMPOTENCY_CREATED + 1)

/* What a scan key of such a look-up needs: that of its first column. */
typedef struct AtkKeyIndex
{
	Oid			index;
	StrategyNumber strategy;	/* equality, in the index's method */
	Oid			collation;
	FmgrInfo	equal;
	bool		resolved;
} AtkKeyIndex;

extern void atk_table_init(void);

/*
 * Opens a table and locks it till the end of the transaction (close with
 * NoLock).  Raises 55000 where it is not there or older than the library.
 */
extern Relation atk_table_open(AtkTable table, LOCKMODE lockmode);

/*
 * The index that serves a key; its table is open.  Raises 55000 if there is
 * no valid one: an index that is missing must never look like a missing row.
 */
extern const AtkKeyIndex *atk_table_key(AtkKey key, Relation table);

extern AtkTable atk_key_table(AtkKey key);

/* How many columns of a table the library knows. */
extern int	atk_table_natts(AtkTable table);

/* Changes whenever what is known of a table may be out of date. */
extern uint64 atk_table_generation(AtkTable table);

#endif							/* ATK_TABLE_H */
