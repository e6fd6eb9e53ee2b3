/* The service itself: src/service_sql.c */

CREATE FUNCTION apitoken.version() RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_version'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.version() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.version() IS
	'version of the loaded library; pg_extension has that of the SQL objects';

CREATE FUNCTION apitoken.stats(
	OUT library_version text,
	OUT search_index boolean,
	OUT usage_tracked boolean,
	OUT usage_capacity bigint,
	OUT usage_pending bigint,
	OUT usage_dropped bigint,
	OUT worker_running boolean,
	OUT worker_failures bigint,
	OUT last_flush_at timestamptz,
	OUT last_flush_error text,
	OUT oldest_unsealed_event timestamptz,
	OUT last_seal bigint,
	OUT last_seal_error text,
	OUT key_id integer,
	OUT key_problem text,
	OUT key_remaining bigint)
	AS 'MODULE_PATHNAME', 'atk_sql_stats'
	LANGUAGE C VOLATILE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken.stats() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.stats() IS
	'state of the service: library, search index, recorded use of all databases, its worker, last flush and seal of this one, keys';

/* As invoker: who makes the index must own the table. */
CREATE FUNCTION apitoken.enable_search() RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_enable_search'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.enable_search() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.enable_search() IS
	'makes the index that serves LIKE searches, and pg_trgm for it; false if all is there; again after a restore';
