-- read(): the whole record of a token by its id, its units and nulls.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id) VALUES ('read');
SET apitoken.actor = 'admin-1';
SET apitoken.actor_name = 'Anna Müller';
SELECT apitoken.import('read', 'full "name" 😀', 'key.AAAAAAAAAAAAAAAAAAAAAAAB.' || repeat('S', 59) || 'VWXYZ', scopes => '{b.read,a.*,api.users.read}', expires_at => '2999-12-31 23:59:59.999999Z', created_at => '2020-02-29 12:00:00.999999Z', kind => 'client',
	principal => 'john.smith', principal_id => 'u-1', client_id => 'c-1', environment_id => 'e-1', description => 'd', allowed_addresses => '{10.0.0.0/8,192.168.1.7,2001:db8::/32,::1,::ffff:10.0.0.1,0.0.0.0/0}', allowed_scopes => '{"generalScopes": ["g"]}',
	idp_id => 'idp-1', idp_domain => 'example.com', access_token_ttl => '1 hour', metadata => '{"m": 1}') AS id \gset
UPDATE apitoken._token SET updated_by = 'admin-2', updated_by_name = 'Zoë', updated_at = '2021-01-01 00:00:00.999Z', version = 9223372036854775807 WHERE id = :'id';
RESET apitoken.actor;
RESET apitoken.actor_name;
SELECT jsonb_pretty(apitoken.read(:'id'));
-- Nothing of the secret but its end, nor a digest of any kind.
SELECT r::text LIKE '%' || repeat('S', 6) || '%' AS secret, r::text LIKE '%' || substr(apitoken.token_digest('key.AAAAAAAAAAAAAAAAAAAAAAAB.' || repeat('S', 59) || 'VWXYZ')::text, 1, 16) || '%' AS digest FROM apitoken.read(:'id') r;
-- What is not known is null, lists are empty.
SELECT id FROM apitoken.issue('read', 'plain') \gset plain_
SELECT key, CASE WHEN key IN ('id', 'creationDate', 'lastModifiedDate', 'partialToken') THEN jsonb_typeof(value) ELSE replace(value::text, session_user, '<session>') END AS value
  FROM jsonb_each(apitoken.read(:'plain_id')) ORDER BY key COLLATE "C";
UPDATE apitoken._token SET created_by = NULL, created_by_name = NULL, updated_by = NULL, updated_by_name = NULL WHERE id = :'plain_id';
SELECT apitoken.read(:'plain_id') -> 'createdUserInfo' AS created, apitoken.read(:'plain_id') -> 'lastModifiedUserInfo' AS modified;
-- The document's rule for names: a character that is no space.
SELECT apitoken.read(id) ->> 'name' ~ '^\s*\S+.*$' AS name, apitoken.read(id) ->> 'id' = id::text AS id FROM apitoken._token WHERE realm = 'read';
-- partialToken: public id and the last five characters, fewer where a hash was
-- imported and nothing more is known.
SELECT n, apitoken.read(id) -> 'partialToken' AS "partialToken" FROM (VALUES
	(1, apitoken.import('read', 'n', sha256 => sha256('1'), public_id => 'a.AAAAAAAAAAAAAAAAAAAAAAAC', last_chars => 'VWXYZ')), (2, apitoken.import('read', 'n', sha256 => sha256('2'), public_id => 'Zz_9.AAAAAAAAAAAAAAAAAAAAAAAD', last_chars => 'Z')),
	(3, apitoken.import('read', 'n', sha256 => sha256('3'), public_id => 'a.AAAAAAAAAAAAAAAAAAAAAAAE'))) AS v(n, id) ORDER BY n;
SELECT apitoken.read(id) ->> 'partialToken' = public_id || '...' || right(token, 5) AS issued, length(right(token, 5)) FROM apitoken.issue('read', 'n');
-- The prefix is the token's, which a realm's new one does not change.
UPDATE apitoken.realm SET prefix = 'new' WHERE id = 'read';
SELECT apitoken.read(:'id') -> 'partialToken' AS "partialToken", apitoken.read(i.id) ->> 'partialToken' LIKE 'new.%' AS new FROM apitoken.issue('read', 'n') i;
-- Addresses: null and empty are both any.
SELECT what, apitoken.read(i.id) -> 'allowedAddresses' AS "allowedAddresses" FROM (VALUES (1, NULL::inet[]), (2, '{}'), (3, '{{10.0.0.1},{10.0.0.2}}'), (4, '{10.0.0.1/32}'), (5, '{::1/128}')) AS v(what, addresses), apitoken.issue('read', 'n', allowed_addresses => addresses) i ORDER BY what;

-- Dates: seconds, cut off; before 1970, and far away.
SELECT moment, apitoken.read(id) -> 'creationDate' AS "creationDate" FROM (SELECT n, moment, apitoken.import('read', 'n', sha256 => sha256(moment::bytea), created_at => moment::timestamptz) AS id
	FROM unnest('{1970-01-01 00:00:00Z,1969-12-31 23:59:59.999999Z,1999-12-31 23:59:59.5Z,2000-01-01 00:00:00Z,2020-02-29 12:00:00+05:45,0001-01-01 00:00:00Z,0044-03-15 12:00:00Z BC,4713-12-31 00:00:00Z BC}'::text[]) WITH ORDINALITY m(moment, n)) i ORDER BY n;
SELECT moment, apitoken.read(id) -> 'expiry' AS expiry FROM (SELECT n, moment, apitoken.import('read', 'n', sha256 => sha256(moment::bytea), expires_at => moment::timestamptz) AS id
	FROM unnest('{9999-12-31 23:59:59.999999Z,10000-01-01 00:00:00Z,294276-12-31 23:59:59.999999Z,infinity}'::text[]) WITH ORDINALITY m(moment, n)) i ORDER BY n;
SET TimeZone = 'America/New_York';
SET DateStyle = 'German';
SELECT apitoken.read(:'id') -> 'creationDate' AS "creationDate";
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';

-- Every state is answered, the expired too; a state is no field of the record,
-- and its change neither a modification nor a new version.
SELECT apitoken.read(:'plain_id') AS before \gset
SELECT status, apitoken.read(:'plain_id') = :'before'::jsonb AS same FROM apitoken.suspend(:'plain_id');
SELECT status, apitoken.read(:'plain_id') = :'before'::jsonb AS same FROM apitoken.activate(:'plain_id');
SELECT status, apitoken.read(:'plain_id') = :'before'::jsonb AS same FROM apitoken.revoke(:'plain_id');
UPDATE apitoken._token SET expires_at = '2001-01-01Z', granted_ttl = '1 day', not_before = '2000-12-31Z' WHERE id = :'plain_id';
SELECT apitoken.read(:'plain_id') - 'expiry' = :'before'::jsonb - 'expiry' AS same, apitoken.read(:'plain_id') -> 'expiry' AS expiry;

-- No such token, or none named: NULL.
SELECT apitoken.read(NULL) AS none, apitoken.read('00000000-0000-0000-0000-000000000000') AS nil, apitoken.read(gen_random_uuid()) AS unknown;
SELECT test.sqlstate('SELECT apitoken.read(''x'')') AS malformed;
-- Reading writes nothing, and sees what the transaction did.
BEGIN READ ONLY;
SELECT apitoken.read(:'id') -> 'name' AS name, pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
ROLLBACK;
BEGIN;
UPDATE apitoken._token SET name = 'changed' WHERE id = :'id';
SELECT apitoken.read(:'id') -> 'name' AS name;
DELETE FROM apitoken._token WHERE id = :'id';
SELECT apitoken.read(:'id') -> 'name' AS name;
ROLLBACK;
SELECT apitoken.read(:'id') -> 'name' AS name;
-- Many in one statement.
SELECT count(*), count(r -> 'name'), count(DISTINCT r ->> 'id') FROM apitoken._token t, apitoken.read(t.id) r WHERE realm = 'read';
SELECT test.drop_realm('read');
