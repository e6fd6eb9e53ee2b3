/*
 * change.h
 *		A token that is being changed: found, locked, stored with its event.
 *
 *		AtkChange	change;
 *
 *		atk_change_begin(&change, "apitoken.f()", id);
 *		... check change.token, atk_change_set(&change, ...) ...
 *		atk_change_store(&change, "suspended", reason);
 *		atk_change_end(&change);
 *
 * Everything joins the caller's transaction.  The token is found with a fresh
 * snapshot and its row locked; two who change the same token wait for each
 * other.
 */
#ifndef ATK_CHANGE_H
#define ATK_CHANGE_H

#include "utils/uuid.h"

#include "draft.h"
#include "token.h"

typedef struct AtkChange
{
	AtkProbe	probe;
	AtkToken	token;			/* as it stood when it was locked */
	bool		has_realm;		/* false: the realm was removed */
	AtkRealm	realm;
	TimestampTz now;			/* taken behind the lock */
	AtkDraft	old_row;
	AtkDraft	row;			/* to be; starts as old_row */
	bool		replaces[Natts_token];
} AtkChange;

/* What a change answers; strings are palloc'd. */
typedef struct AtkChanged
{
	pg_uuid_t	id;
	text	   *realm;
	text	   *name;
	const char *status;
	int64		version;
	TimestampTz expires_at;		/* DT_NOEND: never */
} AtkChanged;

/*
 * Finds a token and locks its row.  Raises 22004 without an id, 42704 where
 * there is no such token, 40001 where this transaction's snapshot is too old
 * to change it, or to know that it was removed.  command is named where a transaction is read-only.
 */
extern void atk_change_begin(AtkChange *change, const char *command,
							 const pg_uuid_t *id);

/* The same in three steps, for those who have something to do between. */
extern void atk_change_open(AtkChange *change, const char *command,
							const pg_uuid_t *id);
pg_noreturn extern void atk_change_raise_unknown(const pg_uuid_t *id);
extern void atk_change_read(AtkChange *change);

/* 42704 where the realm was removed. */
extern void atk_change_require_realm(const AtkChange *change);

extern void atk_change_set(AtkChange *change, AttrNumber attno, Datum value);
extern void atk_change_clear(AtkChange *change, AttrNumber attno);
extern void atk_change_set_life(AtkChange *change, const AtkLife *life);

/* A modification: the next version, and whose it is. */
extern void atk_change_modify(AtkChange *change);

/*
 * Asks the realm's limit (policy.h), stores the row and writes the event.
 * reason may be NULL.
 */
extern void atk_change_store(AtkChange *change, const char *event,
							 const text *reason);

/* The row as it is to be. */
extern void atk_change_answer(const AtkChange *change, AtkChanged *changed);

extern void atk_change_end(AtkChange *change);

#endif							/* ATK_CHANGE_H */
