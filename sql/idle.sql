-- Outcome idle: the latest of creation, activation, rotation and use is longer
-- ago than the realm's max_idle.  View idle_tokens shows the same.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id, max_idle) VALUES ('idle', '2 hours'), ('idle/never', NULL), ('idle/month', '1 month');
SELECT id, token FROM apitoken.issue('idle', 'subject', '{a}', principal => 'p') \gset
CREATE FUNCTION pg_temp.ago(i interval) RETURNS timestamptz LANGUAGE sql AS $$ SELECT clock_timestamp() - i $$;
-- Both tell: verification, and the view.  Each in a command of its own: one
-- that says valid is a use.
CREATE FUNCTION pg_temp.idle(token text, OUT outcome text, OUT listed boolean) LANGUAGE plpgsql AS $$
BEGIN
	listed := EXISTS (SELECT FROM apitoken.idle_tokens WHERE name = 'subject');
	outcome := (SELECT v.outcome FROM apitoken.verify(token) v);
END $$;
CREATE FUNCTION pg_temp.listed() RETURNS boolean LANGUAGE sql AS $$ SELECT EXISTS (SELECT FROM apitoken.idle_tokens WHERE name = 'subject') $$;
-- Written last, so that nothing newer is in memory.
CREATE FUNCTION pg_temp.set_last_use(ago interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM apitoken.flush_usage();
	UPDATE apitoken._usage SET last_used_at = pg_temp.ago(ago) WHERE token_id = (SELECT id FROM apitoken._token WHERE name = 'subject');
END $$;
-- By creation alone.
UPDATE apitoken._token SET created_at = pg_temp.ago('1 hour 59 minutes') WHERE id = :'id';
SELECT pg_temp.listed();
UPDATE apitoken._token SET created_at = pg_temp.ago('2 hours 1 minute') WHERE id = :'id';
SELECT * FROM pg_temp.idle(:'token');
-- By activation, or another change of state.
UPDATE apitoken._token SET status_changed_at = pg_temp.ago('2 hours 1 minute') WHERE id = :'id';
SELECT * FROM pg_temp.idle(:'token');
SELECT status FROM apitoken.suspend(:'id');
SELECT * FROM pg_temp.idle(:'token');
SELECT status FROM apitoken.activate(:'id');
SELECT pg_temp.listed();
UPDATE apitoken._token SET status_changed_at = pg_temp.ago('1 hour 59 minutes') WHERE id = :'id';
SELECT pg_temp.listed();
UPDATE apitoken._token SET status_changed_at = pg_temp.ago('3 hours') WHERE id = :'id';
SELECT * FROM pg_temp.idle(:'token');
-- By rotation.
SELECT token FROM apitoken.rotate(:'id') \gset
SELECT pg_temp.listed();
UPDATE apitoken._token SET rotated_at = pg_temp.ago('1 hour 59 minutes') WHERE id = :'id';
SELECT pg_temp.listed();
SELECT outcome FROM apitoken.verify(:'token');
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
UPDATE apitoken._usage SET last_used_at = NULL WHERE token_id = :'id';
UPDATE apitoken._token SET rotated_at = pg_temp.ago('3 hours') WHERE id = :'id';
SELECT * FROM pg_temp.idle(:'token');
UPDATE apitoken._token SET rotated_at = NULL WHERE id = :'id';
-- By last use in the table.
UPDATE apitoken._usage SET last_used_at = pg_temp.ago('2 hours 1 minute') WHERE token_id = :'id';
SELECT * FROM pg_temp.idle(:'token');
-- (In a transaction, whose lock on the row keeps the worker away.)
BEGIN;
UPDATE apitoken._usage SET last_used_at = pg_temp.ago('1 hour 59 minutes') WHERE token_id = :'id';
SELECT * FROM pg_temp.idle(:'token');
-- That was a use: it is in memory, whatever the table says.
UPDATE apitoken._usage SET last_used_at = NULL WHERE token_id = :'id';
SELECT * FROM pg_temp.idle(:'token');
DELETE FROM apitoken._usage WHERE token_id = :'id';
SELECT * FROM pg_temp.idle(:'token');
COMMIT;
-- Flushed, it is in the table.
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT * FROM pg_temp.idle(:'token');
SELECT pg_temp.set_last_use('3 hours');
SELECT * FROM pg_temp.idle(:'token');
-- Being refused is no use: it stays idle, however often it is tried.
SELECT outcome, count(*) FROM generate_series(1, 10) n, LATERAL apitoken.verify(left(:'token', 1000 + n)) GROUP BY 1;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT * FROM pg_temp.idle(:'token');
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
SELECT sum(uses) >= 10 AS counted FROM apitoken.usage_hourly WHERE outcome = 'idle' AND name = 'subject';
-- All functions agree.
SELECT v.outcome, s.outcome AS by_sha256, m.outcome AS by_many, apitoken.verified_id(:'token') AS id FROM apitoken.verify(:'token') v, apitoken.verify_sha256(sha256(:'token')) s, apitoken.verify_many(ARRAY[:'token']) m;
-- Its place in the order: after expired, before address_denied.
UPDATE apitoken._token SET allowed_addresses = '{10.0.0.0/8}', scopes = 'b' WHERE id = :'id';
SELECT outcome FROM apitoken.verify(:'token', 'a', '11.0.0.1');
UPDATE apitoken._token SET expires_at = pg_temp.ago('1 minute') WHERE id = :'id';
SELECT outcome FROM apitoken.verify(:'token', 'a', '11.0.0.1');
UPDATE apitoken._token SET expires_at = NULL, not_before = '2999-01-01' WHERE id = :'id';
SELECT outcome FROM apitoken.verify(:'token', 'a', '11.0.0.1');
UPDATE apitoken._token SET not_before = NULL WHERE id = :'id';
UPDATE apitoken.realm SET enabled = false WHERE id = 'idle';
SELECT outcome FROM apitoken.verify(:'token', 'a', '11.0.0.1');
UPDATE apitoken.realm SET enabled = true WHERE id = 'idle';
UPDATE apitoken._usage SET last_used_at = pg_temp.ago('1 hour') WHERE token_id = :'id';
SELECT outcome FROM apitoken.verify(:'token', 'a', '11.0.0.1');
UPDATE apitoken._token SET allowed_addresses = NULL, scopes = 'a' WHERE id = :'id';
UPDATE apitoken._usage SET last_used_at = pg_temp.ago('3 hours') WHERE token_id = :'id';
SELECT outcome FROM apitoken.verify(:'token');
-- A rotated token's previous secret as the token.
UPDATE apitoken._token SET previous_digest = apitoken.token_digest('previous_secret'), previous_expires_at = '2999-01-01' WHERE id = :'id';
SELECT outcome FROM apitoken.verify('previous_secret');
-- The realm decides: another max_idle at once, none at all, months.
UPDATE apitoken._token SET created_at = pg_temp.ago('1 day') WHERE id = :'id';
UPDATE apitoken.realm SET max_idle = '4 hours' WHERE id = 'idle';
SELECT pg_temp.listed();
UPDATE apitoken.realm SET max_idle = '150 minutes' WHERE id = 'idle';
SELECT * FROM pg_temp.idle(:'token');
UPDATE apitoken.realm SET max_idle = '4 hours' WHERE id = 'idle';
SELECT * FROM pg_temp.idle(:'token');
SELECT pg_temp.set_last_use('3 hours');
UPDATE apitoken.realm SET max_idle = '150 minutes' WHERE id = 'idle';
SELECT * FROM pg_temp.idle(:'token');
UPDATE apitoken._token SET realm = 'idle/never' WHERE id = :'id';
SELECT pg_temp.listed();
UPDATE apitoken._token SET realm = 'idle/month', created_at = pg_temp.ago('1 year'), status_changed_at = NULL WHERE id = :'id';
SELECT pg_temp.set_last_use('32 days');
SELECT * FROM pg_temp.idle(:'token');
SELECT pg_temp.set_last_use('27 days');
SELECT * FROM pg_temp.idle(:'token');
-- Not enforced while nothing is tracked, for then nothing is used.
SELECT pg_temp.set_last_use('1 year');
SELECT outcome FROM apitoken.verify(:'token');
SET apitoken.track_usage = off;
SELECT outcome FROM apitoken.verify(:'token');
RESET apitoken.track_usage;
SELECT outcome FROM apitoken.verify(:'token');
-- Longer ago than any timestamp: never idle, and no error.
UPDATE apitoken.realm SET max_idle = '200000 years' WHERE id = 'idle/month';
SELECT * FROM pg_temp.idle(:'token');
SELECT pg_temp.set_last_use('1 year');
UPDATE apitoken.realm SET max_idle = '80000000 days' WHERE id = 'idle/month';
SELECT * FROM pg_temp.idle(:'token');
SELECT pg_temp.set_last_use('1 year');
UPDATE apitoken.realm SET max_idle = '2000000000 hours' WHERE id = 'idle/month';
SELECT * FROM pg_temp.idle(:'token');
SELECT pg_temp.set_last_use('1 year');
UPDATE apitoken.realm SET max_idle = '2000 years' WHERE id = 'idle/month';
SELECT * FROM pg_temp.idle(:'token');
SELECT pg_temp.set_last_use('1 year');
UPDATE apitoken.realm SET max_idle = '1 month' WHERE id = 'idle/month';
SELECT * FROM pg_temp.idle(:'token');
-- A last use ahead of the clock is no trouble.
UPDATE apitoken._usage SET last_used_at = '2999-01-01' WHERE token_id = :'id';
SELECT * FROM pg_temp.idle(:'token');
-- The view: active tokens only, what it says of them.
SELECT i.id AS never_id FROM apitoken.issue('idle', 'never used', principal => 'q') i \gset
UPDATE apitoken._token SET created_at = '2020-01-01Z' WHERE id = :'never_id';
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
UPDATE apitoken._usage SET last_used_at = '2020-02-01Z' WHERE token_id = :'id';
SELECT id IN (:'id', :'never_id') AS id, realm, name, principal, created_at < now() AS created, last_used_at, max_idle FROM apitoken.idle_tokens ORDER BY name;
CREATE FUNCTION pg_temp.listed(change text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE listed bigint;
BEGIN
	EXECUTE 'UPDATE apitoken._token SET ' || change || ' WHERE name = ''never used''';
	SELECT count(*) FROM apitoken.idle_tokens WHERE name = 'never used' INTO listed;
	RETURN listed;
END $$;
SELECT change, pg_temp.listed(change) FROM unnest('{name = name,status = ''s'',status = ''r'',status = ''a'',expires_at = ''2999-01-01'',expires_at = ''2001-01-01'',expires_at = NULL,not_before = ''2999-01-01'',"realm = ''idle/never''",realm = ''idle''}'::text[]) WITH ORDINALITY AS c(change, n) ORDER BY n;
DELETE FROM apitoken._usage_hourly;
SELECT test.drop_realm('idle'), test.drop_realm('idle/never'), test.drop_realm('idle/month');
