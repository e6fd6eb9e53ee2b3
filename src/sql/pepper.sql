/* Keys of digests and seals: src/pepper.h, src/pepper_sql.c */

ALTER TABLE apitoken._token ADD COLUMN previous_key_id integer;
COMMENT ON COLUMN apitoken._token.previous_key_id IS 'key that the previous digest was made with; null or 0: none';

/* Without keys it is empty. */
CREATE INDEX _token_key_id_idx ON apitoken._token (key_id) WHERE key_id OPERATOR(pg_catalog.<>) 0;
COMMENT ON INDEX apitoken._token_key_id_idx IS 'the tokens that were stored with a key';

CREATE FUNCTION apitoken._keys(
	OUT role text,
	OUT key_id integer,
	OUT problem text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'atk_sql_keys'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken._keys() FROM PUBLIC;
COMMENT ON FUNCTION apitoken._keys() IS 'the keys that the settings name, for key_state()';

/* As owner, for it reads the tables; EXECUTE is the gate. */
CREATE FUNCTION apitoken.key_state(
	OUT role text,
	OUT key_id integer,
	OUT problem text,
	OUT tokens bigint,
	OUT previous_secrets bigint,
	OUT seals bigint) RETURNS SETOF record
	LANGUAGE SQL VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 2
	SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH named AS (
		SELECT k.role, k.key_id, k.problem FROM apitoken._keys() k
	), stored AS (
		SELECT s.key_id, pg_catalog.sum(s.tokens) AS tokens,
			pg_catalog.sum(s.previous_secrets) AS previous_secrets, pg_catalog.sum(s.seals) AS seals
		FROM (
			SELECT t.key_id, pg_catalog.count(*) AS tokens, 0 AS previous_secrets, 0 AS seals
			FROM apitoken._token t GROUP BY t.key_id
			UNION ALL
			SELECT COALESCE(t.previous_key_id, 0), 0, pg_catalog.count(*), 0
			FROM apitoken._token t
			WHERE t.previous_expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()
			GROUP BY COALESCE(t.previous_key_id, 0)
			UNION ALL
			SELECT e.key_id, 0, 0, pg_catalog.count(*)
			FROM apitoken._event_seal e GROUP BY e.key_id) s
		GROUP BY s.key_id
	)
	SELECT n.role, n.key_id, n.problem,
		COALESCE(s.tokens, 0)::pg_catalog.int8, COALESCE(s.previous_secrets, 0)::pg_catalog.int8,
		COALESCE(s.seals, 0)::pg_catalog.int8
	FROM named n LEFT JOIN stored s ON s.key_id OPERATOR(pg_catalog.=) n.key_id
	UNION ALL
	SELECT CASE s.key_id WHEN 0 THEN 'unkeyed' ELSE 'missing' END, s.key_id, NULL,
		s.tokens::pg_catalog.int8, s.previous_secrets::pg_catalog.int8, s.seals::pg_catalog.int8
	FROM stored s
	WHERE NOT EXISTS (
		SELECT FROM named n WHERE n.key_id OPERATOR(pg_catalog.=) s.key_id);
END;
REVOKE ALL ON FUNCTION apitoken.key_state() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.key_state() IS
	'the keys of digests and seals, a row each: those in use, and those that are missing; what was stored with each. Reads all tokens';
