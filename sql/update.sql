-- update(): absent keeps, given replaces, clear empties; a version guards it.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id) VALUES ('update');
SELECT id, token FROM apitoken.issue('update', 'subject', '{a,b}', expires_at => '2999-01-01Z', principal => 'p') \gset
CREATE FUNCTION pg_temp.row_of(id uuid) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(to_jsonb(t) - '{id,digest,created_at,updated_at,created_by,created_by_name,updated_by,updated_by_name,last_chars}'::text[])
	  FROM apitoken._token t WHERE t.id = $1 $$;
CREATE FUNCTION pg_temp.try(id uuid, arguments text) RETURNS text LANGUAGE sql AS $$
	SELECT test.error(format('SELECT apitoken.update(%L, %s)', id, arguments)) $$;
-- Nothing given: nothing changes, no event.
SELECT test.now_event() AS before \gset
SELECT id = :'id' AS same, realm, name, status, version, expires_at FROM apitoken.update(:'id');
SELECT version FROM apitoken.update(:'id', clear => '{}', version => 1);
SELECT test.now_event() = :before AS no_event, updated_at = created_at AS not_updated FROM apitoken._token WHERE id = :'id';
-- One thing.  Who did it is its author from now on.
SET apitoken.actor = 'u-17';
SET apitoken.actor_name = 'Ulla';
SELECT id = :'id' AS same, realm, name, status, version, expires_at FROM apitoken.update(:'id', 'renamed');
SELECT version, updated_at > created_at AS updated, updated_by, updated_by_name, created_by = session_user AS author_stays,
	status_changed_at FROM apitoken._token WHERE id = :'id';
RESET apitoken.actor;
RESET apitoken.actor_name;
SELECT * FROM test.last_event(:'id');
-- Everything, and everything that can be emptied.
SELECT version, expires_at FROM apitoken.update(:'id', name => 'all', description => E'two\nlines', scopes => '{c.*,a}',
	expires_at => '2998-01-01Z', not_before => '2020-02-29 12:00Z', principal => 'john', principal_id => 'u-1',
	client_id => 'c-1', environment_id => 'prod', allowed_addresses => '{10.0.0.0/8,::1}',
	allowed_scopes => '{"organizationScopes": {"allRoles": true}}', idp_id => 'idp-1', idp_domain => 'example.com',
	access_token_ttl => '1 hour', metadata => '{"team": ["a", 1, null]}');
SELECT pg_temp.row_of(:'id') - 'granted_ttl';
SELECT * FROM test.last_event(:'id');
SELECT outcome, name, principal, client_id, environment_id, scopes, metadata FROM apitoken.verify(:'token', 'c.x', '10.1.2.3');
SELECT version, expires_at FROM apitoken.update(:'id', clear => '{description,expires_at,not_before,principal,principal_id,client_id,environment_id,allowed_addresses,allowed_scopes,idp_id,idp_domain,access_token_ttl,metadata}');
SELECT pg_temp.row_of(:'id');
SELECT * FROM test.last_event(:'id');
-- Given again, what is the same is no difference, but a modification.
SELECT version FROM apitoken.update(:'id', name => 'all', description => 'd');
SELECT * FROM test.last_event(:'id');
-- An empty set of scopes grants nothing; an empty text is a text.
SELECT version FROM apitoken.update(:'id', scopes => '{}', description => '', allowed_addresses => '{}');
SELECT pg_temp.row_of(:'id');
-- clear: names that are not there, not nullable, given at the same time, null.
SELECT arguments, pg_temp.try(:'id', arguments) FROM unnest(ARRAY['clear => ''{nam}''', 'clear => ''{name}''',
	'clear => ''{scopes}''', 'clear => ''{description,digest}''', 'clear => ''{NULL}''', 'clear => ''{Description}''',
	'clear => ''{""}''', 'description => ''x'', clear => ''{description}''', 'expires_in => ''1 day'', clear => ''{expires_at}''',
	'expires_at => ''infinity'', clear => ''{expires_at}''', 'clear => ''{{description,metadata},{idp_id,idp_id}}'''])
	WITH ORDINALITY a(arguments, n) ORDER BY n;
-- Values are checked as issue() checks them.
SELECT arguments, pg_temp.try(:'id', arguments) FROM unnest(ARRAY['name => '' ''', 'name => ''''',
	'scopes => ''{a*}''', 'scopes => ''{NULL}''', 'principal => ''''', 'allowed_addresses => ''{10.0.0.1/8}''',
	'metadata => ''[]''', 'allowed_scopes => ''{"x": 1}''', 'access_token_ttl => ''0''', 'not_before => ''infinity''',
	'expires_in => ''0''', 'expires_in => ''-1 day''', 'expires_at => ''2001-01-01Z''',
	'expires_in => ''1 day'', expires_at => ''2999-01-01Z''', 'not_before => ''2999-01-01Z'', expires_in => ''1 day'''])
	WITH ORDINALITY a(arguments, n) ORDER BY n;
SELECT version FROM apitoken._token WHERE id = :'id';
-- Expiry and beginning, each checked against the other that stays.
SELECT version, expires_at IS NOT NULL AS expires FROM apitoken.update(:'id', expires_in => '90 days');
SELECT granted_ttl, expires_at = updated_at + granted_ttl AS from_now FROM apitoken._token WHERE id = :'id';
SELECT pg_temp.try(:'id', 'not_before => ''2999-01-01Z''');
SELECT version FROM apitoken.update(:'id', not_before => now() + interval '30 days');
SELECT pg_temp.try(:'id', 'expires_in => ''1 day''');
SELECT version, expires_at FROM apitoken.update(:'id', expires_at => 'infinity');
SELECT granted_ttl FROM apitoken._token WHERE id = :'id';
-- The version: read, changed, written back.
SELECT version AS current FROM apitoken._token WHERE id = :'id' \gset
SELECT v, pg_temp.try(:'id', format('name => ''late'', version => %s', v)) FROM unnest(ARRAY[:current - 1, :current + 1, 0, -1]) v;
SELECT name, version = :current + 1 AS next FROM apitoken.update(:'id', name => 'in time', version => :current);
SELECT pg_temp.try(:'id', format('version => %s', :current));
-- States: suspended and expired too, revoked not.
SELECT status FROM apitoken.suspend(:'id', 'why');
SELECT name, status FROM apitoken.update(:'id', 'while suspended');
SELECT status_reason FROM apitoken._token WHERE id = :'id';
UPDATE apitoken._token SET not_before = NULL, expires_at = '2001-01-01Z' WHERE id = :'id';
SELECT name, status, expires_at FROM apitoken.update(:'id', 'while expired');
SELECT status FROM apitoken.revoke(:'id');
SELECT pg_temp.try(:'id', 'name => ''n''');
SELECT test.error('SELECT apitoken.update(NULL)'),
	test.error('SELECT apitoken.update(''94f44c7f-4a82-71ac-83f7-000000000000'')');
SELECT test.error(format('SET TRANSACTION READ ONLY; SELECT apitoken.update(%L)', :'id'));
-- A realm that is disabled keeps nobody from it; one that is gone only where its policy is asked.
SELECT id AS other_id FROM apitoken.issue('update', 'other') \gset
UPDATE apitoken.realm SET enabled = false WHERE id = 'update';
SELECT name FROM apitoken.update(:'other_id', 'disabled', expires_in => '1 day');
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM apitoken.realm WHERE id = 'update';
SET LOCAL session_replication_role = origin;
SELECT name FROM apitoken.update(:'other_id', 'orphan', scopes => '{x}', clear => '{expires_at}');
SELECT pg_temp.try(:'other_id', 'expires_in => ''1 day''');
ROLLBACK;
SELECT name FROM apitoken._token WHERE id = :'other_id';
SELECT test.drop_realm('update');
