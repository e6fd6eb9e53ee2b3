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
	apitoken._last_used_at(t.id, u.last_used_at) AS last_used_at,
	apitoken._last_used_ip(t.id, u.last_used_at, u.last_used_ip) AS last_used_ip,
	apitoken._use_count(t.id, u.use_count) AS use_count,
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

CREATE VIEW apitoken.idle_tokens WITH (security_barrier) AS
SELECT t.id, t.realm, t.name, t.principal, t.created_at, use.last_used_at, r.max_idle::pg_catalog.text AS max_idle
FROM apitoken._token t
	JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
	LEFT JOIN apitoken._usage u ON u.token_id OPERATOR(pg_catalog.=) t.id
	CROSS JOIN LATERAL (SELECT apitoken._last_used_at(t.id, u.last_used_at) AS last_used_at OFFSET 0) use
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp())
	AND CASE WHEN r.max_idle OPERATOR(pg_catalog.<=) '2000 years'::pg_catalog.interval
		THEN GREATEST(t.created_at, t.status_changed_at, t.rotated_at, use.last_used_at)
			OPERATOR(pg_catalog.<) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-) r.max_idle)
		END;
REVOKE ALL ON TABLE apitoken.idle_tokens FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.idle_tokens FROM PUBLIC;
COMMENT ON VIEW apitoken.idle_tokens IS 'active tokens that were not used for longer than their realm''s max_idle';
COMMENT ON COLUMN apitoken.idle_tokens.id IS 'identifier of the token';
COMMENT ON COLUMN apitoken.idle_tokens.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.idle_tokens.name IS 'name';
COMMENT ON COLUMN apitoken.idle_tokens.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken.idle_tokens.created_at IS 'when it was issued';
COMMENT ON COLUMN apitoken.idle_tokens.last_used_at IS 'last use; null: never used';
COMMENT ON COLUMN apitoken.idle_tokens.max_idle IS 'what the realm allows';

CREATE VIEW apitoken.usage_hourly WITH (security_barrier) AS
SELECT NULLIF(h.token_id, '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid) AS token_id,
	t.realm, t.name, h.hour, h.outcome, h.uses
FROM apitoken._usage_hourly h
	LEFT JOIN apitoken._token t ON t.id OPERATOR(pg_catalog.=) h.token_id
	CROSS JOIN (SELECT) one;
REVOKE ALL ON TABLE apitoken.usage_hourly FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.usage_hourly FROM PUBLIC;
COMMENT ON VIEW apitoken.usage_hourly IS 'verifications by hour and outcome, as far as they are written';
COMMENT ON COLUMN apitoken.usage_hourly.token_id IS 'id of the token; null: of no token (malformed, unknown)';
COMMENT ON COLUMN apitoken.usage_hourly.realm IS 'id of its realm; null: there is no such token';
COMMENT ON COLUMN apitoken.usage_hourly.name IS 'its name';
COMMENT ON COLUMN apitoken.usage_hourly.hour IS 'beginning of the hour, UTC';
COMMENT ON COLUMN apitoken.usage_hourly.outcome IS 'outcome of the verifications';
COMMENT ON COLUMN apitoken.usage_hourly.uses IS 'number of verifications';

CREATE VIEW apitoken.usage_daily WITH (security_barrier) AS
SELECT NULLIF(h.token_id, '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid) AS token_id,
	t.realm, t.name,
	pg_catalog.date(pg_catalog.timezone('UTC', h.hour)) AS day,
	h.outcome, pg_catalog.sum(h.uses)::pg_catalog.int8 AS uses
FROM apitoken._usage_hourly h
	LEFT JOIN apitoken._token t ON t.id OPERATOR(pg_catalog.=) h.token_id
GROUP BY h.token_id, t.realm, t.name, pg_catalog.date(pg_catalog.timezone('UTC', h.hour)), h.outcome;
REVOKE ALL ON TABLE apitoken.usage_daily FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.usage_daily FROM PUBLIC;
COMMENT ON VIEW apitoken.usage_daily IS 'verifications by UTC day and outcome, as far as they are written';
COMMENT ON COLUMN apitoken.usage_daily.token_id IS 'id of the token; null: of no token (malformed, unknown)';
COMMENT ON COLUMN apitoken.usage_daily.realm IS 'id of its realm; null: there is no such token';
COMMENT ON COLUMN apitoken.usage_daily.name IS 'its name';
COMMENT ON COLUMN apitoken.usage_daily.day IS 'day, UTC';
COMMENT ON COLUMN apitoken.usage_daily.outcome IS 'outcome of the verifications';
COMMENT ON COLUMN apitoken.usage_daily.uses IS 'number of verifications';
