/*
 * Listing and searching: src/query.h.  STABLE: they read what the statement
 * that calls them sees.
 */

CREATE FUNCTION apitoken.list(
	account_id text DEFAULT NULL,
	sort_field text DEFAULT 'id',
	sort_direction text DEFAULT 'asc',
	page_offset bigint DEFAULT 0,
	page_size integer DEFAULT 10,
	environment_id text DEFAULT NULL,
	cursor text DEFAULT NULL)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_list'
	LANGUAGE C STABLE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.list(text, text, text, bigint, integer, text, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.list(text, text, text, bigint, integer, text, text) IS
	'a page of the tokens of an account, as "List API tokens"';

CREATE FUNCTION apitoken.query(
	realm text DEFAULT NULL,
	page bigint DEFAULT 0,
	page_size integer DEFAULT 10,
	sort_by text DEFAULT 'creationDate',
	sort_order text DEFAULT 'desc',
	body jsonb DEFAULT NULL,
	cursor text DEFAULT NULL)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_query'
	LANGUAGE C STABLE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.query(text, bigint, integer, text, text, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.query(text, bigint, integer, text, text, jsonb, text) IS
	'a page of the tokens of a realm that match search terms and filters, as "Query API Tokens"';
