-- tokens_granting(): which active tokens grant a scope, found by the GIN index.
\pset format unaligned
SET TimeZone = 'UTC';
INSERT INTO apitoken.realm (id) VALUES ('granting'), ('granting/2');
SELECT count(*) FROM (VALUES ('exact', '{api.users.read}'), ('wildcard', '{api.users.*}'), ('wide', '{api.*}'),
	('all', '{*}'), ('parent', '{api.users}'), ('other', '{api.builds.*}'), ('colon', '{api:*}'), ('none', '{}'),
	('two', '{api.users.read,api.users.write}')) v(name, scopes), apitoken.issue('granting', name, scopes::text[]);
SELECT FROM apitoken.issue('granting/2', 'elsewhere', '{api.users.*}');
CREATE FUNCTION test.granting(scope text, realm text DEFAULT 'granting') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(t.name, ' ' ORDER BY t.name) FROM apitoken.tokens_granting(scope, realm) g JOIN apitoken.tokens t USING (id)
	$$;
SELECT scope, test.granting(scope) FROM unnest('{api.users.read,api.users.a.b,api.users,api.users.,api.x,api:x,x,*,api.*,api.users.*}'::text[]) scope;
-- Several scopes: all of them.  Spaces around them do not matter.
SELECT test.granting('api.users.read api.users.write'), test.granting(' api.users.read  api.builds.start ');
-- Another realm, all realms, no such realm.
SELECT test.granting('api.users.read', 'granting/2') AS other, test.granting('api.users.read', NULL) AS all,
	test.granting('api.users.read', 'granting/3') AS none;
SELECT count(*) FROM apitoken.tokens_granting('api.users.read');
-- Only active tokens that have not expired.
SELECT id FROM apitoken.tokens WHERE realm = 'granting' AND name = 'exact' \gset
SELECT FROM apitoken.suspend(:'id');
SELECT test.granting('api.users.read');
SELECT FROM apitoken.activate(:'id');
SELECT test.granting('api.users.read');
UPDATE apitoken._token SET expires_at = clock_timestamp() WHERE name = 'wide' AND realm = 'granting';
SELECT test.granting('api.users.read');
SELECT FROM apitoken.revoke(:'id');
SELECT test.granting('api.users.read');
-- What is no scope.
SELECT scope, test.error(format('SELECT apitoken.tokens_granting(%L)', scope)) FROM unnest(ARRAY[NULL, '', ' ', 'a"b', 'a*', 'a\b']) scope;
-- As verify() would say, for each token and many scopes.
CREATE TEMP TABLE made AS SELECT i.id, i.token FROM unnest(ARRAY['{a.*}', '{a.b.*,c}', '{a.b.c}', '{*}', '{a}', '{b:*}', '{b/*,a.b}', '{}']) s,
	LATERAL apitoken.issue('granting/2', s, s::text[]) i;
SELECT count(*) > 80 AS many, count(*) FILTER (WHERE v.valid) > 20 AS some_valid, count(*) FILTER (WHERE v.valid <> (g.id IS NOT NULL)) AS differ
	FROM made m, unnest('{a,a.b,a.b.c,a.b.c.d,b,b:x,b/x,c,c.d,z,"a.b c",a.*}'::text[]) scope
	CROSS JOIN LATERAL apitoken.verify(m.token, scope) v
	LEFT JOIN LATERAL (SELECT g.id FROM apitoken.tokens_granting(scope, 'granting/2') g WHERE g.id = m.id) g ON true;
-- The index is used, for plain scopes and wildcards, of one realm and of all.
SELECT count(apitoken.issue('granting', 'n' || n, ARRAY['n' || n || '.*', 'm.' || n])) FROM generate_series(1, 3000) n;
VACUUM ANALYZE apitoken._token;
CREATE FUNCTION test.index_scans(query text, OUT tokens bigint, OUT gin boolean, OUT whole boolean) LANGUAGE plpgsql AS $$
DECLARE
	gin_before bigint := pg_stat_get_xact_numscans('apitoken._token_scopes_idx'::regclass);
	whole_before bigint := pg_stat_get_xact_numscans('apitoken._token'::regclass);
BEGIN
	EXECUTE 'SELECT count(*) FROM ' || query INTO tokens;
	gin := pg_stat_get_xact_numscans('apitoken._token_scopes_idx'::regclass) > gin_before;
	whole := pg_stat_get_xact_numscans('apitoken._token'::regclass) > whole_before;
END $$;
SELECT * FROM test.index_scans($$apitoken.tokens_granting('n17.x')$$);
SELECT * FROM test.index_scans($$apitoken.tokens_granting('m.17', 'granting')$$);
SELECT * FROM test.index_scans($$apitoken.tokens_granting('m.17 n17.a.b', 'granting')$$);
SELECT * FROM test.index_scans($$apitoken.tokens_granting('n17.*', 'granting/2')$$);
DROP FUNCTION test.granting, test.index_scans;
SELECT test.drop_realm('granting'), test.drop_realm('granting/2');
