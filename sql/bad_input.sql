-- Bad input, one line each: SQLSTATE, message, detail and hint.  None of them
-- repeats what was presented, which may be a secret in the wrong place.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('bad_input'), ('bad_input/other');
INSERT INTO apitoken.realm (id, enabled) VALUES ('bad_input/off', false);
INSERT INTO apitoken.realm (id, max_ttl) VALUES ('bad_input/max', '30 days');
INSERT INTO apitoken.realm (id, known_scopes) VALUES ('bad_input/known', 'a');
SELECT id, token FROM apitoken.issue('bad_input', 'there already') \gset
CREATE TABLE test.canary AS SELECT 'canary.ABCDEFGHIJKLMNOPQRSTUVWX.CANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYABCD'::text AS token;
-- Runs a call in which $token stands for that secret, and undoes it.
CREATE TABLE test.answers (answer text);
CREATE FUNCTION test.attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	BEGIN
		answer := test.error('SELECT apitoken.' || replace(call, '$token', (SELECT token FROM test.canary)));
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	END;
	INSERT INTO test.answers VALUES (answer);
	RETURN answer;
END $$;

-- issue()
SELECT call, test.attempt(call) FROM unnest(ARRAY[
	'issue(''no such realm'', ''n'')',
	'issue('''', ''n'')',
	'issue(NULL, ''n'')',
	'issue(''BAD_INPUT'', ''n'')',
	'issue(''$token'', ''n'')',
	'issue(''bad_input/off'', ''n'')',
	'issue(''bad_input'', NULL)',
	'issue(''bad_input'', '''')',
	'issue(''bad_input'', ''   '')',
	'issue(''bad_input'', E''\t\r\n'')',
	'issue(''bad_input'', ''$token'' || repeat(''n'', 256))',
	'issue(''bad_input'', repeat(''n'', 256))',
	'issue(''bad_input'', repeat(''n'', 255))',
	'issue(''bad_input'', repeat(''ü'', 256))',
	'issue(''bad_input'', repeat(''ü'', 255))',
	'issue(''bad_input'', repeat(''😀'', 255))',
	'issue(''bad_input'', ''ü'')',
	'issue(''bad_input'', ''n'', NULL)',
	'issue(''bad_input'', ''n'', ''{a,NULL}'')',
	'issue(''bad_input'', ''n'', ''{a,""}'')',
	'issue(''bad_input'', ''n'', ''{a b}'')',
	'issue(''bad_input'', ''n'', ''{a*}'')',
	'issue(''bad_input'', ''n'', ARRAY[''x'', ''$token "''])',
	'issue(''bad_input'', ''n'', ARRAY[repeat(''s'', 256)])',
	'issue(''bad_input'', ''n'', ''not an array'')',
	'issue(''bad_input'', ''n'', expires_in => ''1 day'', expires_at => now() + interval ''1 day'')',
	'issue(''bad_input'', ''n'', expires_at => now() - interval ''1 second'')',
	'issue(''bad_input'', ''n'', expires_in => ''-1 day'')',
	'issue(''bad_input'', ''n'', expires_in => ''0'')',
	'issue(''bad_input/max'', ''n'', expires_in => ''31 days'')',
	'issue(''bad_input/max'', ''n'', expires_at => ''infinity'')',
	'issue(''bad_input/max'', ''n'')',
	'issue(''bad_input'', ''n'', not_before => ''infinity'')',
	'issue(''bad_input'', ''n'', not_before => ''2999-01-01'', expires_in => ''1 day'')',
	'issue(''bad_input'', ''n'', kind => NULL)',
	'issue(''bad_input'', ''n'', kind => '''')',
	'issue(''bad_input'', ''n'', kind => ''User'')',
	'issue(''bad_input'', ''n'', kind => ''$token'')',
	'issue(''bad_input'', ''n'', kind => ''u'')',
	'issue(''bad_input'', ''n'', kind => ''users'')',
	'issue(''bad_input'', ''n'', principal => '''')',
	'issue(''bad_input'', ''n'', principal_id => ''  '')',
	'issue(''bad_input'', ''n'', client_id => repeat(''c'', 256))',
	'issue(''bad_input'', ''n'', environment_id => '''')',
	'issue(''bad_input'', ''n'', idp_id => '''')',
	'issue(''bad_input'', ''n'', idp_domain => ''$token'' || repeat(''d'', 256))',
	'issue(''bad_input'', ''n'', allowed_addresses => ''{10.0.0.1,NULL}'')',
	'issue(''bad_input'', ''n'', allowed_addresses => ''{10.0.0.0/8,10.0.0.1/8}'')',
	'issue(''bad_input'', ''n'', allowed_addresses => ''{2001:db8::1/64}'')',
	'issue(''bad_input'', ''n'', allowed_addresses => ''{::ffff:10.0.0.1/100}'')',
	'issue(''bad_input'', ''n'', allowed_scopes => ''[]'')',
	'issue(''bad_input'', ''n'', allowed_scopes => ''"$token"'')',
	'issue(''bad_input'', ''n'', metadata => ''[{}]'')',
	'issue(''bad_input'', ''n'', metadata => ''null'')',
	'issue(''bad_input'', ''n'', metadata => ''"$token"'')',
	'issue(''bad_input'', ''n'', metadata => ''1'')',
	'issue(''bad_input'', ''n'', access_token_ttl => ''0'')',
	'issue(''bad_input'', ''n'', access_token_ttl => ''-1 hour'')'
	]) WITH ORDINALITY AS c(call, n) ORDER BY n;

-- import(): what is said of the attributes holds here as well.
SELECT call, test.attempt(call) FROM unnest(ARRAY[
	'import(''no such realm'', ''n'', ''$token'')',
	'import(NULL, ''n'', ''$token'')',
	'import(''bad_input/off'', ''n'', ''$token'')',
	'import(''bad_input'', ''n'')',
	'import(''bad_input'', ''n'', ''$token'', sha256(''$token''))',
	'import(''bad_input'', ''n'', token => NULL, sha256 => NULL)',
	'import(''bad_input'', ''n'', '''')',
	'import(''bad_input'', ''n'', ''1234567'')',
	'import(''bad_input'', ''n'', ''$token '')',
	'import(''bad_input'', ''n'', '' $token'')',
	'import(''bad_input'', ''n'', ''$token'' || E''\n'')',
	'import(''bad_input'', ''n'', ''$token'' || ''ü'')',
	'import(''bad_input'', ''n'', ''$token'' || chr(127))',
	'import(''bad_input'', ''n'', rpad(''$token'', 513, ''x''))',
	'import(''bad_input'', ''n'', sha256 => '''')',
	'import(''bad_input'', ''n'', sha256 => substr(sha256(''$token''), 2))',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token'') || ''\x00'')',
	'import(''bad_input'', ''n'', sha256 => encode(sha256(''$token''), ''hex'')::bytea)',
	'import(''bad_input'', ''n'', sha256 => ''$token'')',
	'import(''bad_input'', NULL, ''$token'')',
	'import(''bad_input'', '''', ''$token'')',
	'import(''bad_input'', repeat(''n'', 256), ''$token'')',
	'import(''bad_input'', ''n'', ''$token'', scopes => ''{a*}'')',
	'import(''bad_input'', ''n'', ''$token'', scopes => NULL)',
	'import(''bad_input'', ''n'', ''$token'', kind => ''robot'')',
	'import(''bad_input'', ''n'', ''$token'', metadata => ''[]'')',
	'import(''bad_input'', ''n'', ''$token'', allowed_addresses => ''{10.0.0.1/8}'')',
	'import(''bad_input'', ''n'', ''$token'', expires_at => ''1999-01-01'')',
	'import(''bad_input'', ''n'', ''$token'', expires_in => ''1 day'', expires_at => ''2999-01-01'')',
	'import(''bad_input/max'', ''n'', ''$token'', expires_in => ''31 days'')',
	'import(''bad_input'', ''n'', ''$token'', public_id => ''canary.ABCDEFGHIJKLMNOPQRSTUVWY'')',
	'import(''bad_input'', ''n'', ''$token'', public_id => ''other.ABCDEFGHIJKLMNOPQRSTUVWX'')',
	'import(''bad_input'', ''n'', ''$token'', public_id => ''$token'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''$token'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => '''')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''ABCDEFGHIJKLMNOPQRSTUVWX'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''.ABCDEFGHIJKLMNOPQRSTUVWX'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''a.ABCDEFGHIJKLMNOPQRSTUVW'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''a.ABCDEFGHIJKLMNOPQRSTUVW1'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''a.abcdefghijklmnopqrstuvwx'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''a-b.ABCDEFGHIJKLMNOPQRSTUVWX'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), public_id => ''abcdefghijklmnopq.ABCDEFGHIJKLMNOPQRSTUVWX'')',
	'import(''bad_input'', ''n'', ''$token'', last_chars => ''YABCD'')',
	'import(''bad_input'', ''n'', ''$token'', last_chars => ''WRONG'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), last_chars => '''')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), last_chars => ''123456'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), last_chars => ''a b'')',
	'import(''bad_input'', ''n'', sha256 => sha256(''$token''), last_chars => ''ü'')',
	'import(''bad_input'', ''n'', ''$token'', created_at => now() + interval ''1 hour'')',
	'import(''bad_input'', ''n'', ''$token'', created_at => ''-infinity'')'
	]) WITH ORDINALITY AS c(call, n) ORDER BY n;

-- Verification raises for a bad question, never for a bad token.
SELECT call, test.attempt(call) FROM unnest(ARRAY[
	'verify(''$token'', '''')',
	'verify(''$token'', ''   '')',
	'verify(''$token'', ''a*'')',
	'verify(''$token'', ''a  b"'')',
	'verify(''$token'', ''$token\'')',
	'verify(''$token'', E''\t'')',
	'verify(''$token'', repeat(''s'', 256))',
	'verify_sha256(sha256(''$token''), '''')',
	'verify_sha256(sha256(''$token''), ''a.**'')',
	'verified_id(''$token'', '' '')',
	'verified_id(''$token'', ''*x'')',
	'verify(NULL, '''')',
	'verify('''', ''a*'')',
	'verify_sha256('''', '' '')',
	'verified_id(NULL, '''')',
	'verify(''$token'', NULL, NULL)',
	'verify('''')',
	'verify(NULL)',
	'verify_sha256('''')',
	'verify_sha256(NULL)',
	'verified_id('''')',
	'verify(repeat(''$token'', 10000))',
	'verify_sha256(repeat(''x'', 1000000)::bytea)',
	'verify(''ü'' || ''$token'')',
	'lookup(NULL)',
	'lookup('''')',
	'lookup(repeat(''$token'', 10000))'
	]) WITH ORDINALITY AS c(call, n) ORDER BY n;
-- A bad address is the server's own error, which repeats the address.
SELECT test.sqlstate('SELECT apitoken.verify(''12345678'', address => ''10.0.0.256'')'),
	test.sqlstate('SELECT apitoken.verify(''12345678'', address => '''')'),
	   test.sqlstate('SELECT apitoken.issue(''bad_input'', ''n'', allowed_addresses => ''{10.0.0.0/33}'')');
-- Change of state.
SELECT call, test.attempt(call) FROM unnest(ARRAY[
	'suspend(NULL)',
	'activate(NULL)',
	'revoke(NULL)',
	'suspend(NULL, ''reason'')',
	'suspend(''00000000-0000-0000-0000-000000000000'')',
	'activate(''00000000-0000-0000-0000-000000000000'')',
	'revoke(''00000000-0000-0000-0000-000000000000'', ''$token'')'
	]) WITH ORDINALITY AS c(call, n) ORDER BY n;
SELECT test.sqlstate('SELECT apitoken.revoke(''tok.AAAAAAAAAAAAAAAAAAAAAAAA'')');

-- update(), revoke_self(), revoke_all() and keys: a secret in the arguments that
-- we read ourselves.
SELECT call, test.attempt(replace(call, '<id>', quote_literal(:'id'))) FROM unnest(ARRAY[
	'update(<id>, ''$token'' || repeat(''n'', 256))', 'update(<id>, scopes => ARRAY[''x'', ''$token "''])',
	'update(<id>, clear => ARRAY[''$token''])', 'update(<id>, principal => ''$token'' || repeat(''n'', 256))',
	'update(<id>, metadata => to_jsonb(''$token''::text))',
	'update(<id>, version => ''1''::bigint - 1)',
	'revoke_self(''$token'')', 'revoke_self(''$token '')', 'revoke_self(repeat(''$token'', 10))',
	'revoke_all(''bad_input'', scope => ''$token "'')', 'revoke_all(''bad_input'', scope => '' '')',
	'issue(''bad_input'', ''n'', idempotency_key => ''$token'' || repeat(''k'', 256))',
	'issue(''bad_input/known'', ''n'', ARRAY[''$token''])'
	]) WITH ORDINALITY c(call, n) ORDER BY n;
-- Not one of these messages has eight characters of the secret in a row.
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE EXISTS (
		SELECT FROM test.canary, generate_series(1, length(token) - 7) i
			WHERE position(substr(token, i, 8) IN answer) > 0)) AS with_secret,
	   count(*) FILTER (WHERE answer ~ '^XX') AS internal FROM test.answers;
SELECT count(test.drop_realm(r.id)) FROM apitoken.realm r WHERE r.id LIKE 'bad\_input%';
DROP TABLE test.canary, test.answers;
DROP FUNCTION test.attempt;
