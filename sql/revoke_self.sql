-- revoke_self(): who has the secret can end the token.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('revoke_self');
SELECT id, token FROM apitoken.issue('revoke_self', 'subject') \gset
SELECT apitoken.revoke_self(:'token');
SELECT outcome FROM apitoken.verify(:'token');
SELECT * FROM test.last_event(:'id');
-- Again: it was revoked before.  No second event.
SELECT apitoken.revoke_self(:'token');
SELECT count(*) FROM apitoken._event WHERE token_id = :'id';
-- A secret in its grace counts, one past it does not.
SELECT id, token FROM apitoken.issue('revoke_self', 'rotated') \gset
SELECT token AS second FROM apitoken.rotate(:'id') \gset
SELECT token AS third FROM apitoken.rotate(:'id', '1 hour') \gset
SELECT test.error(format('SELECT apitoken.revoke_self(%L)', :'token'));
SELECT outcome FROM apitoken.verify(:'third');
SELECT apitoken.revoke_self(:'second');
SELECT outcome FROM apitoken.verify(:'third');
SELECT apitoken.revoke_self(:'third'), apitoken.revoke_self(:'second');
-- Superseded, unknown, malformed, null: one answer for all of them.
SELECT id, token FROM apitoken.issue('revoke_self', 'superseded') \gset
SELECT token AS second FROM apitoken.rotate(:'id') \gset
SELECT DISTINCT test.error(format('SELECT apitoken.revoke_self(%L)', t))
	FROM unnest(ARRAY[:'token', 'nobody_knows', 'short', '', 'with space in it', repeat('x', 513), NULL, test.sample()]) t;
SELECT outcome FROM apitoken.verify(:'second');
-- Whatever its state: suspended, expired, in a disabled realm.
SELECT status FROM apitoken.suspend(:'id', 'kept');
UPDATE apitoken._token SET expires_at = '2001-01-01Z' WHERE id = :'id';
UPDATE apitoken.realm SET enabled = false WHERE id = 'revoke_self';
SELECT apitoken.revoke_self(:'second');
SELECT status, status_reason FROM apitoken._token WHERE id = :'id';
UPDATE apitoken.realm SET enabled = true WHERE id = 'revoke_self';
-- Imported by hash, revoked by text.
SELECT apitoken.import('revoke_self', 'imported', sha256 => sha256('a_foreign_token_text')) IS NOT NULL AS imported;
SELECT apitoken.revoke_self('a_foreign_token_text');
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.revoke_self(''a_foreign_token_text'')');
SELECT bool_or(e::text LIKE '%foreign_token%' OR e::text LIKE '%' || right(:'second', 10) || '%') AS secret FROM apitoken._event e WHERE realm = 'revoke_self';
SELECT test.drop_realm('revoke_self');
