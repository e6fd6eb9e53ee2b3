-- list(): every sort, pages by offset, the pagination object, the account, the
-- environment, and what is refused.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
INSERT INTO apitoken.realm (id) VALUES ('list'), ('list/other'), ('list/empty'), ('list/200');
-- 60 tokens with known ids, many of which have the same name, moment of
-- creation, state and last use; a third was never used.  Between them, those
-- of another realm with the same properties.
CREATE TEMP TABLE made AS
	SELECT n, apitoken.import(realm, name, sha256 => sha256((realm || n)::bytea), public_id => prefix || '.' || lpad(translate((n * 37 % 61)::text, '0123456789', 'ABCDEFGHIJ'), 23, 'A') || last,
		created_at => '2020-01-01Z'::timestamptz + n % 9 * interval '1 microsecond', environment_id => (ARRAY['prod', 'test', NULL])[n % 3 + 1]) AS id
	  FROM generate_series(1, 60) n, (VALUES ('list', 'a', 'A'), ('list/other', 'b', 'B')) v(realm, prefix, last), LATERAL (SELECT (ARRAY['b', 'B', 'a', 'a b', 'ä', '10', '9', ' z', '😀', 'a'])[n % 10 + 1]) w(name);
UPDATE apitoken._token t SET status = (ARRAY['a', 's', 'r'])[m.n % 3 + 1]::"char" FROM made m WHERE m.id = t.id;
UPDATE apitoken._usage u SET last_used_at = CASE WHEN n % 3 > 0 THEN '2021-01-01Z'::timestamptz + n % 4 * interval '1 microsecond' END, use_count = n % 3 FROM made m WHERE m.id = u.token_id;
-- The order by hand.
CREATE TEMP TABLE by_hand (field text, direction text, ids text[]);
INSERT INTO by_hand
	SELECT 'id', 'asc', array_agg(id::text ORDER BY id) FROM apitoken._token WHERE realm = 'list' UNION ALL
	SELECT 'id', 'desc', array_agg(id::text ORDER BY id DESC) FROM apitoken._token WHERE realm = 'list' UNION ALL
	SELECT 'name', 'asc', array_agg(id::text ORDER BY convert_to(name, 'UTF8'), id) FROM apitoken._token WHERE realm = 'list' UNION ALL
	SELECT 'name', 'desc', array_agg(id::text ORDER BY convert_to(name, 'UTF8') DESC, id DESC) FROM apitoken._token WHERE realm = 'list' UNION ALL
	SELECT 'status', 'asc', array_agg(id::text ORDER BY array_position('{a,r,s}', status), id) FROM apitoken._token WHERE realm = 'list' UNION ALL
	SELECT 'status', 'desc', array_agg(id::text ORDER BY array_position('{s,r,a}', status), id DESC) FROM apitoken._token WHERE realm = 'list' UNION ALL
	SELECT 'last_seen', 'asc', array_agg(token_id::text ORDER BY coalesce(last_used_at, '-infinity'), token_id) FROM apitoken._usage WHERE realm = 'list' UNION ALL
	SELECT 'last_seen', 'desc', array_agg(token_id::text ORDER BY coalesce(last_used_at, '-infinity') DESC, token_id DESC) FROM apitoken._usage WHERE realm = 'list' UNION ALL
	SELECT 'timestamp', 'asc', array_agg(id::text ORDER BY created_at, id) FROM apitoken._token WHERE realm = 'list' UNION ALL
	SELECT 'timestamp', 'desc', array_agg(id::text ORDER BY created_at DESC, id DESC) FROM apitoken._token WHERE realm = 'list';
INSERT INTO by_hand SELECT 'title', direction, ids FROM by_hand WHERE field = 'name';
SELECT field, direction, array_length(ids, 1), ids = lag(ids) OVER (PARTITION BY field ORDER BY direction) AS both_ways_the_same FROM by_hand ORDER BY 1, 2;
CREATE FUNCTION pg_temp.ids(page jsonb) RETURNS text[] LANGUAGE sql AS $$ SELECT ARRAY(SELECT s ->> 'id' FROM jsonb_array_elements(page -> 'summaries') s) $$;
SELECT field, direction, pg_temp.ids(apitoken.list('list', field, direction, page_size => 1000)) = ids AS in_order, apitoken.list('list', field, direction) -> 'sorting' AS sorting FROM by_hand ORDER BY 1, 2;
-- Any page is the piece of that order that it should be, from the first row on
-- or from between two pages.
SELECT field, direction, count(*) AS pages, count(*) FILTER (WHERE pg_temp.ids(page) = ids[start + 1:start + size]) AS good
  FROM by_hand, unnest('{1,7,10,60,1000}'::int[]) size, unnest('{0,1,6,50,55,59,60,70}'::int[]) start, apitoken.list('list', field, direction, start, size) page
 GROUP BY 1, 2 ORDER BY 1, 2;
-- Never used: first ascending by last use, last descending.
SELECT direction, array_agg(DISTINCT s -> 'last_used_at') AS first_20 FROM unnest('{asc,desc}'::text[]) direction, jsonb_array_elements(apitoken.list('list', 'last_seen', direction, page_size => 20) -> 'summaries') s GROUP BY direction ORDER BY 1;

-- What a summary tells, for each state, with and without environment, use and
-- expiry; moments are cut off to seconds.
UPDATE apitoken._token SET expires_at = '2999-12-31 23:59:59.999999Z', granted_ttl = '1 day', updated_at = '2022-02-02 02:02:02.999Z', created_by = 'admin-1' WHERE id = (SELECT id FROM made WHERE n = 6 ORDER BY id LIMIT 1);
UPDATE apitoken._token SET created_by = NULL, expires_at = '2020-01-02 00:00Z' WHERE id <> (SELECT id FROM made WHERE n = 6 ORDER BY id LIMIT 1) AND realm = 'list';
SELECT s FROM made, jsonb_array_elements(apitoken.list('list', page_size => 60) -> 'summaries') s WHERE n IN (5, 6, 7) AND s ->> 'id' = id::text ORDER BY n;
SELECT DISTINCT s ->> 'status' AS status, s ->> 'token_scope' AS scope, s ->> 'environment_id' AS environment, s ->> 'account_id' AS account, s ->> 'type' AS type FROM jsonb_array_elements(apitoken.list('list', page_size => 60) -> 'summaries') s ORDER BY 1, 2, 3;

-- Pagination.  The document's own numbers, with the next page where it must be.
SELECT count(apitoken.import('list/200', 'n', sha256 => sha256(('200 ' || n)::bytea))) FROM generate_series(1, 200) n;
SELECT place, apitoken.list('list/200', page_offset => place, page_size => 10) -> 'pagination' AS pagination, jsonb_array_length(apitoken.list('list/200', page_offset => place, page_size => 10) -> 'summaries') AS rows
  FROM unnest('{0,90,180,190,200,1000}'::int[]) place;
SELECT apitoken.list('list/empty') AS empty_account;
SELECT apitoken.list('list/empty', page_offset => 30, page_size => 7) -> 'pagination' AS past_nothing;
SELECT apitoken.list('no such account') = replace(apitoken.list('list/empty')::text, 'list/empty', 'no such account')::jsonb AS no_such_account_is_empty;
-- All pages of all sizes, by the rules that these numbers follow.
SELECT count(*) AS pages, count(*) FILTER (WHERE p -> 'pagination' = jsonb_build_object(
	'item_count', 60,
	'page_offset', start,
	'page_size', size,
	'page_count', ceil(60.0 / size),
	'page_index', start / size + 1,
	'item_start', CASE WHEN start < 60 THEN start + 1 ELSE 0 END,
	'item_end', CASE WHEN start < 60 THEN least(start + size, 60) ELSE 0 END,
	'next_page_offset', CASE WHEN start + size < 60 THEN start + size END,
	'previous_page_offset', CASE WHEN start > 0 THEN greatest(start - size, 0) END)) AS good
  FROM generate_series(0, 63) start, unnest('{1,3,7,10,59,60,61}'::int[]) size, apitoken.list('list', page_offset => start, page_size => size) p;
-- The way forward by next_page_offset, and back by previous_page_offset, passes
-- every token.
CREATE FUNCTION pg_temp.way(field text, forwards boolean, size int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE place bigint := CASE WHEN forwards THEN 0 ELSE 59 / size * size END; page jsonb; found text[] := '{}';
BEGIN
	WHILE place IS NOT NULL AND cardinality(found) < 100 LOOP
		page := apitoken.list('list', field, 'asc', place, size);
		found := CASE WHEN forwards THEN found || pg_temp.ids(page) ELSE pg_temp.ids(page) || found END;
		place := page -> 'pagination' ->> CASE WHEN forwards THEN 'next_page_offset' ELSE 'previous_page_offset' END;
	END LOOP;
	RETURN found;
END $$;
SELECT field, forwards, bool_and(pg_temp.way(field, forwards, size) = ids) AS all_in_order FROM by_hand, unnest('{t,f}'::boolean[]) forwards, unnest('{1,7,10,60}'::int[]) size WHERE direction = 'asc' GROUP BY 1, 2 ORDER BY 1, 2;

-- Defaults: id, ascending, from the first row, ten rows; a null is a default.
SELECT apitoken.list('list') -> 'pagination' ->> 'page_size' AS size, pg_temp.ids(apitoken.list('list')) = ids[1:10] AS rows, apitoken.list('list') -> 'sorting' AS sorting,
	   apitoken.list('list', NULL, NULL, NULL, NULL, NULL, NULL) = apitoken.list('list') AS nulls, apitoken.list('list') ? 'next_cursor' AS has_cursor,
	   apitoken.list(account_id => 'list', sort_field => 'id', sort_direction => 'asc', page_offset => 0, page_size => 10) = apitoken.list('list') AS by_name
  FROM by_hand WHERE field = 'id' AND direction = 'asc';
SELECT string_agg(key, ' ' ORDER BY key COLLATE "C") AS keys FROM jsonb_object_keys(apitoken.list('list')) key;

-- The environment is a filter, of rows and of totals, under every sort.
SELECT environment, apitoken.list('list', environment_id => environment) -> 'pagination' ->> 'item_count' AS items, count(*) AS sorts,
	   count(*) FILTER (WHERE pg_temp.ids(apitoken.list('list', field, direction, page_size => 1000, environment_id => environment)) = ARRAY(SELECT i FROM unnest(ids) WITH ORDINALITY a(i, n) JOIN apitoken._token ON id::text = i WHERE environment_id = environment ORDER BY n)) AS good,
	   count(*) FILTER (WHERE pg_temp.ids(apitoken.list('list', field, direction, 3, 5, environment)) = (ARRAY(SELECT i FROM unnest(ids) WITH ORDINALITY a(i, n) JOIN apitoken._token ON id::text = i WHERE environment_id = environment ORDER BY n))[4:8]) AS good_pages
  FROM by_hand, unnest('{prod,test,none,PROD,pro%,"",NULL}'::text[]) environment WHERE environment IS NOT NULL GROUP BY environment ORDER BY environment COLLATE "C";

-- An account is needed; there is no current token yet to take it from.
SELECT test.error('SELECT apitoken.list()'), test.error('SELECT apitoken.list(NULL)');
-- Sorts that the document lists for other things, that nobody lists, and those
-- there are in another case.
SELECT field, test.error(format('SELECT apitoken.list(''list'', %L)', field)) FROM unnest('{email,started_at,finished_at,external_identifier,"",ID,Name,"id ",-id,created_at,"id; DROP TABLE apitoken._token","name DESC --","t.digest"}'::text[]) WITH ORDINALITY f(field, n) ORDER BY n;
SELECT direction, test.error(format('SELECT apitoken.list(''list'', ''id'', %L)', direction)) FROM unnest('{"",ascending,ASC,Desc,"desc ","desc nulls first",-1}'::text[]) WITH ORDINALITY f(direction, n) ORDER BY n;
SELECT arguments, test.error(format('SELECT apitoken.list(''list'', %s)', arguments)) FROM unnest('{page_size => 0,page_size => -1,page_size => 1001,page_size => 2147483647,page_size => 1,page_size => 1000,page_offset => -1,page_offset => -9223372036854775808}'::text[]) WITH ORDINALITY f(arguments, n) ORDER BY n;
-- The greatest offsets there are.
SELECT size, test.error(format('SELECT apitoken.list(''list'', page_offset => %s + 1, page_size => %s)', place, size)), apitoken.list('list', page_offset => place, page_size => size) -> 'pagination' AS pagination
  FROM (SELECT size, 9223372036854775807 - size AS place FROM unnest('{1,1000}'::int[]) size) v;

-- A page is of one moment: what the statement sees, also in what it did before.
BEGIN;
DELETE FROM apitoken._token WHERE realm = 'list' AND name <> '9';
DELETE FROM apitoken._usage u WHERE realm = 'list' AND NOT EXISTS (SELECT FROM apitoken._token t WHERE t.id = u.token_id);
SELECT apitoken.list('list') #> '{pagination,item_count}' AS items, jsonb_array_length(apitoken.list('list', 'last_seen') -> 'summaries') AS rows;
ROLLBACK;
BEGIN READ ONLY;
SELECT jsonb_array_length(apitoken.list('list', 'name') -> 'summaries') AS rows, pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
ROLLBACK;
-- Plans that are kept survive the tables they were made for.
BEGIN;
SET client_min_messages = 'warning';
DROP EXTENSION apitoken CASCADE;
CREATE EXTENSION apitoken;
INSERT INTO apitoken.realm (id) VALUES ('list');
SELECT id FROM apitoken.issue('list', 'the only one') \gset
SELECT count(*) AS sorts, bool_and(pg_temp.ids(apitoken.list('list', field, direction)) = ARRAY[:'id']) AS good FROM by_hand;
ROLLBACK;
SELECT count(*) AS sorts, bool_and(pg_temp.ids(apitoken.list('list', field, direction)) = ids[1:10]) AS good FROM by_hand;
SELECT count(test.drop_realm(id)) FROM apitoken.realm WHERE id LIKE 'list%';
