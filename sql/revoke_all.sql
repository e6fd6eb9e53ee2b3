-- revoke_all(): revokes the tokens of a realm that match, and names them.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('revoke_all'), ('revoke_all/other');
CREATE FUNCTION pg_temp.fill() RETURNS void LANGUAGE sql AS $$
	SELECT count(apitoken.issue(r, name, scopes, principal => p, client_id => c)) FROM (VALUES
		('revoke_all', 'plain', '{}'::text[], NULL, NULL), ('revoke_all', 'john', '{a.read}', 'john', NULL),
		('revoke_all', 'john at c1', '{a.*}', 'john', 'c1'), ('revoke_all', 'jane at c1', '{*}', 'jane', 'c1'),
		('revoke_all', 'jane at c2', '{b.read,a.read}', 'jane', 'c2'),
		('revoke_all/other', 'john elsewhere', '{a.read}', 'john', 'c1')) AS v(r, name, scopes, p, c) $$;
SELECT pg_temp.fill();
-- What each selection names; a dry run changes nothing, and neither does what is undone.
CREATE FUNCTION pg_temp.matched(arguments text, OUT dry text, OUT revoked text, OUT states text) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		EXECUTE format('SELECT string_agg(name, '', '' ORDER BY name) FROM apitoken.revoke_all(%s, dry_run => true)', arguments) INTO dry;
		PERFORM FROM apitoken._token WHERE status <> 'a' AND realm LIKE 'revoke_all%';
		IF FOUND THEN RAISE 'a dry run changed something'; END IF;
		EXECUTE format('SELECT string_agg(name, '', '' ORDER BY name) FROM apitoken.revoke_all(%s)', arguments) INTO revoked;
		states := (SELECT string_agg(name, ', ' ORDER BY name) FROM apitoken._token WHERE status = 'r' AND realm LIKE 'revoke_all%');
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	END;
END $$;
SELECT arguments, m.dry, m.dry = m.revoked AND m.revoked = m.states AS same FROM unnest(ARRAY['''revoke_all''', '''revoke_all'', ''john''',
	'''revoke_all'', client_id => ''c1''', '''revoke_all'', ''jane'', ''c1''', '''revoke_all'', scope => ''a.read''',
	'''revoke_all'', scope => ''a.*''', '''revoke_all'', scope => ''a.read b.read''', '''revoke_all'', ''john'', scope => ''a.write''',
	'''revoke_all'', ''nobody''', '''revoke_all'', ''John''', '''no such realm''', '''revoke_all/other'''])
	WITH ORDINALITY a(arguments, n), pg_temp.matched(arguments) m ORDER BY n;
-- Each by the ordinary way: reason, event, stamps; in the order of ids.
SELECT status FROM apitoken.suspend((SELECT id FROM apitoken._token WHERE name = 'john' AND realm = 'revoke_all')) \gset
SELECT test.now_event() AS before \gset
SELECT name, r.id = t.id AS same FROM apitoken.revoke_all('revoke_all', 'john', reason => 'left the company') r JOIN apitoken._token t USING (id, name) ORDER BY name;
SELECT * FROM test.events('revoke_all', :before) ORDER BY old ->> 'status';
SELECT name, status, status_reason, version FROM apitoken._token WHERE realm = 'revoke_all' ORDER BY name;
-- Those that are revoked are not named again.
SELECT name FROM apitoken.revoke_all('revoke_all', 'john');
SELECT name FROM apitoken.revoke_all('revoke_all', 'john', dry_run => true);
-- Arguments.
SELECT arguments, test.error(format('SELECT apitoken.revoke_all(%s)', arguments)) FROM unnest(ARRAY['NULL', '''revoke_all'', scope => ''''',
	'''revoke_all'', scope => ''  ''', '''revoke_all'', scope => ''a*''', '''revoke_all'', dry_run => NULL']) WITH ORDINALITY a(arguments, n) ORDER BY n;
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.revoke_all(''revoke_all'')');
BEGIN READ ONLY;
SELECT name FROM apitoken.revoke_all('revoke_all', dry_run => true) ORDER BY name;
ROLLBACK;
-- Data that looks like SQL is data.
SELECT count(*) FROM apitoken.revoke_all('revoke_all', ''' OR true --', '"; DROP TABLE x; --');
-- Many.
SELECT count(apitoken.issue('revoke_all', 'bulk', principal => 'bulk')) FROM generate_series(1, 500);
SELECT count(*), count(DISTINCT id) FROM apitoken.revoke_all('revoke_all', 'bulk');
SELECT bool_and(token_id > previous) AS in_order FROM (SELECT token_id, lag(token_id) OVER (ORDER BY id) AS previous
	FROM apitoken._event WHERE realm = 'revoke_all' AND event = 'revoked' AND reason IS NULL) e;
-- Scopes by their index.
SET enable_seqscan = off;
SELECT * FROM test.plan('SELECT id FROM apitoken._token t WHERE t.scopes OPERATOR(apitoken.@>) ''a.read''::text::apitoken.scopes');
RESET enable_seqscan;
SELECT test.drop_realm(r) FROM unnest('{revoke_all,revoke_all/other}'::text[]) r;
