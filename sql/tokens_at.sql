-- tokens_at(): which tokens were valid at a time with which scopes, from the
-- events alone.  Between the steps of some lives it is recorded what verify()
-- says; afterwards tokens_at() must say the same of each moment.
\pset format unaligned
CREATE TABLE test.life (name text PRIMARY KEY, id uuid, token text);
CREATE TABLE test.moment (n int GENERATED ALWAYS AS IDENTITY, step text, at timestamptz, valid jsonb);
-- The valid tokens and their scopes, as verify() says and as tokens_at() says.
CREATE FUNCTION test.verified() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(jsonb_object_agg(l.name, to_jsonb(v.scopes)), '{}') FROM test.life l, apitoken.verify(l.token) v WHERE v.valid $$;
CREATE FUNCTION test.told(at timestamptz, VARIADIC realms text[] DEFAULT '{at,at/2,at/3,at/5}') RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT coalesce(jsonb_object_agg(l.name, to_jsonb(t.scopes)), '{}')
	FROM unnest(realms) realm, apitoken.tokens_at(at, realm) t JOIN test.life l USING (id) $$;
-- A step is over; a moment apart from it and from the next.
CREATE FUNCTION test.note(step text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE moment timestamptz; said jsonb;
BEGIN
	PERFORM pg_sleep(0.003);
	moment := clock_timestamp();
	said := test.verified();
	INSERT INTO test.moment (step, at, valid) VALUES (step, moment, said);
	PERFORM pg_sleep(0.003);
	RETURN said;
END $$;
CREATE FUNCTION test.live(realm text, name text, scopes text[], expires_in interval DEFAULT NULL, wait interval DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO test.life SELECT name, id, token FROM apitoken.issue(realm, name, scopes, expires_in => expires_in,
		not_before => clock_timestamp() + wait) $$;
CREATE FUNCTION test.id(name text) RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT id FROM test.life l WHERE l.name = id.name $$;
SELECT test.note('nothing');
INSERT INTO apitoken.realm (id) VALUES ('at'), ('at/2');
SELECT test.note('realms');
-- Issued, with several scopes, with none; one that was rolled back never was.
SELECT FROM test.live('at', 'a', '{x,y.*}');
SELECT test.note('issued a');
SELECT FROM test.live('at', 'b', '{}');
SELECT test.note('issued b');
BEGIN;
SELECT FROM test.live('at', 'rolled back', '{x}');
ROLLBACK;
SELECT test.note('rolled back');
-- Imported, in another realm.
INSERT INTO test.life SELECT 'i', apitoken.import('at/2', 'i', 'a_token_from_elsewhere', scopes => '{z}'), 'a_token_from_elsewhere';
SELECT test.note('imported i');
-- Scopes change; what is no scope does not matter.
SELECT name FROM apitoken.update(test.id('a'), scopes => '{x,w}');
SELECT test.note('updated a');
SELECT name FROM apitoken.update(test.id('a'), name => 'other name', description => 'd');
SELECT test.note('renamed a');
SELECT name FROM apitoken.update(test.id('b'), scopes => '{b.*}');
SELECT name FROM apitoken.update(test.id('i'), scopes => '{}');
SELECT test.note('updated b and i');
-- Suspended and activated.
SELECT status FROM apitoken.suspend(test.id('a'));
SELECT test.note('suspended a');
SELECT name FROM apitoken.update(test.id('a'), scopes => '{x}');
SELECT test.note('updated a while suspended');
SELECT status FROM apitoken.activate(test.id('a'));
SELECT test.note('activated a');
-- Rotated, the new secret being asked for from then on.
UPDATE test.life SET token = (SELECT token FROM apitoken.rotate(test.id('a'), expires_in => '100 years')) WHERE name = 'a';
SELECT test.note('rotated a');
-- A life that ends by itself, and is renewed; another that begins later.
SELECT FROM test.live('at', 'short', '{s}', '150 milliseconds');
SELECT FROM test.live('at', 'late', '{l}', NULL, '150 milliseconds');
SELECT test.note('short and late issued');
SELECT pg_sleep(0.2);
SELECT test.note('short expired, late begun');
UPDATE test.life SET token = (SELECT token FROM apitoken.rotate(test.id('short'), expires_in => '1 day')) WHERE name = 'short';
SELECT test.note('renewed short');
SELECT name FROM apitoken.update(test.id('short'), clear => '{expires_at}');
SELECT name FROM apitoken.update(test.id('late'), not_before => clock_timestamp() + interval '1 hour');
SELECT test.note('short for ever, late later');
SELECT name FROM apitoken.update(test.id('late'), clear => '{not_before}');
SELECT test.note('late now');
-- A realm is disabled, something happens meanwhile, and enabled again.
UPDATE apitoken.realm SET enabled = false WHERE id = 'at';
SELECT test.note('disabled realm');
SELECT apitoken.seal_events() >= 0 AS sealed;
SELECT test.note('first seal');
SELECT status FROM apitoken.suspend(test.id('late'));
UPDATE apitoken.realm SET name = 'a name' WHERE id = 'at';
SELECT test.note('still disabled');
UPDATE apitoken.realm SET enabled = true WHERE id = 'at';
SELECT test.note('enabled realm');
-- A realm that was disabled from its beginning, and has tokens later.
INSERT INTO apitoken.realm (id, enabled) VALUES ('at/3', false);
SELECT test.note('third realm');
UPDATE apitoken.realm SET enabled = true WHERE id = 'at/3';
SELECT FROM test.live('at/3', 'third', '{t}');
SELECT test.note('third realm enabled');
-- Realms that change their names, also to that of one that was there before.
INSERT INTO apitoken.realm (id) VALUES ('at/4'), ('at/5');
DELETE FROM apitoken.realm WHERE id = 'at/5';
UPDATE apitoken.realm SET id = 'at/5' WHERE id = 'at/4';
SELECT FROM test.live('at/5', 'renamed', '{r}');
SELECT test.note('renamed realm');
-- Revoked, deleted, purged.
SELECT status FROM apitoken.revoke(test.id('a'));
SELECT test.note('revoked a');
SELECT status FROM apitoken.delete(test.id('a'));
SELECT test.note('deleted a');
SELECT count(*) FROM apitoken.revoke_all('at/2');
SELECT test.note('revoked all of the second realm');
SELECT status FROM apitoken.delete(test.id('i'));
-- The same token again, from the beginning: nothing of its former life is left.
SELECT apitoken.import('at/3', 'i', 'a_token_from_elsewhere', expires_in => '1 day') = test.id('i') AS same_id;
SELECT test.note('imported i again');
SELECT name FROM apitoken.update(test.id('b'), expires_at => clock_timestamp() + interval '50 milliseconds');
SELECT pg_sleep(0.1);
SELECT test.note('b expired');
SELECT apitoken.purge('0') >= 1 AS purged;
SELECT test.note('purged b');
SELECT count(*) FROM apitoken._token WHERE id = test.id('b');
-- Of each moment the same.
CREATE VIEW test.difference AS SELECT n, step, m.valid AS verified, told FROM test.moment m,
	LATERAL (SELECT test.told(m.at) AS told) t WHERE m.valid <> told ORDER BY n;
TABLE test.difference;
SELECT count(*) > 25 AS many, count(DISTINCT valid) > 15 AS different FROM test.moment;
-- Each token in its realm only; of all realms at once the same.
SELECT realm, string_agg(DISTINCT key, ' ') AS tokens FROM test.moment m, unnest('{at,at/2,at/3,at/4,at/5,at/6}'::text[]) realm,
	jsonb_object_keys(test.told(m.at, realm)) key GROUP BY 1 ORDER BY 1;
SELECT step, test.told(at, NULL) = valid AS same FROM test.moment WHERE step IN ('renewed short', 'purged b');
-- Sealed, the same; and the tables of tokens and realms are not asked.
SELECT apitoken.seal_events() >= 0 AS sealed;
TABLE test.difference;
BEGIN;
UPDATE apitoken._token SET scopes = 'forged', status = 'a', expires_at = NULL, not_before = NULL, realm = 'at/2';
DELETE FROM apitoken._token WHERE name = 'third';
SET LOCAL session_replication_role = replica;
UPDATE apitoken.realm SET enabled = NOT enabled;
TABLE test.difference;
ROLLBACK;
-- Before all and after all; times that are none.
SELECT test.told('-infinity') AS before, test.told('infinity') = test.verified() - 'i' AS after;
SELECT test.error('SELECT apitoken.tokens_at(NULL)'), test.error('SELECT apitoken.tokens_at(NULL, ''at'')');
-- The session's settings do not matter.
SET TimeZone = 'America/New_York';
SET DateStyle = 'German';
SET IntervalStyle = 'sql_standard';
TABLE test.difference;
RESET TimeZone;
RESET DateStyle;
RESET IntervalStyle;
-- Of one realm its events alone are read.
ANALYZE apitoken._event;
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT pg_stat_get_xact_numscans('apitoken._event_realm_idx'::regclass) AS index_scans,
	pg_stat_get_xact_numscans('apitoken._event'::regclass) AS table_scans \gset
SELECT count(*) > 0 AS some FROM apitoken.tokens_at(clock_timestamp(), 'at/3');
SELECT pg_stat_get_xact_numscans('apitoken._event_realm_idx'::regclass) - :index_scans AS index_scans,
	pg_stat_get_xact_numscans('apitoken._event'::regclass) - :table_scans AS table_scans;
ROLLBACK;
-- Where purge_events() has removed the beginning, the answer of the time since is whole.
SELECT count(*) > 0 AS purged FROM (SELECT apitoken.purge_events(clock_timestamp() - at)
	FROM test.moment WHERE step = 'still disabled') p;
SELECT count(*) AS older_events FROM apitoken.events e, test.moment m
	WHERE m.step = 'first seal' AND e.at < m.at AND e.event <> 'events_purged';
SELECT d.* FROM test.difference d WHERE n >= (SELECT n FROM test.moment WHERE step = 'still disabled');
DROP VIEW test.difference;
DROP TABLE test.life, test.moment;
DROP FUNCTION test.verified, test.told, test.note, test.live, test.id;
SELECT test.drop_realm('at'), test.drop_realm('at/2'), test.drop_realm('at/3'), test.drop_realm('at/5');
