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

-- Removes a realm with its tokens, past all functions.  Its history stays:
-- a part of it may be sealed.
CREATE FUNCTION test.drop_realm(id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM apitoken._usage USING apitoken._token t WHERE token_id = t.id AND t.realm = $1;
	DELETE FROM apitoken._token t WHERE t.realm = $1;
	DELETE FROM apitoken._idempotency i WHERE i.realm = $1;
	DELETE FROM apitoken.realm r WHERE r.id = $1;
END $$;

-- The events of a realm since one of them (0: all), with what differs from run
-- to run replaced by a word, and without what always says the same.
CREATE FUNCTION test.masked(facts jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(key, CASE
		WHEN key IN ('id', 'last_chars') THEN to_jsonb('<' || key || '>')
		WHEN value::text ~ '^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00"$' THEN '"<time>"'
		WHEN key = 'granted_ttl' AND value::text ~ '\.\d+"$' THEN '"<exact>"'
		ELSE value END), '{}')
	FROM jsonb_each(facts) WHERE key !~ '_by(_name)?$' $$;
CREATE FUNCTION test.events(realm text, since bigint DEFAULT 0) RETURNS TABLE (event text, reason text, old jsonb,
	new jsonb) LANGUAGE sql AS $$
	SELECT e.event, e.reason, CASE WHEN e.old IS NOT NULL THEN test.masked(e.old) END,
		CASE WHEN e.new IS NOT NULL THEN test.masked(e.new) END
	FROM apitoken._event e WHERE e.realm = $1 AND e.id > $2 ORDER BY e.id $$;
-- The latest event of a token, and the latest of all.
CREATE FUNCTION test.last_event(id uuid) RETURNS TABLE (event text, reason text, old jsonb, new jsonb)
LANGUAGE sql AS $$
	SELECT e.event, e.reason, CASE WHEN e.old IS NOT NULL THEN test.masked(e.old) END,
		CASE WHEN e.new IS NOT NULL THEN test.masked(e.new) END
	FROM apitoken._event e WHERE e.token_id = $1 ORDER BY e.id DESC LIMIT 1 $$;
CREATE FUNCTION test.now_event() RETURNS bigint LANGUAGE sql AS $$ SELECT coalesce(max(id), 0) FROM apitoken._event $$;

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
