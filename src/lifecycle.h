/*
 * lifecycle.h
 *		Issuing tokens and changing their state.
 *
 *		active <-> suspended, active or suspended -> revoked (final)
 *
 * Everything joins the caller's transaction.  A token to be changed is found
 * with a fresh snapshot and its row locked; two who change the same token
 * wait for each other.
 */
#ifndef ATK_LIFECYCLE_H
#define ATK_LIFECYCLE_H

#include "utils/uuid.h"

#include "draft.h"
#include "token_text.h"

/* A new token.  text is the secret: wipe it when it has been handed on. */
typedef struct AtkIssued
{
	pg_uuid_t	id;
	size_t		public_id_len;	/* of text's beginning, its public id */
	size_t		text_len;
	char		text[ATK_NATIVE_MAX];
	TimestampTz expires_at;		/* DT_NOEND: never */
} AtkIssued;

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

typedef enum AtkTransition
{
	ATK_SUSPEND,
	ATK_ACTIVATE,
	ATK_REVOKE
} AtkTransition;

/* Errors: those of draft.h and of atk_realm_require(). */
extern void atk_issue(AtkDraft *draft, const AtkExpiry *expiry,
					  AtkIssued *issued);

/*
 * 42704 without such a token, 55000 for a transition that its state does not
 * allow; both change nothing.  reason may be NULL.
 */
extern void atk_change_status(AtkTransition transition, const pg_uuid_t *id,
							  text *reason, AtkChanged *changed);

#endif							/* ATK_LIFECYCLE_H */
