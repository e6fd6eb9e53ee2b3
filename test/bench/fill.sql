-- fill.sql: realm "big" with :tokens tokens, among twice as many, and the same
-- rows in the tables of hand.sql.  Nothing is random: the same every time.

INSERT INTO apitoken.realm (id, token_endpoint_url, oidc_issuer_url)
SELECT id, 'https://' || id || '.example.org/token', 'https://' || id || '.example.org'
FROM unnest('{big,issue,r0,r1,r2,r3,r4,r5,r6,r7}'::text[]) AS id;

-- pick(i, what, n): 0 to n - 1, evenly, by chance as it were
CREATE FUNCTION pg_temp.pick(i bigint, what integer, n integer) RETURNS integer
	LANGUAGE sql IMMUTABLE
	RETURN (hashint8extended(i, what) & 2147483647) % n;

CREATE FUNCTION pg_temp.word(i bigint, what integer) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN ('{backup,billing,build,catalog,customer,dashboard,deploy,export,'
		'gateway,import,inventory,invoice,laptop,mail,metrics,mobile,monitor,'
		'nightly,orders,partner,payment,pipeline,proxy,release,report,runner,'
		'scanner,search,server,shipping,staging,status,storage,stream,sync,'
		'telemetry,terminal,test,tracker,warehouse,webhook,worker}'::text[])
		[pg_temp.pick(i, what, 42) + 1];

-- Ids are UUIDv7 of the moment of creation, as those of issue().  One name in
-- 50,000 has the word that the search is for.  Each 200th token, one in a
-- hundred of the realm, is valid for long: those are verified.
CREATE TEMP TABLE made AS
SELECT
	i,
	(lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') ||
		'7' || substr(bits, 1, 3) || '8' || substr(bits, 4, 15))::uuid AS id,
	created_at,
	created_at + ttl AS expires_at,
	(CASE WHEN in_use THEN 'a'
		WHEN pg_temp.pick(i, 3, 100) < 5 THEN 'r'
		WHEN pg_temp.pick(i, 3, 100) < 10 THEN 's' ELSE 'a' END)::"char" AS status,
	(CASE WHEN client THEN 'c' ELSE 'u' END)::"char" AS kind,
	0 AS key_id,
	CASE WHEN i % 2 = 0 THEN 'big' ELSE 'r' || pg_temp.pick(i, 4, 8) END AS realm,
	'tok' AS prefix,
	ARRAY['api.' || pg_temp.word(i, 5) || '.read', 'api.' || pg_temp.word(i, 6) || '.write',
		'metrics.' || pg_temp.word(i, 7)]::apitoken.scopes AS scopes,
	initcap(pg_temp.word(i, 8)) || ' ' || pg_temp.word(i, 9) ||
		CASE WHEN i % 100000 IN (4242, 4243) THEN ' zebrafish ' ELSE ' ' END ||
		pg_temp.pick(i, 10, 1000000) AS name,
	CASE WHEN pg_temp.pick(i, 11, 2) = 0 THEN 'used by ' || pg_temp.word(i, 12) END AS description,
	'user' || pg_temp.pick(i, 13, 20000) || '@example.org' AS principal,
	'u-' || pg_temp.pick(i, 13, 20000) AS principal_id,
	CASE WHEN client THEN 'client-' || pg_temp.pick(i, 14, 5000) END AS client_id,
	CASE WHEN pg_temp.pick(i, 15, 10) < 3 THEN 'env-' || pg_temp.pick(i, 16, 50) END AS environment_id,
	CASE WHEN pg_temp.pick(i, 17, 4) = 0 THEN jsonb_build_object('team', pg_temp.word(i, 18)) END AS metadata,
	ttl AS granted_ttl,
	('{5 minutes,15 minutes,1 hour,8 hours,NULL}'::interval[])[pg_temp.pick(i, 19, 5) + 1] AS access_token_ttl,
	upper(substr(bits, 20, 5)) AS last_chars,
	1 AS version,
	'admin' AS created_by, 'Admin' AS created_by_name,
	created_at AS updated_at, 'admin' AS updated_by, 'Admin' AS updated_by_name
FROM generate_series(1, 2 * :tokens::bigint) AS i,
	LATERAL (SELECT i % 200 = 0 AS in_use) AS use,
	LATERAL (SELECT md5(i::text) AS bits,
		pg_temp.pick(i, 20, 3) = 0 AS client,
		timestamptz '2024-01-01' + pg_temp.pick(i, 1, 63072000) * interval '1 second' +
			pg_temp.pick(i, 21, 1000000) * interval '1 microsecond' AS created_at,
		CASE WHEN in_use THEN interval '7300 days'
			WHEN pg_temp.pick(i, 2, 5) > 0
			THEN (30 + pg_temp.pick(i, 22, 1500)) * interval '1 day' END AS ttl) AS it;

\set columns 'id, created_at, expires_at, status, kind, key_id, realm, prefix, name, description, principal, '
\set columns :columns 'principal_id, client_id, environment_id, metadata, granted_ttl, access_token_ttl, '
\set columns :columns 'last_chars, version, created_by, created_by_name, updated_at, updated_by, updated_by_name'
INSERT INTO apitoken._token (:columns, digest, scopes)
SELECT :columns, apitoken.token_digest(bench.token(i)), scopes FROM made;
INSERT INTO hand.token (:columns, digest, scopes)
SELECT :columns, sha256(bench.token(i)::bytea), scopes::text[] FROM made;
DROP TABLE made;

INSERT INTO apitoken._usage (token_id, realm, last_used_at, last_used_ip, use_count)
SELECT id, realm,
	CASE WHEN used THEN created_at + pg_temp.pick(i, 2, 200 * 86400) * interval '1 second' END,
	CASE WHEN used THEN inet '10.0.0.0' + pg_temp.pick(i, 3, 65536) END,
	CASE WHEN used THEN pg_temp.pick(i, 4, 10000) ELSE 0 END
FROM apitoken._token,
	LATERAL (SELECT uuid_hash_extended(id, 0) AS i) AS it,
	LATERAL (SELECT pg_temp.pick(i, 1, 10) < 6 AS used) AS use;

INSERT INTO hand.realm SELECT id, enabled, token_endpoint_url, oidc_issuer_url FROM apitoken.realm;
INSERT INTO hand.usage SELECT * FROM apitoken._usage;

-- Built in one go, so those of both sides are.
CREATE INDEX token_digest_hash ON hand.token USING hash (digest);
CREATE INDEX ON hand.token USING hash (previous_digest)
	WHERE previous_digest IS NOT NULL;
CREATE INDEX ON hand.token (realm, id);
CREATE INDEX ON hand.token (realm, name, id);
CREATE INDEX ON hand.token (realm, status, id);
CREATE INDEX ON hand.token (realm, created_at, id);
CREATE INDEX ON hand.token (realm, expires_at, id);
CREATE INDEX ON hand.token (realm, access_token_ttl, id);
CREATE INDEX ON hand.token (status, status_changed_at)
	WHERE status_changed_at IS NOT NULL;
CREATE INDEX ON hand.token (principal, realm, status, expires_at)
	WHERE principal IS NOT NULL;
CREATE INDEX ON hand.token USING gin (scopes);
CREATE INDEX ON hand.usage (realm, last_used_at NULLS FIRST, token_id);
REINDEX TABLE apitoken._token;
REINDEX TABLE apitoken._usage;
VACUUM ANALYZE;
