/*
 * subject.h
 *		A token with all that is told of it: its use, its realm.
 *
 *		AtkSubjectReader reader;
 *		AtkSubject	subject;
 *
 *		atk_subject_reader_begin(&reader, snapshot, now);
 *		if (atk_subject_read(&reader, &id, &subject))
 *			... subject, until the next read or the end ...
 *		atk_subject_reader_end(&reader);
 */
#ifndef ATK_SUBJECT_H
#define ATK_SUBJECT_H

#include "realm.h"
#include "token.h"
#include "usage.h"

typedef struct AtkSubjectReader AtkSubjectReader;

typedef struct AtkSubject
{
	const AtkToken *token;
	const AtkUse *use;			/* NULL: never used */
	AtkSubjectReader *reader;
	const text *text;			/* the token text, where it is to be told */
} AtkSubject;

struct AtkSubjectReader
{
	AtkProbe	probe;			/* of tokens, if it finds them */
	bool		finds;
	AtkProbe	usage;
	AtkToken	token;
	AtkUse		use;
	TimestampTz now;			/* what is expired, is so at this moment */
	AtkRealmLabels realm;
	text	   *realm_id;		/* whose labels these are; NULL: none yet */
};

/* By id, as the snapshot sees them; NULL: with a fresh one. */
extern void atk_subject_reader_begin(AtkSubjectReader *reader,
									 Snapshot snapshot, TimestampTz now);
extern bool atk_subject_read(AtkSubjectReader *reader, const pg_uuid_t *id,
							 AtkSubject *subject);
extern void atk_subject_reader_end(AtkSubjectReader *reader);

/* The same for tokens that are found by other means. */
extern void atk_subject_reader_begin_found(AtkSubjectReader *reader,
										   Snapshot snapshot, TimestampTz now);
extern void atk_subject_complete(AtkSubjectReader *reader,
								 const AtkToken *token, AtkSubject *subject);

/*
 * What the token's realm tells of itself: read when it is asked for, and once
 * for all tokens of a page, which are of one realm.
 */
extern const AtkRealmLabels *atk_subject_realm(const AtkSubject *subject);

#endif							/* ATK_SUBJECT_H */
