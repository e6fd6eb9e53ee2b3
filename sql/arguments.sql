-- Every argument of every function, generated from the catalog: NULL, which
-- gives a result or a clean error, never an internal one, never a crash; and in
-- each form in which PostgreSQL keeps a value that may be long, which gives the
-- same as the plain one.  varlena.sql has what is stored of such values.
\pset format unaligned
SET search_path = apitoken, test, public;
INSERT INTO realm (id) VALUES (repeat('an argument, long enough; ', 8));
SELECT import(repeat('an argument, long enough; ', 8), 'subject', sample(), scopes => '{a.b}');
-- A value for each type of argument, and others for arguments that need them,
-- so that all calls succeed in which nothing is NULL.
CREATE TABLE test.special_value (argument text, value text, of_function text DEFAULT '%');
INSERT INTO test.special_value VALUES ('kind', '''user'''), ('scope', '''a.b'''), ('expires_at', 'NULL'),
	('public_id', '''p.ABCDEFGHIJKLMNOPQRSTUVWX'''), ('last_chars', '''ments'''),
	('created_at', '''2001-01-01''::timestamptz'), ('not_before', '''2001-01-01''::timestamptz');
INSERT INTO test.special_value VALUES ('token', 'sample()', 'verif%'), ('token', 'sample()', 'lookup'),
	('token', 'sample()', 'details'), ('sort_field', '''id''', 'list'),
	('sort_direction', '''asc''', 'list'), ('page_offset', '0::bigint', 'list'),
	('page', '0::bigint', 'query'), ('sort_by', '''tokenName''', 'query'),
	('sort_order', '''asc''', 'query'), ('cursor', '''''', '%'),
	('sha256', 'NULL', 'import'), ('clear', '''{}''::text[]', 'update'), ('version', 'NULL', 'update'),
	('token', 'sample()', 'revoke_self'), ('token', 'sample()', 'authenticate'),
	('token', 'repeat(''text-for-arguments'', 8)', 'import'), ('prefix', '''tok''', '_public_id');
CREATE TABLE test.sample_value (type regtype, value text);
INSERT INTO test.sample_value VALUES ('text', 'repeat(''an argument, long enough; '', 8)'), ('text[]', '''{a.b,c}''::text[]'),
	('uuid', '''94f44c7f-4a82-71ac-83f7-fcb31b547f0d''::uuid'), ('bytea', 'sha256(''x'')'),
	('inet', '''10.0.0.1''::inet'), ('inet[]', '''{10.0.0.0/8}''::inet[]'), ('interval', '''1 day''::interval'),
	('timestamptz', '''2999-01-01''::timestamptz'), ('jsonb', '''{}''::jsonb'),
	('integer', '1'), ('bigint', '1::bigint'), ('smallint', '1::smallint'), ('boolean', 'true'),
	('cstring', 'repeat(''0a'', 32)::cstring'), ('digest', 'repeat(''0a'', 32)::digest'),
	('scopes', '''a b''::scopes');
-- All functions of the extension, but those that SQL cannot call: internal
-- arguments, triggers.
CREATE TEMP TABLE callable AS
	SELECT p.oid, p.proname, p.proargtypes::oid[] AS types, p.pronargs, p.proisstrict, p.proargnames AS names,
		p.oid::regprocedure AS signature FROM pg_proc p
	  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	  	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'apitoken')
	 WHERE NOT 'internal'::regtype = ANY (p.proargtypes) AND p.prorettype <> 'trigger'::regtype;
SELECT count(*) > 40 AS many, count(*) FILTER (WHERE NOT types <@ ARRAY(SELECT type::oid FROM test.sample_value))
	AS without_value FROM callable;
-- The arguments of a call, number n being something else; 0: none.
CREATE FUNCTION pg_temp.arguments(function oid, n int, instead text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN t.n = $2 THEN $3 ELSE coalesce(s.value, v.value) END, ', ' ORDER BY t.n)
	  FROM callable c CROSS JOIN unnest(types) WITH ORDINALITY AS t(type, n)
	  	JOIN test.sample_value v ON v.type = t.type::regtype
	  LEFT JOIN test.special_value s ON s.argument = names[t.n] AND c.proname LIKE s.of_function
	 WHERE c.oid = function $$;
-- The call with argument number n NULL.
CREATE FUNCTION pg_temp.call(function oid, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	nothing text := (SELECT 'NULL::' || types[n - 1]::regtype FROM callable c WHERE c.oid = function);
	answer text;
BEGIN
	EXECUTE format('SELECT CASE WHEN x IS NULL THEN ''null'' ELSE ''value'' END FROM (SELECT %s(%s)::text AS x) s',
		function::regproc, pg_temp.arguments(function, n, nothing)) INTO answer;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN answer;
	WHEN OTHERS THEN RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;
-- A STRICT function answers NULL to each; nothing is internal.
SELECT count(*) AS calls, count(*) FILTER (WHERE answer <> 'null') AS otherwise
  FROM (SELECT pg_temp.call(oid, n) AS answer FROM callable, generate_series(1, pronargs) n WHERE proisstrict) c;
-- The others: what they say to none, and to each.
SELECT signature::regproc, pg_temp.call(oid, 0) FROM callable WHERE pg_temp.call(oid, 0) <> 'value'
	ORDER BY signature::text COLLATE "C";
SELECT oid::regproc AS function, n, names[n] AS argument, pg_temp.call(oid, n) AS answer
  FROM callable, generate_series(1, pronargs) n WHERE NOT proisstrict ORDER BY proname COLLATE "C", n;
-- All arguments NULL at once.
SELECT proname, error(format('SELECT %s(%s)', oid::regproc, (SELECT string_agg('NULL::' || t::regtype, ', ')
	FROM unnest(types) t))) FROM callable WHERE NOT proisstrict ORDER BY proname COLLATE "C";
-- Functions for internal use cannot be called at all, triggers only as such.
SELECT replace(sqlstate(format('SELECT apitoken.%I(%s)', proname, (SELECT string_agg('NULL', ', ')
	FROM generate_series(1, pronargs)))), '42883', '0A000') AS answer, count(*) FROM pg_proc
 WHERE pronamespace = 'apitoken'::regnamespace AND ('internal'::regtype = ANY (proargtypes)
	OR prorettype = 'trigger'::regtype) GROUP BY 1 ORDER BY 1;
-- The forms: with a header of one byte, of four, compressed, out of line, and
-- both.  Longer values for some, that they may take them all.
CREATE TABLE test.form (n int, form text, storage text, wide boolean);
INSERT INTO test.form VALUES (1, 'short header', 'MAIN', false), (2, 'long header', 'PLAIN', true),
	(3, 'compressed', 'MAIN', true), (4, 'out of line', 'EXTERNAL', true),
	(5, 'compressed and out of line', 'EXTENDED', true);
CREATE TABLE test.long_value (argument text, type regtype, value text);
INSERT INTO test.long_value VALUES ('%', 'text[]', '(SELECT array_agg(''scope.'' || n) FROM generate_series(1, 40) n)'),
	('%', 'inet[]', '(SELECT array_agg(inet ''10.0.0.0'' + n) FROM generate_series(1, 40) n)'),
	('%', 'scopes', '(SELECT string_agg(''scope.'' || n, '' '') FROM generate_series(1, 40) n)::scopes'),
	('%', 'bytea', 'decode(repeat(''00'', 32), ''hex'')'),
	('metadata', 'jsonb', '(SELECT jsonb_object_agg(''member'' || n, n) FROM generate_series(1, 40) n)'),
	('allowed_scopes', 'jsonb', '(SELECT jsonb_build_object(''generalScopes'', jsonb_agg(n::text)) FROM generate_series(1001, 1040) n)'),
	('body', 'jsonb', '(SELECT jsonb_build_object(''filters'', jsonb_build_object(''tokenStatus'', array_agg(''ACTIVE''::text))) FROM generate_series(1, 40) n)'),
	('scope', 'text', '(SELECT string_agg(''scope.'' || n, '' '') FROM generate_series(1, 40) n)'),
	('token', 'text', '(SELECT string_agg(''text.'' || n, '';'') FROM generate_series(1, 40) n)');
SELECT import(repeat('an argument, long enough; ', 8), 'long', (SELECT string_agg('text.' || n, ';') FROM generate_series(1, 40) n));
-- Uses that are counted while the test runs would show.
SET apitoken.track_usage = off;
SET datestyle = ISO;
-- Arguments of such types, each with its value.
CREATE TEMP TABLE argument AS
	SELECT c.oid AS function, t.n::int, names[t.n] AS name, t.type::regtype, coalesce(l.value, s.value, v.value) AS value
	  FROM callable c CROSS JOIN unnest(types) WITH ORDINALITY AS t(type, n)
	  	JOIN pg_type p ON p.oid = t.type AND p.typlen = -1
	  	JOIN test.sample_value v ON v.type = t.type::regtype
	  LEFT JOIN test.special_value s ON s.argument = names[t.n] AND c.proname LIKE s.of_function
	  LEFT JOIN test.long_value l ON l.type = t.type::regtype AND coalesce(names[t.n], '') LIKE l.argument
	  	AND (l.argument <> 'token' OR s.value = 'sample()');
-- What a call answers to a value of such a form, words for what differs from
-- time to time, and whether the form is what it is called.
CREATE FUNCTION pg_temp.mask(answer text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(regexp_replace($1, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g'),
		'([A-Z2-7]{24}\.)?[A-Z2-7]{64}|[A-Z2-7]{24}', '<text>', 'g'),
		'\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*([+-]\d\d(:\d\d)?|Z)?', '<time>', 'g') $$;
CREATE FUNCTION pg_temp.answer(a argument, f test.form, OUT answer text, OUT real_form boolean) LANGUAGE plpgsql AS $$
BEGIN
	IF f IS NULL THEN
		EXECUTE format('CREATE TEMP VIEW kept AS SELECT %s AS arg', a.value);
	ELSE
		EXECUTE format('CREATE TEMP TABLE kept (arg %s, padding text) WITH (toast_tuple_target = 128)', a.type);
		EXECUTE format('ALTER TABLE kept ALTER arg SET STORAGE %s, ALTER padding SET STORAGE PLAIN', f.storage);
		EXECUTE format('INSERT INTO kept SELECT %s, %L', a.value, CASE WHEN f.wide THEN repeat('p', 2100) ELSE '' END);
		SELECT CASE f.n WHEN 1 THEN NOT out_of_line AND NOT compressed
			WHEN 2 THEN NOT out_of_line AND NOT compressed
			ELSE out_of_line = (f.n >= 4) AND compressed = (f.n <> 4) END
		  FROM (SELECT pg_column_compression(arg) IS NOT NULL AS compressed,
				pg_relation_size((SELECT reltoastrelid FROM pg_class WHERE oid = 'kept'::regclass)) > 0 AS out_of_line
			FROM kept) k INTO real_form;
	END IF;
	EXECUTE format('SELECT pg_temp.mask(string_agg(x::text, ''; '')) FROM (SELECT %s(%s) AS x FROM kept) s',
		a.function::regproc, pg_temp.arguments(a.function, a.n, 'kept.arg')) INTO answer;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN;
	WHEN OTHERS THEN answer := concat_ws(' ', SQLSTATE, SQLERRM);
END $$;
CREATE TEMP TABLE asked AS
	SELECT a.*, f.n AS form_number, f.form, plain.answer AS plain, formed.* FROM argument a
	  CROSS JOIN LATERAL pg_temp.answer(a, NULL) plain
	  CROSS JOIN test.form f CROSS JOIN LATERAL pg_temp.answer(a, f) formed;
SELECT form, count(*) > 100 AS many, count(*) FILTER (WHERE answer IS DISTINCT FROM plain) AS different
  FROM asked GROUP BY form_number, form ORDER BY form_number;
SELECT function::regproc, name, form, plain, answer FROM asked WHERE answer IS DISTINCT FROM plain
	ORDER BY function::regproc::text COLLATE "C", n, form_number;
-- Who gets no such value: what is too short for a form, by its nature.
SELECT name, type, string_agg(DISTINCT form, ', ' ORDER BY form) AS not_as FROM asked WHERE real_form IS FALSE
	GROUP BY name, type ORDER BY name COLLATE "C", type::text COLLATE "C";
DROP EXTENSION pg_trgm CASCADE;
SELECT drop_realm(repeat('an argument, long enough; ', 8));
DROP FUNCTION pg_temp.answer;
DROP TABLE test.sample_value, test.special_value, test.long_value, test.form;
