/* The sealed history, and what is kept how long: src/seal_sql.c */

CREATE FUNCTION apitoken.seal_events() RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_seal_events'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.seal_events() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.seal_events() IS
	'seals all committed events now; returns their number';

CREATE FUNCTION apitoken.check_events(
	OUT seal_id bigint,
	OUT sealed_at timestamptz,
	OUT event_id bigint,
	OUT problem text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'atk_sql_check_events'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.check_events() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.check_events() IS
	'looks for altered history: a row a bad seal, with its first bad event; none: all is well';

CREATE FUNCTION apitoken.purge_events(older_than interval) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_purge_events'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.purge_events(interval) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.purge_events(interval) IS
	'removes sealed events older than this, from the beginning; returns their number';

CREATE FUNCTION apitoken.purge_usage(older_than interval) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_purge_usage'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.purge_usage(interval) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.purge_usage(interval) IS
	'removes hourly counts of use older than this; returns their number';
