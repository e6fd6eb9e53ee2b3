-- Table realm: its checks one by one, its guard, and that policy kept in
-- backend memory never outlives a change.
\pset format unaligned
-- Defaults.
INSERT INTO apitoken.realm (id) VALUES ('realm/defaults');
SELECT to_jsonb(r) - 'created_at' AS others, r.created_at BETWEEN now() - interval '1 minute' AND now() AS created_now
  FROM apitoken.realm r WHERE id = 'realm/defaults';
DELETE FROM apitoken.realm WHERE id = 'realm/defaults';
SELECT attname, format_type(atttypid, atttypmod) AS type, attnotnull AS required, collname
  FROM pg_attribute LEFT JOIN pg_collation c ON c.oid = attcollation
 WHERE attrelid = 'apitoken.realm'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- Each column: values that are refused, by which check, and values that are
-- taken, the last ones at the very edge.
CREATE TEMP TABLE attempt (n int GENERATED ALWAYS AS IDENTITY, col text, value text);
INSERT INTO attempt (col, value)
SELECT col, unnest(tried) FROM (VALUES
	('id', E'{NULL,""," ","\t",ok}'::text[] || repeat('i', 256) || repeat('i', 255) || repeat('ß', 256) || repeat('ß',
	255)),
	('name', E'{"","  ","\n",ok,NULL}'::text[] || repeat('n', 256) || repeat('ß', 255)),
	('prefix', E'{NULL,"",a.b,a-b,"a ",ä,"a\n",abcdefghijklmnopq,abcdefghijklmnop,AZaz09_,_,0}'),
	('enabled', '{NULL,f}'),
	('default_ttl', '{0,-1 day,1 second,1 year,NULL}'),
	('max_ttl', '{0,-1 day,1 second,NULL}'),
	('max_idle', '{59 minutes 59 seconds,-1 day,1 hour,NULL}'),
	('max_active_per_principal', '{0,-1,1,NULL}'),
	('known_scopes', '{a*,"a \"b\"",a.* b,"",NULL}'),
	('access_token_ttl', '{0,-1 day,1 second,NULL}'),
	('token_endpoint_url',
	E'{"",example.com,ftp://example.com/,https://,https://a b,"http://a\n",https://example.com/token,http://[::1]:8080/,NULL}'::text[]
		|| ('https://' || repeat('u', 2041)) || ('https://' || repeat('u', 2040))),
	('oidc_issuer_url', E'{"",example.com,ftp://example.com/,https://,https://a b,"http://a\n",https://example.com/token,http://[::1]:8080/,NULL}'::text[]
		|| ('https://' || repeat('u', 2041)) || ('https://' || repeat('u', 2040))),
	('idp_id', '{"",okta-1,NULL}'::text[] || repeat('i', 256) || repeat('i', 255)),
	('idp_domain', '{""," ",example.com,NULL}'::text[] || repeat('i', 256) || repeat('i', 255)),
	('notify', '{NULL,t}'),
	('revoke_on_reuse', '{NULL,t}'),
	('metadata', '{"null",[],"\"text\"",1,"{}","{\"a\": {\"b\": 1}}",NULL}'),
	('created_at', '{NULL,infinity,-infinity,2020-01-01 00:00:00Z}')) AS v(col, tried);
CREATE FUNCTION test.attempt(col text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; which text;
BEGIN
	BEGIN
		IF col = 'id' THEN
			EXECUTE format('INSERT INTO apitoken.realm (id) VALUES (%L)', value);
		ELSE
			EXECUTE format('INSERT INTO apitoken.realm (id, %I) VALUES (''realm/attempt'', %L)', col, value);
		END IF;
		RAISE SQLSTATE 'TAKEN';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, which = CONSTRAINT_NAME;
		RETURN CASE state WHEN 'TAKEN' THEN 'taken' ELSE concat_ws(' ', state, nullif(which, '')) END;
	END;
END $$;
SELECT col, CASE WHEN length(value) > 50 THEN format('%s... (%s)', left(value, 10), length(value))
				 ELSE coalesce(to_json(value)::text, 'NULL') END AS value,
	   test.attempt(col, value) AS answer
  FROM attempt ORDER BY n;
-- An infinite interval (PostgreSQL 17 and later) is not written in one column
-- and refused by another.
SELECT col, test.attempt(col, 'infinity') IN ('22007', '23514 realm_' || col || '_check') AS refused
  FROM (VALUES ('default_ttl'), ('max_ttl'), ('max_idle'), ('access_token_ttl')) AS v(col);
-- Two columns together: the default life is not beyond the longest.
SELECT d, m, test.error(format('INSERT INTO apitoken.realm (id, default_ttl, max_ttl) VALUES (''realm/ttl'', %L, %L)',
	d, m))
	   ~ '^23514 .*realm_ttl_check' AS refused
  FROM (VALUES ('2 days', '1 day'), ('1 month', '30 days'), (NULL, '1 day'), ('1 day', NULL)) AS v(d, m)
  CROSS JOIN LATERAL (SELECT test.drop_realm('realm/ttl')) AS before;
SELECT test.drop_realm('realm/ttl');

-- Triggers.  Those that keep memory in step always fire, under
-- session_replication_role = replica as well.
SELECT tgname, tgenabled, CASE WHEN tgtype & 1 = 1 THEN 'row' ELSE 'statement' END AS level,
	   tgtype & 4 <> 0 AS ins, tgtype & 8 <> 0 AS del, tgtype & 16 <> 0 AS upd, tgtype & 32 <> 0 AS trunc
  FROM pg_trigger WHERE tgrelid = 'apitoken.realm'::regclass AND NOT tgisinternal ORDER BY tgname;
SELECT fn, test.error(format('SELECT apitoken.%I()', fn))
  FROM (VALUES ('_realm_guard'), ('_realm_changed')) AS v(fn);

-- The guard: a realm stays as long as it has tokens.
INSERT INTO apitoken.realm (id) VALUES ('realm/full'), ('realm/empty');
SELECT id AS token_id FROM apitoken.issue('realm/full', 'n') \gset
SELECT command, test.error(command) FROM (VALUES
	('DELETE FROM apitoken.realm WHERE id = ''realm/full'''),
	('DELETE FROM apitoken.realm WHERE id LIKE ''realm/%'''),
	('UPDATE apitoken.realm SET id = ''realm/other'' WHERE id = ''realm/full'''),
	('TRUNCATE apitoken.realm')) AS v(command);
-- Naming the same id again is no rename: upserts and ORMs do that.
SELECT test.error('UPDATE apitoken.realm SET id = id, name = ''same'' WHERE id = ''realm/full''');
SELECT test.error($$INSERT INTO apitoken.realm (id) VALUES ('realm/full')
	ON CONFLICT (id) DO UPDATE SET id = excluded.id, name = 'upserted'$$);
SELECT test.error($$INSERT INTO apitoken.realm (id) VALUES ('realm/full')$$) ~ '^23505' AS one_of_a_name;
SELECT id, name FROM apitoken.realm ORDER BY id;
-- An empty one may go or be renamed.
UPDATE apitoken.realm SET id = 'realm/renamed' WHERE id = 'realm/empty';
DELETE FROM apitoken.realm WHERE id = 'realm/renamed';
-- A revoked token still is a token.
SELECT status FROM apitoken.revoke(:'token_id');
SELECT test.error('DELETE FROM apitoken.realm WHERE id = ''realm/full''');
DELETE FROM apitoken._token WHERE id = :'token_id';
DELETE FROM apitoken.realm WHERE id = 'realm/full';
BEGIN;
INSERT INTO apitoken.realm (id) VALUES ('realm/gone');
DELETE FROM apitoken._token;
TRUNCATE apitoken.realm;
ROLLBACK;

-- Memory.  A verification fills it; each change of the realm is seen at once,
-- by whatever command it is made, and so is its undoing.
INSERT INTO apitoken.realm (id) VALUES ('realm/memory'), ('realm/beside');
SELECT token FROM apitoken.issue('realm/memory', 'n') \gset
CREATE FUNCTION pg_temp.look() RETURNS text LANGUAGE sql AS $$
	SELECT outcome FROM apitoken.verify(current_setting('test.token')) $$;
SELECT set_config('test.token', :'token', false) = :'token' AS kept;
SELECT pg_temp.look();
UPDATE apitoken.realm SET enabled = false WHERE id = 'realm/memory';
SELECT pg_temp.look();
UPDATE apitoken.realm SET enabled = true WHERE id = 'realm/memory';
SELECT pg_temp.look();
BEGIN;
SELECT pg_temp.look();
SAVEPOINT s;
UPDATE apitoken.realm SET enabled = false WHERE id = 'realm/memory';
SELECT pg_temp.look();
SAVEPOINT t;
UPDATE apitoken.realm SET enabled = true WHERE id = 'realm/memory';
SELECT pg_temp.look();
ROLLBACK TO t;
SELECT pg_temp.look();
RELEASE s;
SELECT pg_temp.look();
ROLLBACK;
SELECT pg_temp.look();
-- In one statement, by command after command of a function.
CREATE FUNCTION pg_temp.toggle() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..2 LOOP
		UPDATE apitoken.realm SET enabled = false WHERE id = 'realm/memory';
		RETURN NEXT pg_temp.look();
		UPDATE apitoken.realm SET enabled = true WHERE id = 'realm/memory';
		RETURN NEXT pg_temp.look();
	END LOOP;
END $$;
SELECT pg_temp.toggle();
-- As the apply of logical replication does it.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE apitoken.realm SET enabled = false WHERE id = 'realm/memory';
SELECT pg_temp.look();
ROLLBACK;
-- MERGE, TRUNCATE and removal: a realm that is gone is as good as disabled.
BEGIN;
MERGE INTO apitoken.realm r USING (VALUES ('realm/memory')) AS v(id) ON r.id = v.id
	WHEN MATCHED THEN UPDATE SET enabled = false;
SELECT pg_temp.look();
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
SELECT pg_temp.look();
TRUNCATE apitoken.realm;
SELECT pg_temp.look();
INSERT INTO apitoken.realm (id) VALUES ('realm/memory');
SELECT pg_temp.look();
DELETE FROM apitoken.realm;
SELECT pg_temp.look();
ROLLBACK;
SELECT pg_temp.look();
-- A prefix and a life that are changed: the next token has the new ones.
SELECT public_id ~ '^tok\.' AS tok, expires_at FROM apitoken.issue('realm/memory', 'n');
UPDATE apitoken.realm SET prefix = 'new', default_ttl = '1 day' WHERE id = 'realm/memory';
SELECT public_id ~ '^new\.' AS new, expires_at > now() AS ends FROM apitoken.issue('realm/memory', 'n');
-- The token of before keeps its prefix.
SELECT public_id ~ '^tok\.' AS tok FROM apitoken.tokens WHERE :'token' LIKE public_id || '%';
-- More realms than a backend keeps in mind: each answers for itself.
INSERT INTO apitoken.realm (id) SELECT 'realm/many/' || n FROM generate_series(1, 700) n;
SELECT count(apitoken.import('realm/many/' || n, 'n', sha256 => sha256(n::text::bytea)))
	FROM generate_series(1, 700) n;
UPDATE apitoken.realm SET enabled = false WHERE id ~ '^realm/many/.*[147]$';
SELECT n::text ~ '[147]$' AS disabled, pass, outcome, count(*)
  FROM generate_series(1, 2) AS pass, generate_series(1, 700) n, apitoken.verify_sha256(sha256(n::text::bytea))
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
UPDATE apitoken.realm SET enabled = NOT enabled WHERE id LIKE 'realm/many/%';
SELECT n::text ~ '[147]$' AS disabled_before, outcome, count(*)
  FROM generate_series(1, 700) n, apitoken.verify_sha256(sha256(n::text::bytea))
 GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(test.drop_realm(id)) FROM apitoken.realm WHERE id LIKE 'realm/%';
DROP FUNCTION test.attempt;
