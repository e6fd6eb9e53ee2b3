/*
 * represent.h
 *		A token as JSON, in the shapes of the published APIs.
 *
 * A shape is a list of members, each a JSON key, where its value comes from,
 * how it is encoded, and whether an absent one is omitted or null: rows of a
 * table in represent.c.  Adding a shape is adding rows.
 */
#ifndef ATK_REPRESENT_H
#define ATK_REPRESENT_H

#include "json.h"
#include "subject.h"

typedef enum AtkShape
{
	ATK_SHAPE_DETAILS,			/* ApiTokenDetailsDto: Get API Token Details */
	ATK_SHAPE_LOOKUP,			/* ApiToken: POST token lookup */
	ATK_SHAPE_SUMMARY,			/* ApiToken_Summary: List API tokens */
	ATK_SHAPE_RECORD,			/* Read API Token */
	ATK_SHAPE_ENTRY				/* an element of Query API Tokens */
} AtkShape;

/* Pushes the object; the subject must last until the JSON is finished. */
extern void atk_represent(AtkJson *json, AtkShape shape,
						  const AtkSubject *subject);

#endif							/* ATK_REPRESENT_H */
