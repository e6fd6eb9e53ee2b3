-- The version: the one of the control file, which CREATE EXTENSION took as its
-- default, is that of the loaded library.
\pset format unaligned
SELECT extversion = apitoken.version() AS library_is_installed,
	   extversion ~ '^\d+\.\d+(\.\d+)?$' AS is_a_version
  FROM pg_extension WHERE extname = 'apitoken';
-- Its home: a schema of its own that it made itself, not to be moved.
SELECT e.extrelocatable, n.nspname AS named_in_control_file,
	   (SELECT count(*) FROM pg_depend d
		 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		   AND d.classid = 'pg_namespace'::regclass AND d.objid = 'apitoken'::regnamespace
		   AND d.deptype = 'e') AS owns_schema_apitoken
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'apitoken';
-- Settings under the extension's name are the extension's alone.
SELECT test.error('SET apitoken.no_such_setting = 1');
SELECT name, context, vartype, boot_val, setting, short_desc FROM pg_settings
 WHERE name LIKE 'apitoken.%' ORDER BY name;
-- It can be removed, and is then gone; transactions apply to that as well.
BEGIN;
DROP EXTENSION apitoken;
SELECT count(*) FROM pg_namespace WHERE nspname = 'apitoken';
ROLLBACK;
-- A schema of that name made by somebody else is not adopted.
BEGIN;
DROP EXTENSION apitoken;
CREATE SCHEMA apitoken;
\set VERBOSITY sqlstate
CREATE EXTENSION apitoken;
\set VERBOSITY default
ROLLBACK;
-- Dropped and created anew under a session that knows the old tables.
BEGIN;
INSERT INTO apitoken.realm (id) VALUES ('version');
SELECT outcome FROM apitoken.issue('version', 'n') i, apitoken.verify(i.token);
DROP EXTENSION apitoken;
CREATE EXTENSION apitoken;
SELECT outcome FROM apitoken.verify(test.sample());
INSERT INTO apitoken.realm (id, enabled) VALUES ('version', false);
SELECT test.error('SELECT apitoken.issue(''version'', ''n'')');
UPDATE apitoken.realm SET enabled = true WHERE id = 'version';
SELECT token FROM apitoken.issue('version', 'n') \gset
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'token');
