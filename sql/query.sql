-- query(): search terms, filters, sorts, pages, links.
\pset format unaligned
SET jit = off;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id) VALUES ('query'), ('query/other'), ('query/empty'), ('query/25'), ('query/units');
-- Tokens whose names, clients, principals and roles are alike but not equal.
-- Those of another realm must never be found.
CREATE TEMP TABLE made (n int, name text, client_id text, principal text, roles jsonb);
INSERT INTO made VALUES
	(1, 'Automation API Token', 'api-client-id', 'api-client-id', '{"organizationScopes": {"roles": [{"name": "Admin"}, {"name": "Reader", "resource": "Writer"}]}}'),
	(2, 'automation', 'API-CLIENT-ID', 'john.smith', '{"organizationScopes": {"roles": [{"name": "reader"}]}}'),
	(3, 'AUTOMATION AND MORE', 'client', 'John.Smith', '{"servicesScopes": [{"serviceDefinitionId": "Admin"}, {"serviceDefinitionId": "x", "roles": [{"name": "Service Admin"}]}]}'),
	(4, '100%', 'c_1', '%', '{"organizationScopes": {"allRoles": true}}'),
	(5, '100', 'c-1', '_', '{"organizationScopes": {"permissions": [{"permissionId": "Admin"}]}}'),
	(6, '50_50', 'cx1', '\', '{"generalScopes": ["Admin", "roles"]}'),
	(7, '50x50', NULL, 'x', NULL),
	(8, 'back\slash', 'a\%b', NULL, '{"organizationScopes": {"roles": [{"name": "50%"}]}, "servicesScopes": [{"serviceDefinitionId": "x", "roles": [{"name": "a_b"}, {"name": "a\\b"}]}]}'),
	(9, 'backslash', 'a%b', 'a_b', '{"organizationScopes": {"roles": []}}'),
	(10, '\%', 'a\b', 'ab', NULL),
	(11, 'naïve café', '東京', 'Zoë', '{"organizationScopes": {"roles": [{"name": "Größe"}]}}'),
	(12, 'NAÏVE CAFÉ', '東京都', 'ZOË', '{"organizationScopes": {"roles": [{"name": "GRÖSSE"}]}}'),
	(13, 'emoji 😀', '😀', '😀😀', '{"organizationScopes": {"roles": [{"name": "😀"}]}}'),
	(14, ' spaces  inside ', ' x', 'x ', '{"organizationScopes": {"roles": [{"name": " "}]}}'),
	(15, 'it''s "quoted"', '"', '''', '{"organizationScopes": {"roles": [{"name": "''\""}]}}'),
	(16, 'a', 'a', 'a', '{"organizationScopes": {"roles": [{"name": "a"}]}}'),
	(17, 'A', 'A', 'A', '{"organizationScopes": {"roles": [{"name": "A"}]}}'),
	(18, E'two\nlines', E'two\nlines', E'tab\t', '{"organizationScopes": {"roles": [{"name": "two\nlines"}]}}'),
	(19, 'same', 'same', 'same', NULL),
	(20, 'same', 'same', 'same', NULL);
SELECT count(apitoken.import(realm, name, sha256 => sha256((realm || n)::bytea), public_id => prefix || '.' || lpad(translate((n * 17 % 23)::text, '0123456789', 'ABCDEFGHIJ'), 23, 'A') || last, kind => (ARRAY['user', 'client'])[n % 2 + 1],
	client_id => client_id, principal => principal, allowed_scopes => roles, description => n::text, access_token_ttl => (ARRAY['1 mon', '30 days', '720 hours', '1 hour', '29 days 24:00:00.000001', NULL])[n % 6 + 1]::interval, created_at => '2020-01-01Z'::timestamptz + n % 4 * interval '1 microsecond'))
  FROM made, (VALUES ('query', 'a', 'A'), ('query/other', 'b', 'B')) v(realm, prefix, last);
UPDATE apitoken._token SET expires_at = CASE description::int % 5 WHEN 0 THEN '2020-01-02Z'::timestamptz WHEN 1 THEN '2999-01-01Z' WHEN 2 THEN '2999-01-01 00:00:00.000001Z' END, status = (ARRAY['a', 'a', 's', 'r'])[description::int % 7 / 2 + 1]::"char", granted_ttl = '1 day' WHERE realm LIKE 'query%';
UPDATE apitoken._token SET client_id = '' WHERE realm LIKE 'query%' AND name = 'same';
UPDATE apitoken._usage SET last_used_at = CASE WHEN description::int % 3 > 0 THEN '2021-01-01Z'::timestamptz + description::int % 4 * interval '1 microsecond' END, use_count = 1 FROM apitoken._token WHERE token_id = id AND _token.realm LIKE 'query%';
CREATE FUNCTION pg_temp.entries(page jsonb, member text) RETURNS text[] LANGUAGE sql AS $$ SELECT ARRAY(SELECT e ->> member FROM jsonb_array_elements(page -> 'apiTokens') e) $$;
-- Which tokens a body finds: their numbers, in order.
CREATE FUNCTION pg_temp.found(body jsonb) RETURNS int[] LANGUAGE sql AS $$ SELECT ARRAY(SELECT unnest(pg_temp.entries(apitoken.query('query', page_size => 1000, body => body), 'tokenDescription'))::int ORDER BY 1) $$;

-- A single condition, by hand.
SELECT field, operator, terms, pg_temp.found(jsonb_build_object('searchTerms', jsonb_build_object('allOf', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('field', field, 'operator', operator, 'terms', terms)))))) AS found FROM (VALUES
	('TOKEN_NAME', 'LIKE', '["automation"]'::jsonb), ('TOKEN_NAME', 'EQUALS', '["automation"]'), ('TOKEN_NAME', 'EQUALS', '["Automation"]'), ('TOKEN_NAME', 'LIKE', '["API"]'), ('TOKEN_NAME', 'LIKE', '["automation", "lash"]'),
	('TOKEN_NAME', 'LIKE', '["%"]'), ('TOKEN_NAME', 'LIKE', '["_"]'), ('TOKEN_NAME', 'LIKE', '["\\"]'), ('TOKEN_NAME', 'LIKE', '["\\%"]'), ('TOKEN_NAME', 'LIKE', '["0%"]'), ('TOKEN_NAME', 'LIKE', '["0_5"]'), ('TOKEN_NAME', 'LIKE', '["k\\s"]'), ('TOKEN_NAME', 'LIKE', '["%a%"]'),
	('TOKEN_NAME', 'EQUALS', '["%"]'), ('TOKEN_NAME', 'EQUALS', '["50_50"]'), ('TOKEN_NAME', 'EQUALS', '["same", "a", "nothing"]'), ('TOKEN_NAME', 'LIKE', '[" "]'), ('TOKEN_NAME', 'LIKE', '["\n"]'), ('TOKEN_NAME', 'LIKE', '["😀"]'), ('TOKEN_NAME', 'LIKE', '["''"]'), ('TOKEN_NAME', 'EQUALS', '["naïve café"]'),
	('TOKEN_NAME', 'LIKE', '["nothing"]'), ('TOKEN_NAME', 'EMPTY', NULL), ('TOKEN_NAME', 'NOT_EMPTY', NULL), ('TOKEN_NAME', 'EMPTY', '[]'),
	('CLIENT_ID', 'LIKE', '["client"]'), ('CLIENT_ID', 'EQUALS', '["client"]'), ('CLIENT_ID', 'LIKE', '["_"]'), ('CLIENT_ID', 'LIKE', '["\\%"]'), ('CLIENT_ID', 'LIKE', '["東京"]'), ('CLIENT_ID', 'EMPTY', NULL), ('CLIENT_ID', 'NOT_EMPTY', '[]'),
	('CLIENT_NAME', 'LIKE', '["client"]'), ('CLIENT_NAME', 'EQUALS', '["client"]'), ('CLIENT_NAME', 'EMPTY', NULL),
	('PRINCIPAL_NAME', 'LIKE', '["SMITH"]'), ('PRINCIPAL_NAME', 'EQUALS', '["john.smith"]'), ('PRINCIPAL_NAME', 'LIKE', '["\\"]'), ('PRINCIPAL_NAME', 'EMPTY', NULL),
	('ROLES', 'LIKE', '["admin"]'), ('ROLES', 'EQUALS', '["Admin"]'), ('ROLES', 'EQUALS', '["admin"]'), ('ROLES', 'EQUALS', '["Writer"]'), ('ROLES', 'LIKE', '["_"]'), ('ROLES', 'LIKE', '["\\"]'), ('ROLES', 'LIKE', '["größe"]'), ('ROLES', 'EMPTY', NULL), ('ROLES', 'NOT_EMPTY', NULL),
	('ROLE_NAME', 'LIKE', '["admin"]'), ('ROLE_NAME', 'EQUALS', '["Reader", "reader"]'), ('ROLE_NAME', 'EMPTY', NULL), ('ROLE_DISPLAY_NAME', 'LIKE', '["admin"]'), ('ROLE_DISPLAY_NAME', 'NOT_EMPTY', NULL)) AS v(field, operator, terms);
-- LIKE ignores case as the database does: the same as lower() says.  EQUALS
-- never does.
SELECT term, lower(term) = lower(name) AS same_but_for_case, 12 = ANY (pg_temp.found(jsonb_build_object('searchTerms', jsonb_build_object('allOf', jsonb_build_array(jsonb_build_object('field', 'TOKEN_NAME', 'operator', 'LIKE', 'terms', ARRAY[term])))))) = (lower(term) = lower(name)) AS like_agrees,
	   12 = ANY (pg_temp.found(jsonb_build_object('searchTerms', jsonb_build_object('allOf', jsonb_build_array(jsonb_build_object('field', 'TOKEN_NAME', 'operator', 'EQUALS', 'terms', ARRAY[term])))))) = (term = name) AS equals_agrees
  FROM made, unnest('{NAÏVE CAFÉ,naÏve cafÉ}'::text[]) term WHERE n = 12;
SELECT bool_and((12 = ANY (pg_temp.found(jsonb_build_object('searchTerms', jsonb_build_object('allOf', jsonb_build_array(jsonb_build_object('field', 'TOKEN_NAME', 'operator', 'LIKE', 'terms', ARRAY[term]))))))) = (lower(term) = lower(name))) AS like_agrees
  FROM made, unnest('{naïve café,Naïve Café,NAïVE CAFé}'::text[]) term WHERE n = 12;

-- A search written down another way: no SQL in common with the extension's.
CREATE TEMP TABLE subject AS SELECT t.id, t.name, t.client_id, t.principal, t.kind, t.status, t.expires_at, description::int AS n,
	ARRAY(SELECT r ->> 'name' FROM jsonb_array_elements(CASE WHEN t.allowed_scopes #> '{organizationScopes,roles}' IS NULL THEN '[]' ELSE t.allowed_scopes #> '{organizationScopes,roles}' END) r)
	|| ARRAY(SELECT r ->> 'name' FROM jsonb_array_elements(coalesce(t.allowed_scopes -> 'servicesScopes', '[]')) s, jsonb_array_elements(coalesce(s -> 'roles', '[]')) r) AS roles FROM apitoken._token t WHERE realm = 'query';
CREATE FUNCTION pg_temp.holds(s subject, condition jsonb) RETURNS boolean LANGUAGE sql AS $$
	SELECT CASE condition ->> 'operator'
		WHEN 'EMPTY' THEN count(v) FILTER (WHERE v <> '') = 0
		WHEN 'NOT_EMPTY' THEN count(v) FILTER (WHERE v <> '') > 0
		WHEN 'EQUALS' THEN coalesce(bool_or(condition -> 'terms' ? v), false)
		WHEN 'LIKE' THEN coalesce(bool_or((SELECT bool_or(position(lower(t) IN lower(v)) > 0) FROM jsonb_array_elements_text(condition -> 'terms') t)), false) END
	  FROM unnest(CASE condition ->> 'field' WHEN 'TOKEN_NAME' THEN ARRAY[s.name] WHEN 'PRINCIPAL_NAME' THEN ARRAY[s.principal] WHEN 'CLIENT_ID' THEN ARRAY[s.client_id] WHEN 'CLIENT_NAME' THEN ARRAY[s.client_id] ELSE s.roles END) v $$;
CREATE FUNCTION pg_temp.expected(body jsonb) RETURNS int[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT n FROM subject s
		WHERE (SELECT coalesce(bool_and(pg_temp.holds(s, c)), true) FROM jsonb_array_elements(coalesce(body #> '{searchTerms,allOf}', '[]')) c)
		  AND (SELECT coalesce(bool_or(pg_temp.holds(s, c)), true) FROM jsonb_array_elements(coalesce(body #> '{searchTerms,anyOf}', '[]')) c)
		  AND (body #> '{filters,tokenType}' IS NULL OR body #> '{filters,tokenType}' ? CASE kind WHEN 'u' THEN 'USER' WHEN 'c' THEN 'API_CLIENT' END)
		  AND (body #> '{filters,tokenStatus}' IS NULL OR body #> '{filters,tokenStatus}' ? CASE WHEN status <> 'a' THEN 'UNKNOWN' WHEN expires_at < now() THEN 'EXPIRED' ELSE 'ACTIVE' END)
		ORDER BY n) $$;
CREATE TEMP TABLE condition (n int GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0), condition jsonb);
INSERT INTO condition (condition)
	SELECT jsonb_build_object('field', field, 'operator', operator, 'terms', terms)
	  FROM unnest('{CLIENT_NAME,CLIENT_ID,TOKEN_NAME,PRINCIPAL_NAME,ROLES,ROLE_NAME,ROLE_DISPLAY_NAME}'::text[]) field, unnest('{LIKE,EQUALS}'::text[]) operator,
		   unnest('{"[\"a\"]","[\"%\"]","[\"_\", \"50\"]","[\"\\\\\"]","[\"Admin\", \"API-client\", \"Smith\"]","[\"\"]","[\"A\", \"same\", \"é\", \" \"]"}'::jsonb[]) terms
	UNION ALL
	SELECT jsonb_build_object('field', field, 'operator', operator) FROM unnest('{CLIENT_NAME,CLIENT_ID,TOKEN_NAME,PRINCIPAL_NAME,ROLES,ROLE_NAME,ROLE_DISPLAY_NAME}'::text[]) field, unnest('{EMPTY,NOT_EMPTY}'::text[]) operator;
-- Each condition alone, in both groups.
SELECT count(*) AS bodies, count(*) FILTER (WHERE found <> '{}') AS find_something, string_agg(body::text || ' finds ' || found::text || ', not ' || expected::text, E'\n') FILTER (WHERE found <> expected) AS wrong
  FROM condition, unnest('{allOf,anyOf}'::text[]) grp, LATERAL (SELECT jsonb_build_object('searchTerms', jsonb_build_object(grp, jsonb_build_array(condition))) AS body) b,
	   LATERAL (SELECT pg_temp.found(body) AS found, pg_temp.expected(body) AS expected) f;
-- Groups of up to three, and filters, of all kinds together.
CREATE FUNCTION pg_temp.pick(seed int, count int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(condition), '[]') FROM generate_series(1, count) i JOIN condition ON n = abs(seed * 7919 + i * 104729) % 112 $$;
CREATE FUNCTION pg_temp.body(seed int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object(
		'searchTerms', CASE WHEN seed % 5 > 0 THEN jsonb_build_object('allOf', CASE WHEN seed % 3 > 0 THEN pg_temp.pick(seed, seed % 3) END, 'anyOf', CASE WHEN seed % 4 > 0 THEN pg_temp.pick(-seed, seed % 4) END) END,
		'filters', CASE WHEN seed % 7 > 1 THEN jsonb_build_object(
			'tokenType', CASE WHEN seed % 11 > 4 THEN (SELECT jsonb_agg(t) FROM unnest('{API_CLIENT,USER,UNKNOWN}'::text[]) WITH ORDINALITY v(t, i) WHERE (seed % 7 + 1) & (1 << i::int - 1) > 0) END,
			'tokenStatus', CASE WHEN seed % 13 > 5 THEN (SELECT jsonb_agg(t) FROM unnest('{ACTIVE,EXPIRED,UNKNOWN}'::text[]) WITH ORDINALITY v(t, i) WHERE (seed / 7 % 7 + 1) & (1 << i::int - 1) > 0) END) END)) $$;
SELECT count(DISTINCT body) AS bodies, count(*) FILTER (WHERE found <> '{}') AS find_something, string_agg(body::text || ' finds ' || found::text || ', not ' || expected::text, E'\n') FILTER (WHERE found <> expected) AS wrong,
	   count(*) FILTER (WHERE (apitoken.query('query', page_size => 1, body => body) #>> '{pageInfo,totalCount}')::int <> cardinality(expected)) AS wrong_totals
  FROM generate_series(1, 400) seed, LATERAL (SELECT pg_temp.body(seed) AS body OFFSET 0) b, LATERAL (SELECT pg_temp.found(body) AS found, pg_temp.expected(body) AS expected OFFSET 0) f;

-- Filters by hand.
SELECT filters, pg_temp.found(jsonb_build_object('filters', filters)) AS found FROM unnest(ARRAY['{"tokenType": ["API_CLIENT"]}', '{"tokenType": ["USER"]}', '{"tokenType": ["UNKNOWN"]}', '{"tokenType": ["USER", "UNKNOWN"]}', '{"tokenType": ["USER", "API_CLIENT"]}', '{"tokenType": ["USER", "USER"]}',
	'{"tokenStatus": ["ACTIVE"]}', '{"tokenStatus": ["EXPIRED"]}', '{"tokenStatus": ["UNKNOWN"]}', '{"tokenStatus": ["ACTIVE", "EXPIRED", "UNKNOWN"]}', '{"tokenType": ["USER"], "tokenStatus": ["ACTIVE", "EXPIRED"]}']::jsonb[]) filters;
-- A filter gives what it says: a suspended or revoked token is UNKNOWN, even
-- when it has expired.
SELECT status, array_agg(DISTINCT e ->> 'tokenStatus') AS "tokenStatus", count(*) FROM unnest('{ACTIVE,EXPIRED,UNKNOWN}'::text[]) status, jsonb_array_elements(apitoken.query('query', page_size => 100, body => jsonb_build_object('filters', jsonb_build_object('tokenStatus', ARRAY[status]))) -> 'apiTokens') e GROUP BY status ORDER BY status;
SELECT e ->> 'tokenStatus' AS "tokenStatus", array_agg(DISTINCT s.status::text || CASE WHEN expires_at < now() THEN ' expired' ELSE '' END) AS stored
  FROM jsonb_array_elements(apitoken.query('query', page_size => 100) -> 'apiTokens') e JOIN subject s ON s.id::text = e ->> 'id' GROUP BY 1 ORDER BY 1;
-- What is no condition: nothing, and groups that are there but empty.
SELECT body, cardinality(pg_temp.found(body)) AS found, apitoken.query('query', body => body) = apitoken.query('query') AS as_without_body
  FROM unnest(ARRAY[NULL, '{}', '{"searchTerms": {}}', '{"filters": {}}', '{"searchTerms": {"allOf": []}}', '{"searchTerms": {"anyOf": []}}', '{"searchTerms": {"allOf": [], "anyOf": []}, "filters": {}}']::jsonb[]) body;
SELECT pg_temp.found('{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "EQUALS", "terms": ["a"]}], "anyOf": []}}') AS empty_any, pg_temp.found('{"searchTerms": {"allOf": [], "anyOf": [{"field": "TOKEN_NAME", "operator": "EQUALS", "terms": ["a"]}]}}') AS empty_all;

-- Sorts, by hand.  Never expiring and without a life of access tokens: last
-- ascending.  Never used: first ascending.  Lives are compared by length.
CREATE TEMP TABLE by_hand (field text, direction text, ids text[]);
INSERT INTO by_hand
	SELECT 'creationDate', 'asc', array_agg(id::text ORDER BY created_at, id) FROM apitoken._token WHERE realm = 'query' UNION ALL
	SELECT 'creationDate', 'desc', array_agg(id::text ORDER BY created_at DESC, id DESC) FROM apitoken._token WHERE realm = 'query' UNION ALL
	SELECT 'expirationDate', 'asc', array_agg(id::text ORDER BY coalesce(expires_at, 'infinity'), id) FROM apitoken._token WHERE realm = 'query' UNION ALL
	SELECT 'expirationDate', 'desc', array_agg(id::text ORDER BY coalesce(expires_at, 'infinity') DESC, id DESC) FROM apitoken._token WHERE realm = 'query' UNION ALL
	SELECT 'lastUsedDate', 'asc', array_agg(token_id::text ORDER BY coalesce(last_used_at, '-infinity'), token_id) FROM apitoken._usage WHERE realm = 'query' UNION ALL
	SELECT 'lastUsedDate', 'desc', array_agg(token_id::text ORDER BY coalesce(last_used_at, '-infinity') DESC, token_id DESC) FROM apitoken._usage WHERE realm = 'query' UNION ALL
	SELECT 'accessTokenTtl', 'asc', array_agg(id::text ORDER BY coalesce(extract(epoch FROM access_token_ttl), 1e15), id) FROM apitoken._token WHERE realm = 'query' UNION ALL
	SELECT 'accessTokenTtl', 'desc', array_agg(id::text ORDER BY coalesce(extract(epoch FROM access_token_ttl), 1e15) DESC, id DESC) FROM apitoken._token WHERE realm = 'query' UNION ALL
	SELECT 'tokenName', 'asc', array_agg(id::text ORDER BY convert_to(name, 'UTF8'), id) FROM apitoken._token WHERE realm = 'query' UNION ALL
	SELECT 'tokenName', 'desc', array_agg(id::text ORDER BY convert_to(name, 'UTF8') DESC, id DESC) FROM apitoken._token WHERE realm = 'query';
SELECT field, direction, pg_temp.entries(apitoken.query('query', 0, 1000, field, direction), 'id') = ids AS in_order FROM by_hand ORDER BY 1, 2;
SELECT field, direction, bool_and(pg_temp.entries(apitoken.query('query', page, size, field, direction), 'id') = ids[page * size + 1:page * size + size]) AS all_pages
  FROM by_hand, unnest('{1,3,7,20,1000}'::int[]) size, generate_series(0, 20) page WHERE page * size < 30 GROUP BY 1, 2 ORDER BY 1, 2;
-- With conditions, too, on each way that they are looked for.
WITH search AS MATERIALIZED (SELECT body, pg_temp.expected(body) AS expected FROM unnest(ARRAY['{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["a"]}]}}', '{"searchTerms": {"allOf": [{"field": "CLIENT_ID", "operator": "LIKE", "terms": ["api-client", "same"]}]}}',
	'{"searchTerms": {"anyOf": [{"field": "TOKEN_NAME", "operator": "EQUALS", "terms": ["100", "same"]}, {"field": "ROLES", "operator": "LIKE", "terms": ["e"]}]}}', '{"filters": {"tokenType": ["USER"], "tokenStatus": ["ACTIVE", "EXPIRED"]}}']::jsonb[]) body)
SELECT field, direction, count(*) AS pages, count(*) FILTER (WHERE pg_temp.entries(apitoken.query('query', page, 3, field, direction, body), 'id') = (ARRAY(SELECT i FROM unnest(ids) WITH ORDINALITY a(i, o) JOIN subject ON id::text = i WHERE n = ANY (expected) ORDER BY o))[page * 3 + 1:page * 3 + 3]) AS good
  FROM by_hand, generate_series(0, 2) page, search GROUP BY 1, 2 ORDER BY 1, 2;
-- The direction in any case; both are echoed as the default would be.
SELECT word, apitoken.query('query', sort_order => word) #> '{pageInfo,sortOrder}' AS echo, pg_temp.entries(apitoken.query('query', page_size => 100, sort_order => word), 'id') = ids AS good FROM unnest('{asc,ASC,Asc,desc,DESC,dEsC}'::text[]) word JOIN by_hand ON field = 'creationDate' AND direction = lower(word) ORDER BY word COLLATE "C";

-- Defaults: creation, descending, page 0, ten; a null is a default.
SELECT apitoken.query('query') -> 'pageInfo' AS "pageInfo", pg_temp.entries(apitoken.query('query'), 'id') = ids[1:10] AS rows, apitoken.query('query', NULL, NULL, NULL, NULL, NULL, NULL) = apitoken.query('query') AS nulls,
	   apitoken.query(realm => 'query', page => 0, page_size => 10, sort_by => 'creationDate', sort_order => 'desc', body => NULL, cursor => NULL) = apitoken.query('query') AS by_name FROM by_hand WHERE field = 'creationDate' AND direction = 'desc';
SELECT string_agg(key, ' ' ORDER BY key COLLATE "C") AS keys FROM jsonb_object_keys(apitoken.query('query')) key;

-- pageInfo and links on the first, a middle and the last page, past the end,
-- and where there is nothing.
SELECT count(apitoken.import('query/25', 'n', sha256 => sha256(('25 ' || n)::bytea))) FROM generate_series(1, 25) n;
SELECT realm, page, a -> 'pageInfo' AS "pageInfo", jsonb_array_length(a -> 'apiTokens') AS rows, (SELECT string_agg((l ->> 'rel') || ' ' || (l ->> 'href'), E'\n' ORDER BY n) FROM jsonb_array_elements(a -> 'links') WITH ORDINALITY l(l, n)) AS links
  FROM (VALUES ('query/25', 0), ('query/25', 1), ('query/25', 2), ('query/25', 3), ('query/25', 1000), ('query/empty', 0), ('query/empty', 1), ('no such realm', 0)) v(realm, page), apitoken.query(realm, page, 10, 'tokenName', 'ASC') a;
SELECT apitoken.query('query/25', 0, 25) -> 'links' = apitoken.query('query/25', 0, 25, 'creationDate', 'desc') -> 'links' AS full_page, jsonb_path_query_array(apitoken.query('query/25', 0, 25), '$.links[*].rel') AS full_page_rels, jsonb_path_query_array(apitoken.query('query/25', 4, 5), '$.links[*].rel') AS last_full_page_rels;
-- Every link that a page has leads where it says.
SELECT count(*) AS links, count(*) FILTER (WHERE linked = CASE rel WHEN 'self' THEN page WHEN 'first' THEN 0 WHEN 'last' THEN last WHEN 'prev' THEN least(page - 1, last) WHEN 'next' THEN page + 1 END
		AND href = format('?page=%s&pageSize=%s&sortBy=creationDate&sortOrder=desc', linked, size)) AS good,
	   count(*) FILTER (WHERE rel = 'prev' AND page = 0 OR rel = 'next' AND page >= last) AS too_many
  FROM unnest('{1,7,10,24,25,26}'::int[]) size, generate_series(0, 26) page, LATERAL (SELECT 24 / size AS last) e, LATERAL (SELECT l ->> 'rel' AS rel, l ->> 'href' AS href, substring(l ->> 'href' FROM 'page=([0-9]+)')::int AS linked FROM jsonb_array_elements(apitoken.query('query/25', page, size) -> 'links') l) l;
-- The greatest page there is.
SELECT apitoken.query('query/25', 9223372036854775, 1000) -> 'pageInfo' AS "pageInfo", apitoken.query('query/25', 9223372036854775807, 1) #>> '{links,2,href}' AS prev;

-- Minutes: 180 days are 259200, three days are not; a life is cut off to whole
-- minutes.
CREATE TEMP TABLE life AS SELECT n, life, i.id FROM unnest('{180 days,6 mons,3 days,259200 min,8:00:00,1 day,1 mon,1 mon 3 days 00:01:00,00:00:59.999999,00:01:29,00:00:00.000001,1 day -00:00:01,-1 day +25:00:30}'::text[]) WITH ORDINALITY l(life, n), apitoken.issue('query/units', life, expires_in => life::interval, access_token_ttl => life::interval) i;
SELECT life, e -> 'apiTokenTtl' AS "apiTokenTtl", e -> 'accessTokenTtl' AS "accessTokenTtl" FROM life JOIN jsonb_array_elements(apitoken.query('query/units', page_size => 100) -> 'apiTokens') e ON e ->> 'id' = id::text ORDER BY n;
-- A moment given instead of a life: what comes out, here of 180 days.
SELECT count(i.id) FROM apitoken.issue('query/units', 'until', expires_at => clock_timestamp() + interval '180 days 1 minute') i, apitoken.issue('query/units', 'for ever');
SELECT e ->> 'tokenName' AS name, e -> 'apiTokenTtl' AS "apiTokenTtl", e ? 'expirationDate' AS "expirationDate" FROM jsonb_array_elements(apitoken.query('query/units', 0, 2, 'creationDate', 'desc') -> 'apiTokens') e ORDER BY 1;
-- An access token's life without end, which PostgreSQL 17 brought, is none.
SELECT test.sqlstate($$SELECT apitoken.issue('query/units', 'n', access_token_ttl => 'infinity')$$) IN ('22007', '22023') AS refused;
-- Milliseconds, cut off.
SELECT apitoken.import('query/units', 'milliseconds', sha256 => sha256('milliseconds'), created_at => '1969-12-31 23:59:59.9999Z') AS id \gset
UPDATE apitoken._token SET expires_at = '294276-12-31 23:59:59.999Z', granted_ttl = '1 day' WHERE id = :'id';
UPDATE apitoken._usage SET last_used_at = '2020-11-12 08:15:30.144999Z', use_count = 1 WHERE token_id = :'id';
SELECT e -> 'creationDate' AS "creationDate", e -> 'expirationDate' AS "expirationDate", e -> 'lastUsedDate' AS "lastUsedDate" FROM jsonb_array_elements(apitoken.query('query/units', page_size => 100) -> 'apiTokens') e WHERE e ->> 'id' = :'id';
-- One call knows one moment: while tokens expire, millisecond by millisecond,
-- what is found as active is shown as active.
INSERT INTO apitoken.realm (id) VALUES ('query/moment');
SELECT count(i.id) FROM generate_series(1, 600) n, apitoken.issue('query/moment', 'n', expires_in => make_interval(secs => 0.3 + n / 1000.0)) i;
DO $$
DECLARE
	entries jsonb; wrong bigint := 0;
BEGIN
	LOOP
		entries := apitoken.query('query/moment', 0, 1000, body => '{"filters": {"tokenStatus": ["ACTIVE"]}}') -> 'apiTokens';
		EXIT WHEN entries = '[]';
		wrong := wrong + (SELECT count(*) FROM jsonb_array_elements(entries) e WHERE e ->> 'tokenStatus' <> 'ACTIVE');
	END LOOP;
	RAISE NOTICE '% tokens of another status', wrong;
END $$;
-- It needs a realm, and writes nothing.
SELECT test.error('SELECT apitoken.query()'), test.error('SELECT apitoken.query(NULL)');
BEGIN READ ONLY;
SELECT jsonb_array_length(apitoken.query('query', body => '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["a"]}]}}') -> 'apiTokens') AS rows, pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
ROLLBACK;
SELECT count(test.drop_realm(id)) FROM apitoken.realm WHERE id LIKE 'query%';
