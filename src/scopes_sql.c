/*
 * scopes_sql.c
 *		SQL interface of type apitoken.scopes and its GIN operator class.
 */
#include "postgres.h"
#include "compat.h"

#include "access/gin.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "scopes.h"
#include "scopes_gin.h"

/* The one strategy of the GIN class: @>, grants */
#define GIN_STRATEGY_GRANTS 1

ATK_FUNCTION(atk_sql_scopes_in);
ATK_FUNCTION(atk_sql_scopes_out);
ATK_FUNCTION(atk_sql_scopes_recv);
ATK_FUNCTION(atk_sql_scopes_send);
ATK_FUNCTION(atk_sql_scopes_eq);
ATK_FUNCTION(atk_sql_scopes_ne);
ATK_FUNCTION(atk_sql_scopes_lt);
ATK_FUNCTION(atk_sql_scopes_le);
ATK_FUNCTION(atk_sql_scopes_gt);
ATK_FUNCTION(atk_sql_scopes_ge);
ATK_FUNCTION(atk_sql_scopes_cmp);
ATK_FUNCTION(atk_sql_scopes_hash);
ATK_FUNCTION(atk_sql_scopes_hash_extended);
ATK_FUNCTION(atk_sql_scopes_grant);
ATK_FUNCTION(atk_sql_scopes_granted_by);
ATK_FUNCTION(atk_sql_scopes_union);
ATK_FUNCTION(atk_sql_scopes_difference);
ATK_FUNCTION(atk_sql_scope_count);
ATK_FUNCTION(atk_sql_scopes_from_array);
ATK_FUNCTION(atk_sql_scopes_to_array);
ATK_FUNCTION(atk_sql_scopes_gin_extract);
ATK_FUNCTION(atk_sql_scopes_gin_extract_query);
ATK_FUNCTION(atk_sql_scopes_gin_consistent);
ATK_FUNCTION(atk_sql_scopes_gin_triconsistent);

static AtkScopes
scopes_argument(FunctionCallInfo fcinfo, int n)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n));

	return ATK_SCOPES_OF(value);
}

Datum
atk_sql_scopes_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(atk_scopes_from_text(text, strlen(text),
										   fcinfo->context));
}

Datum
atk_sql_scopes_out(PG_FUNCTION_ARGS)
{
	AtkScopes	scopes = scopes_argument(fcinfo, 0);

	PG_RETURN_CSTRING(pnstrdup(scopes.text, scopes.len));
}

/* The binary form is the canonical text, and no other. */
Datum
atk_sql_scopes_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const char *text = pq_getmsgbytes(buf, len);

	if (!atk_scopes_canonical((AtkScopes) {text, len}))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of type %s", "apitoken.scopes"),
				 errdetail("It is the sorted list of well-formed scopes, each once, with single spaces between them.")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text, len));
}

Datum
atk_sql_scopes_send(PG_FUNCTION_ARGS)
{
	AtkScopes	scopes = scopes_argument(fcinfo, 0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, scopes.text, scopes.len);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static int
compare_arguments(FunctionCallInfo fcinfo)
{
	return atk_scopes_compare(scopes_argument(fcinfo, 0),
							  scopes_argument(fcinfo, 1));
}

Datum
atk_sql_scopes_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

Datum
atk_sql_scopes_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

Datum
atk_sql_scopes_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
atk_sql_scopes_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
atk_sql_scopes_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
atk_sql_scopes_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

Datum
atk_sql_scopes_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

Datum
atk_sql_scopes_hash(PG_FUNCTION_ARGS)
{
	AtkScopes	scopes = scopes_argument(fcinfo, 0);

	return hash_any((const unsigned char *) scopes.text, scopes.len);
}

Datum
atk_sql_scopes_hash_extended(PG_FUNCTION_ARGS)
{
	AtkScopes	scopes = scopes_argument(fcinfo, 0);

	return hash_any_extended((const unsigned char *) scopes.text, scopes.len,
							 PG_GETARG_INT64(1));
}

Datum
atk_sql_scopes_grant(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(atk_scopes_grant(scopes_argument(fcinfo, 0),
									scopes_argument(fcinfo, 1)));
}

Datum
atk_sql_scopes_granted_by(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(atk_scopes_grant(scopes_argument(fcinfo, 1),
									scopes_argument(fcinfo, 0)));
}

Datum
atk_sql_scopes_union(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(atk_scopes_union(scopes_argument(fcinfo, 0),
									   scopes_argument(fcinfo, 1)));
}

Datum
atk_sql_scopes_difference(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(atk_scopes_difference(scopes_argument(fcinfo, 0),
											scopes_argument(fcinfo, 1)));
}

Datum
atk_sql_scope_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(atk_scopes_count(scopes_argument(fcinfo, 0)));
}

Datum
atk_sql_scopes_from_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(atk_scopes_from_array(PG_GETARG_ARRAYTYPE_P(0)));
}

Datum
atk_sql_scopes_to_array(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(atk_scopes_to_array(scopes_argument(fcinfo, 0)));
}

/*
 * GIN.  Keys are stored as bytea, so that their order is bytewise whatever
 * the collation.
 */
static Datum
key_datum(AtkScope scope)
{
	return PointerGetDatum(cstring_to_text_with_len(scope.text, scope.len));
}

/* extractValue(value, nkeys OUT) */
Datum
atk_sql_scopes_gin_extract(PG_FUNCTION_ARGS)
{
	AtkScopes	scopes = scopes_argument(fcinfo, 0);
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	Datum	   *keys = palloc(sizeof(Datum) * (atk_scopes_count(scopes) + 1));
	AtkScope	scope = {scopes.text, 0};

	*nkeys = 0;
	while (atk_scopes_next(scopes, &scope))
		keys[(*nkeys)++] = key_datum(scope);
	PG_RETURN_POINTER(keys);
}

/*
 * extractQuery(query, nkeys OUT, strategy, pmatch OUT, extra_data OUT,
 * nullFlags OUT, searchMode OUT).  What the consistent functions need is the
 * group of each key, which travels as the extra data of the first key.
 */
Datum
atk_sql_scopes_gin_extract_query(PG_FUNCTION_ARGS)
{
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	Pointer   **extra = (Pointer **) PG_GETARG_POINTER(4);
	int32	   *mode = (int32 *) PG_GETARG_POINTER(6);
	AtkScopeSearch *search = palloc(sizeof(AtkScopeSearch));
	Datum	   *keys;

	Assert(PG_GETARG_UINT16(2) == GIN_STRATEGY_GRANTS);
	atk_scopes_search(scopes_argument(fcinfo, 0), search);
	*nkeys = search->nkeys;

	/* Nothing required: every set grants that, the empty one included. */
	if (search->nkeys == 0)
	{
		*mode = GIN_SEARCH_MODE_ALL;
		PG_RETURN_POINTER(NULL);
	}

	keys = palloc(sizeof(Datum) * search->nkeys);
	*extra = palloc0(sizeof(Pointer) * search->nkeys);
	(*extra)[0] = (Pointer) search;
	for (int i = 0; i < search->nkeys; i++)
		keys[i] = key_datum(search->keys[i]);
	PG_RETURN_POINTER(keys);
}

/* The worst of the groups, each of which is as good as its best key. */
static GinTernaryValue
consistent(const AtkScopeSearch *search, const GinTernaryValue *check)
{
	GinTernaryValue worst = GIN_TRUE;
	GinTernaryValue best = GIN_FALSE;

	for (int i = 0; i < search->nkeys; i++)
	{
		bool		last_of_group = i + 1 == search->nkeys ||
			search->groups[i + 1] != search->groups[i];

		if (check[i] == GIN_TRUE || best == GIN_FALSE)
			best = check[i];
		if (!last_of_group)
			continue;
		if (best == GIN_FALSE)
			return GIN_FALSE;
		if (best == GIN_MAYBE)
			worst = GIN_MAYBE;
		best = GIN_FALSE;
	}
	return worst;
}

/*
 * consistent(check, strategy, query, nkeys, extra_data, recheck OUT, ...).
 * A boolean is a ternary value that is never maybe, and is laid out alike.
 */
Datum
atk_sql_scopes_gin_consistent(PG_FUNCTION_ARGS)
{
	bool	   *check = (bool *) PG_GETARG_POINTER(0);
	int32		nkeys = PG_GETARG_INT32(3);
	Pointer    *extra = (Pointer *) PG_GETARG_POINTER(4);
	bool	   *recheck = (bool *) PG_GETARG_POINTER(5);

	StaticAssertStmt(sizeof(bool) == sizeof(GinTernaryValue) &&
					 GIN_FALSE == false && GIN_TRUE == true,
					 "a boolean is a ternary value");
	*recheck = false;
	PG_RETURN_BOOL(nkeys == 0 ||
				   consistent((AtkScopeSearch *) extra[0],
							  (GinTernaryValue *) check) == GIN_TRUE);
}

/* triConsistent(check, strategy, query, nkeys, extra_data, ...) */
Datum
atk_sql_scopes_gin_triconsistent(PG_FUNCTION_ARGS)
{
	GinTernaryValue *check = (GinTernaryValue *) PG_GETARG_POINTER(0);
	int32		nkeys = PG_GETARG_INT32(3);
	Pointer    *extra = (Pointer *) PG_GETARG_POINTER(4);

	PG_RETURN_GIN_TERNARY_VALUE(nkeys == 0 ? GIN_TRUE
								: consistent((AtkScopeSearch *) extra[0],
											 check));
}
