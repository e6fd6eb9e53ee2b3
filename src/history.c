/*
 * history.c
 *		Events of tokens and realms; see history.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/htup_details.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "event.h"
#include "history.h"
#include "image.h"
#include "json.h"

/* --- tokens --- */

static AtkRow
row_of(const AtkDraft *draft)
{
	return (AtkRow) {draft->values, draft->nulls};
}

static void
write_token(AtkEvent *event, const AtkDraft *row, const AtkRealm *realm)
{
	event->realm = atk_draft_realm(row);
	event->token_id = DatumGetUUIDP(row->values[Anum_token_id - 1]);
	event->notify = realm != NULL && realm->notify;
	atk_event_write(event);
}

void
atk_history_created(const char *event, const AtkDraft *row,
					const AtkRealm *realm, TimestampTz now)
{
	AtkEvent	created = {
		.name = event,
		.at = now,
		.new = atk_image(ATK_TABLE_TOKEN, row_of(row)),
	};

	write_token(&created, row, realm);
}

void
atk_history_changed(const char *event, TupleDesc desc,
					const AtkDraft *old_row, const AtkDraft *new_row,
					const bool *may_differ, const AtkRealm *realm,
					const text *reason, TimestampTz now)
{
	AtkEvent	changed = {.name = event,.at = now,.reason = reason};

	(void) atk_image_difference(ATK_TABLE_TOKEN, desc, row_of(old_row),
								row_of(new_row), may_differ,
								&changed.old, &changed.new);
	write_token(&changed, new_row, realm);
}

/* {"status": "deleted"}: what view and table have no row for. */
static Jsonb *
deleted_image(void)
{
	AtkJson		json = {0};

	atk_json_begin_object(&json);
	atk_json_text_member(&json, "status", "deleted");
	atk_json_end_object(&json);
	return atk_json_finish(&json);
}

void
atk_history_removed(const char *event, const AtkDraft *row,
					const AtkRealm *realm, TimestampTz now)
{
	AtkEvent	removed = {
		.name = event,
		.at = now,
		.old = atk_image(ATK_TABLE_TOKEN, row_of(row)),
		.new = deleted_image(),
	};

	write_token(&removed, row, realm);
}

/* --- realms --- */

typedef struct RealmRow
{
	Datum	   *values;
	bool	   *nulls;
} RealmRow;

static RealmRow
deform(TupleDesc desc, HeapTuple tuple)
{
	RealmRow	row = {palloc(desc->natts * sizeof(Datum)),
	palloc(desc->natts * sizeof(bool))};

	heap_deform_tuple(tuple, desc, row.values, row.nulls);
	return row;
}

/*
 * Every script of pg_dump and pg_restore switches check_function_bodies off.
 * A realm that is restored was made before; its event is restored as well.
 */
static bool
is_restored(void)
{
	return !check_function_bodies;
}

static void
write_realm(AtkEvent *event, const RealmRow *row)
{
	event->at = GetCurrentTimestamp();
	event->realm = DatumGetTextPP(row->values[Anum_realm_id - 1]);
	event->notify = DatumGetBool(row->values[Anum_realm_notify - 1]);
	atk_event_write(event);
}

void
atk_history_realm(TupleDesc desc, HeapTuple old_row, HeapTuple new_row)
{
	AtkEvent	event = {.name = "realm_updated"};
	RealmRow	before = {0};
	RealmRow	after = {0};

	Assert(old_row != NULL || new_row != NULL);
	if (old_row != NULL)
		before = deform(desc, old_row);
	if (new_row != NULL)
		after = deform(desc, new_row);

	if (old_row == NULL)
	{
		if (is_restored())
			return;
		event.name = "realm_created";
		event.new = atk_image(ATK_TABLE_REALM,
							  (AtkRow) {after.values, after.nulls});
	}
	else if (new_row == NULL)
	{
		event.name = "realm_deleted";
		event.old = atk_image(ATK_TABLE_REALM,
							  (AtkRow) {before.values, before.nulls});
	}
	else if (!atk_image_difference(ATK_TABLE_REALM, desc,
								   (AtkRow) {before.values, before.nulls},
								   (AtkRow) {after.values, after.nulls},
								   NULL, &event.old, &event.new))
		return;
	write_realm(&event, new_row != NULL ? &after : &before);
}

void
atk_history_realms_truncated(void)
{
	AtkEvent	event = {
		.name = "realm_truncated",
		.at = GetCurrentTimestamp(),
	};

	atk_event_write(&event);
}
