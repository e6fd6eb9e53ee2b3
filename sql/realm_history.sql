-- Changes of realms leave events, whoever makes them.
\pset format unaligned
SELECT test.now_event() AS before \gset
INSERT INTO apitoken.realm (id, name, prefix, default_ttl, known_scopes, metadata, max_active_per_principal)
	VALUES ('realm_history', 'R', 'p', '1 mon 2 days', 'b a.*', '{"a": 1}', 3);
SELECT e.at >= r.created_at AS at, token_id, actor = session_user AS actor, (new ->> 'created_at')::timestamptz = r.created_at AS created_at
	FROM apitoken._event e JOIN apitoken.realm r ON r.id = e.realm WHERE e.id > :before;
UPDATE apitoken.realm SET enabled = false, known_scopes = NULL, max_ttl = '1 year', metadata = '{"a": 2}' WHERE id = 'realm_history';
-- What changes nothing is no change.
UPDATE apitoken.realm SET enabled = false, prefix = prefix, known_scopes = NULL WHERE id = 'realm_history';
-- Renamed: told by its new id.
UPDATE apitoken.realm SET id = 'realm_history/2' WHERE id = 'realm_history';
INSERT INTO apitoken.realm (id) VALUES ('realm_history/2') ON CONFLICT (id) DO UPDATE SET name = 'upserted';
DELETE FROM apitoken.realm WHERE id = 'realm_history/2';
SELECT realm, event, CASE WHEN old IS NOT NULL THEN test.masked(old) END AS old, CASE WHEN new IS NOT NULL THEN test.masked(new) END AS new
	FROM apitoken._event WHERE id > :before ORDER BY id;
-- The keys are columns, all of them.
INSERT INTO apitoken.realm (id, name, prefix, enabled, default_ttl, max_ttl, max_idle, max_active_per_principal, known_scopes, access_token_ttl,
	token_endpoint_url, oidc_issuer_url, idp_id, idp_domain, notify, revoke_on_reuse, metadata, created_at) VALUES ('realm_history', 'n', 'p', true, '1 day', '2 days',
	'1 hour', 1, 'a', '1 min', 'http://a', 'http://b', 'c', 'd', false, true, '{}', '2001-01-01Z');
SELECT test.now_event() AS full_event \gset
SELECT (SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute WHERE attrelid = 'apitoken.realm'::regclass AND attnum > 0 AND NOT attisdropped)
	= (SELECT array_agg(key ORDER BY key COLLATE "C") FROM jsonb_object_keys(new) key) AS all_columns FROM apitoken._event WHERE id = :full_event;
-- In the transaction; by who may edit realms and nothing else.
SELECT test.now_event() AS before \gset
CREATE ROLE regress_apitoken_realms;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_realms;
GRANT SELECT, INSERT, UPDATE, DELETE ON apitoken.realm TO regress_apitoken_realms;
BEGIN;
SET LOCAL ROLE regress_apitoken_realms;
UPDATE apitoken.realm SET name = 'by the role' WHERE id = 'realm_history';
RESET ROLE;
SELECT event, old, new FROM apitoken._event WHERE id > :before;
ROLLBACK;
SELECT event FROM apitoken._event WHERE id > :before;
DROP OWNED BY regress_apitoken_realms;
DROP ROLE regress_apitoken_realms;
-- A restore makes no history: scripts of pg_dump switch check_function_bodies
-- off.  What is changed or removed under it is told.
SET check_function_bodies = off;
INSERT INTO apitoken.realm (id) VALUES ('realm_history/restored');
UPDATE apitoken.realm SET name = 'n' WHERE id = 'realm_history/restored';
RESET check_function_bodies;
DELETE FROM apitoken.realm WHERE id = 'realm_history/restored';
-- So does what replication applies.
SET session_replication_role = replica;
INSERT INTO apitoken.realm (id) VALUES ('realm_history/replicated');
UPDATE apitoken.realm SET name = 'n' WHERE id = 'realm_history/replicated';
DELETE FROM apitoken.realm WHERE id = 'realm_history/replicated';
RESET session_replication_role;
SELECT realm, event FROM apitoken._event WHERE id > :before ORDER BY id;
-- TRUNCATE is one event, without what was there.
BEGIN;
SELECT test.now_event() AS before \gset
TRUNCATE apitoken.realm;
SELECT realm, event, token_id, old, new FROM apitoken._event WHERE id > :before;
ROLLBACK;
SELECT test.drop_realm('realm_history');
