-- What a current token confines to: its realm, its scopes.
\pset format unaligned
\pset tuples_only on
INSERT INTO apitoken.realm (id) VALUES ('home'), ('abroad');
SELECT id AS admin, token AS admin_token FROM apitoken.issue('home', 'admin', '{*}', principal => 'admin') \gset
SELECT id AS writer, token AS writer_token FROM apitoken.issue('home', 'writer', '{apitoken.write,app.*}') \gset
SELECT id AS reader, token AS reader_token FROM apitoken.issue('home', 'reader', '{apitoken.read}') \gset
SELECT id AS plain, token AS plain_token FROM apitoken.issue('home', 'plain') \gset
SELECT id AS strong, token AS strong_token FROM apitoken.issue('home', 'strong', '{app.x,secret.x}', principal => 'boss') \gset
SELECT id AS weak, token AS weak_token FROM apitoken.issue('home', 'weak', '{app.x}', principal => 'ann') \gset
SELECT id AS idle, token AS idle_token FROM apitoken.issue('home', 'suspended', '{app.y}') \gset
SELECT status FROM apitoken.suspend(:'idle');
SELECT id AS stopped FROM apitoken.issue('home', 'suspended and strong', '{secret.y}') \gset
SELECT status FROM apitoken.suspend(:'stopped');
SELECT id AS gone FROM apitoken.issue('home', 'revoked', '{secret.z}') \gset
SELECT status FROM apitoken.revoke(:'gone');
SELECT id AS rotated FROM apitoken.issue('home', 'rotated', '{secret.r}') \gset
SELECT id = :'rotated' FROM apitoken.rotate(:'rotated', '1 hour');
SELECT id AS foreign, token AS foreign_token FROM apitoken.issue('abroad', 'foreign', '{app.x}', principal => 'ann') \gset
SELECT id AS foreign_gone FROM apitoken.issue('abroad', 'foreign and revoked') \gset
SELECT status FROM apitoken.revoke(:'foreign_gone');
CREATE TABLE test.subject (name text, id uuid, token text);
INSERT INTO test.subject VALUES ('admin', :'admin', :'admin_token'), ('writer', :'writer', :'writer_token'),
	('reader', :'reader', :'reader_token'), ('plain', :'plain', :'plain_token'), ('strong', :'strong', :'strong_token'),
	('weak', :'weak', :'weak_token'), ('idle', :'idle', NULL), ('stopped', :'stopped', NULL), ('gone', :'gone', NULL), ('rotated', :'rotated', NULL),
	('foreign', :'foreign', :'foreign_token'), ('foreign_gone', :'foreign_gone', NULL), ('unknown', gen_random_uuid(), NULL);

-- What a statement answers to whom, undone afterwards.  Words in braces are ids of subjects, in double ones tokens.
CREATE FUNCTION test.attempt(name text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text; s record;
BEGIN
	FOR s IN SELECT * FROM test.subject LOOP
		statement := replace(replace(statement, '{{' || s.name || '}}', quote_nullable(s.token)), '{' || s.name || '}', quote_literal(s.id));
	END LOOP;
	BEGIN
		PERFORM apitoken.authenticate(token) FROM test.subject WHERE subject.name = attempt.name;
		EXECUTE 'SELECT ' || statement INTO answer;
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN RETURN coalesce(answer, 'null');
		WHEN OTHERS THEN RETURN SQLSTATE;
	END;
END $$;
CREATE TABLE test.statement (n int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO test.statement (statement) VALUES
	-- reading
	($$(apitoken.list('home') -> 'pagination' ->> 'item_count')$$), ($$(apitoken.list() -> 'pagination' ->> 'item_count')$$),
	($$(apitoken.list('abroad') -> 'pagination' ->> 'item_count')$$), ($$(apitoken.list('nowhere') -> 'pagination' ->> 'item_count')$$),
	($$(apitoken.query('home') -> 'pageInfo' ->> 'totalCount')$$), ($$(apitoken.query() -> 'pageInfo' ->> 'totalCount')$$),
	($$(apitoken.query('abroad') -> 'pageInfo' ->> 'totalCount')$$), ($$jsonb_array_length(apitoken.list(cursor => '') -> 'summaries')$$),
	($$(apitoken.read({weak}) ->> 'name')$$), ($$(apitoken.read({foreign}) ->> 'name')$$), ($$(apitoken.read({unknown}) ->> 'name')$$),
	($$(apitoken.read(NULL) ->> 'name')$$),
	-- by possession
	($$(apitoken.lookup({{weak}}) ->> 'name')$$), ($$(apitoken.lookup({{foreign}}) ->> 'name')$$),
	($$apitoken.details({{foreign}}) IS NOT NULL$$), ($$outcome FROM apitoken.verify({{foreign}})$$),
	($$apitoken.verified_id({{foreign}}) = {foreign}$$), ($$apitoken.revoke_self({{weak}})$$), ($$apitoken.revoke_self({{foreign}})$$),
	-- making
	($$id IS NOT NULL FROM apitoken.issue('home', 'n')$$), ($$id IS NOT NULL FROM apitoken.issue('abroad', 'n')$$),
	($$id IS NOT NULL FROM apitoken.issue('nowhere', 'n')$$), ($$id IS NOT NULL FROM apitoken.issue(NULL, 'n')$$),
	($$id IS NOT NULL FROM apitoken.issue('home', 'n', '{app.x,app.sub.*}')$$), ($$id IS NOT NULL FROM apitoken.issue('home', 'n', '{app.x,secret.x}')$$),
	($$id IS NOT NULL FROM apitoken.issue('home', 'n', '{apitoken.write}')$$), ($$id IS NOT NULL FROM apitoken.issue('home', 'n', '{apitoken.*}')$$),
	($$id IS NOT NULL FROM apitoken.issue('home', 'n', '{*}')$$),
	($$apitoken.import('home', 'n', 'a_foreign_token') IS NOT NULL$$), ($$apitoken.import('home', 'n', 'a_foreign_token', scopes => '{secret.x}') IS NOT NULL$$),
	($$apitoken.import('abroad', 'n', 'a_foreign_token') IS NOT NULL$$), ($$apitoken.import('home', 'n', {{strong}}) = {strong}$$),
	-- changing
	($$name FROM apitoken.update({weak}, name => 'n')$$), ($$name FROM apitoken.update({strong}, name => 'n')$$),
	($$name FROM apitoken.update({strong}, clear => '{principal}')$$), ($$version FROM apitoken.update({weak}, scopes => '{app.y}')$$),
	($$version FROM apitoken.update({weak}, scopes => '{secret.x}')$$), ($$version FROM apitoken.update({strong}, scopes => '{app.x}')$$),
	($$version FROM apitoken.update({stopped}, scopes => '{secret.x}')$$),
	($$version FROM apitoken.update({weak}, expires_in => '1 day')$$), ($$version FROM apitoken.update({strong}, expires_in => '1 day')$$),
	($$version FROM apitoken.update({strong}, clear => '{expires_at}')$$), ($$version FROM apitoken.update({strong}, not_before => '2020-01-01')$$),
	($$version FROM apitoken.update({strong}, clear => '{allowed_addresses}')$$), ($$version FROM apitoken.update({foreign}, name => 'n')$$),
	($$id IS NOT NULL FROM apitoken.rotate({weak})$$), ($$id IS NOT NULL FROM apitoken.rotate({strong})$$),
	($$id IS NOT NULL FROM apitoken.rotate({stopped})$$), ($$id IS NOT NULL FROM apitoken.rotate({foreign})$$),
	($$status FROM apitoken.end_grace({rotated})$$), ($$status FROM apitoken.end_grace({foreign})$$),
	($$status FROM apitoken.suspend({strong})$$), ($$status FROM apitoken.suspend({foreign})$$), ($$status FROM apitoken.suspend({unknown})$$),
	($$status FROM apitoken.activate({idle})$$), ($$status FROM apitoken.activate({stopped})$$), ($$status FROM apitoken.activate({foreign})$$),
	($$status FROM apitoken.revoke({strong})$$), ($$status FROM apitoken.revoke({foreign})$$), ($$status FROM apitoken.revoke(NULL)$$),
	($$count(*) FROM apitoken.revoke_all('home')$$), ($$count(*) FROM apitoken.revoke_all('home', 'ann')$$),
	($$count(*) FROM apitoken.revoke_all('abroad', 'ann')$$), ($$count(*) FROM apitoken.revoke_all('abroad', dry_run => true)$$),
	($$count(*) FROM apitoken.revoke_all('home', dry_run => true)$$),
	($$status FROM apitoken.delete({gone})$$), ($$status FROM apitoken.delete({foreign_gone})$$), ($$status FROM apitoken.delete({unknown})$$),
	($$apitoken.purge('0')$$),
	-- the service, and what is about all realms: EXECUTE is the gate
	($$count(*) > 1 FROM apitoken.tokens_granting('app.x') g JOIN apitoken._token USING (id) WHERE realm IN ('home', 'abroad')$$),
	($$count(*) > 1 FROM apitoken.tokens_at(now()) JOIN apitoken._token USING (id) WHERE realm IN ('home', 'abroad')$$),
	($$library_version IS NOT NULL FROM apitoken.stats()$$), ($$role FROM apitoken.key_state() LIMIT 1$$), ($$apitoken.flush_usage() IS NOT NULL$$);
\pset tuples_only off
SELECT s.statement, test.attempt('nobody', s.statement) AS nobody, test.attempt('admin', s.statement) AS admin,
	test.attempt('writer', s.statement) AS writer, test.attempt('reader', s.statement) AS reader, test.attempt('plain', s.statement) AS plain
FROM test.statement s ORDER BY n;

-- The messages.  What belongs to another realm is told as what is not there.
CREATE FUNCTION test.error_as(token text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM apitoken.authenticate(token);
	RETURN test.error(statement);
END $$;
\pset tuples_only on
SELECT test.error_as(:'plain_token', $$SELECT apitoken.list()$$);
SELECT test.error_as(:'reader_token', $$SELECT apitoken.purge()$$);
SELECT test.error_as(:'reader_token', $$SELECT apitoken.list('abroad')$$);
SELECT test.error_as(:'writer_token', $$SELECT apitoken.issue('home', 'n', '{app.x,hush,app.y}')$$);
SELECT test.error_as(:'writer_token', format($$SELECT apitoken.revoke(%L)$$, id)) FROM test.subject WHERE name IN ('foreign', 'unknown');
-- Nothing of all that left a trace.
SELECT test.attempt('admin', $$count(*) FROM apitoken.events WHERE token_id = '$$ || :'foreign' || $$' AND event <> 'issued'$$);

-- A token that changes itself, or ends itself, is what it was until the transaction ends.
BEGIN;
SELECT apitoken.authenticate(:'writer_token') = :'writer';
SELECT status FROM apitoken.revoke(:'writer');
SELECT status FROM apitoken.suspend(:'weak');
ROLLBACK;
-- A purge takes only what is of the realm; without a token all.
SELECT test.attempt('admin', 'apitoken.purge(''0'')');
BEGIN;
SELECT apitoken.authenticate(:'admin_token') = :'admin';
SELECT apitoken.purge('0');
SELECT name FROM apitoken._token WHERE status = 'r' AND realm IN ('home', 'abroad');
ROLLBACK;
-- Expired ones, too.
UPDATE apitoken._token SET created_at = now() - interval '3 days', expires_at = now() - interval '2 days' WHERE name IN ('weak', 'foreign');
BEGIN;
SELECT apitoken.authenticate(:'admin_token') = :'admin';
SELECT apitoken.purge('1 day');
SELECT name FROM apitoken._token WHERE name IN ('weak', 'foreign');
ROLLBACK;
-- A snapshot that shows them is no reason to tell of them.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT apitoken.authenticate(:'admin_token') = :'admin';
SELECT count(*) FROM apitoken._token WHERE id = :'foreign';
SAVEPOINT s;
SELECT FROM apitoken.revoke(:'foreign');
ROLLBACK TO s;
SELECT FROM apitoken.revoke('00000000-0000-7000-8000-000000000001');
ROLLBACK;
-- With the rights of a function's owner it is confined as well.
CREATE FUNCTION test.as_owner(id uuid) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT apitoken.read(id) ->> 'name' $$;
BEGIN;
SELECT apitoken.authenticate(:'reader_token') = :'reader';
SELECT test.as_owner(:'strong'), test.as_owner(:'foreign') IS NULL;
COMMIT;
SELECT test.as_owner(:'foreign');

DROP FUNCTION test.attempt, test.error_as, test.as_owner;
DROP TABLE test.subject, test.statement;
SELECT test.drop_realm('home'), test.drop_realm('abroad');
