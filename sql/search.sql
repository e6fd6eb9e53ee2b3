-- enable_search(): the index for LIKE searches.  It is contrib's pg_trgm that
-- makes it; a server without contrib has nothing to test here.
\pset format unaligned
SET jit = off;
SET client_min_messages = 'warning';
SELECT count(*) = 0 AS no_trgm FROM pg_available_extensions WHERE name = 'pg_trgm' \gset
\if :no_trgm
\quit
\endif
INSERT INTO apitoken.realm (id) VALUES ('search');
-- 2000 tokens; what a few are searched by, all others have not.
SELECT count(i.id) FROM generate_series(1, 2000) n, apitoken.issue('search', 'token ' || md5(n::text), client_id => 'client-' || md5('c' || n), principal => 'user ' || md5('p' || n % 500)) i;
SELECT count(i.id) FROM (VALUES ('Automation API Token', 'api-client-id', 'john.smith'), ('automation', 'API-CLIENT-ID', 'John.Smith'), ('100%', '50_50', 'back\slash'), ('naïve café', 'NAÏVE CAFÉ', '東京都'), ('emoji 😀😀😀', '👩‍👩‍👧', 'x😀y'), ('a b  c', '-_-', '...'), ('ab', 'a', '%'), ('Straße', 'STRASSE', 'İstanbul')) v(name, client, principal), apitoken.issue('search', name, client_id => client, principal => principal) i;
-- In place of the moment when autovacuum would come.
ANALYZE apitoken._token, apitoken._usage;

-- What is found without it, for terms of all kinds: pieces of what is there, of
-- any length, from any place, in any case, and pieces that are nowhere.
CREATE TABLE test.term AS
	SELECT row_number() OVER () AS n, field, terms FROM (
		SELECT field, ARRAY[term] FROM unnest('{TOKEN_NAME,CLIENT_ID,PRINCIPAL_NAME}'::text[]) field, unnest('{auto,AUTOMATION,"API Token","n A",api,-cl,smith,n.s,John.,100%,0%,%,_,50_,0_5,\\,k\\s,naïve,ïve,É,café,東京,京都,東京都,😀,😀😀,😀😀😀,👩,"a b","b  c","  c"," b ",-_-,...,..,.,a,ab,"",tra,ß,raße,SS,stan,İ,nothing,"no thing","token ","user 1"}'::text[]) term
		UNION ALL
		SELECT 'TOKEN_NAME', ARRAY[substr('token ' || md5(n::text), n % 30 + 1, n % 9 + 1)] FROM generate_series(1, 30) n
		UNION ALL
		SELECT 'CLIENT_ID', ARRAY[upper(substr('client-' || md5('c' || n), n % 30 + 1, n % 9 + 2))] FROM generate_series(1, 30) n
		UNION ALL
		SELECT 'PRINCIPAL_NAME', ARRAY[substr('user ' || md5('p' || n), n % 30 + 1, n % 9 + 3), 'SMITH', md5(n::text)] FROM generate_series(1, 15) n) t(field, terms);
CREATE FUNCTION pg_temp.answer(field text, terms text[], grp text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT apitoken.query('search', 0, 20, 'creationDate', 'desc', jsonb_build_object('searchTerms', jsonb_build_object(grp, jsonb_build_array(jsonb_build_object('field', field, 'operator', 'LIKE', 'terms', terms))))) $$;
CREATE TABLE test.without AS SELECT n, pg_temp.answer(field, terms, 'allOf') AS answer FROM test.term;
SELECT count(*) AS terms, count(*) FILTER (WHERE answer -> 'apiTokens' <> '[]') AS find_something, count(*) FILTER (WHERE (answer #>> '{pageInfo,totalCount}')::int BETWEEN 1 AND 10) AS find_few FROM test.without;

-- Absent, then made, then there: idempotent, and stats() tells.
SELECT search_index FROM apitoken.stats();
SELECT apitoken.enable_search() AS made;
SELECT search_index FROM apitoken.stats();
SELECT apitoken.enable_search() AS made_again;
SELECT pg_get_indexdef('apitoken._token_search_idx'::regclass) ~ 'USING gin \(name .*gin_trgm_ops, client_id .*gin_trgm_ops, principal .*gin_trgm_ops\)' AS columns, obj_description('apitoken._token_search_idx'::regclass, 'pg_class') AS comment,
	   EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = 'apitoken._token_search_idx'::regclass AND deptype = 'e') AS part_of_the_extension;
-- It is used: by terms of three letters or more, in each field, in both
-- groups, for any sort, page or walk.
CREATE FUNCTION pg_temp.used(arguments text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE before bigint := pg_stat_get_xact_numscans('apitoken._token_search_idx'::regclass);
BEGIN
	EXECUTE format('SELECT apitoken.query(''search'', %s)', arguments);
	RETURN pg_stat_get_xact_numscans('apitoken._token_search_idx'::regclass) > before;
END $$;
-- So few tokens are sooner found another way; what remains when no other index
-- serves is what is looked at here.
BEGIN;
UPDATE pg_index SET indisvalid = false WHERE indrelid = 'apitoken._token'::regclass AND indexrelid <> ALL ('{apitoken._token_pkey,apitoken._token_search_idx}'::regclass[]);
SET LOCAL enable_seqscan = off;
SELECT what, pg_temp.used(arguments) FROM (VALUES
	(1, 'name', $$body => '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["automation"]}]}}'$$),
	(2, 'client', $$body => '{"searchTerms": {"allOf": [{"field": "CLIENT_ID", "operator": "LIKE", "terms": ["api-client"]}]}}'$$),
	(3, 'principal, among others', $$body => '{"searchTerms": {"allOf": [{"field": "ROLES", "operator": "EMPTY"}, {"field": "PRINCIPAL_NAME", "operator": "LIKE", "terms": ["smith"]}]}, "filters": {"tokenType": ["USER"]}}'$$),
	(4, 'any of two', $$body => '{"searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["automation"]}, {"field": "CLIENT_ID", "operator": "LIKE", "terms": ["nothing", "api-client"]}]}}'$$),
	(5, 'sorted by last use', $$0, 10, 'lastUsedDate', 'asc', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["automation"]}]}}'$$),
	(6, 'a later page', $$3, 10, 'tokenName', 'desc', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["automation"]}]}}'$$),
	(7, 'a walk', $$0, 10, 'expirationDate', 'desc', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["automation"]}]}}', ''$$),
	(8, 'three letters', $$body => '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["tom"]}]}}'$$),
	(9, 'no search', $$body => '{"filters": {"tokenType": ["USER"]}}'$$)) AS v(n, what, arguments) ORDER BY n;
ROLLBACK;
-- The answers are the same with it.
SELECT count(*) AS terms, count(*) FILTER (WHERE pg_temp.answer(field, terms, 'allOf') = answer) AS same, count(*) FILTER (WHERE pg_temp.answer(field, terms, 'anyOf') = answer) AS same_in_the_other_group FROM test.term JOIN test.without USING (n);
-- What is issued from now on is found by it, too, and what is gone is not.
SELECT id FROM apitoken.issue('search', 'afterwards') \gset
SELECT pg_temp.answer('TOKEN_NAME', '{AFTER}', 'allOf') #> '{pageInfo,totalCount}' AS there;
DELETE FROM apitoken._usage WHERE token_id = :'id';
DELETE FROM apitoken._token WHERE id = :'id';
SELECT pg_temp.answer('TOKEN_NAME', '{AFTER}', 'allOf') #> '{pageInfo,totalCount}' AS gone;

-- One that is invalid, as a failed REINDEX CONCURRENTLY leaves it, is told of
-- and repaired.
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'apitoken._token_search_idx'::regclass;
SELECT search_index FROM apitoken.stats();
SELECT bool_and(pg_temp.answer(field, terms, 'allOf') = answer) AS same FROM test.term JOIN test.without USING (n) WHERE n % 10 = 0;
SELECT apitoken.enable_search() AS repaired;
SELECT search_index, (SELECT indisvalid FROM pg_index WHERE indexrelid = 'apitoken._token_search_idx'::regclass) AS valid FROM apitoken.stats();
SELECT bool_and(pg_temp.answer(field, terms, 'allOf') = answer) AS same FROM test.term JOIN test.without USING (n) WHERE n % 10 = 0;
-- It joins the transaction, and is refused in one that only reads.
DROP INDEX apitoken._token_search_idx;
SELECT search_index FROM apitoken.stats();
BEGIN;
SELECT apitoken.enable_search() AS made;
SELECT search_index FROM apitoken.stats();
ROLLBACK;
SELECT search_index FROM apitoken.stats();
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.enable_search()');
-- pg_trgm may be anywhere, under any name that a schema can have, and in no
-- search_path.
DROP EXTENSION pg_trgm;
CREATE SCHEMA "odd ""schema; '%";
CREATE EXTENSION pg_trgm SCHEMA "odd ""schema; '%";
SELECT apitoken.enable_search() AS made;
SELECT search_index FROM apitoken.stats();
SELECT bool_and(pg_temp.answer(field, terms, 'allOf') = answer) AS same FROM test.term JOIN test.without USING (n) WHERE n % 10 = 0;
DROP EXTENSION pg_trgm CASCADE;
SELECT search_index, to_regclass('apitoken._token_search_idx') AS index FROM apitoken.stats();
DROP SCHEMA "odd ""schema; '%";
-- Another index of that name elsewhere is no search index.
CREATE TABLE test.other (name text);
CREATE INDEX _token_search_idx ON test.other (name);
SET search_path = test;
SELECT search_index FROM apitoken.stats();
RESET search_path;
DROP TABLE test.other;

-- Only who owns the table can make it, whatever else he may; without that
-- nothing is left behind.
CREATE ROLE regress_apitoken_searcher;
GRANT USAGE ON SCHEMA apitoken, test TO regress_apitoken_searcher;
GRANT EXECUTE ON FUNCTION apitoken.enable_search, apitoken.stats TO regress_apitoken_searcher;
SET ROLE regress_apitoken_searcher;
SELECT test.sqlstate('SELECT apitoken.enable_search()') AS without_pg_trgm;
RESET ROLE;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_apitoken_searcher', current_database()); END $$;
GRANT CREATE ON SCHEMA public, apitoken TO regress_apitoken_searcher;
SET ROLE regress_apitoken_searcher;
SELECT test.error('SELECT apitoken.enable_search()') AS with_all_but_the_table, search_index FROM apitoken.stats();
RESET ROLE;
SELECT count(*) AS left_behind FROM pg_extension WHERE extname = 'pg_trgm';
SELECT apitoken.enable_search() AS made;
SET ROLE regress_apitoken_searcher;
SELECT apitoken.enable_search() AS made, search_index FROM apitoken.stats();
RESET ROLE;
REVOKE CREATE ON SCHEMA public, apitoken FROM regress_apitoken_searcher;
DROP OWNED BY regress_apitoken_searcher;
DROP ROLE regress_apitoken_searcher;
DROP EXTENSION pg_trgm CASCADE;
DROP TABLE test.term, test.without;
SELECT test.drop_realm('search');
