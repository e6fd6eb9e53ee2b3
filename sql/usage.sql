-- Recorded use: counts, times, addresses, denied uses, reports, flush_usage().
-- The worker may write at any moment, so that only sums of table and memory,
-- and tables after a flush, are shown.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
INSERT INTO apitoken.realm (id) VALUES ('usage'), ('usage/off');
SELECT id, token FROM apitoken.issue('usage', 'subject', '{a}') \gset
CREATE FUNCTION pg_temp.shown(id uuid) RETURNS bigint LANGUAGE sql AS $$ SELECT use_count FROM apitoken.tokens t WHERE t.id = $1 $$;
CREATE FUNCTION pg_temp.stored(id uuid, OUT uses bigint, OUT hourly bigint) LANGUAGE sql AS $$
	SELECT (SELECT use_count FROM apitoken._usage WHERE token_id = $1),
		   (SELECT coalesce(sum(h.uses), 0)::bigint FROM apitoken._usage_hourly h WHERE token_id = $1 AND outcome = 'valid') $$;
-- Never used.
SELECT last_used_at, last_used_ip, use_count FROM apitoken.tokens WHERE id = :'id';
SELECT last_used_at, last_used_ip, use_count FROM apitoken._usage WHERE token_id = :'id';
-- Each verification that says valid is a use, whatever the function; looking a
-- token up is none.
SELECT clock_timestamp() AS before \gset
SELECT outcome FROM apitoken.verify(:'token');
SELECT pg_temp.shown(:'id');
SELECT apitoken.verified_id(:'token') = :'id' AS verified;
SELECT outcome FROM apitoken.verify_sha256(sha256(:'token'));
SELECT outcome FROM apitoken.verify_many(ARRAY[:'token', 'unknown-token', :'token']);
SELECT pg_temp.shown(:'id');
SELECT count(apitoken.lookup(:'token')), count(apitoken.details(:'token')), count(apitoken.read(:'id')) FROM generate_series(1, 3);
SELECT pg_temp.shown(:'id');
SELECT last_used_at BETWEEN :'before' AND clock_timestamp() AS just_now, last_used_ip FROM apitoken.tokens WHERE id = :'id';
-- Written, it is the same; flushing again changes nothing.
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT * FROM pg_temp.stored(:'id');
SELECT pg_temp.shown(:'id');
SELECT last_used_at AS stored_at FROM apitoken._usage WHERE token_id = :'id' \gset
SELECT last_used_at = :'stored_at' AS same FROM apitoken.tokens WHERE id = :'id';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT * FROM pg_temp.stored(:'id');
SELECT last_used_at = :'stored_at' AS same FROM apitoken._usage WHERE token_id = :'id';
-- Table and memory are added, the later time is shown.
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 10);
SELECT pg_temp.shown(:'id');
SELECT last_used_at > :'stored_at' AS later FROM apitoken.tokens WHERE id = :'id';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT * FROM pg_temp.stored(:'id');
-- Many tokens, more than one statement writes.
CREATE TABLE test.text AS SELECT n, i.id, i.token FROM generate_series(1, 2500) n, apitoken.issue('usage', 'many ' || n) i;
SELECT count(apitoken.verified_id(token)) FROM test.text, generate_series(1, 2);
SELECT count(apitoken.verified_id(token)) FROM test.text WHERE n % 2 = 0;
SELECT use_count, count(*) FROM apitoken.tokens WHERE name LIKE 'many %' GROUP BY 1 ORDER BY 1;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT use_count, count(*) FROM apitoken._usage JOIN test.text ON id = token_id GROUP BY 1 ORDER BY 1;
SELECT use_count, count(*) FROM apitoken.tokens WHERE name LIKE 'many %' GROUP BY 1 ORDER BY 1;

-- The address of the last use, as a client has it: IPv4 that arrives mapped
-- into IPv6 is IPv4; one that is not given takes the place of the one before.
CREATE FUNCTION pg_temp.used_from(token text, address inet, flush boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE used uuid := apitoken.verified_id(token, address => address);
BEGIN
	IF flush THEN
		PERFORM apitoken.flush_usage();
		RETURN (SELECT coalesce(last_used_ip::text, 'none') FROM apitoken._usage WHERE token_id = used);
	END IF;
	RETURN (SELECT coalesce(last_used_ip, 'none') FROM apitoken.tokens WHERE id = used);
END $$;
SELECT address, pg_temp.used_from(:'token', address, false) AS in_memory, pg_temp.used_from(:'token', address, true) AS stored
  FROM unnest('{10.2.3.4,::ffff:10.2.3.4,2001:db8::7,NULL,::10.2.3.4,::ffff:0:10.2.3.4,192.0.2.0/24,::ffff:192.0.2.0/120,::ffff:0.0.0.0/96,::1,0.0.0.0}'::inet[]) address;

-- What was denied is counted by outcome, and is no use; of no token where there
-- is none.
SELECT i.id AS other_id, i.token AS other FROM apitoken.issue('usage', 'other', '{a}', allowed_addresses => '{10.0.0.0/8}') i \gset
SELECT outcome FROM apitoken.verify(:'other', 'b', '10.0.0.1');
SELECT outcome FROM apitoken.verify(:'other', 'a', '11.0.0.1');
SELECT outcome FROM apitoken.verify(:'other', 'a', '11.0.0.1');
SELECT outcome FROM apitoken.verify(:'other', 'a', '10.0.0.1');
UPDATE apitoken._token SET expires_at = '2001-01-01' WHERE id = :'other_id';
SELECT outcome FROM apitoken.verify(:'other');
UPDATE apitoken._token SET expires_at = NULL, not_before = '2999-01-01' WHERE id = :'other_id';
SELECT outcome FROM apitoken.verify(:'other');
UPDATE apitoken._token SET realm = 'usage/off', not_before = NULL WHERE id = :'other_id';
UPDATE apitoken.realm SET enabled = false WHERE id = 'usage/off';
SELECT outcome FROM apitoken.verify(:'other');
SELECT status FROM apitoken.suspend(:'other_id');
SELECT outcome FROM apitoken.verify(:'other');
SELECT status FROM apitoken.revoke(:'other_id');
SELECT outcome FROM apitoken.verify(:'other');
UPDATE apitoken._token SET previous_digest = digest, digest = apitoken.token_digest('moved_on'), previous_expires_at = '2001-01-01' WHERE id = :'other_id';
SELECT outcome FROM apitoken.verify(:'other');
SELECT last_used_ip, use_count FROM apitoken.tokens WHERE id = :'other_id';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT use_count FROM apitoken._usage WHERE token_id = :'other_id';
SELECT token_id = :'other_id' AS same, realm, name, outcome, sum(uses) FROM apitoken.usage_hourly WHERE token_id = :'other_id' GROUP BY 1, 2, 3, 4 ORDER BY 4;
SELECT token_id = :'other_id' AS same, realm, name, outcome, sum(uses) FROM apitoken.usage_daily WHERE token_id = :'other_id' GROUP BY 1, 2, 3, 4 ORDER BY 4;
SELECT coalesce(sum(uses) FILTER (WHERE outcome = 'malformed'), 0) AS malformed, coalesce(sum(uses) FILTER (WHERE outcome = 'unknown'), 0) AS unknown FROM apitoken.usage_hourly WHERE token_id IS NULL \gset before_
SELECT count(apitoken.verified_id('x')) FROM generate_series(1, 3);
SELECT count(apitoken.verified_id(NULL)) FROM generate_series(1, 2);
SELECT count(*) FROM generate_series(1, 4) n, LATERAL apitoken.verify('no such token ' || n);
SELECT count(*) FROM generate_series(1, 4) n, LATERAL apitoken.verify('no-such-token-' || n);
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT sum(uses) FILTER (WHERE outcome = 'malformed') - :before_malformed AS malformed, sum(uses) FILTER (WHERE outcome = 'unknown') - :before_unknown AS unknown,
	   count(realm) AS realms, count(name) AS names, count(*) FILTER (WHERE outcome NOT IN ('malformed', 'unknown')) AS others
  FROM apitoken.usage_hourly WHERE token_id IS NULL;

-- Reports: whole hours and UTC days; a day has what its hours have.
SELECT bool_and(hour = date_trunc('hour', hour, 'UTC')) AS whole, bool_and(hour <= now()) AS past FROM apitoken.usage_hourly;
INSERT INTO apitoken._usage_hourly VALUES (:'id', '2020-02-28 23:00Z', 'valid', 1), (:'id', '2020-02-29 00:00Z', 'valid', 2), (:'id', '2020-02-29 23:00Z', 'valid', 4), (:'id', '2020-02-29 23:00Z', 'expired', 8), (:'id', '2020-03-01 00:00Z', 'valid', 16);
SET TimeZone = 'Pacific/Auckland';
SELECT day, realm, name, outcome, uses FROM apitoken.usage_daily WHERE token_id = :'id' AND day < '2021-01-01' ORDER BY day, outcome;
SET TimeZone = 'UTC';
SELECT hour, realm, name, outcome, uses FROM apitoken.usage_hourly WHERE token_id = :'id' AND hour < '2021-01-01' ORDER BY hour, outcome;
DELETE FROM apitoken._usage_hourly WHERE hour < '2021-01-01';
SELECT v, is_updatable, is_insertable_into FROM unnest('{tokens,usage_hourly,usage_daily,idle_tokens}'::text[]) v JOIN information_schema.views ON table_schema = 'apitoken' AND table_name = v ORDER BY 1;

-- Uses are recorded outside of transactions: neither rolled back nor undone.
SELECT pg_temp.shown(:'id') AS before \gset
BEGIN;
SELECT outcome FROM apitoken.verify(:'token');
ROLLBACK;
SELECT pg_temp.shown(:'id') - :before AS uses;
BEGIN READ ONLY;
SELECT outcome FROM apitoken.verify(:'token');
SELECT pg_temp.shown(:'id') - :before AS uses;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;

-- flush_usage() joins the transaction.  Rolled back, all is still pending;
-- nothing is shown twice at any time, nor written twice.
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT uses AS base FROM pg_temp.stored(:'id') \gset
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 10);
BEGIN;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
ROLLBACK;
SELECT pg_temp.shown(:'id') - :base AS shown;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
-- In a savepoint that is rolled back, then again.
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 10);
BEGIN;
SAVEPOINT a;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT pg_temp.shown(:'id') - :base AS shown;
ROLLBACK TO a;
SELECT pg_temp.shown(:'id') - :base AS shown;
SAVEPOINT b;
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 5);
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
RELEASE b;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
COMMIT;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
-- Twice in a transaction, with uses between.
BEGIN;
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 10);
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 5);
SELECT pg_temp.shown(:'id') - :base AS shown;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
COMMIT;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
-- And once more behind a savepoint, which leaves to the next what the first
-- has begun.
BEGIN;
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 10);
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 5);
SAVEPOINT a;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT pg_temp.shown(:'id') - :base AS shown;
COMMIT;
SELECT pg_temp.shown(:'id') - :base AS shown;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
-- In a function that catches what follows.
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 10);
DO $$
BEGIN
	PERFORM apitoken.flush_usage();
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	PERFORM apitoken.flush_usage();
END $$;
SELECT uses - :base AS stored, hourly - :base AS hourly, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
-- In one statement with the view.
SELECT count(apitoken.verified_id(:'token')) FROM generate_series(1, 10);
SELECT flushed IS NOT NULL AS flushed FROM apitoken.flush_usage() flushed, LATERAL pg_temp.shown(:'id');
SELECT uses - :base AS stored, pg_temp.shown(:'id') - :base AS shown FROM pg_temp.stored(:'id');
-- Not in a read-only transaction.
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.flush_usage()');
-- Forward only: a later time that is there already stays, and its address.
UPDATE apitoken._usage SET last_used_at = '2999-01-01Z', last_used_ip = '192.0.2.99' WHERE token_id = :'id';
SELECT count(apitoken.verified_id(:'token', address => '192.0.2.1')) FROM generate_series(1, 5);
SELECT last_used_at, last_used_ip, use_count - :base AS uses FROM apitoken.tokens WHERE id = :'id';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT last_used_at, last_used_ip, use_count - :base AS uses FROM apitoken._usage WHERE token_id = :'id';
-- A token that is gone stays gone; its uses stay in the reports.
SELECT i.id AS gone_id, i.token AS gone FROM apitoken.issue('usage', 'gone') i \gset
SELECT count(apitoken.verified_id(:'gone')) FROM generate_series(1, 5);
DELETE FROM apitoken._token WHERE id = :'gone_id';
DELETE FROM apitoken._usage WHERE token_id = :'gone_id';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT count(*) FROM apitoken._usage WHERE token_id = :'gone_id';
SELECT realm, name, outcome, sum(uses) FROM apitoken.usage_hourly WHERE token_id = :'gone_id' GROUP BY 1, 2, 3;
-- Imported again it has the same id, and is another token: what was pending of
-- the first one's use, flushed or not, is in the reports only.
SELECT apitoken.import('usage', 'first', 'a-foreign-token-that-returns') AS again \gset
SELECT count(apitoken.verified_id('a-foreign-token-that-returns')) FROM generate_series(1, 5);
SELECT pg_temp.shown(:'again');
BEGIN;
SAVEPOINT a;
SELECT status FROM apitoken.revoke(:'again');
SELECT status FROM apitoken.delete(:'again');
SELECT apitoken.import('usage', 'second', 'a-foreign-token-that-returns') = :'again' AS same_id;
SELECT pg_temp.shown(:'again') AS second;
ROLLBACK TO a;
SELECT pg_temp.shown(:'again') AS still;
SELECT status FROM apitoken.revoke(:'again');
SELECT status FROM apitoken.delete(:'again');
SELECT apitoken.import('usage', 'second', 'a-foreign-token-that-returns') = :'again' AS same_id;
SELECT pg_temp.shown(:'again') AS second;
ROLLBACK;
SELECT pg_temp.shown(:'again') AS still;
SELECT status FROM apitoken.revoke(:'again');
SELECT status FROM apitoken.delete(:'again');
SELECT apitoken.import('usage', 'second', 'a-foreign-token-that-returns') = :'again' AS same_id;
SELECT name, last_used_at, use_count FROM apitoken.tokens WHERE id = :'again';
SELECT count(apitoken.verified_id('a-foreign-token-that-returns')) FROM generate_series(1, 2);
SELECT pg_temp.shown(:'again');
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT * FROM pg_temp.stored(:'again');
-- Also where one transaction does all of it.
SELECT count(apitoken.verified_id('a-foreign-token-that-returns')) FROM generate_series(1, 3);
BEGIN;
SELECT status FROM apitoken.revoke(:'again');
SELECT status FROM apitoken.delete(:'again');
SELECT apitoken.import('usage', 'third', 'a-foreign-token-that-returns') = :'again' AS same_id;
SELECT pg_temp.shown(:'again');
SELECT count(apitoken.verified_id('a-foreign-token-that-returns')) FROM generate_series(1, 4);
SELECT pg_temp.shown(:'again');
COMMIT;
SELECT name, last_used_at IS NULL AS unused, use_count FROM apitoken.tokens WHERE id = :'again';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT * FROM pg_temp.stored(:'again');
-- Nothing is counted while it is switched off; the switch is for superusers.
SELECT pg_temp.shown(:'id') AS before \gset
SET apitoken.track_usage = off;
SELECT outcome FROM apitoken.verify(:'token');
SELECT outcome FROM apitoken.verify('unknown-token');
SELECT pg_temp.shown(:'id') - :before AS uses;
SELECT usage_tracked FROM apitoken.stats();
RESET apitoken.track_usage;
SELECT usage_tracked FROM apitoken.stats();
CREATE ROLE regress_usage;
GRANT USAGE ON SCHEMA test TO regress_usage;
SET ROLE regress_usage;
SELECT setting, test.sqlstate('SET apitoken.' || setting) FROM unnest('{track_usage = off,usage_flush_interval = 100,usage_max_entries = 5}'::text[]) setting;
RESET ROLE;
REVOKE USAGE ON SCHEMA test FROM regress_usage;
DROP ROLE regress_usage;
SELECT name, setting, unit, context, min_val, max_val FROM pg_settings WHERE name LIKE 'apitoken.%usage%' ORDER BY name;
-- The state of it.
SELECT usage_capacity >= usage_pending AS capacity, usage_dropped >= 0 AS dropped, worker_failures >= 0 AS failures, last_flush_at <= clock_timestamp() AS flushed, last_flush_error FROM apitoken.stats();
DROP TABLE test.text;
DELETE FROM apitoken._usage_hourly;
SELECT test.drop_realm('usage'), test.drop_realm('usage/off');
