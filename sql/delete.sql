-- delete(): removes a revoked token for good; its history stays.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('delete');
SELECT id, token FROM apitoken.issue('delete', 'subject', '{a}', principal => 'p', description => 'd') \gset
-- Only from revoked.
SELECT test.error(format('SELECT apitoken.delete(%L)', :'id'));
SELECT status FROM apitoken.suspend(:'id');
SELECT test.error(format('SELECT apitoken.delete(%L)', :'id'));
SELECT status FROM apitoken.revoke(:'id');
SELECT test.now_event() AS before \gset
SELECT id = :'id' AS same, realm, name, status, version, expires_at FROM apitoken.delete(:'id');
-- Token and use are gone; the secret is unknown; the whole row is in the event.
SELECT (SELECT count(*) FROM apitoken._token WHERE id = :'id') AS tokens, (SELECT count(*) FROM apitoken._usage WHERE token_id = :'id') AS uses;
SELECT outcome FROM apitoken.verify(:'token');
SELECT * FROM test.events('delete', :before);
SELECT string_agg(event, ' ' ORDER BY id) FROM apitoken._event WHERE token_id = :'id';
SELECT test.error(format('SELECT apitoken.delete(%L)', :'id')), test.error(format('SELECT apitoken.revoke(%L)', :'id'));
SELECT test.error('SELECT apitoken.delete(NULL)');
-- A previous secret goes with it.
SELECT id, token FROM apitoken.issue('delete', 'rotated') \gset
SELECT count(apitoken.rotate(:'id', '1 hour')) FROM apitoken.realm WHERE id = 'delete';
SELECT status FROM apitoken.revoke(:'id');
SELECT outcome FROM apitoken.verify(:'token');
SELECT test.error(format('SET TRANSACTION READ ONLY; SELECT apitoken.delete(%L)', :'id'));
BEGIN;
SELECT status FROM apitoken.delete(:'id');
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'token');
-- A trigger that prevents it does not do so silently.
CREATE FUNCTION test.prevent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
BEGIN;
CREATE TRIGGER prevent BEFORE DELETE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION test.prevent();
SELECT test.error(format('SELECT apitoken.delete(%L)', :'id'));
ROLLBACK;
DROP FUNCTION test.prevent;
-- Revoked and deleted in one statement; imported again with the same id.
SELECT d.status FROM apitoken.delete(:'id') d;
SELECT apitoken.import('delete', 'imported', test.sample()) AS imported_id \gset
SELECT d.status FROM apitoken.revoke(:'imported_id') r, LATERAL apitoken.delete(r.id) d;
SELECT apitoken.import('delete', 'again', test.sample()) = :'imported_id' AS same_id;
SELECT string_agg(event, ' ' ORDER BY id) FROM apitoken._event WHERE token_id = :'imported_id' AND realm = 'delete';
SELECT outcome FROM apitoken.verify(test.sample());
SELECT test.drop_realm('delete');
