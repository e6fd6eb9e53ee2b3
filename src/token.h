/*
 * token.h
 *		A token's row, and finding it by its secret.
 *
 *		AtkTokenFinder finder;
 *		AtkToken	token;
 *
 *		atk_token_finder_begin(&finder);
 *		if (atk_token_find(&finder, &presented, &token))
 *			... token, until the next find or the end ...
 *		atk_token_finder_end(&finder);
 *
 * The fixed-width columns that every decision reads are taken out of the row
 * at once; the others are read from the slot when they are asked for.
 */
#ifndef ATK_TOKEN_H
#define ATK_TOKEN_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#include "columns.h"
#include "pepper.h"
#include "probe.h"

/* Column status; what is computed from it is expired. */
#define ATK_STATUS_ACTIVE		'a'
#define ATK_STATUS_SUSPENDED	's'
#define ATK_STATUS_REVOKED		'r'

/* Column kind: who the token acts for. */
#define ATK_KIND_USER			'u'
#define ATK_KIND_CLIENT			'c'

typedef struct AtkToken
{
	TupleTableSlot *slot;		/* the row; belongs to the probe */
	pg_uuid_t	id;
	TimestampTz created_at;
	TimestampTz not_before;		/* DT_NOBEGIN: at once */
	TimestampTz expires_at;		/* DT_NOEND: never */
	TimestampTz previous_expires_at;	/* grace's end; DT_NOBEGIN: none */
	char		status;
	char		kind;
	bool		by_previous;	/* found by its previous secret */
	int			by_key;			/* in AtkPresented; 0: the current */
} AtkToken;

typedef struct AtkTokenFinder
{
	AtkProbe	current;
	AtkProbe	previous;
	bool		previous_begun;
	MemoryContext context;		/* scans allocate when they need to: there */
} AtkTokenFinder;

extern void atk_token_finder_begin(AtkTokenFinder *finder);

/*
 * Under the current key and under the previous one; a row that says that its
 * digest was made with another key is none.  Where there is none, raises what
 * keyring.h says.
 */
extern bool atk_token_find(AtkTokenFinder *finder,
						   const AtkPresented *presented, AtkToken *token);
extern void atk_token_finder_end(AtkTokenFinder *finder);

/* How many a realm has, as the snapshot sees them. */
extern int64 atk_token_count(const text *realm, Snapshot snapshot);

/* Takes the fixed-width columns out of the slot. */
extern void atk_token_read(TupleTableSlot *slot, AtkToken *token);

/* Any column, by its number. */
extern Datum atk_token_column(const AtkToken *token, AttrNumber attno,
							  bool *isnull);

/* Was it found by a secret that was rotated away and is past its grace? */
extern bool atk_secret_superseded(const AtkToken *token, TimestampTz now);

/* When the secret that it was found by stops working; DT_NOEND: never. */
extern TimestampTz atk_secret_expires_at(const AtkToken *token);

/* active, suspended, revoked */
extern const char *atk_token_status_name(char status);

/* user, client */
extern const char *atk_token_kind_name(char kind);
extern bool atk_token_kind_parse(const text *name, char *kind);

/* <prefix>.<public>, palloc'd and terminated */
extern char *atk_token_public_id(const AtkToken *token);

#endif							/* ATK_TOKEN_H */
