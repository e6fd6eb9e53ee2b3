-- query(): what its body and its other arguments may not be.  Each is 22023,
-- with the JSON path or the argument's name in the message, and what is allowed
-- in the hint.
\pset format unaligned
SET jit = off;
INSERT INTO apitoken.realm (id) VALUES ('bad_body');
SELECT id FROM apitoken.issue('bad_body', 'n') \gset
CREATE FUNCTION pg_temp.refusal(body jsonb) RETURNS text LANGUAGE sql AS $$ SELECT test.error(format('SELECT apitoken.query(''bad_body'', body => %L)', body)) $$;
-- The document's own body is taken.
CREATE TEMP TABLE sample AS SELECT '{
	"searchTerms": {
		"allOf": [{"field": "CLIENT_ID", "terms": ["client"], "operator": "LIKE"}, {"field": "TOKEN_NAME", "terms": ["Automation"], "operator": "LIKE"}],
		"anyOf": []
	},
	"filters": {"tokenType": ["API_CLIENT", "USER"], "tokenStatus": ["ACTIVE", "EXPIRED"]}
}'::jsonb AS sample;
SELECT pg_temp.refusal(sample) FROM sample;

-- By hand.
SELECT body, pg_temp.refusal(body::jsonb) FROM unnest(ARRAY[
	-- no object at all
	'null', '1', '"{}"', '[]', '[{}]', 'true',
	-- unknown keys, at each level; the case counts
	'{"search": {}}', '{"SearchTerms": {}}', '{"filter": {}}', '{"": 1}', '{"filters": {}, "page": 0}',
	'{"searchTerms": {"noneOf": []}}', '{"searchTerms": {"allof": []}}', '{"searchTerms": {"filters": {}}}',
	'{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "EMPTY", "value": "x"}]}}', '{"searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "operator": "EMPTY"}, {"field": "TOKEN_NAME", "operator": "LIKE", "term": ["x"]}]}}',
	'{"filters": {"status": ["ACTIVE"]}}', '{"filters": {"tokenstatus": ["ACTIVE"]}}', '{"filters": {"TOKENTYPE": ["USER"]}}',
	-- unknown values: fields, operators, types, states
	'{"searchTerms": {"allOf": [{"field": "NAME", "operator": "LIKE", "terms": ["x"]}]}}', '{"searchTerms": {"allOf": [{"field": "token_name", "operator": "LIKE", "terms": ["x"]}]}}', '{"searchTerms": {"anyOf": [{"field": "", "operator": "EMPTY"}]}}',
	'{"searchTerms": {"allOf": [{"field": "UNKNOWN", "operator": "LIKE", "terms": ["x"]}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "UNKNOWN", "terms": ["x"]}]}}',
	'{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "like", "terms": ["x"]}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "NOT_LIKE", "terms": ["x"]}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "", "terms": ["x"]}]}}',
	'{"filters": {"tokenType": ["CLIENT"]}}', '{"filters": {"tokenType": ["USER", "user"]}}', '{"filters": {"tokenStatus": ["REVOKED"]}}', '{"filters": {"tokenStatus": ["ACTIVE", "EXPIRED", "SUSPENDED"]}}', '{"filters": {"tokenStatus": [""]}}',
	-- filters that are there but empty
	'{"filters": {"tokenType": []}}', '{"filters": {"tokenStatus": []}}', '{"filters": {"tokenType": ["USER"], "tokenStatus": []}}',
	-- what is missing
	'{"searchTerms": {"allOf": [{}]}}', '{"searchTerms": {"allOf": [{"operator": "LIKE", "terms": ["x"]}]}}', '{"searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "terms": ["x"]}]}}', '{"searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "operator": "EMPTY"}, {"field": "TOKEN_NAME", "operator": "LIKE"}]}}',
	'{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "EQUALS"}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": []}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "EQUALS", "terms": []}]}}',
	-- terms where there are none to take
	'{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "EMPTY", "terms": ["x"]}]}}', '{"searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "operator": "NOT_EMPTY", "terms": [""]}]}}',
	-- nulls for what could be left out
	'{"searchTerms": null}', '{"filters": null}', '{"searchTerms": {"allOf": null}}', '{"filters": {"tokenType": null}}', '{"searchTerms": {"allOf": [null]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "EMPTY", "terms": null}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": [null]}]}}', '{"filters": {"tokenStatus": [null]}}',
	-- one thing for an array of them
	'{"searchTerms": {"allOf": {"field": "TOKEN_NAME", "operator": "EMPTY"}}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": "x"}]}}', '{"filters": {"tokenType": "USER"}}', '{"searchTerms": [{"field": "TOKEN_NAME", "operator": "EMPTY"}]}', '{"searchTerms": {"allOf": [["TOKEN_NAME", "EMPTY"]]}}',
	'{"searchTerms": {"allOf": [{"field": ["TOKEN_NAME"], "operator": "EMPTY"}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": [1]}]}}', '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["a", ["b"]]}]}}']) WITH ORDINALITY b(body, n) ORDER BY n;
-- The first fault of several is named, wherever others are; an earlier part of
-- the body that is good does not hide a later one that is not.
SELECT pg_temp.refusal(jsonb_build_object('filters', jsonb_build_object('tokenType', '["USER"]'::jsonb), 'searchTerms', jsonb_build_object('allOf', (SELECT jsonb_agg(CASE n WHEN 73 THEN '{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["a", "b", 3]}'::jsonb ELSE '{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["a"]}' END) FROM generate_series(0, 99) n))));
-- No token need be there for a body to be wrong.
SELECT test.error($$SELECT apitoken.query('no such realm', body => '{"filters": {"tokenType": []}}')$$);

-- Any value in the sample replaced by one of another JSON type is refused with
-- the path of that value; so is a key that is added to any object.
CREATE TEMP TABLE place AS
	WITH RECURSIVE part(path, place, value) AS (
		SELECT '{}'::text[], 'body', sample FROM sample
		UNION ALL
		SELECT path || step, place || shown, inner_part.value FROM part p, LATERAL (
			SELECT key, '.' || key, value FROM jsonb_each(CASE WHEN jsonb_typeof(p.value) = 'object' THEN p.value ELSE '{}' END)
			UNION ALL
			SELECT (n - 1)::text, '[' || n - 1 || ']', value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(p.value) = 'array' THEN p.value ELSE '[]' END) WITH ORDINALITY a(value, n)) AS inner_part(step, shown, value))
	SELECT * FROM part WHERE path <> '{}';
SELECT count(DISTINCT path) AS places, count(*) AS attempts, count(*) FILTER (WHERE starts_with(refusal, '22023 / ' || place || ': value has the wrong JSON type / hint: It is ')) AS refused,
	   string_agg(place || ' := ' || wrong::text || ' gives ' || refusal, E'\n') FILTER (WHERE NOT starts_with(refusal, '22023 / ' || place || ': value has the wrong JSON type / hint: It is ')) AS others
  FROM sample, place, unnest('{"null",1,1.5,true,"\"text\"",[],[1],"{}","{\"a\": 1}"}'::jsonb[]) wrong, LATERAL (SELECT pg_temp.refusal(jsonb_set(sample, path, wrong)) AS refusal) r
 WHERE jsonb_typeof(wrong) <> jsonb_typeof(value);
SELECT count(*) AS objects, count(*) FILTER (WHERE starts_with(refusal, '22023 / ' || place || '.more: unknown key / hint: Allowed keys are ')) AS refused
  FROM sample, place, LATERAL (SELECT pg_temp.refusal(jsonb_set(sample, path || '{more}', '"x"')) AS refusal) r WHERE jsonb_typeof(value) = 'object';
-- Any string in it that is no term replaced by another is refused with what is
-- allowed; any term may be anything.
SELECT place, refusal FROM sample, place, LATERAL (SELECT pg_temp.refusal(jsonb_set(sample, path, '"another"')) AS refusal) r WHERE jsonb_typeof(value) = 'string' ORDER BY place COLLATE "C";

-- The other arguments.
SELECT arguments, test.error(format('SELECT apitoken.query(%s)', arguments)) FROM unnest(ARRAY[
	'', 'NULL',
	'''bad_body'', page => -1', '''bad_body'', page => -9223372036854775808', '''bad_body'', page => 9223372036854775807', '''bad_body'', page => 9223372036854776, page_size => 1000', '''bad_body'', page => 922337203685477581', '''bad_body'', page => 9223372036854775807, page_size => 1',
	'''bad_body'', page_size => 0', '''bad_body'', page_size => -1', '''bad_body'', page_size => 1001', '''bad_body'', page_size => -2147483648', '''bad_body'', page_size => 1', '''bad_body'', page_size => 1000',
	'''bad_body'', sort_by => ''''', '''bad_body'', sort_by => ''tokenname''', '''bad_body'', sort_by => ''id''', '''bad_body'', sort_by => ''name''', '''bad_body'', sort_by => ''tokenStatus''', '''bad_body'', sort_by => ''creationDate,tokenName''', '''bad_body'', sort_by => ''apiTokenTtl''',
	'''bad_body'', sort_order => ''''', '''bad_body'', sort_order => ''ascending''', '''bad_body'', sort_order => ''DESC ''', '''bad_body'', sort_order => ''1''',
	'''bad_body'', cursor => ''x'', page => 1', '''bad_body'', cursor => '''', page => 2', '''bad_body'', cursor => ''x''', '''bad_body'', cursor => ''x'', page => 0', '''bad_body'', cursor => '''', page_size => 0',
	'''bad_body'', sort_by => ''x'', page_size => 0, page => -1, body => ''[]''']) WITH ORDINALITY a(arguments, n) ORDER BY n;
-- Nothing of it happened, and the session goes on.
SELECT apitoken.query('bad_body') #> '{pageInfo,totalCount}' AS tokens;
SELECT test.drop_realm('bad_body');
