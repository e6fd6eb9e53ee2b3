-- The extension, and the helpers of all other files.  Every other file needs
-- this one and nothing else, and leaves neither realms nor tokens behind.
CREATE EXTENSION apitoken;
CREATE SCHEMA test;

-- What a statement raises, on one line; "no error" if it raises nothing.
CREATE FUNCTION test.error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' / ', state, message, nullif('detail: ' || detail, 'detail: '),
					 nullif('hint: ' || hint, 'hint: '));
END $$;

-- Only the SQLSTATE, where the message is the server's own.
CREATE FUNCTION test.sqlstate(statement text) RETURNS text
LANGUAGE sql AS $$ SELECT split_part(test.error(statement), ' / ', 1) $$;

-- The documents' own token, and the id that its public part stands for.
CREATE FUNCTION test.sample() RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT 'dt0c01.ST2EY72KQINMH574WMNVI7YN.G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM' $$;

-- Removes a realm with its tokens, past all functions.
CREATE FUNCTION test.drop_realm(id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM apitoken._usage USING apitoken._token t WHERE token_id = t.id AND t.realm = $1;
	DELETE FROM apitoken._token t WHERE t.realm = $1;
	DELETE FROM apitoken.realm r WHERE r.id = $1;
END $$;

-- The plan of a query, without costs.
CREATE FUNCTION test.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;

-- Gives bytes to the receive function of column v of a table: 'same' if the
-- value sends these bytes and its text form reads back as it, else SQLSTATE.
CREATE FUNCTION test.receive(tab regclass, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file bytea := '\x5047434f50590aff0d0a00' || int4send(0) || int4send(0) || int2send(1::int2)
				  || int4send(length(bytes)) || bytes || int2send(-1::int2);
	type regtype := (SELECT atttypid FROM pg_attribute WHERE attrelid = tab AND attname = 'v');
	answer text;
BEGIN
	EXECUTE format('COPY %s FROM PROGRAM %L (FORMAT binary)', tab,
				   format('echo %s | base64 -d', translate(encode(file, 'base64'), E'\n', '')));
	EXECUTE format('DELETE FROM %s RETURNING CASE WHEN %s(v) = $1 AND v::text::%s::text = v::text
				   THEN ''same'' ELSE ''other'' END', tab,
				   (SELECT typsend FROM pg_type WHERE oid = type), type) INTO STRICT answer USING bytes;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
