-- What pg_dump carries: the rows of all tables; what ANALYZE does not copy: digests.
\pset format unaligned
SELECT t.oid::regclass AS table, c.condition = '' AS all_rows
  FROM pg_class t
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e'
  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'apitoken'
  LEFT JOIN LATERAL unnest(e.extconfig, e.extcondition) AS c(oid, condition) ON c.oid = t.oid
 WHERE t.relkind IN ('r', 'p', 'S') ORDER BY t.relname COLLATE "C";
-- No statistics of digests, however often they are asked for.
SELECT attrelid::regclass, attname, coalesce(attstattarget, -1) AS target FROM pg_attribute
 WHERE atttypid = 'apitoken.digest'::regtype AND attrelid IN (SELECT oid FROM pg_class
	WHERE relkind IN ('r', 'p') AND relnamespace = 'apitoken'::regnamespace) ORDER BY 1, 2;
INSERT INTO apitoken.realm (id) VALUES ('config_dump');
SELECT count(apitoken.issue('config_dump', 'n' || n)) FROM generate_series(1, 300) n;
ANALYZE apitoken._token;
SELECT count(*) FILTER (WHERE attname = 'name') AS of_names, count(*) FILTER (WHERE attname ~ 'digest') AS of_digests
  FROM pg_stats WHERE schemaname = 'apitoken' AND tablename = '_token';
SELECT count(*) AS copies FROM pg_statistic WHERE starelid = 'apitoken._token'::regclass
   AND EXISTS (SELECT FROM apitoken._token t
	WHERE concat(stavalues1, stavalues2, stavalues3, stavalues4, stavalues5) LIKE '%' || t.digest::text || '%');
-- Layout: what verification reads comes first and has a fixed width.
SELECT string_agg(attname, ' ' ORDER BY attnum) FILTER (WHERE attnum <= 10) AS first, bool_and(attlen > 0)
	FILTER (WHERE attnum <= 10) AS fixed,
	   string_agg(attname, ' ' ORDER BY attnum) FILTER (WHERE attnum > 10) AS others
  FROM pg_attribute WHERE attrelid = 'apitoken._token'::regclass AND attnum > 0;
SELECT relname, amname, pg_get_indexdef(i.indexrelid, 1, true) AS first_column,
	pg_get_expr(indpred, indrelid) AS predicate, indisunique
  FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
	WHERE indrelid IN ('apitoken._token'::regclass, 'apitoken._usage'::regclass, 'apitoken.realm'::regclass)
	ORDER BY relname COLLATE "C";
SELECT test.drop_realm('config_dump');
-- The text form of each column of each row reads back as what it was.
INSERT INTO apitoken.realm (id, known_scopes, default_ttl, max_ttl, metadata) VALUES ('config_dump', 'b a.*', '1 day',
	'2 years 1 mon 2 days 03:04:05.6', '{"a": "\""}');
SELECT apitoken.import('config_dump', E'tab\tnewline\n\\N "', sha256 => sha256('config_dump'),
	scopes => '{b,a.x.*}', allowed_addresses => '{10.0.0.0/8}', metadata => '{"b": [1]}',
	expires_in => '1 year -1 day 00:00:00.000001',
	not_before => '2001-01-01 12:34:56.789012Z') IS NOT NULL AS imported;
CREATE FUNCTION pg_temp.round_trip(tab regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE same boolean;
BEGIN
	EXECUTE format('CREATE TEMP TABLE copied (LIKE %s)', tab);
	EXECUTE format('INSERT INTO copied SELECT (jsonb_populate_record(NULL::copied, to_jsonb(t))).* FROM %s t', tab);
	EXECUTE format('SELECT count(*) = 0 FROM (SELECT t::text FROM %1$s t EXCEPT SELECT c::text FROM copied c) d',
	tab) INTO same;
	DROP TABLE copied;
	RETURN same;
END $$;
SELECT t, pg_temp.round_trip(t) FROM unnest('{apitoken.realm,apitoken._token}'::regclass[]) t;
SELECT test.drop_realm('config_dump');
