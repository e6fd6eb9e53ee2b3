/* Operations of published token APIs on one token: src/represent.h */

CREATE FUNCTION apitoken.details(token text, include_token boolean DEFAULT false)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_details'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.details(text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.details(text, boolean) IS
	'a token by its text, as ApiTokenDetailsDto of "Get API Token Details"; null if there is none or it has expired';

CREATE FUNCTION apitoken.lookup(token text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_lookup'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.lookup(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.lookup(text) IS
	'a token by its text, as the ApiToken object of "POST token lookup"; null if there is none';

CREATE FUNCTION apitoken.read(id uuid) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_read'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.read(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.read(uuid) IS
	'a token by its id, as the record of "Read API Token"; null if there is none';
