-- suspend(), activate(), revoke(): active <-> suspended, both -> revoked.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
INSERT INTO apitoken.realm (id) VALUES ('lifecycle');
SELECT id, token FROM apitoken.issue('lifecycle', 'subject', expires_at => '2999-01-01Z') \gset
-- Every function in every state: the new state, or the error; what is in the
-- row before and after where it fails; and what verification says then.
CREATE FUNCTION pg_temp.transition(state "char", command text, OUT answer text, OUT changed text[],
	OUT verified text) LANGUAGE plpgsql AS $$
DECLARE subject uuid; before jsonb; after jsonb; r record;
BEGIN
	BEGIN
		SELECT id FROM apitoken._token WHERE name = 'subject' INTO subject;
		UPDATE apitoken._token SET status = state, status_reason = 'before' WHERE id = subject;
		SELECT to_jsonb(t) FROM apitoken._token t WHERE id = subject INTO before;
		answer := test.error(format('SELECT apitoken.%I(%L)', command, subject));
		SELECT to_jsonb(t) FROM apitoken._token t WHERE id = subject INTO after;
		IF answer = 'no error' THEN answer := format('%s -> %s', before ->> 'status', after ->> 'status'); END IF;
		changed := ARRAY(SELECT key FROM jsonb_each(before) b JOIN jsonb_each(after) a USING (key)
			WHERE a.value <> b.value ORDER BY key);
		verified := (SELECT outcome FROM apitoken.verify(current_setting('test.token')));
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	END;
END $$;
SELECT set_config('test.token', :'token', false) = :'token' AS kept;
SELECT state, command, t.* FROM unnest('{a,s,r}'::"char"[]) WITH ORDINALITY AS s(state, n),
	unnest('{suspend,activate,revoke}'::text[]) WITH ORDINALITY AS c(command, m),
	LATERAL pg_temp.transition(state, command) t ORDER BY n, m;
-- What the three answer: the same row, with the version as it was, for a
-- change of state is no modification.
SELECT id = :'id' AS same, realm, name, status, version, expires_at FROM apitoken.suspend(:'id', 'lost laptop');
SELECT id = :'id' AS same, realm, name, status, version, expires_at FROM apitoken.activate(:'id');
SELECT id = :'id' AS same, realm, name, status, version, expires_at FROM apitoken.revoke(:'id', 'stolen laptop');
SELECT status, version, expires_at
	FROM apitoken.suspend((SELECT id FROM apitoken.issue('lifecycle', 'never expires'))) AS same_statement;
SELECT test.error(format('SELECT apitoken.revoke(%L)', :'id'));
-- Who, when, why; not as the author of a modification.
SELECT id AS other_id FROM apitoken.issue('lifecycle', 'other') \gset
CREATE FUNCTION pg_temp.stamps(id uuid) RETURNS TABLE (status "char", by_session boolean, status_changed_by text,
	reason text, just_now boolean, version bigint, not_updated boolean, author_stays boolean) LANGUAGE sql AS $$
	SELECT status, status_changed_by = session_user, replace(status_changed_by, session_user, '<session>'),
		status_reason, status_changed_at BETWEEN now() - interval '1 minute' AND clock_timestamp(),
		version, updated_at = created_at,
		   updated_by = created_by AND updated_by_name = created_by_name FROM apitoken._token t WHERE t.id = $1 $$;
SELECT * FROM pg_temp.stamps(:'other_id');
SELECT status FROM apitoken.suspend(:'other_id', 'why not');
SELECT * FROM pg_temp.stamps(:'other_id');
SET apitoken.actor = 'u-17';
SELECT status FROM apitoken.activate(:'other_id');
SELECT * FROM pg_temp.stamps(:'other_id');
SELECT status FROM apitoken.revoke(:'other_id', reason => E'two\nlines ' || repeat('ü', 3000)) \gset
SELECT status, status_changed_by, length(reason), version, not_updated FROM pg_temp.stamps(:'other_id');
RESET apitoken.actor;
-- An expired token, one of a disabled realm and one not valid yet can be
-- suspended and revoked: the state is their own.
SELECT id AS expired_id FROM apitoken.issue('lifecycle', 'expired', not_before => '2999-01-01Z') \gset
UPDATE apitoken._token SET expires_at = '2001-01-01Z' WHERE id = :'expired_id';
UPDATE apitoken.realm SET enabled = false WHERE id = 'lifecycle';
SELECT status, expires_at FROM apitoken.suspend(:'expired_id');
SELECT status, expires_at FROM apitoken.activate(:'expired_id');
SELECT status, expires_at FROM apitoken.revoke(:'expired_id');
UPDATE apitoken.realm SET enabled = true WHERE id = 'lifecycle';
-- Unknown and missing ids; a transaction that may not write.
SELECT call, test.error('SELECT apitoken.' || call)
	FROM unnest(ARRAY['suspend(NULL)', 'activate(NULL)', 'revoke(NULL)',
	'suspend(''94f44c7f-4a82-71ac-83f7-000000000000'')',
	'activate(''94f44c7f-4a82-71ac-83f7-000000000000'')',
	'revoke(''94f44c7f-4a82-71ac-83f7-000000000000'')']) WITH ORDINALITY AS c(call, n) ORDER BY n;
SELECT call, test.error(format('SET TRANSACTION READ ONLY; SELECT apitoken.%s(%L)', call, :'id'))
	FROM unnest('{suspend,activate,revoke}'::text[]) call;
-- They join the transaction.  Seen at once by it, undone with it.
SELECT id AS third_id, token AS third_token FROM apitoken.issue('lifecycle', 'third') \gset
BEGIN;
SELECT status FROM apitoken.suspend(:'third_id');
SELECT outcome FROM apitoken.verify(:'third_token');
SAVEPOINT s;
SELECT status FROM apitoken.revoke(:'third_id');
SELECT outcome FROM apitoken.verify(:'third_token');
ROLLBACK TO s;
SELECT outcome FROM apitoken.verify(:'third_token');
SELECT status FROM apitoken.activate(:'third_id');
SELECT outcome FROM apitoken.verify(:'third_token');
SELECT test.error(format('SELECT apitoken.activate(%L)', :'third_id'));
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'third_token');
-- Made and revoked in one transaction, changed twice in one statement.
BEGIN;
SELECT id AS own_id FROM apitoken.issue('lifecycle', 'own') \gset
SELECT s.status, a.status, r.status FROM apitoken.suspend(:'own_id') s, LATERAL apitoken.activate(s.id) a,
	LATERAL apitoken.revoke(a.id) r;
COMMIT;
-- Many in one statement, chosen by a query.
SELECT count(apitoken.issue('lifecycle', 'bulk' || n)) FROM generate_series(1, 100) n;
SELECT count(r.id), min(r.status) FROM apitoken._token t, LATERAL apitoken.revoke(t.id, 'all of them') r
	WHERE t.name LIKE 'bulk%';
SELECT status, count(*) FROM apitoken.tokens WHERE realm = 'lifecycle' GROUP BY 1 ORDER BY 1;
-- Triggers that users add fire, deferred ones too.
CREATE FUNCTION test.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% % %: % -> %', TG_NAME,
	TG_WHEN, TG_OP, OLD.status, NEW.status; RETURN NEW; END $$;
BEGIN;
CREATE TRIGGER noted1 BEFORE UPDATE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION test.noted();
CREATE TRIGGER noted2 AFTER INSERT OR UPDATE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION test.noted();
CREATE CONSTRAINT TRIGGER noted3 AFTER UPDATE ON apitoken._token DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION test.noted();
SELECT status FROM apitoken.suspend(:'third_id');
SELECT apitoken.import('lifecycle', 'n', sha256 => sha256('lifecycle')) IS NOT NULL AS imported;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
-- One that prevents the change does not do so silently.
CREATE FUNCTION test.prevent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
BEGIN;
CREATE TRIGGER prevent BEFORE INSERT OR UPDATE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION test.prevent();
SELECT test.error(format('SELECT apitoken.suspend(%L)', :'third_id')),
	test.error('SELECT apitoken.issue(''lifecycle'', ''n'')');
SELECT outcome FROM apitoken.verify(:'third_token');
ROLLBACK;
DROP FUNCTION test.noted, test.prevent;
-- A constraint that an administrator adds is kept.
BEGIN;
ALTER TABLE apitoken._token ADD CONSTRAINT reason CHECK (status <> 's' OR status_reason <> '') NOT VALID;
SELECT test.sqlstate(format('SELECT apitoken.suspend(%L, '''')', :'third_id'));
SELECT status FROM apitoken.suspend(:'third_id', 'a reason');
ROLLBACK;
-- Columns that a later version or an administrator adds keep their value.
BEGIN;
ALTER TABLE apitoken._token ADD COLUMN added text DEFAULT 'kept';
SELECT status FROM apitoken.suspend(:'third_id');
SELECT id AS added_id FROM apitoken.issue('lifecycle', 'with column') \gset
SELECT name, status, added FROM apitoken._token WHERE id IN (:'third_id', :'added_id') ORDER BY name;
ROLLBACK;
SELECT test.drop_realm('lifecycle');
