/*
 * Verification: src/verify.h.
 *
 * VOLATILE and PARALLEL UNSAFE, because each call reads with a snapshot of
 * its own, which a parallel plan cannot have.
 */

CREATE FUNCTION apitoken.verify(
	token text,
	scope text DEFAULT NULL,
	address inet DEFAULT NULL,
	OUT valid boolean,
	OUT outcome text,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT kind text,
	OUT principal text,
	OUT principal_id text,
	OUT client_id text,
	OUT environment_id text,
	OUT scopes text[],
	OUT expires_at timestamptz,
	OUT metadata jsonb)
	AS 'MODULE_PATHNAME', 'atk_sql_verify'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.verify(text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verify(text, text, inet) IS
	'whether this use of a token is allowed, the reason if not, and who it is; one row, never an error for a bad token';

CREATE FUNCTION apitoken.verify_sha256(
	sha256 bytea,
	scope text DEFAULT NULL,
	address inet DEFAULT NULL,
	OUT valid boolean,
	OUT outcome text,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT kind text,
	OUT principal text,
	OUT principal_id text,
	OUT client_id text,
	OUT environment_id text,
	OUT scopes text[],
	OUT expires_at timestamptz,
	OUT metadata jsonb)
	AS 'MODULE_PATHNAME', 'atk_sql_verify_sha256'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.verify_sha256(bytea, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verify_sha256(bytea, text, inet) IS
	'the same by the SHA-256 of the token text, so that the secret is never sent';

CREATE FUNCTION apitoken.verify_many(
	tokens text[],
	scope text DEFAULT NULL,
	address inet DEFAULT NULL)
	RETURNS TABLE (
	ordinality bigint,
	valid boolean,
	outcome text,
	id uuid,
	realm text,
	name text,
	kind text,
	principal text,
	principal_id text,
	client_id text,
	environment_id text,
	scopes text[],
	expires_at timestamptz,
	metadata jsonb)
	AS 'MODULE_PATHNAME', 'atk_sql_verify_many'
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
REVOKE ALL ON FUNCTION apitoken.verify_many(text[], text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verify_many(text[], text, inet) IS
	'the same for each of many tokens, in their order';

CREATE FUNCTION apitoken.verified_id(
	token text,
	scope text DEFAULT NULL,
	address inet DEFAULT NULL)
	RETURNS uuid
	AS 'MODULE_PATHNAME', 'atk_sql_verified_id'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.verified_id(text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verified_id(text, text, inet) IS
	'id of a token whose use is allowed, else null: the cheapest form';
