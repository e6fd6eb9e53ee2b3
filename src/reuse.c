/*
 * reuse.c
 *		Acting on the use of secrets that were rotated away; see reuse.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/timestamp.h"

#include "duty.h"
#include "event.h"
#include "guard.h"
#include "json.h"
#include "reuse.h"
#include "state.h"
#include "tally.h"
#include "usage.h"

/* What is known of a token whose secret was used. */
typedef struct Victim
{
	text	   *realm;
	bool		revoke;			/* shall it be, and is it not yet? */
	bool		notify;
	bool		told;			/* within an hour */
} Victim;

/* A token that was imported after the use is another one, with the same id. */
#define VICTIM " WHERE t.id = $1 AND NOT EXISTS (SELECT FROM apitoken._event i" \
"  WHERE i.token_id = t.id AND i.event = 'imported' AND i.at > $2)"

static const char victim_sql[] =
"SELECT t.realm, t.status <> 'r' AND coalesce(r.revoke_on_reuse, false),"
" coalesce(r.notify, false),"
" EXISTS (SELECT FROM apitoken._event e WHERE e.token_id = t.id"
"  AND e.event = 'superseded'"
"  AND e.at BETWEEN $2 - interval '1 hour' AND $2 + interval '1 hour')"
" FROM apitoken._token t LEFT JOIN apitoken.realm r ON r.id = t.realm"
VICTIM " FOR NO KEY UPDATE OF t SKIP LOCKED";

static const char there_sql[] = "SELECT FROM apitoken._token t" VICTIM;

static Datum
column(int attno)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, attno,
						 &isnull);
}

static bool
run(const char *sql, const AtkTally *tally)
{
	Oid			types[] = {UUIDOID, TIMESTAMPTZOID};
	Datum		values[] = {
		UUIDPGetDatum(&tally->token_id),
		TimestampTzGetDatum(tally->last_at)
	};

	return atk_guard_run(sql, 2, types, values) > 0;
}

/* Locks it; false if it is locked by another, or gone. */
static bool
lock_victim(const AtkTally *tally, Victim *victim)
{
	if (!run(victim_sql, tally))
		return false;
	victim->realm = DatumGetTextPCopy(column(1));
	victim->revoke = DatumGetBool(column(2));
	victim->notify = DatumGetBool(column(3));
	victim->told = DatumGetBool(column(4));
	return true;
}

/* From where the secret was used last. */
static Jsonb *
describe(const AtkTally *tally)
{
	inet	   *address = atk_usage_address(tally);
	AtkJson		json = {NULL};

	atk_json_begin_object(&json);
	atk_json_integer_member(&json, "uses", tally->uses + tally->earlier);
	if (address != NULL)
	{
		Datum		host = DirectFunctionCall1(network_host,
											   InetPGetDatum(address));

		atk_json_text_member(&json, "address", TextDatumGetCString(host));
	}
	atk_json_end_object(&json);
	return atk_json_finish(&json);
}

static void
act(const AtkTally *tally, const Victim *victim)
{
	AtkEvent	event = {
		.name = "superseded",
		.at = tally->last_at,
		.realm = victim->realm,
		.token_id = &tally->token_id,
		.new = describe(tally),
		.notify = victim->notify
	};
	const char *reason = "a secret that was rotated away was used";
	AtkChanged	changed;

	if (!victim->told)
		atk_event_write(&event);
	if (victim->revoke)
		atk_change_status(ATK_REVOKE, &tally->token_id,
						  cstring_to_text(reason), &changed);
}

static AtkReuse
act_guarded(const AtkTally *tally)
{
	AtkReuse	result = ATK_REUSE_DONE;
	AtkGuard	guard;
	Victim		victim;

	atk_guard_begin(&guard, ATK_TABLE_TOKEN);
	if (lock_victim(tally, &victim))
		act(tally, &victim);
	else if (run(there_sql, tally))
		result = ATK_REUSE_UNDO;
	atk_guard_end(&guard);
	return result;
}

static void
check_tables(void)
{
	static const AtkTable written[] = {
		ATK_TABLE_TOKEN, ATK_TABLE_EVENT, ATK_TABLE_EVENT_UNSEALED
	};

	static const char refusal[] =
		"tokens whose secret was stolen are not acted on";

	for (size_t i = 0; i < lengthof(written); i++)
		atk_guard_check(written[i], refusal);
	atk_guard_check_read(ATK_TABLE_REALM, refusal);
}

/* --- a token that cannot be acted on --- */

/*
 * Does the error being caught concern others as well?  Who waited in vain, was
 * told to stop or is out of means has the same before him with the next token.
 */
static bool
concerns_all(void)
{
	int			code = geterrcode();
	int			category = ERRCODE_TO_CATEGORY(code);

	return code == ERRCODE_LOCK_NOT_AVAILABLE ||
		category == ERRCODE_OPERATOR_INTERVENTION ||
		category == ERRCODE_INSUFFICIENT_RESOURCES;
}

/*
 * The first of a round stands for all: they are tried again in each.  Of the
 * error only the message; its detail can show the row, digests and all.
 */
static void
tell_failed(const AtkTally *tally, const AtkReuseRound *round,
			MemoryContext context)
{
	Datum		id = UUIDPGetDatum(&tally->token_id);
	ErrorData  *error;

	if (round->failed > 1)
		return;
	atk_duty_note_error(ATK_JOB_REUSE, context);
	error = CopyErrorData();
	ereport(LOG,
			(errmsg("token %s, whose old secret was used, could not be acted on: %s",
					DatumGetCString(DirectFunctionCall1(uuid_out, id)),
					error->message)));
}

/* One token's trouble, a CHECK for example, does not hold up the others. */
static AtkReuse
act_or_skip(const AtkTally *tally, AtkReuseRound *round)
{
	MemoryContext context = CurrentMemoryContext;
	AtkReuse	result;

	PG_TRY();
	{
		result = act_guarded(tally);
	}
	PG_CATCH();
	{
		if (concerns_all())
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		round->failed++;
		tell_failed(tally, round, context);
		FlushErrorState();
		result = ATK_REUSE_UNDO;
	}
	PG_END_TRY();
	return result;
}

/* --- a round --- */

static void
end_round(const AtkReuseRound *round)
{
	if (round->failed == 0)
		atk_duty_done(ATK_JOB_REUSE);
	else if (round->failed > 1)
		ereport(LOG,
				(errmsg("%d tokens whose old secret was used could not be acted on",
						round->failed)));
}

static AtkReuse
reuse_act(AtkReuseRound *round)
{
	AtkTally	tally;

	if (round->place == 0)
		atk_tally_settle(MyDatabaseId);
	if (atk_tally_collect(ATK_SLOT_REUSE, MyDatabaseId,
						  GetCurrentTransactionId(), &round->place,
						  &tally, 1) == 0)
	{
		end_round(round);
		return ATK_REUSE_NONE;
	}
	check_tables();
	return act_or_skip(&tally, round);
}

AtkReuse
atk_reuse_act(AtkReuseRound *round)
{
	MemoryContext context = CurrentMemoryContext;
	AtkReuse	result;

	PG_TRY();
	{
		result = reuse_act(round);
	}
	PG_CATCH();
	{
		atk_duty_note_error(ATK_JOB_REUSE, context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return result;
}
