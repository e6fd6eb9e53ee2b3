/*
 * Views for people and reports.
 *
 * The cross join with one row keeps a view from being updatable at no cost to
 * its plan: HTTP front ends and ORMs offer writing through updatable ones.
 * A reader needs SELECT on the view and EXECUTE on the functions inside it.
 */

CREATE VIEW apitoken.tokens WITH (security_barrier) AS
SELECT t.id,
	apitoken._public_id(t.prefix, t.id) AS public_id,
	t.realm,
	t.name,
	t.description,
	CASE
		WHEN t.status OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" THEN 'revoked'
		WHEN t.status OPERATOR(pg_catalog.=) 's'::pg_catalog."char" THEN 'suspended'
		WHEN t.expires_at OPERATOR(pg_catalog.<=) pg_catalog.statement_timestamp() THEN 'expired'
		ELSE 'active'
	END AS status,
	CASE t.kind WHEN 'u'::pg_catalog."char" THEN 'user' ELSE 'client' END AS kind,
	t.principal,
	t.principal_id,
	t.client_id,
	t.environment_id,
	t.scopes::pg_catalog.text AS scopes,
	pg_catalog.array_to_string(t.allowed_addresses, ' ') AS allowed_addresses,
	pg_catalog.concat(apitoken._public_id(t.prefix, t.id), '...', t.last_chars) AS partial,
	t.created_at,
	t.created_by,
	t.created_by_name,
	t.not_before,
	t.expires_at,
	t.updated_at,
	t.updated_by,
	t.updated_by_name,
	t.status_changed_at,
	t.status_changed_by,
	t.status_reason,
	u.last_used_at,
	pg_catalog.host(u.last_used_ip) AS last_used_ip,
	COALESCE(u.use_count, 0::pg_catalog.int8) AS use_count,
	t.version
FROM apitoken._token t
	LEFT JOIN apitoken._usage u ON u.token_id OPERATOR(pg_catalog.=) t.id
	CROSS JOIN (SELECT) one;
REVOKE ALL ON TABLE apitoken.tokens FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.tokens FROM PUBLIC;

COMMENT ON VIEW apitoken.tokens IS 'all tokens, without anything secret';
COMMENT ON COLUMN apitoken.tokens.id IS 'identifier';
COMMENT ON COLUMN apitoken.tokens.public_id IS 'prefix and public part of the token text';
COMMENT ON COLUMN apitoken.tokens.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.tokens.name IS 'name';
COMMENT ON COLUMN apitoken.tokens.description IS 'description';
COMMENT ON COLUMN apitoken.tokens.status IS 'active, suspended, revoked or expired';
COMMENT ON COLUMN apitoken.tokens.kind IS 'who it acts for: user or client';
COMMENT ON COLUMN apitoken.tokens.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken.tokens.principal_id IS 'identifier of who it acts for';
COMMENT ON COLUMN apitoken.tokens.client_id IS 'identifier of the API client';
COMMENT ON COLUMN apitoken.tokens.environment_id IS 'environment that it is confined to; null: the whole account';
COMMENT ON COLUMN apitoken.tokens.scopes IS 'what it may be used for, with spaces between the scopes';
COMMENT ON COLUMN apitoken.tokens.allowed_addresses IS 'networks it may be used from, with spaces between them; null or empty: any';
COMMENT ON COLUMN apitoken.tokens.partial IS 'public id and last characters, to tell it by';
COMMENT ON COLUMN apitoken.tokens.created_at IS 'when it was issued';
COMMENT ON COLUMN apitoken.tokens.created_by IS 'identifier of who issued it';
COMMENT ON COLUMN apitoken.tokens.created_by_name IS 'name of who issued it';
COMMENT ON COLUMN apitoken.tokens.not_before IS 'it is not valid before; null: at once';
COMMENT ON COLUMN apitoken.tokens.expires_at IS 'it is not valid from then on; null: never expires';
COMMENT ON COLUMN apitoken.tokens.updated_at IS 'last modification; a change of state is none';
COMMENT ON COLUMN apitoken.tokens.updated_by IS 'identifier of who modified it last';
COMMENT ON COLUMN apitoken.tokens.updated_by_name IS 'name of who modified it last';
COMMENT ON COLUMN apitoken.tokens.status_changed_at IS 'last change of state; null: none yet';
COMMENT ON COLUMN apitoken.tokens.status_changed_by IS 'identifier of who changed its state last';
COMMENT ON COLUMN apitoken.tokens.status_reason IS 'reason of the last change of state';
COMMENT ON COLUMN apitoken.tokens.last_used_at IS 'last use; null: never used';
COMMENT ON COLUMN apitoken.tokens.last_used_ip IS 'address of the last use; null: not given';
COMMENT ON COLUMN apitoken.tokens.use_count IS 'number of uses';
COMMENT ON COLUMN apitoken.tokens.version IS 'counts modifications, from 1';
