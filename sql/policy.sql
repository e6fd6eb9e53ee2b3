-- The realm's policy beside life: known scopes, and how many active tokens a
-- principal may have.
\pset format unaligned
SET TimeZone = 'UTC';
INSERT INTO apitoken.realm (id) VALUES ('policy');
CREATE FUNCTION pg_temp.issued(arguments text) RETURNS text LANGUAGE sql AS $$
	SELECT test.error(format('SELECT apitoken.issue(''policy'', ''n'', %s)', arguments)) $$;

-- known_scopes: each scope is granted by one of them, or covers one.
UPDATE apitoken.realm SET known_scopes = 'a.read b.* c:x' WHERE id = 'policy';
SELECT scope, pg_temp.issued(format('ARRAY[%L]', scope)) FROM unnest('{a.read,a.write,a.*,a,b,b.read,b.x.y,b.*,b.x.*,c:*,c:x,c:y,d,d.*,*}'::text[])
	WITH ORDINALITY s(scope, n) ORDER BY n;
SELECT pg_temp.issued('''{}'''), pg_temp.issued('''{a.read,b.read,d}''');
-- It is not repeated: it may be a secret in the wrong place.
SELECT pg_temp.issued(format('ARRAY[''b.read'', %L, ''a.read'']', test.sample()));
SELECT test.error('SELECT apitoken.import(''policy'', ''n'', ''policy_token_1'', scopes => ''{d}'')');
-- Not even the empty set of known scopes is any: then nothing is known.
UPDATE apitoken.realm SET known_scopes = '' WHERE id = 'policy';
SELECT pg_temp.issued('''{}'''), pg_temp.issued('''{a}'''), pg_temp.issued('''{*}''');
-- Of many scopes and many that are known, the comparison can be cancelled.
UPDATE apitoken.realm SET known_scopes = (SELECT string_agg('known.' || n, ' ') FROM generate_series(1, 30000) n)::apitoken.scopes WHERE id = 'policy';
SELECT clock_timestamp() AS began \gset
SET statement_timeout = '300ms';
SELECT id FROM apitoken.issue('policy', 'n', ARRAY(SELECT 'known.' || n FROM generate_series(1, 30000) n));
RESET statement_timeout;
SELECT clock_timestamp() < :'began'::timestamptz + interval '5 s' AS in_time;
-- An older token keeps its scopes, works, and can be renamed; scopes that are
-- given, or a new secret, are asked again.
UPDATE apitoken.realm SET known_scopes = NULL WHERE id = 'policy';
SELECT id, token FROM apitoken.issue('policy', 'old', '{d,e}') \gset
UPDATE apitoken.realm SET known_scopes = 'd' WHERE id = 'policy';
SELECT outcome FROM apitoken.verify(:'token', 'e');
SELECT name FROM apitoken.update(:'id', 'renamed');
SELECT test.error(format('SELECT apitoken.update(%L, scopes => ''{d,e}'')', :'id'));
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'id'));
SELECT name FROM apitoken.update(:'id', scopes => '{d}');
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'id'));
SELECT status FROM apitoken.suspend(:'id');
UPDATE apitoken.realm SET known_scopes = 'x' WHERE id = 'policy';
SELECT status FROM apitoken.activate(:'id');
UPDATE apitoken.realm SET known_scopes = NULL WHERE id = 'policy';
SELECT test.drop_realm('policy');

-- Millennia: as max_ttl no limit, also where no timestamp could tell its end;
-- as a life that is granted an error, not for ever.
INSERT INTO apitoken.realm (id) VALUES ('policy');
CREATE FUNCTION pg_temp.expiry(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE expires text;
BEGIN
	EXECUTE format('SELECT CASE WHEN expires_at IS NULL THEN ''never'' WHEN expires_at > now() + interval ''999 years'' THEN ''late'' ELSE ''soon'' END FROM apitoken.issue(''policy'', ''n'', %s)', arguments) INTO expires;
	RETURN expires;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
CREATE FUNCTION pg_temp.expiries(max text, default_ttl text) RETURNS TABLE (said text, expires text) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE apitoken.realm SET max_ttl = max::interval, default_ttl = $2::interval WHERE id = 'policy';
	RETURN QUERY SELECT w, pg_temp.expiry(w) FROM unnest(ARRAY['kind => ''user''', 'expires_at => ''infinity''', 'expires_at => ''290000-01-01Z''', 'expires_in => ''1 day''',
		'expires_in => ''1000 years''', 'expires_in => ''3000 years''', 'expires_in => ''300000 years''']) WITH ORDINALITY s(w, n) ORDER BY n;
END $$;
SELECT max, e.* FROM unnest('{999 years,2000 years,2001 years,300000 years,100000000 days,2000000000 hours,170000000 years}'::text[]) WITH ORDINALITY m(max, n), pg_temp.expiries(max, NULL) e ORDER BY n;
SELECT m.default_ttl, e.expires FROM unnest('{1000 years,90000 years,90001 years,300000 years,100000000 days,2000000000 hours,170000000 years}'::text[]) WITH ORDINALITY m(default_ttl, n),
	LATERAL (SELECT * FROM pg_temp.expiries(NULL, m.default_ttl) LIMIT 1) e ORDER BY n;
-- rotate(), update() and the report see it the same way.
UPDATE apitoken.realm SET max_ttl = '300000 years', default_ttl = NULL WHERE id = 'policy';
SELECT id AS never_id FROM apitoken.issue('policy', 'never') \gset
SELECT expires_at IS NULL AS never FROM apitoken.rotate(:'never_id');
SELECT expires_at IS NULL AS never FROM apitoken.update(:'never_id', expires_at => 'infinity');
SELECT count(*) FROM apitoken.policy_violations WHERE realm = 'policy';
UPDATE apitoken.realm SET default_ttl = '300000 years' WHERE id = 'policy';
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'never_id'));
SELECT test.drop_realm('policy');

-- max_active_per_principal.
INSERT INTO apitoken.realm (id, max_active_per_principal) VALUES ('policy', 2), ('policy/other', 2);
SELECT id AS first_id, token AS first FROM apitoken.issue('policy', 'first', principal => 'p') \gset
SELECT id AS second_id FROM apitoken.issue('policy', 'second', principal => 'p', expires_in => '1 day') \gset
SELECT pg_temp.issued('principal => ''p''');
SELECT test.error('SELECT apitoken.import(''policy'', ''n'', ''policy_token_2'', principal => ''p'')');
-- Other principals, none at all, and the same one elsewhere.
SELECT pg_temp.issued('principal => ''P'''), pg_temp.issued('principal => ''q'''),
	test.error('SELECT apitoken.issue(''policy/other'', ''n'', principal => ''p'')') AS elsewhere;
SELECT count(*) FROM generate_series(1, 5), apitoken.issue('policy', 'n') i;
-- What does not count: suspended, revoked, expired; nor counts one that is not valid yet as less.
SELECT status FROM apitoken.suspend(:'first_id');
SELECT id AS third_id FROM apitoken.issue('policy', 'third', principal => 'p', not_before => '2999-01-01Z') \gset
SELECT pg_temp.issued('principal => ''p''');
SELECT test.error(format('SELECT apitoken.activate(%L)', :'first_id'));
SELECT status FROM apitoken.revoke(:'third_id');
SELECT status FROM apitoken.activate(:'first_id');
UPDATE apitoken._token SET expires_at = '2001-01-01Z' WHERE id = :'second_id';
SELECT id AS fourth_id FROM apitoken.issue('policy', 'fourth', principal => 'p') \gset
-- Renewing an expired one counts; so does giving one to the principal.
SELECT test.error(format('SELECT apitoken.rotate(%L, expires_in => ''1 day'')', :'second_id'));
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'second_id')) AS stays_expired;
SELECT test.error(format('SELECT apitoken.update(%L, expires_in => ''1 day'')', :'second_id'));
SELECT test.error(format('SELECT apitoken.update(%L, clear => ''{expires_at}'')', :'second_id'));
SELECT id AS nobodys_id FROM apitoken.issue('policy', 'nobody''s') \gset
SELECT test.error(format('SELECT apitoken.update(%L, principal => ''p'')', :'nobodys_id'));
-- Those that count already do so once, whatever is done with them.
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'first_id')), test.error(format('SELECT apitoken.update(%L, name => ''n'', principal => ''p'', expires_in => ''2 days'')', :'first_id'));
-- Away from the principal makes room.
SELECT name FROM apitoken.update(:'fourth_id', clear => '{principal}');
SELECT name FROM apitoken.update(:'nobodys_id', principal => 'p');
SELECT pg_temp.issued('principal => ''p''');
-- A suspended one may be renewed and given away, for it does not count.
SELECT status FROM apitoken.suspend(:'nobodys_id');
SELECT id AS fifth_id FROM apitoken.issue('policy', 'fifth', principal => 'p') \gset
SELECT test.error(format('SELECT apitoken.rotate(%L)', :'nobodys_id')), test.error(format('SELECT apitoken.update(%L, name => ''m'')', :'nobodys_id'));
SELECT test.error(format('SELECT apitoken.activate(%L)', :'nobodys_id'));
-- A token imported again is a no-op, though there is no room.
SELECT apitoken.import('policy', 'n', 'policy_token_3', principal => 'z') = apitoken.import('policy', 'n', 'policy_token_3', principal => 'p') AS same;
-- The limit lowered: nobody loses a token, nobody gets one.  Raised or none: room.
UPDATE apitoken.realm SET max_active_per_principal = 1 WHERE id = 'policy';
SELECT outcome FROM apitoken.verify((SELECT token FROM apitoken.rotate(:'first_id')));
SELECT pg_temp.issued('principal => ''p''');
UPDATE apitoken.realm SET max_active_per_principal = 3 WHERE id = 'policy';
SELECT pg_temp.issued('principal => ''p''');
UPDATE apitoken.realm SET max_active_per_principal = NULL WHERE id = 'policy';
SELECT count(pg_temp.issued('principal => ''p''')) FROM generate_series(1, 5);
-- A failed call leaves nothing behind, of events either.
UPDATE apitoken.realm SET max_active_per_principal = 1 WHERE id = 'policy';
SELECT test.now_event() AS before, count(*) AS tokens FROM apitoken._token WHERE realm = 'policy' \gset
SELECT pg_temp.issued('principal => ''p''');
SELECT count(*) = :tokens AS none, test.now_event() = :before AS no_event FROM apitoken._token WHERE realm = 'policy';
SELECT test.drop_realm(r) FROM unnest('{policy,policy/other}'::text[]) r;
