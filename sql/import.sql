-- import(): tokens made elsewhere, from their text or their SHA-256 alone.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id, prefix) VALUES ('import', 'dt0c01'), ('import/other', 'other');
INSERT INTO apitoken.realm (id, prefix, default_ttl, max_ttl, access_token_ttl) VALUES ('import/policy', 'policy',
	'90 days', '1 year', '1 hour');
CREATE FUNCTION pg_temp.show(id uuid) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(to_jsonb(t) - '{id,digest,created_at,updated_at,created_by,created_by_name,updated_by,updated_by_name}'::text[])
	  FROM apitoken._token t WHERE t.id = $1 $$;
-- The documents' own token keeps its public id.
SELECT apitoken.import('import', 'myToken', test.sample());
SELECT public_id, partial FROM apitoken.tokens WHERE id = '94f44c7f-4a82-71ac-83f7-fcb31b547f0d';
SELECT pg_temp.show('94f44c7f-4a82-71ac-83f7-fcb31b547f0d'),
	digest OPERATOR(apitoken.=) apitoken.token_digest(test.sample()) AS digest,
	created_at = updated_at AS not_updated,
	   created_at > now() - interval '1 minute' AS now, created_by = session_user AS by_session
  FROM apitoken._token WHERE id = '94f44c7f-4a82-71ac-83f7-fcb31b547f0d';
SELECT outcome, id, name FROM apitoken.verify(test.sample());
-- Its hash alone does not tell its public id, which then comes from the hash.
BEGIN;
DELETE FROM apitoken._token;
SELECT apitoken.import('import', 'myToken',
	sha256 => sha256(test.sample()::bytea)) = '94f44c7f-4a82-71ac-83f7-fcb31b547f0d' AS same;
ROLLBACK;
-- A shape like ours keeps its prefix where the realm's is another one.
SELECT apitoken.import('import', 'n', 'ABC_9.ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('A', 64));
SELECT public_id FROM apitoken.tokens WHERE name = 'n';

-- Texts of another shape, from 8 to 512 characters 0x21 to 0x7E, get an id
-- from their SHA-256, with the realm's prefix; five characters are shown, and
-- at most a quarter.
CREATE TABLE test.foreign AS SELECT n, text, apitoken.import('import', 'foreign' || n, text) AS id FROM (VALUES
	(1, '!~!~!~!~'), (2, repeat('x', 512)), (3, 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'), (4, '12345678901'),
	(5, '123456789012'), (6, '1234567890123456789'), (7, '12345678901234567890'),
	(8, lower(test.sample())), (9, left(test.sample(), -1)), (10, test.sample() || 'A'),
	(11, 'dt0c01.ST2EY72KQINMH574WMNVI7YN'), (12, replace(test.sample(), '.', ':')),
	(13, 'prefix_of_17_char.ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('A', 64)),
	(14, '..ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('A', 64)), (15, 'a''b"c\d$e;--%s'),
	(16, 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl')) AS v(n, text);
SELECT n, length(text) AS length, f.id, t.prefix, t.last_chars,
	right(text, length(t.last_chars)) = t.last_chars AS its_end, v.outcome, v.id = f.id AS same
  FROM test.foreign f JOIN apitoken._token t ON t.id = f.id, apitoken.verify(text) v ORDER BY n;
-- As Python has it: hashlib.blake2b(b'apitoken: id of an imported token' + sha256, digest_size=16).
SELECT id = 'cbd769f6-f863-7f36-8f8d-23ae5d91b758' AS known FROM test.foreign WHERE n = 3;
-- By hash: the same ids, whether the token is here already or not.
SELECT bool_and(apitoken.import('import', 'again', sha256 => sha256(convert_to(text, 'UTF8'))) = id) AS same_by_hash,
	count(*) FROM test.foreign;
DELETE FROM apitoken._token WHERE name LIKE 'foreign%';
SELECT bool_and(apitoken.import('import', 'anew', sha256 => sha256(convert_to(text, 'UTF8'))) = id) AS same_again
	FROM test.foreign;
SELECT bool_and(apitoken.import('import', 'again', text) = id) AS same_by_text, count(*)
	FILTER (WHERE t.last_chars IS NOT NULL) AS last_chars
  FROM test.foreign f JOIN apitoken._token t USING (id);
SELECT bool_and(v.outcome = 'valid' AND v.name = 'anew' AND s.outcome = 'valid') AS recognised
  FROM test.foreign, apitoken.verify(text) v, apitoken.verify_sha256(sha256(convert_to(text, 'UTF8'))) s;
DELETE FROM apitoken._token WHERE realm = 'import' AND name <> 'myToken';
DROP TABLE test.foreign;

-- What a hash does not tell can be given.
SELECT apitoken.import('import', 'h', sha256 => sha256('hash alone'), public_id => 'abc.STUVWXYZ234567ABCDEFGHIJ',
	last_chars => 'ALONE', created_at => '2020-11-05 08:15:30.144Z') AS id \gset
SELECT public_id, partial, created_at, updated_at FROM apitoken.tokens
	JOIN (SELECT id, last_chars FROM apitoken._token) t USING (id) WHERE id = :'id';
SELECT partial FROM apitoken.tokens WHERE id = (SELECT apitoken.import('import', 'h', sha256 => sha256('hash alone')))
	AND name = 'h';
-- It is not checked against anything, for nothing is known; one character will do.
SELECT apitoken.import('import', 'h1', sha256 => sha256('hash alone 1'), last_chars => '~') IS NOT NULL AS imported;
SELECT partial ~ '^dt0c01\.[A-Z2-7]{24}\.\.\.~$' AS partial FROM apitoken.tokens WHERE name = 'h1';
-- With a text it must agree: public id, and the characters that are shown.
SELECT apitoken.import('import', 'sure', 'abc.ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('Q', 64),
	public_id => 'abc.ABCDEFGHIJKLMNOPQRSTUVWX', last_chars => 'QQQQQ', created_at => '2001-02-03Z');
SELECT test.error($$SELECT apitoken.import('import', 'unsure', 'abc.ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('R', 64),
	public_id => 'abc.ABCDEFGHIJKLMNOPQRSTUVWY')$$);
SELECT test.error($$SELECT apitoken.import('import', 'unsure', 'abc.ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('R', 64),
	public_id => 'abd.ABCDEFGHIJKLMNOPQRSTUVWX')$$);
SELECT test.error($$SELECT apitoken.import('import', 'unsure', 'another_shape', last_chars => 'shape')$$);
-- A text of another shape takes the public id that it is given.
SELECT apitoken.import('import', 'lent', 'another_shape', public_id => 'abc.MNOPQRSTUVWXABCDEFGHIJKL');
SELECT created_at = '2001-02-03Z' AS of_then, name, partial FROM apitoken.tokens WHERE name IN ('sure', 'lent')
	ORDER BY name DESC;
-- A creation in the past does not shorten the life, which begins now.
SELECT apitoken.import('import/policy', 'p', 'policy_token', created_at => '2001-02-03Z') IS NOT NULL AS imported;
SELECT t.expires_at > now() + interval '89 days' AS from_now, granted_ttl, access_token_ttl, prefix
	FROM apitoken._token t WHERE name = 'p';
-- All attributes.
SELECT apitoken.import('import', 'all', 'token_with_all', scopes => '{b,a}', expires_in => '10 days',
	not_before => '2020-01-01Z', kind => 'client', principal => 'p', principal_id => 'pi',
	client_id => 'c', environment_id => 'e', description => 'd', allowed_addresses => '{10.0.0.0/8}',
		allowed_scopes => '{"generalScopes": ["x"]}', idp_id => 'ii', idp_domain => 'id',
	access_token_ttl => '5 min', metadata => '{"m": true}') AS id \gset
SELECT pg_temp.show(:'id') - 'expires_at' AS row;
SELECT apitoken.import('import', 'by position', 'positional', NULL, '{s}') IS NOT NULL AS imported;
SELECT scopes FROM apitoken._token WHERE name = 'by position';

-- The same token again, in the same realm, is a no-op that answers its id,
-- whatever else is said and whatever has become of it.
SELECT apitoken.import('import', 'once', 'the_same_token') AS id \gset
SELECT to_jsonb(t)::text AS before, xmin AS wrote FROM apitoken._token t WHERE id = :'id' \gset
SELECT count(*) AS calls, bool_and(answer = 'no error') AS no_errors FROM unnest(ARRAY[
	'''other name'', ''the_same_token''', 'NULL, ''the_same_token''', ''''', ''the_same_token''',
	'repeat(''n'', 256), sha256 => sha256(''the_same_token'')',
	'''n'', ''the_same_token'', scopes => ''{a*}''', '''n'', ''the_same_token'', scopes => NULL',
	'''n'', ''the_same_token'', expires_at => ''1999-01-01''',
	'''n'', ''the_same_token'', expires_at => ''infinity'', expires_in => ''1 day''',
	'''n'', ''the_same_token'', kind => ''robot''', '''n'', ''the_same_token'', metadata => ''[]''',
	'''n'', ''the_same_token'', public_id => ''nonsense''',
	'''n'', ''the_same_token'', public_id => ''dt0c01.ST2EY72KQINMH574WMNVI7YN''',
	'''n'', ''the_same_token'', last_chars => ''nonsense''',
	'''n'', ''the_same_token'', created_at => ''infinity''',
	'''n'', sha256 => sha256(''the_same_token''), created_at => ''2001-01-01''',
	'''n'', ''the_same_token'', allowed_addresses => ''{NULL}'''
	]) arguments, test.error(format('SELECT 1 / (apitoken.import(''import'', %s) = %L)::int', arguments,
		:'id')) answer;
SELECT to_jsonb(t)::text = :'before' AS unchanged, xmin::text = :'wrote' AS not_written, (SELECT count(*)
	FROM apitoken._token WHERE name = 'once') AS rows FROM apitoken._token t WHERE id = :'id';
UPDATE apitoken.realm SET enabled = false WHERE id = 'import';
SELECT apitoken.import('import', 'n', 'the_same_token') = :'id' AS realm_disabled;
SELECT test.error($$SELECT apitoken.import('import', 'n', 'a_new_token')$$);
UPDATE apitoken.realm SET enabled = true WHERE id = 'import';
UPDATE apitoken._token SET expires_at = '2001-01-01', granted_ttl = '1 day' WHERE id = :'id';
SELECT apitoken.import('import', 'n', 'the_same_token') = :'id' AS expired;
SELECT status FROM apitoken.suspend(:'id');
SELECT apitoken.import('import', 'n', 'the_same_token') = :'id' AS suspended;
SELECT status FROM apitoken.revoke(:'id');
SELECT apitoken.import('import', 'n', sha256 => sha256('the_same_token')) = :'id' AS revoked;
SELECT status FROM apitoken.tokens WHERE id = :'id';
-- A token issued here is the same token, too.
SELECT id, token, public_id FROM apitoken.issue('import', 'issued') \gset own_
SELECT apitoken.import('import', 'n', :'own_token') = :'own_id' AS own_by_text,
	apitoken.import('import', 'n', sha256 => sha256(:'own_token')) = :'own_id' AS own_by_hash;
-- Twice in one statement, thrice with different ways to say it.
SELECT count(DISTINCT i) AS ids FROM (VALUES ('in_one_statement', NULL), (NULL, sha256('in_one_statement')),
	('in_one_statement', NULL)) AS v(t, h), apitoken.import('import', 'n', t, h) i;

-- Clashes are 23505 with a message of ours: no key, no digest, no index name.
SELECT what, test.error(format('SELECT apitoken.import(%s)', arguments)) FROM (VALUES
	('in another realm, by text', '''import/other'', ''n'', ''token_with_all'''),
	('in another realm, by hash', '''import/other'', ''n'', sha256 => sha256(''token_with_all'')'),
	('in another realm, issued here', format('''import/other'', ''n'', %L', :'own_token')),
	('the public id of another, by hash',
	'''import'', ''n'', sha256 => sha256(''another''), public_id => ''abc.STUVWXYZ234567ABCDEFGHIJ'''),
	('the same with another prefix',
	'''import/other'', ''n'', sha256 => sha256(''another''), public_id => ''xyz.STUVWXYZ234567ABCDEFGHIJ'''),
	('the public id of another, by text', format('''import'', ''n'', %L', :'own_public_id' || '.' || repeat('A',
	64))),
	('the public id of the sample',
	'''import'', ''n'', ''dt0c01.ST2EY72KQINMH574WMNVI7YN.'' || repeat(''B'', 64)')) AS v(what, arguments);
UPDATE apitoken._token SET previous_digest = apitoken.token_digest('previous_secret'),
	previous_expires_at = 'infinity' WHERE id = :'own_id';
SELECT test.error('SELECT apitoken.import(''import'', ''n'', ''previous_secret'')') AS previous_in_grace;
UPDATE apitoken._token SET previous_expires_at = '2001-01-01' WHERE id = :'own_id';
SELECT test.error('SELECT apitoken.import(''import'', ''n'', sha256 => sha256(''previous_secret''))') AS previous_by_hash,
	   test.error('SELECT apitoken.import(''import/other'', ''n'', ''previous_secret'')') AS previous_elsewhere;
SELECT apitoken.import('import', 'n', :'own_token') = :'own_id' AS current_still;
-- A unique index that an administrator added speaks for itself.
BEGIN;
CREATE UNIQUE INDEX one_name ON apitoken._token (name) WHERE name = 'all';
SELECT test.error($$SELECT apitoken.import('import', 'all', 'another_token')$$) ~ '^23505 .*"one_name"' AS own_index;
ROLLBACK;
-- None of them left anything; the session goes on.
SELECT count(*) FROM apitoken._token WHERE realm = 'import/other';
-- A failure inside a savepoint leaves the transaction usable.
BEGIN;
SELECT apitoken.import('import/other', 'kept', 'kept_token') IS NOT NULL AS kept;
SAVEPOINT s;
\set VERBOSITY terse
SELECT apitoken.import('import/other', 'n', :'own_token');
ROLLBACK TO s;
SELECT apitoken.import('import/other', 'n', sha256 => sha256('another'), public_id => :'own_public_id');
ROLLBACK TO s;
\set VERBOSITY default
SELECT outcome FROM apitoken.verify('kept_token');
COMMIT;
-- Many at once need no more than their share of locks.
BEGIN;
SELECT count(apitoken.import('import/other', 'bulk' || n, sha256 => sha256(n::text::bytea)))
	FROM generate_series(1, 3000) n;
SELECT count(DISTINCT objid) <= 1024 AS buckets, count(DISTINCT classid) AS classes FROM pg_locks
	WHERE locktype = 'advisory' AND pid = pg_backend_pid();
ROLLBACK;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT test.error($$SET TRANSACTION READ ONLY; SELECT apitoken.import('import', 'n', 'the_same_token')$$);
SELECT count(test.drop_realm(r.id)) FROM apitoken.realm r WHERE r.id LIKE 'import%';
