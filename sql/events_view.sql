-- View events: what happened, for auditors; nothing secret, nothing to write to.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
-- Its columns: types that every driver knows.
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
 WHERE attrelid = 'apitoken.events'::regclass AND attnum > 0 ORDER BY attnum;
SELECT test.sqlstate(command) FROM unnest(ARRAY['INSERT INTO apitoken.events (id) VALUES (1)',
	'UPDATE apitoken.events SET event = ''x''', 'DELETE FROM apitoken.events', 'TRUNCATE apitoken.events']) command;
SELECT reloptions FROM pg_class WHERE oid = 'apitoken.events'::regclass;
-- A row as it is shown, with everything and with nothing.
BEGIN;
INSERT INTO apitoken._event VALUES
	(-2, '2020-01-02 03:04:05.678901Z', 'r', '94f44c7f-4a82-71ac-83f7-fcb31b547f0d', 'updated', 'a-1', 'Actor',
	 'app', '192.0.2.7', 'psql', 'because', '{"name": "old \" name"}', '{"name": "new", "version": 2}'),
	(-1, '2020-01-02 03:04:05Z', NULL, NULL, 'purged', 'a', 'n', 'app', '2001:db8::1/128', NULL, NULL, NULL, NULL);
\x on
SELECT * FROM apitoken.events WHERE id < 0 ORDER BY id;
\x off
SELECT new::jsonb ->> 'name' AS name FROM apitoken.events WHERE id = -2;
ROLLBACK;
-- A life, as its events tell it.
INSERT INTO apitoken.realm (id) VALUES ('events_view');
SET apitoken.actor = 'a-1';
SET apitoken.actor_name = 'Actor';
SET application_name = 'events_view';
SELECT id, token FROM apitoken.issue('events_view', 'subject', '{b,a.*}', principal => 'p') \gset
SELECT FROM apitoken.suspend(:'id', 'holiday');
SELECT FROM apitoken.activate(:'id');
SELECT FROM apitoken.revoke(:'id', 'gone');
UPDATE apitoken.realm SET enabled = false WHERE id = 'events_view';
SELECT token_id = :'id' AS token, event, actor, actor_name, session_role = session_user AS by_me, client_addr,
	application_name, reason, old::jsonb ->> 'status' AS old_status, new::jsonb ->> 'status' AS new_status,
	new::jsonb -> 'scopes' AS scopes, new::jsonb -> 'enabled' AS enabled
	FROM apitoken.events WHERE realm = 'events_view' ORDER BY id;
SELECT bool_and(at BETWEEN now() - interval '1 hour' AND clock_timestamp()) AS just_now,
	bool_and(at > last OR last IS NULL) AS in_order
	FROM (SELECT at, lag(at) OVER (ORDER BY id) AS last FROM apitoken.events WHERE realm = 'events_view') e;
-- No secret, no digest, of this or any other event.
SELECT count(*) FROM apitoken.events e WHERE e::text ~ split_part(:'token', '.', 3) OR e::text ~ '[0-9a-f]{64}'
	OR e::text ~ 'digest|key_id';
-- The events of a token and of a realm are found by indexes, also through the view.
ANALYZE apitoken._event;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT bool_or(p ~ '_event_token_idx') AS by_token
	FROM test.plan(format('SELECT * FROM apitoken.events WHERE token_id = %L ORDER BY id', :'id')) p;
SELECT bool_or(p ~ '_event_realm_idx') AS by_realm, bool_or(p ~ 'Sort') AS sorted
	FROM test.plan('SELECT * FROM apitoken.events WHERE realm = ''events_view'' ORDER BY id DESC LIMIT 10') p;
SELECT bool_or(p ~ '_event_pkey') AS newest_by_id, bool_or(p ~ 'Sort') AS sorted
	FROM test.plan('SELECT * FROM apitoken.events LIMIT 10') p;
-- The newest first.
SELECT string_agg(event, ' ') FROM (SELECT event FROM apitoken.events WHERE realm = 'events_view' LIMIT 3) e;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET apitoken.actor;
RESET apitoken.actor_name;
RESET application_name;
SELECT test.drop_realm('events_view');
