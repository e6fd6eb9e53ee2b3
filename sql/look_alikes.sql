-- Look-alikes of all that the extension may call, first in the search_path and
-- among temporary objects, while every function of the extension is called and
-- every view read: none of them runs.  A function or view that has no call here
-- fails the test.  Event triggers see what the extension does, and no more.
\pset format unaligned
SET client_min_messages = 'warning';
INSERT INTO apitoken.realm (id, known_scopes, max_idle, max_active_per_principal, default_ttl) VALUES ('look_alikes', 'a b', '1 day', 100, '1 day');
CREATE TABLE test.subject AS SELECT n, i.id, i.token FROM generate_series(1, 12) n, apitoken.issue('look_alikes', 'n' || n, '{a}', principal => 'p') i;
SELECT count(apitoken.suspend(id)) FROM test.subject WHERE n = 2;
SELECT count(apitoken.revoke(id)) FROM test.subject WHERE n = 3;
SELECT count(apitoken.rotate(id, '1 hour')) FROM test.subject WHERE n = 4;
-- %s is a token's text, %u its id, %n which of the tokens above.
CREATE TABLE test.look_alike_call (name text, n int, call text);
INSERT INTO test.look_alike_call VALUES
	('verify', 1, 'SELECT outcome FROM apitoken.verify(%s, ''a'', ''10.0.0.1'')'),
	('verify_sha256', 1, 'SELECT outcome FROM apitoken.verify_sha256(pg_catalog.sha256(%s::bytea))'),
	('verify_many', 1, 'SELECT outcome FROM apitoken.verify_many(ARRAY[%s, ''x''])'),
	('verified_id', 1, 'SELECT apitoken.verified_id(%s)'),
	('lookup', 1, 'SELECT apitoken.lookup(%s)'),
	('details', 1, 'SELECT apitoken.details(%s, true)'),
	('read', 1, 'SELECT apitoken.read(%u)'),
	('list', 1, 'SELECT apitoken.list(''look_alikes'', ''name'', ''desc'', environment_id => NULL)'),
	('query', 1, 'SELECT apitoken.query(''look_alikes'', body => ''{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["n"]}]}}'')'),
	('issue', 1, 'SELECT id FROM apitoken.issue(''look_alikes'', ''x'', ''{a}'', principal => ''q'', idempotency_key => ''k'')'),
	('import', 1, 'SELECT apitoken.import(''look_alikes'', ''x'', ''a_foreign_token'', allowed_addresses => ''{10.0.0.0/8}'', metadata => ''{}'')'),
	('update', 1, 'SELECT version FROM apitoken.update(%u, description => ''d'', scopes => ''{b}'', version => 1)'),
	('suspend', 5, 'SELECT status FROM apitoken.suspend(%u, ''r'')'),
	('activate', 2, 'SELECT status FROM apitoken.activate(%u)'),
	('rotate', 6, 'SELECT id FROM apitoken.rotate(%u, ''1 hour'', ''1 hour'')'),
	('end_grace', 4, 'SELECT status FROM apitoken.end_grace(%u)'),
	('revoke', 7, 'SELECT status FROM apitoken.revoke(%u)'),
	('delete', 3, 'SELECT status FROM apitoken.delete(%u)'),
	('revoke_self', 8, 'SELECT apitoken.revoke_self(%s)'),
	('revoke_all', 9, 'SELECT name FROM apitoken.revoke_all(''look_alikes'', ''p'', scope => ''a'')'),
	('check_token', 1, 'SELECT apitoken.check_token(%s)'),
	('token_digest', 1, 'SELECT apitoken.token_digest(%s)'),
	('scope_count', 1, 'SELECT apitoken.scope_count(''a b'')'),
	('tokens_granting', 1, 'SELECT id FROM apitoken.tokens_granting(''a'', ''look_alikes'')'),
	('tokens_at', 1, 'SELECT id FROM apitoken.tokens_at(pg_catalog.now(), ''look_alikes'')'),
	('authenticate', 1, 'SELECT apitoken.authenticate(%s, ''a'', ''10.0.0.1'')'),
	('current_token', 1, 'SELECT apitoken.current_token()'), ('current_realm', 1, 'SELECT apitoken.current_realm()'),
	('current_principal', 1, 'SELECT apitoken.current_principal()'), ('has_scope', 1, 'SELECT apitoken.has_scope(''a'')'),
	('key_state _keys', 1, 'SELECT role FROM apitoken.key_state()'),
	('stats', 1, 'SELECT usage_tracked FROM apitoken.stats()'),
	('version', 1, 'SELECT apitoken.version()'),
	('flush_usage', 1, 'SELECT apitoken.flush_usage()'),
	('seal_events', 1, 'SELECT apitoken.seal_events()'),
	('check_events', 1, 'SELECT problem FROM apitoken.check_events()'),
	('purge', 1, 'SELECT apitoken.purge(''0'')'),
	('purge_events', 1, 'SELECT apitoken.purge_events(''0'')'),
	('purge_usage', 1, 'SELECT apitoken.purge_usage(''0'')'),
	('enable_search', 1, 'SELECT apitoken.enable_search()'),
	('_realm_changed _realm_event _realm_guard', 1, 'UPDATE apitoken.realm SET id = ''look_alikes/2'' WHERE false'),
	('tokens', 1, 'SELECT t FROM apitoken.tokens t'), ('events', 1, 'SELECT t FROM apitoken.events t'),
	('token_scopes', 1, 'SELECT t FROM apitoken.token_scopes t'), ('expiring_tokens', 1, 'SELECT t FROM apitoken.expiring_tokens t'),
	('idle_tokens', 1, 'SELECT t FROM apitoken.idle_tokens t'), ('policy_violations', 1, 'SELECT t FROM apitoken.policy_violations t'),
	('usage_hourly', 1, 'SELECT t FROM apitoken.usage_hourly t'), ('usage_daily', 1, 'SELECT t FROM apitoken.usage_daily t'),
	('realm', 1, 'INSERT INTO apitoken.realm (id, name, prefix, default_ttl, max_ttl, max_idle, known_scopes, token_endpoint_url, metadata) VALUES (''look_alikes/3'', ''n'', ''p'', ''1 day'', ''2 days'', ''1 day'', ''a'', ''https://a.b'', ''{}'')'),
	('realm', 1, 'UPDATE apitoken.realm SET name = ''n'' WHERE id OPERATOR(pg_catalog.=) ''look_alikes''');
-- Nothing is forgotten: what is no part of a type and not for views alone.
SELECT proname AS function_without_a_call FROM pg_proc p WHERE pronamespace = 'apitoken'::regnamespace
	AND NOT EXISTS (SELECT FROM pg_type WHERE p.oid IN (typinput, typoutput, typreceive, typsend))
	AND NOT EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid) AND NOT EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
	AND NOT EXISTS (SELECT FROM pg_cast WHERE castfunc = p.oid)
	AND NOT EXISTS (SELECT FROM test.look_alike_call c WHERE p.proname::text = ANY (string_to_array(c.name, ' ')))
	AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
		WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND proname ~ '^_')
	AND proname NOT IN ('_required_scopes', '_required_time') ORDER BY 1;
SELECT relname AS view_without_a_call FROM pg_class WHERE relnamespace = 'apitoken'::regnamespace AND relkind IN ('v', 'm')
	AND relname::text NOT IN (SELECT name FROM test.look_alike_call) ORDER BY 1;

CREATE ROLE regress_apitoken_caller;
GRANT USAGE ON SCHEMA apitoken, test TO regress_apitoken_caller;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA apitoken TO regress_apitoken_caller;
GRANT SELECT ON ALL TABLES IN SCHEMA apitoken TO regress_apitoken_caller;
GRANT SELECT, INSERT, UPDATE ON apitoken.realm TO regress_apitoken_caller;
GRANT SELECT ON test.look_alike_call, test.subject TO regress_apitoken_caller;
-- What calls them, with look-alikes first in the path, once there are any;
-- nothing of it remains.
CREATE FUNCTION test.with_look_alikes(call pg_catalog.text, token pg_catalog.text, id pg_catalog.uuid) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$
DECLARE
	state pg_catalog.text;
	message pg_catalog.text;
	statement pg_catalog.text := pg_catalog.replace(pg_catalog.replace(call, '%s', pg_catalog.quote_literal(token) OPERATOR(pg_catalog.||) '::pg_catalog.text'), '%u', pg_catalog.quote_literal(id) OPERATOR(pg_catalog.||) '::pg_catalog.uuid');
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_temp, evil, pg_catalog, apitoken', false);
	EXECUTE statement;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	RETURN 'done';
WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	RETURN pg_catalog.concat(state, ' ', message);
END $$;
-- Event triggers, which take a superuser: no function is DDL, but for
-- enable_search().
SET ROLE regress_apitoken_caller;
SELECT test.sqlstate('CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()') AS not_by_others;
RESET ROLE;
CREATE SEQUENCE test.seen;
CREATE FUNCTION test.see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_catalog.nextval('test.seen'); END $$;
CREATE EVENT TRIGGER see_end ON ddl_command_end EXECUTE FUNCTION test.see();
CREATE EVENT TRIGGER see_drop ON sql_drop EXECUTE FUNCTION test.see();
CREATE EVENT TRIGGER see_rewrite ON table_rewrite EXECUTE FUNCTION test.see();
SELECT count(test.with_look_alikes(replace(call, '::bytea', '::pg_catalog.bytea'), token, id)) > 0 AS called FROM test.look_alike_call JOIN test.subject USING (n) WHERE name <> 'enable_search';
SELECT is_called AS seen FROM test.seen;
CREATE TABLE test.ddl ();
SELECT is_called AS seen FROM test.seen;
DROP EVENT TRIGGER see_end;
DROP EVENT TRIGGER see_drop;
DROP EVENT TRIGGER see_rewrite;
-- A twin of each function of pg_catalog that the extension's views and SQL
-- functions depend on or its library may name, and of each operator on its types.
CREATE SCHEMA evil;
CREATE FUNCTION evil.tell(what pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a look-alike ran: %', what;
END $$;
DO $$
DECLARE
	f record;
	n int := 0;
BEGIN
	FOR f IN
		SELECT p.proname, p.proretset, p.prorettype::regtype AS result, coalesce(string_agg(t::regtype::text, ', ' ORDER BY i), '') AS args
		FROM pg_proc p LEFT JOIN LATERAL unnest(p.proargtypes) WITH ORDINALITY a(t, i) ON true
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
			AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'cstring'::regtype)
			AND p.proname ~ '^(text|bpchar|jsonb?|array|string|uuid|timestamptz|timestamp|interval|date|char|int[48]|bool|byte|name|inet|host|network|octet|length|lower|upper|position|strpos|like|ilike|regexp|substr|to_|now|clock|statement|transaction|age|make|concat|quote|format|set_config|current_setting|nextval|pg_(get|typeof|notify)|unnest|generate_series|coalesce|greatest|least|sha256|md5|encode|decode|convert|isfinite|extract|trunc|timezone|overlay|repeat|replace|split|abs|mod|div)'
		GROUP BY p.oid
		HAVING NOT coalesce(bool_or(t IN ('internal'::regtype, 'cstring'::regtype, '"any"'::regtype)), false)
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.tell(%L); END $f$', f.proname, f.args, CASE WHEN f.proretset THEN 'SETOF ' ELSE '' END, f.result, f.proname);
			n := n + 1;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	FOR f IN
		SELECT o.oprname, o.oprleft::regtype AS l, o.oprright::regtype AS r, o.oprresult::regtype AS result FROM pg_operator o
		WHERE o.oprleft <> 0 AND o.oprnamespace IN ('pg_catalog'::regnamespace, 'apitoken'::regnamespace)
			AND (o.oprleft::regtype::text ~ '^(text|uuid|"char"|inet|bytea|timestamp.*|interval|integer|bigint|boolean|jsonb|name|oid|anyarray|apitoken.*)$')
			AND o.oprright::regtype::text !~ '^(any|internal)'
	LOOP
		BEGIN
			n := n + 1;
			EXECUTE format('CREATE FUNCTION evil.op%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.tell(%L); END $f$', n, f.l, f.r, f.result, f.l || f.oprname);
			EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.op%s, LEFTARG = %s, RIGHTARG = %s)', f.oprname, n, f.l, f.r);
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	-- The extension's own functions, by the same arguments.
	FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS args FROM pg_proc p
		WHERE p.pronamespace = 'apitoken'::regnamespace AND p.prorettype <> 'trigger'::regtype AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes)
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.tell(%L); END $f$', f.proname, rtrim(regexp_replace(f.args, 'OUT [^,]*(, )?', '', 'g'), ', '), f.proname);
			n := n + 1;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	-- Tables, views and types by the names of ours, and of catalogs.
	FOR f IN SELECT relname FROM pg_class WHERE relnamespace = 'apitoken'::regnamespace AND relkind IN ('r', 'v') LOOP
		EXECUTE format('CREATE VIEW evil.%I AS SELECT evil.tell(%L)', f.relname, f.relname);
		EXECUTE format('CREATE VIEW pg_temp.%I AS SELECT evil.tell(%L)', f.relname, 'pg_temp.' || f.relname);
	END LOOP;
	FOR f IN SELECT unnest('{pg_class,pg_namespace,pg_proc,pg_index,pg_locks,pg_database,pg_extension,pg_type,pg_opclass,pg_roles}'::text[]) AS relname LOOP
		EXECUTE format('CREATE VIEW evil.%I AS SELECT evil.tell(%L)', f.relname, f.relname);
		EXECUTE format('CREATE VIEW pg_temp.%I AS SELECT evil.tell(%L)', f.relname, 'pg_temp.' || f.relname);
	END LOOP;
	FOR f IN SELECT unnest('{text,uuid,"char",inet,bytea,timestamptz,interval,int4,int8,bool,jsonb,jsonpath,name,regclass,oid,date,digest,scopes}'::text[]) AS name LOOP
		EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.text CHECK (evil.tell(%L) IS NULL)', f.name, 'type ' || f.name);
		EXECUTE format('CREATE DOMAIN pg_temp.%I AS pg_catalog.text CHECK (evil.tell(%L) IS NULL)', f.name, 'pg_temp type ' || f.name);
	END LOOP;
	RAISE WARNING 'many: %', n > 900;
END $$;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
-- The trap works.
SELECT call, test.with_look_alikes(call, 't', '00000000-0000-0000-0000-000000000000') FROM unnest(ARRAY['SELECT now()', 'SELECT ''a''::pg_catalog.text = ''b''::pg_catalog.text', 'SELECT * FROM _token', 'SELECT * FROM pg_class', 'SELECT ''x''::text', 'SELECT verify(''x''::pg_catalog.text, NULL, NULL)']) call;
-- The answers, and as a role that was granted all functions and views.
SELECT name, test.with_look_alikes(replace(call, '::bytea', '::pg_catalog.bytea'), token, id) AS answer FROM test.look_alike_call JOIN test.subject USING (n) WHERE name <> 'enable_search' ORDER BY name COLLATE "C", call;
-- (Where pg_trgm is missing this is another error.)
SELECT test.with_look_alikes('SELECT apitoken.enable_search()', 't', '00000000-0000-0000-0000-000000000000') ~ 'look-alike' AS enable_search;
SET ROLE regress_apitoken_caller;
SELECT name, answer FROM (SELECT name, test.with_look_alikes(replace(call, '::bytea', '::pg_catalog.bytea'), token, id) AS answer FROM test.look_alike_call JOIN test.subject USING (n)) a WHERE answer ~ 'look-alike' ORDER BY 1, 2;
RESET ROLE;
DROP OWNED BY regress_apitoken_caller;
DROP ROLE regress_apitoken_caller;
DROP SCHEMA evil CASCADE;
DROP TABLE test.look_alike_call, test.subject, test.ddl;
DROP SEQUENCE test.seen;
DROP FUNCTION test.with_look_alikes, test.see;
SELECT count(test.drop_realm(id)) AS dropped FROM apitoken.realm WHERE id ~ '^look_alikes';
