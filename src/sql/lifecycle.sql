/*
 * Issuing, importing, changing and removing tokens: src/issue.h, src/import.h,
 * src/rotation.h, src/modification.h, src/state.h, src/selection.h,
 * src/removal.h.
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
	idempotency_key text DEFAULT NULL,
	OUT id uuid,
	OUT token text,
	OUT public_id text,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_issue'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.issue(text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.issue(text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text) IS
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

CREATE FUNCTION apitoken.rotate(
	id uuid,
	grace interval DEFAULT '0',
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	OUT id uuid,
	OUT token text,
	OUT public_id text,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_rotate'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.rotate(uuid, interval, interval, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.rotate(uuid, interval, interval, timestamptz) IS
	'gives a token a new secret, which is in the answer and cannot be had again; the old one works for a grace';

CREATE FUNCTION apitoken.end_grace(
	id uuid,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_end_grace'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.end_grace(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.end_grace(uuid) IS 'ends the grace of a rotated token''s previous secret now';

CREATE FUNCTION apitoken.update(
	id uuid,
	name text DEFAULT NULL,
	description text DEFAULT NULL,
	scopes text[] DEFAULT NULL,
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	not_before timestamptz DEFAULT NULL,
	principal text DEFAULT NULL,
	principal_id text DEFAULT NULL,
	client_id text DEFAULT NULL,
	environment_id text DEFAULT NULL,
	allowed_addresses inet[] DEFAULT NULL,
	allowed_scopes jsonb DEFAULT NULL,
	idp_id text DEFAULT NULL,
	idp_domain text DEFAULT NULL,
	access_token_ttl interval DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	clear text[] DEFAULT NULL,
	version bigint DEFAULT NULL,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_update'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.update(uuid, text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text[], bigint) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.update(uuid, text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text[], bigint) IS
	'changes what is given and empties what clear names; with a version, only if it is still that';

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

CREATE FUNCTION apitoken.revoke_self(token text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_revoke_self'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.revoke_self(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.revoke_self(text) IS
	'revokes the token whose secret this is; false if it was revoked before';

CREATE FUNCTION apitoken.revoke_all(
	realm text,
	principal text DEFAULT NULL,
	client_id text DEFAULT NULL,
	scope text DEFAULT NULL,
	reason text DEFAULT NULL,
	dry_run boolean DEFAULT false)
	RETURNS TABLE (
	id uuid,
	name text)
	AS 'MODULE_PATHNAME', 'atk_sql_revoke_all'
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
REVOKE ALL ON FUNCTION apitoken.revoke_all(text, text, text, text, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.revoke_all(text, text, text, text, text, boolean) IS
	'revokes the tokens of a realm that match what is given, and names them; a dry run names them only';

CREATE FUNCTION apitoken.delete(
	id uuid,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_delete'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.delete(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.delete(uuid) IS 'removes a revoked token; its events stay';

CREATE FUNCTION apitoken.purge(
	older_than interval DEFAULT '30 days',
	batch_size integer DEFAULT 1000)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_purge'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.purge(interval, integer) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.purge(interval, integer) IS
	'removes a batch of tokens that were revoked or expired longer ago; returns how many, or else of idempotency keys; repeat until 0';
