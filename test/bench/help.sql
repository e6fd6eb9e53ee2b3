-- bench.walk(call, pages): the cursor behind so many pages of a walk; call is
-- a statement that takes a cursor and returns the next.

CREATE SCHEMA bench;
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
