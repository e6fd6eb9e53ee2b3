-- The realm's policy is kept in each backend: a change counts at once, also
-- within the transaction that makes it, and is undone with it.  (What other
-- sessions see: test/specs.)
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('policy'), ('policy/other');
SELECT id, token FROM apitoken.issue('policy', 'subject') \gset
SELECT token AS other FROM apitoken.issue('policy/other', 'other') \gset
UPDATE apitoken._token SET created_at = now() - interval '1 year' WHERE id = :'id';
CREATE FUNCTION pg_temp.outcomes(VARIADIC tokens text[]) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(outcome, ' ' ORDER BY ordinality) FROM apitoken.verify_many(tokens) $$;
SELECT pg_temp.outcomes(:'token', :'other');
-- Every way to change it.
UPDATE apitoken.realm SET enabled = false WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET enabled = NOT enabled WHERE id LIKE 'policy%';
SELECT pg_temp.outcomes(:'token', :'other');
MERGE INTO apitoken.realm USING (VALUES ('policy/other')) AS v(id) ON realm.id = v.id WHEN MATCHED THEN UPDATE SET enabled = true;
SELECT pg_temp.outcomes(:'token', :'other');
INSERT INTO apitoken.realm (id, enabled) VALUES ('policy', false) ON CONFLICT (id) DO UPDATE SET enabled = excluded.enabled;
SELECT pg_temp.outcomes(:'token', :'other');
WITH changed AS (UPDATE apitoken.realm SET enabled = true WHERE id = 'policy' RETURNING id) SELECT * FROM changed;
SELECT pg_temp.outcomes(:'token', :'other');
-- A change of one column that is kept, and of one that is not.
UPDATE apitoken.realm SET max_idle = '1 hour' WHERE id = 'policy';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
UPDATE apitoken._usage SET last_used_at = NULL WHERE token_id = :'id';
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET name = 'no policy' WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET max_idle = NULL WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
-- In a transaction, a savepoint, a function that fails: seen at once, undone
-- at once.
BEGIN;
UPDATE apitoken.realm SET enabled = false WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
SAVEPOINT a;
UPDATE apitoken.realm SET enabled = true WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
SAVEPOINT b;
UPDATE apitoken.realm SET enabled = false;
SELECT pg_temp.outcomes(:'token', :'other');
ROLLBACK TO b;
SELECT pg_temp.outcomes(:'token', :'other');
RELEASE b;
ROLLBACK TO a;
SELECT pg_temp.outcomes(:'token', :'other');
RELEASE a;
SELECT pg_temp.outcomes(:'token', :'other');
ROLLBACK;
SELECT pg_temp.outcomes(:'token', :'other');
CREATE FUNCTION pg_temp.fails(token text, OUT during text, OUT after text) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		UPDATE apitoken.realm SET enabled = false WHERE id = 'policy';
		during := pg_temp.outcomes(token);
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		after := pg_temp.outcomes(token);
	END;
END $$;
SELECT * FROM pg_temp.fails(:'token');
SELECT pg_temp.outcomes(:'token', :'other');
-- Several times in one transaction, which commits.
BEGIN;
UPDATE apitoken.realm SET enabled = false WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET enabled = true WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET enabled = false WHERE id = 'policy/other';
SELECT pg_temp.outcomes(:'token', :'other');
COMMIT;
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET enabled = true;
-- Without triggers of an ordinary kind.
SET session_replication_role = replica;
UPDATE apitoken.realm SET enabled = false WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET enabled = true WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
RESET session_replication_role;
-- In an older snapshot, where the session itself still reads the old row.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT enabled FROM apitoken.realm WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
UPDATE apitoken.realm SET enabled = false WHERE id = 'policy';
SELECT pg_temp.outcomes(:'token', :'other');
ROLLBACK;
SELECT pg_temp.outcomes(:'token', :'other');
-- A realm that was not there a moment ago, one that is gone, and one that is
-- made again under its name.
INSERT INTO apitoken.realm (id) VALUES ('policy/new');
SELECT id AS new_id, token AS new FROM apitoken.issue('policy/new', 'new') \gset
SELECT pg_temp.outcomes(:'new');
BEGIN;
UPDATE apitoken._token SET realm = 'policy' WHERE id = :'new_id';
DELETE FROM apitoken.realm WHERE id = 'policy/new';
UPDATE apitoken._token SET realm = 'policy/new' WHERE id = :'new_id';
SELECT pg_temp.outcomes(:'new');
INSERT INTO apitoken.realm (id, enabled) VALUES ('policy/new', false);
SELECT pg_temp.outcomes(:'new');
UPDATE apitoken.realm SET enabled = true WHERE id = 'policy/new';
SELECT pg_temp.outcomes(:'new');
ROLLBACK;
SELECT pg_temp.outcomes(:'new');
SELECT test.drop_realm('policy/new');
SELECT pg_temp.outcomes(:'new');
-- More realms than are kept, each with its own policy.
INSERT INTO apitoken.realm (id, enabled) SELECT 'policy ' || n, true FROM generate_series(1, 600) n;
CREATE TABLE test.text AS SELECT n, i.token FROM generate_series(1, 600) n, LATERAL apitoken.issue('policy ' || n, 'n') i;
UPDATE apitoken.realm SET enabled = false WHERE id ~ '^policy \d*[02468]$';
SELECT n % 2 AS odd, outcome, count(*) FROM test.text, LATERAL apitoken.verify(token) GROUP BY 1, 2 ORDER BY 1;
SELECT n % 2 AS odd, outcome, count(*) FROM generate_series(1, 3), test.text, LATERAL apitoken.verify(token) GROUP BY 1, 2 ORDER BY 1;
UPDATE apitoken.realm SET enabled = NOT enabled WHERE id LIKE 'policy %';
SELECT n % 2 AS odd, outcome, count(*) FROM test.text, LATERAL apitoken.verify(token) GROUP BY 1, 2 ORDER BY 1;
DROP TABLE test.text;
SELECT count(test.drop_realm('policy ' || n)) FROM generate_series(1, 600) n;
SELECT test.drop_realm('policy'), test.drop_realm('policy/other');
