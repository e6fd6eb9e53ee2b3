/*
 * json.h
 *		Writing a jsonb value piece by piece, and checking one against rules.
 *
 * Writing: what is pushed must outlive the call of atk_json_finish().
 *
 * Checking: rules are static tables that mirror a document.  A value that
 * breaks one is refused with SQLSTATE 22023, the JSON path in the message and
 * what is allowed in the hint; nothing is silently ignored.  Rules are finite,
 * so the depth of what they accept is as well.
 */
#ifndef ATK_JSON_H
#define ATK_JSON_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/* --- writing --- */

typedef struct AtkJson
{
	JsonbParseState *state;
	JsonbValue *result;
} AtkJson;

/* Where the next value goes: after a key, or into an array. */
#define ATK_MEMBER	WJB_VALUE
#define ATK_ELEMENT	WJB_ELEM

extern void atk_json_begin_object(AtkJson *json);
extern void atk_json_end_object(AtkJson *json);
extern void atk_json_begin_array(AtkJson *json);
extern void atk_json_end_array(AtkJson *json);
extern void atk_json_key(AtkJson *json, const char *key);
extern void atk_json_string(AtkJson *json, JsonbIteratorToken where,
							const char *text, int len);
extern void atk_json_boolean(AtkJson *json, JsonbIteratorToken where,
							 bool value);
extern void atk_json_integer(AtkJson *json, JsonbIteratorToken where,
							 int64 value);
extern void atk_json_null(AtkJson *json, JsonbIteratorToken where);
extern void atk_json_copy(AtkJson *json, JsonbIteratorToken where,
						  Jsonb *value);
extern Jsonb *atk_json_finish(AtkJson *json);

/* A member in one go; a text of NULL is null. */
extern void atk_json_text_member(AtkJson *json, const char *key,
								 const char *text);
extern void atk_json_integer_member(AtkJson *json, const char *key,
									int64 value);
extern void atk_json_null_member(AtkJson *json, const char *key);

/* --- checking --- */

typedef enum AtkJsonType
{
	ATK_JSON_STRING,
	ATK_JSON_BOOLEAN,
	ATK_JSON_ARRAY,
	ATK_JSON_OBJECT
} AtkJsonType;

struct AtkJsonMember;

typedef struct AtkJsonRule
{
	AtkJsonType type;

	/* strings: the allowed ones, a NULL behind the last; NULL: any */
	const char *const *allowed;

	/* arrays */
	const struct AtkJsonRule *element;
	bool		not_empty;

	/* objects: their members, a NULL key behind the last; a further check */
	const struct AtkJsonMember *members;
	void		(*check) (JsonbContainer *object, const char *path);
} AtkJsonRule;

typedef struct AtkJsonMember
{
	const char *key;
	const AtkJsonRule *rule;
	bool		required;
} AtkJsonMember;

/* name begins the path, as in "body.filters.tokenType[0]". */
extern void atk_json_check(Jsonb *json, const AtkJsonRule *rule,
						   const char *name);

/*
 * Readers for what has been checked.  They return false or 0 where the member
 * is absent, and rely on its type otherwise.
 */
extern bool atk_json_get(JsonbContainer *object, const char *key,
						 JsonbValue *value);
extern JsonbContainer *atk_json_get_container(JsonbContainer *object,
											  const char *key);
extern bool atk_json_get_boolean(JsonbContainer *object, const char *key);
extern int	atk_json_get_length(JsonbContainer *object, const char *key);

/* Does the string value equal this? */
extern bool atk_json_is(const JsonbValue *value, const char *text);

#endif							/* ATK_JSON_H */
