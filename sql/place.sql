-- Where tokens were found is remembered: src/place.h.  What is remembered is
-- a hint, whatever has become of the row, its page, its table since.
\pset format unaligned
INSERT INTO apitoken.realm (id) VALUES ('place');
SELECT id, token FROM apitoken.issue('place', 'subject', '{a}') \gset
SELECT id AS other_id, token AS other FROM apitoken.issue('place', 'other', '{a}') \gset
-- Scans of tables and indexes, and rows fetched, by this transaction.
CREATE FUNCTION pg_temp.looked() RETURNS TABLE (relation regclass, scans bigint, fetched bigint) LANGUAGE sql AS $$
	SELECT oid::regclass, pg_stat_get_xact_numscans(oid), pg_stat_get_xact_tuples_fetched(oid)
	FROM pg_class WHERE relnamespace = 'apitoken'::regnamespace AND relkind IN ('r', 'i')
		AND pg_stat_get_xact_numscans(oid) + pg_stat_get_xact_tuples_fetched(oid) > 0
	ORDER BY 1 $$;
-- The realm's policy is in memory after this.
SELECT apitoken.verified_id(:'other') = :'other_id' AS valid;

-- The first time: one probe of the index, one row of the table.  Then none.
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT outcome FROM apitoken.verify(:'token');
SELECT * FROM pg_temp.looked();
SELECT outcome FROM apitoken.verify(:'token');
SELECT outcome FROM apitoken.verify_sha256(sha256(:'token'));
SELECT apitoken.verified_id(:'token') = :'id' AS valid;
SELECT * FROM pg_temp.looked();
COMMIT;

-- A new version of the row, in its page or not, in the place or not.
SELECT status FROM apitoken.suspend(:'id');
SELECT outcome FROM apitoken.verify(:'token');
SELECT outcome FROM apitoken.verify(:'token');
SELECT status FROM apitoken.activate(:'id');
SELECT outcome FROM apitoken.verify(:'token');
UPDATE apitoken._token SET description = repeat('long ', 200) WHERE id = :'id';
SELECT outcome FROM apitoken.verify(:'token');
SELECT outcome FROM apitoken.verify(:'token');
VACUUM apitoken._token;
SELECT outcome FROM apitoken.verify(:'token');

-- Where a row was changed within its page before it was looked for, too.
SELECT id AS hot_id, token AS hot FROM apitoken.issue('place', 'hot', '{a}') \gset
SELECT ctid AS first FROM apitoken._token WHERE id = :'hot_id' \gset
SELECT version FROM apitoken.update(:'hot_id', description => 'another');
SELECT ctid <> :'first' AS moved FROM apitoken._token WHERE id = :'hot_id';
SELECT outcome FROM apitoken.verify(:'hot');
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT outcome FROM apitoken.verify(:'hot');
SELECT * FROM pg_temp.looked();
COMMIT;

-- Nothing that is rolled back.
BEGIN;
SELECT status FROM apitoken.revoke(:'id');
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'token');
BEGIN;
SELECT token AS never FROM apitoken.issue('place', 'never', '{a}') \gset
SELECT outcome FROM apitoken.verify(:'never');
ROLLBACK;
SELECT outcome FROM apitoken.verify(:'never');

-- Rotated: the old secret does not lead to the row any more, but by its own way.
SELECT token AS new FROM apitoken.rotate(:'id', '1 hour') \gset
SELECT outcome, (SELECT outcome FROM apitoken.verify(:'new')) AS new FROM apitoken.verify(:'token');
SELECT status FROM apitoken.end_grace(:'id');
SELECT outcome, (SELECT outcome FROM apitoken.verify(:'new')) AS new FROM apitoken.verify(:'token');

-- Its place is taken by another: deleted, cleaned up, used again.
VACUUM FULL apitoken._token;
SELECT outcome FROM apitoken.verify(:'new');
CREATE TABLE test.place AS SELECT ctid AS place FROM apitoken._token WHERE id = :'id';
SELECT status FROM apitoken.revoke(:'id');
SELECT outcome FROM apitoken.verify(:'new');
SELECT status FROM apitoken.delete(:'id');
SELECT outcome FROM apitoken.verify(:'new');
-- (Who is at work for a moment, as the worker is, keeps it from being cleaned up.)
DO $$ BEGIN
	WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_xmin IS NOT NULL) LOOP
		PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
	END LOOP;
END $$;
VACUUM apitoken._token;
SELECT outcome FROM apitoken.verify(:'new');
CREATE TABLE test.successor AS SELECT i.id, i.token FROM generate_series(1, 200) n, apitoken.issue('place', 'successor ' || n, '{a}') i;
SELECT count(*) AS in_its_place FROM apitoken._token t JOIN test.place p ON t.ctid = p.place;
SELECT outcome FROM apitoken.verify(:'new');
SELECT v.outcome, count(*), count(*) FILTER (WHERE v.id = s.id) AS right FROM test.successor s, apitoken.verify(s.token) v GROUP BY 1;

-- The table is moved, all of it, or shrinks behind what is remembered.
CLUSTER apitoken._token USING _token_pkey;
SELECT v.outcome, count(*) FILTER (WHERE v.id = s.id) AS right FROM test.successor s, apitoken.verify(s.token) v GROUP BY 1;
VACUUM FULL apitoken._token;
SELECT v.outcome, count(*) FILTER (WHERE v.id = s.id) AS right FROM test.successor s, apitoken.verify(s.token) v GROUP BY 1;
SELECT count(*) FROM apitoken.revoke_all('place');
SELECT count(d.id) FROM test.successor s, apitoken.delete(s.id) d;
VACUUM apitoken._token;
SELECT v.outcome, count(*) FROM test.successor s, apitoken.verify(s.token) v GROUP BY 1;
SELECT outcome FROM apitoken.verify(:'other');

-- Many tokens, more than some sets of places have room for.
CREATE TABLE test.crowd AS SELECT i.id, i.token FROM generate_series(1, 20000) n, apitoken.issue('place', 'one of a crowd', '{a}') i;
SELECT v.outcome, count(*) FILTER (WHERE v.id = c.id) AS right FROM test.crowd c, apitoken.verify(c.token) v GROUP BY 1;
SELECT v.outcome, count(*) FILTER (WHERE v.id = c.id) AS right FROM test.crowd c, apitoken.verify(c.token) v GROUP BY 1;

-- An index that is gone is noticed by who needs it, and nobody else.
SELECT outcome FROM apitoken.verify(:'other');
BEGIN;
UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'apitoken._token_digest_idx'::regclass;
SELECT outcome FROM apitoken.verify(:'other');
SAVEPOINT s;
SELECT outcome FROM apitoken.verify('not-here-at-all');
ROLLBACK;
SELECT outcome FROM apitoken.verify('not-here-at-all');
DROP TABLE test.place, test.successor, test.crowd;
SELECT test.drop_realm('place');
