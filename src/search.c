/*
 * search.c
 *		The conditions of "Query API Tokens"; see search.h.
 *
 * Field, operator and column names come from the tables below, terms become
 * bound parameters: nothing of the body gets into the text of a statement.
 */
#include "postgres.h"
#include "compat.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "json.h"
#include "search.h"

#define TRIGRAM 3

/* --- what a body may contain --- */

static const char *const field_names[] = {
	"CLIENT_NAME", "CLIENT_ID", "TOKEN_NAME", "PRINCIPAL_NAME",
	"ROLES", "ROLE_NAME", "ROLE_DISPLAY_NAME", NULL
};
static const char *const operator_names[] = {
	"LIKE", "EQUALS", "EMPTY", "NOT_EMPTY", NULL
};
static const char *const type_names[] = {
	"API_CLIENT", "USER", "UNKNOWN", NULL
};
static const char *const status_names[] = {
	"ACTIVE", "EXPIRED", "UNKNOWN", NULL
};

static const AtkJsonRule string_rule = {.type = ATK_JSON_STRING};
static const AtkJsonRule field_rule = {
	.type = ATK_JSON_STRING, .allowed = field_names
};
static const AtkJsonRule operator_rule = {
	.type = ATK_JSON_STRING, .allowed = operator_names
};
static const AtkJsonRule terms_rule = {
	.type = ATK_JSON_ARRAY, .element = &string_rule
};

static void check_condition(JsonbContainer *condition, const char *path);

static const AtkJsonMember condition_members[] = {
	{"field", &field_rule, true},
	{"operator", &operator_rule, true},
	{"terms", &terms_rule, false},
	{NULL}
};
static const AtkJsonRule condition_rule = {
	.type = ATK_JSON_OBJECT, .members = condition_members,
	.check = check_condition
};
static const AtkJsonRule conditions_rule = {
	.type = ATK_JSON_ARRAY, .element = &condition_rule
};

static const AtkJsonMember search_terms_members[] = {
	{"allOf", &conditions_rule, false},
	{"anyOf", &conditions_rule, false},
	{NULL}
};
static const AtkJsonRule search_terms_rule = {
	.type = ATK_JSON_OBJECT, .members = search_terms_members
};

static const AtkJsonRule type_rule = {
	.type = ATK_JSON_STRING, .allowed = type_names
};
static const AtkJsonRule types_rule = {
	.type = ATK_JSON_ARRAY, .element = &type_rule, .not_empty = true
};
static const AtkJsonRule status_rule = {
	.type = ATK_JSON_STRING, .allowed = status_names
};
static const AtkJsonRule statuses_rule = {
	.type = ATK_JSON_ARRAY, .element = &status_rule, .not_empty = true
};

static const AtkJsonMember filters_members[] = {
	{"tokenType", &types_rule, false},
	{"tokenStatus", &statuses_rule, false},
	{NULL}
};
static const AtkJsonRule filters_rule = {
	.type = ATK_JSON_OBJECT, .members = filters_members
};

static const AtkJsonMember body_members[] = {
	{"searchTerms", &search_terms_rule, false},
	{"filters", &filters_rule, false},
	{NULL}
};
static const AtkJsonRule body_rule = {
	.type = ATK_JSON_OBJECT, .members = body_members
};

/* Does the operator compare with terms? */
static bool
takes_terms(JsonbContainer *condition)
{
	JsonbValue	operator;

	(void) atk_json_get(condition, "operator", &operator);
	return atk_json_is(&operator, "LIKE") || atk_json_is(&operator, "EQUALS");
}

static void
check_condition(JsonbContainer *condition, const char *path)
{
	bool		has_terms = atk_json_get_length(condition, "terms") > 0;

	if (takes_terms(condition) && !has_terms)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s.terms: must have at least one element", path),
				 errhint("Operators \"EMPTY\" and \"NOT_EMPTY\" take no terms.")));
	if (!takes_terms(condition) && has_terms)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s.terms: must be empty or absent", path),
				 errhint("Operators \"EMPTY\" and \"NOT_EMPTY\" take no terms.")));
}

void
atk_search_check(Jsonb *body)
{
	atk_json_check(body, &body_rule, "body");
}

/* --- conditions --- */

/*
 * What a field is in SQL.  Roles are the names inside allowed_scopes: a
 * condition on them holds if it holds for one of them.
 */
typedef struct Field
{
	const char *name;
	const char *before;			/* ... value operator term ... */
	const char *value;
	const char *after;
	const char *empty;
} Field;

#define COLUMN(name, column) \
	{name, "", column, "", "(" column " IS NULL OR " column " OPERATOR(pg_catalog.=) '')"}
#define ROLE_NAMES \
	"pg_catalog.jsonb_path_query(t.allowed_scopes, '$.*.roles[*].name'::pg_catalog.jsonpath) AS r(name)"
#define ROLES(name) \
	{name, "EXISTS (SELECT FROM " ROLE_NAMES " WHERE ", \
		"(r.name OPERATOR(pg_catalog.#>>) '{}'::pg_catalog.text[])", ")", \
		"NOT EXISTS (SELECT FROM " ROLE_NAMES ")"}

static const Field fields[] = {
	COLUMN("CLIENT_NAME", "t.client_id"),
	COLUMN("CLIENT_ID", "t.client_id"),
	COLUMN("TOKEN_NAME", "t.name"),
	COLUMN("PRINCIPAL_NAME", "t.principal"),
	ROLES("ROLES"),
	ROLES("ROLE_NAME"),
	ROLES("ROLE_DISPLAY_NAME"),
};

static const Field *
find_field(JsonbContainer *condition)
{
	JsonbValue	name;

	(void) atk_json_get(condition, "field", &name);
	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		if (atk_json_is(&name, fields[i].name))
			return &fields[i];
	}
	elog(ERROR, "unrecognized search field");
}

/*
 * Three letters or digits in a row?  pg_trgm goes by the locale, but when in
 * doubt only the speed depends on it.
 */
static bool
has_trigram(const JsonbValue *term)
{
	const char *text = term->val.string.val;
	const char *end = text + term->val.string.len;
	int			run = 0;

	while (text < end && run < TRIGRAM)
	{
		unsigned char c = *text;

		run = IS_HIGHBIT_SET(c) || isalnum(c) ? run + 1 : 0;
		text += pg_mblen(text);
	}
	return run == TRIGRAM;
}

/* "contains" as a pattern of LIKE: %term% with its own %, _ and \ escaped */
static text *
contains_pattern(const JsonbValue *term)
{
	StringInfoData pattern;

	initStringInfo(&pattern);
	appendStringInfoChar(&pattern, '%');
	for (int i = 0; i < term->val.string.len; i++)
	{
		char		c = term->val.string.val[i];

		if (c == '%' || c == '_' || c == '\\')
			appendStringInfoChar(&pattern, '\\');
		appendStringInfoChar(&pattern, c);
	}
	appendStringInfoChar(&pattern, '%');
	return cstring_to_text_with_len(pattern.data, pattern.len);
}

/*
 * "value contains term", ignoring case by the database's rules.  Without a
 * trigram in the term the operator's function is called by its name, which
 * no index can serve: PostgreSQL does not see that all of the index would
 * have to be read, and takes it for cheap.
 */
static void
add_like(AtkStatement *statement, const Field *field, const JsonbValue *term)
{
	bool		indexable = has_trigram(term);

	if (!indexable)
		atk_statement_add(statement, "pg_catalog.texticlike(");
	atk_statement_add(statement, field->value);
	atk_statement_add(statement, " COLLATE pg_catalog.\"default\"");
	atk_statement_add(statement,
					  indexable ? " OPERATOR(pg_catalog.~~*) " : ", ");
	atk_statement_bind(statement, TEXTOID,
					   PointerGetDatum(contains_pattern(term)));
	if (!indexable)
		atk_statement_add(statement, ")");
}

static void
add_equals(AtkStatement *statement, const Field *field,
		   const JsonbValue *term)
{
	text	   *value = cstring_to_text_with_len(term->val.string.val,
												 term->val.string.len);

	atk_statement_add(statement, field->value);
	atk_statement_add(statement, " OPERATOR(pg_catalog.=) ");
	atk_statement_bind(statement, TEXTOID, PointerGetDatum(value));
}

static void
add_terms(AtkStatement *statement, const Field *field, bool like,
		  JsonbContainer *terms)
{
	int			n = JsonContainerSize(terms);

	atk_statement_add(statement, "(");
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			atk_statement_add(statement, " OR ");
		(like ? add_like : add_equals) (statement, field,
										getIthJsonbValueFromContainer(terms,
																	  i));
	}
	atk_statement_add(statement, ")");
}

static void
add_condition(AtkStatement *statement, JsonbContainer *condition)
{
	const Field *field = find_field(condition);
	JsonbValue	operator;

	(void) atk_json_get(condition, "operator", &operator);
	if (takes_terms(condition))
	{
		atk_statement_add(statement, field->before);
		add_terms(statement, field, atk_json_is(&operator, "LIKE"),
				  atk_json_get_container(condition, "terms"));
		atk_statement_add(statement, field->after);
	}
	else
	{
		if (atk_json_is(&operator, "NOT_EMPTY"))
			atk_statement_add(statement, "NOT ");
		atk_statement_add(statement, field->empty);
	}
}

static JsonbContainer *
condition_at(JsonbContainer *conditions, int i)
{
	return getIthJsonbValueFromContainer(conditions, i)->val.binary.data;
}

/* " AND (condition connective condition ...)", nothing for an empty group */
static void
add_group(AtkStatement *statement, JsonbContainer *search_terms,
		  const char *group, const char *connective)
{
	int			n = atk_json_get_length(search_terms, group);
	JsonbContainer *conditions = atk_json_get_container(search_terms, group);

	for (int i = 0; i < n; i++)
	{
		atk_statement_add(statement, i == 0 ? " AND (" : connective);
		add_condition(statement, condition_at(conditions, i));
	}
	if (n > 0)
		atk_statement_add(statement, ")");
}

/* --- filters --- */

/* SQL of the values that a filter may have; %s stands for the moment. */
typedef struct FilterValue
{
	const char *value;
	const char *before;
	const char *after;			/* NULL: no moment in it */
} FilterValue;

#define STATUS_IS(code) "t.status OPERATOR(pg_catalog.=) '" code "'::pg_catalog.\"char\""
#define KIND_IS(code) "t.kind OPERATOR(pg_catalog.=) '" code "'::pg_catalog.\"char\""

static const FilterValue type_values[] = {
	{"API_CLIENT", KIND_IS("c"), NULL},
	{"USER", KIND_IS("u"), NULL},
	{"UNKNOWN", "false", NULL},
	{NULL}
};

static const FilterValue status_values[] = {
	{"ACTIVE", "(" STATUS_IS("a") " AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) ", "))"},
	{"EXPIRED", "(" STATUS_IS("a") " AND t.expires_at OPERATOR(pg_catalog.<=) ", ")"},
	{"UNKNOWN", "(" STATUS_IS("s") " OR " STATUS_IS("r") ")", NULL},
	{NULL}
};

static void
add_filter_value(AtkStatement *statement, const FilterValue *values,
				 const JsonbValue *name, TimestampTz now)
{
	while (!atk_json_is(name, values->value))
		values++;
	atk_statement_add(statement, values->before);
	if (values->after != NULL)
	{
		atk_statement_bind(statement, TIMESTAMPTZOID,
						   TimestampTzGetDatum(now));
		atk_statement_add(statement, values->after);
	}
}

static void
add_filter(AtkStatement *statement, JsonbContainer *filters, const char *name,
		   const FilterValue *values, TimestampTz now)
{
	int			n = atk_json_get_length(filters, name);
	JsonbContainer *list = atk_json_get_container(filters, name);

	for (int i = 0; i < n; i++)
	{
		atk_statement_add(statement, i == 0 ? " AND (" : " OR ");
		add_filter_value(statement, values,
						 getIthJsonbValueFromContainer(list, i), now);
	}
	if (n > 0)
		atk_statement_add(statement, ")");
}

void
atk_search_add(AtkStatement *statement, Jsonb *body, TimestampTz now)
{
	JsonbContainer *search_terms = atk_json_get_container(&body->root,
														  "searchTerms");
	JsonbContainer *filters = atk_json_get_container(&body->root, "filters");

	if (search_terms != NULL)
	{
		add_group(statement, search_terms, "allOf", " AND ");
		add_group(statement, search_terms, "anyOf", " OR ");
	}
	if (filters != NULL)
	{
		add_filter(statement, filters, "tokenType", type_values, now);
		add_filter(statement, filters, "tokenStatus", status_values, now);
	}
}

bool
atk_search_is_empty(Jsonb *body)
{
	AtkStatement statement;

	atk_statement_init(&statement);
	atk_search_add(&statement, body, 0);
	return statement.text.len == 0;
}

/* --- is an index of use? --- */

/* Only terms that have a trigram, on a column that is indexed? */
static bool
condition_is_selective(JsonbContainer *condition)
{
	JsonbContainer *terms = atk_json_get_container(condition, "terms");
	int			n = atk_json_get_length(condition, "terms");

	if (find_field(condition)->before[0] != '\0')
		return false;
	for (int i = 0; i < n; i++)
	{
		if (!has_trigram(getIthJsonbValueFromContainer(terms, i)))
			return false;
	}
	return n > 0;
}

/* How many conditions of a group are selective. */
static int
count_selective(JsonbContainer *search_terms, const char *group)
{
	int			n = atk_json_get_length(search_terms, group);
	JsonbContainer *conditions = atk_json_get_container(search_terms, group);
	int			selective = 0;

	for (int i = 0; i < n; i++)
		selective += condition_is_selective(condition_at(conditions, i));
	return selective;
}

bool
atk_search_is_selective(Jsonb *body)
{
	JsonbContainer *search_terms = atk_json_get_container(&body->root,
														  "searchTerms");
	int			any;

	if (search_terms == NULL)
		return false;
	any = atk_json_get_length(search_terms, "anyOf");
	return count_selective(search_terms, "allOf") > 0 ||
		(any > 0 && count_selective(search_terms, "anyOf") == any);
}
