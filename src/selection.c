/*
 * selection.c
 *		Revoking the tokens of a realm that match; see selection.h.
 */
#include "postgres.h"
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "scopes.h"
#include "selection.h"
#include "session.h"
#include "state.h"
#include "statement.h"

static void
add_text(AtkStatement *statement, const char *condition, const text *value)
{
	if (value == NULL)
		return;
	atk_statement_add(statement, condition);
	atk_statement_bind(statement, TEXTOID, PointerGetDatum(value));
}

static void
write_select(AtkStatement *statement, const AtkSelection *selection)
{
	atk_statement_init(statement);
	atk_statement_add(statement,
					  "SELECT t.id, t.name FROM apitoken._token t"
					  " WHERE t.status OPERATOR(pg_catalog.<>)"
					  " 'r'::pg_catalog.\"char\"");
	add_text(statement, " AND t.realm OPERATOR(pg_catalog.=) ",
			 selection->realm);
	add_text(statement, " AND t.principal OPERATOR(pg_catalog.=) ",
			 selection->principal);
	add_text(statement, " AND t.client_id OPERATOR(pg_catalog.=) ",
			 selection->client_id);
	if (selection->scopes != NULL)
	{
		AtkScopes	scopes = ATK_SCOPES_OF(selection->scopes);

		add_text(statement, " AND t.scopes OPERATOR(apitoken.@>) ",
				 cstring_to_text_with_len(scopes.text, scopes.len));
		atk_statement_add(statement, "::apitoken.scopes");
	}
	atk_statement_add(statement, " ORDER BY t.id");
}

static AtkSelected *
copy_rows(const SPITupleTable *rows)
{
	Size		size = (rows->numvals + 1) * sizeof(AtkSelected);
	AtkSelected *selected = palloc_extended(size, MCXT_ALLOC_HUGE);
	bool		isnull;

	for (uint64 i = 0; i < rows->numvals; i++)
	{
		HeapTuple	row = rows->vals[i];

		CHECK_FOR_INTERRUPTS();
		selected[i].id = *DatumGetUUIDP(SPI_getbinval(row, rows->tupdesc, 1,
													  &isnull));
		selected[i].name = DatumGetTextPCopy(SPI_getbinval(row, rows->tupdesc,
														   2, &isnull));
	}
	return selected;
}

AtkSelected *
atk_select(const AtkSelection *selection, uint64 *n)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext inner;
	AtkStatement statement;
	AtkStatementRun run;
	SPITupleTable *rows;
	AtkSelected *selected;

	atk_session_enter(ATK_RIGHT_WRITE, selection->realm);
	write_select(&statement, selection);
	atk_statements_begin(&run);
	PushActiveSnapshot(GetLatestSnapshot());
	rows = atk_statement_run(&statement, 0, false);
	PopActiveSnapshot();

	inner = MemoryContextSwitchTo(outer);
	selected = copy_rows(rows);
	MemoryContextSwitchTo(inner);
	*n = rows->numvals;
	atk_statements_end(&run);
	return selected;
}

static bool
same_or_any(const text *wanted, const AtkToken *token, AttrNumber attno)
{
	bool		isnull;
	Datum		value = atk_token_column(token, attno, &isnull);

	return wanted == NULL ||
		(!isnull && atk_same_text(wanted, DatumGetTextPP(value)));
}

static bool
grants(const AtkToken *token, const struct varlena *wanted)
{
	struct varlena *granted;
	bool		isnull;

	if (wanted == NULL)
		return true;
	granted = PG_DETOAST_DATUM_PACKED(atk_token_column(token,
													   Anum_token_scopes,
													   &isnull));
	return atk_scopes_grant(ATK_SCOPES_OF(granted), ATK_SCOPES_OF(wanted));
}

static bool
still_matches(const AtkSelection *selection, const AtkToken *token)
{
	return atk_transition_allowed(ATK_REVOKE, token) &&
		same_or_any(selection->realm, token, Anum_token_realm) &&
		same_or_any(selection->principal, token, Anum_token_principal) &&
		same_or_any(selection->client_id, token, Anum_token_client_id) &&
		grants(token, selection->scopes);
}

bool
atk_revoke_selected(const AtkSelection *selection,
					const AtkSelected *selected, const text *reason)
{
	AtkChange	change;
	bool		matches;

	atk_change_open(&change, "apitoken.revoke_all()", &selected->id);
	matches = atk_probe_lock(&change.probe, UUIDPGetDatum(&selected->id),
							 LockTupleNoKeyExclusive);
	if (matches)
	{
		atk_change_read(&change);
		matches = still_matches(selection, &change.token);
	}
	if (matches)
		atk_change_to(&change, ATK_REVOKE, reason);
	atk_change_end(&change);
	return matches;
}
