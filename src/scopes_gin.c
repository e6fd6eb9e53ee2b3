/*
 * scopes_gin.c
 *		Index keys of sets of scopes; see scopes_gin.h.
 */
#include "postgres.h"
#include "compat.h"

#include "miscadmin.h"

#include "scopes_gin.h"

static inline bool
is_separator(char c)
{
	return c == '.' || c == ':' || c == '/';
}

/* How many keys would grant this scope. */
static int
count_keys(AtkScope scope)
{
	int			n = 2;			/* itself and "*" */

	for (int i = 0; i < scope.len; i++)
		n += is_separator(scope.text[i]);
	return n;
}

static void
add_key(AtkScopeSearch *search, const char *text, int len)
{
	search->keys[search->nkeys] = (AtkScope) {text, len};
	search->groups[search->nkeys] = search->ngroups;
	search->nkeys++;
}

/* The wildcard made of the scope's first len characters. */
static void
add_wildcard(AtkScopeSearch *search, AtkScope scope, int len)
{
	char	   *text = palloc(len + 1);

	memcpy(text, scope.text, len);
	text[len] = '*';
	add_key(search, text, len + 1);
}

static void
add_group(AtkScopeSearch *search, AtkScope scope)
{
	add_key(search, scope.text, scope.len);
	add_wildcard(search, scope, 0);
	for (int i = 0; i < scope.len; i++)
	{
		if (is_separator(scope.text[i]))
			add_wildcard(search, scope, i + 1);
	}
	search->ngroups++;
}

void
atk_scopes_search(AtkScopes required, AtkScopeSearch *search)
{
	AtkScope	scope = {required.text, 0};
	int			room = 0;

	while (atk_scopes_next(required, &scope))
		room += count_keys(scope);

	search->nkeys = 0;
	search->ngroups = 0;
	search->keys = palloc((room + 1) * sizeof(AtkScope));
	search->groups = palloc((room + 1) * sizeof(int));

	scope = (AtkScope) {required.text, 0};
	while (atk_scopes_next(required, &scope))
	{
		CHECK_FOR_INTERRUPTS();
		add_group(search, scope);
	}
}
