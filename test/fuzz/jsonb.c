/*
 * jsonb.c
 *		Stands in for the server's jsonb: a tree, and a lenient reader of JSON
 *		that makes one of any input.
 */
#include "postgres.h"
#include "compat.h"

#include "fuzz.h"

#define DEPTH_MAX 20

typedef struct Reader
{
	const uint8_t *at;
	const uint8_t *end;
} Reader;

static FuzzJson *read_value(Reader *reader, int depth);

/* --- making a tree --- */

static FuzzJson *
new_json(enum jbvType type)
{
	FuzzJson   *json = palloc0(sizeof(FuzzJson));

	json->type = type;
	return json;
}

static bool
same_string(const FuzzJson *a, const FuzzJson *b)
{
	return a->len == b->len && memcmp(a->string, b->string, a->len) == 0;
}

/* The last of several members with one key stays. */
static void
add(FuzzJson *json, FuzzJson *key, FuzzJson *element)
{
	for (int i = 0; key != NULL && i < json->n; i++)
	{
		if (same_string(json->keys[i], key))
		{
			json->elements[i] = element;
			return;
		}
	}
	if (json->n == json->room)
	{
		int			room = json->room * 2 + 4;
		FuzzJson  **elements = palloc0(room * sizeof(FuzzJson *));
		FuzzJson  **keys = palloc0(room * sizeof(FuzzJson *));

		for (int i = 0; i < json->n; i++)
		{
			elements[i] = json->elements[i];
			keys[i] = json->keys[i];
		}
		json->elements = elements;
		json->keys = keys;
		json->room = room;
	}
	json->keys[json->n] = key;
	json->elements[json->n++] = element;
}

/* --- reading --- */

static void
skip(Reader *reader)
{
	while (reader->at < reader->end &&
		   strchr(" \t\r\n,:", *reader->at) != NULL)
		reader->at++;
}

/* The length of a valid UTF-8 character here; 0: there is none. */
static int
character(const Reader *reader)
{
	const uint8_t *at = reader->at;
	int			len = *at < 0x80 ? 1 : *at < 0xC2 ? 0 : *at < 0xE0 ? 2 :
		*at < 0xF0 ? 3 : *at < 0xF5 ? 4 : 0;

	if (*at == 0 || reader->end - at < len)
		return 0;
	for (int i = 1; i < len; i++)
	{
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	}
	/* not the shortest form, a surrogate, beyond U+10FFFF */
	if ((*at == 0xE0 && at[1] < 0xA0) || (*at == 0xED && at[1] > 0x9F) ||
		(*at == 0xF0 && at[1] < 0x90) || (*at == 0xF4 && at[1] > 0x8F))
		return 0;
	return len;
}

/* Up to the quote; what is no character becomes a question mark. */
static FuzzJson *
read_string(Reader *reader)
{
	FuzzJson   *json = new_json(jbvString);
	char	   *string = palloc(reader->end - reader->at);
	int			len = 0;

	while (reader->at < reader->end && *reader->at != '"')
	{
		int			n;

		if (*reader->at == '\\' && reader->at + 1 < reader->end)
			reader->at++;
		n = character(reader);
		if (n > 0)
			memcpy(string + len, reader->at, n);
		else
			string[len] = '?';
		len += Max(n, 1);
		reader->at += Max(n, 1);
	}
	if (reader->at < reader->end)
		reader->at++;
	json->string = fuzz_copy(string, len);
	json->len = len;
	return json;
}

static FuzzJson *
read_container(Reader *reader, enum jbvType type, char close, int depth)
{
	FuzzJson   *json = new_json(type);

	for (skip(reader); reader->at < reader->end && *reader->at != close;
		 skip(reader))
	{
		FuzzJson   *key = NULL;

		if (type == jbvObject)
		{
			reader->at += *reader->at == '"';
			key = read_string(reader);
			skip(reader);
		}
		add(json, key, read_value(reader, depth + 1));
	}
	reader->at += reader->at < reader->end;
	return json;
}

static FuzzJson *
read_value(Reader *reader, int depth)
{
	FuzzJson   *json;

	skip(reader);
	if (reader->at == reader->end || depth > DEPTH_MAX)
	{
		reader->at = reader->end;
		return new_json(jbvNull);
	}
	switch (*reader->at++)
	{
		case '{':
			return read_container(reader, jbvObject, '}', depth);
		case '[':
			return read_container(reader, jbvArray, ']', depth);
		case '"':
			return read_string(reader);
		case 't':
		case 'f':
			json = new_json(jbvBool);
			json->boolean = reader->at[-1] == 't';
			return json;
		case 'n':
			return new_json(jbvNull);
		default:
			return new_json(jbvNumeric);
	}
}

FuzzJson *
fuzz_json_read(const uint8_t *data, size_t len)
{
	Reader		reader = {data, data + len};

	return read_value(&reader, 0);
}

FuzzJson *
fuzz_json_member(const FuzzJson *object, const char *key)
{
	for (int i = 0; object->type == jbvObject && i < object->n; i++)
	{
		if (fuzz_json_is(object->keys[i], key))
			return object->elements[i];
	}
	return NULL;
}

bool
fuzz_json_is(const FuzzJson *string, const char *text)
{
	return string->type == jbvString && string->len == (int) strlen(text) &&
		memcmp(string->string, text, string->len) == 0;
}

/* --- what the sources see --- */

static JsonbContainer *
container_of(FuzzJson *json)
{
	json->container.header = json->n |
		(json->type == jbvObject ? JB_FOBJECT : JB_FARRAY);
	json->container.json = json;
	return (JsonbContainer *) &json->container.header;
}

static FuzzJson *
json_of(JsonbContainer *container)
{
	FuzzJson   *json;

	memcpy(&json, (char *) container + offsetof(FuzzJson, container.json) -
		   offsetof(FuzzJson, container.header), sizeof(json));
	return json;
}

Jsonb *
fuzz_json_value(FuzzJson *json)
{
	bool		is_scalar = json->type != jbvArray && json->type != jbvObject;

	if (is_scalar)
	{
		FuzzJson   *array = new_json(jbvArray);

		add(array, NULL, json);
		json = array;
	}
	(void) container_of(json);
	if (is_scalar)
		json->container.header |= JB_FSCALAR;
	SET_VARSIZE(&json->container.vl_len_, VARHDRSZ + sizeof(uint32));
	return (Jsonb *) &json->container;
}

static JsonbValue *
set_value(FuzzJson *json, JsonbValue *value)
{
	memset(value, 0, sizeof(*value));
	value->type = json->type;
	if (json->type == jbvString)
	{
		value->val.string.val = json->string;
		value->val.string.len = json->len;
	}
	else if (json->type == jbvBool)
		value->val.boolean = json->boolean;
	else if (json->type == jbvArray || json->type == jbvObject)
	{
		value->type = jbvBinary;
		value->val.binary.data = container_of(json);
	}
	return value;
}

JsonbValue *
getIthJsonbValueFromContainer(JsonbContainer *container, uint32 i)
{
	FuzzJson   *json = json_of(container);

	CHECK(json->type == jbvArray);
	if (i >= (uint32) json->n)
		return NULL;
	return set_value(json->elements[i], palloc(sizeof(JsonbValue)));
}

JsonbValue *
getKeyJsonValueFromContainer(JsonbContainer *container, const char *key,
							 int key_len, JsonbValue *value)
{
	FuzzJson   *json = json_of(container);
	FuzzJson   *member;

	CHECK(json->type == jbvObject && key_len == (int) strlen(key));
	member = fuzz_json_member(json, key);
	if (member == NULL)
		return NULL;
	return set_value(member, value != NULL ? value
					 : palloc(sizeof(JsonbValue)));
}

JsonbIterator *
JsonbIteratorInit(JsonbContainer *container)
{
	JsonbIterator *iterator = palloc0(sizeof(JsonbIterator));

	iterator->container = container;
	iterator->curIndex = -1;
	return iterator;
}

/* Members of an object only, without going into them: begin, key, value, end. */
JsonbIteratorToken
JsonbIteratorNext(JsonbIterator **it, JsonbValue *value, bool skip_nested)
{
	FuzzJson   *json = json_of((*it)->container);
	int			step = (*it)->curIndex++;

	CHECK(skip_nested && json->type == jbvObject);
	if (step < 0)
		return WJB_BEGIN_OBJECT;
	if (step >= 2 * json->n)
		return step == 2 * json->n ? WJB_END_OBJECT : WJB_DONE;
	(void) set_value((step % 2 ? json->elements : json->keys)[step / 2], value);
	return step % 2 ? WJB_VALUE : WJB_KEY;
}
