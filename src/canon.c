/*
 * canon.c
 *		Values as bytes that are the same in every database; see canon.h.
 *
 * Conversions are looked up in the search_path: callers who act for somebody
 * else have set it (guard.h).
 */
#include "postgres.h"
#include "compat.h"

#include <sys/socket.h>

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "canon.h"

static void put_container(AtkCanon *canon, JsonbContainer *container);

/* --- bytes --- */

static void
put_bytes(AtkCanon *canon, const void *bytes, size_t len)
{
	crypto_generichash_update(canon, bytes, len);
}

static void
put_uint64(AtkCanon *canon, uint64 value)
{
	uint64		bytes = pg_hton64(value);

	put_bytes(canon, &bytes, sizeof(bytes));
}

static void
put_kind(AtkCanon *canon, char kind)
{
	put_bytes(canon, &kind, 1);
}

static void
put_string(AtkCanon *canon, char kind, const void *bytes, size_t len)
{
	put_kind(canon, kind);
	put_uint64(canon, len);
	put_bytes(canon, bytes, len);
}

void
atk_canon_begin(AtkCanon *canon, const char *purpose,
				const uint8 *key, size_t key_len)
{
	crypto_generichash_init(canon, key, key_len, ATK_DIGEST_LEN);
	atk_canon_bytes(canon, purpose, strlen(purpose));
}

void
atk_canon_end(AtkCanon *canon, AtkDigest *digest)
{
	crypto_generichash_final(canon, digest->bytes, ATK_DIGEST_LEN);
}

void
atk_canon_null(AtkCanon *canon)
{
	put_kind(canon, '-');
}

void
atk_canon_int64(AtkCanon *canon, int64 value)
{
	put_kind(canon, 'i');
	put_uint64(canon, (uint64) value);
}

void
atk_canon_bytes(AtkCanon *canon, const void *bytes, size_t len)
{
	put_string(canon, 'b', bytes, len);
}

/* --- text --- */

typedef struct Utf8
{
	const char *bytes;
	int			len;
} Utf8;

static bool
is_ascii(const char *text, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(text[i]))
			return false;
	}
	return true;
}

/* What cannot be converted stays as it is: it must not prevent a seal. */
static Utf8
convert(const char *text, int len, Oid conversion)
{
	int64		room = Min((int64) len * MAX_CONVERSION_GROWTH + 1,
						   PG_INT32_MAX);
	char	   *converted = MemoryContextAllocHuge(CurrentMemoryContext, room);
	unsigned char *source = (unsigned char *) unconstify(char *, text);
	int			done =
		pg_do_encoding_conversion_buf(conversion, GetDatabaseEncoding(),
									  PG_UTF8, source, len,
									  (unsigned char *) converted, room, true);

	if (done < len)
		return (Utf8) {text, len};
	return (Utf8) {converted, strlen(converted)};
}

static Utf8
to_utf8(const char *text, int len)
{
	int			encoding = GetDatabaseEncoding();
	Oid			conversion = InvalidOid;

	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII &&
		!is_ascii(text, len))
		conversion = FindDefaultConversionProc(encoding, PG_UTF8);
	if (!OidIsValid(conversion))
		return (Utf8) {text, len};
	return convert(text, len, conversion);
}

static void
put_text(AtkCanon *canon, const char *text, int len)
{
	Utf8		utf8 = to_utf8(text, len);

	put_string(canon, 's', utf8.bytes, utf8.len);
}

void
atk_canon_text(AtkCanon *canon, const text *value)
{
	put_text(canon, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

void
atk_canon_inet(AtkCanon *canon, const inet *value)
{
	put_kind(canon, ip_family(value) == PGSQL_AF_INET ? '4' : '6');
	put_uint64(canon, ip_bits(value));
	put_bytes(canon, ip_addr(value), ip_addrsize(value));
}

/* --- JSON --- */

typedef struct Member
{
	Utf8		key;
	JsonbValue	value;
} Member;

static int
compare_members(const void *a, const void *b)
{
	const Utf8 *left = &((const Member *) a)->key;
	const Utf8 *right = &((const Member *) b)->key;
	int			order = memcmp(left->bytes, right->bytes,
							   Min(left->len, right->len));

	return order != 0 ? order : left->len - right->len;
}

static void
put_number(AtkCanon *canon, Numeric number)
{
	Datum		value = NumericGetDatum(number);
	char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out,
															 value));

	put_string(canon, 'n', digits, strlen(digits));
}

static void
put_value(AtkCanon *canon, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			put_kind(canon, '0');
			break;
		case jbvBool:
			put_kind(canon, value->val.boolean ? 't' : 'f');
			break;
		case jbvNumeric:
			put_number(canon, value->val.numeric);
			break;
		case jbvString:
			put_text(canon, value->val.string.val, value->val.string.len);
			break;
		case jbvBinary:
			put_container(canon, value->val.binary.data);
			break;
		default:
			elog(ERROR, "unexpected JSON value of type %d", value->type);
	}
}

static void
put_elements(AtkCanon *canon, JsonbIterator *iterator, int n)
{
	JsonbValue	value;

	put_kind(canon, '[');
	put_uint64(canon, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&iterator, &value, true);
		put_value(canon, &value);
	}
}

static void
put_members(AtkCanon *canon, JsonbIterator *iterator, int n)
{
	Member	   *members = palloc(n * sizeof(Member));
	JsonbValue	key;

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&iterator, &key, true);
		members[i].key = to_utf8(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(&iterator, &members[i].value, true);
	}
	qsort(members, n, sizeof(Member), compare_members);

	put_kind(canon, '{');
	put_uint64(canon, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_string(canon, 's', members[i].key.bytes, members[i].key.len);
		put_value(canon, &members[i].value);
	}
	pfree(members);
}

/* A scalar by itself is an array of one that says so. */
static void
put_container(AtkCanon *canon, JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbValue	value;
	JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, true);

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (token == WJB_BEGIN_OBJECT)
		put_members(canon, iterator, value.val.object.nPairs);
	else
	{
		if (value.val.array.rawScalar)
			put_kind(canon, '=');
		put_elements(canon, iterator, value.val.array.nElems);
	}
}

void
atk_canon_jsonb(AtkCanon *canon, Jsonb *value)
{
	put_container(canon, &value->root);
}
