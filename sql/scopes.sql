-- Type apitoken.scopes: a canonical set of OAuth scopes.  Text and binary
-- form, order, set operations, what grants what, casts, indexes.
\pset format unaligned
SET search_path = apitoken, test, public;
SELECT typlen, typbyval, typalign, typstorage FROM pg_type WHERE oid = 'scopes'::regtype;
-- The canonical form: sorted by bytes, each once, single spaces.
SELECT to_json(input) AS input, input::scopes FROM (VALUES
	(''), (' '), ('    '), ('a'), (' a '), ('b a'), ('a a a'), ('  b   a  b '), ('a.b a a.* a-b A _'),
	('* a'), ('b:* b/* b.* b'), ('!#$%&''()+,-./'), ('[]^_`{|}~ :;<=>?@')) AS v(input);
-- A prefix sorts before what it is a prefix of, whatever follows.
SELECT 'a a! a- a. aa'::scopes;
SELECT scope_count(''), scope_count('a'), scope_count('a b a'), scope_count(' a  b  c ');
-- Bad input: which scope and what is wrong with it, never its text.
SELECT to_json(input) AS input, error(format('SELECT %L::apitoken.scopes', input)) FROM (VALUES
	('a"b'), ('a\b'), (E'a\tb'), (E'a\nb'), (E'a\x7f'), ('ä'), ('a b c" d'),
	('a*'), ('**'), ('*a'), ('a*b'), ('a.*.b'), ('a.**'), ('a.*b'), ('a**'), ('*.a'), ('a-*'), ('* *a'), ('.*.'),
	('a,*')) AS v(input);
-- An asterisk alone, and after each of the three characters, is fine.
SELECT '* a.* a:* a/* .* :* /* a..* a.b/*'::scopes;
-- Its length.
SELECT n, left(error(format('SELECT %L::apitoken.scopes', 'ok ' || repeat('x', n))), 300)
	FROM unnest('{254,255,256,100000}'::int[]) n;
SELECT error(format('SELECT %L::apitoken.scopes', repeat('x', 253) || '.*')),
	error(format('SELECT %L::apitoken.scopes', repeat('x', 254) || '.*'));
-- Casts to and from arrays.
SELECT '{b,a,b}'::text[]::scopes, '{}'::text[]::scopes = '' AS empty,
	'{{b,a},{a,c}}'::text[]::scopes AS of_two_dimensions,
	   '[5:6]={y,x}'::text[]::scopes AS of_other_bounds;
SELECT 'b a'::scopes::text[], ''::scopes::text[], 'x'::scopes::text[] = '{x}' AS one;
SELECT label, error(format('SELECT %L::text[]::apitoken.scopes', input)) FROM (VALUES
	('null element', '{a,NULL}'::text[]), ('empty element', '{a,""}'), ('blank element', '{" "}'),
	('two in one element', '{a,b,"c d"}'),
	('quote', '{"a\"b"}'), ('bad wildcard', '{a*}'),
	('the sample token with a space', ARRAY['x', test.sample() || ' '])) AS v(label, input);
SELECT n, error(format('SELECT %L::text[]::apitoken.scopes', ARRAY['ok', repeat('x', n)]))
	FROM unnest('{255,256}'::int[]) n;
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast
 WHERE 'scopes'::regtype IN (castsource, casttarget) ORDER BY 1, 2;
-- A large set.
SELECT scope_count(s) AS count, length(s::text) AS length, s::text[]::scopes = s AS there_and_back,
	s::text::scopes = s AS text_form
  FROM (SELECT array_agg('scope.' || n)::scopes AS s FROM generate_series(1, 20000) n) AS v;

-- Binary form: the canonical text and no other.
SELECT scopes_send('b a a') = 'a b'::bytea AS sent;
CREATE TABLE test.received (v scopes);
SELECT input, receive('test.received', input::bytea) FROM (VALUES
	(''), ('a'), ('a b'), ('a.* b:*'), ('*'), (' '), (' a'), ('a '), ('a  b'), ('b a'), ('a a'), ('a"'), ('a*'),
	('a b*'), ('ä'), ('a\000'), ('\377'), ('\000')) AS v(input);
SELECT n, receive('test.received', repeat('x', n)::bytea) FROM unnest('{255,256}'::int[]) n;
-- Any bytes: refused, or taken and given back the same.  From an alphabet in
-- which many are sound, by a generator of our own.
SELECT answer, count(*) BETWEEN 30 AND 270 AS some_of_300
  FROM (SELECT receive('test.received',
	string_agg(substr('ab .*', 1 + ('x' || substr(md5(n::text), i * 2 - 1, 2))::bit(8)::int % 5, 1), ''
	ORDER BY i)::bytea) AS answer
		  FROM generate_series(1, 300) n, generate_series(1, 1 + n % 5) i GROUP BY n) r
 GROUP BY 1 ORDER BY 1;
SELECT answer, count(*) FROM (SELECT receive('test.received', substr(sha256(n::text::bytea), 1, 4)) AS answer
	FROM generate_series(1, 50) n) r GROUP BY 1;
DROP TABLE test.received;

-- What grants what: granted, required, expected.  Each also at the operator's
-- mirror image.
SELECT granted, required, expected, granted::scopes @> required::scopes AS grants,
	required::scopes <@ granted::scopes AS granted_by
  FROM (VALUES
	('', '', true), ('a', '', true), ('*', '', true), ('', 'a', false), ('', '*', false),
	('a', 'a', true), ('a', 'b', false), ('a', 'aa', false), ('aa', 'a', false), ('A', 'a', false),
	('a b', 'a', true), ('a b', 'b a', true), ('a b', 'a c', false), ('a b', 'a b c', false),
	('*', 'a', true), ('*', 'a.b c:d', true), ('*', '*', true), ('*', 'a.*', true), ('a', '*', false),
	('a.* b', '*', false),
	('api.users.*', 'api.users.read', true), ('api.users.*', 'api.users.a.b', true),
	('api.users.*', 'api.users', false),
	('api.users.*', 'api.usersx.read', false), ('api.users.*', 'api.user', false),
	('api.users.*', 'api.users.', true),
	('api.users.*', 'api.users.*', true), ('api.*', 'api.users.*', true), ('api.users.*', 'api.*', false),
	('api.users.*', 'API.users.read', false),
	('a:*', 'a:b', true), ('a:*', 'a.b', false), ('a/*', 'a/b/c', true), ('a/*', 'a', false), ('a.*', 'a/b', false),
	('a.*', 'a', false),
	('a.b', 'a.*', false), ('a.b a.c', 'a.*', false), ('a.* b.read', 'a.x b.read', true),
	('a.* b.read', 'a.x b.write', false),
	('.*', '.x', true), ('.*', 'x', false), ('a..*', 'a.x', false), ('a..*', 'a..x', true)) AS v(granted, required,
	expected)
 WHERE (granted::scopes @> required::scopes) IS DISTINCT FROM expected
	OR (required::scopes <@ granted::scopes) IS DISTINCT FROM expected;
-- (no row: all as expected)  NULL is neither granted nor refused.
SELECT ('a'::scopes @> NULL) IS NULL AS unknown, (NULL::scopes @> '') IS NULL AS also_unknown;

-- A population of sets, generated: of one to four scopes out of a small
-- vocabulary with wildcards.
CREATE TABLE test.vocabulary AS SELECT *
	FROM unnest('{a,b,a.a,a.b,a.b.c,a:b,a/b,b.a,b.a.a,a.*,a.b.*,a:*,a/*,b.*,*,.*}'::text[]) WITH ORDINALITY AS v(scope,
	n);
CREATE TABLE test.sets AS
SELECT k AS n, coalesce(string_agg(scope, ' '), '')::scopes AS s
  FROM generate_series(0, 399) k
  LEFT JOIN LATERAL (SELECT scope, row_number() OVER (ORDER BY md5(k || '/' || v.n)) AS place
	FROM test.vocabulary v) c
	ON k % 50 > 0 AND place <= 1 + k % 4
 GROUP BY k;
ANALYZE test.sets;
SELECT count(*), count(DISTINCT s), min(scope_count(s)), max(scope_count(s)) FROM test.sets;
-- Grants, against the rule written in SQL.
CREATE FUNCTION test.grants(granted text[], required text[]) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(EXISTS (SELECT FROM unnest(granted) g
							 WHERE g = r OR right(g, 1) = '*' AND starts_with(r, left(g, -1)))) IS NOT false
							 	FROM unnest(required) r $$;
SELECT count(*) AS pairs, count(*) FILTER (WHERE a.s @> b.s) > 1000 AS many_granted,
	   count(*) FILTER (WHERE (a.s @> b.s) <> test.grants(a.s::text[], b.s::text[])) AS wrong,
	   count(*) FILTER (WHERE (a.s @> b.s) <> (b.s <@ a.s)) AS wrong_mirrored
  FROM test.sets a, test.sets b WHERE b.n < 100;
-- Union and difference, against the same on arrays; laws of both.
SELECT ('a b'::scopes + 'b c'), ('a b'::scopes - 'b c'), (''::scopes + ''), ('a'::scopes - 'a') = '' AS empty,
	('a.* a.b'::scopes - 'a.*') AS wildcards_are_scopes;
SELECT count(*) AS pairs,
	   bool_and(a.s + b.s = (a.s::text[] || b.s::text[])::scopes) AS union_is,
	   bool_and(a.s - b.s = ARRAY(SELECT unnest(a.s::text[]) EXCEPT SELECT unnest(b.s::text[]))::scopes) AS difference_is,
	   bool_and(a.s + b.s = b.s + a.s) AS commutes, bool_and(a.s + a.s = a.s) AS repeats,
	   	bool_and(a.s - a.s = '') AS nothing_left,
	   bool_and((a.s - b.s) + b.s = a.s + b.s) AS together, bool_and(a.s + b.s @> a.s) AS grants_both,
	   bool_and(scope_count(a.s + b.s) = scope_count(a.s) + scope_count(b.s - a.s)) AS counted
  FROM test.sets a, test.sets b WHERE b.n < 100;
-- Out and in, array and back, sent.
SELECT bool_and(s::text::scopes = s) AS text_form, bool_and(s::text[]::scopes = s) AS of_array,
	bool_and(scopes_send(s) = s::text::bytea) AS sent,
	   bool_and(scope_count(s) = cardinality(s::text[])) AS counted FROM test.sets;
-- The order: one of lists of scopes, which is that of the canonical texts.
SELECT count(*) AS pairs,
	   bool_and((a.s < b.s) = (a.s::text[]::bytea[] < b.s::text[]::bytea[])) AS lt,
	   	bool_and((a.s <= b.s) = (a.s::text::bytea <= b.s::text::bytea)) AS le,
	   bool_and((a.s = b.s) = (a.s::text = b.s::text)) AS eq, bool_and((a.s <> b.s) = (a.s::text <> b.s::text)) AS ne,
	   bool_and((a.s >= b.s) = (a.s::text::bytea >= b.s::text::bytea)) AS ge,
	   	bool_and((a.s > b.s) = (a.s::text::bytea > b.s::text::bytea)) AS gt,
	   bool_and(scopes_cmp(a.s, b.s) = CASE WHEN a.s < b.s THEN -1 WHEN a.s > b.s THEN 1 ELSE 0 END) AS cmp,
	   bool_and((a.s = b.s) <= (scopes_hash(a.s) = scopes_hash(b.s))) AS hash,
	   bool_and((a.s = b.s) <= (scopes_hash_extended(a.s, 7) = scopes_hash_extended(b.s, 7))) AS extended_hash
  FROM test.sets a, test.sets b WHERE b.n < 100;
SELECT bool_and(scopes_hash_extended(s,
	0)::bit(64) & x'00000000ffffffff'::bit(64) = (scopes_hash(s)::bigint & 4294967295)::bit(64)) AS lower_half,
	   bool_and(s = '' OR scopes_hash_extended(s, 1) <> scopes_hash_extended(s, 0)) AS seeded,
	   count(DISTINCT scopes_hash(s)) = count(DISTINCT s) AS spread FROM test.sets;

-- Operator classes, and their use.
SELECT amname, opcname, opcdefault, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
 WHERE opcintype = 'scopes'::regtype ORDER BY 1;
SELECT count(*), count(DISTINCT s) = (SELECT count(*) FROM (SELECT DISTINCT s FROM test.sets) d) AS distinct_rows
	FROM test.sets;
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT plan('SELECT count(*) FROM test.sets a JOIN test.sets b ON a.s = b.s');
SELECT count(*) AS pairs FROM test.sets a JOIN test.sets b ON a.s = b.s \gset
RESET enable_nestloop;
SET enable_hashjoin = off;
SELECT (SELECT count(*) FROM test.sets a JOIN test.sets b ON a.s = b.s) = :pairs AS joins_agree;
RESET enable_mergejoin;
RESET enable_hashjoin;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE INDEX sets_btree ON test.sets (s);
SELECT plan('SELECT n FROM test.sets WHERE s = ''a b''');
SELECT count(*) = :pairs AS btree_agrees FROM test.sets a, LATERAL (SELECT FROM test.sets b
	WHERE b.s = a.s OFFSET 0) f;
DROP INDEX test.sets_btree;
CREATE INDEX sets_hash ON test.sets USING hash (s);
SELECT bool_or(p ~ 'sets_hash') AS uses_hash FROM plan('SELECT n FROM test.sets WHERE s = ''a b''') p;
SELECT count(*) = :pairs AS hash_agrees FROM test.sets a, LATERAL (SELECT FROM test.sets b
	WHERE b.s = a.s OFFSET 0) f;
DROP INDEX test.sets_hash;
RESET enable_bitmapscan;

-- GIN: which sets grant X.  Exact, wildcards included: no row is rechecked
-- for another reason than a lossy bitmap, and the answer for each query is
-- that of a scan.
RESET enable_seqscan;
CREATE TABLE test.scanned AS
SELECT q.n AS query, q.s AS required, array_agg(t.n ORDER BY t.n) FILTER (WHERE t.n IS NOT NULL) AS found
  FROM (SELECT n, s FROM test.sets UNION ALL SELECT 1000 + n, scope::scopes FROM test.vocabulary
		UNION ALL SELECT 2000 + n, 'x.y' FROM generate_series(1, 2) n UNION ALL SELECT 3000, 'a.b.c.d.e.f') q
  LEFT JOIN test.sets t ON t.s @> q.s GROUP BY 1, 2;
SELECT count(*), count(found) AS with_results FROM test.scanned;
SET enable_seqscan = off;
CREATE INDEX sets_gin ON test.sets USING gin (s);
SELECT plan('SELECT n FROM test.sets WHERE s @> ''a.b.c b''');
SELECT count(*) FILTER (WHERE i.found IS DISTINCT FROM q.found) AS wrong, count(*) AS queries
  FROM test.scanned q, LATERAL (SELECT array_agg(t.n ORDER BY t.n) AS found FROM test.sets t
	WHERE t.s @> q.required) i;
-- The mirrored operator comes to the same index; more conditions too.
SELECT plan('SELECT n FROM test.sets WHERE ''a.b'' <@ s');
SELECT (SELECT count(*) FROM test.sets WHERE 'a.b' <@ s) = (SELECT cardinality(found) FROM test.scanned
	WHERE required = 'a.b' LIMIT 1) AS mirrored_agrees;
SELECT count(*) FROM test.sets WHERE s @> 'a' AND s @> 'b';
SELECT (SELECT count(*) FROM test.sets WHERE s @> 'a b') = (SELECT count(*) FROM test.sets
	WHERE s @> 'a' AND s @> 'b') AS together_and_apart;
-- Nothing required: all sets, the empty ones and those without scopes too.
INSERT INTO test.sets VALUES (9000, ''), (9001, NULL);
SELECT bool_or(p ~ 'sets_gin') AS by_index FROM plan('SELECT n FROM test.sets WHERE s @> ''''') p;
SELECT count(*) FROM test.sets WHERE s @> '';
SELECT count(*) FROM test.sets WHERE s @> NULL;
-- Rows that come and go after the index was made, in its pending list or not.
INSERT INTO test.sets SELECT 10000 + n, s FROM test.sets WHERE n < 400;
DELETE FROM test.sets WHERE n < 200;
SELECT count(*) FILTER (WHERE i.found IS DISTINCT FROM (SELECT array_agg(n + d ORDER BY n + d)
	FROM unnest(q.found) n, (VALUES (0), (10000)) AS v(d) WHERE n + d >= 200)) AS wrong
  FROM test.scanned q, LATERAL (SELECT array_agg(t.n ORDER BY t.n) AS found FROM test.sets t
	WHERE t.s @> q.required AND t.n NOT IN (9000, 9001)) i;
VACUUM test.sets;
SELECT count(*) FILTER (WHERE i.found IS DISTINCT FROM (SELECT array_agg(n + d ORDER BY n + d)
	FROM unnest(q.found) n, (VALUES (0), (10000)) AS v(d) WHERE n + d >= 200)) AS wrong
  FROM test.scanned q, LATERAL (SELECT array_agg(t.n ORDER BY t.n) AS found FROM test.sets t
	WHERE t.s @> q.required AND t.n NOT IN (9000, 9001)) i;
RESET enable_seqscan;
-- An estimate is made for both operators, whatever the statistics.
ANALYZE test.sets;
SELECT count(*) > 0 AS planned
	FROM plan('SELECT FROM test.sets a JOIN test.sets b ON a.s @> b.s WHERE a.s @> ''a'' AND b.s <@ ''*''');
-- The index on tokens answers the question it is for.
INSERT INTO apitoken.realm (id) VALUES ('scopes');
SELECT count(issue('scopes', 't' || n, s::text[])) FROM test.sets WHERE n BETWEEN 200 AND 399;
ANALYZE apitoken._token;
SET enable_seqscan = off;
SELECT bool_or(p ~ '_token_scopes_idx') AS by_index
	FROM plan('SELECT name FROM apitoken._token WHERE scopes @> ''a.b.c b''') p;
SELECT (SELECT count(*) FROM apitoken._token WHERE scopes @> 'a.b.c' AND realm = 'scopes')
	   = (SELECT count(*) FROM test.sets WHERE s @> 'a.b.c' AND n BETWEEN 200 AND 399) AS agree;
RESET enable_seqscan;
SELECT test.drop_realm('scopes');
DROP TABLE test.sets, test.scanned, test.vocabulary;
DROP FUNCTION test.grants;
