-- verify_many(): one row an element, in order, each as verify() has it.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('many'), ('many/off');
CREATE TABLE test.text (n int, token text);
INSERT INTO test.text SELECT 1, token FROM apitoken.issue('many', 'full', '{b,a}', expires_at => '2999-01-01Z', kind => 'client', principal => 'p', principal_id => 'pi', client_id => 'c', environment_id => 'e', metadata => '{"m": 1}');
INSERT INTO test.text SELECT 2, token FROM apitoken.issue('many', 'bare');
INSERT INTO test.text SELECT 3, token FROM apitoken.issue('many/off', 'off');
INSERT INTO test.text SELECT 4, token FROM apitoken.issue('many', 'suspended', '{a.*}');
INSERT INTO test.text SELECT 5, token FROM apitoken.issue('many', 'addresses', '{a}', allowed_addresses => '{10.0.0.0/8}');
INSERT INTO test.text SELECT 6, token FROM apitoken.issue('many', 'expired');
INSERT INTO test.text SELECT 7, token FROM apitoken.issue('many', 'rotated');
INSERT INTO test.text VALUES (8, 'previous_secret'), (9, 'superseded_secret'), (10, 'unknown-token'), (11, 'short'), (12, NULL), (13, ''), (14, 'not a token'), (15, repeat('x', 513));
SELECT status FROM apitoken.suspend((SELECT id FROM apitoken._token WHERE name = 'suspended'));
UPDATE apitoken.realm SET enabled = false WHERE id = 'many/off';
UPDATE apitoken._token SET expires_at = '2001-01-01Z' WHERE name = 'expired';
UPDATE apitoken._token SET previous_digest = apitoken.token_digest('previous_secret'), previous_expires_at = '2999-01-01Z' WHERE name = 'rotated';
UPDATE apitoken._token SET previous_digest = apitoken.token_digest('superseded_secret'), previous_expires_at = '2001-01-01Z' WHERE name = 'bare';
SELECT ordinality, valid, outcome, name, scopes, metadata FROM apitoken.verify_many((SELECT array_agg(token ORDER BY n) FROM test.text));
-- Row by row the same as verify(), with every scope and address, in any order.
CREATE FUNCTION pg_temp.differ(many text[], scope text, address inet) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT n, to_jsonb(v) FROM unnest(many) WITH ORDINALITY AS o(token, n), LATERAL apitoken.verify(o.token, scope, address) v) AS a(n, answer)
	  FULL JOIN (SELECT m.ordinality, to_jsonb(m) - 'ordinality' FROM apitoken.verify_many(many, scope, address) m) AS b(n, answer) USING (n)
	 WHERE a.answer IS DISTINCT FROM b.answer $$;
SELECT scope, address, pg_temp.differ(many, scope, address) AS forwards, pg_temp.differ(reverse, scope, address) AS backwards, pg_temp.differ(many || many, scope, address) AS twice
  FROM (SELECT array_agg(token ORDER BY n), array_agg(token ORDER BY n DESC) FROM test.text) AS t(many, reverse),
	   unnest('{NULL,a,a b,a.x,*}'::text[]) scope, unnest('{NULL,10.0.0.7,11.0.0.7,::ffff:10.0.0.7}'::inet[]) address;
-- Every pair: what one leaves behind is not seen in the next.
SELECT count(*), sum(pg_temp.differ(ARRAY[a.token, b.token, a.token], 'a', '10.0.0.1')) AS differ FROM test.text a, test.text b;
-- Arguments as of the others.
SELECT ordinality, valid, outcome FROM apitoken.verify_many(address => '10.0.0.1', scope => 'a', tokens => ARRAY(SELECT token FROM test.text WHERE n IN (1, 5) ORDER BY n));
SELECT test.error('SELECT apitoken.verify_many(''{a}'', '' '')'), test.sqlstate('SELECT apitoken.verify_many(''{a}'', ''"'')');
-- No token, no row; a NULL among them is malformed.
SELECT count(*) FROM apitoken.verify_many('{}');
SELECT count(*) FROM apitoken.verify_many(NULL);
SELECT ordinality, outcome FROM apitoken.verify_many('{NULL}');
SELECT ordinality, outcome FROM apitoken.verify_many(ARRAY[NULL, 'unknown-token', NULL]);
-- Other bounds and dimensions: in the order of the elements, counted from 1.
SELECT ordinality, outcome FROM apitoken.verify_many('[5:7]={x,unknown-token,y}');
SELECT ordinality, outcome FROM apitoken.verify_many('{{x,unknown-token},{unknown-token,NULL}}');
SELECT ordinality, outcome FROM apitoken.verify_many('{{{unknown-token}},{{x}}}');
-- Wherever a set can stand.
SELECT (apitoken.verify_many(ARRAY['x', 'unknown-token'])).outcome;
SELECT n, m.ordinality, m.outcome FROM generate_series(1, 2) n, LATERAL apitoken.verify_many(array_fill('unknown-token'::text, ARRAY[n])) m ORDER BY 1, 2;
SELECT count(*) FROM apitoken.verify_many((SELECT array_agg(token) FROM test.text)) LIMIT 1;
SELECT outcome FROM apitoken.verify_many((SELECT array_agg(token ORDER BY n) FROM test.text)) LIMIT 2;
BEGIN READ ONLY;
DECLARE c CURSOR FOR SELECT ordinality, outcome FROM apitoken.verify_many(ARRAY['x', 'unknown-token', 'y']);
FETCH 2 FROM c;
FETCH 2 FROM c;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;
SELECT test.error('SELECT ordinality FROM (SELECT CASE WHEN true THEN apitoken.verify_many(''{x}'') END) s');
-- Each is a use.
SELECT use_count AS before FROM apitoken.tokens WHERE name = 'full' \gset
SELECT count(*) FROM test.text, LATERAL apitoken.verify_many(ARRAY[token, token, 'unknown-token', token]) WHERE n = 1;
SELECT use_count - :before AS uses FROM apitoken.tokens WHERE name = 'full';
-- 10,000 in one call, unknown ones among them.
INSERT INTO test.text SELECT 100 + n, i.token FROM generate_series(1, 5000) n, LATERAL apitoken.issue('many', 'bulk ' || n) i;
INSERT INTO test.text SELECT 10000 + n, 'unknown-token-' || n FROM generate_series(1, 5000) n;
SELECT outcome, count(*), count(*) FILTER (WHERE m.name = 'bulk ' || (t.n - 100)) AS right_name
  FROM (SELECT array_agg(token ORDER BY n % 4999, n), array_agg(n ORDER BY n % 4999, n) FROM test.text WHERE n > 100) AS a(tokens, ns),
	   LATERAL apitoken.verify_many(tokens) m JOIN LATERAL unnest(ns) WITH ORDINALITY AS t(n, place) ON place = ordinality GROUP BY 1 ORDER BY 1;
-- After changes in the same transaction, and where dead rows are met.
BEGIN;
UPDATE apitoken._token SET status = 's' WHERE name LIKE 'bulk %';
SELECT outcome, count(*) FROM apitoken.verify_many((SELECT array_agg(token ORDER BY n) FROM test.text WHERE n BETWEEN 101 AND 5100)) GROUP BY 1;
ROLLBACK;
SELECT outcome, count(*) FROM apitoken.verify_many((SELECT array_agg(token ORDER BY n) FROM test.text WHERE n BETWEEN 101 AND 5100)) GROUP BY 1;
WITH gone AS (DELETE FROM apitoken._token WHERE name LIKE 'bulk %' AND name > 'bulk 3' RETURNING id) DELETE FROM apitoken._usage USING gone WHERE token_id = id;
SELECT outcome, count(*) FROM apitoken.verify_many((SELECT array_agg(token ORDER BY n) FROM test.text WHERE n BETWEEN 101 AND 5100)) GROUP BY 1 ORDER BY 1;
SELECT outcome, count(*) FROM apitoken.verify_many((SELECT array_agg(token ORDER BY n) FROM test.text WHERE n BETWEEN 101 AND 5100)) GROUP BY 1 ORDER BY 1;
DROP TABLE test.text;
SELECT test.drop_realm('many'), test.drop_realm('many/off');
