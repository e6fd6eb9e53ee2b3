/*
 * issue.h
 *		New tokens, and new secrets for those that are there.
 */
#ifndef ATK_ISSUE_H
#define ATK_ISSUE_H

#include "utils/uuid.h"

#include "digest.h"
#include "draft.h"
#include "token_text.h"

/*
 * A new secret, in memory of atk_secret_alloc().  text is the token's: wipe it
 * when it has been handed on.
 */
typedef struct AtkIssued
{
	pg_uuid_t	id;
	size_t		public_id_len;	/* of text's beginning, its public id */
	size_t		text_len;
	char		text[ATK_NATIVE_MAX];
	TimestampTz expires_at;		/* DT_NOEND: never */
	AtkDigest	digest;
	text	   *last_chars;
} AtkIssued;

/* Fills in all but expires_at for a token with this id, which is set. */
extern void atk_issue_secret(const char *prefix, size_t prefix_len,
							 AtkIssued *issued);

/*
 * Errors: those of draft.h, expiry.h, policy.h, idempotency.h and of
 * atk_realm_require().  idempotency_key may be NULL.
 */
extern void atk_issue(AtkDraft *draft, const AtkExpiry *expiry,
					  const text *idempotency_key, AtkIssued *issued);

#endif							/* ATK_ISSUE_H */
