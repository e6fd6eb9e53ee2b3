-- apitoken.require_token: nothing reads or changes tokens without a current one.
\pset format unaligned
\pset tuples_only on
INSERT INTO apitoken.realm (id) VALUES ('required');
SELECT id, token FROM apitoken.issue('required', 'caller', '{*}') \gset
SELECT id AS revoked, token AS revoked_token FROM apitoken.issue('required', 'revoked') \gset
SELECT status FROM apitoken.revoke(:'revoked');
SELECT id AS suspended FROM apitoken.issue('required', 'suspended') \gset
SELECT status FROM apitoken.suspend(:'suspended');
SELECT id AS rotated FROM apitoken.issue('required', 'rotated') \gset
SELECT id = :'rotated' FROM apitoken.rotate(:'rotated', '1 hour');
-- By name a call of each function that the extension has for its users.
CREATE TABLE test.call (name text, call text);
INSERT INTO test.call SELECT split_part(call, '(', 1), call FROM (VALUES
	('verify($2)'), ('verify_sha256(sha256($2::bytea))'), ('verify_many(ARRAY[$2])'), ('verified_id($2)'), ('authenticate($2)'),
	('current_token()'), ('current_realm()'), ('current_principal()'), ('has_scope(''a'')'),
	('issue(''required'', ''n'')'), ('import(''required'', ''n'', ''a_foreign_token'')'), ('update($1, name => ''n'')'),
	('rotate($1)'), ('end_grace($5)'), ('suspend($1)'), ('activate($4)'), ('revoke($1)'), ('revoke_self($2)'),
	('revoke_all(''required'')'), ('delete($3)'), ('purge()'),
	('details($2)'), ('lookup($2)'), ('read($1)'), ('list(''required'')'), ('query(''required'')'),
	('tokens_granting(''a'')'), ('tokens_at(now())'), ('flush_usage()'), ('seal_events()'), ('check_events()'),
	('purge_events(''1000 years'')'), ('purge_usage(''1000 years'')'), ('stats()'), ('key_state()'), ('enable_search()'),
	('version()'), ('check_token($2)'), ('token_digest($2)'), ('scope_count(''a b''::apitoken.scopes)')) v(call);
SELECT proname AS forgotten FROM pg_proc p WHERE pronamespace = 'apitoken'::regnamespace AND proname !~ '^_'
	AND NOT EXISTS (SELECT FROM pg_type WHERE p.oid IN (typinput, typoutput, typreceive, typsend))
	AND NOT EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid) AND NOT EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
	AND NOT EXISTS (SELECT FROM pg_cast WHERE castfunc = p.oid) AND proname NOT IN (SELECT name FROM test.call);
-- Undone afterwards.
CREATE FUNCTION test.attempt(call text, with_token boolean, args text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	IF with_token THEN PERFORM apitoken.authenticate(args[2]); END IF;
	EXECUTE format('SELECT count(s::text) FROM (SELECT apitoken.%s) s', call) INTO answer USING args[1]::uuid, args[2], args[3]::uuid,
		args[4]::uuid, args[5]::uuid;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN 'yes';
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
\set calls 'SELECT string_agg(name, '' '' ORDER BY name) AS functions, test.attempt(call, false, args) AS without, test.attempt(call, true, args) AS with_one FROM test.call, args GROUP BY 2, 3 ORDER BY 2, 3'
CREATE TEMP TABLE args AS SELECT ARRAY[:'id', :'token', :'revoked', :'suspended', :'rotated'] AS args;
SHOW apitoken.require_token;
:calls;
SET apitoken.require_token = on;
:calls;
SELECT test.error($$SELECT apitoken.list('required')$$);
-- It comes first: before what is wrong with the call, and before anything is read.
SELECT test.sqlstate('SELECT apitoken.issue(NULL, NULL)'), test.sqlstate('SELECT apitoken.revoke(NULL)'), test.sqlstate('SELECT apitoken.read(NULL)'),
	test.sqlstate('SELECT apitoken.query(body => ''[]'')'), test.sqlstate('SELECT apitoken.tokens_granting('''')'), test.sqlstate('SELECT apitoken.purge(''-1 day'')');
-- A token that is not valid is no current one.
SELECT test.attempt('list(''required'')', true, ARRAY[:'id', :'revoked_token']);
-- Views are no functions, and what they call asks nothing: SELECT is the gate.
SELECT count(*) FROM apitoken.tokens WHERE realm = 'required' AND last_used_at IS NOT NULL;
-- In parallel workers it is not forgotten: the functions stay in the leader.
SELECT set_config(name, 'on', false) IS NOT NULL FROM pg_settings
	WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT test.sqlstate('SELECT * FROM apitoken.tokens_granting(''a'')'), test.sqlstate('SELECT * FROM apitoken.tokens_at(now())'),
	test.sqlstate('SELECT * FROM apitoken.stats()');
BEGIN;
SELECT apitoken.authenticate(:'token') = :'id';
SELECT count(*) > 0 FROM apitoken.tokens_granting('x');
SELECT count(*) > 0 FROM apitoken.tokens_at(now());
COMMIT;
RESET ALL;
SHOW apitoken.require_token;

-- Only superusers set it, and whom it was set for cannot get rid of it.
CREATE ROLE regress_apitoken_app;
GRANT USAGE ON SCHEMA apitoken, test TO regress_apitoken_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA apitoken TO regress_apitoken_app;
GRANT SELECT ON test.call, args TO regress_apitoken_app;
ALTER ROLE regress_apitoken_app SET apitoken.require_token = on;
SET apitoken.require_token = on;
SET SESSION AUTHORIZATION regress_apitoken_app;
SELECT test.error('SET apitoken.require_token = off');
SELECT test.error('SET LOCAL apitoken.require_token = off');
SELECT test.error($$SELECT set_config('apitoken.require_token', 'off', true)$$);
SELECT test.error('ALTER ROLE regress_apitoken_app SET apitoken.require_token = off');
SELECT test.error('ALTER ROLE regress_apitoken_app RESET apitoken.require_token');
ALTER ROLE regress_apitoken_app RESET ALL;
SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'regress_apitoken_app'::regrole;
SELECT test.error($$CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql SET apitoken.require_token = off AS 'SELECT 1'$$);
SHOW apitoken.require_token;
SELECT test.attempt('list(''required'')', false, args), test.attempt('list(''required'')', true, args) FROM args;
RESET SESSION AUTHORIZATION;
-- It is the session's, not the current role's: it holds inside of functions with their owner's rights,
CREATE FUNCTION test.as_owner() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$ SELECT apitoken.list('required') IS NOT NULL $$;
SET SESSION AUTHORIZATION regress_apitoken_app;
SELECT test.sqlstate('SELECT test.as_owner()');
RESET SESSION AUTHORIZATION;
-- unless a superuser says in the function that it does not.
ALTER FUNCTION test.as_owner() SET apitoken.require_token = off;
SET SESSION AUTHORIZATION regress_apitoken_app;
SELECT test.as_owner();
SELECT test.sqlstate($$SELECT apitoken.list('required')$$);
RESET SESSION AUTHORIZATION;
RESET apitoken.require_token;

DROP FUNCTION test.attempt, test.as_owner;
DROP TABLE test.call;
DROP OWNED BY regress_apitoken_app;
DROP ROLE regress_apitoken_app;
SELECT test.drop_realm('required');
