-- Every object of the extension says what it is: those that it lists as its
-- own, and the columns, indexes and triggers of its tables.
\pset format unaligned
CREATE TEMP VIEW member AS
	SELECT classid, objid, 0 AS objsubid FROM pg_depend
	 WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension
	 	WHERE extname = 'apitoken') AND deptype = 'e'
	   -- arrays and rows, which PostgreSQL makes by itself and lists from 17 on
	   AND NOT EXISTS (SELECT FROM pg_type t WHERE classid = 'pg_type'::regclass AND t.oid = objid
	   	AND (typcategory = 'A' OR typrelid <> 0));
CREATE TEMP VIEW described AS
	TABLE member
	UNION ALL
	SELECT 'pg_class'::regclass, attrelid, attnum FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
		JOIN member ON objid = attrelid
	 WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'v', 'm', 'p', 'c')
	UNION ALL
	SELECT 'pg_class'::regclass, indexrelid, 0 FROM pg_index JOIN member ON objid = indrelid
	UNION ALL
	SELECT 'pg_trigger'::regclass, t.oid, 0 FROM pg_trigger t JOIN member ON objid = tgrelid WHERE NOT tgisinternal;
-- None is without a comment.
SELECT (pg_identify_object(classid, objid, objsubid)).type, pg_describe_object(classid, objid, objsubid)
  FROM described d WHERE NOT EXISTS (SELECT FROM pg_description p WHERE p.classoid = d.classid AND p.objoid = d.objid
	AND p.objsubid = d.objsubid AND p.description ~ '\w')
 ORDER BY 1, 2;
-- All kinds of objects have been looked at.
SELECT (pg_identify_object(classid, objid, objsubid)).type, count(*) > 0 AS there FROM described GROUP BY 1
	ORDER BY 1;
-- A comment is a short line without a full stop, and no two columns of a table
-- have the same.
SELECT pg_describe_object(d.classid, d.objid, d.objsubid), description FROM described d
	JOIN pg_description p ON (p.classoid, p.objoid, p.objsubid) = (d.classid, d.objid, d.objsubid)
 WHERE description ~ '\n|^\s|\s$|\.$|^$|.{130}' ORDER BY 1;
SELECT objid::regclass, description, count(*) FROM described d
	JOIN pg_description p ON (p.classoid, p.objoid, p.objsubid) = (d.classid, d.objid, d.objsubid)
 WHERE d.objsubid > 0 GROUP BY 1, 2 HAVING count(*) > 1;
-- Nothing of ours is outside the schema, but for casts.
SELECT pg_describe_object(classid, objid, 0) FROM member, pg_identify_object(classid, objid, 0) i
 WHERE i.schema IS DISTINCT FROM 'apitoken' AND i.type NOT IN ('cast', 'schema') AND i.identity !~ '^apitoken'
	ORDER BY 1;
