-- Arguments in each form in which PostgreSQL keeps a long value: plain, with a
-- short header, compressed in line, out of line, compressed and out of line.
\pset format unaligned
SET search_path = apitoken, test, public;
INSERT INTO realm (id) VALUES ('varlena');
-- A token that compresses well, with a hash that does, and one that does not.
SELECT id, token FROM issue('varlena', 'subject', '{a.b,c}', allowed_addresses => '{10.0.0.0/8,2001:db8::1}',
	metadata => '{"m": "x"}') \gset
SELECT left(string_agg('scope.' || n, ';'), 512) AS long_token FROM generate_series(1, 100) n \gset
SELECT import('varlena', 'long', :'long_token', scopes => (SELECT array_agg('scope.' || n)
	FROM generate_series(1, 100) n)) AS long_id \gset
SELECT import('varlena', 'hash', sha256 => decode(repeat('00', 32), 'hex')) AS hash_id \gset
CREATE TABLE test.form (n int, form text, storage text, wide boolean);
INSERT INTO test.form VALUES (1, 'plain', NULL, false), (2, 'short header', 'MAIN', false),
	(3, 'compressed', 'MAIN', true), (4, 'out of line', 'EXTERNAL', true),
	(5, 'compressed and out of line', 'EXTENDED', true);
-- Calls something with a value that comes in this form from a table.
CREATE FUNCTION pg_temp.through(f test.form, type regtype, value text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	IF f.storage IS NULL THEN
		EXECUTE format('SELECT (%s)::text FROM (SELECT %L::%s AS arg) kept', call, value, type) INTO answer;
		RETURN answer;
	END IF;
	EXECUTE format('CREATE TEMP TABLE kept (arg %s, padding text) WITH (toast_tuple_target = 128)', type);
	EXECUTE format('ALTER TABLE kept ALTER arg SET STORAGE %s, ALTER padding SET STORAGE PLAIN', f.storage);
	EXECUTE format('INSERT INTO kept SELECT %L::%s, %L', value, type, CASE WHEN f.wide THEN repeat('p', 2100)
	ELSE '' END);
	EXECUTE format('SELECT (%s)::text FROM kept', call) INTO answer;
	DROP TABLE kept;
	RETURN answer;
END $$;
-- The forms are what they are called.
SELECT form, pg_temp.through(f, 'text', :'long_token',
	'ARRAY[pg_column_compression(arg) IS NOT NULL, pg_relation_size((SELECT reltoastrelid FROM pg_class WHERE oid = to_regclass(''kept''))) > 0]') AS long_compressed_toasted,
	   pg_temp.through(f, 'text', :'token', 'pg_column_size(arg) - octet_length(arg)') AS header_of_token
  FROM test.form f ORDER BY n;
-- Reading: what is asked, with which value as "arg", and the answer.
CREATE TABLE test.reading (type regtype, value text, call text, expected text);
INSERT INTO test.reading VALUES
	('text', :'token', '(verify(arg, address => ''10.0.0.1'')).outcome', 'valid'),
	('text', :'long_token', '(verify(arg)).outcome', 'valid'),
	('text', repeat('x', 512), '(verify(arg)).outcome', 'unknown'),
	('text', repeat('x', 1000), '(verify(arg)).outcome', 'malformed'),
	('text', :'token', 'verified_id(arg, ''c'', ''10.0.0.1'')', :'id'),
	('text', :'long_token', 'verified_id(arg)', :'long_id'),
	('text', :'token', 'lookup(arg) ->> ''name''', 'subject'),
	('text', :'long_token', 'lookup(arg) ->> ''name''', 'long'), ('text', :'token', 'check_token(arg)', 'true'),
	('text', :'long_token', 'check_token(arg)', 'false'),
	('text', :'long_token', format('token_digest(arg) = token_digest(%L)', :'long_token'), 'true'),
	('text', :'token', format('token_digest(arg) = token_digest(%L)', :'token'), 'true'),
	('bytea', '\x' || repeat('00', 32), '(verify_sha256(arg)).name', 'hash'),
	('bytea', sha256(:'token')::text, '(verify_sha256(arg, ''a.b'', ''::ffff:10.0.0.1'')).outcome', 'valid'),
	('bytea', '\x' || repeat('00', 1000), '(verify_sha256(arg)).outcome', 'malformed'),
	('text', 'scope.1', format('(verify(%L, arg)).outcome', :'long_token'), 'valid'),
	('text', (SELECT string_agg('scope.' || n, ' ') FROM generate_series(1, 100) n),
	format('(verify(%L, arg)).outcome', :'long_token'), 'valid'),
	('text', (SELECT string_agg('scope.' || n, ' ') FROM generate_series(2, 101) n),
	format('(verify(%L, arg)).outcome', :'long_token'), 'scope_denied'),
	('inet', '2001:db8::1', format('(verify(%L, NULL, arg)).outcome', :'token'), 'valid'),
	('inet', '2001:db8::2', format('(verify(%L, NULL, arg)).outcome', :'token'), 'address_denied'),
	('scopes', (SELECT string_agg('scope.' || n, ' ') FROM generate_series(1, 100) n), 'scope_count(arg)', '100'),
	('scopes', (SELECT string_agg('scope.' || n, ' ') FROM generate_series(1, 100) n),
	'scope_count(arg - ''scope.7'') || '' '' || (arg @> ''scope.8'') || '' '' || (arg + arg = arg)', '99 true true'),
	('scopes', (SELECT string_agg('scope.' || n, ' ') FROM generate_series(1, 100) n),
	'md5(arg::text) = md5(array_to_string(arg::text[], '' ''))', 'true'),
	('text', 'p_1', format('_public_id(arg, %L)', '94f44c7f-4a82-71ac-83f7-fcb31b547f0d'),
	'p_1.ST2EY72KQINMH574WMNVI7YN'),
	('text', repeat('x', 512), 'sqlstate(format(''SELECT apitoken.revoke_self(%L)'', arg))', '28000'),
	('text', (SELECT string_agg('scope.' || n, ' ') FROM generate_series(1, 100) n),
	'(SELECT string_agg(name, '','') FROM revoke_all(''varlena'', scope => arg, dry_run => true))', 'long'),
	('text[]', (SELECT array_agg('scope.' || n) FROM generate_series(1, 100) n)::text, 'scope_count(arg::scopes)',
	'100'), ('text', 'varlena' || repeat(' ', 1000),
	'sqlstate(format(''SELECT apitoken.issue(%L, %L)'', arg, ''n''))', '42704');
SELECT form, count(*) AS calls, count(*) FILTER (WHERE answer IS DISTINCT FROM expected) AS wrong
  FROM test.form f CROSS JOIN test.reading, LATERAL pg_temp.through(f, type, value, call) answer GROUP BY f.n, form
	ORDER BY f.n;
-- Storing: each argument of issue() and import() in each form; what is kept is
-- there when the value's own table is gone.
CREATE TABLE test.storing (call text, type regtype, value text, col text);
INSERT INTO test.storing VALUES
	('issue(''varlena'', arg)', 'text', repeat('name', 60), 'name'),
	('issue(''varlena'', ''n'', arg)', 'text[]', (SELECT array_agg('s' || n) FROM generate_series(101, 300) n)::text,
	'scopes::text[]'),
	('issue(''varlena'', ''n'', description => arg)', 'text', repeat('description ', 1000), 'description'),
	('issue(''varlena'', ''n'', principal => arg)', 'text', repeat('p', 255), 'principal'),
	('issue(''varlena'', ''n'', principal_id => arg)', 'text', repeat('p', 255), 'principal_id'),
	('issue(''varlena'', ''n'', client_id => arg)', 'text', repeat('c', 255), 'client_id'),
	('issue(''varlena'', ''n'', environment_id => arg)', 'text', repeat('e', 255), 'environment_id'),
	('issue(''varlena'', ''n'', idp_id => arg)', 'text', repeat('i', 255), 'idp_id'),
	('issue(''varlena'', ''n'', idp_domain => arg)', 'text', repeat('i', 255), 'idp_domain'),
	('issue(''varlena'', ''n'', allowed_addresses => arg)', 'inet[]', (SELECT array_agg(inet '10.0.0.0' + n)
	FROM generate_series(1, 200) n)::text, 'allowed_addresses'),
	('issue(''varlena'', ''n'', allowed_scopes => arg)', 'jsonb', (SELECT jsonb_build_object('generalScopes', jsonb_agg(n::text))
	FROM generate_series(1001, 1200) n)::text, 'allowed_scopes'),
	('issue(''varlena'', ''n'', metadata => arg)', 'jsonb', (SELECT jsonb_build_object('generalScopes', jsonb_agg(n::text))
	FROM generate_series(1001, 1200) n)::text, 'metadata'),
	('issue(''varlena'', ''n'', metadata => arg)', 'jsonb', '{}', 'metadata'),
	('issue(arg, ''n'')', 'text', 'varlena', 'realm'),
	('issue(''varlena'', ''n'', idempotency_key => arg)', 'text', repeat('key', 85), '(SELECT key FROM apitoken._idempotency WHERE token_id = t.id)'),
	(format('update(%L, arg)', :'id'), 'text', repeat('name', 60), 'name'),
	(format('update(%L, scopes => arg)', :'id'), 'text[]', (SELECT array_agg('s' || n) FROM generate_series(101, 300) n)::text, 'scopes::text[]'),
	(format('update(%L, description => arg)', :'id'), 'text', repeat('description ', 1000), 'description'),
	(format('update(%L, metadata => arg)', :'id'), 'jsonb', (SELECT jsonb_build_object('generalScopes', jsonb_agg(n::text))
	FROM generate_series(1001, 1200) n)::text, 'metadata'),
	(format('update(%L, allowed_addresses => arg)', :'id'), 'inet[]', (SELECT array_agg(inet '10.0.0.0' + n)
	FROM generate_series(1, 200) n)::text, 'allowed_addresses'),
	(format('suspend(%L, arg)', :'id'), 'text', repeat('reason ', 1000), 'status_reason'),
	(format('suspend(%L, arg)', :'id'), 'text', repeat('reason ', 1000), '(SELECT reason FROM apitoken._event WHERE token_id = t.id ORDER BY 1 LIMIT 1)'),
	('issue(''varlena'', ''n'', kind => arg)', 'text', 'client', 'CASE kind WHEN ''c'' THEN ''client'' END'),
	('import(''varlena'', ''n'', arg)', 'text', repeat('foreign_', 64),
	'CASE WHEN digest OPERATOR(apitoken.=) token_digest(repeat(''foreign_'', 64)) THEN repeat(''foreign_'', 64) END'),
	('import(''varlena'', ''n'', sha256 => arg)', 'bytea', '\x' || repeat('ab', 32),
	'CASE WHEN verified_id IS NOT NULL THEN ''\x'' || repeat(''ab'', 32) END'),
	('import(''varlena'', ''n'', sha256 => sha256(''1''), public_id => arg)', 'text',
	'aaaaaaaaaaaaaaaa.AAAAAAAAAAAAAAAAAAAAAAAA', '_public_id(prefix, id)'),
	('import(''varlena'', ''n'', sha256 => sha256(''2''), last_chars => arg)', 'text', 'aaaaa', 'last_chars');
CREATE FUNCTION pg_temp.stored(f test.form, s test.storing) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE kept uuid; same boolean;
BEGIN
	BEGIN
		kept := (regexp_match(pg_temp.through(f, s.type, s.value, s.call), '[0-9a-f-]{36}'))[1];
		EXECUTE format('SELECT (%s)::text = $1::%s::text FROM apitoken._token t, LATERAL (SELECT (verify_sha256(decode(repeat(''ab'', 32), ''hex''))).id AS verified_id) v WHERE id = $2',
		s.col, s.type) INTO same USING s.value, kept;
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	END;
	RETURN same;
END $$;
SELECT form, count(*) AS calls, count(*) FILTER (WHERE pg_temp.stored(f, s) IS NOT TRUE) AS wrong FROM test.form f
	CROSS JOIN test.storing s GROUP BY f.n, form ORDER BY f.n;
SELECT form, call FROM test.form f CROSS JOIN test.storing s WHERE pg_temp.stored(f, s) IS NOT TRUE;
-- A reason in each form.
CREATE FUNCTION pg_temp.reason(f test.form, id uuid) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE kept text;
BEGIN
	PERFORM pg_temp.through(f, 'text', repeat('reason ', 2000), format('suspend(%L, arg)', id));
	SELECT status_reason FROM apitoken.tokens t WHERE t.id = reason.id INTO kept;
	PERFORM apitoken.activate(id);
	RETURN length(kept);
END $$;
SELECT form, pg_temp.reason(f, :'id') FROM test.form f ORDER BY n;
-- The row of a token itself may be long, and so may what verification reads of it.
SELECT token AS wide_token FROM issue('varlena', repeat('n', 255), (SELECT array_agg(md5(n::text) || '.x')
	FROM generate_series(1, 400) n), description => repeat('d', 100000),
	allowed_addresses => (SELECT array_agg(inet '10.0.0.0' + n * 7) FROM generate_series(1, 3000) n),
		metadata => (SELECT jsonb_object_agg(n, md5(n::text)) FROM generate_series(1, 3000) n)) \gset
SELECT outcome, cardinality(scopes) AS scopes, length(metadata::text) > 100000 AS metadata
	FROM verify(:'wide_token', md5('7') || '.x ' || md5('400') || '.x', '10.0.82.8');
SELECT outcome FROM verify(:'wide_token', md5('7') || '.y', inet '10.0.0.0' + 7 * 3000);
SELECT outcome FROM verify(:'wide_token', NULL, inet '10.0.0.0' + 7 * 3001);
SELECT jsonb_array_length(lookup(:'wide_token') -> 'scopes') AS scopes;
SELECT drop_realm('varlena');
DROP FUNCTION pg_temp.through, pg_temp.stored, pg_temp.reason;
DROP TABLE test.form, test.reading, test.storing;
