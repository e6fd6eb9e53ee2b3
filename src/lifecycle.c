/*
 * lifecycle.c
 *		Issuing tokens and changing their state; see lifecycle.h.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "actor.h"
#include "lifecycle.h"
#include "row.h"
#include "token.h"

static const struct
{
	const char *command;
	const char *done;			/* what has then been done to the token */
	char		to;
	const char *from;			/* the states that it starts from */
	const char *rule;
}			transitions[] = {
	[ATK_SUSPEND] = {"apitoken.suspend()", "suspended",
	ATK_STATUS_SUSPENDED, "a", "Only an active token can be suspended."},
	[ATK_ACTIVATE] = {"apitoken.activate()", "activated",
	ATK_STATUS_ACTIVE, "s", "Only a suspended token can be activated."},
	[ATK_REVOKE] = {"apitoken.revoke()", "revoked",
	ATK_STATUS_REVOKED, "as", "Only an active or suspended token can be revoked."},
};

static uint64
unix_milliseconds(TimestampTz when)
{
	const int64 epoch_days = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

	return (uint64) (when + epoch_days * USECS_PER_DAY) / 1000;
}

/* Identity and secret of a new token. */
static void
generate(AtkDraft *draft, const AtkRealm *realm, TimestampTz now,
		 AtkIssued *issued, AtkDigest *digest)
{
	size_t		shown;

	atk_id_generate(unix_milliseconds(now), issued->id.data);
	issued->text_len = atk_text_generate(realm->prefix, realm->prefix_len,
										 issued->id.data, issued->text);
	issued->public_id_len = realm->prefix_len + 1 + ATK_PUBLIC_LEN;
	atk_digest_of_text(issued->text, issued->text_len, digest);

	shown = atk_last_chars_len(issued->text_len);
	atk_draft_set(draft, Anum_token_id, UUIDPGetDatum(&issued->id));
	atk_draft_set(draft, Anum_token_digest, AtkDigestPGetDatum(digest));
	atk_draft_set(draft, Anum_token_last_chars,
				  PointerGetDatum(cstring_to_text_with_len(issued->text + issued->text_len - shown,
														   shown)));
}

void
atk_issue(AtkDraft *draft, const AtkExpiry *expiry, AtkIssued *issued)
{
	TimestampTz now;
	AtkRealm	realm;
	AtkDigest	digest;

	PreventCommandIfReadOnly("apitoken.issue()");
	atk_realm_require(atk_draft_realm(draft), &realm);
	now = GetCurrentTimestamp();	/* that may have waited for a lock */
	atk_realm_require_enabled(&realm);
	atk_draft_check(draft);
	atk_draft_set_expiry(draft, expiry, &realm, now);
	atk_draft_stamp(draft, &realm, now);

	generate(draft, &realm, now, issued, &digest);
	issued->expires_at = atk_draft_expires_at(draft);
	atk_draft_store(draft, true);
}

/* The text of a column that is never NULL, in memory of its own. */
static text *
copy_text_column(const AtkToken *token, AttrNumber attno)
{
	bool		isnull;

	return DatumGetTextPCopy(atk_token_column(token, attno, &isnull));
}

static void
describe_change(const AtkToken *token, char status, AtkChanged *changed)
{
	bool		isnull;

	changed->id = token->id;
	changed->realm = copy_text_column(token, Anum_token_realm);
	changed->name = copy_text_column(token, Anum_token_name);
	changed->status = atk_token_status_name(status);
	changed->version = DatumGetInt64(atk_token_column(token,
													  Anum_token_version,
													  &isnull));
	changed->expires_at = token->expires_at;
}

static void
check_transition(AtkTransition transition, char from)
{
	if (strchr(transitions[transition].from, from) != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("token cannot be %s because it is %s",
					transitions[transition].done,
					atk_token_status_name(from)),
			 errhint("%s", transitions[transition].rule)));
}

static void
store_status(TupleTableSlot *row, char status, text *reason)
{
	AtkDraft	draft;
	bool		replaces[Natts_token] = {false};

	atk_draft_init(&draft);
	atk_draft_set(&draft, Anum_token_status, CharGetDatum(status));
	atk_draft_set(&draft, Anum_token_status_changed_at,
				  TimestampTzGetDatum(GetCurrentTimestamp()));
	atk_draft_set(&draft, Anum_token_status_changed_by,
				  atk_actor_current().id);
	if (reason != NULL)
		atk_draft_set(&draft, Anum_token_status_reason,
					  PointerGetDatum(reason));

	replaces[Anum_token_status - 1] = true;
	replaces[Anum_token_status_changed_at - 1] = true;
	replaces[Anum_token_status_changed_by - 1] = true;
	replaces[Anum_token_status_reason - 1] = true;
	atk_row_update(ATK_TABLE_TOKEN, row, draft.values, draft.nulls, replaces);
}

void
atk_change_status(AtkTransition transition, const pg_uuid_t *id,
				  text *reason, AtkChanged *changed)
{
	AtkProbe	probe;
	AtkToken	token;
	char		status = transitions[transition].to;

	PreventCommandIfReadOnly(transitions[transition].command);
	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be null")));

	atk_probe_begin(&probe, ATK_KEY_TOKEN_ID, RowExclusiveLock);
	if (!atk_probe_lock(&probe, UUIDPGetDatum(id), LockTupleNoKeyExclusive))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("token does not exist")));
	atk_token_read(probe.slot, &token);
	check_transition(transition, token.status);

	describe_change(&token, status, changed);
	store_status(probe.slot, status, reason);
	atk_probe_end(&probe);
}
