/*
 * event.c
 *		Writing the history; see event.h.
 *
 * An event is two rows: itself, and its id among those that no seal covers
 * yet.  Neither table has a default, so the number is taken here.
 */
#include "postgres.h"
#include "compat.h"

#include "access/table.h"
#include "commands/async.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "actor.h"
#include "columns.h"
#include "event.h"
#include "row.h"
#include "summon.h"

#define CHANNEL "apitoken"

/* Room for a row of _event, all NULL at first. */
typedef struct EventRow
{
	Datum		values[Natts_event];
	bool		nulls[Natts_event];
} EventRow;

static void
put(EventRow *row, AttrNumber attno, Datum value)
{
	row->values[attno - 1] = value;
	row->nulls[attno - 1] = false;
}

/* A varlena, or NULL. */
static void
put_optional(EventRow *row, AttrNumber attno, const void *value)
{
	if (value != NULL)
		put(row, attno, PointerGetDatum(value));
}

static int64
next_id(void)
{
	Relation	sequence = atk_table_open(ATK_TABLE_EVENT_ID_SEQ,
										  RowExclusiveLock);
	int64		id = nextval_internal(RelationGetRelid(sequence), false);

	table_close(sequence, NoLock);
	return id;
}

/* The client stays the same as long as the session: asked for once. */
static const inet *
client_address(void)
{
	static bool known = false;
	static inet *address = NULL;

	if (!known)
	{
		LOCAL_FCINFO(fcinfo, 0);
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
		Datum		answer;

		InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
		answer = inet_client_addr(fcinfo);
		MemoryContextSwitchTo(old);
		address = fcinfo->isnull ? NULL : DatumGetInetP(answer);
		known = true;
	}
	return address;
}

/* Who is at work, and from where. */
static void
put_session(EventRow *row)
{
	AtkActor	actor = atk_actor_current();

	put(row, Anum_event_actor, actor.id);
	put(row, Anum_event_actor_name, actor.name);
	put(row, Anum_event_session_role,
		CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false)));
	put_optional(row, Anum_event_client_addr, client_address());
	if (application_name != NULL && application_name[0] != '\0')
		put(row, Anum_event_application_name,
			CStringGetTextDatum(application_name));
}

static void
insert_unsealed(Datum id)
{
	Datum		values[Natts_event_unsealed] = {id};
	bool		nulls[Natts_event_unsealed] = {false};

	atk_row_insert(ATK_TABLE_EVENT_UNSEALED, values, nulls);
}

/* An event of a token names the token, one of a realm the realm. */
static void
notify(const AtkEvent *event)
{
	Datum		token_id = UUIDPGetDatum(event->token_id);
	const char *id = event->token_id == NULL
		? text_to_cstring(event->realm)
		: DatumGetCString(DirectFunctionCall1(uuid_out, token_id));
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"event\": ");
	escape_json(&payload, event->name);
	appendStringInfoString(&payload, ", \"id\": ");
	escape_json(&payload, id);
	appendStringInfoChar(&payload, '}');
	Async_Notify(CHANNEL, payload.data);
}

void
atk_event_write(const AtkEvent *event)
{
	EventRow	row;
	Datum		id = Int64GetDatum(next_id());

	memset(row.nulls, true, sizeof(row.nulls));
	put(&row, Anum_event_id, id);
	put(&row, Anum_event_at, TimestampTzGetDatum(event->at));
	put_optional(&row, Anum_event_realm, event->realm);
	put_optional(&row, Anum_event_token_id, event->token_id);
	put(&row, Anum_event_event, CStringGetTextDatum(event->name));
	put_session(&row);
	put_optional(&row, Anum_event_reason, event->reason);
	put_optional(&row, Anum_event_old, event->old);
	put_optional(&row, Anum_event_new, event->new);

	atk_row_insert(ATK_TABLE_EVENT, row.values, row.nulls);
	insert_unsealed(id);
	atk_summon_for_events();
	if (event->notify)
		notify(event);
}
