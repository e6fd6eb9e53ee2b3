/*
 * subject.c
 *		A token with all that is told of it; see subject.h.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/builtins.h"

#include "subject.h"

void
atk_subject_reader_begin(AtkSubjectReader *reader, Snapshot snapshot,
						 TimestampTz now)
{
	atk_subject_reader_begin_found(reader, snapshot, now);
	atk_probe_begin_at(&reader->probe, ATK_KEY_TOKEN_ID, AccessShareLock,
					   snapshot);
	reader->finds = true;
}

void
atk_subject_reader_begin_found(AtkSubjectReader *reader, Snapshot snapshot,
							   TimestampTz now)
{
	memset(reader, 0, sizeof(*reader));
	reader->now = now;
	atk_usage_begin(&reader->usage, snapshot);
}

const AtkRealmLabels *
atk_subject_realm(const AtkSubject *subject)
{
	AtkSubjectReader *reader = subject->reader;
	bool		isnull;
	text	   *id = DatumGetTextPP(atk_token_column(subject->token,
													 Anum_token_realm,
													 &isnull));

	if (reader->realm_id == NULL || !atk_same_text(reader->realm_id, id))
	{
		reader->realm_id = DatumGetTextPCopy(PointerGetDatum(id));
		atk_realm_labels(id, &reader->realm);
	}
	return &reader->realm;
}

void
atk_subject_complete(AtkSubjectReader *reader, const AtkToken *token,
					 AtkSubject *subject)
{
	subject->token = token;
	subject->use = atk_usage_find(&reader->usage, &token->id, &reader->use)
		? &reader->use : NULL;
	subject->reader = reader;
	subject->text = NULL;
}

bool
atk_subject_read(AtkSubjectReader *reader, const pg_uuid_t *id,
				 AtkSubject *subject)
{
	if (!atk_probe_find(&reader->probe, UUIDPGetDatum(id)))
		return false;
	atk_token_read(reader->probe.slot, &reader->token);
	atk_subject_complete(reader, &reader->token, subject);
	return true;
}

void
atk_subject_reader_end(AtkSubjectReader *reader)
{
	if (reader->finds)
		atk_probe_end(&reader->probe);
	atk_probe_end(&reader->usage);
}
