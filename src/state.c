/*
 * state.c
 *		Switching tokens off and on, and ending them; see state.h.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "actor.h"
#include "state.h"

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
	[ATK_REVOKE] = {"apitoken.revoke()", "revoked", ATK_STATUS_REVOKED, "as",
	"Only an active or suspended token can be revoked."},
};

bool
atk_transition_allowed(AtkTransition transition, const AtkToken *token)
{
	return strchr(transitions[transition].from, token->status) != NULL;
}

static void
check_transition(AtkTransition transition, const AtkToken *token)
{
	if (atk_transition_allowed(transition, token))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("token cannot be %s because it is %s",
					transitions[transition].done,
					atk_token_status_name(token->status)),
			 errhint("%s", transitions[transition].rule)));
}

void
atk_change_to(AtkChange *change, AtkTransition transition,
			  const text *reason)
{
	atk_change_set(change, Anum_token_status,
				   CharGetDatum(transitions[transition].to));
	atk_change_set(change, Anum_token_status_changed_at,
				   TimestampTzGetDatum(change->now));
	atk_change_set(change, Anum_token_status_changed_by,
				   atk_actor_current().id);
	if (reason != NULL)
		atk_change_set(change, Anum_token_status_reason,
					   PointerGetDatum(reason));
	else
		atk_change_clear(change, Anum_token_status_reason);
	atk_change_store(change, transitions[transition].done, reason);
}

void
atk_change_status(AtkTransition transition, const pg_uuid_t *id,
				  const text *reason, AtkChanged *changed)
{
	AtkChange	change;

	atk_change_begin(&change, transitions[transition].command, id);
	check_transition(transition, &change.token);
	atk_change_to(&change, transition, reason);
	atk_change_answer(&change, changed);
	atk_change_end(&change);
}

void
atk_raise_not_a_secret(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("token is not recognized")));
}

/* One that was removed is no secret any more, unless we cannot know that. */
static void
raise_not_found(const AtkDigest *digest)
{
	Datum		value = AtkDigestPGetDatum(digest);

	atk_probe_raise_if_outdated(ATK_KEY_TOKEN_DIGEST, value);
	atk_probe_raise_if_outdated(ATK_KEY_TOKEN_PREVIOUS_DIGEST, value);
	atk_raise_not_a_secret();
}

static pg_uuid_t
find_by_secret(const AtkDigest *digest)
{
	AtkTokenFinder finder;
	AtkToken	token;

	atk_token_finder_begin(&finder);
	if (!atk_token_find(&finder, digest, &token))
		raise_not_found(digest);
	atk_token_finder_end(&finder);
	return token.id;
}

/* Of the row as it is locked, which may have been rotated meanwhile. */
static bool
is_secret_of(const AtkDigest *digest, const AtkChange *change)
{
	const Datum *values = change->old_row.values;
	Datum		current = values[Anum_token_digest - 1];
	Datum		previous = values[Anum_token_previous_digest - 1];

	if (atk_digest_equal(DatumGetAtkDigestP(current), digest))
		return true;
	return change->now < change->token.previous_expires_at &&
		atk_digest_equal(DatumGetAtkDigestP(previous), digest);
}

bool
atk_revoke_self(const AtkDigest *digest)
{
	pg_uuid_t	id;
	AtkChange	change;
	bool		revokes;

	PreventCommandIfReadOnly("apitoken.revoke_self()");
	id = find_by_secret(digest);
	atk_change_open(&change, "apitoken.revoke_self()", &id);
	if (!atk_probe_lock(&change.probe, UUIDPGetDatum(&id),
						LockTupleNoKeyExclusive))
		atk_raise_not_a_secret();	/* removed meanwhile */
	atk_change_read(&change);
	if (!is_secret_of(digest, &change))
		atk_raise_not_a_secret();
	revokes = atk_transition_allowed(ATK_REVOKE, &change.token);
	if (revokes)
		atk_change_to(&change, ATK_REVOKE, NULL);
	atk_change_end(&change);
	return revokes;
}
