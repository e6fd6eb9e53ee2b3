/*
 * Issuing, importing and changing tokens: src/lifecycle.h, src/import.h.
 *
 * None is STRICT: a null where a value is needed is an error, not silence.
 */

CREATE FUNCTION apitoken.issue(
	realm text,
	name text,
	scopes text[] DEFAULT '{}',
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	not_before timestamptz DEFAULT NULL,
	kind text DEFAULT 'user',
	principal text DEFAULT NULL,
	principal_id text DEFAULT NULL,
	client_id text DEFAULT NULL,
	environment_id text DEFAULT NULL,
	description text DEFAULT NULL,
	allowed_addresses inet[] DEFAULT NULL,
	allowed_scopes jsonb DEFAULT NULL,
	idp_id text DEFAULT NULL,
	idp_domain text DEFAULT NULL,
	access_token_ttl interval DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	OUT id uuid,
	OUT token text,
	OUT public_id text,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_issue'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.issue(text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.issue(text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb) IS
	'new token; its text is in the answer and cannot be had again';

CREATE FUNCTION apitoken.import(
	realm text,
	name text,
	token text DEFAULT NULL,
	sha256 bytea DEFAULT NULL,
	scopes text[] DEFAULT '{}',
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	not_before timestamptz DEFAULT NULL,
	public_id text DEFAULT NULL,
	last_chars text DEFAULT NULL,
	created_at timestamptz DEFAULT NULL,
	kind text DEFAULT 'user',
	principal text DEFAULT NULL,
	principal_id text DEFAULT NULL,
	client_id text DEFAULT NULL,
	environment_id text DEFAULT NULL,
	description text DEFAULT NULL,
	allowed_addresses inet[] DEFAULT NULL,
	allowed_scopes jsonb DEFAULT NULL,
	idp_id text DEFAULT NULL,
	idp_domain text DEFAULT NULL,
	access_token_ttl interval DEFAULT NULL,
	metadata jsonb DEFAULT NULL)
	RETURNS uuid
	AS 'MODULE_PATHNAME', 'atk_sql_import'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.import(text, text, text, bytea, text[], interval, timestamptz, timestamptz, text, text, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.import(text, text, text, bytea, text[], interval, timestamptz, timestamptz, text, text, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb) IS
	'takes over a token made elsewhere, from its text or its SHA-256; the same token again is a no-op';

CREATE FUNCTION apitoken.suspend(
	id uuid,
	reason text DEFAULT NULL,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_suspend'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.suspend(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.suspend(uuid, text) IS 'switches an active token off';

CREATE FUNCTION apitoken.activate(
	id uuid,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_activate'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.activate(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.activate(uuid) IS 'switches a suspended token on again';

CREATE FUNCTION apitoken.revoke(
	id uuid,
	reason text DEFAULT NULL,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_revoke'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.revoke(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.revoke(uuid, text) IS 'ends a token for good';
