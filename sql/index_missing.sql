-- Tokens and realms are found through their indexes alone.  One that is
-- missing, invalid or of no use is an error, never "unknown"; one that is
-- rebuilt is followed, by sessions that knew the old one as well.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('index_missing');
INSERT INTO apitoken.realm (id, max_active_per_principal) VALUES ('index_missing/limit', 1);
SELECT count(apitoken.issue('index_missing/limit', 'n', principal => 'p'));
SELECT count(apitoken.issue('index_missing', 'n', idempotency_key => 'used'));
SELECT id, token FROM apitoken.issue('index_missing', 'subject') \gset
UPDATE apitoken._token SET previous_digest = apitoken.token_digest('previous_secret'),
	previous_expires_at = '2999-01-01' WHERE id = :'id';
SELECT count(apitoken.issue('index_missing', 'n' || n)) FROM generate_series(1, 50) n;
SELECT set_config('test.token', :'token', false) = :'token' AS kept;
-- What each function answers: verify by current, previous and unknown secret,
-- lookup, issue, import, suspend, the realm's guard.
CREATE FUNCTION pg_temp.answers() RETURNS TABLE (call text, answer text) LANGUAGE plpgsql AS $$
DECLARE calls text[] := ARRAY[
	format('outcome FROM apitoken.verify(%L)', current_setting('test.token')),
		'outcome FROM apitoken.verify(''previous_secret'')', 'outcome FROM apitoken.verify(''nobody knows'')'::text,
	'outcome FROM apitoken.verify(''nobody_knows'')', format('apitoken.verified_id(%L) IS NOT NULL',
	current_setting('test.token')), format('apitoken.authenticate(%L) IS NOT NULL', current_setting('test.token')),
	format('apitoken.lookup(%L) ->> ''name''', current_setting('test.token')),
		'apitoken.import(''index_missing'', ''n'', ''a_foreign_token'') IS NOT NULL',
		'count(*) FROM apitoken.issue(''index_missing'', ''n'')',
	format('status FROM apitoken.suspend(%L)', (SELECT id FROM apitoken._token WHERE name = 'subject')),
		'count(*) FROM apitoken.issue(''index_missing/limit'', ''n'', principal => ''p'')',
		'count(*) FROM apitoken.issue(''index_missing'', ''n'', idempotency_key => ''used'')', 'apitoken.purge()'];
BEGIN
	FOREACH call IN ARRAY calls LOOP
		BEGIN
			EXECUTE 'SELECT ' || call INTO answer;
			RAISE SQLSTATE 'UNDO0';
		EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
			WHEN OTHERS THEN answer := concat_ws(' / ', SQLSTATE, SQLERRM);
		END;
		call := regexp_replace(call, '''.{30,}''', '...');
		RETURN NEXT;
	END LOOP;
	call := 'DELETE FROM apitoken.realm';
	answer := test.error(call);
	RETURN NEXT;
END $$;
SELECT * FROM pg_temp.answers();
CREATE TABLE test.good AS SELECT * FROM pg_temp.answers();
-- Each index dropped, with warm memory; back with the transaction.
BEGIN;
DROP INDEX apitoken._token_digest_idx;
SELECT * FROM pg_temp.answers();
ROLLBACK;
BEGIN;
DROP INDEX apitoken._token_previous_digest_idx;
SELECT * FROM pg_temp.answers();
ROLLBACK;
BEGIN;
ALTER TABLE apitoken._token DROP CONSTRAINT _token_pkey;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
BEGIN;
ALTER TABLE apitoken.realm DROP CONSTRAINT realm_pkey;
SELECT * FROM pg_temp.answers();
ROLLBACK;
BEGIN;
ALTER TABLE apitoken._usage DROP CONSTRAINT _usage_pkey;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
BEGIN;
-- Any index that begins with the realm serves its guard: drop them all.
DROP INDEX apitoken._token_realm_idx, apitoken._token_name_idx, apitoken._token_status_idx, apitoken._token_created_idx,
	apitoken._token_expires_idx, apitoken._token_access_token_ttl_idx;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
-- What is asked of one that has several columns.
BEGIN;
DROP INDEX apitoken._token_principal_idx;
CREATE INDEX ON apitoken._token (principal, realm, status);
CREATE INDEX ON apitoken._token (principal, realm, status, expires_at DESC);
CREATE INDEX ON apitoken._token (principal, realm, status, expires_at) WHERE status = 'a';
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
CREATE INDEX ON apitoken._token (principal, realm, status, expires_at, id);
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
BEGIN;
DROP INDEX apitoken._token_status_changed_idx;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
BEGIN;
DROP INDEX apitoken._token_expires_idx;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
BEGIN;
ALTER TABLE apitoken._idempotency DROP CONSTRAINT _idempotency_pkey;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
BEGIN;
DROP INDEX apitoken._idempotency_created_idx;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
-- Invalid, or not ready: not to be relied on.
BEGIN;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'apitoken._token_digest_idx'::regclass;
SELECT * FROM pg_temp.answers() WHERE call LIKE 'outcome%';
ROLLBACK;
-- Of no use: another method, a part of the rows, another column, an expression.
BEGIN;
DROP INDEX apitoken._token_digest_idx;
CREATE INDEX ON apitoken._token (digest);
CREATE INDEX ON apitoken._token USING hash (digest) WHERE status = 'a';
CREATE INDEX ON apitoken._token USING hash ((digest::bytea));
SELECT call, answer FROM pg_temp.answers() LIMIT 1;
CREATE INDEX another_name ON apitoken._token USING hash (digest);
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
BEGIN;
DROP INDEX apitoken._token_previous_digest_idx;
CREATE INDEX ON apitoken._token USING hash (previous_digest) WHERE status = 'a';
SELECT call, answer FROM pg_temp.answers() OFFSET 1 LIMIT 1;
CREATE INDEX ON apitoken._token USING hash (previous_digest);
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
-- Rebuilt in each way, within a transaction and its rollback, and for good.
BEGIN;
REINDEX INDEX apitoken._token_digest_idx;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
REINDEX TABLE apitoken._token;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
CLUSTER apitoken._token USING _token_pkey;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ALTER TABLE apitoken._token ALTER COLUMN idp_domain TYPE text USING idp_domain || '';
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
CLUSTER apitoken.realm USING realm_pkey;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
REINDEX TABLE apitoken._token;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
REINDEX TABLE CONCURRENTLY apitoken._token;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
REINDEX INDEX CONCURRENTLY apitoken._token_digest_idx;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
REINDEX TABLE CONCURRENTLY apitoken.realm;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
VACUUM FULL apitoken._token;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
VACUUM FULL apitoken.realm;
CLUSTER apitoken._token USING _token_pkey;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ALTER TABLE apitoken._token SET WITHOUT CLUSTER;
DROP INDEX CONCURRENTLY apitoken._token_previous_digest_idx;
SELECT call, answer FROM pg_temp.answers() OFFSET 1 LIMIT 1;
CREATE INDEX CONCURRENTLY _token_previous_digest_idx ON apitoken._token USING hash (previous_digest)
	WHERE previous_digest IS NOT NULL;
COMMENT ON INDEX apitoken._token_previous_digest_idx IS 'finds a token by the secret before';
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
-- Emptied and filled again, under the same memory.
BEGIN;
CREATE TEMP TABLE saved ON COMMIT DROP AS TABLE apitoken._token;
TRUNCATE apitoken._token;
SELECT outcome FROM apitoken.verify(:'token');
SELECT token AS new_token FROM apitoken.issue('index_missing', 'new') \gset
SELECT outcome FROM apitoken.verify(:'new_token');
SAVEPOINT s;
TRUNCATE apitoken._token;
SELECT outcome FROM apitoken.verify(:'new_token');
ROLLBACK TO s;
SELECT outcome FROM apitoken.verify(:'new_token');
INSERT INTO apitoken._token TABLE saved;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'new_token');
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
-- Tables in another order of columns, or fewer of them, are not misread.
BEGIN;
ALTER TABLE apitoken._usage RENAME TO _usage_away;
CREATE TABLE apitoken._usage (token_id uuid PRIMARY KEY);
SELECT test.error(format('SELECT apitoken.lookup(%L)', :'token'));
DROP TABLE apitoken._usage;
SELECT test.error(format('SELECT apitoken.lookup(%L)', :'token'));
ROLLBACK;
-- Without the table: an error again, and what is found later is the new one.
BEGIN;
ALTER TABLE apitoken._token RENAME TO _token_away;
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK;
SELECT * FROM pg_temp.answers() EXCEPT SELECT * FROM test.good;
-- A hash index gives whoever shares the hash, here all but the last byte: the
-- digest itself is compared.
SELECT apitoken.import('index_missing', 'twin', sha256 => sha256('twin')) AS twin_id \gset
BEGIN;
UPDATE apitoken._token SET digest = overlay(digest::bytea PLACING '\x00' FROM 32 FOR 1)::apitoken.digest
	WHERE id = :'twin_id';
SELECT outcome FROM apitoken.verify_sha256(sha256('twin'));
ROLLBACK;
SELECT outcome FROM apitoken.verify_sha256(sha256('twin'));
SELECT test.drop_realm(r) FROM unnest('{index_missing,index_missing/limit}'::text[]) r;
DROP TABLE test.good;
