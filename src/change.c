/*
 * change.c
 *		A token that is being changed; see change.h.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "actor.h"
#include "change.h"
#include "history.h"
#include "policy.h"
#include "row.h"

void
atk_change_raise_unknown(const pg_uuid_t *id)
{
	atk_probe_raise_if_outdated(ATK_KEY_TOKEN_ID, UUIDPGetDatum(id));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("token does not exist")));
}

void
atk_change_open(AtkChange *change, const char *command, const pg_uuid_t *id)
{
	PreventCommandIfReadOnly(command);
	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("id must not be null")));
	atk_probe_begin(&change->probe, ATK_KEY_TOKEN_ID, RowExclusiveLock);
}

void
atk_change_read(AtkChange *change)
{
	TupleTableSlot *slot = change->probe.slot;

	change->now = GetCurrentTimestamp();
	slot_getallattrs(slot);
	atk_token_read(slot, &change->token);
	memcpy(change->old_row.values, slot->tts_values,
		   sizeof(change->old_row.values));
	memcpy(change->old_row.nulls, slot->tts_isnull,
		   sizeof(change->old_row.nulls));
	change->row = change->old_row;
	memset(change->replaces, false, sizeof(change->replaces));
	change->has_realm = atk_realm_find(atk_draft_realm(&change->old_row),
									   &change->realm);
}

void
atk_change_begin(AtkChange *change, const char *command, const pg_uuid_t *id)
{
	atk_change_open(change, command, id);
	if (!atk_probe_lock(&change->probe, UUIDPGetDatum(id),
						LockTupleNoKeyExclusive))
		atk_change_raise_unknown(id);
	atk_change_read(change);
}

void
atk_change_require_realm(const AtkChange *change)
{
	if (!change->has_realm)
		atk_realm_raise_unknown();
}

void
atk_change_set(AtkChange *change, AttrNumber attno, Datum value)
{
	atk_draft_set(&change->row, attno, value);
	change->replaces[attno - 1] = true;
}

void
atk_change_clear(AtkChange *change, AttrNumber attno)
{
	change->row.nulls[attno - 1] = true;
	change->replaces[attno - 1] = true;
}

void
atk_change_set_life(AtkChange *change, const AtkLife *life)
{
	atk_draft_set_life(&change->row, life);
	change->replaces[Anum_token_expires_at - 1] = true;
	change->replaces[Anum_token_granted_ttl - 1] = true;
}

void
atk_change_modify(AtkChange *change)
{
	AtkActor	actor = atk_actor_current();
	Datum		version = change->old_row.values[Anum_token_version - 1];

	atk_change_set(change, Anum_token_version,
				   Int64GetDatum(DatumGetInt64(version) + 1));
	atk_change_set(change, Anum_token_updated_at,
				   TimestampTzGetDatum(change->now));
	atk_change_set(change, Anum_token_updated_by, actor.id);
	atk_change_set(change, Anum_token_updated_by_name, actor.name);
}

void
atk_change_store(AtkChange *change, const char *event, const text *reason)
{
	const AtkRealm *realm = change->has_realm ? &change->realm : NULL;
	TupleTableSlot *slot = change->probe.slot;

	if (realm != NULL)
		atk_policy_admit(&change->row, &change->old_row, realm, change->now);
	atk_row_update(ATK_TABLE_TOKEN, slot, change->row.values,
				   change->row.nulls, change->replaces);
	atk_history_changed(event, slot->tts_tupleDescriptor, &change->old_row,
						&change->row, change->replaces, realm, reason,
						change->now);
}

/* The text of a column that is never NULL, in memory of its own. */
static text *
copy_text(const AtkDraft *row, AttrNumber attno)
{
	return DatumGetTextPCopy(row->values[attno - 1]);
}

void
atk_change_answer(const AtkChange *change, AtkChanged *changed)
{
	const AtkDraft *row = &change->row;
	Datum		status = row->values[Anum_token_status - 1];

	changed->id = change->token.id;
	changed->realm = copy_text(row, Anum_token_realm);
	changed->name = copy_text(row, Anum_token_name);
	changed->status = atk_token_status_name(DatumGetChar(status));
	changed->version = DatumGetInt64(row->values[Anum_token_version - 1]);
	changed->expires_at = atk_draft_expires_at(row);
}

void
atk_change_end(AtkChange *change)
{
	atk_probe_end(&change->probe);
}
