/*
 * draft.h
 *		A token's row before it is stored: attributes given, checked, stamped.
 *
 * The SQL interface fills a draft with arguments as they came; checking it
 * turns each into the column's own form (a text[] of scopes into a set, a
 * kind's name into its code) or raises 22023, 22004 or 22P02 with the
 * argument's name and never its value.
 */
#ifndef ATK_DRAFT_H
#define ATK_DRAFT_H

#include "datatype/timestamp.h"

#include "columns.h"
#include "expiry.h"
#include "realm.h"

typedef struct AtkDraft
{
	Datum		values[Natts_token];
	bool		nulls[Natts_token];
} AtkDraft;

/* All columns NULL. */
extern void atk_draft_init(AtkDraft *draft);
extern void atk_draft_set(AtkDraft *draft, AttrNumber attno, Datum value);

/* Both as they stand in the draft; NULL and DT_NOEND when not given. */
extern const text *atk_draft_realm(const AtkDraft *draft);
extern TimestampTz atk_draft_expires_at(const AtkDraft *draft);

/* 22023 unless it has 1 to 255 characters, not all of them white space. */
extern void atk_draft_check_label(const char *argument, const text *label);

/* Checks and converts whatever was given. */
extern void atk_draft_check(AtkDraft *draft);

/* 22004 unless name, scopes and kind are given. */
extern void atk_draft_require(const AtkDraft *draft);

/* Sets expires_at and granted_ttl. */
extern void atk_draft_set_life(AtkDraft *draft, const AtkLife *life);

/* 22023 for a token that would expire before it begins. */
extern void atk_draft_check_times(const AtkDraft *draft);

/* Sets what each new row has: version, state, authors, realm's defaults. */
extern void atk_draft_stamp(AtkDraft *draft, const AtkRealm *realm,
							TimestampTz created_at);

/*
 * Stores the token, and the row of its use.  An id that was not generated
 * just now may have been another token's, whose use was left behind.  The
 * draft then is the row as it is stored, whatever a trigger made of it.
 */
extern void atk_draft_store(AtkDraft *draft, bool generated);

#endif							/* ATK_DRAFT_H */
