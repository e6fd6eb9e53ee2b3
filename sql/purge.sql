-- purge(): removes what was revoked or expired long ago, a batch a call.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('purge/1'), ('purge/2'), ('purge/3');
-- A token with a name that says what shall become of it in the first purge.
CREATE FUNCTION pg_temp.token(realm text, name text, expired interval, revoked interval, status "char" DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE subject uuid;
BEGIN
	SELECT id FROM apitoken.issue(realm, name) INTO subject;
	UPDATE apitoken._token t SET created_at = '2001-01-01', expires_at = clock_timestamp() - expired,
		status_changed_at = clock_timestamp() - revoked,
		status = coalesce($5, CASE WHEN revoked IS NULL THEN 'a' ELSE 'r' END::"char") WHERE id = subject;
END $$;
SELECT pg_temp.token(realm, name, expired, revoked, status) FROM (VALUES
	('purge/1', 'stays: neither', NULL::interval, NULL::interval, NULL::"char"), ('purge/1', 'stays: not yet expired', '-1 day', NULL, NULL),
	('purge/1', 'stays: expired of late', '29 days 23 hours', NULL, NULL), ('purge/1', 'stays: revoked of late', NULL, '29 days 23 hours', NULL),
	('purge/1', 'stays: suspended long ago', NULL, '40 days', 's'), ('purge/1', 'stays: activated long ago', NULL, '40 days', 'a'),
	('purge/1', 'goes: expired', '30 days 1 hour', NULL, NULL), ('purge/1', 'goes: revoked', NULL, '30 days 1 hour', NULL),
	('purge/1', 'goes: both', '50 days', '50 days', NULL), ('purge/1', 'goes: expired, revoked of late', '50 days', '1 day', NULL),
	('purge/2', 'goes: suspended and expired', '50 days', '60 days', 's'), ('purge/3', 'goes: expired', '31 days', NULL, NULL),
	('purge/3', 'stays: neither', NULL, NULL, NULL)) AS v(realm, name, expired, revoked, status);
SELECT test.now_event() AS before \gset
SELECT apitoken.purge();
SELECT realm, name FROM apitoken._token WHERE realm LIKE 'purge%' ORDER BY 1, 2;
SELECT count(*) AS uses FROM apitoken._usage WHERE realm LIKE 'purge%';
SELECT realm, event, old ->> 'name' AS name, new FROM apitoken._event WHERE id > :before ORDER BY 1, 3;
SELECT bool_and(token_id > previous) AS in_order FROM (SELECT token_id, lag(token_id) OVER (ORDER BY id) AS previous FROM apitoken._event WHERE id > :before) e;
SELECT apitoken.purge();
-- Younger ones, when asked for; everything that is over, at zero.
SELECT apitoken.purge('29 days');
SELECT apitoken.purge('0');
SELECT realm, name FROM apitoken._token WHERE realm LIKE 'purge%' ORDER BY 1, 2;
-- A batch a call, until there is none.
SELECT count(pg_temp.token('purge/' || n % 3 + 1, 'batch', CASE WHEN n % 2 = 0 THEN interval '40 days' END, CASE WHEN n % 2 = 1 OR n % 5 = 0 THEN interval '40 days' END))
	FROM generate_series(1, 25) n;
CREATE FUNCTION pg_temp.batches(size int) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE counts bigint[]; n bigint;
BEGIN
	LOOP n := apitoken.purge(batch_size => size); counts := counts || n; EXIT WHEN n = 0; END LOOP;
	RETURN counts;
END $$;
SELECT counts[array_length(counts, 1)] AS last, (SELECT sum(n) FROM unnest(counts) n) AS sum, (SELECT max(n) FROM unnest(counts) n) AS largest
	FROM pg_temp.batches(10) counts;
SELECT count(*) FROM apitoken._token WHERE name = 'batch';
-- Arguments.
SELECT arguments, test.error(format('SELECT apitoken.purge(%s)', arguments)) FROM unnest(ARRAY['NULL', '''-1 day''',
	'batch_size => NULL', 'batch_size => 0', 'batch_size => -1', 'batch_size => 1000001', 'batch_size => 1000000'])
	WITH ORDINALITY a(arguments, n) ORDER BY n;
SELECT test.sqlstate('SELECT apitoken.purge(''infinity'')') IN ('22007', '22023') AS infinite_refused;
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.purge()');
-- In the transaction.
SELECT pg_temp.token('purge/1', 'back', '40 days', NULL);
BEGIN;
SELECT apitoken.purge();
ROLLBACK;
SELECT count(*) FROM apitoken._token WHERE name = 'back';
-- Tokens of a realm that is gone are purged as well.
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM apitoken.realm WHERE id = 'purge/1';
SET LOCAL session_replication_role = origin;
SELECT apitoken.purge();
ROLLBACK;
-- Idempotency keys that have served go, too, and are counted where no token is.
SELECT count(apitoken.issue('purge/1', 'key', idempotency_key => 'k' || n)) FROM generate_series(1, 5) n;
UPDATE apitoken._idempotency SET created_at = created_at - interval '1 day' WHERE realm = 'purge/1' AND key <= 'k3';
SELECT apitoken.purge('1 year', 2);
SELECT string_agg(key, ' ' ORDER BY key) FROM apitoken._idempotency WHERE realm = 'purge/1';
SELECT apitoken.purge('1 year', 2);
SELECT string_agg(key, ' ' ORDER BY key) FROM apitoken._idempotency WHERE realm = 'purge/1';
SELECT apitoken.purge('1 year', 2) AS none_left;
-- However many there are: repeated until 0, nothing is left, of tokens or keys.
SELECT count(apitoken.issue('purge/1', 'key', idempotency_key => 'many' || n)) FROM generate_series(1, 25) n;
UPDATE apitoken._idempotency SET created_at = created_at - interval '1 day' WHERE realm = 'purge/1' AND key LIKE 'many%';
UPDATE apitoken._token SET created_at = '2000-01-01', expires_at = '2001-01-01' WHERE realm = 'purge/1' AND id IN (SELECT token_id FROM apitoken._idempotency WHERE key LIKE 'many_');
SELECT n, apitoken.purge('1 year', 10) FROM generate_series(1, 5) n;
SELECT count(*) FROM apitoken._idempotency WHERE realm = 'purge/1' AND key LIKE 'many%';
-- By index, however many there are that stay.
SELECT indexrelid::regclass AS index, pg_get_indexdef(indexrelid) FROM pg_index
	WHERE indexrelid IN ('apitoken._token_status_changed_idx'::regclass, 'apitoken._token_expires_idx'::regclass) ORDER BY 1;
SELECT test.drop_realm(r) FROM unnest('{purge/1,purge/2,purge/3}'::text[]) r;
