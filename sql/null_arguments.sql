-- Every function with every single argument NULL, generated from the catalog:
-- a result or a clean error, never an internal one, never a crash.
\pset format unaligned
SET search_path = apitoken, test, public;
INSERT INTO realm (id) VALUES ('null_arguments');
SELECT import('null_arguments', 'subject', sample(), scopes => '{a.b}');
-- A value for each type of argument, and others for arguments that need them,
-- so that all calls succeed in which nothing is NULL.
CREATE TABLE test.special_value (argument text, value text, of_function text DEFAULT '%');
INSERT INTO test.special_value VALUES ('kind', '''user'''), ('scope', '''a.b'''), ('expires_at', 'NULL'),
	('public_id', '''p.ABCDEFGHIJKLMNOPQRSTUVWX'''), ('last_chars', '''nts'''),
	('created_at', '''2001-01-01''::timestamptz'), ('not_before', '''2001-01-01''::timestamptz');
INSERT INTO test.special_value VALUES ('token', 'sample()', 'verif%'), ('token', 'sample()', 'lookup'),
	('token', 'sample()', 'details'), ('sort_field', '''id''', 'list'),
	('sort_direction', '''asc''', 'list'), ('page_offset', '0::bigint', 'list'),
	('page', '0::bigint', 'query'), ('sort_by', '''tokenName''', 'query'),
	('sort_order', '''asc''', 'query'), ('cursor', '''''', '%'),
	('sha256', 'NULL', 'import'), ('clear', '''{}''::text[]', 'update'), ('version', 'NULL', 'update'),
	('token', 'sample()', 'revoke_self'), ('token', 'sample()', 'authenticate');
CREATE TABLE test.sample_value (type regtype, value text);
INSERT INTO test.sample_value VALUES ('text', '''null_arguments'''), ('text[]', '''{a.b,c}''::text[]'),
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
-- The call with argument number n NULL; 0: none.
CREATE FUNCTION pg_temp.call(function oid, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text; arguments text;
BEGIN
	SELECT string_agg(CASE WHEN t.n = call.n THEN 'NULL::' || t.type::regtype ELSE coalesce(s.value, v.value) END,
		', ' ORDER BY t.n)
	  FROM callable c CROSS JOIN unnest(types) WITH ORDINALITY AS t(type, n)
	  	JOIN test.sample_value v ON v.type = t.type::regtype
	  LEFT JOIN test.special_value s ON s.argument = names[t.n] AND c.proname LIKE s.of_function
	  	WHERE c.oid = function INTO arguments;
	BEGIN
		EXECUTE format('SELECT CASE WHEN x IS NULL THEN ''null'' ELSE ''value'' END FROM (SELECT %s(%s)::text AS x) s',
		function::regproc, arguments) INTO answer;
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN answer;
		WHEN OTHERS THEN RETURN concat_ws(' ', SQLSTATE, SQLERRM);
	END;
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
SELECT sqlstate(format('SELECT apitoken.%I(%s)', proname, (SELECT string_agg('NULL', ', ')
	FROM generate_series(1, pronargs)))) AS answer, count(*) FROM pg_proc
 WHERE pronamespace = 'apitoken'::regnamespace AND ('internal'::regtype = ANY (proargtypes)
	OR prorettype = 'trigger'::regtype) GROUP BY 1 ORDER BY 1;
DROP EXTENSION pg_trgm CASCADE;
SELECT drop_realm('null_arguments');
DROP TABLE test.sample_value, test.special_value;
