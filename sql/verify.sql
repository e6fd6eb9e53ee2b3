-- verify() and its sisters: every outcome, in order; what the row tells; that
-- nothing is written.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
INSERT INTO apitoken.realm (id) VALUES ('verify'), ('verify/off');
-- Each condition that can make a use fail, but for the first two, is switched
-- on by itself and with every other: the first in this order decides.
SELECT id, token FROM apitoken.issue('verify', 'subject', '{a.*,b}', principal => 'p') \gset
CREATE TABLE test.condition (place int, outcome text, set_clause text);
INSERT INTO test.condition VALUES
	(3, 'superseded', 'previous_digest = digest, digest = apitoken.token_digest(''moved_on''), previous_expires_at = ''2001-01-01'''),
	(4, 'revoked', 'status = ''r'''),
	(5, 'suspended', 'status = ''s'''),
	(6, 'realm_disabled', 'realm = ''verify/off'''),
	(7, 'not_yet_valid', 'not_before = ''2999-01-01'''),
	(8, 'expired', 'expires_at = ''2001-01-01'''),
	(10, 'address_denied', 'allowed_addresses = ''{10.0.0.0/8}'''),
	(11, 'scope_denied', 'scopes = ''b''');
UPDATE apitoken.realm SET enabled = false WHERE id = 'verify/off';
-- All functions' answers with these conditions set, undone at once.
CREATE FUNCTION pg_temp.outcome(places int[], token text, OUT outcome text,
	OUT others_agree boolean) LANGUAGE plpgsql AS $$
DECLARE v record; s record; i uuid; clause text;
BEGIN
	BEGIN
		FOR clause IN SELECT set_clause FROM test.condition WHERE place = ANY (places) ORDER BY place DESC LOOP
			EXECUTE 'UPDATE apitoken._token SET ' || clause || ' WHERE name = ''subject''';
		END LOOP;
		SELECT * FROM apitoken.verify(token, 'a.x b', '192.168.0.1') INTO v;
		SELECT * FROM apitoken.verify_sha256(sha256(token::bytea), 'a.x b', '192.168.0.1') INTO s;
		i := apitoken.verified_id(token, 'a.x b', '192.168.0.1');
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	END;
	outcome := v.outcome;
	others_agree := v = s AND (v.valid = (v.outcome = 'valid')) AND i IS NOT DISTINCT FROM CASE WHEN v.valid
		THEN v.id END;
END $$;
SELECT * FROM pg_temp.outcome('{}', :'token');
SELECT place, c.outcome AS expected, o.* FROM test.condition c, pg_temp.outcome(ARRAY[place], :'token') o
	ORDER BY place;
-- Every set of conditions: the first decides.  (A token has one status: revoked
-- and suspended exclude each other.)
SELECT count(*) AS sets, count(*) FILTER (WHERE o.outcome IS DISTINCT FROM expected) AS wrong,
	bool_and(o.others_agree) AS others_agree
  FROM generate_series(1, 255) bits,
	   LATERAL (SELECT array_agg(place) AS places, (array_agg(outcome ORDER BY place))[1] AS expected
				  FROM (SELECT *, row_number() OVER (ORDER BY place) - 1 AS n FROM test.condition) c
				  	WHERE bits >> n::int & 1 = 1) s,
	   LATERAL pg_temp.outcome(places, :'token') o;

-- malformed: what cannot be a token.  The row is otherwise NULL, as for unknown.
SELECT label, v.valid, v.outcome, num_nonnulls(id, realm, name, kind, principal, principal_id, client_id,
	environment_id, scopes, expires_at, metadata) AS others,
	   apitoken.verified_id(input) IS NULL AS no_id
  FROM (VALUES ('null', NULL), ('empty', ''), ('7 characters', '1234567'), ('8', '12345678'),
	('512', repeat('x', 512)), ('513', repeat('x', 513)), ('a space in it', '1234 5678'),
	('a newline behind', E'12345678\n'),
			   ('a tab', E'1234567\t'), ('delete', E'1234567\x7f'), ('control', E'1234567\x01'),
			   	('not ASCII', '1234567ü'), ('edge characters', '!!!!~~~~'),
			   	('a megabyte', repeat('x', 1000000))) AS l(label, input),
	   apitoken.verify(input) v;
SELECT label, v.valid, v.outcome, num_nonnulls(id, realm, name, kind, principal, principal_id, client_id,
	environment_id, scopes, expires_at, metadata) AS others
  FROM (VALUES ('null', NULL), ('empty', ''), ('31 bytes', decode(repeat('00', 31), 'hex')),
	('32', decode(repeat('00', 32), 'hex')), ('33', decode(repeat('00', 33), 'hex')),
			   ('hexadecimal', encode(sha256('x'), 'hex')::bytea)) AS l(label, input),
	   apitoken.verify_sha256(input) v;
-- unknown: the same answer for an unknown token, a wrong secret, a wrong sum,
-- and a digest given in place of a hash (what a stolen table could offer).
SELECT label, v.outcome, num_nonnulls(v.id, v.name) AS others FROM (VALUES
	('unknown', 'tok.ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('A', 64)),
	('wrong secret', left(:'token', -64) || repeat('A', 64)),
	('wrong sum', left(:'token', -1) || translate(right(:'token', 1), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
	'BCDEFGHIJKLMNOPQRSTUVWXYZ234567A')),
	('lower case', lower(:'token')), ('secret alone', right(:'token', 64)),
	('with something behind', :'token' || 'A')) AS l(label, input), apitoken.verify(input) v;
SELECT outcome FROM apitoken.verify_sha256((SELECT digest::bytea FROM apitoken._token WHERE id = :'id'));
SELECT outcome FROM apitoken.verify((SELECT digest::text FROM apitoken._token WHERE id = :'id'));
SELECT outcome FROM apitoken.verify(encode(sha256(:'token'), 'hex'));

-- From 3 on the row tells whom it is about, whatever the outcome.
SELECT token AS full_token FROM apitoken.issue('verify', 'full', '{b,a}', expires_at => '2999-01-01Z',
	kind => 'client', principal => 'p', principal_id => 'pi', client_id => 'c', environment_id => 'e',
	metadata => '{"m": 1}') \gset
SELECT valid, outcome, id IS NOT NULL AS id, realm, name, kind, principal, principal_id, client_id, environment_id,
	scopes, expires_at, metadata FROM apitoken.verify(:'full_token');
SELECT valid, outcome, id IS NOT NULL AS id, realm, name, kind, principal, principal_id, client_id, environment_id,
	scopes, expires_at, metadata FROM apitoken.verify(:'full_token', 'c');
SELECT valid, outcome, id IS NOT NULL AS id, realm, name, kind, principal, principal_id, client_id, environment_id,
	scopes, expires_at, metadata FROM apitoken.verify_sha256(sha256(:'token'));
BEGIN;
UPDATE apitoken._token SET status = 'r' WHERE id = :'id';
SELECT valid, outcome, num_nonnulls(id, realm, name, kind, principal, scopes) AS who FROM apitoken.verify(:'token');
ROLLBACK;

-- Scopes: all that are required; wildcards on both sides; NULL requires none.
SELECT granted, required, v.outcome FROM (VALUES
	(1, '{}', NULL), (2, '{}', 'a'), (3, '{a}', 'a'), (4, '{a}', 'a b'), (5, '{a,b}', ' b  a '),
	(6, '{a.*}', 'a.b a.c.d'), (7, '{a.*}', 'a'), (8, '{a.*}', 'a.*'), (9, '{a.*}', '*'),
	(10, '{*}', 'anything at all'), (11, '{a.b}', 'a.*')) AS s(n, granted, required),
	LATERAL apitoken.issue('verify', 'scopes', granted::text[]) i, LATERAL apitoken.verify(i.token, required) v
		ORDER BY n;
-- Addresses: IPv4 and IPv6, single and networks, one written as the other; a
-- list denies whoever gives none; an empty list is no list.
SELECT allowed, address, v.outcome FROM (VALUES
	(1, NULL, NULL), (2, NULL, '10.0.0.1'), (3, '{}', NULL), (4, '{}', '10.0.0.1'), (5, '{10.0.0.0/8}', NULL),
	(6, '{10.0.0.0/8}', '10.0.0.0'), (7, '{10.0.0.0/8}', '10.255.255.255'), (8, '{10.0.0.0/8}', '11.0.0.0'),
	(9, '{192.168.1.7}', '192.168.1.7'), (10, '{192.168.1.7}', '192.168.1.8'),
	(11, '{10.0.0.0/8,192.168.1.7}', '192.168.1.7'), (12, '{0.0.0.0/0}', '8.8.8.8'), (13, '{0.0.0.0/0}', '::1'),
	(14, '{::/0}', '::1'), (15, '{::/0}', '8.8.8.8'),
	(16, '{2001:db8::/32}', '2001:db8:ffff::1'), (17, '{2001:db8::/32}', '2001:db9::1'),
	(18, '{2001:db8::1}', '2001:db8::1'), (19, '{10.0.0.0/8}', '::ffff:10.0.0.7'),
	(20, '{10.0.0.0/8}', '::ffff:11.0.0.7'),
	(21, '{::ffff:10.0.0.0/104}', '10.0.0.7'), (22, '{::ffff:10.0.0.0/104}', '11.0.0.7'),
	(23, '{::ffff:10.0.0.0/104}', '::ffff:10.1.2.3'), (24, '{::ffff:192.168.1.7}', '192.168.1.7'),
	(25, '{::ffff:0.0.0.0/96}', '1.2.3.4'), (26, '{::/0}', '::ffff:1.2.3.4'),
	(27, '{10.0.0.0/8}', '::10.0.0.7'), (28, '{10.0.0.0/8}', '10.0.0.1/8'), (29, '{10.1.0.0/16}', '10.0.0.0/8'),
	(30, '{10.0.0.0/8}', '10.1.0.0/16'), (31, '{{10.0.0.0/8},{11.0.0.0/8}}', '11.0.0.1')) AS s(n, allowed, address),
	LATERAL apitoken.issue('verify', 'addresses', allowed_addresses => allowed::inet[]) i,
		LATERAL apitoken.verify(i.token, NULL, address::inet) v ORDER BY n;

-- The previous secret of a rotated token: valid in its grace, which then is
-- its end; the token's own end where that comes first.
UPDATE apitoken._token SET previous_digest = apitoken.token_digest('previous_secret'),
	previous_expires_at = '2998-01-01Z', expires_at = '2999-01-01Z' WHERE id = :'id';
SELECT p.outcome, p.id = :'id' AS same, p.expires_at, c.outcome AS current, c.expires_at AS current_expires_at,
	apitoken.verified_id('previous_secret') = :'id' AS verified_id
  FROM apitoken.verify('previous_secret') p, apitoken.verify(:'token') c;
UPDATE apitoken._token SET expires_at = '2997-01-01Z' WHERE id = :'id';
SELECT p.outcome, p.expires_at FROM apitoken.verify_sha256(sha256('previous_secret')) p;
UPDATE apitoken._token SET expires_at = '2001-01-01Z' WHERE id = :'id';
SELECT p.outcome, p.expires_at FROM apitoken.verify('previous_secret') p;
UPDATE apitoken._token SET previous_expires_at = '2000-01-01Z' WHERE id = :'id';
SELECT p.outcome, p.expires_at, c.outcome AS current FROM apitoken.verify('previous_secret') p,
	apitoken.verify(:'token') c;
UPDATE apitoken._token SET expires_at = NULL WHERE id = :'id';
SELECT p.valid, p.outcome, p.id = :'id' AS same, p.name, p.expires_at, c.outcome AS current
	FROM apitoken.verify('previous_secret') p, apitoken.verify(:'token') c;

-- The wall clock decides, inside a long transaction too.
BEGIN;
SELECT token AS short_token FROM apitoken.issue('verify', 'short', expires_in => '2 seconds') \gset
SELECT token AS later_token
	FROM apitoken.issue('verify', 'later', not_before => clock_timestamp() + interval '2 seconds') \gset
SELECT s.outcome AS short, l.outcome AS later FROM apitoken.verify(:'short_token') s,
	apitoken.verify(:'later_token') l;
SELECT pg_sleep(2.1);
SELECT s.outcome AS short, l.outcome AS later FROM apitoken.verify(:'short_token') s,
	apitoken.verify(:'later_token') l;
ROLLBACK;
-- A token expires at its end, not after it.
UPDATE apitoken._token SET expires_at = clock_timestamp() WHERE id = :'id';
SELECT outcome FROM apitoken.verify(:'token');
UPDATE apitoken._token SET expires_at = NULL, not_before = clock_timestamp() WHERE id = :'id';
SELECT outcome FROM apitoken.verify(:'token');

-- Nothing is written: READ ONLY will do, no transaction id is assigned, no row
-- is locked, whatever the outcome and however often.
BEGIN READ ONLY;
SELECT outcome, count(*) FROM generate_series(1, 1000) n, LATERAL apitoken.verify(CASE n % 4 WHEN 0 THEN :'token'
	WHEN 1 THEN :'full_token' WHEN 2 THEN 'previous_secret' ELSE 'unknown' || n END, CASE WHEN n % 8 = 1
	THEN 'x' END) v GROUP BY 1 ORDER BY 1;
SELECT count(apitoken.verified_id(:'token')), count(apitoken.lookup(:'token')) FROM generate_series(1, 1000);
SELECT outcome FROM apitoken.verify_sha256(sha256(:'token'));
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
SELECT mode, count(*) > 0 AS held FROM pg_locks WHERE pid = pg_backend_pid()
	AND relation::regclass::text LIKE 'apitoken.%' GROUP BY 1;
COMMIT;
BEGIN;
SELECT count(*) FROM generate_series(1, 10), apitoken.verify(:'token');
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;
SELECT xmax = 0 AS never_locked FROM apitoken._token WHERE name = 'full';
-- In every isolation level, in functions, in conditions, in cursors.
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT outcome FROM apitoken.verify(:'token');
COMMIT;
CREATE FUNCTION pg_temp.allowed(token text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF (apitoken.verify(token)).valid THEN RETURN true; END IF;
	RETURN false;
END $$;
SELECT pg_temp.allowed(:'token'), pg_temp.allowed('nobody knows');
SELECT count(*) FROM apitoken._token WHERE id = apitoken.verified_id(:'token');
BEGIN;
DECLARE c CURSOR FOR SELECT n, apitoken.verified_id(:'token') = :'id' AS same FROM generate_series(1, 5) n;
FETCH 2 FROM c;
SELECT status FROM apitoken.suspend(:'id');
FETCH 2 FROM c;
ROLLBACK;
-- Also where plans would be parallel.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) FILTER (WHERE (apitoken.verify(:'token')).valid) = count(*) AS all_valid FROM apitoken._token;
SELECT test.drop_realm('verify'), test.drop_realm('verify/off');
DROP TABLE test.condition;
