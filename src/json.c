/*
 * json.c
 *		Writing jsonb and checking it against rules; see json.h.
 */
#include "postgres.h"
#include "compat.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "json.h"

/*
 * Bytes of a key or value in a message: what names it must be recognised, and
 * a secret that somebody put there must not be read.
 */
#define ECHO_MAX 24

/* --- writing --- */

static void
push(AtkJson *json, JsonbIteratorToken token, JsonbValue *value)
{
	json->result = pushJsonbValue(&json->state, token, value);
}

void
atk_json_begin_object(AtkJson *json)
{
	push(json, WJB_BEGIN_OBJECT, NULL);
}

void
atk_json_end_object(AtkJson *json)
{
	push(json, WJB_END_OBJECT, NULL);
}

void
atk_json_begin_array(AtkJson *json)
{
	push(json, WJB_BEGIN_ARRAY, NULL);
}

void
atk_json_end_array(AtkJson *json)
{
	push(json, WJB_END_ARRAY, NULL);
}

void
atk_json_string(AtkJson *json, JsonbIteratorToken where,
				const char *text, int len)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = len;
	push(json, where, &value);
}

void
atk_json_key(AtkJson *json, const char *key)
{
	atk_json_string(json, WJB_KEY, key, strlen(key));
}

void
atk_json_boolean(AtkJson *json, JsonbIteratorToken where, bool boolean)
{
	JsonbValue	value;

	value.type = jbvBool;
	value.val.boolean = boolean;
	push(json, where, &value);
}

void
atk_json_integer(AtkJson *json, JsonbIteratorToken where, int64 integer)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(integer);
	push(json, where, &value);
}

void
atk_json_null(AtkJson *json, JsonbIteratorToken where)
{
	JsonbValue	value;

	value.type = jbvNull;
	push(json, where, &value);
}

void
atk_json_copy(AtkJson *json, JsonbIteratorToken where, Jsonb *source)
{
	JsonbValue	value;

	value.type = jbvBinary;
	value.val.binary.data = &source->root;
	value.val.binary.len = VARSIZE_ANY_EXHDR(source);
	push(json, where, &value);
}

Jsonb *
atk_json_finish(AtkJson *json)
{
	return JsonbValueToJsonb(json->result);
}

void
atk_json_text_member(AtkJson *json, const char *key, const char *text)
{
	atk_json_key(json, key);
	if (text != NULL)
		atk_json_string(json, ATK_MEMBER, text, strlen(text));
	else
		atk_json_null(json, ATK_MEMBER);
}

void
atk_json_integer_member(AtkJson *json, const char *key, int64 value)
{
	atk_json_key(json, key);
	atk_json_integer(json, ATK_MEMBER, value);
}

void
atk_json_null_member(AtkJson *json, const char *key)
{
	atk_json_key(json, key);
	atk_json_null(json, ATK_MEMBER);
}

/* --- checking --- */

static const char *const type_names[] = {
	[ATK_JSON_STRING] = "a string",
	[ATK_JSON_BOOLEAN] = "true or false",
	[ATK_JSON_ARRAY] = "an array",
	[ATK_JSON_OBJECT] = "an object",
};

static void check_value(const JsonbValue *value, const AtkJsonRule *rule,
						StringInfo path);

static bool
has_type(const JsonbValue *value, AtkJsonType type)
{
	switch (type)
	{
		case ATK_JSON_STRING:
			return value->type == jbvString;
		case ATK_JSON_BOOLEAN:
			return value->type == jbvBool;
		case ATK_JSON_ARRAY:
			return value->type == jbvBinary &&
				JsonContainerIsArray(value->val.binary.data) &&
				!JsonContainerIsScalar(value->val.binary.data);
		case ATK_JSON_OBJECT:
			return value->type == jbvBinary &&
				JsonContainerIsObject(value->val.binary.data);
	}
	return false;
}

/* A key or value as it may stand in a message: not too long. */
static char *
echo(const JsonbValue *string)
{
	int			len = pg_mbcliplen(string->val.string.val,
								   string->val.string.len, ECHO_MAX);

	return psprintf("%.*s%s", len, string->val.string.val,
					len < string->val.string.len ? "..." : "");
}

/* "a", "b" */
static void
list_name(StringInfo list, const char *name)
{
	appendStringInfo(list, "%s\"%s\"", list->len > 0 ? ", " : "", name);
}

static void
check_string(const JsonbValue *value, const AtkJsonRule *rule,
			 StringInfo path)
{
	StringInfoData list;

	if (rule->allowed == NULL)
		return;
	initStringInfo(&list);
	for (int i = 0; rule->allowed[i] != NULL; i++)
	{
		if (atk_json_is(value, rule->allowed[i]))
			return;
		list_name(&list, rule->allowed[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s: \"%s\" is not allowed", path->data, echo(value)),
			 errhint("Allowed values are %s.", list.data)));
}

static void
check_array(const JsonbValue *value, const AtkJsonRule *rule,
			StringInfo path)
{
	JsonbContainer *array = value->val.binary.data;
	int			n = JsonContainerSize(array);
	int			path_len = path->len;

	if (n == 0 && rule->not_empty)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: array is empty", path->data),
				 errhint("It has at least one element, or is left out.")));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfo(path, "[%d]", i);
		check_value(getIthJsonbValueFromContainer(array, i),
					rule->element, path);
		path->data[path->len = path_len] = '\0';
	}
}

static const AtkJsonMember *
find_member(const AtkJsonRule *rule, const JsonbValue *key)
{
	for (const AtkJsonMember *member = rule->members; member->key; member++)
	{
		if (atk_json_is(key, member->key))
			return member;
	}
	return NULL;
}

static pg_noreturn void
refuse_key(const AtkJsonRule *rule, const JsonbValue *key, StringInfo path)
{
	StringInfoData list;

	initStringInfo(&list);
	for (const AtkJsonMember *member = rule->members; member->key; member++)
		list_name(&list, member->key);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s.%s: unknown key", path->data, echo(key)),
			 errhint("Allowed keys are %s.", list.data)));
}

static void
check_required(JsonbContainer *object, const AtkJsonRule *rule,
			   StringInfo path)
{
	JsonbValue	value;

	for (const AtkJsonMember *member = rule->members; member->key; member++)
	{
		if (member->required && !atk_json_get(object, member->key, &value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s.%s: key is missing", path->data, member->key)));
	}
}

static void
check_object(const JsonbValue *value, const AtkJsonRule *rule,
			 StringInfo path)
{
	JsonbContainer *object = value->val.binary.data;
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	part;
	const AtkJsonMember *member = NULL;
	int			path_len = path->len;

	while ((token = JsonbIteratorNext(&iterator, &part, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			member = find_member(rule, &part);
			if (member == NULL)
				refuse_key(rule, &part, path);
			appendStringInfo(path, ".%s", member->key);
		}
		/* a value follows its key */
		else if (token == WJB_VALUE && member != NULL)
		{
			check_value(&part, member->rule, path);
			path->data[path->len = path_len] = '\0';
		}
	}
	check_required(object, rule, path);
	if (rule->check)
		rule->check(object, path->data);
}

static void
check_value(const JsonbValue *value, const AtkJsonRule *rule,
			StringInfo path)
{
	if (!has_type(value, rule->type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: value has the wrong JSON type", path->data),
				 errhint("It is %s.", type_names[rule->type])));
	if (rule->type == ATK_JSON_STRING)
		check_string(value, rule, path);
	else if (rule->type == ATK_JSON_ARRAY)
		check_array(value, rule, path);
	else if (rule->type == ATK_JSON_OBJECT)
		check_object(value, rule, path);
}

void
atk_json_check(Jsonb *json, const AtkJsonRule *rule, const char *name)
{
	StringInfoData path;
	JsonbValue	root;

	initStringInfo(&path);
	appendStringInfoString(&path, name);
	root.type = jbvBinary;
	root.val.binary.data = &json->root;
	root.val.binary.len = VARSIZE_ANY_EXHDR(json);
	check_value(&root, rule, &path);
}

bool
atk_json_get(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key),
										value) != NULL;
}

JsonbContainer *
atk_json_get_container(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	return atk_json_get(object, key, &value) ? value.val.binary.data : NULL;
}

bool
atk_json_get_boolean(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	return atk_json_get(object, key, &value) && value.val.boolean;
}

int
atk_json_get_length(JsonbContainer *object, const char *key)
{
	JsonbContainer *array = atk_json_get_container(object, key);

	return array == NULL ? 0 : JsonContainerSize(array);
}

bool
atk_json_is(const JsonbValue *value, const char *text)
{
	return value->val.string.len == (int) strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}
