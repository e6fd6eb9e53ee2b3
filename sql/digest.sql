-- Type apitoken.digest: 32 bytes.  Text and binary form, order, hash, casts,
-- indexes, joins, partitions.
\pset format unaligned
SET search_path = apitoken, test, public;
SELECT typlen, typbyval, typalign, typstorage, typtype, typisdefined FROM pg_type WHERE oid = 'digest'::regtype;
-- Text form: 64 digits in either case, written in lower case.
SELECT '00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF'::digest;
SELECT repeat('aF', 32)::digest, repeat('00', 32)::digest, repeat('ff', 32)::digest;
-- Anything else is refused, and not repeated: it may be a misplaced secret.
CREATE TEMP TABLE bad AS SELECT * FROM (VALUES
	(1, ''), (2, ' '), (3, repeat('a', 63)), (4, repeat('a', 65)), (5, repeat('a', 66)), (6, repeat('a', 62)),
	(7, repeat('a', 63) || 'g'), (8, 'g' || repeat('a', 63)), (9, ' ' || repeat('a', 63)),
	(10, repeat('a', 63) || ' '),
	(11, ' ' || repeat('a', 64)), (12, repeat('a', 64) || E'\n'), (13, '\x' || repeat('a', 64)),
	(14, '\x' || repeat('a', 62)),
	(15, '0x' || repeat('a', 62)), (16, repeat('a', 31) || '  ' || repeat('a', 31)), (17, repeat('a:', 32)),
	(18, repeat('ä', 32)), (19, sample()), (20, repeat('a', 100000)), (21, E'\u0661' || repeat('1', 62))) AS v(n,
	input);
SELECT n, error(format('SELECT %L::digest', input)) FROM bad ORDER BY n;
-- Binary form: 32 bytes, neither fewer nor more.
SELECT digest_send(repeat('0f', 32)::digest) = decode(repeat('0f', 32), 'hex') AS sent;
CREATE TABLE test.received (v digest);
SELECT n, receive('test.received', decode(repeat('c3', n), 'hex')) FROM unnest('{0,1,31,32,33,64,100}'::int[]) n;
SELECT receive('test.received', sha256(n::text::bytea)) AS answer, count(*) FROM generate_series(1, 50) n GROUP BY 1;
DROP TABLE test.received;
-- Casts, both ways, explicit only.
SELECT sha256('abc')::digest, repeat('0f', 32)::digest::bytea;
SELECT n, error(format('SELECT %L::bytea::digest', decode(repeat('00', n), 'hex')))
	FROM unnest('{0,31,32,33,64}'::int[]) n;
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast
 WHERE 'digest'::regtype IN (castsource, casttarget) ORDER BY 1, 2;

-- A table of values, among them neighbours in the first and last byte.
CREATE TABLE test.digests AS
SELECT n, CASE n WHEN 0 THEN repeat('00', 32) WHEN 1 THEN repeat('00', 31) || '01' WHEN 2
	THEN '01' || repeat('00', 31)
				 WHEN 3 THEN repeat('7f', 32) WHEN 4 THEN repeat('80', 32) WHEN 5 THEN repeat('ff', 31) || 'fe'
				 WHEN 6 THEN repeat('ff', 32) ELSE encode(sha256((n % 400)::text::bytea), 'hex') END::digest AS d
  FROM generate_series(0, 599) n;
ANALYZE test.digests;
-- Out and in, sent and received, is the same.
SELECT count(*), bool_and(d::text::digest = d) AS text_form, bool_and(d::bytea::digest = d) AS bytes,
	   bool_and(digest_send(d) = d::bytea) AS sent FROM test.digests;
-- The order is that of the bytes, for every pair and every operator.
SELECT count(*) AS pairs,
	   bool_and((a.d < b.d) = (a.d::bytea < b.d::bytea)) AS lt,
	   	bool_and((a.d <= b.d) = (a.d::bytea <= b.d::bytea)) AS le,
	   bool_and((a.d = b.d) = (a.d::bytea = b.d::bytea)) AS eq,
	   	bool_and((a.d <> b.d) = (a.d::bytea <> b.d::bytea)) AS ne,
	   bool_and((a.d >= b.d) = (a.d::bytea >= b.d::bytea)) AS ge,
	   	bool_and((a.d > b.d) = (a.d::bytea > b.d::bytea)) AS gt,
	   bool_and(sign(digest_cmp(a.d, b.d)) = sign(byteacmp(a.d::bytea, b.d::bytea))) AS cmp,
	   bool_and((a.d = b.d) <= (digest_hash(a.d) = digest_hash(b.d))) AS hash,
	   bool_and((a.d = b.d) <= (digest_hash_extended(a.d, 7) = digest_hash_extended(b.d, 7))) AS extended_hash
  FROM test.digests a, test.digests b WHERE a.n % 7 = 0 AND b.n < 400;
-- With seed 0 the lower half of the extended hash is the plain hash; other
-- seeds give other hashes, and both halves differ between values.
SELECT bool_and(digest_hash_extended(d, 0)::bit(64)::bit(64) & x'00000000ffffffff'::bit(64)
				= (digest_hash(d)::bigint & 4294967295)::bit(64)) AS lower_half,
	   bool_and(digest_hash_extended(d, 1) <> digest_hash_extended(d, 0)) AS seeded,
	   count(DISTINCT digest_hash(d)) > 395 AS spread,
	   count(DISTINCT digest_hash_extended(d, 0) >> 32) > 395 AS spread_above
  FROM test.digests;

-- The operator classes are sound.
SELECT amname, opcname, opcdefault, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
 WHERE opcintype = 'digest'::regtype ORDER BY 1;
-- Indexes are used, and agree with a scan.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE INDEX digests_btree ON test.digests (d);
SELECT plan('SELECT n FROM test.digests WHERE d = repeat(''80'', 32)::digest');
SELECT n FROM test.digests WHERE d = repeat('80', 32)::digest;
SELECT plan('SELECT n FROM test.digests WHERE d > repeat(''80'', 32)::digest ORDER BY d');
SELECT n FROM test.digests WHERE d > repeat('fe', 32)::digest ORDER BY d;
SELECT n FROM test.digests WHERE d <= (repeat('00', 31) || '01')::digest ORDER BY d;
SELECT error('CREATE UNIQUE INDEX ON test.digests (d)') ~ '^23505' AS repeats;
SELECT bool_and(found = 1 + (n BETWEEN 7 AND 199 OR n >= 407)::int) AS each_found
  FROM test.digests a, LATERAL (SELECT count(*) AS found FROM test.digests b WHERE b.d = a.d) f
	WHERE n NOT BETWEEN 400 AND 406;
DROP INDEX test.digests_btree;
CREATE INDEX digests_hash ON test.digests USING hash (d);
SELECT plan('SELECT n FROM test.digests WHERE d = repeat(''80'', 32)::digest');
SELECT n FROM test.digests WHERE d = repeat('80', 32)::digest;
SELECT count(*), sum(found) AS found FROM test.digests a, LATERAL (SELECT count(*) AS found FROM test.digests b
	WHERE b.d = a.d) f;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX test.digests_hash;
-- Joins by hash and by merge, grouping, DISTINCT.
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT plan('SELECT count(*) FROM test.digests a JOIN test.digests b ON a.d = b.d');
SELECT count(*) FROM test.digests a JOIN test.digests b ON a.d = b.d;
SET enable_hashjoin = off;
SET enable_mergejoin = on;
SELECT plan('SELECT count(*) FROM test.digests a JOIN test.digests b ON a.d = b.d');
SELECT count(*) FROM test.digests a JOIN test.digests b ON a.d = b.d;
RESET enable_nestloop;
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT count(*), count(DISTINCT d), (SELECT count(*) FROM (SELECT d FROM test.digests GROUP BY d) g) AS groups,
	   (SELECT count(*) FROM (SELECT DISTINCT d FROM test.digests) g) AS distinct_rows FROM test.digests;
-- Partitions by hash: a row is where it is looked for.
CREATE TABLE test.parts (d digest) PARTITION BY HASH (d);
CREATE TABLE test.parts0 PARTITION OF test.parts FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE test.parts1 PARTITION OF test.parts FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE test.parts2 PARTITION OF test.parts FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO test.parts SELECT DISTINCT d FROM test.digests;
SELECT count(*), min(n) > 100 AS all_used FROM (SELECT count(*) AS n FROM test.parts GROUP BY tableoid) p;
SELECT count(*) AS searched FROM plan('SELECT FROM test.parts WHERE d = repeat(''80'', 32)::digest') p
	WHERE p ~ 'Scan';
SELECT count(*) FROM test.parts WHERE d = repeat('80', 32)::digest;
-- A column of it in COPY.
CREATE TABLE test.copied (LIKE test.digests);
COPY (SELECT * FROM test.digests WHERE n < 3 ORDER BY n) TO STDOUT;
COPY test.copied FROM STDIN;
1	FF000000000000000000000000000000000000000000000000000000000000ff
2	\N
\.
SELECT * FROM test.copied ORDER BY n;
DROP TABLE test.digests, test.parts, test.copied;
-- NULL goes in and out as NULL.
SELECT NULL::digest IS NULL AS null_in, (NULL::digest = repeat('00', 32)::digest) IS NULL AS null_compared,
	   digest_cmp(NULL, repeat('00', 32)::digest) IS NULL AS null_argument;
-- What a digest is: BLAKE2b-256 of the SHA-256 of the text, worked out with
-- Python: hashlib.blake2b(hashlib.sha256(text).digest(), digest_size=32).
SELECT text = '' AS empty, token_digest(text) = known::digest AS agrees FROM (VALUES
	(sample(), '132bb1512e72afd51381e8f3b23fd1f3b51e08f11e834ba569bb1ac0a4a51afd'),
	('tok.AAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACHFGZR',
	 'e08959673c4ac42303ac56629dee17c49f00a5049257d2901438c624759a1495'),
	('abcdefgh', 'ea278dd99b302d6f61672323d432634e2c7db4e49bcea054c667760e157b3f28'),
	('abc', 'a0e6e530e74f702dab2ecfb3d411c72db72be407f24478b61bcd13db014574e3'),
	(repeat('x', 512), '2ed3af74c94576d1f413a85cbc37105a60e044838088278612c9794b6f43393c'),
	('', '2e2ab4254605c968e0e07eb0ab78a00ab6bcdd4ccefd09fcc28dee95e6842ee3')) AS v(text, known);
SELECT token_digest('abcdefgh');
SELECT token_digest(NULL) IS NULL AS null_token;
