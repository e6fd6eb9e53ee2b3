-- rotate(): a new secret for the same token, a grace for the old one.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id, prefix) VALUES ('rotate', 'rot');
SELECT id, token, public_id FROM apitoken.issue('rotate', 'subject', '{a}') \gset
SELECT test.now_event() AS before \gset
-- What it answers: same id and public id, another secret, and a sound one.
SELECT id AS new_id, token AS new_token, public_id AS new_public_id, expires_at IS NULL AS never
	FROM apitoken.rotate(:'id') \gset
SELECT :'new_id' = :'id' AS same_id, :'new_public_id' = :'public_id' AS same_public_id, :'new_token' <> :'token' AS other_secret,
	:'new_token' LIKE :'public_id' || '.%' AS begins_with_it, apitoken.check_token(:'new_token'), :'never' AS never;
-- Without a grace the old secret ends at once: its use is a sign of theft.
SELECT outcome FROM apitoken.verify(:'new_token');
SELECT outcome, id = :'id' AS id, name FROM apitoken.verify(:'token');
-- The row: a modification.
SELECT version, previous_expires_at <= now() AS ended, last_chars = right(:'new_token', 5) AS last_chars,
	digest OPERATOR(apitoken.=) apitoken.token_digest(:'new_token') AS digest,
	previous_digest OPERATOR(apitoken.=) apitoken.token_digest(:'token') AS previous, key_id,
	updated_at > created_at AS updated, rotated_at = updated_at AS rotated, granted_ttl, expires_at
	FROM apitoken._token WHERE id = :'id';
SELECT * FROM test.events('rotate', :before);
-- With a grace both work; rotated again within it, the oldest is forgotten.
SELECT token AS third FROM apitoken.rotate(:'id', '1 hour') \gset
SELECT outcome, expires_at - now() BETWEEN '59 min' AND '1 hour' AS till_grace_ends FROM apitoken.verify(:'new_token');
SELECT outcome, expires_at FROM apitoken.verify(:'third');
SELECT outcome FROM apitoken.verify(:'token');
SELECT token AS fourth FROM apitoken.rotate(:'id', '1 hour') \gset
SELECT (apitoken.verify(t)).outcome FROM unnest(ARRAY[:'token', :'new_token', :'third', :'fourth']) WITH ORDINALITY u(t, n)
	ORDER BY n;
-- The grace passes.
UPDATE apitoken._token SET previous_expires_at = clock_timestamp() - interval '1 second' WHERE id = :'id';
SELECT (apitoken.verify(t)).outcome FROM unnest(ARRAY[:'third', :'fourth']) WITH ORDINALITY u(t, n) ORDER BY n;
-- Graces that are none.
SELECT grace, test.error(format('SELECT apitoken.rotate(%L, %L)', :'id', grace))
	FROM unnest('{-1 second,1 day -25 hours,-1 month}'::interval[]) grace;
SELECT test.error(format('SELECT apitoken.rotate(%L, grace => NULL)', :'id'));
SELECT test.sqlstate(format('SELECT apitoken.rotate(%L, ''infinity'')', :'id')) IN ('22007', '22023') AS infinite_refused;
SELECT version FROM apitoken._token WHERE id = :'id';
-- A grace never passes the old secret's own expiry, though the token lives on.
SELECT id AS short_id, token AS short FROM apitoken.issue('rotate', 'short', expires_in => '1 hour') \gset
SELECT expires_at - now() > '20 hours' AS renewed FROM apitoken.rotate(:'short_id', '10 hours', '1 day');
SELECT outcome, expires_at - now() BETWEEN '59 min' AND '1 hour' AS till_its_own_end FROM apitoken.verify(:'short');
-- Expiry: given; the realm's default; else what it was.
INSERT INTO apitoken.realm (id, default_ttl, max_ttl) VALUES ('rotate/none', NULL, NULL), ('rotate/default', '90 days', NULL),
	('rotate/max', NULL, '1 year'), ('rotate/both', '90 days', '1 year');
CREATE FUNCTION pg_temp.renewed(realm text, arguments text, OUT granted_ttl interval, OUT life text, OUT error text)
LANGUAGE plpgsql AS $$
DECLARE subject uuid; old timestamptz;
BEGIN
	SELECT id, expires_at FROM apitoken.issue(realm, 'n', expires_in => '10 days') INTO subject, old;
	error := test.error(format('SELECT apitoken.rotate(%L, %s)', subject, arguments));
	SELECT t.granted_ttl, CASE WHEN expires_at = old THEN 'as before' WHEN expires_at IS NULL THEN 'for ever'
		WHEN expires_at = updated_at + t.granted_ttl THEN 'from now' END
		FROM apitoken._token t WHERE t.id = subject INTO granted_ttl, life;
END $$;
SELECT realm, arguments, r.granted_ttl, r.life, r.error
	FROM unnest('{rotate/none,rotate/default,rotate/max,rotate/both}'::text[]) WITH ORDINALITY AS c(realm, n),
		unnest(ARRAY['grace => ''0''', 'expires_in => ''2 days''', 'expires_in => ''400 days''', 'expires_at => ''infinity''',
			'expires_in => ''1 day'', expires_at => ''2999-01-01Z''', 'expires_at => ''2001-01-01Z''', 'expires_in => ''0'''])
			WITH ORDINALITY AS a(arguments, m), pg_temp.renewed(realm, arguments) r ORDER BY n, m;
-- One that never expires stays so only where the realm has no limit by now.
SELECT id AS never_id FROM apitoken.issue('rotate', 'never') \gset
UPDATE apitoken.realm SET max_ttl = '1 year' WHERE id = 'rotate';
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'never_id'));
SELECT expires_at IS NOT NULL AS limited FROM apitoken.rotate(:'never_id', expires_in => '1 year');
UPDATE apitoken.realm SET max_ttl = NULL WHERE id = 'rotate';
-- An expired token is renewed by it, one that is not valid yet must not end before it begins.
SELECT id AS expired_id FROM apitoken.issue('rotate', 'expired', not_before => '2001-01-01Z', expires_in => '1 hour') \gset
UPDATE apitoken._token SET expires_at = '2002-01-01Z' WHERE id = :'expired_id';
SELECT token AS renewed FROM apitoken.rotate(:'expired_id', '1 day', '1 day') \gset
SELECT outcome FROM apitoken.verify(:'renewed');
SELECT previous_expires_at FROM apitoken._token WHERE id = :'expired_id';
SELECT id AS later_id FROM apitoken.issue('rotate', 'later', not_before => '2999-01-01Z') \gset
SELECT test.error(format('SELECT apitoken.rotate(%L, expires_in => ''1 day'')', :'later_id'));
-- States: suspended too, revoked not; a disabled realm gives no secrets.
SELECT status FROM apitoken.suspend(:'expired_id');
SELECT token AS suspended FROM apitoken.rotate(:'expired_id') \gset
SELECT outcome FROM apitoken.verify(:'suspended');
SELECT status FROM apitoken.revoke(:'expired_id');
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'expired_id'));
UPDATE apitoken.realm SET enabled = false WHERE id = 'rotate';
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'id'));
UPDATE apitoken.realm SET enabled = true WHERE id = 'rotate';
SELECT test.error('SELECT apitoken.rotate(NULL)'),
	test.error('SELECT apitoken.rotate(''94f44c7f-4a82-71ac-83f7-000000000000'')');
SELECT test.error(format('SET TRANSACTION READ ONLY; SELECT apitoken.rotate(%L)', :'id'));
-- An imported token becomes a native one, with the prefix that it has.
SELECT apitoken.import('rotate', 'imported', 'a_foreign_token_text') AS imported_id \gset
SELECT token AS native FROM apitoken.rotate(:'imported_id', '1 hour') \gset
SELECT apitoken.check_token(:'native'), outcome FROM apitoken.verify(:'native');
SELECT outcome FROM apitoken.verify('a_foreign_token_text');
SELECT apitoken.import('rotate', 'imported', test.sample()) AS sample_id \gset
SELECT public_id, left(token, 31) AS token FROM apitoken.rotate(:'sample_id');
-- Neither of its secrets can be imported again, anywhere.
SELECT test.error('SELECT apitoken.import(''rotate'', ''again'', ''a_foreign_token_text'')');
SELECT apitoken.import('rotate', 'again', :'native') = :'imported_id' AS same;
-- The prefix of a realm may change, that of a token stays.
UPDATE apitoken.realm SET prefix = 'other' WHERE id = 'rotate';
SELECT split_part(token, '.', 1) AS prefix FROM apitoken.rotate(:'id');
-- All in the transaction, twice in one statement.
BEGIN;
SELECT token AS undone FROM apitoken.rotate(:'id') \gset
SELECT outcome FROM apitoken.verify(:'undone');
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'undone');
SELECT outcome FROM apitoken.verify(:'fourth');
SELECT a.token <> b.token AS differ FROM apitoken.rotate(:'id', '1 hour') a, LATERAL apitoken.rotate(a.id, '1 hour') b;
SELECT version FROM apitoken._token WHERE id = :'id';
-- No digest and no secret in any event.
SELECT count(*) > 10 AS many, bool_or(e::text ~ 'digest|key_id') AS digest,
	bool_or(e::text LIKE '%' || right(:'fourth', 10) || '%' OR e::text LIKE '%foreign_token%') AS secret
	FROM apitoken._event e WHERE realm LIKE 'rotate%';
SELECT bool_or(e::text LIKE '%' || t.digest::text || '%') AS any_digest FROM apitoken._event e, apitoken._token t
	WHERE e.realm LIKE 'rotate%' AND t.realm LIKE 'rotate%';
SELECT test.drop_realm(r) FROM unnest('{rotate,rotate/none,rotate/default,rotate/max,rotate/both}'::text[]) r;
