/*
 * import.c
 *		Taking over tokens that were made elsewhere; see import.h.
 *
 * No index keeps digests unique (a hash index cannot).  Two sessions that
 * import the same token meet at a bucket's lock instead, chosen by its
 * SHA-256; whoever gets it looks for the digest with a fresh snapshot.
 */
#include "postgres.h"
#include "compat.h"

#include <sodium.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "bucket.h"
#include "history.h"
#include "import.h"
#include "policy.h"
#include "session.h"
#include "token.h"
#include "token_text.h"

/* What the presented token tells of itself.  No secret in here. */
typedef struct Identity
{
	AtkPresented presented;
	uint32		hash;			/* chooses the bucket */
	pg_uuid_t	id;
	text	   *prefix;			/* NULL: the realm's */
	text	   *last_chars;		/* NULL: not known */
} Identity;

static void
raise_invalid(const char *message, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 detail ? errdetail("%s", detail) : 0));
}

static void
check_presented(const AtkForeign *foreign)
{
	if ((foreign->token != NULL) == (foreign->sha256 != NULL))
		raise_invalid("exactly one of token and sha256 must be given", NULL);
	if (foreign->token != NULL &&
		!atk_text_possible(VARDATA_ANY(foreign->token),
						   VARSIZE_ANY_EXHDR(foreign->token)))
		raise_invalid("token cannot be the text of a token",
					  "It has 8 to 512 printable ASCII characters without spaces.");
	if (foreign->sha256 != NULL &&
		VARSIZE_ANY_EXHDR(foreign->sha256) != ATK_SHA256_LEN)
		raise_invalid("sha256 has the wrong length", "It has 32 bytes.");
}

/* Digests, bucket and derived id, all made of the SHA-256. */
static void
identify_by_sha256(const uint8 *sha256, Identity *identity)
{
	atk_present_sha256(sha256, &identity->presented);
	identity->hash = (sha256[0] << 8) | sha256[1];
	atk_id_derive(sha256, identity->id.data);
}

static void
identify(const AtkForeign *foreign, Identity *identity)
{
	uint8		sha256[ATK_SHA256_LEN];

	atk_pepper_require();
	check_presented(foreign);
	if (foreign->token != NULL)
		atk_sha256(VARDATA_ANY(foreign->token),
				   VARSIZE_ANY_EXHDR(foreign->token), sha256);
	else
		memcpy(sha256, VARDATA_ANY(foreign->sha256), ATK_SHA256_LEN);
	identify_by_sha256(sha256, identity);
	sodium_memzero(sha256, sizeof(sha256));
}

static bool
in_realm(const AtkToken *token, const text *realm)
{
	bool		isnull;
	text	   *found = DatumGetTextPP(atk_token_column(token,
														Anum_token_realm,
														&isnull));

	return atk_same_text(found, realm);
}

/* Is the token here already?  Then its id replaces the one just derived. */
static bool
find_imported(Identity *identity, const text *realm)
{
	AtkTokenFinder finder;
	AtkToken	token;
	bool		found;

	atk_token_finder_begin(&finder);
	found = atk_token_find(&finder, &identity->presented, &token);
	if (found && (token.by_previous || !in_realm(&token, realm)))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 token.by_previous
				 ? errmsg("token was rotated away and cannot be imported")
				 : errmsg("token already exists in another realm")));
	if (found)
		identity->id = token.id;
	atk_token_finder_end(&finder);
	return found;
}

static void
use_public_part(const AtkTextParts *parts, Identity *identity)
{
	atk_public_to_id(parts->public_part, identity->id.data);
	identity->prefix = cstring_to_text_with_len(parts->prefix,
												parts->prefix_len);
}

/* Prefix and public part, from the text's own shape or as given. */
static void
name_publicly(const AtkForeign *foreign, Identity *identity)
{
	AtkTextParts own;
	AtkTextParts given;
	bool		has_own = foreign->token != NULL &&
		atk_text_parse(VARDATA_ANY(foreign->token),
					   VARSIZE_ANY_EXHDR(foreign->token), &own);

	identity->prefix = NULL;
	if (has_own)
		use_public_part(&own, identity);
	if (foreign->public_id == NULL)
		return;

	if (!atk_public_id_parse(VARDATA_ANY(foreign->public_id),
							 VARSIZE_ANY_EXHDR(foreign->public_id), &given))
		raise_invalid("public_id is malformed",
					  "It is a prefix of 1 to 16 letters, digits or underscores, a dot, and 24 characters A-Z and 2-7.");
	if (has_own &&
		(own.prefix_len != given.prefix_len ||
		 memcmp(own.prefix, given.prefix,
				own.prefix_len + 1 + ATK_PUBLIC_LEN) != 0))
		raise_invalid("public_id is not that of the token", NULL);
	use_public_part(&given, identity);
}

/* The end of the text that may be shown, from the text or as given. */
static void
show_last_chars(const AtkForeign *foreign, Identity *identity)
{
	const text *given = foreign->last_chars;

	identity->last_chars = NULL;
	if (foreign->token != NULL)
	{
		size_t		len = VARSIZE_ANY_EXHDR(foreign->token);
		size_t		shown = atk_last_chars_len(len);

		identity->last_chars =
			cstring_to_text_with_len(VARDATA_ANY(foreign->token) + len - shown,
									 shown);
		if (given != NULL &&
			(VARSIZE_ANY_EXHDR(given) != shown ||
			 memcmp(VARDATA_ANY(given), VARDATA(identity->last_chars),
					shown) != 0))
			raise_invalid("last_chars is not that of the token", NULL);
	}
	else if (given != NULL)
	{
		if (VARSIZE_ANY_EXHDR(given) < 1 ||
			VARSIZE_ANY_EXHDR(given) > ATK_LAST_CHARS ||
			!atk_text_printable(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given)))
			raise_invalid("last_chars is malformed",
						  "It has 1 to 5 printable ASCII characters without spaces.");
		identity->last_chars = unconstify(text *, given);
	}
}

static TimestampTz
creation_time(const AtkForeign *foreign, TimestampTz now)
{
	if (foreign->created_at == NULL)
		return now;
	if (TIMESTAMP_NOT_FINITE(*foreign->created_at) ||
		*foreign->created_at > now)
		raise_invalid("created_at is infinite or in the future", NULL);
	return *foreign->created_at;
}

/*
 * Another token may have the same id, committed or about to be.  The server's
 * own message would print the key; ours says what it means.
 */
static void
insert_imported(AtkDraft *draft)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		atk_draft_store(draft, false);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		/* An administrator's own unique index speaks for itself. */
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION ||
			error->constraint_name == NULL ||
			strcmp(error->constraint_name, "_token_pkey") != 0)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("public id is in use by another token")));
	}
	PG_END_TRY();
}

static void
identify_draft(AtkDraft *draft, const AtkForeign *foreign, Identity *identity)
{
	name_publicly(foreign, identity);
	show_last_chars(foreign, identity);

	atk_draft_set(draft, Anum_token_id, UUIDPGetDatum(&identity->id));
	atk_draft_set(draft, Anum_token_digest,
				  AtkDigestPGetDatum(&identity->presented.digests[0]));
	if (identity->prefix != NULL)
		atk_draft_set(draft, Anum_token_prefix,
					  PointerGetDatum(identity->prefix));
	if (identity->last_chars != NULL)
		atk_draft_set(draft, Anum_token_last_chars,
					  PointerGetDatum(identity->last_chars));
}

static void
store_imported(AtkDraft *draft, const AtkExpiry *expiry,
			   const AtkForeign *foreign, const AtkRealm *realm,
			   Identity *identity)
{
	TimestampTz now = GetCurrentTimestamp();
	AtkLife		life;

	atk_realm_require_enabled(realm);
	atk_draft_check(draft);
	atk_draft_require(draft);
	life = atk_expiry_grant(expiry, realm, now);
	atk_draft_set_life(draft, &life);
	atk_draft_check_times(draft);
	identify_draft(draft, foreign, identity);
	atk_draft_stamp(draft, realm, creation_time(foreign, now));
	atk_policy_check_scopes(draft, realm);
	atk_session_require_grant(atk_draft_scopes(draft));
	atk_policy_admit(draft, NULL, realm, now);

	insert_imported(draft);
	atk_history_created("imported", draft, realm, now);
}

pg_uuid_t
atk_import(AtkDraft *draft, const AtkExpiry *expiry,
		   const AtkForeign *foreign)
{
	const text *realm_id = atk_draft_realm(draft);
	AtkRealm	realm;
	Identity	identity;

	atk_session_enter(ATK_RIGHT_WRITE, realm_id);
	PreventCommandIfReadOnly("apitoken.import()");
	atk_realm_require(realm_id, &realm);
	identify(foreign, &identity);

	atk_bucket_lock(ATK_BUCKET_DIGEST, identity.hash);
	atk_realm_require(realm_id, &realm);	/* as it is behind the wait */
	if (!find_imported(&identity, realm_id))
		store_imported(draft, expiry, foreign, &realm, &identity);
	return identity.id;
}
