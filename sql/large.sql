-- A realm of 12,000 tokens: pages and walks where conditions match none, few,
-- many and nearly all of them, at the beginning, in the middle and at the end.
-- However the rows are found, they are the same.
\pset format unaligned
SET jit = off;
INSERT INTO apitoken.realm (id) VALUES ('large');
SELECT count(i.id) FROM generate_series(1, 12000) n, apitoken.issue('large', 'n' || n * 7919 % 100, description => n::text, client_id => CASE WHEN n % 2000 = 7 THEN 'rare-' || n ELSE 'common' END, kind => CASE WHEN n % 4 = 0 THEN 'client' ELSE 'user' END,
	expires_in => CASE WHEN n % 3 > 0 THEN interval '1 year' END, access_token_ttl => CASE WHEN n % 5 > 0 THEN n % 7 * interval '1 hour' + interval '1 minute' END) i;
UPDATE apitoken._token SET status = 'r' WHERE realm = 'large' AND description::int % 1000 = 500;
UPDATE apitoken._token SET expires_at = '2020-01-01Z' WHERE realm = 'large' AND description::int % 1000 = 501;
UPDATE apitoken._usage SET last_used_at = '2021-01-01Z'::timestamptz + description::int * 104729 % 1009 * interval '1 second', use_count = 1 FROM apitoken._token t WHERE t.id = token_id AND t.realm = 'large' AND description::int % 10 > 1;
ANALYZE apitoken._token, apitoken._usage;
-- The order by hand, and what matches each search.
CREATE TEMP TABLE place AS
	SELECT 'creationDate' AS field, 'desc' AS direction, row_number() OVER (ORDER BY created_at DESC, id DESC) AS n, id FROM apitoken._token WHERE realm = 'large' UNION ALL
	SELECT 'expirationDate', 'asc', row_number() OVER (ORDER BY expires_at NULLS LAST, id), id FROM apitoken._token WHERE realm = 'large' UNION ALL
	SELECT 'lastUsedDate', 'asc', row_number() OVER (ORDER BY last_used_at NULLS FIRST, token_id), token_id FROM apitoken._usage WHERE realm = 'large' UNION ALL
	SELECT 'lastUsedDate', 'desc', row_number() OVER (ORDER BY last_used_at DESC NULLS LAST, token_id DESC), token_id FROM apitoken._usage WHERE realm = 'large';
CREATE TEMP TABLE search (name text, body jsonb, condition text);
INSERT INTO search VALUES
	('all', NULL, 'true'),
	('nearly all', '{"filters": {"tokenStatus": ["ACTIVE"]}}', 'status = ''a'' AND (expires_at IS NULL OR expires_at > now())'),
	('a quarter', '{"filters": {"tokenType": ["API_CLIENT"]}}', 'kind = ''c'''),
	('few, by state', '{"filters": {"tokenStatus": ["UNKNOWN", "EXPIRED"]}}', 'status = ''r'' OR expires_at <= now()'),
	('few, by term', '{"searchTerms": {"allOf": [{"field": "CLIENT_ID", "operator": "LIKE", "terms": ["RARE"]}]}}', 'client_id LIKE ''rare%'''),
	('none', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["nothing"]}]}}', 'false');
CREATE TEMP TABLE match (name text, id uuid);
SELECT format('INSERT INTO match SELECT %L, id FROM apitoken._token WHERE realm = ''large'' AND (%s)', name, condition) FROM search \gexec
CREATE TEMP TABLE found AS SELECT name, field, direction, coalesce(array_agg(p.id ORDER BY n) FILTER (WHERE m.id IS NOT NULL), '{}') AS ids FROM search CROSS JOIN place p LEFT JOIN match m USING (name, id) GROUP BY 1, 2, 3;
SELECT name, min(cardinality(ids)) AS matches, count(*) AS sorts FROM found GROUP BY name ORDER BY 2, 1;
CREATE FUNCTION pg_temp.ids(page jsonb) RETURNS uuid[] LANGUAGE sql AS $$ SELECT ARRAY(SELECT (e ->> 'id')::uuid FROM jsonb_array_elements(page -> 'apiTokens') e) $$;
-- By offset: pages of ten at the beginning, further down, and large ones where
-- all ends; totals.
SELECT name, count(*) AS pages, count(*) FILTER (WHERE pg_temp.ids(p) = ids[page * size + 1:page * size + size]) AS good,
	   count(*) FILTER (WHERE (p #>> '{pageInfo,totalCount}')::int = cardinality(ids)) AS good_totals
  FROM search JOIN found USING (name), (VALUES (0, 10), (150, 10), (12, 1000)) v(page, size), apitoken.query('large', page, size, field, direction, body) p GROUP BY name ORDER BY name COLLATE "C";
-- By cursor: all pages of a walk, small ones of the few, large ones of the many.
CREATE FUNCTION pg_temp.walk(field text, direction text, body jsonb, size int) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE place text := ''; answer jsonb; found uuid[] := '{}'; pages int := 0;
BEGIN
	WHILE place IS NOT NULL AND pages < 100 LOOP
		answer := apitoken.query('large', 0, size, field, direction, body, place);
		found := found || pg_temp.ids(answer);
		place := answer ->> 'next_cursor';
		pages := pages + 1;
	END LOOP;
	RETURN found;
END $$;
SELECT name, count(*) AS walks, count(*) FILTER (WHERE pg_temp.walk(field, direction, body, CASE WHEN name IN ('nearly all', 'a quarter') THEN 1000 ELSE 10 END) = ids) AS good
  FROM search JOIN found USING (name) WHERE name <> 'all' GROUP BY name ORDER BY name COLLATE "C";
-- The first pages of a walk of many, which is gone no further.
SELECT name, count(*) AS walks, count(*) FILTER (WHERE pg_temp.ids(p) || pg_temp.ids(q) = ids[:14]) AS good
  FROM search JOIN found USING (name), apitoken.query('large', 0, 7, field, direction, body, '') p, apitoken.query('large', 0, 7, field, direction, body, p ->> 'next_cursor') q WHERE name IN ('all', 'nearly all', 'a quarter') GROUP BY name ORDER BY name COLLATE "C";
SELECT test.drop_realm('large');
