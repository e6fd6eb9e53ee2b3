-- Who may do what: PUBLIC nothing, a role what it was granted.
\pset format unaligned
CREATE TEMP VIEW member AS
	SELECT classid, objid FROM pg_depend
	 WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension
	 	WHERE extname = 'apitoken') AND deptype = 'e';
-- What PUBLIC may execute, read or use: nothing, the row types of tables
-- included.  (An array's type goes by that of its elements.)
SELECT 'function' AS kind, p.oid::regprocedure::text AS name, privilege_type FROM pg_proc p
	JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass,
	aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0
UNION ALL
SELECT 'type', t.oid::regtype::text, privilege_type
	FROM pg_type t, aclexplode(coalesce(typacl, acldefault('T', typowner)))
	WHERE typnamespace = 'apitoken'::regnamespace AND typcategory <> 'A' AND grantee = 0
UNION ALL
SELECT 'relation', c.oid::regclass::text, privilege_type FROM pg_class c JOIN member ON objid = c.oid
	AND classid = 'pg_class'::regclass, aclexplode(coalesce(relacl, acldefault('r', relowner))) WHERE grantee = 0
UNION ALL
SELECT 'column', format('%s.%I', attrelid::regclass, attname), privilege_type FROM pg_attribute
	JOIN member ON objid = attrelid AND classid = 'pg_class'::regclass, aclexplode(attacl) WHERE grantee = 0
UNION ALL
SELECT 'schema', nspname, privilege_type FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
	WHERE nspname = 'apitoken' AND grantee = 0
ORDER BY 1, 2;
-- How many were asked, and who else has anything.
SELECT classid::regclass, count(*) > 0 AS there FROM member GROUP BY classid ORDER BY classid::regclass::text;
SELECT count(*) AS granted_to_others FROM (
	SELECT grantee, proowner AS owner FROM pg_proc p JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass,
		aclexplode(proacl)
	UNION ALL SELECT grantee, relowner FROM pg_class c JOIN member ON objid = c.oid
		AND classid = 'pg_class'::regclass, aclexplode(relacl)
	UNION ALL SELECT grantee, typowner FROM pg_type t JOIN member ON objid = t.oid AND classid = 'pg_type'::regclass,
		aclexplode(typacl)) a WHERE grantee <> owner;
-- Only reports run with their owner's rights, and with a path that is nobody else's.
SELECT proname, proconfig FROM pg_proc p JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass
	WHERE prosecdef ORDER BY proname;

-- A role that was granted nothing can do nothing, and the same role with the
-- schema alone.
CREATE ROLE regress_apitoken_nobody;
INSERT INTO apitoken.realm (id) VALUES ('privileges');
SELECT id, token FROM apitoken.issue('privileges', 'subject', '{a}') \gset
CREATE FUNCTION test.attempts(role text, token text, id uuid) RETURNS TABLE (command text,
	answer text) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH command IN ARRAY ARRAY['SELECT outcome FROM apitoken.verify($1)',
		'SELECT outcome FROM apitoken.verify_sha256(sha256($1::bytea))', 'SELECT apitoken.verified_id($1) = $2',
		'SELECT apitoken.lookup($1) ->> ''name''', 'SELECT apitoken.check_token($1)',
		'SELECT apitoken.token_digest($1) IS NOT NULL', 'SELECT apitoken._public_id(''p'', $2) IS NOT NULL',
		'SELECT apitoken.version() IS NOT NULL', 'SELECT (apitoken.issue(''privileges'', ''n'')).token IS NOT NULL',
		'SELECT apitoken.import(''privileges'', ''n'', ''a_foreign_token'') IS NOT NULL',
		'SELECT status FROM apitoken.suspend($2)', 'SELECT status FROM apitoken.activate($2)',
		'SELECT status FROM apitoken.revoke($2)', 'SELECT name FROM apitoken.update($2, name => ''n'')',
		'SELECT public_id IS NOT NULL FROM apitoken.rotate($2)', 'SELECT status FROM apitoken.end_grace($2)',
		'SELECT apitoken.revoke_self($1)', 'SELECT count(*) FROM apitoken.revoke_all(''privileges'')',
		'SELECT count(*) FROM apitoken.revoke_all(''privileges'', dry_run => true)',
		'SELECT status FROM apitoken.delete($2)', 'SELECT apitoken.purge()',
		'SELECT apitoken.scopes_hash(''a''::apitoken.scopes) IS NOT NULL',
		'SELECT ''a''::apitoken.scopes OPERATOR(apitoken.=) ''a''::apitoken.scopes',
		'SELECT count(*) > 0 FROM apitoken.tokens', 'SELECT count(*) > 0 FROM apitoken.realm',
		'SELECT count(*) > 0 FROM apitoken._token', 'SELECT count(*) FROM apitoken._usage',
		'SELECT count(*) > 0 FROM apitoken._event', 'SELECT nextval(''apitoken._event_id_seq'') > 0',
		'UPDATE apitoken.realm SET name = ''n'' RETURNING name', 'DELETE FROM apitoken._token RETURNING name',
		'CREATE TABLE pg_temp.t (s apitoken.scopes)', 'CREATE TABLE pg_temp.t (s apitoken.digest[])',
		'CREATE TABLE pg_temp.t (s apitoken._token)', 'CREATE TABLE apitoken.t ()'] LOOP
		BEGIN
			EXECUTE format('SET LOCAL ROLE %I', role);
			IF command LIKE 'CREATE%' THEN EXECUTE command; answer := 'done';
				ELSE EXECUTE command INTO answer USING token, id; END IF;
			RAISE SQLSTATE 'UNDO0';
		EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
			WHEN OTHERS THEN answer := SQLSTATE || ' ' || SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT answer, count(*) FROM test.attempts('regress_apitoken_nobody', :'token', :'id') GROUP BY 1;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_nobody;
SELECT * FROM test.attempts('regress_apitoken_nobody', :'token', :'id');

-- Roles for each job.  A verifier can verify and nothing else.
CREATE ROLE regress_apitoken_verifier;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_verifier;
GRANT EXECUTE ON FUNCTION apitoken.verify, apitoken.verify_sha256, apitoken.verified_id TO regress_apitoken_verifier;
SELECT * FROM test.attempts('regress_apitoken_verifier', :'token', :'id') WHERE answer NOT LIKE '42501%';
-- An issuer makes tokens and changes them, and reads none.
CREATE ROLE regress_apitoken_issuer;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_issuer;
GRANT EXECUTE ON FUNCTION apitoken.issue, apitoken.import, apitoken.rotate, apitoken.end_grace, apitoken.update,
	apitoken.suspend, apitoken.activate, apitoken.revoke, apitoken.revoke_self, apitoken.revoke_all, apitoken.delete,
	apitoken.purge TO regress_apitoken_issuer;
SELECT * FROM test.attempts('regress_apitoken_issuer', :'token', :'id') WHERE answer NOT LIKE '42501%';
-- A reporter reads the view, for which it also needs the function inside it.
CREATE ROLE regress_apitoken_reporter;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_reporter;
GRANT SELECT ON apitoken.tokens TO regress_apitoken_reporter;
SELECT * FROM test.attempts('regress_apitoken_reporter', :'token', :'id') WHERE answer NOT LIKE '42501%';
SET ROLE regress_apitoken_reporter;
SELECT name FROM apitoken.tokens WHERE realm = 'privileges';
SELECT public_id IS NOT NULL FROM apitoken.tokens;
RESET ROLE;
GRANT EXECUTE ON FUNCTION apitoken._public_id TO regress_apitoken_reporter;
SELECT * FROM test.attempts('regress_apitoken_reporter', :'token', :'id') WHERE answer NOT LIKE '42501%';
SET ROLE regress_apitoken_reporter;
SELECT name, status, scopes, public_id IS NOT NULL AS public_id FROM apitoken.tokens WHERE realm = 'privileges';
RESET ROLE;
-- One who configures realms sees no tokens; the triggers need no right of theirs.
CREATE ROLE regress_apitoken_admin;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON apitoken.realm TO regress_apitoken_admin;
SELECT * FROM test.attempts('regress_apitoken_admin', :'token', :'id') WHERE answer NOT LIKE '42501%';
SET ROLE regress_apitoken_admin;
INSERT INTO apitoken.realm (id, known_scopes) VALUES ('privileges/admin', 'b a');
UPDATE apitoken.realm SET id = 'privileges/renamed', enabled = false WHERE id = 'privileges/admin' RETURNING id,
	enabled, known_scopes;
DELETE FROM apitoken.realm WHERE id = 'privileges/renamed';
DELETE FROM apitoken.realm WHERE id = 'privileges';
RESET ROLE;
-- The author is the session's role, not the current one, which SET ROLE changes.
SET SESSION AUTHORIZATION regress_apitoken_issuer;
SELECT id AS by_issuer FROM apitoken.issue('privileges', 'by issuer') \gset
RESET SESSION AUTHORIZATION;
SELECT created_by FROM apitoken._token WHERE id = :'by_issuer';
-- Row security on the tables binds who reads them, not the functions: EXECUTE is their gate.
BEGIN;
ALTER TABLE apitoken._token ENABLE ROW LEVEL SECURITY;
ALTER TABLE apitoken.realm ENABLE ROW LEVEL SECURITY;
SELECT * FROM test.attempts('regress_apitoken_verifier', :'token', :'id') WHERE answer NOT LIKE '42501%';
SELECT * FROM test.attempts('regress_apitoken_issuer', :'token', :'id') WHERE answer NOT LIKE '42501%';
ROLLBACK;
-- Nobody but a superuser creates the extension, whoever may create in the database.
BEGIN;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_apitoken_admin', current_database()); END $$;
DROP EXTENSION apitoken;
SELECT test.sqlstate('SET ROLE regress_apitoken_admin; CREATE EXTENSION apitoken');
ROLLBACK;

-- How functions are declared: volatile and parallel unsafe what reads with a
-- snapshot of its own; strict what has no use for NULL; leakproof what compares.
SELECT CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END || CASE
	WHEN p.proisstrict THEN ' strict' ELSE '' END || CASE WHEN p.proleakproof THEN ' leakproof' ELSE '' END
	   || ' parallel ' || CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted'
	   	ELSE 'unsafe' END || ' ' || l.lanname AS declared,
	   string_agg(p.proname, ' ' ORDER BY p.proname COLLATE "C") AS functions
  FROM pg_proc p JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass
	JOIN pg_language l ON l.oid = p.prolang GROUP BY 1 ORDER BY 1;
-- One function a name; arguments that drivers can bind; names for all of them.
SELECT p.proname, count(*) FROM pg_proc p JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass
	GROUP BY 1 HAVING count(*) > 1;
SELECT DISTINCT t::regtype::text AS type FROM pg_proc p JOIN member ON objid = p.oid
	AND classid = 'pg_proc'::regclass, unnest(coalesce(p.proallargtypes, p.proargtypes::oid[] || p.prorettype)) t
 WHERE p.proname IN ('issue', 'import', 'verify', 'verify_sha256', 'verified_id', 'suspend', 'activate', 'revoke',
	'lookup', 'check_token') ORDER BY 1;
SELECT p.proname, pg_get_function_arguments(p.oid) FROM pg_proc p JOIN member ON objid = p.oid
	AND classid = 'pg_proc'::regclass
 WHERE p.proname IN ('issue', 'import', 'verify', 'verify_sha256', 'verified_id', 'suspend', 'activate', 'revoke',
	'lookup', 'check_token', 'token_digest') ORDER BY 1;
SELECT p.proname, pg_get_function_result(p.oid) FROM pg_proc p JOIN member ON objid = p.oid
	AND classid = 'pg_proc'::regclass
 WHERE p.proname IN ('issue', 'import', 'verify', 'verify_sha256', 'verified_id', 'suspend', 'activate', 'revoke',
	'lookup', 'check_token', 'token_digest') ORDER BY 1;
SELECT test.drop_realm('privileges');
DROP OWNED BY regress_apitoken_nobody, regress_apitoken_verifier, regress_apitoken_issuer, regress_apitoken_reporter,
	regress_apitoken_admin;
DROP ROLE regress_apitoken_nobody, regress_apitoken_verifier, regress_apitoken_issuer, regress_apitoken_reporter,
	regress_apitoken_admin;
DROP FUNCTION test.attempts;
