-- View token_scopes: a row for each scope of each token.
\pset format unaligned
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
 WHERE attrelid = 'apitoken.token_scopes'::regclass AND attnum > 0 ORDER BY attnum;
SELECT test.sqlstate(command) FROM unnest(ARRAY['INSERT INTO apitoken.token_scopes (scope) VALUES (''x'')',
	'UPDATE apitoken.token_scopes SET scope = ''x''', 'DELETE FROM apitoken.token_scopes']) command;
SELECT reloptions FROM pg_class WHERE oid = 'apitoken.token_scopes'::regclass;
INSERT INTO apitoken.realm (id) VALUES ('token_scopes'), ('token_scopes/2');
SELECT id FROM apitoken.issue('token_scopes', 'three', '{c,a.*,b:d/e}') \gset
SELECT FROM apitoken.issue('token_scopes', 'none');
SELECT FROM apitoken.issue('token_scopes', 'all', '{*}');
SELECT FROM apitoken.issue('token_scopes', 'long', ARRAY[repeat('x', 255), repeat('y', 254) || 'z']);
SELECT FROM apitoken.issue('token_scopes/2', 'other', '{a.*}');
SELECT FROM apitoken.revoke(:'id');
-- An empty set has no row; the state of a token does not matter.
SELECT realm, name, left(scope, 20) AS scope, token_id = :'id' AS three FROM apitoken.token_scopes
	WHERE realm LIKE 'token_scopes%' ORDER BY realm, name, scope COLLATE "C";
-- Scopes of many tokens, counted.
SELECT count(apitoken.issue('token_scopes', 'n' || n, ARRAY['s' || n % 10, 's'])) FROM generate_series(1, 500) n;
SELECT scope, count(*) FROM apitoken.token_scopes WHERE realm = 'token_scopes' AND scope ~ '^s' GROUP BY 1 ORDER BY 1;
-- Tokens are found by their indexes, before their scopes are taken apart.
ANALYZE apitoken._token;
SELECT bool_or(p ~ 'Index Cond.*id = ') AS by_key
	FROM test.plan(format('SELECT * FROM apitoken.token_scopes WHERE token_id = %L', :'id')) p;
SET enable_seqscan = off;
SELECT bool_or(p ~ 'Index Cond.*realm = ') AS by_realm
	FROM test.plan('SELECT * FROM apitoken.token_scopes WHERE realm = ''token_scopes/2''') p;
RESET enable_seqscan;
SELECT test.drop_realm('token_scopes'), test.drop_realm('token_scopes/2');
