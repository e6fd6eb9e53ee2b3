-- purge_events(): a beginning of the chain is removed, what is left is whole,
-- and a beginning that was cut off by hand is not taken for a purge.
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
BEGIN;
SELECT apitoken.seal_events() IS NOT NULL AS sealed;
DELETE FROM apitoken._event;
DELETE FROM apitoken._event_seal;
CREATE FUNCTION test.write(id bigint, age interval, event text DEFAULT 'x') RETURNS void LANGUAGE sql AS $$
	INSERT INTO apitoken._event (id, at, event, actor, actor_name, session_role) VALUES (id, clock_timestamp() - age, event, 'a', 'b', 'c');
	INSERT INTO apitoken._event_unsealed VALUES (id) $$;
SELECT nextval('apitoken._event_id_seq') - 1 AS base \gset
-- Seals 1 to 5: old, old, one of its two events young, old, young.
SELECT test.write(:base + 1, '90 days'), test.write(:base + 2, '80 days');
SELECT apitoken.seal_events();
SELECT test.write(:base + 3, '70 days');
SELECT apitoken.seal_events();
SELECT test.write(:base + 5, '1 day'), test.write(:base + 4, '60 days');
SELECT apitoken.seal_events();
SELECT test.write(:base + 6, '50 days');
SELECT apitoken.seal_events();
SELECT test.write(:base + 7, '1 hour');
SELECT apitoken.seal_events();
SELECT setval('apitoken._event_id_seq', :base + 7) > 0 AS set;
-- Not sealed, however old.
SELECT test.write(:base, '100 days');
SELECT * FROM apitoken.check_events();
CREATE FUNCTION pg_temp.state(base bigint) RETURNS TABLE (events bigint[], seals text[], unsealed bigint) LANGUAGE sql AS $$
	SELECT (SELECT array_agg(id - base ORDER BY id) FROM apitoken._event), (SELECT array_agg(id || CASE WHEN purged THEN ' purged' ELSE '' END ORDER BY id) FROM apitoken._event_seal),
		   (SELECT count(*) FROM apitoken._event_unsealed) $$;
SELECT * FROM pg_temp.state(:base);
SAVEPOINT start;
-- Nothing is old enough: nothing happens, no event.
SELECT apitoken.purge_events('100 days');
SELECT * FROM pg_temp.state(:base);
-- The first seal.
SELECT apitoken.purge_events('75 days');
SELECT * FROM pg_temp.state(:base);
SELECT event, realm, token_id, old, new - 'digest' AS new, new ->> 'digest' = (SELECT digest::text FROM apitoken._event_seal WHERE id = 1) AS digest FROM apitoken._event WHERE event = 'events_purged';
SELECT * FROM apitoken.check_events();
SELECT apitoken.purge_events('75 days');
SELECT * FROM pg_temp.state(:base);
-- The first with a young event stops it, whatever is behind.
SELECT apitoken.purge_events('2 days');
SELECT * FROM pg_temp.state(:base);
SELECT * FROM apitoken.check_events();
SELECT apitoken.purge_events('2 days');
-- Sealing goes on, the events of the purges included.
SELECT apitoken.seal_events();
SELECT * FROM pg_temp.state(:base);
SELECT * FROM apitoken.check_events();
-- All that is sealed, then the event of that.
SELECT apitoken.purge_events('0');
SELECT * FROM pg_temp.state(:base);
SELECT * FROM apitoken.check_events();
SELECT apitoken.purge_events('0');
SELECT apitoken.seal_events();
SELECT apitoken.purge_events('0');
SELECT * FROM pg_temp.state(:base);
SELECT * FROM apitoken.check_events();
SELECT apitoken.seal_events();
SELECT test.write(:base + 20, '1 day');
SELECT apitoken.seal_events();
SELECT * FROM pg_temp.state(:base);
SELECT * FROM apitoken.check_events();
ROLLBACK TO start;

-- What is altered behind a purge shows as before.
SELECT apitoken.purge_events('2 days');
SELECT apitoken.seal_events();
CREATE FUNCTION test.after(change text, base bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	command text := change;
	found text;
BEGIN
	FOR i IN 1..9 LOOP
		command := replace(command, '%' || i, (base + i)::text);
	END LOOP;
	EXECUTE command;
	SELECT string_agg(concat_ws(' ', 'seal ' || seal_id, 'event ' || event_id - base) || ': ' || problem, '; ' ORDER BY seal_id, event_id) INTO found
	  FROM apitoken.check_events();
	RAISE EXCEPTION SQLSTATE 'TT000' USING message = coalesce(found, 'all is well');
EXCEPTION WHEN SQLSTATE 'TT000' THEN
	RETURN SQLERRM;
END $$;
SELECT change, test.after(change, :base) AS found FROM unnest(ARRAY[
	$$UPDATE apitoken._event SET actor = 'z' WHERE id = %4$$,
	$$DELETE FROM apitoken._event WHERE id = %5$$,
	$$DELETE FROM apitoken._event WHERE event = 'events_purged'$$,
	$$UPDATE apitoken._event SET new = new || '{"seal": 3}' WHERE event = 'events_purged'$$,
	$$UPDATE apitoken._event_seal SET purged = false WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET digest = decode(md5('a') || md5('b'), 'hex')::apitoken.digest WHERE id = 2$$,
	$$DELETE FROM apitoken._event_seal WHERE id = 2$$,
	$$DELETE FROM apitoken._event_seal WHERE id = 3$$,
	$$DELETE FROM apitoken._event_seal WHERE id = 2; DELETE FROM apitoken._event WHERE id IN (%4, %5); UPDATE apitoken._event_seal SET purged = true WHERE id = 3$$,
	$$INSERT INTO apitoken._event (id, at, event, actor, actor_name, session_role) VALUES (%3, now(), 'x', 'a', 'b', 'c')$$]) WITH ORDINALITY u(change, n) ORDER BY n;
ROLLBACK TO start;

-- Ages.
SELECT age, test.error(format('SELECT apitoken.purge_events(%L)', age)) FROM unnest('{NULL,-1 second,-1 month 40 days,1 month -40 days,170000000 years}'::interval[]) age;
SELECT * FROM pg_temp.state(:base);
ROLLBACK TO start;
-- It joins the transaction, also the event.
SAVEPOINT a;
SELECT apitoken.purge_events('2 days');
ROLLBACK TO a;
SELECT * FROM pg_temp.state(:base);
SELECT * FROM apitoken.check_events();
-- The role needs no right on the tables; the event names it.
CREATE ROLE regress_purge;
GRANT USAGE ON SCHEMA apitoken TO regress_purge;
GRANT EXECUTE ON FUNCTION apitoken.purge_events TO regress_purge;
SET ROLE regress_purge;
SET LOCAL apitoken.actor = 'janitor';
SELECT apitoken.purge_events('2 days');
RESET ROLE;
SELECT actor FROM apitoken._event WHERE event = 'events_purged';
SELECT * FROM pg_temp.state(:base);
ROLLBACK;
SELECT test.error('SET TRANSACTION READ ONLY; SELECT apitoken.purge_events(''1 day'')');
