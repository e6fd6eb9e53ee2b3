-- Walks by cursor through list() and query(): every token once and in order,
-- also while others come, go and move; a cursor is of its walk and no other.
\pset format unaligned
SET jit = off;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
INSERT INTO apitoken.realm (id) VALUES ('cursor'), ('cursor/other'), ('cursor/empty');
-- 50 tokens with many equal keys; some were never used, never expire, have no
-- life of access tokens; names of all lengths.
CREATE TEMP TABLE made AS
	SELECT n, apitoken.import(realm, name, sha256 => sha256((realm || n)::bytea), public_id => prefix || '.' || lpad(translate((n * 37 % 53)::text, '0123456789', 'ABCDEFGHIJ'), 23, 'A') || last,
		created_at => '2020-01-01Z'::timestamptz + n % 9 * interval '1 microsecond', expires_at => CASE WHEN n % 3 > 0 THEN '2999-01-01Z'::timestamptz + n % 4 * interval '1 microsecond' END,
		access_token_ttl => (ARRAY['1 mon', '30 days', '720 hours', '1 hour', NULL])[n % 5 + 1]::interval, environment_id => (ARRAY['prod', 'test', NULL])[n % 3 + 1], kind => (ARRAY['user', 'client'])[n % 2 + 1]) AS id
	  FROM generate_series(1, 50) n, (VALUES ('cursor', 'a', 'A'), ('cursor/other', 'b', 'B')) v(realm, prefix, last), LATERAL (SELECT (ARRAY['b', 'B', 'a', E'a\n', 'ä', repeat('😀', 255), repeat('x', 255), ' z', E'\x01', '\'])[n % 10 + 1]) w(name);
UPDATE apitoken._token t SET status = (ARRAY['a', 's', 'r'])[m.n % 3 + 1]::"char" FROM made m WHERE m.id = t.id;
UPDATE apitoken._usage u SET last_used_at = '2021-01-01Z'::timestamptz + n % 4 * interval '1 microsecond', use_count = n FROM made m WHERE m.id = u.token_id AND n % 3 > 0;
CREATE TEMP TABLE sort AS SELECT operation, field, direction FROM (VALUES ('list', '{id,name,title,status,last_seen,timestamp}'::text[]), ('query', '{creationDate,expirationDate,lastUsedDate,accessTokenTtl,tokenName}')) v(operation, fields), unnest(fields) field, unnest('{asc,desc}'::text[]) direction;
-- A page of either operation, and the ids in it.
CREATE FUNCTION pg_temp.page(operation text, realm text, field text, direction text, size int, cursor text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT CASE operation WHEN 'list' THEN apitoken.list(realm, field, direction, page_size => size, cursor => cursor) ELSE apitoken.query(realm, page_size => size, sort_by => field, sort_order => direction, cursor => cursor) END $$;
CREATE FUNCTION pg_temp.ids(page jsonb) RETURNS text[] LANGUAGE sql AS $$ SELECT ARRAY(SELECT r ->> 'id' FROM jsonb_array_elements(coalesce(page -> 'summaries', page -> 'apiTokens')) r) $$;
-- A walk: all ids in order, and whether all pages but the last were full.  One
-- that does not end is ended.
CREATE FUNCTION pg_temp.walk(operation text, realm text, field text, direction text, size int, OUT ids text[], OUT pages int, OUT full_pages boolean) LANGUAGE plpgsql AS $$
DECLARE place text := ''; answer jsonb; found text[];
BEGIN
	ids := '{}'; pages := 0; full_pages := true;
	WHILE place IS NOT NULL AND pages < 100 LOOP
		answer := pg_temp.page(operation, realm, field, direction, size, place);
		found := pg_temp.ids(answer);
		place := answer ->> 'next_cursor';
		ids := ids || found; pages := pages + 1;
		full_pages := full_pages AND (place IS NULL OR cardinality(found) = size);
	END LOOP;
END $$;
-- Every sort, both ways, pages of any size, those included that end where the
-- keys end and the nulls begin: the order of one large page, and no more pages
-- than needed, the last one never empty.
SELECT operation, field, direction, count(*) AS walks, count(*) FILTER (WHERE w.ids = pg_temp.ids(pg_temp.page(operation, 'cursor', field, direction, 1000, NULL))) AS in_order, count(*) FILTER (WHERE w.pages = ceil(50.0 / size) AND w.full_pages) AS pages_as_needed
  FROM sort, unnest('{1,3,7,10,16,17,25,33,34,40,49,50,51,1000}'::int[]) size, pg_temp.walk(operation, 'cursor', field, direction, size) w GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT count(*) AS walks, bool_and(w.ids = '{}' AND w.pages = 1) AS nothing FROM sort, pg_temp.walk(operation, 'cursor/empty', field, direction, 3) w;
-- With filters.
SELECT field, direction, environment, a.ids = pg_temp.ids(apitoken.list('cursor', field, direction, page_size => 1000, environment_id => environment)) AS in_order, cardinality(a.ids) AS n
  FROM sort, unnest('{prod,none}'::text[]) environment, LATERAL (
	WITH RECURSIVE page AS (
		SELECT apitoken.list('cursor', field, direction, page_size => 3, environment_id => environment, cursor => '') AS p
		UNION ALL
		SELECT apitoken.list('cursor', field, direction, page_size => 3, environment_id => environment, cursor => p ->> 'next_cursor') FROM page WHERE p ->> 'next_cursor' IS NOT NULL)
	SELECT ARRAY(SELECT r ->> 'id' FROM (TABLE page LIMIT 100) page, jsonb_array_elements(p -> 'summaries') r) AS ids) a WHERE operation = 'list' ORDER BY 1, 2, 3;
SELECT field, direction, n, a.ids = pg_temp.ids(apitoken.query('cursor', 0, 1000, field, direction, body)) AS in_order, cardinality(a.ids) AS tokens
  FROM sort, unnest(ARRAY['{"filters": {"tokenType": ["USER"], "tokenStatus": ["ACTIVE", "UNKNOWN"]}}', '{"searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["xxxx"]}, {"field": "TOKEN_NAME", "operator": "EQUALS", "terms": ["\\"]}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["xxxx"]}]}}']::jsonb[]) WITH ORDINALITY b(body, n), LATERAL (
	WITH RECURSIVE page AS (
		SELECT apitoken.query('cursor', 0, 3, field, direction, body, '') AS p
		UNION ALL
		SELECT apitoken.query('cursor', 0, 3, field, direction, body, p ->> 'next_cursor') FROM page WHERE p ->> 'next_cursor' IS NOT NULL)
	SELECT ARRAY(SELECT r ->> 'id' FROM (TABLE page LIMIT 100) page, jsonb_array_elements(p -> 'apiTokens') r) AS ids) a WHERE operation = 'query' ORDER BY 1, 2, 3;

-- The shape: totals are null, and there is one key more; without a cursor there
-- is none.
SELECT p - 'summaries' - 'next_cursor' AS list, p ->> 'next_cursor' ~ '^[A-Za-z0-9_-]+$' AS next_cursor, jsonb_array_length(p -> 'summaries') AS rows FROM apitoken.list('cursor', page_size => 3, cursor => '') p;
SELECT p - 'summaries' AS last_of_list, jsonb_array_length(p -> 'summaries') AS rows FROM apitoken.list('cursor', page_size => 50, cursor => '') p;
SELECT apitoken.list('cursor/empty', cursor => '') AS list_of_nothing;
SELECT p -> 'pageInfo' AS "pageInfo", p ? 'next_cursor' AS next_cursor, jsonb_path_query_array(p, '$.links[*].rel') AS rels, p #>> '{links,0,href}' AS self, p #>> '{links,1,href}' AS first,
	   p #>> '{links,2,href}' = format('?cursor=%s&pageSize=3&sortBy=creationDate&sortOrder=desc', p ->> 'next_cursor') AS next FROM apitoken.query('cursor', page_size => 3, cursor => '') p;
SELECT q #>> '{links,0,href}' = p #>> '{links,2,href}' AS self_of_second, q #>> '{links,1,href}' AS first, q #> '{links,2,href}' IS DISTINCT FROM p #> '{links,2,href}' AS next_is_another FROM apitoken.query('cursor', page_size => 3, cursor => '') p, apitoken.query('cursor', page_size => 3, cursor => p ->> 'next_cursor') q;
SELECT apitoken.query('cursor/empty', cursor => '') AS query_of_nothing;
SELECT apitoken.list('cursor') ? 'next_cursor' AS list, apitoken.query('cursor') ? 'next_cursor' AS query;
-- Pages by cursor are those by offset but for what is said of totals.
SELECT bool_and(pg_temp.page(operation, 'cursor', field, direction, 5, '') -> rows = pg_temp.page(operation, 'cursor', field, direction, 5, NULL) -> rows) AS rows, bool_and(pg_temp.page(operation, 'cursor', field, direction, 5, '') -> 'sorting' IS NOT DISTINCT FROM pg_temp.page(operation, 'cursor', field, direction, 5, NULL) -> 'sorting') AS sorting
  FROM sort, unnest('{summaries,apiTokens}'::text[]) rows WHERE (operation = 'list') = (rows = 'summaries');
-- The size of pages may change on the way; the first page's offset and number
-- may be said, others not.
SELECT pg_temp.ids(p) || pg_temp.ids(q) || pg_temp.ids(r) = pg_temp.ids(apitoken.list('cursor', 'name', page_size => 50)) AS whole
  FROM apitoken.list('cursor', 'name', page_size => 1, cursor => '') p, apitoken.list('cursor', 'name', page_size => 10, cursor => p ->> 'next_cursor') q, apitoken.list('cursor', 'name', page_size => 1000, cursor => q ->> 'next_cursor') r;
SELECT call, test.error('SELECT apitoken.' || call) FROM unnest(ARRAY['list(''cursor'', page_offset => 0, cursor => '''')', 'list(''cursor'', page_offset => 1, cursor => '''')', 'query(''cursor'', page => 0, cursor => '''')', 'query(''cursor'', page => 1, cursor => '''')', 'query(''cursor'', page => 1, page_size => 1, cursor => ''x'')']) call;

-- A cursor is refused by every other walk, whatever is different about it.
SELECT p ->> 'next_cursor' AS list_cursor FROM apitoken.list('cursor', 'name', page_size => 3, cursor => '') p \gset
SELECT p ->> 'next_cursor' AS query_cursor FROM apitoken.query('cursor', 0, 3, 'tokenName', 'asc', '{"filters": {"tokenType": ["USER", "API_CLIENT"]}, "searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "NOT_EMPTY"}]}}', '') p \gset
SELECT p ->> 'next_cursor' AS prod_cursor FROM apitoken.list('cursor', 'name', page_size => 3, environment_id => 'prod', cursor => '') p \gset
SELECT what, test.error('SELECT apitoken.' || call) FROM (VALUES
	(1, 'the same', format('list(''cursor'', ''name'', cursor => %L)', :'list_cursor')),
	(2, 'another sort', format('list(''cursor'', ''id'', cursor => %L)', :'list_cursor')),
	(3, 'its alias', format('list(''cursor'', ''title'', cursor => %L)', :'list_cursor')),
	(4, 'the other direction', format('list(''cursor'', ''name'', ''desc'', cursor => %L)', :'list_cursor')),
	(5, 'another realm', format('list(''cursor/other'', ''name'', cursor => %L)', :'list_cursor')),
	(6, 'no such realm', format('list(''cursor/none'', ''name'', cursor => %L)', :'list_cursor')),
	(7, 'an environment', format('list(''cursor'', ''name'', environment_id => ''prod'', cursor => %L)', :'list_cursor')),
	(8, 'no environment', format('list(''cursor'', ''name'', cursor => %L)', :'prod_cursor')),
	(9, 'another environment', format('list(''cursor'', ''name'', environment_id => ''test'', cursor => %L)', :'prod_cursor')),
	(10, 'the other operation', format('query(''cursor'', sort_by => ''tokenName'', sort_order => ''asc'', cursor => %L)', :'list_cursor')),
	(11, 'the same search, written another way', format('query(''cursor'', 0, 7, ''tokenName'', ''ASC'', ''{"searchTerms":{"allOf":[{"operator":"NOT_EMPTY","field":"TOKEN_NAME"}]},"filters":{"tokenType":["USER","API_CLIENT"]}}'', %L)', :'query_cursor')),
	(12, 'no search', format('query(''cursor'', sort_by => ''tokenName'', sort_order => ''asc'', cursor => %L)', :'query_cursor')),
	(13, 'another filter', format('query(''cursor'', 0, 3, ''tokenName'', ''asc'', ''{"filters": {"tokenType": ["USER"]}, "searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "NOT_EMPTY"}]}}'', %L)', :'query_cursor')),
	(14, 'the other group', format('query(''cursor'', 0, 3, ''tokenName'', ''asc'', ''{"filters": {"tokenType": ["USER", "API_CLIENT"]}, "searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "operator": "NOT_EMPTY"}]}}'', %L)', :'query_cursor')),
	(15, 'another search in another realm', format('query(''cursor/other'', 0, 3, ''tokenName'', ''asc'', ''{"filters": {"tokenType": ["USER", "API_CLIENT"]}, "searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "NOT_EMPTY"}]}}'', %L)', :'query_cursor'))) AS v(n, what, call) ORDER BY n;
-- Every sort's cursor with every other sort: only its own is taken.
SELECT count(*) AS attempts, count(*) FILTER (WHERE taken) AS taken, bool_and(taken = same) AS only_its_own
  FROM (SELECT s.operation || s.field || s.direction = t.operation || t.field || t.direction AS same,
			test.sqlstate(format('SELECT pg_temp.page(%L, ''cursor'', %L, %L, 3, %L)', t.operation, t.field, t.direction, pg_temp.page(s.operation, 'cursor', s.field, s.direction, 3, '') ->> 'next_cursor')) = 'no error' AS taken FROM sort s, sort t) a;
-- Nothing runs together: two texts are not one that was cut elsewhere.
INSERT INTO apitoken.realm (id) VALUES ('cursor1'), ('cursor1:p');
SELECT count(i.id) FROM unnest('{cursor1,cursor1:p}'::text[]) realm, unnest('{p,:p,1:p}'::text[]) environment, generate_series(1, 2) n, apitoken.issue(realm, n::text, environment_id => environment) i;
SELECT count(*) AS attempts, bool_and(((test.sqlstate(format('SELECT apitoken.list(%L, environment_id => %L, page_size => 1, cursor => %L)', b.realm, b.environment, apitoken.list(a.realm, environment_id => a.environment, page_size => 1, cursor => '') ->> 'next_cursor')) = 'no error') = (a = b))) AS only_its_own
  FROM (SELECT realm, environment FROM unnest('{cursor1,cursor1:p}'::text[]) realm, unnest('{p,:p,1:p}'::text[]) environment) a, (SELECT realm, environment FROM unnest('{cursor1,cursor1:p}'::text[]) realm, unnest('{p,:p,1:p}'::text[]) environment) b;

-- What is no cursor: cut off, with a character changed, added or left out, of
-- another alphabet, too long.
CREATE FUNCTION pg_temp.refused(cursor text) RETURNS boolean LANGUAGE sql AS $$ SELECT test.error(format('SELECT apitoken.list(''cursor'', ''name'', cursor => %L)', cursor)) ~ '^22023 / cursor is malformed' $$;
SELECT test.error('SELECT apitoken.list(''cursor'', cursor => ''x'')');
SELECT pg_temp.refused(:'list_cursor') AS the_cursor, bool_and(pg_temp.refused(left(:'list_cursor', n))) AS beginnings, bool_and(pg_temp.refused(right(:'list_cursor', n))) AS ends, bool_and(pg_temp.refused(overlay(:'list_cursor' PLACING '' FROM n FOR 1))) AS one_left_out,
	   bool_and(pg_temp.refused(overlay(:'list_cursor' PLACING 'A' FROM n FOR 0))) AS one_added, bool_and(pg_temp.refused(overlay(:'list_cursor' PLACING chr(ascii(substr(:'list_cursor', n, 1)) # 1) FROM n FOR 1))) AS one_changed,
	   bool_and(pg_temp.refused(overlay(:'list_cursor' PLACING CASE substr(:'list_cursor', n, 1) WHEN 'A' THEN 'g' ELSE 'A' END FROM n FOR 1))) AS one_changed_more FROM generate_series(1, length(:'list_cursor') - 1) n;
SELECT what, bool_and(pg_temp.refused(cursor)) AS refused FROM (VALUES (1, 'one letter', 'A'), (2, 'space before', ' ' || :'list_cursor'), (3, 'space behind', :'list_cursor' || ' '), (4, 'newline behind', :'list_cursor' || E'\n'), (5, 'padding', :'list_cursor' || '='), (6, 'twice', :'list_cursor' || :'list_cursor'),
	(7, 'the other alphabet', '+/+/' || :'list_cursor'), (8, 'letters', lower(:'list_cursor')), (9, 'not ASCII', 'ü' || :'list_cursor'), (10, '4 bytes', '😀'), (11, 'null written out', 'null'), (12, 'quotes', ''';--'), (13, 'percent', '%'), (14, 'a space', ' '),
	(15, 'zeros', repeat('A', 100)), (16, '8192', repeat('A', 8192)), (17, '8193', repeat('A', 8193)), (18, 'a megabyte', repeat('A', 1000000)), (19, 'a uuid', gen_random_uuid()::text), (20, 'a token', (SELECT token FROM apitoken.issue('cursor/empty', 'n')))) v(n, what, cursor) GROUP BY n, what ORDER BY n;
-- It tells no secret and no digest, and is the same for the same place.
SELECT apitoken.list('cursor', 'name', page_size => 3, cursor => '') ->> 'next_cursor' = :'list_cursor' AS same, apitoken.list('cursor', 'name', page_size => 2, cursor => '') ->> 'next_cursor' = :'list_cursor' AS other_place;

-- Walks while tokens are issued, deleted, moved and otherwise changed after
-- each page.  Those of 'cursor' stand all the time.  20 tokens are doomed, 20
-- are moved about; 30 are issued on the way; the last token shown is deleted
-- if it is a doomed one.  Undone at the end.
CREATE FUNCTION pg_temp.add(what text, n int) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE at interval := (('x' || md5(what || n))::bit(8)::int % 11 - 1) * interval '1 microsecond'; new_id uuid;
BEGIN
	new_id := apitoken.import('cursor', (ARRAY['a', 'b', 'ba', 'x', 'zz'])[n % 5 + 1], sha256 => sha256((what || n)::bytea), created_at => '2020-01-01Z'::timestamptz + at, expires_at => CASE WHEN n % 4 > 0 THEN '2999-01-01Z'::timestamptz + at END,
		access_token_ttl => (ARRAY['1 mon', '2 hours', NULL])[n % 3 + 1]::interval);
	UPDATE apitoken._token SET status = (ARRAY['a', 'r', 's'])[n % 3 + 1]::"char" WHERE id = new_id;
	UPDATE apitoken._usage SET last_used_at = '2021-01-01Z'::timestamptz + at, use_count = 1 WHERE token_id = new_id AND n % 3 > 0;
	RETURN new_id;
END $$;
CREATE FUNCTION pg_temp.move(moved uuid, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE at interval := (n * 7 % 13 - 1) * interval '1 microsecond';
BEGIN
	UPDATE apitoken._token SET name = md5(n::text), created_at = '2020-01-01Z'::timestamptz + at, expires_at = CASE WHEN expires_at IS NULL THEN '2999-01-01Z'::timestamptz + at END, access_token_ttl = CASE WHEN access_token_ttl IS NULL THEN interval '1 day' END, status = translate(status::text, 'asr', 'sra')::"char" WHERE id = moved;
	UPDATE apitoken._usage SET last_used_at = CASE WHEN last_used_at IS NULL THEN '2021-01-01Z'::timestamptz + at END WHERE token_id = moved;
END $$;
CREATE FUNCTION pg_temp.remove(removed uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM apitoken._usage WHERE token_id = removed;
	DELETE FROM apitoken._token WHERE id = removed;
END $$;
CREATE FUNCTION pg_temp.busy_walk(operation text, field text, direction text, size int, OUT standing_once boolean, OUT in_order boolean, OUT others_twice boolean, OUT shown_when_gone int, OUT others_shown boolean) LANGUAGE plpgsql AS $$
DECLARE place text := ''; answer jsonb; found uuid[]; shown uuid[] := '{}'; step int := 0; standing uuid[]; doomed uuid[]; movers uuid[]; removed uuid;
BEGIN
	standing := pg_temp.ids(pg_temp.page(operation, 'cursor', field, direction, 1000, NULL));
	shown_when_gone := 0;
	BEGIN
		doomed := ARRAY(SELECT pg_temp.add('doomed', n) FROM generate_series(1, 20) n);
		movers := ARRAY(SELECT pg_temp.add('mover', n) FROM generate_series(1, 20) n);
		WHILE place IS NOT NULL AND step < 200 LOOP
			step := step + 1;
			answer := pg_temp.page(operation, 'cursor', field, direction, (ARRAY[size, greatest(size - 1, 1), size + 2])[step % 3 + 1], place);
			found := pg_temp.ids(answer);
			place := answer ->> 'next_cursor';
			shown_when_gone := shown_when_gone + (SELECT count(*) FROM unnest(found) f WHERE NOT EXISTS (SELECT FROM apitoken._token WHERE id = f));
			shown := shown || found;
			FOREACH removed IN ARRAY ARRAY[found[array_upper(found, 1)], doomed[1]] LOOP
				IF removed = ANY (doomed) THEN
					PERFORM pg_temp.remove(removed);
					doomed := array_remove(doomed, removed);
				END IF;
			END LOOP;
			IF step <= 30 THEN PERFORM pg_temp.add('new', step); END IF;
			PERFORM pg_temp.move(movers[step * 7 % 20 + 1], step);
			UPDATE apitoken._token SET version = version + 1, metadata = jsonb_build_object('step', step) WHERE id = ANY (found[:2]) AND id = ANY (standing);
			UPDATE apitoken._usage SET use_count = use_count + 1, last_used_ip = '10.0.0.1' WHERE token_id = ANY (found[:2]);
		END LOOP;
		standing_once := (SELECT bool_and((SELECT count(*) FROM unnest(shown) i WHERE i = s) = 1) FROM unnest(standing) s);
		in_order := ARRAY(SELECT i FROM unnest(shown) WITH ORDINALITY a(i, n) WHERE i = ANY (standing) ORDER BY n) = standing;
		others_twice := EXISTS (SELECT FROM unnest(shown) i WHERE i <> ALL (movers) GROUP BY i HAVING count(*) > 1);
		others_shown := cardinality(shown) > cardinality(standing);
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	END;
END $$;
SELECT operation, field, direction, count(*) AS walks, bool_and(standing_once) AS standing_once, bool_and(in_order) AS in_order, bool_or(others_twice) AS others_twice, sum(shown_when_gone) AS shown_when_gone, bool_and(others_shown) AS others_shown
  FROM sort, unnest('{2,9}'::int[]) size, pg_temp.busy_walk(operation, field, direction, size) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- The place stays where it was though its token is gone, or all before it are.
BEGIN;
SELECT pg_temp.ids(apitoken.list('cursor', 'timestamp', page_size => 25, cursor => '')) AS before, apitoken.list('cursor', 'timestamp', page_size => 25, cursor => '') ->> 'next_cursor' AS cursor \gset
SELECT pg_temp.ids(apitoken.list('cursor', 'timestamp', page_size => 25, cursor => :'cursor')) AS after \gset
SELECT count(pg_temp.remove(b::uuid)) FROM unnest(:'before'::text[]) b;
SELECT pg_temp.ids(apitoken.list('cursor', 'timestamp', page_size => 25, cursor => :'cursor')) = :'after'::text[] AS goes_on;
SELECT count(pg_temp.remove(a::uuid)) FROM unnest(:'after'::text[]) a;
SELECT apitoken.list('cursor', 'timestamp', page_size => 25, cursor => :'cursor') -> 'summaries' AS nothing_left, apitoken.list('cursor', 'timestamp', page_size => 25, cursor => :'cursor') -> 'next_cursor' AS next_cursor;
ROLLBACK;
-- It holds in another session, too.
SELECT pg_temp.ids(apitoken.list('cursor', 'name', page_size => 3, cursor => :'list_cursor')) AS page \gset
\c -
SELECT ARRAY(SELECT r ->> 'id' FROM jsonb_array_elements(apitoken.list('cursor', 'name', page_size => 3, cursor => :'list_cursor') -> 'summaries') r) = :'page'::text[] AS same;
SELECT count(test.drop_realm(id)) FROM apitoken.realm WHERE id LIKE 'cursor%';
