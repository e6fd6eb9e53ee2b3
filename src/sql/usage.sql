/*
 * apitoken._usage and _usage_hourly: private, read through views; written by
 * the background worker and flush_usage(); src/flush.h
 */

/*
 * Apart from _token, so that recording a use never rewrites or locks a token.
 * Each token has a row from its beginning, so that one index lists tokens by
 * last use, the never used ones first.
 *
 * The fill factor leaves room for the next version of a row in its page: a
 * flush then touches one page of the table for it, not two, and of an hour
 * none of the index (HOT).
 */
CREATE TABLE apitoken._usage (
	token_id uuid PRIMARY KEY,
	realm text COLLATE "C" NOT NULL,
	last_used_at timestamptz,
	last_used_ip inet,
	use_count bigint NOT NULL
) WITH (fillfactor = 80);
REVOKE ALL ON TABLE apitoken._usage FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._usage FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._usage', '');

CREATE INDEX _usage_last_used_idx ON apitoken._usage (realm, last_used_at NULLS FIRST, token_id);

COMMENT ON TABLE apitoken._usage IS
	'last use of each token; private: read view apitoken.tokens';
COMMENT ON INDEX apitoken._usage_pkey IS 'finds the use of a token';
COMMENT ON INDEX apitoken._usage_last_used_idx IS 'the tokens of a realm, by last use';
COMMENT ON COLUMN apitoken._usage.token_id IS 'id of the token';
COMMENT ON COLUMN apitoken._usage.realm IS 'id of the token''s realm';
COMMENT ON COLUMN apitoken._usage.last_used_at IS 'when it was verified last; null: never';
COMMENT ON COLUMN apitoken._usage.last_used_ip IS 'address it came from; null: not given';
COMMENT ON COLUMN apitoken._usage.use_count IS 'how often it was verified';

/* Verifications by hour and outcome, denied ones included. */
CREATE TABLE apitoken._usage_hourly (
	token_id uuid NOT NULL,
	hour timestamptz NOT NULL,
	outcome text COLLATE "C" NOT NULL,
	uses bigint NOT NULL,
	PRIMARY KEY (token_id, hour, outcome)
) WITH (fillfactor = 80);
REVOKE ALL ON TABLE apitoken._usage_hourly FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._usage_hourly FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._usage_hourly', '');

COMMENT ON TABLE apitoken._usage_hourly IS
	'verifications by token, hour and outcome; private: read views usage_hourly and usage_daily';
COMMENT ON INDEX apitoken._usage_hourly_pkey IS 'finds the count of an hour';
COMMENT ON COLUMN apitoken._usage_hourly.token_id IS 'id of the token; all zero: of no token';
COMMENT ON COLUMN apitoken._usage_hourly.hour IS 'beginning of the hour, UTC';
COMMENT ON COLUMN apitoken._usage_hourly.outcome IS 'outcome of the verifications';
COMMENT ON COLUMN apitoken._usage_hourly.uses IS 'number of verifications';

CREATE FUNCTION apitoken.flush_usage() RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_flush_usage'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.flush_usage() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.flush_usage() IS
	'writes recorded use now; returns the number of entries written';

/* For views: what is in the tables and what is still in memory, together. */
CREATE FUNCTION apitoken._last_used_at(id uuid, stored timestamptz) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'atk_sql_last_used_at'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken._last_used_at(uuid, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._last_used_at(uuid, timestamptz) IS 'last use of a token, for views';

CREATE FUNCTION apitoken._last_used_ip(id uuid, stored_at timestamptz, stored inet) RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_last_used_ip'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken._last_used_ip(uuid, timestamptz, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._last_used_ip(uuid, timestamptz, inet) IS 'address of the last use, for views';

CREATE FUNCTION apitoken._use_count(id uuid, stored bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_use_count'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken._use_count(uuid, bigint) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._use_count(uuid, bigint) IS 'number of uses, for views';
