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

#include "utils/jsonb.h"

#include "token.h"
#include "usage.h"

typedef enum AtkShape
{
	ATK_SHAPE_LOOKUP			/* ApiToken of "POST token lookup" */
} AtkShape;

/* Whom it is about. */
typedef struct AtkSubject
{
	const AtkToken *token;
	const AtkUse *use;			/* NULL: never used */
} AtkSubject;

extern Jsonb *atk_represent(AtkShape shape, const AtkSubject *subject);

#endif							/* ATK_REPRESENT_H */
