/*
 * scopes.c
 *		A set of scopes; see scopes.h for its rules and its form.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "scopes.h"
#include "token_text.h"

/* Scopes in bytewise order, a prefix before what it is a prefix of. */
static int
scope_compare(AtkScope a, AtkScope b)
{
	int			order = memcmp(a.text, b.text, Min(a.len, b.len));

	return order != 0 ? order : a.len - b.len;
}

static int
scope_compare_qsort(const void *a, const void *b)
{
	return scope_compare(*(const AtkScope *) a, *(const AtkScope *) b);
}

/* RFC 6749: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) */
static inline bool
is_scope_char(char c)
{
	return c >= 0x21 && c <= 0x7E && c != '"' && c != '\\';
}

/* An array for n scopes, perhaps a very long one. */
static AtkScope *
alloc_scopes(int n)
{
	return palloc_extended(((Size) n + 1) * sizeof(AtkScope),
						   MCXT_ALLOC_HUGE);
}

const char *
atk_scope_fault(AtkScope scope)
{
	if (scope.len < 1 || scope.len > ATK_SCOPE_MAX)
		return "A scope has 1 to 255 characters.";

	for (int i = 0; i < scope.len; i++)
	{
		char		c = scope.text[i];

		if (!is_scope_char(c))
			return "A scope consists of printable ASCII characters other than space, double quote and backslash.";
		if (c == '*' &&
			(i != scope.len - 1 ||
			 (i > 0 && strchr(".:/", scope.text[i - 1]) == NULL)))
			return "An asterisk may only stand alone or as the last character after \".\", \":\" or \"/\".";
	}
	return NULL;
}

bool
atk_scopes_next(AtkScopes scopes, AtkScope *scope)
{
	const char *end = scopes.text + scopes.len;
	const char *start = scope->text;
	const char *space;

	/* Behind the previous scope, and the space that follows it, if any. */
	if (scope->len > 0)
		start += scope->len + 1;
	if (start >= end)
		return false;

	space = memchr(start, ' ', end - start);
	scope->text = start;
	scope->len = (int) ((space ? space : end) - start);
	return true;
}

int
atk_scopes_count(AtkScopes scopes)
{
	int			spaces = 0;

	if (scopes.len == 0)
		return 0;
	for (int i = 0; i < scopes.len; i++)
		spaces += scopes.text[i] == ' ';
	return spaces + 1;
}

bool
atk_scopes_canonical(AtkScopes scopes)
{
	AtkScope	previous = {NULL, 0};
	const char *start = scopes.text;
	const char *end = scopes.text + scopes.len;

	/* By hand: atk_scopes_next() may rely on what is to be shown here. */
	while (start < end)
	{
		const char *space = memchr(start, ' ', end - start);
		AtkScope	scope = {start, (int) ((space ? space : end) - start)};

		CHECK_FOR_INTERRUPTS();
		if (atk_scope_fault(scope) != NULL ||
			(previous.text && scope_compare(previous, scope) >= 0) ||
			(space && space + 1 == end))
			return false;
		previous = scope;
		start += scope.len + 1;
	}
	return true;
}

struct varlena *
atk_scopes_make(AtkScope *scopes, int n)
{
	Size		size = VARHDRSZ;
	struct varlena *result;
	char	   *out;

	qsort(scopes, n, sizeof(AtkScope), scope_compare_qsort);
	for (int i = 0; i < n; i++)
		size += scopes[i].len + 1;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("set of scopes is too large")));

	result = palloc(size);
	out = VARDATA(result);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && scope_compare(scopes[i - 1], scopes[i]) == 0)
			continue;
		if (i > 0)
			*out++ = ' ';
		memcpy(out, scopes[i].text, scopes[i].len);
		out += scopes[i].len;
	}
	SET_VARSIZE(result, out - (char *) result);
	return result;
}

/* Splits a text at its spaces; returns how many, and the array. */
static int
split(const char *text, int len, AtkScope **scopes)
{
	const char *end = text + len;
	int			n = 0;
	int			room = 16;

	*scopes = palloc(room * sizeof(AtkScope));
	for (const char *start = text; start < end;)
	{
		const char *stop = memchr(start, ' ', end - start);

		CHECK_FOR_INTERRUPTS();
		if (stop == NULL)
			stop = end;
		if (stop > start)
		{
			if (n == room)
				*scopes = repalloc_huge(*scopes,
										(Size) (room *= 2) * sizeof(AtkScope));
			(*scopes)[n++] = (AtkScope) {start, (int) (stop - start)};
		}
		start = stop + 1;
	}
	return n;
}

/* Which scope is at fault, never its text: it may be a misplaced secret. */
static struct varlena *
make_checked(AtkScope *scopes, int n, struct Node *escontext)
{
	for (int i = 0; i < n; i++)
	{
		const char *fault = atk_scope_fault(scopes[i]);

		CHECK_FOR_INTERRUPTS();
		if (fault != NULL)
			ereturn(escontext, NULL,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("scope number %d is malformed", i + 1),
					 errdetail("%s", fault)));
	}
	return atk_scopes_make(scopes, n);
}

struct varlena *
atk_scopes_from_text(const char *text, int len, struct Node *escontext)
{
	AtkScope   *scopes;
	int			n = split(text, len, &scopes);

	return make_checked(scopes, n, escontext);
}

struct varlena *
atk_scopes_required(const text *scope)
{
	if (!atk_has_visible_character(scope))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scope is blank"),
				 errhint("Give the scopes that are required, or NULL for none.")));
	return atk_scopes_from_text(VARDATA_ANY(scope), VARSIZE_ANY_EXHDR(scope),
								NULL);
}

struct varlena *
atk_scopes_from_array(ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	AtkScope   *scopes;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	scopes = alloc_scopes(n);
	for (int i = 0; i < n; i++)
	{
		text	   *element;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("scope number %d is null", i + 1)));
		element = DatumGetTextPP(elements[i]);
		scopes[i] = (AtkScope) {VARDATA_ANY(element),
								VARSIZE_ANY_EXHDR(element)};
	}
	return make_checked(scopes, n, NULL);
}

/*
 * In one piece, where construct_array() would want each scope as a text of
 * its own first: every row of verify() has such an array.
 */
ArrayType *
atk_scopes_to_array(AtkScopes scopes)
{
	int			n = atk_scopes_count(scopes);
	Size		size = ARR_OVERHEAD_NONULLS(1) + scopes.len +
		(Size) n * INTALIGN(VARHDRSZ + ALIGNOF_INT - 1);
	AtkScope	scope = {scopes.text, 0};
	ArrayType  *array = palloc0(size);
	char	   *end;

	array->elemtype = TEXTOID;
	if (n > 0)
	{
		array->ndim = 1;
		ARR_DIMS(array)[0] = n;
		ARR_LBOUND(array)[0] = 1;
	}
	end = ARR_DATA_PTR(array);
	while (atk_scopes_next(scopes, &scope))
	{
		SET_VARSIZE(end, VARHDRSZ + scope.len);
		memcpy(VARDATA(end), scope.text, scope.len);
		end += INTALIGN(VARHDRSZ + scope.len);
	}
	SET_VARSIZE(array, end - (char *) array);
	return array;
}

bool
atk_scope_grants(AtkScope granted, AtkScope required)
{
	if (granted.text[granted.len - 1] == '*')
	{
		int			prefix_len = granted.len - 1;

		return required.len >= prefix_len &&
			memcmp(granted.text, required.text, prefix_len) == 0;
	}
	return granted.len == required.len &&
		memcmp(granted.text, required.text, granted.len) == 0;
}

/* Is this one required scope granted? */
static bool
any_grants(AtkScopes granted, AtkScope required)
{
	AtkScope	scope = {granted.text, 0};

	while (atk_scopes_next(granted, &scope))
	{
		if (atk_scope_grants(scope, required))
			return true;
	}
	return false;
}

bool
atk_scopes_grant(AtkScopes granted, AtkScopes required)
{
	AtkScope	scope = {required.text, 0};

	while (atk_scopes_next(required, &scope))
	{
		CHECK_FOR_INTERRUPTS();
		if (!any_grants(granted, scope))
			return false;
	}
	return true;
}

bool
atk_scope_known(AtkScopes known, AtkScope scope)
{
	AtkScope	one = {known.text, 0};

	while (atk_scopes_next(known, &one))
	{
		if (atk_scope_grants(one, scope) || atk_scope_grants(scope, one))
			return true;
	}
	return false;
}

struct varlena *
atk_scopes_unknown(AtkScopes scopes, AtkScopes known)
{
	AtkScope   *unknown = alloc_scopes(atk_scopes_count(scopes));
	AtkScope	scope = {scopes.text, 0};
	int			n = 0;

	while (atk_scopes_next(scopes, &scope))
	{
		CHECK_FOR_INTERRUPTS();
		if (!atk_scope_known(known, scope))
			unknown[n++] = scope;
	}
	return atk_scopes_make(unknown, n);
}

/* Lists a canonical text into an array that has room. */
static int
list_scopes(AtkScopes scopes, AtkScope *out)
{
	AtkScope	scope = {scopes.text, 0};
	int			n = 0;

	while (atk_scopes_next(scopes, &scope))
		out[n++] = scope;
	return n;
}

struct varlena *
atk_scopes_union(AtkScopes a, AtkScopes b)
{
	AtkScope   *all = alloc_scopes(atk_scopes_count(a) + atk_scopes_count(b));
	int			n = list_scopes(a, all);

	n += list_scopes(b, all + n);
	return atk_scopes_make(all, n);
}

struct varlena *
atk_scopes_difference(AtkScopes a, AtkScopes b)
{
	AtkScope   *kept = alloc_scopes(atk_scopes_count(a));
	AtkScope	minuend = {a.text, 0};
	AtkScope	subtrahend = {b.text, 0};
	bool		more = atk_scopes_next(b, &subtrahend);
	int			n = 0;

	/* Both are in order, so one pass over the two is enough. */
	while (atk_scopes_next(a, &minuend))
	{
		while (more && scope_compare(subtrahend, minuend) < 0)
			more = atk_scopes_next(b, &subtrahend);
		if (!more || scope_compare(subtrahend, minuend) != 0)
			kept[n++] = minuend;
	}
	return atk_scopes_make(kept, n);
}

int
atk_scopes_compare(AtkScopes a, AtkScopes b)
{
	int			order = memcmp(a.text, b.text, Min(a.len, b.len));

	if (order == 0)
		order = (a.len > b.len) - (a.len < b.len);
	return (order > 0) - (order < 0);
}
