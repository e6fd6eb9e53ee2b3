-- seal_events(): what a seal covers, batches, rollbacks, errors, stats().  All
-- in transactions that are rolled back: the lock of the first seal keeps the
-- worker away, and the history is ours alone.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
BEGIN;
SELECT apitoken.seal_events() IS NOT NULL AS sealed;
DELETE FROM apitoken._event;
DELETE FROM apitoken._event_seal;
-- Writes events as functions do; returns the first id.
CREATE FUNCTION test.write(n int) RETURNS bigint LANGUAGE sql SET search_path = pg_catalog AS $$
	WITH e AS (INSERT INTO apitoken._event (id, at, event, actor, actor_name, session_role, new)
		SELECT nextval('apitoken._event_id_seq'), timestamptz '2020-01-01Z' + i * interval '1 s', 'issued', 'a', 'b', 'c', '{"n": 1}'
		FROM generate_series(1, n) i RETURNING id),
	u AS (INSERT INTO apitoken._event_unsealed SELECT id FROM e RETURNING event_id)
	SELECT min(event_id) FROM u $$;
-- Ids of events are shown from here on.
SELECT nextval('apitoken._event_id_seq') AS base \gset
CREATE FUNCTION pg_temp.seals(base bigint) RETURNS TABLE (id bigint, last_event_at timestamptz, first bigint, last bigint, n int, digests int, key_id int, purged boolean) LANGUAGE sql AS $$
	SELECT id, last_event_at, events[1] - base, events[array_upper(events, 1)] - base, array_length(events, 1), length(event_digests) / 32, key_id, purged
	  FROM apitoken._event_seal ORDER BY id $$;
-- Nothing to seal makes no seal.
SELECT apitoken.seal_events();
SELECT count(*) FROM apitoken._event_seal;
SELECT oldest_unsealed_event, last_seal, last_seal_error FROM apitoken.stats();
SELECT test.write(3) - :base AS first;
SELECT oldest_unsealed_event, last_seal, last_seal_error FROM apitoken.stats();
SELECT apitoken.seal_events();
SELECT * FROM pg_temp.seals(:base);
SELECT sealed_at BETWEEN now() AND clock_timestamp() AS now FROM apitoken._event_seal;
SELECT oldest_unsealed_event, last_seal, last_seal_error FROM apitoken.stats();
SELECT apitoken.seal_events();
-- The next follows; the ids are a list, whatever was written when.
SELECT test.write(1) - :base AS first;
INSERT INTO apitoken._event (id, at, event, actor, actor_name, session_role) VALUES (:base, '2019-01-01Z', 'late', 'a', 'b', 'c');
INSERT INTO apitoken._event_unsealed VALUES (:base);
SELECT apitoken.seal_events();
SELECT * FROM pg_temp.seals(:base);
SELECT digest::text <> lag(digest::text) OVER (ORDER BY id) AS other FROM apitoken._event_seal ORDER BY id;
-- A seal has at most 1000 events.
SELECT test.write(2500) - :base AS first;
SELECT apitoken.seal_events();
SELECT id, n, digests FROM pg_temp.seals(:base) WHERE id > 2;
SELECT test.write(1000) - :base AS first;
SELECT apitoken.seal_events();
SELECT id, n, digests FROM pg_temp.seals(:base) WHERE id > 5;
SELECT count(*) FROM apitoken._event_unsealed;
SELECT * FROM apitoken.check_events();
-- It joins the transaction.
SAVEPOINT a;
SELECT test.write(2) - :base AS first;
SAVEPOINT b;
SELECT apitoken.seal_events();
SELECT max(id) FROM apitoken._event_seal;
ROLLBACK TO b;
SELECT max(id) FROM apitoken._event_seal;
SELECT count(*) FROM apitoken._event_unsealed;
SELECT apitoken.seal_events();
SELECT max(id) FROM apitoken._event_seal;
SELECT * FROM apitoken.check_events();
ROLLBACK TO a;
-- What an event may be: all columns, long values stored out of line, infinite times.
INSERT INTO apitoken._event VALUES (:base + 10000, 'infinity', 'realm', '94f44c7f-4a82-71ac-83f7-fcb31b547f0d', 'x', 'actor', 'Ac Tor', 'role', '2001:db8::1', 'app', 'why',
	'{"a": null, "b": [1, 2.50, "c", true, false, {"d": {}}, []], "ü": -1e300}', 'null'),
	(:base + 10001, '-infinity', repeat('r', 255), NULL, 'x', repeat('ä', 100000), '', '', '10.0.0.0/8', NULL, NULL, '"s"',
	(SELECT jsonb_object_agg(i, repeat(md5(i::text), 10)) FROM generate_series(1, 2000) i));
INSERT INTO apitoken._event_unsealed VALUES (:base + 10000), (:base + 10001);
SELECT apitoken.seal_events();
SELECT last_event_at FROM apitoken._event_seal ORDER BY id DESC LIMIT 1;
SELECT * FROM apitoken.check_events();
-- An event that is gone before it is sealed is sealed as missing.
SELECT test.write(3) AS first \gset
DELETE FROM apitoken._event WHERE id = :first + 1;
SELECT seal_id, event_id - :first AS event, problem FROM apitoken.check_events();
SAVEPOINT a;
\set VERBOSITY sqlstate
SELECT apitoken.seal_events();
\set VERBOSITY default
SELECT seal_id - (SELECT max(id) FROM apitoken._event_seal) AS seal, event_id - :first AS event, problem FROM apitoken.check_events();
-- Putting it back does not help.
INSERT INTO apitoken._event (id, at, event, actor, actor_name, session_role) VALUES (:first + 1, now(), 'x', 'a', 'b', 'c');
SELECT event_id - :first AS event, problem FROM apitoken.check_events();
ROLLBACK TO a;
DELETE FROM apitoken._event_unsealed WHERE event_id = :first + 1;
SELECT apitoken.seal_events();
SELECT * FROM apitoken.check_events();
-- Settings and the search_path of the session have no say in it.
CREATE SCHEMA evil;
CREATE FUNCTION evil.eq(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = bigint, RIGHTARG = bigint);
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
CREATE FUNCTION evil.min(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
CREATE FUNCTION evil.count(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
SELECT test.write(1) IS NOT NULL AS written;
SET LOCAL search_path = evil, pg_temp, pg_catalog;
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL extra_float_digits = -5;
SET LOCAL bytea_output = 'escape';
SET LOCAL TimeZone = 'Asia/Kolkata';
SELECT apitoken.seal_events();
SELECT test.write(1) IS NOT NULL AS written;
SELECT apitoken.seal_events();
SELECT * FROM apitoken.check_events();
SELECT oldest_unsealed_event IS NULL AS sealed FROM apitoken.stats();
RESET search_path;
RESET DateStyle;
RESET extra_float_digits;
RESET bytea_output;
SET TimeZone = 'UTC';
SELECT * FROM apitoken.check_events();
-- EXECUTE is the gate; policies do not bind the owner.
CREATE ROLE regress_seal;
GRANT USAGE ON SCHEMA apitoken, test TO regress_seal;
SET ROLE regress_seal;
SELECT test.sqlstate('SELECT apitoken.seal_events()'), test.sqlstate('SELECT apitoken.check_events()'), test.sqlstate('SELECT apitoken.purge_events(''1 day'')'), test.sqlstate('SELECT apitoken.purge_usage(''1 day'')');
RESET ROLE;
GRANT EXECUTE ON FUNCTION apitoken.seal_events, apitoken.check_events TO regress_seal;
CREATE POLICY p ON apitoken._event USING (false);
ALTER TABLE apitoken._event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE apitoken._event_unsealed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE apitoken._event_seal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT test.write(1) IS NOT NULL AS written;
SET ROLE regress_seal;
SELECT apitoken.seal_events();
SELECT * FROM apitoken.check_events();
SELECT test.sqlstate('SELECT count(*) FROM apitoken._event'), test.sqlstate('SELECT count(*) FROM apitoken._event_seal');
SELECT current_user, current_setting('session_replication_role'), current_setting('enable_nestloop');
RESET ROLE;
ROLLBACK;
-- Not in a read-only transaction; checking is.
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.seal_events()');
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.check_events()');
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.stats()');
