-- What the script needs in a database that it measures.

CREATE SCHEMA bench;

-- The text of token i of fill.sql: as long as one of issue(), and ending in
-- digits, because pgbench can choose those at random.
CREATE FUNCTION bench.token(i bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN 'tok.BENCHMARKBENCHMARKBENCHM.' || repeat('MADEBYFILLSQL', 4) || 'OF' ||
		(1000000000 + i)::text;

-- bench.walk(call, pages): the cursor behind so many pages of a walk; call is
-- a statement that takes a cursor and returns the next.
CREATE FUNCTION bench.walk(call text, pages integer) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	place text := '';
BEGIN
	FOR i IN 1 .. pages LOOP
		EXECUTE call INTO place USING place;
	END LOOP;
	RETURN place;
END
$$;

-- What must be the same of two answers: all but the text of cursors.
CREATE FUNCTION bench.plain(answer jsonb) RETURNS jsonb
	LANGUAGE sql
	RETURN CASE WHEN answer ? 'next_cursor'
		THEN answer - '{next_cursor,links}'::text[] || jsonb_build_object('more', answer -> 'next_cursor' <> 'null',
			'links', jsonb_path_query_array(answer, '$.links[*].rel'))
		ELSE answer END;
