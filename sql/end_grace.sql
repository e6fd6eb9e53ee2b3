-- end_grace(): a grace ends now.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('end_grace');
SELECT id, token FROM apitoken.issue('end_grace', 'subject') \gset
SELECT test.error(format('SELECT apitoken.end_grace(%L)', :'id'));
SELECT token AS new_token FROM apitoken.rotate(:'id', '1 hour') \gset
SELECT outcome FROM apitoken.verify(:'token');
SELECT test.now_event() AS before, updated_at FROM apitoken._token WHERE id = :'id' \gset
-- No modification: the version stays.
SELECT id = :'id' AS same, realm, name, status, version, expires_at FROM apitoken.end_grace(:'id');
SELECT (apitoken.verify(t)).outcome FROM unnest(ARRAY[:'token', :'new_token']) WITH ORDINALITY u(t, n) ORDER BY n;
SELECT updated_at = :'updated_at' AS not_updated FROM apitoken._token WHERE id = :'id';
SELECT * FROM test.events('end_grace', :before);
-- Once only.  Another rotation begins another grace; in any state.
SELECT test.error(format('SELECT apitoken.end_grace(%L)', :'id'));
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'id')), test.error(format('SELECT apitoken.end_grace(%L)', :'id'));
SELECT test.error(format('SELECT apitoken.rotate(%L, ''1 hour'')', :'id')) AS rotated;
SELECT status FROM apitoken.suspend(:'id');
SELECT status, version FROM apitoken.end_grace(:'id');
SELECT test.error('SELECT apitoken.end_grace(NULL)'),
	test.error('SELECT apitoken.end_grace(''94f44c7f-4a82-71ac-83f7-000000000000'')');
SELECT test.error(format('SET TRANSACTION READ ONLY; SELECT apitoken.end_grace(%L)', :'id'));
-- Undone with its transaction.
SELECT status FROM apitoken.activate(:'id');
SELECT token AS third FROM apitoken.rotate(:'id', '1 hour') \gset
SELECT token AS fourth FROM apitoken.rotate(:'id', '1 hour') \gset
BEGIN;
SELECT status FROM apitoken.end_grace(:'id');
SELECT outcome FROM apitoken.verify(:'third');
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'third');
SELECT test.drop_realm('end_grace');
