/*
 * Reports: what tokens may do, what ends soon, what breaks the policy of its
 * realm, what happened, and what was valid when.
 *
 * Views as in view.sql.  Where a view can do without a function of ours it
 * does, so that its readers need no right but SELECT.
 */

/* In order by itself: through a barrier no order of an index is seen. */
CREATE VIEW apitoken.events WITH (security_barrier) AS
SELECT e.id, e.at, e.realm, e.token_id, e.event, e.actor, e.actor_name, e.session_role,
	pg_catalog.host(e.client_addr) AS client_addr,
	e.application_name, e.reason,
	e.old::pg_catalog.text AS old,
	e.new::pg_catalog.text AS new
FROM apitoken._event e
	CROSS JOIN (SELECT) one
ORDER BY e.id DESC;
REVOKE ALL ON TABLE apitoken.events FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.events FROM PUBLIC;
COMMENT ON VIEW apitoken.events IS 'what happened to tokens and realms, and who did it, the newest first';
COMMENT ON COLUMN apitoken.events.id IS 'number; in the order in which the events of one token happened';
COMMENT ON COLUMN apitoken.events.at IS 'when it happened';
COMMENT ON COLUMN apitoken.events.realm IS 'id of the realm; null: it is about the history or the counts of use';
COMMENT ON COLUMN apitoken.events.token_id IS 'id of the token; null: it is about no token';
COMMENT ON COLUMN apitoken.events.event IS 'what happened: issued, rotated, revoked and so on';
COMMENT ON COLUMN apitoken.events.session_role IS 'role that the session logged in with';
COMMENT ON COLUMN apitoken.events.client_addr IS 'address of the client; null: a Unix socket or the server itself';
COMMENT ON COLUMN apitoken.events.application_name IS 'what the client calls itself';
COMMENT ON COLUMN apitoken.events.reason IS 'reason that was given';
COMMENT ON COLUMN apitoken.events.old IS 'values before, of what changed: a JSON object';
COMMENT ON COLUMN apitoken.events.new IS 'values after, of what changed: a JSON object';

CREATE VIEW apitoken.token_scopes WITH (security_barrier) AS
SELECT t.id AS token_id, t.realm, t.name, s.scope
FROM apitoken._token t
	CROSS JOIN LATERAL pg_catalog.string_to_table(t.scopes::pg_catalog.text, ' ') s(scope);
REVOKE ALL ON TABLE apitoken.token_scopes FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.token_scopes FROM PUBLIC;
COMMENT ON VIEW apitoken.token_scopes IS 'a row for each scope of each token, whatever its state';
COMMENT ON COLUMN apitoken.token_scopes.token_id IS 'id of the token';
COMMENT ON COLUMN apitoken.token_scopes.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.token_scopes.name IS 'name';
COMMENT ON COLUMN apitoken.token_scopes.scope IS 'one of its scopes, perhaps a wildcard';

/* How soon is for the reader to say: no span would fit all realms. */
CREATE VIEW apitoken.expiring_tokens WITH (security_barrier) AS
SELECT t.id, t.realm, t.name, t.principal, t.client_id, t.expires_at,
	pg_catalog.date_part('day', t.expires_at OPERATOR(pg_catalog.-) pg_catalog.statement_timestamp())::pg_catalog.int4 AS days_left
FROM apitoken._token t
	CROSS JOIN (SELECT) one
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp()
ORDER BY t.expires_at, t.id;
REVOKE ALL ON TABLE apitoken.expiring_tokens FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.expiring_tokens FROM PUBLIC;
COMMENT ON VIEW apitoken.expiring_tokens IS 'active tokens that will expire, the soonest first';
COMMENT ON COLUMN apitoken.expiring_tokens.id IS 'identifier of the token';
COMMENT ON COLUMN apitoken.expiring_tokens.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.expiring_tokens.name IS 'name';
COMMENT ON COLUMN apitoken.expiring_tokens.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken.expiring_tokens.client_id IS 'identifier of the API client';
COMMENT ON COLUMN apitoken.expiring_tokens.expires_at IS 'it is not valid from then on';
COMMENT ON COLUMN apitoken.expiring_tokens.days_left IS 'whole days until then';

CREATE FUNCTION apitoken._unknown_scopes(scopes apitoken.scopes, known apitoken.scopes) RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_unknown_scopes'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._unknown_scopes(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._unknown_scopes(apitoken.scopes, apitoken.scopes) IS
	'scopes that a realm does not know, for views; null: it knows all';

/*
 * The policy of a realm binds what is granted after it was set; these are the
 * tokens of before.  What counts as a violation is what would be refused now.
 *
 * A life was granted granted_ttl before its end, but the calendar is no
 * plain arithmetic: a year that was granted is at the same time longer than
 * 360 days and no longer than 12 months.  So it must be longer both as an
 * interval and on the calendar.  The interval comes first: then the sum
 * cannot leave the range of timestamps.
 */
CREATE VIEW apitoken.policy_violations WITH (security_barrier) AS
SELECT t.id, t.realm, t.name, 'max_ttl'::pg_catalog.text AS policy,
	pg_catalog.concat(
		CASE WHEN t.expires_at IS NULL THEN 'never expires' ELSE pg_catalog.concat('lives ', t.granted_ttl) END,
		'; allowed: ', r.max_ttl) AS detail
FROM apitoken._token t
	JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND CASE
		WHEN r.max_ttl IS NULL OR r.max_ttl OPERATOR(pg_catalog.>) '2000 years'::pg_catalog.interval THEN false
		WHEN t.expires_at IS NULL THEN true
		WHEN t.expires_at OPERATOR(pg_catalog.<=) pg_catalog.statement_timestamp() THEN false
		WHEN t.granted_ttl OPERATOR(pg_catalog.<=) r.max_ttl THEN false
		ELSE t.expires_at OPERATOR(pg_catalog.-) t.granted_ttl OPERATOR(pg_catalog.+) r.max_ttl
			OPERATOR(pg_catalog.<) t.expires_at
	END
UNION ALL
SELECT t.id, t.realm, t.name, 'known_scopes', pg_catalog.concat('unknown: ', u.scopes)
FROM apitoken._token t
	JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
	CROSS JOIN LATERAL (SELECT apitoken._unknown_scopes(t.scopes, r.known_scopes) AS scopes OFFSET 0) u
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp())
	AND u.scopes IS NOT NULL
UNION ALL
SELECT c.id, c.realm, c.name, 'max_active_per_principal',
	pg_catalog.concat('active tokens of the principal: ', c.n, '; allowed: ', c.allowed)
FROM (
	SELECT t.id, t.realm, t.name, r.max_active_per_principal AS allowed,
		pg_catalog.count(*) OVER (PARTITION BY t.realm, t.principal) AS n
	FROM apitoken._token t
		JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
	WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
		AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp())
		AND t.principal IS NOT NULL
		AND r.max_active_per_principal IS NOT NULL) c
WHERE c.n OPERATOR(pg_catalog.>) c.allowed
UNION ALL
SELECT i.id, i.realm, i.name, 'max_idle', pg_catalog.concat('unused for longer than allowed: ', i.max_idle)
FROM apitoken.idle_tokens i;
REVOKE ALL ON TABLE apitoken.policy_violations FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.policy_violations FROM PUBLIC;
COMMENT ON VIEW apitoken.policy_violations IS
	'active tokens that their realm''s policy, made stricter since, would refuse now; a row for each rule broken';
COMMENT ON COLUMN apitoken.policy_violations.id IS 'identifier of the token';
COMMENT ON COLUMN apitoken.policy_violations.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.policy_violations.name IS 'name';
COMMENT ON COLUMN apitoken.policy_violations.policy IS
	'column of the realm that has the rule: max_ttl, known_scopes, max_active_per_principal or max_idle';
COMMENT ON COLUMN apitoken.policy_violations.detail IS 'what is so, and what is allowed';

CREATE FUNCTION apitoken._required_scopes(scope text) RETURNS apitoken.scopes
	AS 'MODULE_PATHNAME', 'atk_sql_required_scopes'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._required_scopes(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._required_scopes(text) IS
	'the scopes of an argument, which must not be null or blank';

/*
 * With the owner's rights: EXECUTE is the gate.  The subselect has the
 * argument read once, also where there is no token, and stands on the outer
 * side of a join whose inner side is a scan of the GIN index.
 */
CREATE FUNCTION apitoken.tokens_granting(scope text, realm text DEFAULT NULL)
	RETURNS TABLE (id uuid)
	LANGUAGE SQL STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
	SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT t.id
	FROM (SELECT apitoken._required_scopes(tokens_granting.scope) AS scopes OFFSET 0) required
		JOIN apitoken._token t ON t.scopes OPERATOR(apitoken.@>) required.scopes
	WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
		AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp())
		AND (tokens_granting.realm IS NULL OR t.realm OPERATOR(pg_catalog.=) tokens_granting.realm);
END;
REVOKE ALL ON FUNCTION apitoken.tokens_granting(text, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.tokens_granting(text, text) IS
	'active tokens that grant all of these scopes, of one realm or of all';

CREATE FUNCTION apitoken._required_time(at timestamptz) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'atk_sql_required_time'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._required_time(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._required_time(timestamptz) IS 'an argument that must not be null';

/*
 * What the events say of a time.
 *
 * Of each value the last event until then counts: what it says it became.
 * Where there is none the next event does: what it says it was.  An event
 * that makes a token says all of it, also that there was none before; so the
 * table itself is asked only where purge_events() has removed the beginning
 * of a token's history, and what no event has changed since is still so.
 *
 * A realm that changes its id has no tokens: then it does not matter whether
 * it was enabled, and if it was not, another event says when it became so.
 *
 * The events are asked for in two ways, of which one comes into effect: so an
 * index serves where one realm is asked for.
 *
 * jsonb_object_agg() keeps the last value of a key.  So the events after the
 * time come first, the latest of them before all, then those until then.
 */
CREATE FUNCTION apitoken.tokens_at(at timestamptz, realm text DEFAULT NULL)
	RETURNS TABLE (id uuid, scopes text[])
	LANGUAGE SQL STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1000
	SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH said AS (
		SELECT e.realm, e.token_id, e.event, p.past,
			CASE WHEN p.past THEN e.id ELSE OPERATOR(pg_catalog.-) e.id END AS place,
			CASE WHEN p.past THEN e.new ELSE e.old END AS row
		FROM (SELECT apitoken._required_time(tokens_at.at) AS at OFFSET 0) required
			CROSS JOIN (
				SELECT * FROM apitoken._event e WHERE tokens_at.realm IS NULL
				UNION ALL
				SELECT * FROM apitoken._event e WHERE e.realm OPERATOR(pg_catalog.=) tokens_at.realm) e
			CROSS JOIN LATERAL (SELECT e.at OPERATOR(pg_catalog.<=) required.at AS past) p
		UNION ALL
		SELECT t.realm, t.id, 'kept', false, -9223372036854775808,
			pg_catalog.jsonb_build_object(
				'status', CASE t.status WHEN 'a'::pg_catalog."char" THEN 'active' END,
				'scopes', pg_catalog.string_to_array(t.scopes::pg_catalog.text, ' '),
				'not_before', t.not_before, 'expires_at', t.expires_at)
		FROM apitoken._token t
		WHERE (tokens_at.realm IS NULL OR t.realm OPERATOR(pg_catalog.=) tokens_at.realm)
			AND EXISTS (SELECT FROM apitoken._event_seal s WHERE s.purged)
		UNION ALL
		SELECT r.id, NULL, 'kept', false, -9223372036854775808, pg_catalog.jsonb_build_object('enabled', r.enabled)
		FROM apitoken.realm r
		WHERE (tokens_at.realm IS NULL OR r.id OPERATOR(pg_catalog.=) tokens_at.realm)
			AND EXISTS (SELECT FROM apitoken._event_seal s WHERE s.purged)
	), value AS (
		SELECT s.realm, s.token_id, s.past, s.place, c.name, s.row OPERATOR(pg_catalog.->) c.name AS value
		FROM said s
			CROSS JOIN LATERAL pg_catalog.unnest('{status,scopes,not_before,expires_at}'::pg_catalog.text[]) c(name)
		WHERE s.token_id IS NOT NULL
			AND (s.event OPERATOR(pg_catalog.=) ANY ('{issued,imported}'::pg_catalog.text[])
				OR s.row OPERATOR(pg_catalog.?) c.name)
		UNION ALL
		SELECT s.realm, NULL, s.past, s.place, 'enabled',
			CASE WHEN s.past AND s.event OPERATOR(pg_catalog.=) 'realm_deleted' THEN 'false'
			ELSE COALESCE(s.row OPERATOR(pg_catalog.->) 'enabled', 'true') END
		FROM said s
		WHERE s.token_id IS NULL
			AND s.realm IS NOT NULL
			AND (s.event OPERATOR(pg_catalog.=) 'realm_deleted'
				OR s.row OPERATOR(pg_catalog.?|) '{enabled,id}'::pg_catalog.text[])
	), state AS (
		SELECT v.realm, v.token_id, pg_catalog.jsonb_object_agg(v.name, v.value ORDER BY v.past, v.place) AS was
		FROM value v
		GROUP BY v.realm, v.token_id
	)
	SELECT t.token_id, ARRAY(SELECT s FROM pg_catalog.jsonb_array_elements_text(t.was OPERATOR(pg_catalog.->) 'scopes') s)
	FROM state t
	WHERE t.was OPERATOR(pg_catalog.->>) 'status' OPERATOR(pg_catalog.=) 'active'
		AND COALESCE((t.was OPERATOR(pg_catalog.->>) 'not_before')::pg_catalog.timestamptz OPERATOR(pg_catalog.<=) tokens_at.at, true)
		AND COALESCE((t.was OPERATOR(pg_catalog.->>) 'expires_at')::pg_catalog.timestamptz OPERATOR(pg_catalog.>) tokens_at.at, true)
		AND NOT (t.realm OPERATOR(pg_catalog.=) ANY (
			SELECT r.realm FROM state r
			WHERE r.token_id IS NULL AND r.was OPERATOR(pg_catalog.->>) 'enabled' OPERATOR(pg_catalog.<>) 'true'));
END;
REVOKE ALL ON FUNCTION apitoken.tokens_at(timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.tokens_at(timestamptz, text) IS
	'tokens that were valid at a time, and their scopes then, as the events say; of one realm or of all';
