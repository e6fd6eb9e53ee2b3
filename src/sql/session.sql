/*
 * The transaction's current token: src/session.h, src/current.h.
 *
 * Functions that ask for it are STABLE: it changes only through authenticate(),
 * a call that is VOLATILE.  They are PARALLEL RESTRICTED, because it is in the
 * memory of the leader alone.
 */

CREATE FUNCTION apitoken.authenticate(
	token text,
	scope text DEFAULT NULL,
	address inet DEFAULT NULL)
	RETURNS uuid
	AS 'MODULE_PATHNAME', 'atk_sql_authenticate'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.authenticate(text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.authenticate(text, text, inet) IS
	'makes a token whose use is allowed the current one until the transaction ends, and returns its id; else an error';

CREATE FUNCTION apitoken.current_token() RETURNS uuid
	AS 'MODULE_PATHNAME', 'atk_sql_current_token'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken.current_token() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.current_token() IS
	'id of the transaction''s current token; null: there is none';

CREATE FUNCTION apitoken.current_realm() RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_current_realm'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken.current_realm() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.current_realm() IS
	'id of the current token''s realm; null: there is none';

CREATE FUNCTION apitoken.current_principal() RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_current_principal'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken.current_principal() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.current_principal() IS
	'name of who the current token acts for; null: there is none';

CREATE FUNCTION apitoken.has_scope(scope text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_has_scope'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken.has_scope(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.has_scope(text) IS
	'whether the current token grants all of these scopes; false without one';

/*
 * The reports ask whether there is a current token where one is required:
 * through these two functions, which so depend on more than their argument.
 */
ALTER FUNCTION apitoken._required_scopes(text) STABLE PARALLEL RESTRICTED;
ALTER FUNCTION apitoken._required_time(timestamptz) STABLE PARALLEL RESTRICTED;
ALTER FUNCTION apitoken.tokens_granting(text, text) PARALLEL RESTRICTED;
ALTER FUNCTION apitoken.tokens_at(timestamptz, text) PARALLEL RESTRICTED;

/* A token that is proven comes before what is claimed: src/actor.c. */
COMMENT ON COLUMN apitoken._event.actor IS 'identifier of who did it: the current token''s principal, else what the application claims, else the session''s role';
COMMENT ON COLUMN apitoken._event.actor_name IS 'name of who did it, likewise';
COMMENT ON COLUMN apitoken.events.actor IS 'identifier of who did it: the current token''s principal, else what the application claims, else the session''s role';
COMMENT ON COLUMN apitoken.events.actor_name IS 'name of who did it, likewise';
