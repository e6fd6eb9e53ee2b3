-- Keys: what a server without a key says to rows that were stored with one.
-- With keys: test/t/041_pepper.pl.
\set VERBOSITY terse
INSERT INTO apitoken.realm (id) VALUES ('pepper');
SELECT id, token FROM apitoken.issue('pepper', 'first') \gset
SELECT id AS other_id, token AS other FROM apitoken.issue('pepper', 'other') \gset
SELECT key_id, previous_key_id FROM apitoken._token WHERE id = :'id';
SELECT role, key_id, problem, tokens >= 2 AS tokens, previous_secrets FROM apitoken.key_state();
-- The secret before keeps the key that it was stored with.
SELECT token AS rotated FROM apitoken.rotate(:'other_id', '1 day') \gset
SELECT key_id, previous_key_id FROM apitoken._token WHERE id = :'other_id';
SELECT previous_secrets > 0 AS counted FROM apitoken.key_state();
-- A row that names a key that is not in use is not found, and that is an error
-- for all that are not; others go on.
BEGIN;
UPDATE apitoken._token SET key_id = 7 WHERE id = :'id';
SELECT outcome FROM apitoken.verify(:'rotated');
SELECT outcome FROM apitoken.verify(:'other');
SELECT role, key_id, tokens FROM apitoken.key_state() WHERE role <> 'current';
SAVEPOINT s;
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK TO s;
SELECT outcome FROM apitoken.verify_sha256(sha256('never seen before'));
ROLLBACK TO s;
SELECT apitoken.lookup(:'token');
ROLLBACK TO s;
SELECT apitoken.details(:'token');
ROLLBACK TO s;
SELECT apitoken.revoke_self(:'token');
ROLLBACK TO s;
SELECT apitoken.import('pepper', 'again', :'token');
ROLLBACK TO s;
-- Nothing is stored without a key beside it; a session that has looked looks
-- again when something was done to the table.
ALTER TABLE apitoken._token SET (autovacuum_enabled);
SELECT apitoken.issue('pepper', 'another');
ROLLBACK TO s;
SELECT apitoken.rotate(:'other_id');
ROLLBACK TO s;
SELECT status FROM apitoken.revoke(:'id');
-- The index that tells is needed, and no other will do.
DROP INDEX apitoken._token_key_id_idx;
SELECT outcome FROM apitoken.verify(:'other');
SAVEPOINT s;
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK TO s;
CREATE INDEX ON apitoken._token (key_id) WHERE key_id <> 7;
CREATE INDEX ON apitoken._token (key_id) WHERE key_id > 0;
CREATE INDEX ON apitoken._token (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX ON apitoken._token (key_id) WHERE previous_key_id <> 0;
CREATE INDEX ON apitoken._token (key_id) WHERE key_id <> 0 AND status = 'a';
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK TO s;
CREATE INDEX ON apitoken._token (key_id, id);
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK TO s;
CREATE INDEX ON apitoken._token (key_id, id);
UPDATE apitoken._token SET key_id = 0 WHERE id = :'id';
SELECT outcome FROM apitoken.verify('never seen before');
SELECT outcome FROM apitoken.verify('never-seen-before');
ROLLBACK;
-- So it is with the previous secret.
BEGIN;
UPDATE apitoken._token SET previous_key_id = 7 WHERE id = :'other_id';
SELECT outcome FROM apitoken.verify(:'other');
SELECT outcome FROM apitoken.verify(:'rotated');
SELECT role, key_id, previous_secrets FROM apitoken.key_state() WHERE role <> 'current';
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'token');
SELECT outcome FROM apitoken.verify(:'other');
-- A key can only be set with the configuration.
SET apitoken.pepper_file = '/nowhere';
SET apitoken.previous_pepper_file = 'none';
SELECT test.drop_realm('pepper');
