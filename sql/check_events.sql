-- check_events(): whatever is altered in the history after it was sealed shows.
-- Each change is undone before the next.
\pset format unaligned
SET TimeZone = 'UTC';
BEGIN;
SELECT apitoken.seal_events() IS NOT NULL AS sealed;
DELETE FROM apitoken._event;
DELETE FROM apitoken._event_seal;
-- Four seals over events 1 to 8, and 9 that is not sealed yet.  All columns of
-- 2, 5 and 7 are given, of the others only what must be.
CREATE FUNCTION test.write(first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO apitoken._event
	SELECT i, timestamptz '2020-01-01Z' + i * interval '1 s', 'realm', '94f44c7f-4a82-71ac-83f7-fcb31b547f0d', 'updated', 'actor', 'Ac Tor', 'role', '192.0.2.1', 'app', 'why', '{"name": "a", "version": 1}', '{"name": "b", "version": 2}'
	  FROM generate_series(first, last) i WHERE (i - first) % 2 = 1;
	INSERT INTO apitoken._event (id, at, event, actor, actor_name, session_role)
	SELECT i, timestamptz '2020-01-01Z' + i * interval '1 s', 'updated', 'actor', 'Ac Tor', 'role'
	  FROM generate_series(first, last) i WHERE (i - first) % 2 = 0;
	INSERT INTO apitoken._event_unsealed SELECT generate_series(first, last) $$;
SELECT nextval('apitoken._event_id_seq') - 1 AS base \gset
SELECT test.write(:base + 1, :base + 3), apitoken.seal_events();
SELECT test.write(:base + 4, :base + 5), apitoken.seal_events();
SELECT test.write(:base + 6, :base + 7), apitoken.seal_events();
SELECT test.write(:base + 8, :base + 8), apitoken.seal_events();
SELECT test.write(:base + 9, :base + 9);
SELECT setval('apitoken._event_id_seq', :base + 9) > 0 AS set;
SELECT * FROM apitoken.check_events();

-- What check_events() says after a change, in which %1 to %9 are events.
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
CREATE FUNCTION pg_temp.after(changes text[], base bigint) RETURNS TABLE (change text, found text) LANGUAGE sql AS $$
	SELECT change, test.after(change, base) FROM unnest(changes) WITH ORDINALITY u(change, n) ORDER BY n $$;

-- Every column, to another value, to NULL and from NULL.
SELECT name, test.after(format('UPDATE apitoken._event SET %I = %s WHERE id = %%2', name, value), :base) AS from_value,
	   test.after(format('UPDATE apitoken._event SET %I = %s WHERE id = %%1', name, value), :base) AS from_null,
	   CASE WHEN nullable THEN test.after(format('UPDATE apitoken._event SET %I = NULL WHERE id = %%2', name), :base) END AS to_null
  FROM (VALUES ('id', '%9 + 5'), ('at', 'at + interval ''1 us'''), ('realm', '''realn'''), ('token_id', '''94f44c7f-4a82-71ac-83f7-fcb31b547f0e'''),
	('event', '''updates'''), ('actor', '''actor '''), ('actor_name', '''Ac tor'''), ('session_role', ''''''), ('client_addr', '''192.0.2.0/24'''), ('application_name', ''''''),
	('reason', '''whY'''), ('old', '''{"name": "a", "version": 2}'''), ('new', '''{"name": "b", "version": "2"}''')) v(name, value)
  JOIN (SELECT attname, NOT attnotnull, attnum FROM pg_attribute WHERE attrelid = 'apitoken._event'::regclass AND attnum > 0) a(name, nullable, place) USING (name) ORDER BY place;
SELECT count(*) AS columns FROM pg_attribute WHERE attrelid = 'apitoken._event'::regclass AND attnum > 0;
-- Nearly the same.
SELECT * FROM pg_temp.after(ARRAY[
	$$UPDATE apitoken._event SET actor = actor || actor_name, actor_name = '' WHERE id = %3$$,
	$$UPDATE apitoken._event SET actor = actor_name, actor_name = actor WHERE id = %3$$,
	$$UPDATE apitoken._event SET old = new, new = old WHERE id = %5$$,
	$$UPDATE apitoken._event SET old = NULL, new = old WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '{"name": "b", "version": 2.0}' WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '{"name": "b", "version": [2]}' WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '{"name": "b", "version": {}}' WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '{"name": "b", "version": null}' WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '{"name": "b"}' WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '{"nam": "eb", "version": 2}' WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '[{"name": "b", "version": 2}]' WHERE id = %5$$,
	$$UPDATE apitoken._event SET client_addr = '::ffff:192.0.2.1' WHERE id = %5$$,
	$$UPDATE apitoken._event SET new = '{"version": 2, "name": "b"}' WHERE id = %5$$,
	$$UPDATE apitoken._event SET actor = actor$$], :base);
-- Rows removed, swapped, exchanged, inserted.
SELECT * FROM pg_temp.after(ARRAY[
	$$DELETE FROM apitoken._event WHERE id = %1$$,
	$$DELETE FROM apitoken._event WHERE id = %3$$,
	$$DELETE FROM apitoken._event WHERE id IN (%2, %3, %7)$$,
	$$DELETE FROM apitoken._event WHERE id <= %8$$,
	$$UPDATE apitoken._event e SET at = o.at FROM apitoken._event o WHERE e.id + o.id = %4 + %6 AND e.id <> o.id AND e.id IN (%4, %6)$$,
	$$UPDATE apitoken._event SET id = -id WHERE id IN (%1, %3); UPDATE apitoken._event SET id = %1 + %3 + id WHERE id < 0$$,
	$$INSERT INTO apitoken._event SELECT %9 + 1, at, realm, token_id, event, actor, actor_name, session_role FROM apitoken._event WHERE id = %8$$,
	$$INSERT INTO apitoken._event SELECT %1 - 1, at, realm, token_id, event, actor, actor_name, session_role FROM apitoken._event WHERE id IN (%8)$$,
	$$INSERT INTO apitoken._event SELECT %1 - 1 - n, at, realm, token_id, event, actor, actor_name, session_role FROM apitoken._event, generate_series(1, 3) n WHERE id = %8$$,
	$$DELETE FROM apitoken._event_unsealed$$,
	$$DELETE FROM apitoken._event WHERE id = %9$$], :base);
-- Each column of a seal.
SELECT * FROM pg_temp.after(ARRAY[
	$$UPDATE apitoken._event_seal SET id = 9 WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET sealed_at = sealed_at + interval '1 us' WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET last_event_at = last_event_at - interval '1 us' WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET events = '{}' WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET events = events[1:1], event_digests = substr(event_digests, 1, 32) WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET events = ARRAY[events[2], events[1]], event_digests = substr(event_digests, 33, 32) || substr(event_digests, 1, 32) WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET events = events || %9::bigint WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET events = events || NULL::bigint WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET events = ARRAY[events, events] WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET event_digests = set_byte(event_digests, 40, get_byte(event_digests, 40) # 1) WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET event_digests = '' WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET event_digests = event_digests || '\x00' WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET key_id = 1 WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET digest = decode(md5('a') || md5('b'), 'hex')::apitoken.digest WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET digest = decode(md5('a') || md5('b'), 'hex')::apitoken.digest WHERE id = 4$$,
	$$UPDATE apitoken._event_seal SET purged = true WHERE id = 2$$,
	$$UPDATE apitoken._event_seal SET purged = true WHERE id = 1$$], :base);
-- Removed: first, in the middle, all; reordered; a beginning cut off and marked.
SELECT * FROM pg_temp.after(ARRAY[
	$$DELETE FROM apitoken._event_seal WHERE id = 1$$,
	$$DELETE FROM apitoken._event_seal WHERE id IN (2, 3)$$,
	$$DELETE FROM apitoken._event_seal$$,
	$$DELETE FROM apitoken._event_seal WHERE id = 4$$,
	$$UPDATE apitoken._event_seal SET id = -id WHERE id IN (2, 3); UPDATE apitoken._event_seal SET id = 5 + id WHERE id < 0$$,
	$$DELETE FROM apitoken._event_seal WHERE id = 1; DELETE FROM apitoken._event WHERE id <= %3; UPDATE apitoken._event_seal SET id = id - 1$$,
	$$DELETE FROM apitoken._event WHERE id <= %5; DELETE FROM apitoken._event_seal WHERE id = 1; UPDATE apitoken._event_seal SET purged = true WHERE id = 2$$,
	$$INSERT INTO apitoken._event_seal SELECT 5, sealed_at, last_event_at, events, event_digests, key_id, digest, false FROM apitoken._event_seal WHERE id = 4$$,
	$$INSERT INTO apitoken._event_seal SELECT 0, sealed_at, last_event_at, events, event_digests, key_id, digest, false FROM apitoken._event_seal WHERE id = 1$$], :base);
-- Several at once: a row a bad seal, with its first bad event.
SELECT * FROM pg_temp.after(ARRAY[
	$$UPDATE apitoken._event SET actor = 'z' WHERE id IN (%2, %3, %5, %8); DELETE FROM apitoken._event WHERE id = %6$$], :base);
-- What it cannot see: an end that was cut off with its events.  Seals in the log tell.
SELECT * FROM pg_temp.after(ARRAY[
	$$DELETE FROM apitoken._event_seal WHERE id = 4; DELETE FROM apitoken._event WHERE id = %8$$], :base);
-- Columns that were added are not sealed.
SELECT * FROM pg_temp.after(ARRAY[
	$$ALTER TABLE apitoken._event ADD COLUMN note text; UPDATE apitoken._event SET note = 'n'$$], :base);
-- What was found and put back is well again, and sealing goes on.
SELECT apitoken.seal_events();
SELECT * FROM apitoken.check_events();
-- Many events, all of them found.
SELECT test.write(:base + 10, :base + 3009), apitoken.seal_events();
SELECT * FROM apitoken.check_events();
SELECT count(*) FROM apitoken._event_seal;
SAVEPOINT a;
UPDATE apitoken._event SET reason = 'r' WHERE (id - :base) % 500 = 0;
SELECT seal_id, event_id - :base AS event, problem FROM apitoken.check_events();
ROLLBACK TO a;
-- No history at all.
DELETE FROM apitoken._event;
DELETE FROM apitoken._event_seal;
SELECT * FROM apitoken.check_events();
ROLLBACK;
