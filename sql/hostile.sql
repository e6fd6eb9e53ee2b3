-- Hostile values: names, terms, ids of realms and environments that would be
-- SQL, patterns or escapes elsewhere are text here.  Hostile callers: a role
-- that may do nothing but list and query, with look-alikes of everything first
-- in its search_path.
\pset format unaligned
SET jit = off;
SET client_min_messages = 'warning';
CREATE TEMP TABLE hostile (n int GENERATED ALWAYS AS IDENTITY, value text);
INSERT INTO hostile (value) VALUES
	(''''), (''''''), ('"'), ('\'), ('\\'), ('\'''), ('%'), ('%%'), ('_'), ('\%'), ('\_'), ('$1'), ('$1$2'), ('$$'), ('$x$'), (':1'), ('?'), ('%s'), ('%n'), ('%1$s'), ('{}'), ('{"a": 1}'), ('[]'), ('null'), ('NULL'), ('true'), ('0'),
	(';'), ('; DROP TABLE apitoken._token; --'), (''' OR ''1''=''1'), (''' OR true --'), ('") OR ("1"="1'), ('/*'), ('*/'), ('--'), ('realm'), ('t.realm'), ('apitoken._token'), ('current_user'),
	('\x00'), ('\0'), ('\000'), ('\u0000'), ('%00'), (E'\x01'), (E'\x7f'), (E'\t'), (E'\r\n'), (E'a\nb'), (' a '), (E'\u00a0'), (E'\u200b'), (E'\u202e'), (E'e\u0301'), (E'\u00e9'), ('İ'), ('ß'), ('ẞ'), ('ﬁ'), ('Σς'), ('😀'), ('👩‍👩‍👧'), ('𝔘𝔫'), (E'\U0010FFFF'), (E'\uFEFF'), (E'\uFFFF'),
	('..'), ('a/../b'), ('<script>alert(1)</script>'), ('&amp;'), ('?page=0&x=y'), ('#'), (repeat('x', 255)), (repeat('😀', 255)), (repeat('%', 255)), (repeat('\', 255)), (repeat('''', 255)), (repeat('_', 254) || 'x'), ('*'), ('.*'), ('^'), ('$'), ('(a+)+$');
DELETE FROM hostile WHERE value !~ '[^[:space:]]';
SELECT count(*) AS values FROM hostile;
-- Each is the id of a realm, which has two tokens: with each value as their
-- name, client, principal, environment, description, scopes' text and role.
INSERT INTO apitoken.realm (id, name) SELECT 'hostile ' || value, value FROM hostile WHERE char_length(value) < 248;
INSERT INTO apitoken.realm (id) VALUES ('hostile');
CREATE TEMP TABLE named AS SELECT n, value, i.id FROM hostile, apitoken.issue('hostile', value, kind => 'client', principal => value, principal_id => value, client_id => value, environment_id => value, description => value, idp_id => value, idp_domain => value,
	allowed_scopes => jsonb_build_object('generalScopes', ARRAY[value], 'organizationScopes', jsonb_build_object('roles', jsonb_build_array(jsonb_build_object('name', value)))), metadata => jsonb_build_object(value, value)) i;
CREATE TEMP TABLE in_realm AS SELECT n, value, i.id, i.token FROM hostile, apitoken.issue('hostile ' || value, value) i WHERE char_length(value) < 248;
-- They come back as they were, from all five operations.
SELECT count(*) AS realms, count(*) FILTER (WHERE apitoken.list('hostile ' || value) #>> '{summaries,0,id}' = id::text AND apitoken.list('hostile ' || value) #> '{pagination,item_count}' = '1' AND apitoken.list('hostile ' || value) #>> '{summaries,0,account_id}' = 'hostile ' || value) AS list,
	   count(*) FILTER (WHERE apitoken.query('hostile ' || value) #>> '{apiTokens,0,id}' = id::text AND apitoken.query('hostile ' || value) #> '{pageInfo,totalCount}' = '1' AND apitoken.query('hostile ' || value) #>> '{apiTokens,0,tokenName}' = value) AS query,
	   count(*) FILTER (WHERE apitoken.details(token) ->> 'orgId' = 'hostile ' || value AND apitoken.details(token) ->> 'tokenName' = value) AS details, count(*) FILTER (WHERE apitoken.lookup(token) ->> 'name' = value) AS lookup, count(*) FILTER (WHERE apitoken.read(id) ->> 'name' = value) AS read FROM in_realm;
SELECT count(*) AS tokens, count(*) FILTER (WHERE e ->> 'tokenName' = value AND e ->> 'apiClientId' = value AND e ->> 'principalName' = value AND e ->> 'tokenDescription' = value) AS whole FROM jsonb_array_elements(apitoken.query('hostile', page_size => 1000) -> 'apiTokens') a(e) JOIN named ON id::text = e ->> 'id';
SELECT count(*) AS tokens, count(*) FILTER (WHERE s ->> 'environment_id' = value) AS whole FROM jsonb_array_elements(apitoken.list('hostile', page_size => 1000) -> 'summaries') a(s) JOIN named ON id::text = s ->> 'id';
-- As an environment each finds its own token and no other, under every sort.
SELECT field, count(*) AS environments, count(*) FILTER (WHERE l #>> '{summaries,0,id}' = id::text AND l #> '{pagination,item_count}' = '1') AS found FROM named, unnest('{id,name,title,status,last_seen,timestamp}'::text[]) field, apitoken.list('hostile', field, environment_id => value) l GROUP BY field ORDER BY field;
-- As a term each finds exactly what contains it (or is it), in every field.
CREATE FUNCTION pg_temp.found(field text, operator text, terms text[]) RETURNS text[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT e ->> 'id' FROM jsonb_array_elements(apitoken.query('hostile', page_size => 1000, body => jsonb_build_object('searchTerms', jsonb_build_object('allOf', jsonb_build_array(jsonb_build_object('field', field, 'operator', operator, 'terms', terms))))) -> 'apiTokens') e ORDER BY 1) $$;
SELECT field, count(*) AS terms, count(*) FILTER (WHERE pg_temp.found(field, 'LIKE', ARRAY[h.value]) = ARRAY(SELECT id::text FROM named WHERE position(lower(h.value) IN lower(named.value)) > 0 ORDER BY 1)) AS found_by_like, count(*) FILTER (WHERE pg_temp.found(field, 'EQUALS', ARRAY[h.value]) = ARRAY(SELECT id::text FROM named WHERE named.value = h.value)) AS found_by_equals
  FROM hostile h, unnest('{TOKEN_NAME,CLIENT_ID,PRINCIPAL_NAME,ROLES}'::text[]) field GROUP BY field ORDER BY field;
-- All of them as the terms of one condition; a thousand more; in each of a
-- hundred conditions.
SELECT cardinality(pg_temp.found('TOKEN_NAME', 'EQUALS', array_agg(value))) = count(*) AS equals, cardinality(pg_temp.found('CLIENT_ID', 'LIKE', array_agg(value))) = count(*) AS like, cardinality(pg_temp.found('ROLES', 'EQUALS', array_agg(value))) = count(*) AS roles FROM hostile;
SELECT cardinality(pg_temp.found('TOKEN_NAME', 'EQUALS', array_agg(md5(n::text)) || ARRAY['%'])) AS equals, cardinality(pg_temp.found('TOKEN_NAME', 'LIKE', array_agg(md5(n::text)) || ARRAY['$1$'])) AS like, cardinality(pg_temp.found('ROLES', 'LIKE', array_agg(md5(n::text)) || ARRAY['$1$'])) AS roles FROM generate_series(1, 1000) n;
SELECT apitoken.query('hostile', body => jsonb_build_object('searchTerms', jsonb_build_object('anyOf', jsonb_agg(condition), 'allOf', jsonb_agg(condition)))) #> '{pageInfo,totalCount}' AS found
  FROM generate_series(1, 100) n, LATERAL (SELECT jsonb_build_object('field', 'TOKEN_NAME', 'operator', 'LIKE', 'terms', ARRAY['''', '%', md5(n::text)]) AS condition) c;
-- 8 kB terms, of one character, of patterns, of 4-byte characters.
SELECT left(part, 2) AS of, octet_length(term) AS bytes, cardinality(pg_temp.found('TOKEN_NAME', 'LIKE', ARRAY[term])) AS like, cardinality(pg_temp.found('TOKEN_NAME', 'EQUALS', ARRAY[term])) AS equals, cardinality(pg_temp.found('ROLES', 'LIKE', ARRAY[term, 'x'])) AS roles
  FROM unnest('{x,%,_,\\,'',😀,%_,ab%}'::text[]) part, LATERAL (SELECT repeat(part, 8192 / octet_length(part)) AS term) t;
SELECT jsonb_array_length(apitoken.query('hostile', body => jsonb_build_object('searchTerms', jsonb_build_object('anyOf', jsonb_build_array(jsonb_build_object('field', 'CLIENT_ID', 'operator', 'EQUALS', 'terms', ARRAY[repeat('x', 1000000)])))))
	-> 'apiTokens') AS a_megabyte, jsonb_array_length(apitoken.list(repeat('x', 1000000)) -> 'summaries') AS realm, jsonb_array_length(apitoken.list('hostile', environment_id => repeat('x', 1000000)) -> 'summaries') AS environment;
-- A real NUL gets into neither text nor jsonb: the server refuses it.
SELECT test.sqlstate($$SELECT apitoken.query('hostile', body => '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["\u0000"]}]}}')$$) AS in_json, test.sqlstate($$SELECT apitoken.list(E'\000')$$) AS in_text, test.sqlstate($$SELECT apitoken.list(E'\xff')$$) AS no_utf8, test.sqlstate($$SELECT apitoken.query('hostile', body => '{"a": "\ud800"}')$$) AS half_a_pair;
-- Walks through them, by name and by realm.
SELECT direction, count(*) AS pages, sum(jsonb_array_length(p -> 'summaries')) AS tokens, count(DISTINCT p ->> 'next_cursor') AS cursors FROM unnest('{asc,desc}'::text[]) direction, LATERAL (
	WITH RECURSIVE page AS (
		SELECT apitoken.list('hostile', 'name', direction, page_size => 7, cursor => '') AS p
		UNION ALL
		SELECT apitoken.list('hostile', 'name', direction, page_size => 7, cursor => p ->> 'next_cursor') FROM page WHERE p ->> 'next_cursor' IS NOT NULL) TABLE page LIMIT 100) w GROUP BY direction ORDER BY direction;
-- Deep JSON: more levels than a stack has are the server's own error, fewer are
-- ours.
SELECT levels, left(test.error(format('SELECT apitoken.query(''hostile'', body => %L)', repeat('{"searchTerms":', levels) || '1' || repeat('}', levels))), 70) AS objects, left(test.error(format('SELECT apitoken.query(''hostile'', body => %L)', '{"searchTerms":' || repeat('[', levels) || repeat(']', levels) || '}')), 70) AS arrays
  FROM unnest('{2,100,3000}'::int[]) levels;
-- As sorts, directions and cursors they are refused.
SELECT count(*) AS attempts, count(*) FILTER (WHERE test.sqlstate(format(call, value)) = '22023') AS refused
  FROM hostile, unnest(ARRAY['SELECT apitoken.list(''hostile'', %L)', 'SELECT apitoken.list(''hostile'', ''id'', %L)', 'SELECT apitoken.list(''hostile'', cursor => %L)', 'SELECT apitoken.query(''hostile'', sort_by => %L)', 'SELECT apitoken.query(''hostile'', sort_order => %L)', 'SELECT apitoken.query(''hostile'', cursor => %L)']) call;
-- In a body they are unknown keys and values; what the message repeats of them
-- is cut off.
SELECT count(*) AS attempts, count(*) FILTER (WHERE starts_with(message, '22023 / body')) AS refused, max(char_length(message)) < 350 AS short
  FROM hostile, unnest(ARRAY[jsonb_build_object(value, 1), jsonb_build_object('filters', jsonb_build_object('tokenType', ARRAY[value])), jsonb_build_object('searchTerms', jsonb_build_object('allOf', jsonb_build_array(jsonb_build_object('field', value, 'operator', 'LIKE', 'terms', '{x}'::text[]))))]) body, LATERAL (SELECT test.error(format('SELECT apitoken.query(''hostile'', body => %L)', body)) AS message) m;
-- Nothing of all that was carried out.
SELECT count(*) = (SELECT count(*) FROM named) + (SELECT count(*) FROM in_realm) AS tokens_left FROM apitoken._token WHERE realm LIKE 'hostile%';

-- A role that may list and query, and no more.
CREATE ROLE regress_apitoken_reader;
GRANT USAGE ON SCHEMA apitoken TO regress_apitoken_reader;
GRANT EXECUTE ON FUNCTION apitoken.list, apitoken.query, apitoken.tokens_granting, apitoken.tokens_at TO regress_apitoken_reader;
GRANT USAGE ON SCHEMA test TO regress_apitoken_reader;
-- What each should see, from a session with nothing odd about it.
CREATE TABLE test.call AS SELECT row_number() OVER () AS n, call FROM (
	SELECT format('apitoken.list(''hostile'', %L, %L, %s, %s, %L, %L)', field, direction, place, 7, environment, cursor) FROM unnest('{id,name,title,status,last_seen,timestamp}'::text[]) field, unnest('{asc,desc}'::text[]) direction, (VALUES (0, NULL, NULL), (5, NULL, NULL), (0, '%', NULL), (1, '$1', NULL), (0, NULL, ''), (0, '\', '')) v(place, environment, cursor)
	UNION ALL
	SELECT format('apitoken.query(''hostile'', %s, 7, %L, %L, %L, %L)', place, field, direction, body, cursor) FROM unnest('{creationDate,expirationDate,lastUsedDate,accessTokenTtl,tokenName}'::text[]) field, unnest('{asc,desc}'::text[]) direction, (VALUES (0, NULL), (1, NULL), (0, '')) v(place, cursor), unnest(ARRAY[NULL,
		'{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["x", "drop"]}, {"field": "CLIENT_ID", "operator": "NOT_EMPTY"}], "anyOf": [{"field": "ROLES", "operator": "LIKE", "terms": ["a"]}, {"field": "PRINCIPAL_NAME", "operator": "EQUALS", "terms": ["%"]}, {"field": "ROLE_NAME", "operator": "EMPTY"}]}}',
		'{"filters": {"tokenType": ["API_CLIENT", "USER", "UNKNOWN"], "tokenStatus": ["ACTIVE", "EXPIRED", "UNKNOWN"]}}']) body
	UNION ALL
	SELECT format('(SELECT pg_catalog.jsonb_build_object(''summaries'', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(''id'', pg_catalog.count(*)))) FROM %s)', report)
	FROM unnest('{apitoken.tokens_granting(''a''\, ''hostile''),apitoken.tokens_granting(''a b''),apitoken.tokens_at(''infinity''),apitoken.tokens_at(''infinity''\, ''hostile'')}'::text[]) report) c(call);
CREATE TABLE test.expected (n int, answer jsonb);
DO $$ DECLARE c record; BEGIN FOR c IN SELECT * FROM test.call LOOP EXECUTE 'INSERT INTO test.expected SELECT $1, ' || c.call USING c.n; END LOOP; END $$;
SELECT count(*) AS calls, count(*) FILTER (WHERE answer #>> '{summaries,0,id}' IS NOT NULL OR answer #>> '{apiTokens,0,id}' IS NOT NULL) AS with_rows FROM test.expected;
GRANT SELECT ON test.call, test.expected TO regress_apitoken_reader;
-- The look-alikes: operators, functions, an aggregate, types, tables, each of
-- which tells on whoever runs it.
CREATE SCHEMA evil AUTHORIZATION regress_apitoken_reader;
SET ROLE regress_apitoken_reader;
CREATE TABLE evil.ran (what text, as_user name);
CREATE FUNCTION evil.tell(what text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.ran VALUES (what, current_user); RETURN NULL; END $$;
DO $$
DECLARE t text; o text; n int := 0;
BEGIN
	FOREACH t IN ARRAY '{text,uuid,timestamptz,interval,"\"char\"",jsonb,int8,int4,bool,name}'::text[] LOOP
		FOREACH o IN ARRAY '{=,<>,<,>,<=,>=,~~,~~*,!~~,@>,||,+,-}'::text[] LOOP
			n := n + 1;
			EXECUTE format('CREATE FUNCTION evil.o%s(a %s, b %s) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.tell(%L); RETURN true; END $f$', n, t, t, t || o);
			EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.o%s, LEFTARG = %s, RIGHTARG = %s)', o, n, t, t);
		END LOOP;
	END LOOP;
	CREATE FUNCTION evil.json_text(a jsonb, b text[]) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.tell('#>>'); RETURN 'a'; END $f$;
	CREATE OPERATOR evil.#>> (FUNCTION = evil.json_text, LEFTARG = jsonb, RIGHTARG = text[]);
	CREATE OPERATOR evil.?| (FUNCTION = evil.json_text, LEFTARG = jsonb, RIGHTARG = text[]);
	CREATE FUNCTION evil.json_member(a jsonb, b text) RETURNS jsonb LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.tell('->'); RETURN a; END $f$;
	CREATE OPERATOR evil.-> (FUNCTION = evil.json_member, LEFTARG = jsonb, RIGHTARG = text);
	CREATE OPERATOR evil.->> (FUNCTION = evil.json_member, LEFTARG = jsonb, RIGHTARG = text);
	CREATE OPERATOR evil.? (FUNCTION = evil.json_member, LEFTARG = jsonb, RIGHTARG = text);
	FOREACH t IN ARRAY '{lower(text),upper(text),now(),clock_timestamp(),statement_timestamp(),like_escape(text\,text),position(text\,text),texteq(text\,text),texticlike(text\,text),uuid_gt(uuid\,uuid),row_number(int),jsonb_path_query(jsonb\,jsonpath),_public_id(text\,uuid),_required_scopes(text),_required_time(timestamptz),unnest(text[]),string_to_array(text\,text),jsonb_array_elements_text(jsonb),quote_ident(text),set_config(text\,text\,bool),list(text),query(text)}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION evil.%s RETURNS text LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.tell(%L); RETURN NULL; END $f$', t, t);
	END LOOP;
END $$;
CREATE FUNCTION evil.count_step(state int8) RETURNS int8 LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.tell('count(*)'); RETURN -1; END $$;
CREATE AGGREGATE evil.count(*) (SFUNC = evil.count_step, STYPE = int8, INITCOND = '0');
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.tell('domain text') IS NULL);
CREATE DOMAIN evil.jsonpath AS pg_catalog.text CHECK (evil.tell('domain jsonpath') IS NULL);
CREATE DOMAIN evil."char" AS pg_catalog.text CHECK (evil.tell('domain char') IS NULL);
CREATE TABLE evil._token (id uuid, realm pg_catalog.text, name pg_catalog.text);
CREATE TABLE evil._usage (token_id uuid, realm pg_catalog.text);
CREATE TABLE evil.realm (id pg_catalog.text);
CREATE VIEW evil.pg_class AS SELECT evil.tell('pg_class') FROM pg_catalog.pg_class;
CREATE TEMP TABLE _token (id uuid, realm pg_catalog.text, name pg_catalog.text);
CREATE TEMP TABLE _usage (token_id uuid, realm pg_catalog.text);
CREATE TEMP TABLE realm (id pg_catalog.text);
CREATE TEMP VIEW pg_class AS SELECT evil.tell('pg_temp.pg_class') FROM pg_catalog.pg_class;
SELECT (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace) AS operators, (SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace) AS functions;
RESET ROLE;
-- They do run, and tell, where they are asked for.
SET ROLE regress_apitoken_reader;
SET search_path = evil, pg_temp, pg_catalog, apitoken;
SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text AS equal, 'a'::pg_catalog.text ~~* 'b'::pg_catalog.text AS "like", count(*) AS count FROM pg_catalog.generate_series(1, 3);
SELECT what, as_user, pg_catalog.count(*) FROM evil.ran GROUP BY what, as_user ORDER BY what COLLATE pg_catalog."C";
TRUNCATE evil.ran;
-- All calls, first with plans that this session has kept, then in a new one: the
-- answers are right, and none of the look-alikes ran, as whoever.
DO $$
DECLARE c record; answer pg_catalog.jsonb;
BEGIN
	FOR c IN SELECT call.n, call.call, expected.answer FROM test.call JOIN test.expected ON expected.n OPERATOR(pg_catalog.=) call.n::pg_catalog.int4 LOOP
		EXECUTE 'SELECT ' OPERATOR(pg_catalog.||) c.call INTO answer;
		IF answer OPERATOR(pg_catalog.<>) c.answer THEN
			RAISE WARNING '%: %', c.call, answer;
		END IF;
	END LOOP;
END $$;
SELECT what, as_user, pg_catalog.count(*) FROM evil.ran GROUP BY what, as_user;
\c -
SET ROLE regress_apitoken_reader;
SET search_path = evil, pg_temp, pg_catalog, apitoken;
DO $$
DECLARE c record; answer pg_catalog.jsonb;
BEGIN
	FOR c IN SELECT call.n, call.call, expected.answer FROM test.call JOIN test.expected ON expected.n OPERATOR(pg_catalog.=) call.n::pg_catalog.int4 LOOP
		EXECUTE 'SELECT ' OPERATOR(pg_catalog.||) c.call INTO answer;
		IF answer OPERATOR(pg_catalog.<>) c.answer THEN
			RAISE WARNING '%: %', c.call, answer;
		END IF;
	END LOOP;
END $$;
SELECT what, as_user, pg_catalog.count(*) FROM evil.ran GROUP BY what, as_user;
-- The role itself reaches no table and no other function.
RESET search_path;
SELECT what, test.error('SELECT * FROM ' || what) FROM unnest(ARRAY['apitoken._token', 'apitoken._usage', 'apitoken.realm', 'apitoken.tokens', 'apitoken.details(''x'')', 'apitoken.lookup(''x'')', 'apitoken.read(NULL)', 'apitoken.stats()', 'apitoken.enable_search()', 'apitoken.issue(''hostile'', ''n'')', 'apitoken.verify(''x'')']) what;
-- It is itself again after an error inside, which happens as the tables' owner.
DO $$
BEGIN
	PERFORM apitoken.list('hostile', cursor => 'x');
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE WARNING 'as %', current_user;
END $$;
SELECT current_user;
RESET ROLE;
DROP OWNED BY regress_apitoken_reader CASCADE;
DROP ROLE regress_apitoken_reader;
DROP TABLE test.call, test.expected;
SELECT count(test.drop_realm(id)) > 60 AS dropped FROM apitoken.realm WHERE id LIKE 'hostile%';
