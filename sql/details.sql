-- details(): the shape ApiTokenDetailsDto, its units, what is left out, which
-- tokens it hides.  All times are seconds.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id) VALUES ('details');
-- A token of which everything is known, its moments with a fraction that is
-- cut off, not rounded.
SET apitoken.actor = 'admin-1';
SELECT apitoken.import('details', 'full', 'key.AAAAAAAAAAAAAAAAAAAAAAAB.' || repeat('S', 64), scopes => '{b.read,a.*}', expires_at => '2999-12-31 23:59:59.999999Z', created_at => '2020-02-29 12:00:00.999999Z', kind => 'client',
	principal => 'john.smith', principal_id => 'u-1', client_id => 'c-1', environment_id => 'e-1', description => 'd', allowed_addresses => '{10.0.0.0/8}', allowed_scopes => '{"generalScopes": ["g"]}',
	idp_id => 'idp-1', idp_domain => 'example.com', access_token_ttl => '1 hour', metadata => '{"m": 1}') AS id \gset
SELECT 'key.AAAAAAAAAAAAAAAAAAAAAAAB.' || repeat('S', 64) AS token \gset
UPDATE apitoken._usage SET last_used_at = '2020-03-01 00:00:00.5Z', last_used_ip = '10.0.0.1', use_count = 1 WHERE token_id = :'id';
SELECT jsonb_pretty(apitoken.details(:'token'));
-- The secret is told only if asked for, and then it is what was presented.
SELECT include, apitoken.details(:'token', include) ? 'token' AS has_token, apitoken.details(:'token', include) ->> 'token' = :'token' AS is_it,
	   apitoken.details(:'token', include) - 'token' = apitoken.details(:'token') AS otherwise_the_same FROM unnest('{t,f,NULL}'::boolean[]) include;
-- Nothing of the secret in the answer otherwise, nor its digest.
SELECT apitoken.details(token) ::text LIKE '%' || substr(right(token, 64), 1, 8) || '%' AS secret, apitoken.details(token)::text LIKE '%' || encode(sha256(token::bytea), 'hex') || '%' AS sha256,
	   apitoken.details(token)::text LIKE '%' || apitoken.token_digest(token)::text || '%' AS digest FROM apitoken.issue('details', 'secret');
-- What is not known is no member.
SELECT key, CASE WHEN key IN ('createdAt', 'tokenId') THEN jsonb_typeof(value) ELSE value::text END AS value
  FROM apitoken.issue('details', 'plain') i, jsonb_each(apitoken.details(i.token)) ORDER BY key COLLATE "C";
SELECT to_timestamp((apitoken.details(i.token) ->> 'createdAt')::bigint) BETWEEN now() - interval '1 minute' AND clock_timestamp() AS seconds, apitoken.details(i.token) ->> 'tokenId' = i.id::text AS id
  FROM apitoken.issue('details', 'plain') i;
-- An empty scope set is an empty list; a description or metadata is no field.
SELECT apitoken.details(token) -> 'scope' AS scope FROM apitoken.issue('details', 'n', '{}');
SELECT apitoken.details(token) -> 'scope' AS scope FROM apitoken.issue('details', 'n', '{z,b:c,a/*,a.b,*,a}');

-- Seconds: to the past and far into the future, always rounded down.
SELECT moment, apitoken.details('units.' || n || '.token') -> 'createdAt' AS "createdAt", floor(extract(epoch FROM moment))::bigint AS expected
  FROM (SELECT n, moment::timestamptz, apitoken.import('details', 'n', 'units.' || n || '.token', created_at => moment::timestamptz) FROM unnest('{1970-01-01 00:00:00Z,1970-01-01 00:00:00.999999Z,1969-12-31 23:59:59.999999Z,1969-12-31 23:59:59Z,
	2001-09-09 01:46:39.9Z,2000-01-01 00:00:00Z,1999-12-31 23:59:59.999Z,2016-12-31 23:59:60Z,0001-01-01 00:00:00.1Z,4713-12-31 00:00:00.5Z BC,2020-11-12 08:15:30.144+05:45}'::text[]) WITH ORDINALITY m(moment, n)) i;
SELECT moment, apitoken.details('future.' || n || '.token') -> 'expiresAt' AS "expiresAt", floor(extract(epoch FROM moment))::bigint AS expected
  FROM (SELECT n, moment::timestamptz, apitoken.import('details', 'n', 'future.' || n || '.token', expires_at => moment::timestamptz) FROM unnest('{2999-01-01 00:00:00.999999Z,9999-12-31 23:59:59.9Z,294276-12-31 23:59:59Z}'::text[]) WITH ORDINALITY m(moment, n)) i;
-- The session's time zone has no say.
SET TimeZone = 'Asia/Kathmandu';
SELECT apitoken.details(:'token') -> 'createdAt' AS "createdAt";
SET TimeZone = 'UTC';

-- The identity provider is the token's, else its realm's, each by itself.
UPDATE apitoken.realm SET idp_id = 'realm-idp', idp_domain = 'realm.example.com' WHERE id = 'details';
SELECT own_id, own_domain, apitoken.details(i.token) -> 'idpId' AS "idpId", apitoken.details(i.token) -> 'domain' AS domain
  FROM (VALUES (1, NULL, NULL), (2, 'own', NULL), (3, NULL, 'own'), (4, 'own', 'own')) AS v(n, own_id, own_domain), apitoken.issue('details', 'n', idp_id => own_id, idp_domain => own_domain) i ORDER BY n;
UPDATE apitoken.realm SET idp_id = NULL, idp_domain = NULL WHERE id = 'details';

-- States: suspended and revoked tokens are told, deactivated; since when and by
-- whom.  Switched on again they keep when that was.
CREATE FUNCTION pg_temp.state(token text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(key, CASE key WHEN 'deactivatedUpdatedOn' THEN to_jsonb(to_timestamp(value::text::bigint) BETWEEN now() - interval '1 minute' AND clock_timestamp()) ELSE value END)
	  FROM jsonb_each(apitoken.details(token)) WHERE key LIKE 'deactivated%' $$;
SELECT pg_temp.state(:'token');
SET apitoken.actor = 'admin-2';
SELECT status, pg_temp.state(:'token') FROM apitoken.suspend(:'id', 'why');
SET apitoken.actor = 'admin-3';
SELECT status, pg_temp.state(:'token') FROM apitoken.activate(:'id');
RESET apitoken.actor;
BEGIN;
SET LOCAL apitoken.actor = 'admin-4';
SELECT status, pg_temp.state(:'token') FROM apitoken.revoke(:'id');
ROLLBACK;
UPDATE apitoken._token SET status_changed_at = '2020-05-05 05:05:05.999Z' WHERE id = :'id';
SELECT apitoken.details(:'token') -> 'deactivatedUpdatedOn' AS "deactivatedUpdatedOn";
-- A disabled realm or a moment that has not come yet hides nothing.
BEGIN;
UPDATE apitoken.realm SET enabled = false WHERE id = 'details';
UPDATE apitoken._token SET not_before = '2999-01-01Z' WHERE id = :'id';
SELECT apitoken.details(:'token') -> 'tokenName' AS name;
ROLLBACK;

-- Hidden: the expired, whatever their state; from the moment of expiry on.
CREATE TEMP TABLE expiring AS SELECT status, span, i.id, i.token FROM unnest('{a,s,r}'::"char"[]) status, unnest('{-100 years,-1 second,1 hour}'::interval[]) span, apitoken.issue('details', 'expiring' || status::text || span) i;
UPDATE apitoken._token t SET status = e.status, expires_at = now() + span, granted_ttl = '1 day' FROM expiring e WHERE e.id = t.id;
SELECT status, span, apitoken.details(token) IS NULL AS hidden, apitoken.details(token, true) IS NULL AS with_token_too, apitoken.lookup(token) IS NULL AS by_lookup, apitoken.read(id) IS NULL AS by_read FROM expiring ORDER BY span, status;
BEGIN;
UPDATE apitoken._token SET expires_at = now() WHERE id = :'id';
SELECT apitoken.details(:'token') IS NULL AS at_the_moment_itself;
ROLLBACK;

-- No such token, all the same: NULL.  A wrong secret, a wrong check sum and an
-- unknown id are not told apart; what cannot be a token is no error.
SELECT token AS own FROM apitoken.issue('details', 'own') \gset
SELECT what, apitoken.details(input) AS details, apitoken.details(input, true) AS with_token FROM (VALUES (1, 'null', NULL), (2, 'empty', ''), (3, 'short', '1234567'), (4, 'long', repeat('x', 513)), (5, 'spaces', 'a b c d e f g h'), (6, 'not ASCII', 'ümlautümlaut'),
	(7, 'unknown id', 'tok.ABCDEFGHIJKLMNOPQRSTUVWX.' || right(:'own', 64)), (8, 'wrong secret', left(:'own', -64) || repeat('A', 64)),
	(9, 'wrong sum', left(:'own', -1) || translate(right(:'own', 1), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 'BCDEFGHIJKLMNOPQRSTUVWXYZ234567A')), (10, 'lower case', lower(:'own')), (11, 'public id', left(:'own', -65)),
	(12, 'SHA-256', encode(sha256(:'own'), 'hex')), (13, 'digest', apitoken.token_digest(:'own')::text), (14, 'a megabyte', repeat('x', 1000000))) AS v(n, what, input) ORDER BY n;
-- A secret that was rotated away is one too, but for its grace, in which it is
-- the token still; what is shown as the secret is the one presented.
UPDATE apitoken._token SET previous_digest = digest, digest = apitoken.token_digest('the_new_secret'), previous_expires_at = now() - interval '1 second' WHERE id = :'id';
SELECT apitoken.details(:'token') IS NULL AS old, apitoken.lookup(:'token') IS NULL AS old_lookup, apitoken.details('the_new_secret') ->> 'tokenId' = :'id' AS new;
UPDATE apitoken._token SET previous_expires_at = now() + interval '1 hour' WHERE id = :'id';
SELECT apitoken.details(:'token', true) ->> 'token' = :'token' AS old, apitoken.lookup(:'token') ->> 'name' AS old_lookup, apitoken.details('the_new_secret', true) ->> 'token' AS new,
	   apitoken.details(:'token') = apitoken.details('the_new_secret') AS same;

-- Looking is no use of the token and writes nothing.
SELECT last_used_at, use_count FROM apitoken._usage WHERE token_id = :'id';
BEGIN READ ONLY;
SELECT apitoken.details('the_new_secret') -> 'tokenName' AS name, pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
ROLLBACK;
-- A fresh snapshot: what the transaction does meanwhile is seen, and undone.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT apitoken.details('the_new_secret') -> 'deactivated' AS deactivated;
SELECT status FROM apitoken.suspend(:'id');
SELECT apitoken.details('the_new_secret') -> 'deactivated' AS deactivated;
ROLLBACK;
SELECT apitoken.details('the_new_secret') -> 'deactivated' AS deactivated;
SELECT test.drop_realm('details');
