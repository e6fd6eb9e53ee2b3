/*
 * token.c
 *		A token's row, and finding it by its secret; see token.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "keyring.h"
#include "token.h"
#include "token_text.h"

static const struct
{
	char		code;
	const char *name;
}			statuses[] = {
	{ATK_STATUS_ACTIVE, "active"},
	{ATK_STATUS_SUSPENDED, "suspended"},
	{ATK_STATUS_REVOKED, "revoked"},
},			kinds[] = {
	{ATK_KIND_USER, "user"},
	{ATK_KIND_CLIENT, "client"},
};

ATK_HOT void
atk_token_finder_begin(AtkTokenFinder *finder)
{
	atk_probe_begin(&finder->current, ATK_KEY_TOKEN_DIGEST, AccessShareLock);
	finder->previous_begun = false;
	finder->context = CurrentMemoryContext;
}

/* Most tokens are found by their current secret: look there first. */
ATK_HOT static bool
find(AtkTokenFinder *finder, const AtkDigest *digest, AtkToken *token)
{
	Datum		value = AtkDigestPGetDatum(digest);

	token->by_previous = false;
	if (atk_probe_find(&finder->current, value))
	{
		atk_token_read(finder->current.slot, token);
		return true;
	}

	if (!finder->previous_begun)
	{
		atk_probe_begin_beside(&finder->previous,
							   ATK_KEY_TOKEN_PREVIOUS_DIGEST,
							   &finder->current);
		finder->previous_begun = true;
	}
	token->by_previous = true;
	if (!atk_probe_find(&finder->previous, value))
		return false;
	atk_token_read(finder->previous.slot, token);
	return true;
}

/*
 * Does the row say that its digest was made with this key?  Whoever can write
 * to the table can write anything there; but what has no key at all, and
 * works while one is introduced, must say so.
 */
ATK_HOT static bool
has_key(const AtkToken *token, int32 key_id)
{
	AttrNumber	column = token->by_previous ? Anum_token_previous_key_id
		: Anum_token_key_id;
	bool		isnull;
	Datum		found = atk_token_column(token, column, &isnull);

	return (isnull ? 0 : DatumGetInt32(found)) == key_id;
}

ATK_HOT bool
atk_token_find(AtkTokenFinder *finder, const AtkPresented *presented,
			   AtkToken *token)
{
	MemoryContext old = MemoryContextSwitchTo(finder->context);
	bool		found = false;

	for (int i = 0; i < presented->n && !found; i++)
	{
		token->by_key = i;
		found = find(finder, &presented->digests[i], token) &&
			has_key(token, presented->key_ids[i]);
	}
	if (!found)
		atk_keyring_check(&finder->current);
	MemoryContextSwitchTo(old);
	return found;
}

ATK_HOT void
atk_token_finder_end(AtkTokenFinder *finder)
{
	if (finder->previous_begun)
		atk_probe_end(&finder->previous);
	atk_probe_end(&finder->current);
}

/* Past the executor, which takes half as long again for the same index. */
int64
atk_token_count(const text *realm, Snapshot snapshot)
{
	AtkProbe	probe;
	int64		count;

	atk_probe_begin_at(&probe, ATK_KEY_TOKEN_REALM, AccessShareLock, snapshot);
	count = atk_probe_count(&probe, PointerGetDatum(realm));
	atk_probe_end(&probe);
	return count;
}

ATK_HOT static TimestampTz
read_time(TupleTableSlot *slot, AttrNumber attno, TimestampTz absent)
{
	return slot->tts_isnull[attno - 1]
		? absent : DatumGetTimestampTz(slot->tts_values[attno - 1]);
}

ATK_HOT void
atk_token_read(TupleTableSlot *slot, AtkToken *token)
{
	slot_getsomeattrs(slot, Anum_token_allowed_addresses);

	token->slot = slot;
	token->id = *DatumGetUUIDP(slot->tts_values[Anum_token_id - 1]);
	token->created_at = read_time(slot, Anum_token_created_at, DT_NOBEGIN);
	token->not_before = read_time(slot, Anum_token_not_before, DT_NOBEGIN);
	token->expires_at = read_time(slot, Anum_token_expires_at, DT_NOEND);
	token->previous_expires_at =
		read_time(slot, Anum_token_previous_expires_at, DT_NOBEGIN);
	token->status = DatumGetChar(slot->tts_values[Anum_token_status - 1]);
	token->kind = DatumGetChar(slot->tts_values[Anum_token_kind - 1]);
}

ATK_HOT Datum
atk_token_column(const AtkToken *token, AttrNumber attno, bool *isnull)
{
	return slot_getattr(token->slot, attno, isnull);
}

bool
atk_secret_superseded(const AtkToken *token, TimestampTz now)
{
	return token->by_previous && now >= token->previous_expires_at;
}

TimestampTz
atk_secret_expires_at(const AtkToken *token)
{
	return token->by_previous
		? Min(token->previous_expires_at, token->expires_at)
		: token->expires_at;
}

const char *
atk_token_status_name(char status)
{
	for (int i = 0; i < (int) lengthof(statuses); i++)
	{
		if (statuses[i].code == status)
			return statuses[i].name;
	}
	elog(ERROR, "unrecognized token status: %d", status);
}

const char *
atk_token_kind_name(char kind)
{
	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		if (kinds[i].code == kind)
			return kinds[i].name;
	}
	elog(ERROR, "unrecognized token kind: %d", kind);
}

bool
atk_token_kind_parse(const text *name, char *kind)
{
	for (int i = 0; i < (int) lengthof(kinds); i++)
	{
		if (VARSIZE_ANY_EXHDR(name) == strlen(kinds[i].name) &&
			memcmp(VARDATA_ANY(name), kinds[i].name,
				   strlen(kinds[i].name)) == 0)
		{
			*kind = kinds[i].code;
			return true;
		}
	}
	return false;
}

char *
atk_token_public_id(const AtkToken *token)
{
	bool		isnull;
	text	   *prefix = DatumGetTextPP(atk_token_column(token,
														 Anum_token_prefix,
														 &isnull));
	char	   *public_id = palloc(ATK_PUBLIC_ID_MAX + 1);
	size_t		len;

	len = atk_public_id_write(VARDATA_ANY(prefix),
							  Min(VARSIZE_ANY_EXHDR(prefix), ATK_PREFIX_MAX),
							  token->id.data, public_id);
	public_id[len] = '\0';
	return public_id;
}
