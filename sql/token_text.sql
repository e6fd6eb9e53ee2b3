-- The text of a token: its check sum, and the way between its public part and
-- its id.  Known answers were worked out with Python:
--
--   head = prefix + '.' + base64.b32encode(id's hex digits without 13th and 17th) + '.'
--   token = head + base64.b32encode(random + zlib.crc32(head + random).to_bytes(4, 'big'))
\pset format unaligned
SET search_path = apitoken, test, public;
-- random: 36 times 00, 36 times ff, 00 to 23, ff down to dc.
CREATE TABLE test.known (n int, prefix text, id uuid, token text);
INSERT INTO test.known VALUES
	(1, 'tok', '00000000-0000-7000-8000-000000000000',
	 'tok.AAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACHFGZR'),
	(2, 'A', 'ffffffff-ffff-7fff-8fff-ffffffffffff',
	 'A.777777777777777777777777.7777777777777777777777777777777777777777777777777777777775DA3CJU'),
	(3, 'dt0c01', '94f44c7f-4a82-71ac-83f7-fcb31b547f0d',
	 'dt0c01.ST2EY72KQINMH574WMNVI7YN.AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSAIJCEPSSDFTH'),
	(4, 'Zz09_AbcdefghijK', '01234567-89ab-7cde-8f01-23456789abcd',
	 'Zz09_AbcdefghijK.AERUKZ4JVPG66AJDIVTYTK6N.777P37H37L47R57W6X2PH4XR6DX653PM5PVOT2HH43S6JY7C4HQN7XW53RDWQFH3');
SELECT n, check_token(token), _public_id(prefix, id) = rtrim(left(token, -64), '.') AS public_id FROM test.known;
-- The documents' token was made elsewhere: its shape is ours, its sum is not.
SELECT check_token(sample()), _public_id('dt0c01', '94f44c7f-4a82-71ac-83f7-fcb31b547f0d');
-- One character changed, at any place, to another of the alphabet or not: no
-- token.
SELECT n, count(*) AS changed, count(*) FILTER (WHERE check_token(overlay(token PLACING c FROM i FOR 1))) AS taken
  FROM test.known, generate_series(1, length(token)) i, unnest('{A,B,a,2,7,0,_,.," ",=,é}'::text[]) c
 WHERE substr(token, i, 1) <> c GROUP BY n ORDER BY n;
-- One removed, one doubled, one added, two neighbours exchanged.
SELECT n, count(*) FILTER (WHERE check_token(overlay(token PLACING '' FROM i FOR 1))) AS removed,
	   count(*) FILTER (WHERE check_token(overlay(token PLACING repeat(substr(token, i, 1), 2)
	   	FROM i FOR 1))) AS doubled,
	   count(*) FILTER (WHERE check_token(overlay(token PLACING 'A' FROM i FOR 0))) AS added,
	   count(*) FILTER (WHERE substr(token, i, 1) <> substr(token, i + 1, 1) AND i < length(token)
						AND check_token(overlay(token PLACING reverse(substr(token, i, 2))
							FROM i FOR 2))) AS exchanged
  FROM test.known, generate_series(1, length(token)) i GROUP BY n ORDER BY n;
-- The sum covers prefix and public part: one token's secret is no other's.
SELECT count(*) AS mixed, bool_or(check_token(left(a.token, -64) || right(b.token, 64))) AS taken
  FROM test.known a, test.known b WHERE a.n <> b.n;
SELECT label, check_token(input) FROM test.known, LATERAL (VALUES
	('lower case', lower(token)), ('upper case', upper(token)), ('a space before', ' ' || token),
	('a space behind', token || ' '),
	('a newline behind', token || E'\n'), ('a dot behind', token || '.'), ('a dot before', '.' || token),
	('padding', token || '===='),
	('without prefix', substr(token, 8)), ('public id alone', left(token, -65)), ('secret alone', right(token, 64)),
	('other prefix', replace(token, 'dt0c01', 'dt0c02')), ('twice', token || token),
	('twice with a space', token || ' ' || token),
	('quoted', '"' || token || '"'), ('as a header', 'Bearer ' || token), ('empty', ''), ('blank', ' '),
	('dots', '..'),
	('prefix of 17', 'Zz09_AbcdefghijKK' || substr(token, 7)), ('empty prefix', substr(token, 7)),
	('prefix with a dash', 'dt-c01' || substr(token, 7)),
	('fifteen lines of it', repeat(token || E'\n', 15)), ('a megabyte', repeat('A', 1000000))) AS v(label, input)
 WHERE n = 3;
SELECT check_token(NULL) IS NULL AS null_token;
-- Tokens that are issued agree, whatever the prefix.
INSERT INTO realm (id) VALUES ('token_text');
CREATE FUNCTION pg_temp.make(prefix text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE apitoken.realm r SET prefix = make.prefix WHERE r.id = 'token_text';
	RETURN token FROM apitoken.issue('token_text', 'n');
END $$;
SELECT prefix, count(*), bool_and(check_token(token)) AS checked, count(DISTINCT token) = count(*) AS all_different,
	   bool_and(token ~ ('^' || prefix || '\.[A-Z2-7]{24}\.[A-Z2-7]{64}$')) AS shape,
	   count(DISTINCT right(token, 64)) = count(*) AS secrets_differ,
	   	count(DISTINCT substr(right(token, 64), 1, 8)) = count(*) AS from_the_start
  FROM (SELECT prefix, pg_temp.make(prefix) AS token FROM unnest('{tok,A,_,0,Zz09_AbcdefghijK}'::text[]) prefix,
	generate_series(1, 20) i) t
 GROUP BY prefix ORDER BY prefix COLLATE "C";
-- Public part to id, and back: any 24 characters of base32 are an id.
SELECT n, prefix || '.' || part AS public_id, imported,
	   _public_id(prefix, imported) = prefix || '.' || part AS back,
	   substr(imported::text, 15, 1) = '7' AND substr(imported::text, 20, 1) = '8' AS version_and_variant
  FROM (VALUES (1, 'tok', 'ABCDEFGHIJKLMNOPQRSTUVWX'), (2, 'tok', '234567YZABCDEFGHIJKLMNOP'),
	(3, 'x', 'AAAAAAAAAAAAAAAAAAAAAAAB'),
			   (4, 'x', 'QAAAAAAAAAAAAAAAAAAAAAAA'), (5, 'x', 'AAAAAAAAA7AAAAAAAAAAAAAA'),
			   	(6, 'x', 'AAAAAAAAAAAA7AAAAAAAAAAA')) AS v(n, prefix, part),
	   LATERAL import('token_text', 'n', sha256 => sha256(part::bytea),
	   	public_id => prefix || '.' || part) AS imported;
SELECT count(*) AS ids, bool_and(_public_id('p', id) = 'p.' || part) AS all_back
  FROM (SELECT translate(substr(upper(md5(i::text)), 1, 24), '0189', 'XYZW') AS part
	FROM generate_series(1, 200) i) p,
	   LATERAL import('token_text', 'n', sha256 => sha256(part::bytea), public_id => 'p.' || part) id;
SELECT label, error(format('SELECT apitoken._public_id(%L, %L)', prefix, '94f44c7f-4a82-71ac-83f7-fcb31b547f0d'))
  FROM (VALUES ('17 characters', repeat('p', 17)), ('empty', ''), ('dot', 'a.b'), ('letter with an umlaut', 'ü'),
	('space', ' '), ('16', repeat('p', 16)), ('null', NULL)) AS v(label, prefix);
-- Derived ids of other texts: BLAKE2b with a context of its own, no digest;
-- Python: hashlib.blake2b(b'apitoken: id of an imported token' + sha256, digest_size=16),
-- of which 120 bits stand around 7 and 8.
SELECT n, import('token_text', 'n', text) = known AS agrees FROM (VALUES
	(1, 'abcdefgh', 'b8fb910e-adb4-7c63-822d-7481970becc6'::uuid),
	(2, 'sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'cbd769f6-f863-7f36-8f8d-23ae5d91b758'),
	(3, repeat('x', 512), 'ea870dad-aa0c-7dcf-80ca-c3a75bf0a4c3')) AS v(n, text, known);
SELECT test.drop_realm('token_text');
DROP TABLE test.known;
