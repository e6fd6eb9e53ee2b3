/*
 * issue.c
 *		New tokens and new secrets; see issue.h.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "history.h"
#include "idempotency.h"
#include "issue.h"
#include "policy.h"

static uint64
unix_milliseconds(TimestampTz when)
{
	const int64 epoch_days = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

	return (uint64) (when + epoch_days * USECS_PER_DAY) / 1000;
}

void
atk_issue_secret(const char *prefix, size_t prefix_len, AtkIssued *issued)
{
	size_t		shown;

	issued->text_len = atk_text_generate(prefix, prefix_len,
										 issued->id.data, issued->text);
	issued->public_id_len = prefix_len + 1 + ATK_PUBLIC_LEN;
	atk_digest_of_text(issued->text, issued->text_len, &issued->digest);

	shown = atk_last_chars_len(issued->text_len);
	issued->last_chars =
		cstring_to_text_with_len(issued->text + issued->text_len - shown,
								 shown);
}

/* Identity and secret of a new token. */
static void
generate(AtkDraft *draft, const AtkRealm *realm, TimestampTz now,
		 AtkIssued *issued)
{
	atk_id_generate(unix_milliseconds(now), issued->id.data);
	atk_issue_secret(realm->prefix, realm->prefix_len, issued);

	atk_draft_set(draft, Anum_token_id, UUIDPGetDatum(&issued->id));
	atk_draft_set(draft, Anum_token_digest,
				  AtkDigestPGetDatum(&issued->digest));
	atk_draft_set(draft, Anum_token_last_chars,
				  PointerGetDatum(issued->last_chars));
}

void
atk_issue(AtkDraft *draft, const AtkExpiry *expiry,
		  const text *idempotency_key, AtkIssued *issued)
{
	const text *realm_id = atk_draft_realm(draft);
	TimestampTz now;
	AtkRealm	realm;
	AtkLife		life;

	PreventCommandIfReadOnly("apitoken.issue()");
	atk_realm_require(realm_id, &realm);
	if (idempotency_key != NULL)
	{
		atk_idempotency_check(realm_id, idempotency_key);
		atk_realm_require(realm_id, &realm);	/* as it is behind the wait */
	}
	now = GetCurrentTimestamp();	/* those may have waited for locks */
	atk_realm_require_enabled(&realm);
	atk_draft_check(draft);
	atk_draft_require(draft);
	life = atk_expiry_grant(expiry, &realm, now);
	atk_draft_set_life(draft, &life);
	atk_draft_check_times(draft);
	atk_draft_stamp(draft, &realm, now);
	atk_policy_check_scopes(draft, &realm);
	atk_policy_admit(draft, NULL, &realm, now);

	generate(draft, &realm, now, issued);
	atk_draft_store(draft, true);
	issued->expires_at = atk_draft_expires_at(draft);
	if (idempotency_key != NULL)
		atk_idempotency_store(realm_id, idempotency_key, &issued->id, now);
	atk_history_created("issued", draft, &realm, now);
}
