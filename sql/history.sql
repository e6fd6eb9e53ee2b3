-- Events: each change writes one, in its own transaction: what, when, who,
-- from where, values before and after, and nothing that is secret.
\pset format unaligned
INSERT INTO apitoken.realm (id, access_token_ttl) VALUES ('history', '1 hour 30 minutes');
-- One event a change; in the same transaction; not sealed yet.
BEGIN;
SELECT test.now_event() AS before \gset
SELECT id, token FROM apitoken.issue('history', 'subject', '{b,a.*}', kind => 'client', not_before => '2020-02-29 12:00:00.5Z',
	expires_in => '1 year 2 mons 3 days 04:05:06.7', allowed_addresses => '{10.0.0.0/8,192.168.1.7,2001:db8::/32}', metadata => '{"team": ["a", 1, null]}',
	allowed_scopes => '{"organizationScopes": {"allRoles": true}}', description => E'"two"\nlines ü') \gset
SELECT e.id > :before AS newer, at = t.created_at AS at, e.realm, token_id = :'id' AS token, event, old, u.event_id IS NOT NULL AS unsealed
	FROM apitoken._event e LEFT JOIN apitoken._event_unsealed u ON u.event_id = e.id, apitoken._token t WHERE t.id = :'id' AND e.token_id = t.id;
COMMIT;
SELECT new FROM test.last_event(:'id');
-- The keys are columns, all of those that are not null, but digests and their key.
SELECT array_agg(key ORDER BY key) FILTER (WHERE t.value IS NULL) AS not_columns, array_agg(key ORDER BY key) FILTER (WHERE e.value IS NULL) AS not_told
	FROM (SELECT new FROM apitoken._event WHERE token_id = :'id') n, jsonb_each(new) e
	FULL JOIN (SELECT k AS key, v AS value FROM apitoken._token t, jsonb_each(jsonb_strip_nulls(to_jsonb(t))) j(k, v) WHERE id = :'id') t USING (key);
-- Times and intervals do not depend on settings, and read back as what they were.
SET TimeZone = 'Asia/Kolkata';
SET DateStyle = 'German, DMY';
SET IntervalStyle = 'iso_8601';
SELECT count(apitoken.rotate(:'id', expires_in => '1 mon -2 days 00:00:00.000001')) FROM apitoken.realm WHERE id = 'history';
SELECT new ->> 'granted_ttl' AS ttl, (new ->> 'granted_ttl')::interval = t.granted_ttl AS same, new ->> 'expires_at' LIKE '____-__-__T__:__:__%+00:00' AS utc,
	(new ->> 'expires_at')::timestamptz = t.expires_at AS same_end, (new ->> 'rotated_at')::timestamptz = t.rotated_at AS same_time
	FROM apitoken._event e JOIN apitoken._token t ON t.id = e.token_id WHERE t.id = :'id' AND event = 'rotated';
RESET TimeZone;
RESET DateStyle;
RESET IntervalStyle;
-- All changes of a life, with the reasons that were given.
SELECT status FROM apitoken.suspend(:'id', E'why "not"\n') \gset
SELECT status FROM apitoken.activate(:'id') \gset
SELECT name FROM apitoken.update(:'id', scopes => '{c}', clear => '{metadata}') \gset
SELECT count(apitoken.rotate(:'id', '1 hour')) AS n FROM apitoken.realm WHERE id = 'history' \gset
SELECT status FROM apitoken.end_grace(:'id') \gset
SELECT status FROM apitoken.revoke(:'id', 'over') \gset
SELECT status FROM apitoken.delete(:'id') \gset
SELECT event, to_json(reason) AS reason, (SELECT string_agg(k, ' ') FROM jsonb_object_keys(old) k) AS old, (SELECT string_agg(k, ' ') FROM jsonb_object_keys(new) k) AS new
	FROM apitoken._event WHERE token_id = :'id' ORDER BY id;
-- Before and after fit together: each old is what the events before have made it.
WITH RECURSIVE e AS (SELECT row_number() OVER (ORDER BY id) AS n, coalesce(old, '{}') AS old, new FROM apitoken._event WHERE token_id = :'id'),
	folded AS (SELECT n, new AS state, true AS fits FROM e WHERE n = 1
		UNION ALL SELECT e.n, f.state || e.new, jsonb_strip_nulls(f.state) @> jsonb_strip_nulls(e.old) AND (SELECT bool_and(f.state ? key) IS NOT TRUE FROM jsonb_each(e.old) WHERE value = 'null' AND f.state -> key <> 'null')
			FROM folded f JOIN e ON e.n = f.n + 1)
SELECT max(n) AS events, bool_and(fits) AS all_fit, (array_agg(state ->> 'status' ORDER BY n DESC))[1] AS at_the_end FROM folded;
-- Import: one event, and none for a no-op.
SELECT apitoken.import('history', 'imported', 'history_foreign_token', created_at => '2001-02-03Z') AS imported_id \gset
SELECT apitoken.import('history', 'again', 'history_foreign_token') = :'imported_id' AS same;
SELECT event, new FROM test.events('history') WHERE event = 'imported';
SELECT e.at > t.created_at AS now, new ->> 'created_at' AS created_at FROM apitoken._event e JOIN apitoken._token t ON t.id = token_id WHERE event = 'imported' AND t.id = :'imported_id';

-- Who: the settings' claim beside the role of the session, which nothing hides.
CREATE ROLE regress_apitoken_history;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_history;
GRANT EXECUTE ON FUNCTION apitoken.issue TO regress_apitoken_history;
SET application_name = 'history test';
SET apitoken.actor = 'u-17';
SELECT id AS first_id FROM apitoken.issue('history', 'by u-17') \gset
SET apitoken.actor_name = 'Ulla';
SET ROLE regress_apitoken_history;
SELECT id AS second_id FROM apitoken.issue('history', 'by Ulla') \gset
RESET ROLE;
SET application_name = '';
RESET apitoken.actor;
RESET apitoken.actor_name;
SELECT id AS third_id FROM apitoken.issue('history', 'by the role') \gset
SELECT new ->> 'name' AS name, replace(actor, session_user, '<session>') AS actor, replace(actor_name, session_user, '<session>') AS actor_name,
	session_role = session_user AS session_role, client_addr IS NOT DISTINCT FROM inet_client_addr() AS client_addr, application_name FROM apitoken._event
	WHERE token_id IN (:'first_id', :'second_id', :'third_id') ORDER BY id;
DROP OWNED BY regress_apitoken_history;
DROP ROLE regress_apitoken_history;

-- Nothing is left of what fails or is undone.
SELECT test.now_event() AS before \gset
SELECT test.error(format('SELECT apitoken.activate(%L)', :'first_id')) IS NOT NULL AS refused;
BEGIN;
SELECT status FROM apitoken.suspend(:'first_id');
SAVEPOINT s;
SELECT status FROM apitoken.activate(:'first_id');
ROLLBACK TO s;
SELECT event FROM apitoken._event WHERE id > :before ORDER BY id;
ROLLBACK;
SELECT event FROM apitoken._event WHERE id > :before ORDER BY id;
SELECT count(*) FROM apitoken._event_unsealed WHERE event_id > :before;
-- Secrets: no text, no digest, in any event of this file.
SELECT count(*) > 10 AS many, bool_or(e::text ~ 'digest|key_id|foreign_token') AS told, bool_or(e::text LIKE '%' || substr(:'token', 40, 20) || '%') AS secret
	FROM apitoken._event e WHERE realm = 'history';
-- An event that cannot be written undoes what it is about.
CREATE FUNCTION test.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
BEGIN;
CREATE TRIGGER refuse BEFORE INSERT ON apitoken._event FOR EACH ROW EXECUTE FUNCTION test.refuse();
SELECT call, test.error(format('SELECT apitoken.%s', format(call, :'first_id'))) FROM unnest(ARRAY['issue(''history'', ''n'')', 'suspend(%L)', 'rotate(%L)',
	'update(%L, ''n'')', 'revoke(%L)', 'revoke_all(''history'')', 'import(''history'', ''n'', ''history_token_2'')']) WITH ORDINALITY c(call, n) ORDER BY n;
SELECT name, status, version FROM apitoken._token WHERE id = :'first_id';
ROLLBACK;
DROP FUNCTION test.refuse;
-- An administrator's trigger changes the row: event and answer have what is
-- stored, in columns, too, that the call did not touch.
CREATE FUNCTION test.amend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.description := coalesce(NEW.description, '') || TG_OP || ' ';
	NEW.expires_at := '2999-01-01Z';
	NEW.scopes := '{amended}'::text[]::apitoken.scopes;
	NEW.metadata := jsonb_build_object('m', repeat('m', 3000));
	RETURN NEW;
END $$;
CREATE FUNCTION test.differs(token uuid, event text) RETURNS TABLE (key text, told text, stored text) LANGUAGE sql AS $$
	WITH last AS (SELECT e.new FROM apitoken._event e WHERE e.token_id = $1 AND e.event = $2 ORDER BY e.id DESC LIMIT 1)
	SELECT k, l.new ->> k, s ->> k
	FROM last l, apitoken._token t, to_jsonb(t) s, unnest('{description,name,version,principal}'::text[]) k
	WHERE t.id = $1 AND l.new ? k AND l.new ->> k IS DISTINCT FROM s ->> k
	UNION ALL SELECT 'expires_at', l.new ->> 'expires_at', t.expires_at::text FROM last l, apitoken._token t
	WHERE t.id = $1 AND l.new ? 'expires_at' AND (l.new ->> 'expires_at')::timestamptz IS DISTINCT FROM t.expires_at
	UNION ALL SELECT 'metadata', left(l.new ->> 'metadata', 20), left(t.metadata::text, 20) FROM last l, apitoken._token t
	WHERE t.id = $1 AND l.new ? 'metadata' AND l.new -> 'metadata' IS DISTINCT FROM t.metadata $$;
BEGIN;
CREATE TRIGGER amend BEFORE INSERT ON apitoken._token FOR EACH ROW EXECUTE FUNCTION test.amend();
SELECT id AS amended_id, expires_at AT TIME ZONE 'UTC' AS amended_expires_at FROM apitoken.issue('history', 'amended', '{given}', expires_in => '1 day') \gset
\echo :amended_expires_at
SELECT new ->> 'description' AS description, new -> 'scopes' AS scopes FROM apitoken._event WHERE token_id = :'amended_id';
SELECT * FROM test.differs(:'amended_id', 'issued');
SELECT apitoken.import('history', 'amended', 'history_token_3') AS imported_id \gset
SELECT new ->> 'description' AS description, new -> 'scopes' AS scopes FROM apitoken._event WHERE token_id = :'imported_id';
SELECT * FROM test.differs(:'imported_id', 'imported');
DROP TRIGGER amend ON apitoken._token;
SELECT name FROM apitoken.update(:'imported_id', description => 'given ', scopes => '{given}', metadata => '{}', expires_in => '1 day');
CREATE TRIGGER amend BEFORE UPDATE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION test.amend();
SELECT name, expires_at AT TIME ZONE 'UTC' AS expires_at FROM apitoken.update(:'imported_id', name => 'renamed');
SELECT old ->> 'description' AS before, new ->> 'description' AS description, new -> 'scopes' AS scopes, new ->> 'name' AS name FROM apitoken._event WHERE token_id = :'imported_id' ORDER BY id DESC LIMIT 1;
SELECT * FROM test.differs(:'imported_id', 'updated');
SELECT expires_at AT TIME ZONE 'UTC' AS expires_at FROM apitoken.rotate(:'imported_id', expires_in => '1 day');
SELECT old ->> 'description' AS before, new ->> 'description' AS description, new ->> 'name' AS name, length(new ->> 'last_chars') AS last_chars FROM apitoken._event WHERE token_id = :'imported_id' ORDER BY id DESC LIMIT 1;
SELECT * FROM test.differs(:'imported_id', 'rotated');
ROLLBACK;
DROP FUNCTION test.amend, test.differs;
-- Large values are no obstacle.
SELECT id AS large_id FROM apitoken.issue('history', 'large', metadata => jsonb_build_object('m', repeat('x', 100000)), description => repeat('ü', 10000)) \gset
SELECT length(new ->> 'description') AS description, length(new -> 'metadata' ->> 'm') AS metadata FROM apitoken._event WHERE token_id = :'large_id';
SELECT name FROM apitoken.update(:'large_id', metadata => '{}', description => repeat('ü', 10000));
SELECT length(old -> 'metadata' ->> 'm') AS old, new -> 'metadata' AS new, new ? 'description' AS same_description FROM apitoken._event WHERE token_id = :'large_id' AND event = 'updated';
SELECT test.drop_realm('history');
