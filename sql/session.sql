-- authenticate() and the transaction's current token.
\pset format unaligned
\pset tuples_only on
INSERT INTO apitoken.realm (id) VALUES ('one'), ('two');
SELECT id AS a, token AS a_token FROM apitoken.issue('one', 'a', '{app.*,b}', principal => 'ann') \gset
SELECT id AS b, token AS b_token FROM apitoken.issue('two', 'b', '{b}', principal => 'bob') \gset
SELECT id AS c, token AS c_token FROM apitoken.issue('two', 'c') \gset
-- Who it is, in one line.
CREATE FUNCTION test.who() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(apitoken.current_realm(), 'nobody'), (SELECT name FROM apitoken._token
		WHERE id = apitoken.current_token()), apitoken.current_principal(), 'b=' || apitoken.has_scope('b')) $$;

-- There is none until a token was authenticated, and none after the transaction.
SELECT test.who(), apitoken.current_token() IS NULL, apitoken.current_realm() IS NULL, apitoken.current_principal() IS NULL;
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
SELECT test.who(), apitoken.current_token() = :'a', apitoken.current_realm(), apitoken.current_principal();
COMMIT;
SELECT test.who();
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
ROLLBACK;
SELECT test.who();
-- A statement of its own is a transaction of its own; several in one message are one.
SELECT apitoken.authenticate(:'a_token') = :'a';
SELECT test.who();
SELECT apitoken.authenticate(:'a_token') = :'a'\; SELECT test.who();
SELECT test.who();
-- A second one takes the place of the first, also in one statement that has answers of both.
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
SELECT apitoken.authenticate(:'b_token') = :'b';
SELECT test.who();
SELECT apitoken.current_realm(), apitoken.current_principal(), apitoken.current_token() = :'b', apitoken.authenticate(:'c_token') = :'c',
	apitoken.current_principal() IS NULL, apitoken.current_token() = :'c';
SELECT test.who();
COMMIT;

-- has_scope(): all of them, wildcards included; what is not asked for is not had.
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
SELECT scope, apitoken.has_scope(scope) FROM unnest('{b,app.x,app.x.y b,app,app.x c,c,app.*,*}'::text[]) scope;
SELECT apitoken.has_scope(NULL);
SELECT apitoken.authenticate(:'c_token') = :'c';
SELECT scope, apitoken.has_scope(scope) FROM unnest('{b,*}'::text[]) scope;
COMMIT;
SELECT apitoken.has_scope('b'), apitoken.has_scope(NULL);
SELECT test.error($$SELECT apitoken.has_scope(' ')$$);
SELECT test.error($$SELECT apitoken.has_scope('a"')$$);

-- What is not valid is an error with its outcome, and never the token.
SELECT id AS revoked, token AS revoked_token FROM apitoken.issue('one', 'revoked') \gset
SELECT status FROM apitoken.revoke(:'revoked');
SELECT id AS suspended, token AS suspended_token FROM apitoken.issue('one', 'suspended') \gset
SELECT status FROM apitoken.suspend(:'suspended');
SELECT token AS later_token FROM apitoken.issue('one', 'later', not_before => now() + '1 day') \gset
SELECT token AS net_token FROM apitoken.issue('one', 'net', allowed_addresses => '{10.0.0.0/8}') \gset
SELECT id AS rotated, token AS rotated_token FROM apitoken.issue('one', 'rotated') \gset
SELECT id = :'rotated' FROM apitoken.rotate(:'rotated');
SELECT id AS ended, token AS ended_token FROM apitoken.issue('one', 'ended') \gset
UPDATE apitoken._token SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE id = :'ended';
SELECT test.error('SELECT apitoken.authenticate(NULL)');
SELECT what, test.error(format('SELECT apitoken.authenticate(%L)', token)) FROM (VALUES ('short', 'x'), ('unknown', test.sample()),
	('rotated', :'rotated_token'), ('revoked', :'revoked_token'), ('suspended', :'suspended_token'), ('later', :'later_token'),
	('ended', :'ended_token'), ('net', :'net_token')) t(what, token);
SELECT test.error(format('SELECT apitoken.authenticate(%L, %L)', :'a_token', 'c'));
SELECT test.error(format('SELECT apitoken.authenticate(%L, %L)', :'a_token', ''));
SELECT test.error(format('SELECT apitoken.authenticate(%L, address => %L)', :'net_token', '192.0.2.1'));
UPDATE apitoken.realm SET enabled = false WHERE id = 'two';
SELECT test.error(format('SELECT apitoken.authenticate(%L)', :'b_token'));
UPDATE apitoken.realm SET enabled = true WHERE id = 'two';
BEGIN;
SELECT apitoken.authenticate(:'net_token', address => '10.1.2.3') IS NOT NULL, test.who();
COMMIT;
BEGIN;
SELECT apitoken.authenticate(:'a_token', 'b app.read') = :'a', test.who();
COMMIT;

-- Refusals count, and so does what was authenticated, also where the transaction is undone.
SELECT apitoken.flush_usage() IS NOT NULL;
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
ROLLBACK;
SELECT test.sqlstate(format('SELECT apitoken.authenticate(%L)', :'revoked_token'));
SELECT name, use_count FROM apitoken.tokens WHERE realm IN ('one', 'two') AND use_count > 0 ORDER BY name;
SELECT apitoken.flush_usage() IS NOT NULL;
SELECT name, outcome, sum(uses) FROM apitoken.usage_hourly WHERE realm IN ('one', 'two') GROUP BY 1, 2 ORDER BY 1, 2;

-- An error leaves what was current: behind a savepoint, in a block of PL/pgSQL.
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
SAVEPOINT s;
SELECT apitoken.authenticate(:'revoked_token');
ROLLBACK TO s;
SELECT test.who();
SELECT test.sqlstate(format('SELECT apitoken.authenticate(%L)', :'suspended_token')), test.who();
-- A block that ends well keeps what it set, one that fails does not.
CREATE FUNCTION test.in_block(token text, fails boolean) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM apitoken.authenticate(token);
		IF fails THEN RAISE 'undo'; END IF;
	EXCEPTION WHEN raise_exception THEN NULL;
	END;
	RETURN test.who();
END $$;
SELECT test.in_block(:'b_token', true);
SELECT test.who();
SELECT test.in_block(:'b_token', false);
SELECT test.who();
COMMIT;

-- Savepoints: ROLLBACK TO restores what was current there, RELEASE keeps.
BEGIN;
SAVEPOINT none;
SELECT apitoken.authenticate(:'a_token') = :'a';
SAVEPOINT a;
SELECT apitoken.authenticate(:'b_token') = :'b';
SELECT apitoken.authenticate(:'c_token') = :'c';
SAVEPOINT c;
SELECT test.who();
ROLLBACK TO c;
SELECT test.who();
ROLLBACK TO a;
SELECT test.who();
SELECT apitoken.authenticate(:'b_token') = :'b';
RELEASE a;
SELECT test.who();
SAVEPOINT again;
SAVEPOINT deeper;
SAVEPOINT deepest;
SELECT apitoken.authenticate(:'c_token') = :'c';
RELEASE deepest;
RELEASE deeper;
SELECT test.who();
ROLLBACK TO again;
SELECT test.who();
ROLLBACK TO none;
SELECT test.who();
SELECT apitoken.authenticate(:'a_token') = :'a';
RELEASE none;
SELECT test.who();
COMMIT;
SELECT test.who();
-- The same, by a model: random steps, each compared with a list of what was current at each depth.
CREATE FUNCTION test.steps(seed float8, n int, tokens text[], ids uuid[]) RETURNS TABLE (steps int, wrong int) LANGUAGE plpgsql AS $$
DECLARE
	expected uuid := apitoken.current_token();
	before uuid; fails boolean; k int;
BEGIN
	PERFORM setseed(seed);
	steps := 0; wrong := 0;
	FOR i IN 1..n LOOP
		before := expected; fails := random() < 0.5;
		BEGIN
			FOR j IN 1..(random() * 3)::int LOOP
				k := 1 + floor(random() * cardinality(ids));
				BEGIN
					PERFORM apitoken.authenticate(tokens[k]);
					IF random() < 0.3 THEN RAISE SQLSTATE 'UNDO0'; END IF;
					expected := ids[k];
				EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL;
				END;
				steps := steps + 1;
				wrong := wrong + (apitoken.current_token() IS DISTINCT FROM expected)::int;
			END LOOP;
			IF fails THEN RAISE SQLSTATE 'UNDO0'; END IF;
		EXCEPTION WHEN SQLSTATE 'UNDO0' THEN expected := before;
		END;
		wrong := wrong + (apitoken.current_token() IS DISTINCT FROM expected)::int;
	END LOOP;
	RETURN NEXT;
END $$;
SELECT steps > 500, wrong FROM test.steps(0.5, 500, ARRAY[:'a_token', :'b_token', :'c_token'], ARRAY[:'a', :'b', :'c']::uuid[]);
SELECT test.who();

-- It is the transaction's token: what happens to the token meanwhile counts from the next authenticate() on.
BEGIN;
SELECT apitoken.authenticate(:'c_token') = :'c';
SELECT apitoken.revoke_self(:'c_token');
SELECT test.who();
SELECT test.error(format('SELECT apitoken.authenticate(%L)', :'c_token'));
SELECT test.who();
ROLLBACK;
-- Whatever the forms that its row, and the arguments, are stored in.
SELECT id AS l, token AS l_token FROM apitoken.issue('one', 'long', ARRAY(SELECT md5(n::text) FROM generate_series(1, 2000) n),
	principal => repeat('p', 255)) \gset
SELECT pg_column_size(scopes) > 8000 FROM apitoken._token WHERE id = :'l';
CREATE TABLE test.stored (token text, scope text);
INSERT INTO test.stored SELECT :'l_token', string_agg(md5(n::text), ' ') FROM generate_series(1, 2000) n;
BEGIN;
SELECT apitoken.authenticate(token, scope) = :'l' FROM test.stored;
SELECT apitoken.has_scope(scope), apitoken.has_scope(scope || ' b'), length(apitoken.current_principal()) FROM test.stored;
COMMIT;
DROP TABLE test.stored;
-- Read-only transactions have one, in any isolation level.
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SELECT apitoken.authenticate(:'a_token') = :'a';
SELECT test.who();
COMMIT;

-- Rows of tenants.
CREATE TABLE test.note (realm text NOT NULL DEFAULT apitoken.current_realm(), note text);
INSERT INTO test.note SELECT CASE WHEN n % 2 = 0 THEN 'one' ELSE 'two' END, 'note ' || n FROM generate_series(1, 6) n;
CREATE INDEX ON test.note (realm);
ALTER TABLE test.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON test.note USING (realm = apitoken.current_realm());
CREATE ROLE regress_apitoken_app;
CREATE ROLE regress_apitoken_other;
GRANT regress_apitoken_other TO regress_apitoken_app;
GRANT USAGE ON SCHEMA apitoken, test TO regress_apitoken_app, regress_apitoken_other;
GRANT SELECT, INSERT ON test.note TO regress_apitoken_app, regress_apitoken_other;
GRANT EXECUTE ON FUNCTION apitoken.authenticate, apitoken.current_realm TO regress_apitoken_app, regress_apitoken_other;
CREATE FUNCTION test.as_owner() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$ SELECT (current_user <> session_user)::text
	|| ' ' || apitoken.current_realm() || ' ' || (SELECT count(*) FROM test.note) $$;
SET SESSION AUTHORIZATION regress_apitoken_app;
SELECT count(*) FROM test.note;
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
SELECT * FROM test.note ORDER BY note;
INSERT INTO test.note (note) VALUES ('mine') RETURNING realm;
-- Whoever it is by role: a function of its owner, SET ROLE.
SELECT test.as_owner();
SET LOCAL ROLE regress_apitoken_other;
SELECT count(*) FROM test.note;
RESET ROLE;
SELECT count(*) FROM test.note;
-- Not to be forged by SET.
SAVEPOINT s;
SET LOCAL apitoken.current_realm = 'two';
ROLLBACK TO s;
SELECT set_config('apitoken.actor', 'bob', true), count(*) FROM test.note;
INSERT INTO test.note (realm, note) VALUES ('two', 'not mine');
ROLLBACK;
-- Prepared statements and generic plans follow it.
SET plan_cache_mode = force_generic_plan;
PREPARE notes AS SELECT min(note), count(*) FROM test.note;
EXECUTE notes;
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
EXECUTE notes;
SELECT apitoken.authenticate(:'b_token') = :'b';
EXECUTE notes;
COMMIT;
EXECUTE notes;
DEALLOCATE notes;
RESET plan_cache_mode;
-- A cursor reads as who is there when it reads; one WITH HOLD is read to its end at commit.
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
DECLARE mine CURSOR FOR SELECT note FROM test.note ORDER BY note;
FETCH 1 FROM mine;
DECLARE held CURSOR WITH HOLD FOR SELECT note FROM test.note ORDER BY note;
SAVEPOINT s;
SELECT apitoken.authenticate(:'b_token') = :'b';
ROLLBACK TO s;
FETCH ALL FROM mine;
COMMIT;
SELECT apitoken.current_realm() IS NULL;
FETCH ALL FROM held;
CLOSE held;
RESET SESSION AUTHORIZATION;

-- Deferred triggers at commit still have it.
CREATE TABLE test.seen (moment text, realm text);
CREATE FUNCTION test.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO test.seen VALUES (TG_NAME, apitoken.current_realm());
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON test.note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION test.see();
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
INSERT INTO test.note (note) VALUES ('deferred');
SELECT count(*) FROM test.seen;
COMMIT;
SELECT * FROM test.seen;
SELECT test.who();
-- COMMIT and ROLLBACK inside of a procedure end it.
CREATE PROCEDURE test.several(token text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM apitoken.authenticate(token);
	RAISE NOTICE '%', test.who();
	COMMIT;
	RAISE NOTICE '%', test.who();
	PERFORM apitoken.authenticate(token);
	ROLLBACK;
	RAISE NOTICE '%', test.who();
	PERFORM apitoken.authenticate(token);
	COMMIT AND CHAIN;
	RAISE NOTICE '%', test.who();
END $$;
CALL test.several(:'a_token');
SELECT test.who();
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
COMMIT AND CHAIN;
SELECT test.who();
COMMIT;
-- DISCARD ALL finds nothing to discard.
BEGIN;
SELECT apitoken.authenticate(:'a_token') = :'a';
DISCARD ALL;
ROLLBACK;
DISCARD ALL;
SELECT test.who();

-- Parallel plans: the leader asks, workers scan.
INSERT INTO test.note SELECT 'two', 'x' FROM generate_series(1, 1000);
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT set_config(name, CASE vartype WHEN 'enum' THEN 'regress' ELSE 'on' END, false) IS NOT NULL FROM pg_settings
	WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
GRANT SELECT ON test.note TO regress_apitoken_app;
SET ROLE regress_apitoken_app;
BEGIN;
SELECT apitoken.authenticate(:'b_token') = :'b';
SELECT count(*) FROM test.note;
SELECT count(*), min(apitoken.current_realm()) FROM test.note WHERE note = 'x';
COMMIT;
SELECT count(*) FROM test.note;
-- A policy that asks once has workers read for it.
RESET ROLE;
ALTER POLICY tenant ON test.note USING (realm = (SELECT apitoken.current_realm()));
SET ROLE regress_apitoken_app;
SELECT plan FROM test.plan($$SELECT note FROM test.note WHERE note = 'x'$$) plan;
BEGIN;
SELECT apitoken.authenticate(:'b_token') = :'b';
SELECT count(*) FROM test.note;
COMMIT;
SELECT count(*) FROM test.note;
RESET ROLE;
RESET ALL;

-- The author of a change is the token's principal, whatever the settings claim.
SET apitoken.actor = 'claimed';
SET apitoken.actor_name = 'Claimed';
SELECT id AS d, token AS d_token FROM apitoken.issue('two', 'no principal', '{apitoken.*}') \gset
SELECT id AS e, token AS e_token FROM apitoken.issue('two', 'writer', '{apitoken.*}', principal => 'eve') \gset
BEGIN;
SELECT apitoken.authenticate(:'e_token') = :'e';
SELECT id AS made FROM apitoken.issue('two', 'made by eve') \gset
SELECT status FROM apitoken.suspend(:'made');
COMMIT;
SELECT event, actor, actor_name FROM apitoken.events WHERE token_id = :'made' ORDER BY id;
SELECT created_by, created_by_name, status_changed_by FROM apitoken.tokens WHERE id = :'made';
-- A token that acts for nobody leaves it to the settings.
BEGIN;
SELECT apitoken.authenticate(:'d_token') = :'d';
SELECT status FROM apitoken.activate(:'made');
COMMIT;
SELECT actor, actor_name FROM apitoken.events WHERE token_id = :'made' ORDER BY id DESC LIMIT 1;
-- A change of a realm, too, has its author.
BEGIN;
SELECT apitoken.authenticate(:'e_token') = :'e';
UPDATE apitoken.realm SET name = 'Two' WHERE id = 'two';
COMMIT;
SELECT actor, actor_name FROM apitoken.events WHERE event = 'realm_updated' AND realm = 'two' ORDER BY id DESC LIMIT 1;

DROP TABLE test.note, test.seen;
DROP FUNCTION test.who, test.in_block, test.steps, test.as_owner, test.see;
DROP PROCEDURE test.several;
DROP OWNED BY regress_apitoken_app, regress_apitoken_other;
DROP ROLE regress_apitoken_app, regress_apitoken_other;
SELECT test.drop_realm('one'), test.drop_realm('two');
