/*
 * search.c
 *		Any JSON as the body of a query: what of it gets into the statement.
 */
#include "postgres.h"
#include "compat.h"

#include <ctype.h>

#include "catalog/pg_type.h"

#include "search.h"

#include "fuzz.h"

/* The terms of a body in the order in which they are bound. */
typedef struct Terms
{
	int			n;
	FuzzJson  **terms;
	bool	   *like;
} Terms;

static void
list_group(const FuzzJson *search_terms, const char *group, Terms *terms)
{
	const FuzzJson *conditions = fuzz_json_member(search_terms, group);

	for (int i = 0; conditions != NULL && i < conditions->n; i++)
	{
		const FuzzJson *condition = conditions->elements[i];
		const FuzzJson *list = fuzz_json_member(condition, "terms");

		for (int j = 0; list != NULL && j < list->n; j++)
		{
			terms->like[terms->n] =
				fuzz_json_is(fuzz_json_member(condition, "operator"), "LIKE");
			terms->terms[terms->n++] = list->elements[j];
		}
	}
}

/* There are fewer terms than bytes of input. */
static Terms
list_terms(const FuzzJson *body, size_t most)
{
	Terms		terms = {0, palloc(most * sizeof(FuzzJson *)), palloc(most)};
	const FuzzJson *search_terms = fuzz_json_member(body, "searchTerms");

	if (search_terms != NULL)
	{
		list_group(search_terms, "allOf", &terms);
		list_group(search_terms, "anyOf", &terms);
	}
	return terms;
}

/* A pattern is the term between two %, and nothing of it is a wildcard. */
static bool
is_pattern_of(const char *pattern, int len, const FuzzJson *term)
{
	int			n = 0;

	if (len < 2 || pattern[0] != '%' || pattern[len - 1] != '%')
		return false;
	for (int i = 1; i < len - 1; i++)
	{
		if (pattern[i] == '\\')
			i++;
		else if (pattern[i] == '%' || pattern[i] == '_')
			return false;
		if (i >= len - 1 || n >= term->len || pattern[i] != term->string[n++])
			return false;
	}
	return n == term->len;
}

static void
check_parameters(const AtkStatement *statement, const Terms *terms)
{
	int			n = 0;

	for (int i = 0; i < statement->nparams; i++)
	{
		const text *value;

		if (statement->types[i] == TIMESTAMPTZOID)
			continue;
		CHECK(statement->types[i] == TEXTOID && n < terms->n);
		value = DatumGetTextPP(statement->values[i]);
		if (terms->like[n])
			CHECK(is_pattern_of(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
								terms->terms[n]));
		else
			CHECK((int) VARSIZE_ANY_EXHDR(value) == terms->terms[n]->len &&
				  memcmp(VARDATA_ANY(value), terms->terms[n]->string,
						 terms->terms[n]->len) == 0);
		n++;
	}
	CHECK(n == terms->n);
}

/* Literals of the program: parentheses close, quotes too, numbers ascend. */
static void
check_literals(const AtkStatement *statement)
{
	int			depth = 0;
	int			quotes = 0;
	int			parameters = 0;

	for (int i = 0; i < statement->text.len; i++)
	{
		char		c = statement->text.data[i];

		CHECK(c >= 0x20 && c <= 0x7E);
		quotes += c == '\'';
		if (quotes % 2)
			continue;
		depth += (c == '(') - (c == ')');
		CHECK(depth >= 0 && c != ';');
		if (c == '$')
			CHECK(atoi(statement->text.data + i + 1) == ++parameters);
	}
	CHECK(depth == 0 && quotes % 2 == 0 && parameters == statement->nparams);
}

/* Other terms of the same kind: letters remain letters, the rest the rest. */
static void
change_terms(const Terms *terms)
{
	for (int i = 0; i < terms->n; i++)
	{
		for (int j = 0; j < terms->terms[i]->len; j++)
		{
			unsigned char c = terms->terms[i]->string[j];

			if (!IS_HIGHBIT_SET(c))
				terms->terms[i]->string[j] = isalnum(c) ? 'q' : '-';
		}
	}
}

static void
check_statement(FuzzJson *json, Jsonb *body, size_t most)
{
	AtkStatement statement;
	AtkStatement changed;
	Terms		terms = list_terms(json, most);
	bool		selective = atk_search_is_selective(body);

	atk_statement_init(&statement);
	atk_search_add(&statement, body, 1);
	CHECK(atk_search_is_empty(body) == (statement.text.len == 0));
	CHECK(!selective || terms.n > 0);
	check_literals(&statement);
	check_parameters(&statement, &terms);

	change_terms(&terms);
	atk_statement_init(&changed);
	atk_search_add(&changed, body, 1);
	CHECK(strcmp(statement.text.data, changed.text.data) == 0);
	CHECK(atk_search_is_selective(body) == selective);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	FuzzJson   *json;
	Jsonb	   *body;

	stub_reset();
	json = fuzz_json_read(data, len);
	body = fuzz_json_value(json);
	TRAP(atk_search_check(body));
	if (error_raised)
	{
		/* the path, and of what stands there 24 bytes at the most */
		CHECK(fuzz_raised("22023"));
		CHECK(strncmp(last_error.message, "body", 4) == 0);
		CHECK(strlen(last_error.message) < 160);
		return 0;
	}
	CHECK(json->type == jbvObject);
	check_statement(json, body, len + 1);
	return 0;
}
