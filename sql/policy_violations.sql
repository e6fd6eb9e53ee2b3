-- View policy_violations: tokens of before that the policy of today would refuse.
\pset format unaligned
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
 WHERE attrelid = 'apitoken.policy_violations'::regclass AND attnum > 0 ORDER BY attnum;
SELECT test.sqlstate(command) FROM unnest(ARRAY['INSERT INTO apitoken.policy_violations (name) VALUES (''x'')',
	'UPDATE apitoken.policy_violations SET name = ''x''', 'DELETE FROM apitoken.policy_violations']) command;
SELECT reloptions FROM pg_class WHERE oid = 'apitoken.policy_violations'::regclass;
CREATE VIEW test.violation AS SELECT realm, name, policy,
	regexp_replace(detail, '36\d days .*;', 'A YEAR;') AS detail FROM apitoken.policy_violations
	WHERE realm LIKE 'violations%' ORDER BY realm, policy COLLATE "C", name;
INSERT INTO apitoken.realm (id) VALUES ('violations');
SELECT FROM apitoken.issue('violations', 'never', '{a.b}');
SELECT FROM apitoken.issue('violations', 'long', '{a.b,c}', expires_in => '400 days');
SELECT id AS year_id FROM apitoken.issue('violations', 'year', '{a.*}', expires_in => '1 year') \gset
SELECT FROM apitoken.issue('violations', 'until', '{a.*}', expires_at => now() + interval '1 year 1 day');
SELECT FROM apitoken.issue('violations', 'short', '{b.c}', expires_in => '10 days');
SELECT FROM apitoken.issue('violations', 'expired', '{x}', expires_in => '1 millisecond');
SELECT id AS suspended FROM apitoken.issue('violations', 'suspended', '{x}') \gset
SELECT FROM apitoken.suspend(:'suspended');
SELECT id AS revoked FROM apitoken.issue('violations', 'revoked', '{x}') \gset
SELECT FROM apitoken.revoke(:'revoked');
-- No policy, no violations.
TABLE test.violation;
-- max_ttl: the life that was granted.  A year is no longer than a year, however it was said.
UPDATE apitoken.realm SET max_ttl = '1 year' WHERE id = 'violations';
TABLE test.violation;
SELECT FROM apitoken.issue('violations', 'year in days', expires_in => '365 days');
SELECT FROM apitoken.issue('violations', 'until in a year', expires_at => now() + interval '365 days');
SELECT FROM apitoken.issue('violations', 'months', expires_in => '12 months');
SELECT count(*) FROM test.violation WHERE name IN ('year in days', 'until in a year', 'months');
UPDATE apitoken.realm SET max_ttl = '100 years' WHERE id = 'violations';
TABLE test.violation;
-- Whatever a realm allows, the view can be read.
UPDATE apitoken.realm SET max_ttl = '150000000 years' WHERE id = 'violations';
SELECT count(*) FROM test.violation;
UPDATE apitoken.realm SET max_ttl = '1 microsecond' WHERE id = 'violations';
SELECT count(*) FROM test.violation;
UPDATE apitoken.realm SET max_ttl = NULL WHERE id = 'violations';
-- A life within the rule is none later, in whatever month it was granted.
INSERT INTO apitoken.realm (id, max_ttl) VALUES ('violations/month', '1 month');
SELECT id AS month_id FROM apitoken.issue('violations/month', 'month', expires_in => '1 month') \gset
-- (What issue() would take at each day of a winter, and what it would not.)
CREATE FUNCTION pg_temp.seen(start timestamptz, ttl interval, max interval) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	UPDATE apitoken.realm SET max_ttl = max WHERE id = 'violations/month';
	UPDATE apitoken._token SET expires_at = start + ttl, granted_ttl = ttl WHERE realm = 'violations/month';
	RETURN EXISTS (SELECT FROM apitoken.policy_violations WHERE realm = 'violations/month');
END $$;
SELECT ttl::text, max::text, count(*) FILTER (WHERE allowed AND seen) AS allowed_but_seen,
	count(*) FILTER (WHERE NOT allowed AND seen) * 100 / nullif(count(*) FILTER (WHERE NOT allowed), 0) AS percent_seen
	FROM unnest('{1 mon,28 days,30 days,31 days,1 year,365 days,2 hours}'::interval[]) ttl,
		unnest('{1 mon,30 days,31 days,1 year,366 days,1 hour}'::interval[]) max,
		generate_series('2995-01-25Z'::timestamptz, '2995-03-05Z', '3 days') start,
		LATERAL (SELECT start + ttl <= start + max AS allowed, pg_temp.seen(start, ttl, max) AS seen OFFSET 0) v
	GROUP BY 1, 2 HAVING bool_or(seen) OR bool_or(NOT allowed) ORDER BY max(ttl), 1, max(max), 2;
-- The one false alarm: a life of months that ends with February.
SELECT '2995-01-31Z'::timestamptz + '1 month' <= '2995-01-31Z'::timestamptz + '29 days' AS allowed,
	pg_temp.seen('2995-01-31Z', '1 month', '29 days');
UPDATE apitoken.realm SET max_ttl = '1 mon' WHERE id = 'violations/month';
UPDATE apitoken._token SET expires_at = NULL, granted_ttl = NULL WHERE realm = 'violations/month';
TABLE test.violation;
SELECT test.drop_realm('violations/month');
-- known_scopes: a scope is known by itself, by a wildcard, and as a wildcard of a known one.
SELECT scopes, known, apitoken._unknown_scopes(scopes, known) FROM (VALUES ('a'::apitoken.scopes, 'a'::apitoken.scopes),
	('a', 'b'), ('a b c', 'b'), ('a.b', 'a.*'), ('a.*', 'a.*'), ('a.*', 'a.b'), ('a.*', 'a'), ('a.b.*', 'a.*'),
	('a.*', 'a.b.*'), ('*', 'x'), ('x', '*'), ('*', '*'), ('a', ''), ('*', ''), ('', 'a'), ('', ''), ('ab', 'a'),
	('a', 'ab'), ('b.* a.* c', 'a.x c'), (NULL, 'a'), ('a', NULL)) v(scopes, known);
UPDATE apitoken.realm SET known_scopes = 'a.b d' WHERE id = 'violations';
TABLE test.violation;
UPDATE apitoken.realm SET known_scopes = 'a.* b.* c' WHERE id = 'violations';
TABLE test.violation;
UPDATE apitoken.realm SET known_scopes = '' WHERE id = 'violations';
SELECT count(*) FROM test.violation;
UPDATE apitoken.realm SET known_scopes = NULL WHERE id = 'violations';
-- max_active_per_principal: all active tokens of a principal that has too many.
SELECT principal, count(*) FROM generate_series(1, 4) n, unnest('{p,q}'::text[]) principal,
	apitoken.issue('violations', principal || n, principal => principal) GROUP BY 1 ORDER BY 1;
SELECT FROM apitoken.issue('violations', 'r1', principal => 'r');
INSERT INTO apitoken.realm (id) VALUES ('violations/2');
SELECT FROM apitoken.issue('violations/2', 'p elsewhere', principal => 'p');
UPDATE apitoken.realm SET max_active_per_principal = 4 WHERE id LIKE 'violations%';
TABLE test.violation;
UPDATE apitoken.realm SET max_active_per_principal = 3 WHERE id LIKE 'violations%';
TABLE test.violation;
SELECT count(*) FROM apitoken._token t, apitoken.suspend(t.id) WHERE t.name = 'p1';
UPDATE apitoken._token SET expires_at = '2001-01-01' WHERE name = 'q1';
TABLE test.violation;
UPDATE apitoken.realm SET max_active_per_principal = 1 WHERE id = 'violations';
SELECT name FROM test.violation;
UPDATE apitoken.realm SET max_active_per_principal = NULL WHERE id LIKE 'violations%';
-- max_idle: what idle_tokens has.
UPDATE apitoken._token SET created_at = now() - interval '1 day', status_changed_at = NULL WHERE name IN ('short', 'r1');
UPDATE apitoken.realm SET max_idle = '2 hours' WHERE id = 'violations';
TABLE test.violation;
UPDATE apitoken.realm SET max_idle = NULL WHERE id = 'violations';
-- All at once: a row for each rule.
UPDATE apitoken.realm SET max_ttl = '1 day', known_scopes = 'c', max_active_per_principal = 1, max_idle = '2 hours'
	WHERE id = 'violations';
SELECT policy, count(*), count(DISTINCT id) FROM apitoken.policy_violations WHERE realm = 'violations' GROUP BY 1 ORDER BY 1;
-- Of one realm only its tokens are read.
SELECT count(apitoken.issue('violations/2', 'n' || n, principal => 'n' || n)) FROM generate_series(1, 2000) n;
ANALYZE apitoken._token;
SELECT count(*) FILTER (WHERE p ~ 'Seq Scan on _token') AS whole_table
	FROM test.plan('SELECT * FROM apitoken.policy_violations WHERE realm = ''violations''') p;
DROP VIEW test.violation;
SELECT test.drop_realm('violations'), test.drop_realm('violations/2');
