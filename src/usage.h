/*
 * usage.h
 *		When, from where and how often a token was used.
 *
 * Kept apart from the token, so that recording a use never rewrites, locks
 * or bloats the token's row.
 */
#ifndef ATK_USAGE_H
#define ATK_USAGE_H

#include "datatype/timestamp.h"
#include "utils/inet.h"
#include "utils/uuid.h"

typedef struct AtkUse
{
	TimestampTz last_used_at;
	inet	   *last_used_ip;	/* palloc'd; NULL: not known */
	int64		use_count;
} AtkUse;

/* False if no use of the token is recorded. */
extern bool atk_usage_find(const pg_uuid_t *token_id, AtkUse *use);

#endif							/* ATK_USAGE_H */
