-- View expiring_tokens: active tokens that will expire, the soonest first.
\pset format unaligned
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
 WHERE attrelid = 'apitoken.expiring_tokens'::regclass AND attnum > 0 ORDER BY attnum;
SELECT test.sqlstate(command) FROM unnest(ARRAY['INSERT INTO apitoken.expiring_tokens (name) VALUES (''x'')',
	'UPDATE apitoken.expiring_tokens SET name = ''x''', 'DELETE FROM apitoken.expiring_tokens']) command;
SELECT reloptions FROM pg_class WHERE oid = 'apitoken.expiring_tokens'::regclass;
INSERT INTO apitoken.realm (id) VALUES ('expiring'), ('expiring/2');
SELECT FROM apitoken.issue('expiring', 'in ten days', expires_in => '10 days', principal => 'p', client_id => 'c');
SELECT FROM apitoken.issue('expiring', 'in an hour', expires_in => '1 hour');
SELECT FROM apitoken.issue('expiring', 'never');
SELECT FROM apitoken.issue('expiring', 'in a thousand years', expires_in => '1000 years');
SELECT FROM apitoken.issue('expiring', 'not yet', expires_in => '40 days', not_before => now() + interval '20 days');
SELECT FROM apitoken.issue('expiring', 'expired', expires_in => '1 millisecond');
SELECT id AS suspended FROM apitoken.issue('expiring', 'suspended', expires_in => '1 day') \gset
SELECT FROM apitoken.suspend(:'suspended');
SELECT id AS revoked FROM apitoken.issue('expiring', 'revoked', expires_in => '1 day') \gset
SELECT FROM apitoken.revoke(:'revoked');
SELECT FROM apitoken.issue('expiring/2', 'elsewhere', expires_in => '2 days');
-- The view has the order; without ORDER BY that is a promise of the plan, which is shown below.
SELECT realm, name, principal, client_id, least(days_left, 1000) AS days_left, expires_at > now() AS ahead FROM apitoken.expiring_tokens
	WHERE realm LIKE 'expiring%';
-- How soon is for the reader to say.
SELECT name FROM apitoken.expiring_tokens WHERE realm = 'expiring' AND expires_at < now() + interval '30 days';
SELECT name FROM apitoken.expiring_tokens WHERE realm = 'expiring' AND days_left < 1;
-- Changes show at once.
SELECT FROM apitoken.activate(:'suspended');
SELECT name, days_left FROM apitoken.expiring_tokens WHERE realm = 'expiring' LIMIT 2;
-- A disabled realm keeps its tokens' ends.
UPDATE apitoken.realm SET enabled = false WHERE id = 'expiring/2';
SELECT name FROM apitoken.expiring_tokens WHERE realm = 'expiring/2';
-- Of a realm the soonest are read from an index, without sorting.
SELECT count(apitoken.issue('expiring', 'n' || n, expires_in => n * interval '1 day')) FROM generate_series(50, 1500) n;
ANALYZE apitoken._token;
SELECT bool_or(p ~ '_token_expires_idx') AS by_expiry, bool_or(p ~ 'Index Cond.*expires_at > ') AS from_now,
	bool_or(p ~ 'Sort') AS sorted
	FROM test.plan('SELECT * FROM apitoken.expiring_tokens WHERE realm = ''expiring'' LIMIT 10') p;
SELECT test.drop_realm('expiring'), test.drop_realm('expiring/2');
