-- purge_usage(): hourly counts are removed whose hour ended long enough ago.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
BEGIN;
SELECT apitoken.flush_usage() IS NOT NULL AS flushed;
DELETE FROM apitoken._usage_hourly;
INSERT INTO apitoken._usage_hourly
SELECT gen_random_uuid(), date_trunc('hour', now(), 'UTC') - n * interval '1 hour', outcome, n FROM generate_series(0, 30) n, unnest('{valid,expired}'::text[]) outcome;
INSERT INTO apitoken._usage VALUES ('94f44c7f-4a82-71ac-83f7-fcb31b547f0d', 'r', '2020-01-01Z', NULL, 5);
CREATE FUNCTION pg_temp.hours(OUT counts bigint, OUT oldest numeric) LANGUAGE sql AS $$
	SELECT count(*), trunc(extract(epoch FROM now() - min(hour)) / 3600) FROM apitoken._usage_hourly $$;
SELECT * FROM pg_temp.hours();
SELECT apitoken.purge_usage('10 years');
SELECT count(*) FROM apitoken._event WHERE event = 'usage_purged' AND at >= now();
-- An hour that is under way or ended more lately stays.
SELECT apitoken.purge_usage('24 hours');
SELECT * FROM pg_temp.hours();
SELECT apitoken.purge_usage('24 hours');
SELECT apitoken.purge_usage('0');
SELECT * FROM pg_temp.hours();
SELECT use_count FROM apitoken._usage WHERE token_id = '94f44c7f-4a82-71ac-83f7-fcb31b547f0d';
SELECT event, realm, token_id, old, new - 'before' AS new, now() - (new ->> 'before')::timestamptz < interval '1 minute' AS now FROM apitoken._event WHERE event = 'usage_purged' AND at >= now() ORDER BY id;
SELECT new ->> 'before' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$' AS format FROM apitoken._event WHERE event = 'usage_purged' AND at >= now() ORDER BY id;
SELECT age, test.error(format('SELECT apitoken.purge_usage(%L)', age)) FROM unnest('{NULL,-1 second,170000000 years}'::interval[]) age;
CREATE ROLE regress_purge;
GRANT USAGE ON SCHEMA apitoken TO regress_purge;
GRANT EXECUTE ON FUNCTION apitoken.purge_usage TO regress_purge;
INSERT INTO apitoken._usage_hourly VALUES ('94f44c7f-4a82-71ac-83f7-fcb31b547f0d', '2020-01-01Z', 'valid', 5);
SET ROLE regress_purge;
SELECT apitoken.purge_usage('1 day');
RESET ROLE;
ROLLBACK;
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.purge_usage(''1 day'')');
