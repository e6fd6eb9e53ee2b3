/* apitoken._token: private, read through views; src/columns.h */

/*
 * What verification reads stands first and has a fixed width.  Digests are
 * unique by construction and by the import's locks, not by an index: a hash
 * index, which cannot be unique, is half the size of a btree and a third
 * faster to probe.
 */
CREATE TABLE apitoken._token (
	id uuid PRIMARY KEY,
	digest apitoken.digest NOT NULL,
	previous_digest apitoken.digest,
	created_at timestamptz NOT NULL,
	not_before timestamptz,
	expires_at timestamptz,
	previous_expires_at timestamptz,
	status "char" NOT NULL CONSTRAINT _token_status_check CHECK (status IN ('a', 's', 'r')),
	kind "char" NOT NULL CONSTRAINT _token_kind_check CHECK (kind IN ('u', 'c')),
	key_id integer NOT NULL,
	realm text COLLATE "C" NOT NULL,
	prefix text COLLATE "C" NOT NULL,
	scopes apitoken.scopes NOT NULL,
	allowed_addresses inet[],
	name text COLLATE "C" NOT NULL,
	description text,
	principal text COLLATE "C",
	principal_id text COLLATE "C",
	client_id text COLLATE "C",
	environment_id text COLLATE "C",
	idp_id text COLLATE "C",
	idp_domain text COLLATE "C",
	allowed_scopes jsonb,
	metadata jsonb,
	granted_ttl interval,
	access_token_ttl interval,
	last_chars text COLLATE "C",
	version bigint NOT NULL,
	created_by text,
	created_by_name text,
	updated_at timestamptz NOT NULL,
	updated_by text,
	updated_by_name text,
	status_changed_at timestamptz,
	status_changed_by text,
	status_reason text,
	rotated_at timestamptz,
	CONSTRAINT _token_previous_check
		CHECK ((previous_digest IS NULL) = (previous_expires_at IS NULL))
);
REVOKE ALL ON TABLE apitoken._token FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._token FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._token', '');

/* Statistics would keep copies of digests in pg_statistic. */
ALTER TABLE apitoken._token
	ALTER COLUMN digest SET STATISTICS 0,
	ALTER COLUMN previous_digest SET STATISTICS 0;

CREATE INDEX _token_digest_idx ON apitoken._token USING hash (digest);
CREATE INDEX _token_previous_digest_idx ON apitoken._token USING hash (previous_digest)
	WHERE previous_digest IS NOT NULL;
CREATE INDEX _token_realm_idx ON apitoken._token (realm, id);
CREATE INDEX _token_name_idx ON apitoken._token (realm, name, id);
CREATE INDEX _token_status_idx ON apitoken._token (realm, status, id);
CREATE INDEX _token_created_idx ON apitoken._token (realm, created_at, id);
CREATE INDEX _token_expires_idx ON apitoken._token (realm, expires_at, id);
CREATE INDEX _token_access_token_ttl_idx ON apitoken._token (realm, access_token_ttl, id);
CREATE INDEX _token_status_changed_idx ON apitoken._token (status, status_changed_at)
	WHERE status_changed_at IS NOT NULL;
CREATE INDEX _token_principal_idx ON apitoken._token (principal, realm, status, expires_at)
	WHERE principal IS NOT NULL;
CREATE INDEX _token_scopes_idx ON apitoken._token USING gin (scopes);

COMMENT ON TABLE apitoken._token IS
	'tokens, without their secrets; private: read view apitoken.tokens, change by functions';
COMMENT ON INDEX apitoken._token_pkey IS 'finds a token by its id';
COMMENT ON INDEX apitoken._token_digest_idx IS 'finds a token by its secret';
COMMENT ON INDEX apitoken._token_previous_digest_idx IS 'finds a token by the secret before';
COMMENT ON INDEX apitoken._token_realm_idx IS 'the tokens of a realm, by id';
COMMENT ON INDEX apitoken._token_name_idx IS 'the tokens of a realm, by name';
COMMENT ON INDEX apitoken._token_status_idx IS 'the tokens of a realm, by status';
COMMENT ON INDEX apitoken._token_created_idx IS 'the tokens of a realm, by creation';
COMMENT ON INDEX apitoken._token_expires_idx IS 'the tokens of a realm, by expiry';
COMMENT ON INDEX apitoken._token_access_token_ttl_idx IS 'the tokens of a realm, by life of access tokens';
COMMENT ON INDEX apitoken._token_status_changed_idx IS 'finds tokens that were revoked long ago';
COMMENT ON INDEX apitoken._token_principal_idx IS 'the tokens of a principal, those that live longest last';
COMMENT ON INDEX apitoken._token_scopes_idx IS 'the tokens that grant a scope';
COMMENT ON COLUMN apitoken._token.id IS 'UUIDv7; its 120 free bits are the public part of the token';
COMMENT ON COLUMN apitoken._token.digest IS 'BLAKE2b-256 of the SHA-256 of the token text';
COMMENT ON COLUMN apitoken._token.previous_digest IS 'the same of the secret before the last rotation';
COMMENT ON COLUMN apitoken._token.created_at IS 'when it was issued, or as given at import';
COMMENT ON COLUMN apitoken._token.not_before IS 'it is not valid before; null: at once';
COMMENT ON COLUMN apitoken._token.expires_at IS 'it is not valid from then on; null: never expires';
COMMENT ON COLUMN apitoken._token.previous_expires_at IS 'end of the grace of the previous secret';
COMMENT ON COLUMN apitoken._token.status IS 'a active, s suspended, r revoked; expired is computed';
COMMENT ON COLUMN apitoken._token.kind IS 'who it acts for: u a user, c an API client';
COMMENT ON COLUMN apitoken._token.key_id IS 'key that the digest was made with; 0: none';
COMMENT ON COLUMN apitoken._token.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken._token.prefix IS 'first part of the token text';
COMMENT ON COLUMN apitoken._token.scopes IS 'what it may be used for';
COMMENT ON COLUMN apitoken._token.allowed_addresses IS 'networks it may be used from; null or empty: any';
COMMENT ON COLUMN apitoken._token.name IS 'name, 1 to 255 characters';
COMMENT ON COLUMN apitoken._token.description IS 'description';
COMMENT ON COLUMN apitoken._token.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken._token.principal_id IS 'identifier of who it acts for';
COMMENT ON COLUMN apitoken._token.client_id IS 'identifier of the API client';
COMMENT ON COLUMN apitoken._token.environment_id IS 'environment that it is confined to; null: the whole account';
COMMENT ON COLUMN apitoken._token.idp_id IS 'identity provider of its user';
COMMENT ON COLUMN apitoken._token.idp_domain IS 'domain of the identity provider';
COMMENT ON COLUMN apitoken._token.allowed_scopes IS 'general, organization and service scopes as JSON';
COMMENT ON COLUMN apitoken._token.metadata IS 'JSON object for the application''s own use';
COMMENT ON COLUMN apitoken._token.granted_ttl IS 'life that it was last given; null: never expires';
COMMENT ON COLUMN apitoken._token.access_token_ttl IS 'life of access tokens that others exchange it for';
COMMENT ON COLUMN apitoken._token.last_chars IS 'last characters of the token text, five at the most';
COMMENT ON COLUMN apitoken._token.version IS 'counts modifications, from 1';
COMMENT ON COLUMN apitoken._token.created_by IS 'identifier of who issued it';
COMMENT ON COLUMN apitoken._token.created_by_name IS 'name of who issued it';
COMMENT ON COLUMN apitoken._token.updated_at IS 'last modification; a change of state is none';
COMMENT ON COLUMN apitoken._token.updated_by IS 'identifier of who modified it last';
COMMENT ON COLUMN apitoken._token.updated_by_name IS 'name of who modified it last';
COMMENT ON COLUMN apitoken._token.status_changed_at IS 'last change of state; null: none yet';
COMMENT ON COLUMN apitoken._token.status_changed_by IS 'identifier of who changed its state last';
COMMENT ON COLUMN apitoken._token.status_reason IS 'reason of the last change of state';
COMMENT ON COLUMN apitoken._token.rotated_at IS 'when it was given its secret; null: at creation';

/*
 * Guards on realm.  The first is what a foreign key would do, without its
 * lock on the realm's row at every token issued.  The second has all sessions
 * drop what they keep of realms; ALWAYS and FOR EACH ROW, because the apply
 * of logical replication fires only such triggers.
 */
CREATE FUNCTION apitoken._realm_guard() RETURNS trigger
	AS 'MODULE_PATHNAME', 'atk_sql_realm_guard'
	LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION apitoken._realm_guard() FROM PUBLIC;
COMMENT ON FUNCTION apitoken._realm_guard() IS
	'refuses to remove or rename a realm that has tokens';

CREATE FUNCTION apitoken._realm_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'atk_sql_realm_changed'
	LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION apitoken._realm_changed() FROM PUBLIC;
COMMENT ON FUNCTION apitoken._realm_changed() IS
	'has all sessions forget the policy of realms at commit';

CREATE TRIGGER realm_guard BEFORE DELETE OR UPDATE OF id ON apitoken.realm
	FOR EACH ROW EXECUTE FUNCTION apitoken._realm_guard();
CREATE TRIGGER realm_guard_truncate BEFORE TRUNCATE ON apitoken.realm
	FOR EACH STATEMENT EXECUTE FUNCTION apitoken._realm_guard();
CREATE TRIGGER realm_changed AFTER INSERT OR UPDATE OR DELETE ON apitoken.realm
	FOR EACH ROW EXECUTE FUNCTION apitoken._realm_changed();
CREATE TRIGGER realm_truncated AFTER TRUNCATE ON apitoken.realm
	FOR EACH STATEMENT EXECUTE FUNCTION apitoken._realm_changed();
ALTER TABLE apitoken.realm
	ENABLE ALWAYS TRIGGER realm_changed,
	ENABLE ALWAYS TRIGGER realm_truncated;
COMMENT ON TRIGGER realm_guard ON apitoken.realm IS 'a realm that has tokens stays';
COMMENT ON TRIGGER realm_guard_truncate ON apitoken.realm IS 'a realm that has tokens stays';
COMMENT ON TRIGGER realm_changed ON apitoken.realm IS 'sessions forget what they keep of realms';
COMMENT ON TRIGGER realm_truncated ON apitoken.realm IS 'sessions forget what they keep of realms';

/*
 * Changes of realms leave events.  Not ALWAYS: a change that replication
 * brings has its event already, which replication brings as well.
 */
CREATE FUNCTION apitoken._realm_event() RETURNS trigger
	AS 'MODULE_PATHNAME', 'atk_sql_realm_event'
	LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION apitoken._realm_event() FROM PUBLIC;
COMMENT ON FUNCTION apitoken._realm_event() IS 'writes an event for a change of a realm';

CREATE TRIGGER realm_event AFTER INSERT OR UPDATE OR DELETE ON apitoken.realm
	FOR EACH ROW EXECUTE FUNCTION apitoken._realm_event();
CREATE TRIGGER realm_event_truncate AFTER TRUNCATE ON apitoken.realm
	FOR EACH STATEMENT EXECUTE FUNCTION apitoken._realm_event();
COMMENT ON TRIGGER realm_event ON apitoken.realm IS 'changes of realms leave events';
COMMENT ON TRIGGER realm_event_truncate ON apitoken.realm IS 'changes of realms leave events';

CREATE FUNCTION apitoken.check_token(token text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_check_token'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.check_token(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.check_token(text) IS
	'whether a text has the form and the check sum of a token issued here; asks no table';

CREATE FUNCTION apitoken._public_id(prefix text, id uuid) RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_public_id'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._public_id(text, uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._public_id(text, uuid) IS 'public id of a token, for views';
