-- idempotency_key of issue(): the same key again makes no second token.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('idempotency'), ('idempotency/other');
-- The id in the detail is the first token's.
CREATE FUNCTION pg_temp.again(realm text, key text, id uuid) RETURNS text LANGUAGE sql AS $$
	SELECT replace(test.error(format('SELECT apitoken.issue(%L, ''n'', idempotency_key => %L)', realm, key)), id::text, '<first id>') $$;
SELECT id, token FROM apitoken.issue('idempotency', 'first', idempotency_key => 'key-1') \gset
SELECT pg_temp.again('idempotency', 'key-1', :'id');
SELECT count(*) FROM apitoken._token WHERE realm = 'idempotency';
SELECT key, token_id = :'id' AS first, created_at BETWEEN now() - interval '1 minute' AND clock_timestamp() AS just_now FROM apitoken._idempotency WHERE realm = 'idempotency';
-- Whatever else is asked for, and whatever became of the token or its realm.
SELECT replace(test.error('SELECT apitoken.issue(''idempotency'', '''', ''{a*}'', expires_in => ''0'', idempotency_key => ''key-1'')'), :'id', '<first id>');
SELECT status FROM apitoken.revoke(:'id');
SELECT pg_temp.again('idempotency', 'key-1', :'id');
SELECT status FROM apitoken.delete(:'id');
SELECT pg_temp.again('idempotency', 'key-1', :'id');
UPDATE apitoken.realm SET enabled = false WHERE id = 'idempotency';
SELECT pg_temp.again('idempotency', 'key-1', :'id');
SELECT pg_temp.again('idempotency', 'key-9', :'id');
UPDATE apitoken.realm SET enabled = true WHERE id = 'idempotency';
-- A key belongs to its realm, exactly as it is written; without one nothing is kept.
SELECT pg_temp.again('idempotency/other', 'key-1', :'id'), pg_temp.again('idempotency', 'KEY-1', :'id'), pg_temp.again('idempotency', 'key-1 ', :'id');
SELECT count(apitoken.issue('idempotency', 'n')) FROM generate_series(1, 3);
SELECT realm, key FROM apitoken._idempotency WHERE realm LIKE 'idempotency%' ORDER BY 1, 2;
-- A call that fails uses no key up; one that is rolled back neither.
SELECT test.error('SELECT apitoken.issue(''idempotency'', '' '', idempotency_key => ''key-2'')');
BEGIN;
SELECT count(*) FROM apitoken.issue('idempotency', 'undone', idempotency_key => 'key-2');
ROLLBACK;
SELECT pg_temp.again('idempotency', 'key-2', :'id');
-- Twice in one transaction, one statement.
SELECT regexp_replace(test.error('SELECT apitoken.issue(''idempotency'', ''n'', idempotency_key => ''key-3'') FROM generate_series(1, 2)'), '[0-9a-f-]{36}', '<id>');
SELECT count(*) FROM apitoken._idempotency WHERE key = 'key-3';
-- A day later the key is free.
SELECT id AS old_id FROM apitoken.issue('idempotency', 'n', idempotency_key => 'key-4') \gset
UPDATE apitoken._idempotency SET created_at = clock_timestamp() - interval '23 hours 59 minutes' WHERE key = 'key-4';
SELECT pg_temp.again('idempotency', 'key-4', :'old_id');
UPDATE apitoken._idempotency SET created_at = clock_timestamp() - interval '24 hours' WHERE key = 'key-4';
SELECT id AS new_id FROM apitoken.issue('idempotency', 'n', idempotency_key => 'key-4') \gset
SELECT token_id = :'new_id' AS newer FROM apitoken._idempotency WHERE key = 'key-4';
SELECT pg_temp.again('idempotency', 'key-4', :'new_id');
-- What cannot be a key.
SELECT length(key), test.error(format('SELECT apitoken.issue(''idempotency'', ''n'', idempotency_key => %L)', key))
	FROM unnest(ARRAY['', '  ', repeat('k', 256), repeat('ß', 255)]) WITH ORDINALITY u(key, n) ORDER BY n;
SELECT test.error('SELECT apitoken.issue(NULL, ''n'', idempotency_key => ''k'')'),
	test.error('SELECT apitoken.issue(''no such realm'', ''n'', idempotency_key => ''k'')');
SELECT test.drop_realm(r) FROM unnest('{idempotency,idempotency/other}'::text[]) r;
