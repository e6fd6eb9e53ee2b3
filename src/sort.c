/*
 * sort.c
 *		The orders in which tokens can be listed; see sort.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "sort.h"

static const AtkSortSource by_token = {
	"apitoken._token t", "t.realm", "t.id", "t", true
};
static const AtkSortSource by_usage = {
	"apitoken._usage u", "u.realm", "u.token_id", "u", false
};

const AtkSort atk_list_sorts[] = {
	{"id", &by_token, NULL, UUIDOID, false, false},
	{"name", &by_token, "t.name", TEXTOID, false, false},
	{"title", &by_token, "t.name", TEXTOID, false, false},
	{"status", &by_token, "t.status", CHAROID, false, false},
	{"last_seen", &by_usage, "u.last_used_at", TIMESTAMPTZOID, true, true},
	{"timestamp", &by_token, "t.created_at", TIMESTAMPTZOID, false, false},
	{NULL}
};

const AtkSort atk_query_sorts[] = {
	{"creationDate", &by_token, "t.created_at", TIMESTAMPTZOID, false, false},
	{"expirationDate", &by_token, "t.expires_at", TIMESTAMPTZOID, true, false},
	{"lastUsedDate", &by_usage, "u.last_used_at", TIMESTAMPTZOID, true, true},
	{"accessTokenTtl", &by_token, "t.access_token_ttl", INTERVALOID, true, false},
	{"tokenName", &by_token, "t.name", TEXTOID, false, false},
	{NULL}
};

const AtkSort *
atk_sort_find(const AtkSort *sorts, const char *field)
{
	for (; sorts->field != NULL; sorts++)
	{
		if (strcmp(sorts->field, field) == 0)
			return sorts;
	}
	return NULL;
}

char *
atk_sort_names(const AtkSort *sorts)
{
	StringInfoData names;

	initStringInfo(&names);
	for (; sorts->field != NULL; sorts++)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
						 sorts->field);
	return names.data;
}

bool
atk_sort_nulls_come_first(AtkOrder order)
{
	return order.sort->nullable &&
		order.sort->nulls_first != order.descending;
}

void
atk_sort_add_order(AtkStatement *statement, AtkOrder order)
{
	const char *direction = order.descending ? " DESC" : " ASC";

	atk_statement_add(statement, " ORDER BY ");
	if (order.sort->key != NULL)
	{
		atk_statement_add(statement, order.sort->key);
		atk_statement_add(statement, direction);
		if (order.sort->nullable)
			atk_statement_add(statement,
							  atk_sort_nulls_come_first(order)
							  ? " NULLS FIRST" : " NULLS LAST");
		atk_statement_add(statement, ", ");
	}
	atk_statement_add(statement, order.sort->source->id);
	atk_statement_add(statement, direction);
}

/* The Datum of key bytes; the bytes outlive it. */
static Datum
key_datum(const AtkSort *sort, const AtkPosition *position)
{
	switch (sort->type)
	{
		case TEXTOID:
			return
				PointerGetDatum(cstring_to_text_with_len(position->key,
														 position->key_len));
		case CHAROID:
			return CharGetDatum(position->key[0]);
		case TIMESTAMPTZOID:
			{
				TimestampTz when;

				memcpy(&when, position->key, sizeof(when));
				return TimestampTzGetDatum(when);
			}
		default:
			{
				Interval   *span = palloc(sizeof(Interval));

				memcpy(span, position->key, sizeof(Interval));
				return IntervalPGetDatum(span);
			}
	}
}

/* " > " or " < " as an operator nobody can put another in the place of */
static void
add_behind(AtkStatement *statement, AtkOrder order)
{
	atk_statement_add(statement, order.descending
					  ? " OPERATOR(pg_catalog.<) " : " OPERATOR(pg_catalog.>) ");
}

/* A row comparison lets the index go straight to the place. */
static void
add_behind_key_and_id(AtkStatement *statement, AtkOrder order,
					  const AtkPosition *behind)
{
	atk_statement_add(statement, " AND ROW(");
	atk_statement_add(statement, order.sort->key);
	atk_statement_add(statement, ", ");
	atk_statement_add(statement, order.sort->source->id);
	atk_statement_add(statement, ")");
	add_behind(statement, order);
	atk_statement_add(statement, "ROW(");
	atk_statement_bind(statement, order.sort->type,
					   key_datum(order.sort, behind));
	atk_statement_add(statement, ", ");
	atk_statement_bind(statement, UUIDOID, PointerGetDatum(behind->id));
	atk_statement_add(statement, ")");
}

static void
add_behind_id(AtkStatement *statement, AtkOrder order,
			  const AtkPosition *behind)
{
	atk_statement_add(statement, " AND ");
	atk_statement_add(statement, order.sort->source->id);
	add_behind(statement, order);
	atk_statement_bind(statement, UUIDOID, PointerGetDatum(behind->id));
}

void
atk_sort_add_segment(AtkStatement *statement, AtkOrder order,
					 bool nulls, const AtkPosition *behind)
{
	if (order.sort->nullable)
	{
		atk_statement_add(statement, " AND ");
		atk_statement_add(statement, order.sort->key);
		atk_statement_add(statement, nulls ? " IS NULL" : " IS NOT NULL");
	}
	if (behind == NULL)
		return;
	if (nulls || order.sort->key == NULL)
		add_behind_id(statement, order, behind);
	else
		add_behind_key_and_id(statement, order, behind);
}

void
atk_sort_key_bytes(const AtkSort *sort, Datum key, bool isnull,
				   AtkPosition *position)
{
	char	   *bytes = NULL;

	position->key_is_null = isnull || sort->key == NULL;
	position->key_len = 0;
	if (position->key_is_null)
		return;

	switch (sort->type)
	{
		case TEXTOID:
			bytes = TextDatumGetCString(key);
			position->key_len = strlen(bytes);
			break;
		case CHAROID:
			bytes = palloc(1);
			bytes[0] = DatumGetChar(key);
			position->key_len = 1;
			break;
		case TIMESTAMPTZOID:
			{
				TimestampTz when = DatumGetTimestampTz(key);

				position->key_len = sizeof(when);
				bytes = memcpy(palloc(sizeof(when)), &when, sizeof(when));
				break;
			}
		default:
			position->key_len = sizeof(Interval);
			bytes = memcpy(palloc(sizeof(Interval)), DatumGetIntervalP(key),
						   sizeof(Interval));
	}
	position->key = bytes;
}

bool
atk_sort_key_valid(const AtkSort *sort, const AtkPosition *position)
{
	if (position->key_is_null)
		return position->key_len == 0 && (sort->nullable || sort->key == NULL);
	if (sort->key == NULL)
		return false;

	switch (sort->type)
	{
		case TEXTOID:
			return pg_verifymbstr(position->key, position->key_len, true);
		case CHAROID:
			return position->key_len == 1;
		case TIMESTAMPTZOID:
			return position->key_len == sizeof(TimestampTz);
		default:
			return position->key_len == sizeof(Interval);
	}
}
