-- View tokens: all tokens for people and reports, nothing secret.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
-- Its columns: types that every driver knows, and no digest among them.
SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
 WHERE attrelid = 'apitoken.tokens'::regclass AND attnum > 0 ORDER BY attnum;
SELECT count(*) AS other_types FROM pg_attribute WHERE attrelid = 'apitoken.tokens'::regclass AND attnum > 0
   AND atttypid <> ALL ('{text,uuid,boolean,bigint,integer,date,timestamptz}'::regtype[]);
SELECT pg_get_viewdef('apitoken.tokens') ~ 'digest' AS mentions_a_digest;
-- It cannot be written through, nor be made to by its definition alone.
SELECT is_updatable, is_insertable_into FROM information_schema.views WHERE table_schema = 'apitoken'
	ORDER BY table_name;
SELECT command, test.sqlstate(command)
	FROM unnest(ARRAY['INSERT INTO apitoken.tokens (name) VALUES (''n'')', 'UPDATE apitoken.tokens SET name = ''n''',
	'DELETE FROM apitoken.tokens', 'TRUNCATE apitoken.tokens']) command;
SELECT test.sqlstate('MERGE INTO apitoken.tokens USING (SELECT) s ON true WHEN MATCHED THEN DELETE') IN ('0A000',
	'55000') AS no_merge;
SELECT reloptions FROM pg_class WHERE oid = 'apitoken.tokens'::regclass;
-- One token with everything, one with nothing.
INSERT INTO apitoken.realm (id, prefix) VALUES ('tokens_view', 'v');
SET apitoken.actor = 'a-1';
SET apitoken.actor_name = 'Actor';
SELECT apitoken.import('tokens_view', 'full', 'v.ABCDEFGHIJKLMNOPQRSTUVWX.' || repeat('Q', 64),
	scopes => '{b,a.*}', expires_at => '2999-12-31 00:00Z', not_before => '2020-01-02Z',
	created_at => '2020-01-01 00:00Z',
	kind => 'client', principal => 'p', principal_id => 'pi', client_id => 'c', environment_id => 'e',
		description => 'd', allowed_addresses => '{10.0.0.0/8,192.168.1.7,2001:db8::/32}',
		metadata => '{"secret": "not shown"}') AS id \gset
SELECT apitoken.flush_usage() >= 0 AS flushed;
UPDATE apitoken._usage SET (last_used_at, last_used_ip, use_count) =
	('2020-02-03 04:05:06.789012Z', '10.0.0.7/8', 42) WHERE token_id = :'id';
\x on
SELECT * FROM apitoken.tokens WHERE id = :'id';
SELECT apitoken.import('tokens_view', 'bare', sha256 => sha256('bare'), public_id => 'w.XWVUTSRQPONMLKJIHGFEDCBA',
	created_at => '2020-01-01 00:00Z') AS id \gset bare_
SELECT * FROM apitoken.tokens WHERE id = :'bare_id';
\x off
-- Its status is computed: revoked, suspended, expired, active, in this order.
CREATE FUNCTION pg_temp.shown(s "char", e timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE apitoken._token SET status = s, expires_at = e WHERE name = 'bare';
	RETURN (SELECT status FROM apitoken.tokens WHERE name = 'bare');
END $$;
SELECT s, e, pg_temp.shown(s, e) FROM unnest('{a,s,r}'::"char"[]) WITH ORDINALITY AS x(s, n),
	unnest('{NULL,2001-01-01Z,2999-01-01Z}'::timestamptz[]) WITH ORDINALITY AS y(e, m) ORDER BY n, m;
-- An empty list of addresses is shown as empty, scopes of an empty set too.
UPDATE apitoken._token SET allowed_addresses = '{}' WHERE id = :'bare_id';
SELECT allowed_addresses = '' AS no_addresses, scopes = '' AS no_scopes FROM apitoken.tokens WHERE id = :'bare_id';
-- A row a token, used or not; each token's row is found by its key.
SELECT count(*), count(DISTINCT id), count(last_used_at) AS used FROM apitoken.tokens WHERE realm = 'tokens_view';
SELECT count(apitoken.import('tokens_view', 'n' || n, sha256 => sha256(n::text::bytea))) FROM generate_series(1, 500) n;
ANALYZE apitoken._token;
ANALYZE apitoken._usage;
SET enable_seqscan = off;
SELECT bool_or(p ~ '_token_pkey') AS by_key, bool_or(p ~ '_usage_pkey') AS use_by_key
	FROM test.plan(format('SELECT * FROM apitoken.tokens WHERE id = %L', :'id')) p;
SELECT bool_or(p ~ 'Index Cond.*realm') AS by_realm
	FROM test.plan('SELECT * FROM apitoken.tokens WHERE realm = ''tokens_view''') p;
RESET enable_seqscan;
-- Names sort by their bytes, whatever the database's collation.
SELECT attname, collname FROM pg_attribute JOIN pg_collation c ON c.oid = attcollation
	WHERE attrelid = 'apitoken.tokens'::regclass AND attname IN ('name', 'realm', 'principal', 'client_id')
	ORDER BY attname;
SELECT test.drop_realm('tokens_view');
