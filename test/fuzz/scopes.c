/*
 * scopes.c
 *		Any bytes as a set of scopes: text, binary and array form.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"

#include "scopes.h"

#include "fuzz.h"

extern Datum atk_sql_scopes_in(PG_FUNCTION_ARGS);
extern Datum atk_sql_scopes_out(PG_FUNCTION_ARGS);
extern Datum atk_sql_scopes_recv(PG_FUNCTION_ARGS);
extern Datum atk_sql_scopes_send(PG_FUNCTION_ARGS);

static bool
same(AtkScopes scopes, const void *text, size_t len)
{
	return (size_t) scopes.len == len && memcmp(scopes.text, text, len) == 0;
}

static AtkScopes
scopes_of(Datum value)
{
	return ATK_SCOPES_OF(DatumGetPointer(value));
}

/* What holds for each value of the type. */
static void
check_value(Datum value)
{
	AtkScopes	scopes = scopes_of(value);
	AtkScope	scope = {scopes.text, 0};
	char	   *text = DatumGetCString(fuzz_call(atk_sql_scopes_out, value, 0));
	bytea	   *sent = DatumGetByteaPP(fuzz_call(atk_sql_scopes_send, value, 0));
	int			n = 0;

	CHECK(atk_scopes_canonical(scopes));
	while (atk_scopes_next(scopes, &scope))
	{
		AtkScopes	alone = {scope.text, scope.len};

		CHECK(atk_scope_fault(scope) == NULL);
		CHECK(atk_scopes_grant(scopes, alone));
		n++;
	}
	CHECK(n == atk_scopes_count(scopes));
	CHECK(same(scopes, text, strlen(text)));
	CHECK(same(scopes, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent)));
	CHECK(same(scopes_of(fuzz_call(atk_sql_scopes_in, CStringGetDatum(text), 0)),
			   text, strlen(text)));
	CHECK(same(scopes_of(fuzz_receive(atk_sql_scopes_recv, VARDATA_ANY(sent),
									  VARSIZE_ANY_EXHDR(sent))),
			   text, strlen(text)));
	CHECK(same(ATK_SCOPES_OF(atk_scopes_union(scopes, scopes)), text, strlen(text)));
	CHECK(ATK_SCOPES_OF(atk_scopes_difference(scopes, scopes)).len == 0);
}

/* The elements of an array of ours, for the stand-in's reader. */
static StubArray
elements_of(ArrayType *array)
{
	int			n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	StubArray	result = {n, palloc0(n * sizeof(Datum)), palloc0(n * sizeof(bool))};
	char	   *at = ARR_DATA_PTR(array);

	for (int i = 0; i < n; i++)
	{
		result.elements[i] = PointerGetDatum(at);
		at += INTALIGN(VARSIZE_ANY(at));
	}
	CHECK(at == (char *) array + VARSIZE(array));
	return result;
}

static void
check_text(const uint8_t *data, size_t len)
{
	char	   *text = fuzz_cstring(data, len);
	Datum		value = 0;
	StubArray	array;

	TRAP(value = fuzz_call(atk_sql_scopes_in, CStringGetDatum(text), 0));
	if (error_raised)
	{
		CHECK(fuzz_raised("22P02") && last_error.detail[0] != '\0');
		return;
	}
	check_value(value);
	array = elements_of(atk_scopes_to_array(scopes_of(value)));
	CHECK(same(ATK_SCOPES_OF(atk_scopes_from_array((ArrayType *) &array)),
			   scopes_of(value).text, scopes_of(value).len));
}

/* Binary input is the canonical form, byte for byte, or an error. */
static void
check_binary(const uint8_t *data, size_t len)
{
	Datum		value = 0;

	TRAP(value = fuzz_receive(atk_sql_scopes_recv, data, len));
	if (error_raised)
	{
		CHECK(fuzz_raised("22P03"));
		return;
	}
	CHECK(same(scopes_of(value), data, len));
	check_value(value);
}

/* Lines as elements, an empty one as NULL. */
static void
check_array(const uint8_t *data, size_t len)
{
	StubArray	array = {0, palloc((len + 1) * sizeof(Datum)), palloc0(len + 1)};
	struct varlena *value = NULL;

	for (const uint8_t *at = data; at < data + len; array.n++)
	{
		const uint8_t *end = memchr(at, '\n', data + len - at);

		if (end == NULL)
			end = data + len;
		array.nulls[array.n] = end == at;
		array.elements[array.n] = PointerGetDatum(fuzz_text(at, end - at));
		at = end + 1;
	}
	TRAP(value = atk_scopes_from_array((ArrayType *) &array));
	if (error_raised)
		CHECK(fuzz_raised("22P02") || fuzz_raised("22004"));
	else
		check_value(PointerGetDatum(value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	stub_reset();
	check_text(data, len);
	check_binary(data, len);
	check_array(data, len);
	return 0;
}
