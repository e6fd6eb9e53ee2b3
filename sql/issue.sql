-- issue(): what it answers, what it stores, how long a token lives, who made it.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
INSERT INTO apitoken.realm (id, prefix) VALUES ('issue', 'pre_1');
-- A token with nothing but a name.
SELECT id, token, public_id, expires_at IS NULL AS never FROM apitoken.issue('issue', 'plain') \gset
SELECT :'never' AS never_ends, :'token' LIKE :'public_id' || '.%' AS begins_with_public_id,
	:'public_id' LIKE 'pre\_1.%' AS prefix,
	   length(:'token') - length(:'public_id') AS secret_and_dot, apitoken.check_token(:'token');
-- The id is a UUIDv7: time in milliseconds, 7, variant 10 and two zero bits.
SELECT substr(:'id', 15, 1) AS version, substr(:'id', 20, 1) AS variant,
	apitoken._public_id('pre_1', :'id') = :'public_id' AS public_is_id,
	   ('x' || left(replace(:'id', '-', ''), 12))::bit(48)::bigint = trunc(extract(epoch
	   	FROM created_at) * 1000) AS milliseconds
  FROM apitoken._token WHERE id = :'id';
SELECT count(DISTINCT i.id) AS ids, bool_and(substr(i.id::text, 15, 1) || substr(i.id::text, 20, 1) = '78') AS bits,
	   count(DISTINCT right(i.id::text, 15)) AS random_ends,
	   	count(DISTINCT substr(i.id::text, 16, 3)) > 30 AS random_begins
  FROM generate_series(1, 200) n, apitoken.issue('issue', 'many' || n) i;
-- The row: what was not said has its default or is null.
CREATE FUNCTION pg_temp.row_of(id uuid) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(to_jsonb(t) - '{id,digest,created_at,updated_at,created_by,created_by_name,updated_by,updated_by_name,last_chars}'::text[])
	  FROM apitoken._token t WHERE t.id = $1 $$;
SELECT pg_temp.row_of(:'id');
-- Issues a token and returns its row, which the same statement would not see.
CREATE FUNCTION pg_temp.issued(arguments text) RETURNS apitoken._token LANGUAGE plpgsql AS $$
DECLARE new_id uuid; answer apitoken._token;
BEGIN
	EXECUTE format('SELECT id FROM apitoken.issue(%s)', arguments) INTO new_id;
	SELECT * FROM apitoken._token t WHERE t.id = new_id INTO answer;
	RETURN answer;
END $$;
SELECT digest OPERATOR(apitoken.=) apitoken.token_digest(:'token') AS digest,
	last_chars = right(:'token', 5) AS last_chars,
	   created_at BETWEEN now() - interval '1 minute' AND now() AS created_now,
	   	updated_at = created_at AS not_updated,
	   ARRAY[created_by, created_by_name, updated_by, updated_by_name] = array_fill(session_user::text,
	   	'{4}') AS by_session_role
  FROM apitoken._token WHERE id = :'id';
-- The secret is shown once: nowhere in the row, nor in the view, but for its end.
SELECT t::text LIKE '%' || right(:'token', 5) || '%' AS last_chars, t::text LIKE '%' || right(:'token', 6)
	|| '%' AS more,
	   t::text LIKE '%' || substr(right(:'token', 64), 1, 8) || '%' AS beginning
  FROM (SELECT t::text || v::text FROM apitoken._token t JOIN apitoken.tokens v USING (id) WHERE id = :'id') AS r(t);
SELECT bool_or(row_to_json(t)::text LIKE '%' || substr(:'token', n, 8) || '%') AS any_eight_characters_of_it
  FROM apitoken._token t, generate_series(length(:'public_id') + 2, length(:'token') - 8) n;
-- Everything said, by name, is stored as it was said.
SELECT * FROM apitoken.issue('issue', ' Ünamed "token" ', '{b.read,a.*,b.read}', expires_in => '1 mon 3 days',
	not_before => '2020-02-29 12:00Z',
	kind => 'client', principal => 'john.smith', principal_id => 'u-1', client_id => 'c-1', environment_id => 'prod',
	description => E'two\nlines', allowed_addresses => '{10.0.0.0/8,192.168.1.7,2001:db8::/32}',
		allowed_scopes => '{"organizationScopes": {"allRoles": true}}',
	idp_id => 'idp-1', idp_domain => 'example.com', access_token_ttl => '1 hour',
		metadata => '{"team": ["a", 1, null]}') \gset full_
SELECT pg_temp.row_of(:'full_id') - 'expires_at' AS row;
SELECT expires_at = created_at + interval '1 mon 3 days' AS expires_in, expires_at = :'full_expires_at' AS answered
	FROM apitoken._token WHERE id = :'full_id';
SELECT outcome, name, kind, principal, principal_id, client_id, environment_id, scopes, metadata,
	expires_at = :'full_expires_at' AS expires
  FROM apitoken.verify(:'full_token', address => '10.1.2.3');
-- By position too: realm, name, scopes, expires_in.
SELECT expires_at > now() + interval '1 day' AS positional FROM apitoken.issue('issue', 'n', '{a}', '2 days');
-- Multi-dimensional arrays, empty and blank values.
SELECT pg_temp.row_of(i.id)
	FROM pg_temp.issued($$'issue', 'n', '{{a,b},{c,a}}', allowed_addresses => '{{10.0.0.1},{10.0.0.2}}',
	description => '', metadata => '{}'$$) i;
SELECT pg_temp.row_of(i.id) FROM pg_temp.issued($$'issue', 'n', '{}', allowed_addresses => '{}'$$) i;

-- Expiry.  What was asked for, with a realm of each policy.
INSERT INTO apitoken.realm (id, default_ttl, max_ttl) VALUES
	('issue/free', NULL, NULL), ('issue/default', '90 days', NULL), ('issue/max', NULL, '1 year'),
	('issue/both', '90 days', '1 year');
CREATE FUNCTION pg_temp.life(realm text, expires_in interval, expires_at timestamptz, OUT granted_ttl interval,
	OUT kept boolean, OUT error text) LANGUAGE plpgsql AS $$
DECLARE arguments text := format('%L, ''n'', expires_in => %L, expires_at => %L', realm, expires_in, expires_at);
BEGIN
	error := test.error(format('SELECT apitoken.issue(%s)', arguments));
	IF error = 'no error' THEN
		SELECT i.granted_ttl, i.expires_at = i.created_at + i.granted_ttl
			FROM pg_temp.issued(arguments) i INTO granted_ttl, kept;
	END IF;
END $$;
SELECT realm, what, l.granted_ttl, l.kept, l.error
  FROM unnest('{issue/free,issue/default,issue/max,issue/both}'::text[]) WITH ORDINALITY AS r(realm, n),
	   (VALUES (1, 'nothing', NULL::interval, NULL::timestamptz), (2, 'an hour', '1 hour', NULL),
	   	(3, 'a year', '1 year', NULL), (4, 'a year and a second', '1 year 1 second', NULL),
			   (5, 'infinity', NULL, 'infinity')) AS v(m, what, expires_in, expires_at),
	   LATERAL pg_temp.life(realm, v.expires_in, v.expires_at) l
 ORDER BY n, m;
-- A moment is stored as it is, and the life granted is what comes out.
SELECT realm, test.error(format('SELECT apitoken.issue(%L, ''n'', expires_at => %L)', realm, now() + span)) AS answer,
	span
  FROM unnest('{issue/free,issue/max}'::text[]) realm, unnest('{1 day,364 days,367 days,100 years}'::interval[]) span
	ORDER BY 1, 3;
SELECT expires_at = '2999-12-31 23:59:59.999999Z' AS as_said, granted_ttl = expires_at - created_at AS life
  FROM pg_temp.issued($$'issue/free', 'n', expires_at => '2999-12-31 23:59:59.999999Z'$$);
-- Months are calendar months, by the clock of the session's time zone.
SELECT expires_at = created_at + interval '1 mon' AS a_month
	FROM pg_temp.issued($$'issue/free', 'n', expires_in => '1 month'$$);
-- An interval that the calendar turns into none is none.
SELECT what, test.error(format('SELECT apitoken.issue(''issue/free'', ''n'', %s)', what)) FROM (VALUES
	('expires_in => ''0'''), ('expires_in => ''-1 second'''), ('expires_in => ''1 month -31 days'''),
	('expires_in => ''-1 year 361 days'''), ('expires_in => ''300000 years'''),
	('expires_at => now()'), ('expires_at => ''-infinity'''), ('expires_at => ''1970-01-01'''),
	('expires_in => ''1 day'', expires_at => now() + interval ''1 day'''),
	('expires_in => ''1 day'', not_before => now() + interval ''2 days'''),
	('expires_in => ''1 day'', not_before => now() + interval ''1 hour'''),
	('not_before => ''2999-01-01'''), ('not_before => ''infinity'''), ('not_before => ''-infinity'''),
	('expires_at => ''2999-01-01Z'', not_before => ''2999-01-01Z'''),
	('expires_at => ''2999-01-01Z'', not_before => ''2998-12-31 23:59:59.999999Z''')) AS v(what);
UPDATE apitoken.realm SET default_ttl = '-1 year 361 days' WHERE id = 'issue/default';
SELECT test.error('SELECT apitoken.issue(''issue/default'', ''n'')');
-- Infinity as an interval, which PostgreSQL 17 brought, is never.
SELECT CASE WHEN current_setting('server_version_num')::int < 170000 THEN true
			ELSE test.error($$SELECT apitoken.issue('issue/max', 'n',
			expires_in => 'infinity')$$) ~ '^22023 / token would live longer'
			 AND test.error($$SELECT apitoken.issue('issue/free', 'n', expires_in => 'infinity')$$) = 'no error'
			 AND test.error($$SELECT apitoken.issue('issue/free', 'n',
			 	expires_in => '-infinity')$$) ~ '^22023 / expires_in is not' END AS infinity;
SELECT count(*) FROM apitoken._token WHERE expires_at = 'infinity' OR (expires_at IS NULL) <> (granted_ttl IS NULL);
-- Time is the wall clock at the call, not the transaction's start.
BEGIN;
SELECT pg_sleep(0.05);
SELECT created_at > now() AS later_than_transaction, expires_at = created_at + interval '1 hour' AS from_then
  FROM pg_temp.issued($$'issue/free', 'n', expires_in => '1 hour'$$);
SELECT test.error($$SELECT apitoken.issue('issue/free', 'n', expires_at => now() + interval '1 millisecond')$$);
ROLLBACK;

-- Access tokens' life comes from the realm where the token does not say.
UPDATE apitoken.realm SET access_token_ttl = '15 min' WHERE id = 'issue/free';
SELECT access_token_ttl FROM pg_temp.issued($$'issue/free', 'n'$$);
SELECT access_token_ttl FROM pg_temp.issued($$'issue/free', 'n', access_token_ttl => '2 mons'$$);

-- Who: the settings, else the session's role, whatever the current role is.
CREATE FUNCTION pg_temp.author() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(',', replace(created_by, session_user, '<session>'),
		replace(created_by_name, session_user, '<session>'),
					 updated_by = created_by, updated_by_name = created_by_name)
	  FROM pg_temp.issued($x$'issue/free', 'n'$x$) $$;
SELECT pg_temp.author();
SET apitoken.actor = 'u-17';
SELECT pg_temp.author();
SET apitoken.actor_name = 'Anna Müller';
SELECT pg_temp.author();
SET apitoken.actor = '';
SELECT pg_temp.author();
RESET apitoken.actor_name;
BEGIN;
SET LOCAL apitoken.actor = 'in this transaction';
SELECT pg_temp.author();
ROLLBACK;
SELECT pg_temp.author();
BEGIN;
CREATE ROLE regress_apitoken_issue SUPERUSER;
SET LOCAL ROLE regress_apitoken_issue;
SELECT pg_temp.author(), current_user;
ROLLBACK;

-- It joins the transaction, savepoints included.
BEGIN;
SELECT token FROM apitoken.issue('issue', 'kept') \gset kept_
SAVEPOINT s;
SELECT token FROM apitoken.issue('issue', 'lost') \gset lost_
SELECT outcome FROM apitoken.verify(:'lost_token');
ROLLBACK TO s;
SELECT outcome FROM apitoken.verify(:'lost_token');
COMMIT;
SELECT k.outcome AS kept, l.outcome AS lost FROM apitoken.verify(:'kept_token') k, apitoken.verify(:'lost_token') l;
-- Seen by the rest of the same statement; many in one statement.
SELECT i.name, v.outcome, v.id = i.id AS same FROM (SELECT n::text AS name, (i).* FROM generate_series(1, 3) n,
	apitoken.issue('issue', n::text) i) i,
	   apitoken.verify(i.token) v ORDER BY 1;
SELECT count(*) FROM apitoken._token WHERE realm = 'issue' AND name = 'lost';
SELECT test.error($$SET TRANSACTION READ ONLY; SELECT apitoken.issue('issue', 'n')$$);
SELECT count(test.drop_realm(id)) FROM apitoken.realm WHERE id LIKE 'issue%';
