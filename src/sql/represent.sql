/* Operations of published token APIs: src/represent.h */

CREATE FUNCTION apitoken.lookup(token text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_lookup'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.lookup(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.lookup(text) IS
	'metadata of a token by its text, as the ApiToken object of "POST token lookup"; null if there is none';
