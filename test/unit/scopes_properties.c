/*
 * scopes_properties.c
 *		What holds for any set of scopes, with random ones.
 *
 * Beside the sets of src/scopes.c stand naive ones: lists of C strings,
 * sorted by insertion, compared with strcmp(), written from the words of
 * src/scopes.h and sharing no code with it.
 */
#include "postgres.h"
#include "compat.h"

#include <stdlib.h>

#include "utils/builtins.h"

#include "scopes.h"
#include "scopes_gin.h"

#include "unit.h"

#define CASES 50000

#define MOST 12					/* scopes of a random set */
#define LONGEST (ATK_SCOPE_MAX + 1)

/* --- naive sets --- */

typedef struct Set
{
	int			n;
	char		scopes[2 * MOST][LONGEST];
} Set;

static int
find_in_set(const Set *set, const char *scope)
{
	for (int i = 0; i < set->n; i++)
	{
		if (strcmp(set->scopes[i], scope) == 0)
			return i;
	}
	return -1;
}

static void
add_to_set(Set *set, const char *scope)
{
	int			place = set->n;

	if (find_in_set(set, scope) >= 0)
		return;
	while (place > 0 && strcmp(set->scopes[place - 1], scope) > 0)
	{
		strcpy(set->scopes[place], set->scopes[place - 1]);
		place--;
	}
	strcpy(set->scopes[place], scope);
	set->n++;
}

/* What scopes.h calls canonical: in order, each once, single spaces. */
static char *
set_text(const Set *set)
{
	char	   *text = palloc(2 * MOST * (LONGEST + 1) + 1);

	text[0] = '\0';
	for (int i = 0; i < set->n; i++)
	{
		if (i > 0)
			strcat(text, " ");
		strcat(text, set->scopes[i]);
	}
	return text;
}

static bool
naive_scope_grants(const char *granted, const char *required)
{
	size_t		len = strlen(granted);

	if (strcmp(granted, required) == 0)
		return true;
	return granted[len - 1] == '*' &&
		strncmp(granted, required, len - 1) == 0;
}

static bool
naive_grants(const Set *granted, const Set *required)
{
	for (int i = 0; i < required->n; i++)
	{
		bool		found = false;

		for (int j = 0; j < granted->n; j++)
			found = found || naive_scope_grants(granted->scopes[j],
												required->scopes[i]);
		if (!found)
			return false;
	}
	return true;
}

/* Is this a scope, by the words of the design? */
static bool
naive_sound(const char *scope, size_t len)
{
	if (len < 1 || len > 255)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		uint8		c = (uint8) scope[i];

		if (c <= 0x20 || c >= 0x7F || c == '"' || c == '\\')
			return false;
		if (c == '*' && i + 1 < len)
			return false;
		if (c == '*' && i > 0 && scope[i - 1] != '.' &&
			scope[i - 1] != ':' && scope[i - 1] != '/')
			return false;
	}
	return true;
}

/* --- random scopes and sets --- */

/* From few words, so that scopes meet each other; sometimes from any. */
static void
random_scope(char *scope)
{
	static const char *const words[] = {"a", "b", "api", "users", "ab"};
	int			segments = 1 + random_below(4);

	scope[0] = '\0';
	if (random_below(20) == 0)
	{
		int			len = 1 + random_below(random_below(5) ? 30 : ATK_SCOPE_MAX);

		for (int i = 0; i < len; i++)
			do
				scope[i] = (char) (0x21 + random_below(0x7E - 0x21 + 1));
			while (strchr("\"\\*", scope[i]) != NULL);
		scope[len] = '\0';
		return;
	}
	for (int i = 0; i < segments; i++)
	{
		static const char *const separators[] = {".", ".", ":", "/"};

		if (i > 0)
			strcat(scope, separators[random_below(lengthof(separators))]);
		if (i + 1 == segments && random_below(4) == 0)
			strcat(scope, "*");
		else
			strcat(scope, words[random_below(lengthof(words))]);
	}
}

/* The same scopes as a naive set and, in their first order, as a list. */
static int
random_list(char list[MOST][LONGEST], Set *set)
{
	int			n = random_below(8) ? random_below(5) : random_below(MOST + 1);

	set->n = 0;
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && random_below(6) == 0)
			strcpy(list[i], list[random_below(i)]);
		else
			random_scope(list[i]);
		add_to_set(set, list[i]);
	}
	return n;
}

static struct varlena *
make_from_list(char list[MOST][LONGEST], int n)
{
	AtkScope   *scopes = palloc((n + 1) * sizeof(AtkScope));

	for (int i = 0; i < n; i++)
		scopes[i] = (AtkScope) {list[i], (int) strlen(list[i])};
	return atk_scopes_make(scopes, n);
}

/* A random set as ours and as the naive one. */
static AtkScopes
random_set(Set *set)
{
	char		list[MOST][LONGEST];
	struct varlena *made = make_from_list(list, random_list(list, set));

	return ATK_SCOPES_OF(made);
}

/* Reads a text; NULL, and last_error, where that raises. */
static pg_noinline struct varlena *
try_text(const char *text, int len)
{
	struct varlena *volatile read = NULL;

	TRAP(read = atk_scopes_from_text(text, len, NULL));
	return read;
}

static pg_noinline struct varlena *
try_array(StubArray *array)
{
	struct varlena *volatile read = NULL;

	TRAP(read = atk_scopes_from_array((ArrayType *) array));
	return read;
}

static bool
is(AtkScopes scopes, const char *text)
{
	return scopes.len == (int) strlen(text) &&
		memcmp(scopes.text, text, scopes.len) == 0;
}

static bool
same(AtkScopes a, AtkScopes b)
{
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* --- making, reading and writing --- */

static void
test_make(void)
{
	Property	property;

	for (property_begin(&property, "a set is canonical, whatever the order", CASES);
		 property_next(&property);)
	{
		char		list[MOST][LONGEST];
		Set			set;
		int			n = random_list(list, &set);
		struct varlena *made = make_from_list(list, n);
		AtkScopes	scopes = ATK_SCOPES_OF(made);
		char	   *expected = set_text(&set);
		int			seen = 0;
		AtkScope	scope = {scopes.text, 0};

		hold(&property, is(scopes, expected), "\"%.*s\", expected \"%s\"",
			 scopes.len, scopes.text, expected);
		hold(&property, atk_scopes_canonical(scopes),
			 "\"%.*s\" is not canonical", scopes.len, scopes.text);
		hold(&property, atk_scopes_count(scopes) == set.n, "count of \"%.*s\"",
			 scopes.len, scopes.text);
		while (atk_scopes_next(scopes, &scope))
		{
			hold(&property, seen < set.n &&
				 scope.len == (int) strlen(set.scopes[seen]) &&
				 memcmp(scope.text, set.scopes[seen], scope.len) == 0,
				 "scope %d of \"%.*s\"", seen, scopes.len, scopes.text);
			seen++;
		}
		hold(&property, seen == set.n, "walked %d of \"%.*s\"", seen,
			 scopes.len, scopes.text);

		/* The list in another order is the same set. */
		for (int i = n - 1; i > 0; i--)
		{
			int			j = random_below(i + 1);
			char		kept[LONGEST];

			memcpy(kept, list[i], LONGEST);
			memmove(list[i], list[j], LONGEST);
			memcpy(list[j], kept, LONGEST);
		}
		made = make_from_list(list, n);
		hold(&property, same(scopes, ATK_SCOPES_OF(made)),
			 "\"%s\" depends on the order", expected);
	}
}

/* in, then out, then in again */
static void
test_text(void)
{
	Property	property;

	for (property_begin(&property, "text with any spaces is read as the set", CASES);
		 property_next(&property);)
	{
		char		list[MOST][LONGEST];
		Set			set;
		int			n = random_list(list, &set);
		char	   *text = palloc(MOST * (LONGEST + 4) + 4);
		char	   *exact;
		struct varlena *read;
		struct varlena *again;

		text[0] = '\0';
		for (int i = 0; i < n; i++)
		{
			for (int j = random_below(3) + (i > 0); j > 0; j--)
				strcat(text, " ");
			strcat(text, list[i]);
		}
		if (random_below(2))
			strcat(text, "  ");

		/* Memory of exactly its length, for the sanitizer. */
		exact = palloc(strlen(text));
		memcpy(exact, text, strlen(text));
		read = atk_scopes_from_text(exact, strlen(text), NULL);
		hold(&property, is(ATK_SCOPES_OF(read), set_text(&set)),
			 "\"%s\" is read as \"%.*s\"", text,
			 ATK_SCOPES_OF(read).len, ATK_SCOPES_OF(read).text);

		again = atk_scopes_from_text(VARDATA(read),
									 VARSIZE(read) - VARHDRSZ, NULL);
		hold(&property, same(ATK_SCOPES_OF(read), ATK_SCOPES_OF(again)),
			 "\"%s\": its output is read as another", text);
	}
}

static void
test_array(void)
{
	Property	property;

	for (property_begin(&property, "text[] and back", CASES);
		 property_next(&property);)
	{
		char		list[MOST][LONGEST];
		Set			set;
		StubArray	array = {random_list(list, &set), NULL, NULL};
		struct varlena *read;
		ArrayType  *written;
		char	   *place;
		int			n;

		array.elements = palloc((array.n + 1) * sizeof(Datum));
		array.nulls = palloc0(array.n + 1);
		for (int i = 0; i < array.n; i++)
			array.elements[i] =
				PointerGetDatum(cstring_to_text_with_len(list[i],
														 strlen(list[i])));
		read = atk_scopes_from_array((ArrayType *) &array);
		hold(&property, is(ATK_SCOPES_OF(read), set_text(&set)),
			 "read as \"%.*s\"", ATK_SCOPES_OF(read).len,
			 ATK_SCOPES_OF(read).text);

		written = atk_scopes_to_array(ATK_SCOPES_OF(read));
		n = ARR_NDIM(written) == 0 ? 0 : ARR_DIMS(written)[0];
		hold(&property, n == set.n, "%d elements of \"%s\"", n,
			 set_text(&set));
		hold(&property, n == 0 || (ARR_NDIM(written) == 1 &&
								   ARR_LBOUND(written)[0] == 1),
			 "dimensions of \"%s\"", set_text(&set));
		hold(&property, !ARR_HASNULL(written) &&
			 ARR_ELEMTYPE(written) == TEXTOID,
			 "type of \"%s\"", set_text(&set));
		place = ARR_DATA_PTR(written);
		for (int i = 0; i < Min(n, set.n); i++)
		{
			text	   *element = (text *) place;

			place += INTALIGN(VARSIZE(element));
			hold(&property, is((AtkScopes) {VARDATA_ANY(element),
				 VARSIZE_ANY_EXHDR(element)}, set.scopes[i]),
				 "element %d of \"%s\"", i, set_text(&set));
		}
		hold(&property, place == (char *) written + VARSIZE(written),
			 "size of \"%s\"", set_text(&set));
	}
}

/* A text as bytes, of few characters, so that it is now and then canonical. */
static char *
random_bytes_text(int *len)
{
	char	   *text;

	if (random_below(2))
	{
		/* a canonical text with a few bytes changed */
		Set			set;
		AtkScopes	scopes = random_set(&set);

		*len = scopes.len;
		text = palloc(*len);
		memcpy(text, scopes.text, *len);
		for (int i = random_below(3); i > 0 && *len > 0; i--)
			text[random_below(*len)] = random_below(2)
				? random_of("ab. */:\"\\") : (char) random_below(256);
		return text;
	}
	*len = random_below(random_below(10) ? 8 : 300);
	text = palloc(*len);
	for (int i = 0; i < *len; i++)
		text[i] = random_below(40)
			? random_of("aab. ") : random_of("*:/\"\\\t\n~!");
	return text;
}

/* Are these bytes canonical?  Split at each space and look. */
static bool
naive_canonical(const char *text, int len)
{
	const char *start = text;
	const char *previous = NULL;
	size_t		previous_len = 0;

	if (len == 0)
		return true;
	for (;;)
	{
		size_t		n = 0;
		size_t		common;
		int			order;

		while (start + n < text + len && start[n] != ' ')
			n++;
		if (!naive_sound(start, n))
			return false;
		if (previous != NULL)
		{
			common = Min(n, previous_len);
			order = memcmp(previous, start, common);
			if (order > 0 || (order == 0 && previous_len >= n))
				return false;
		}
		if (start + n == text + len)
			return true;
		previous = start;
		previous_len = n;
		start += n + 1;
	}
}

/*
 * This is what stands between bytes off the wire and a value: what it lets
 * pass must be what reading the same text gives.
 */
static void
test_canonical(void)
{
	Property	property;
	long		canonical = 0;

	for (property_begin(&property, "canonical bytes are read as themselves",
						4 * CASES);
		 property_next(&property);)
	{
		int			len;
		char	   *text = random_bytes_text(&len);
		bool		good = atk_scopes_canonical((AtkScopes) {text, len});
		struct varlena *read = try_text(text, len);

		canonical += good;
		hold(&property, good == naive_canonical(text, len),
			 "\"%.*s\" is called %s", len, text,
			 good ? "canonical" : "not canonical");
		if (good)
			hold(&property, !error_raised &&
				 same(ATK_SCOPES_OF(read), (AtkScopes) {text, len}),
				 "\"%.*s\" is read as something else", len, text);
		else if (!error_raised)
			hold(&property, !same(ATK_SCOPES_OF(read), (AtkScopes) {text, len}),
				 "\"%.*s\" is read as itself", len, text);
	}
	ok(canonical > 100 || property.cases < CASES,
	   "and some were canonical (%ld)", canonical);
}

/* --- errors --- */

static void
test_faults(void)
{
	Property	property;

	for (property_begin(&property, "a malformed scope is 22P02 and not repeated",
						CASES);
		 property_next(&property);)
	{
		int			len = 1 + random_below(random_below(10) ? 12 : 300);
		char	   *text = palloc(len);
		bool		sound;

		for (int i = 0; i < len; i++)
			do
				text[i] = random_below(6) ? random_of("abcxyz.:/*")
					: (char) random_below(256);
			while (text[i] == ' ');
		sound = naive_sound(text, len);
		hold(&property, (atk_scope_fault((AtkScope) {text, len}) == NULL) == sound,
			 "\"%.*s\" is called %s", len, text, sound ? "bad" : "sound");

		try_text(text, len);
		hold(&property, error_raised == !sound, "\"%.*s\" is read", len, text);
		if (!error_raised)
			continue;
		hold(&property, strcmp(last_error.sqlstate, "22P02") == 0,
			 "SQLSTATE %s", last_error.sqlstate);
		hold(&property,
			 strcmp(last_error.message, "scope number 1 is malformed") == 0 &&
			 strlen(last_error.detail) > 20, "message: %s (%s)",
			 last_error.message, last_error.detail);
	}
}

/* Which one it is, is said; a NULL is another error. */
static void
test_array_faults(void)
{
	Property	property;

	for (property_begin(&property, "a bad element of a text[] is counted",
						CASES / 10);
		 property_next(&property);)
	{
		char		list[MOST][LONGEST];
		Set			set;
		StubArray	array = {random_list(list, &set), NULL, NULL};
		bool		null = random_below(2);
		char		expected[100];
		int			bad;

		if (array.n == 0)
			continue;
		bad = random_below(array.n);
		array.elements = palloc(array.n * sizeof(Datum));
		array.nulls = palloc0(array.n);
		for (int i = 0; i < array.n; i++)
			array.elements[i] =
				PointerGetDatum(cstring_to_text_with_len(list[i],
														 strlen(list[i])));
		if (null)
			array.nulls[bad] = true;
		else
			array.elements[bad] =
				PointerGetDatum(cstring_to_text_with_len("not one", 7));

		strcpy(expected, "scope number ");
		if (bad + 1 >= 10)
			strcat(expected, "1");
		strncat(expected, &"0123456789"[(bad + 1) % 10], 1);
		strcat(expected, null ? " is null" : " is malformed");
		try_array(&array);
		hold(&property, error_raised &&
			 strcmp(last_error.message, expected) == 0, "\"%s\", expected \"%s\"",
			 last_error.message, expected);
		hold(&property, strcmp(last_error.sqlstate,
							   null ? "22004" : "22P02") == 0,
			 "SQLSTATE %s", last_error.sqlstate);
	}
}

/* The lengths at which it tips over. */
static void
test_lengths(void)
{
	char		text[300];
	struct varlena *read;

	memset(text, 'x', sizeof(text));
	read = try_text(text, 255);
	ok(!error_raised && ATK_SCOPES_OF(read).len == 255, "a scope of 255");
	try_text(text, 256);
	ok(error_raised && strcmp(last_error.sqlstate, "22P02") == 0,
	   "a scope of 256 is refused");
	text[254] = '*';
	text[253] = '/';
	ok(atk_scope_fault((AtkScope) {text, 255}) == NULL, "a wildcard of 255");
	read = try_text("", 0);
	ok(!error_raised && ATK_SCOPES_OF(read).len == 0, "no scope at all");
	read = try_text("   ", 3);
	ok(!error_raised && ATK_SCOPES_OF(read).len == 0, "nothing but spaces");
	stub_reset();
}

/* --- what is granted --- */

/* The examples that the design gives, one by one. */
static void
test_examples(void)
{
	static const struct
	{
		const char *granted;
		const char *required;
		bool		yes;
	}			examples[] = {
		{"api.users.*", "api.users.read", true},
		{"api.users.*", "api.users.a.b", true},
		{"api.users.*", "api.users", false},
		{"api.users.*", "api.users.*", true},
		{"api.users.*", "api.users.read.*", true},
		{"api.users.*", "api.*", false},
		{"api.users.*", "*", false},
		{"api.users.*", "api.usersread", false},
		{"api.users.*", "api.users.", true},
		{"api.users.read", "api.users.*", false},
		{"api.users.read", "api.users.reader", false},
		{"api.users.reader", "api.users.read", false},
		{"*", "anything", true},
		{"*", "*", true},
		{"*", "", true},
		{"", "", true},
		{"", "anything", false},
		{"a:*", "a:b", true},
		{"a/*", "a/b", true},
		{"a/*", "a:b", false},
		{"A", "a", false},
		{"a b", "a", true},
		{"a b", "a b", true},
		{"a b", "a b c", false},
		{"a.* b", "a.x b", true},
	};

	for (int i = 0; i < (int) lengthof(examples); i++)
	{
		AtkScopes	granted = {examples[i].granted, strlen(examples[i].granted)};
		AtkScopes	required = {examples[i].required, strlen(examples[i].required)};

		ok(atk_scopes_grant(granted, required) == examples[i].yes,
		   "\"%s\" %s \"%s\"", examples[i].granted,
		   examples[i].yes ? "grants" : "does not grant",
		   examples[i].required);
	}
}

static void
test_grants(void)
{
	Property	property;
	long		granted_often = 0;

	for (property_begin(&property, "grants as the naive sets do", 4 * CASES);
		 property_next(&property);)
	{
		Set			granted_set;
		Set			required_set;
		AtkScopes	granted = random_set(&granted_set);
		AtkScopes	required = random_set(&required_set);
		bool		yes = atk_scopes_grant(granted, required);

		granted_often += yes && required.len > 0;
		hold(&property, yes == naive_grants(&granted_set, &required_set),
			 "\"%.*s\" %s \"%.*s\"", granted.len, granted.text,
			 yes ? "grants" : "does not grant", required.len, required.text);
		hold(&property, atk_scopes_grant(granted, granted),
			 "\"%.*s\" does not grant itself", granted.len, granted.text);
	}
	ok(granted_often > 100 || property.cases < CASES,
	   "and some did (%ld)", granted_often);
}

/* --- union, difference, order --- */

static void
test_union(void)
{
	Property	property;

	for (property_begin(&property, "union and difference as the naive sets", CASES);
		 property_next(&property);)
	{
		Set			a_set;
		Set			b_set;
		AtkScopes	a = random_set(&a_set);
		AtkScopes	b = random_set(&b_set);
		Set			both = a_set;
		Set			left = {0};
		struct varlena *joined = atk_scopes_union(a, b);
		struct varlena *swapped = atk_scopes_union(b, a);
		struct varlena *rest = atk_scopes_difference(a, b);

		for (int i = 0; i < b_set.n; i++)
			add_to_set(&both, b_set.scopes[i]);
		for (int i = 0; i < a_set.n; i++)
		{
			if (find_in_set(&b_set, a_set.scopes[i]) < 0)
				add_to_set(&left, a_set.scopes[i]);
		}
		hold(&property, is(ATK_SCOPES_OF(joined), set_text(&both)),
			 "\"%.*s\" + \"%.*s\"", a.len, a.text, b.len, b.text);
		hold(&property, same(ATK_SCOPES_OF(joined), ATK_SCOPES_OF(swapped)),
			 "\"%.*s\" + \"%.*s\" is not the other way round", a.len, a.text,
			 b.len, b.text);
		hold(&property, is(ATK_SCOPES_OF(rest), set_text(&left)),
			 "\"%.*s\" - \"%.*s\"", a.len, a.text, b.len, b.text);
		hold(&property, atk_scopes_grant(ATK_SCOPES_OF(joined), a) &&
			 atk_scopes_grant(a, ATK_SCOPES_OF(rest)),
			 "\"%.*s\" and \"%.*s\": what a union grants", a.len, a.text,
			 b.len, b.text);
	}
}

/* The order of two sets is that of their lists of scopes. */
static int
naive_order(const Set *a, const Set *b)
{
	for (int i = 0; i < a->n && i < b->n; i++)
	{
		int			order = strcmp(a->scopes[i], b->scopes[i]);

		if (order != 0)
			return order < 0 ? -1 : 1;
	}
	return (a->n > b->n) - (a->n < b->n);
}

static void
test_order(void)
{
	Property	property;

	for (property_begin(&property, "order is that of the lists", CASES);
		 property_next(&property);)
	{
		Set			a_set;
		Set			b_set;
		AtkScopes	a = random_set(&a_set);
		AtkScopes	b = random_set(&b_set);

		hold(&property, atk_scopes_compare(a, b) == naive_order(&a_set, &b_set),
			 "\"%.*s\" and \"%.*s\"", a.len, a.text, b.len, b.text);
		hold(&property, atk_scopes_compare(a, b) == -atk_scopes_compare(b, a) &&
			 atk_scopes_compare(a, a) == 0, "\"%.*s\" and \"%.*s\" the other way",
			 a.len, a.text, b.len, b.text);
	}
}

/* --- the index --- */

/* What the index answers: of each group, is at least one key there? */
static bool
index_grants(const Set *granted, AtkScopeSearch *search)
{
	for (int group = 0; group < search->ngroups; group++)
	{
		bool		found = false;

		for (int i = 0; i < search->nkeys; i++)
		{
			char		key[LONGEST + 1];

			if (search->groups[i] != group)
				continue;
			memcpy(key, search->keys[i].text, search->keys[i].len);
			key[search->keys[i].len] = '\0';
			found = found || find_in_set(granted, key) >= 0;
		}
		if (!found)
			return false;
	}
	return true;
}

static void
test_search(void)
{
	Property	property;

	for (property_begin(&property, "a search by keys finds what grants", 4 * CASES);
		 property_next(&property);)
	{
		Set			granted_set;
		Set			required_set;
		AtkScopes	granted = random_set(&granted_set);
		AtkScopes	required = random_set(&required_set);
		AtkScopeSearch search;

		atk_scopes_search(required, &search);
		hold(&property, search.ngroups == required_set.n, "%d groups of \"%.*s\"",
			 search.ngroups, required.len, required.text);
		for (int i = 0; i < search.nkeys; i++)
		{
			/* The consistent functions take groups in one run each. */
			hold(&property, i == 0
				 ? search.groups[i] == 0
				 : search.groups[i] == search.groups[i - 1] ||
				 search.groups[i] == search.groups[i - 1] + 1,
				 "groups of \"%.*s\" are out of order", required.len,
				 required.text);
			hold(&property, search.keys[i].len >= 1 &&
				 search.keys[i].len <= ATK_SCOPE_MAX + 1,
				 "key %d of \"%.*s\" has %d bytes", i, required.len,
				 required.text, search.keys[i].len);
		}
		hold(&property, index_grants(&granted_set, &search) ==
			 atk_scopes_grant(granted, required),
			 "\"%.*s\" and \"%.*s\"", granted.len, granted.text,
			 required.len, required.text);
	}
}

/* A long list must be possible to cancel. */
static void
test_interrupts(void)
{
	int			len = 200000;
	char	   *text = palloc(len);

	for (int i = 0; i < len; i++)
		text[i] = i % 2 ? ' ' : random_of("abc");
	interrupts_checked = 0;
	atk_scopes_from_text(text, len, NULL);
	ok(interrupts_checked > 1000, "reading a long text can be cancelled");
	stub_reset();
}

int
main(void)
{
	unit_begin();
	test_make();
	test_text();
	test_array();
	test_canonical();
	test_faults();
	test_array_faults();
	test_lengths();
	test_examples();
	test_grants();
	test_union();
	test_order();
	test_search();
	test_interrupts();
	return unit_end();
}
