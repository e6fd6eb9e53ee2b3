/* apitoken.realm: what the administrator edits; src/realm.h */

CREATE TABLE apitoken.realm (
	id text COLLATE "C" PRIMARY KEY
		CONSTRAINT realm_id_check CHECK (char_length(id) BETWEEN 1 AND 255 AND id ~ '[^[:space:]]'),
	name text COLLATE "C"
		CONSTRAINT realm_name_check CHECK (char_length(name) BETWEEN 1 AND 255 AND name ~ '[^[:space:]]'),
	prefix text COLLATE "C" NOT NULL DEFAULT 'tok'
		CONSTRAINT realm_prefix_check CHECK (prefix ~ '^[A-Za-z0-9_]{1,16}$'),
	enabled boolean NOT NULL DEFAULT true,
	default_ttl interval
		CONSTRAINT realm_default_ttl_check CHECK (default_ttl > interval '0' AND isfinite(default_ttl)),
	max_ttl interval
		CONSTRAINT realm_max_ttl_check CHECK (max_ttl > interval '0' AND isfinite(max_ttl)),
	max_idle interval
		CONSTRAINT realm_max_idle_check CHECK (max_idle >= interval '1 hour' AND isfinite(max_idle)),
	max_active_per_principal integer
		CONSTRAINT realm_max_active_per_principal_check CHECK (max_active_per_principal > 0),
	known_scopes apitoken.scopes,
	access_token_ttl interval
		CONSTRAINT realm_access_token_ttl_check CHECK (access_token_ttl > interval '0' AND isfinite(access_token_ttl)),
	token_endpoint_url text
		CONSTRAINT realm_token_endpoint_url_check CHECK (token_endpoint_url ~ '^https?://[^[:space:]]+$' AND char_length(token_endpoint_url) <= 2048),
	oidc_issuer_url text
		CONSTRAINT realm_oidc_issuer_url_check CHECK (oidc_issuer_url ~ '^https?://[^[:space:]]+$' AND char_length(oidc_issuer_url) <= 2048),
	idp_id text
		CONSTRAINT realm_idp_id_check CHECK (char_length(idp_id) BETWEEN 1 AND 255 AND idp_id ~ '[^[:space:]]'),
	idp_domain text
		CONSTRAINT realm_idp_domain_check CHECK (char_length(idp_domain) BETWEEN 1 AND 255 AND idp_domain ~ '[^[:space:]]'),
	notify boolean NOT NULL DEFAULT false,
	revoke_on_reuse boolean NOT NULL DEFAULT false,
	metadata jsonb
		CONSTRAINT realm_metadata_check CHECK (jsonb_typeof(metadata) = 'object'),
	created_at timestamptz NOT NULL DEFAULT clock_timestamp()
		CONSTRAINT realm_created_at_check CHECK (isfinite(created_at)),
	CONSTRAINT realm_ttl_check CHECK (default_ttl <= max_ttl)
);
REVOKE ALL ON TABLE apitoken.realm FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.realm FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken.realm', '');

COMMENT ON TABLE apitoken.realm IS
	'tenants and their policy: an organisation, an account, an SSO realm; edited with plain SQL';
COMMENT ON INDEX apitoken.realm_pkey IS 'finds a realm by its id';
COMMENT ON COLUMN apitoken.realm.id IS 'identifier, 1 to 255 characters';
COMMENT ON COLUMN apitoken.realm.name IS 'display name, 1 to 255 characters';
COMMENT ON COLUMN apitoken.realm.prefix IS
	'first part of the tokens issued from now on, 1 to 16 of A-Z, a-z, 0-9 and _';
COMMENT ON COLUMN apitoken.realm.enabled IS
	'where false, no token of the realm is valid and none is issued';
COMMENT ON COLUMN apitoken.realm.default_ttl IS
	'life of a token for which no expiry is asked; null: it never expires';
COMMENT ON COLUMN apitoken.realm.max_ttl IS
	'longest life that can be asked for; null, or more than 2000 years: any';
COMMENT ON COLUMN apitoken.realm.max_idle IS
	'a token unused for longer is refused, an hour or more; null, or more than 2000 years: never';
COMMENT ON COLUMN apitoken.realm.max_active_per_principal IS
	'how many active and unexpired tokens a principal may have; null: any number';
COMMENT ON COLUMN apitoken.realm.known_scopes IS
	'the scopes that tokens may have; null: anything';
COMMENT ON COLUMN apitoken.realm.access_token_ttl IS
	'life of access tokens that others exchange a token for; copied to tokens that do not say';
COMMENT ON COLUMN apitoken.realm.token_endpoint_url IS
	'where tokens are exchanged for access tokens; shown, not used';
COMMENT ON COLUMN apitoken.realm.oidc_issuer_url IS
	'OpenID Connect issuer of the realm; shown, not used';
COMMENT ON COLUMN apitoken.realm.idp_id IS
	'identity provider of the realm''s users; shown where a token does not say';
COMMENT ON COLUMN apitoken.realm.idp_domain IS
	'domain of the identity provider; shown where a token does not say';
COMMENT ON COLUMN apitoken.realm.notify IS
	'whether each change of a token sends NOTIFY apitoken; serialises commits';
COMMENT ON COLUMN apitoken.realm.revoke_on_reuse IS
	'whether a token is revoked when a secret that was rotated away is used';
COMMENT ON COLUMN apitoken.realm.metadata IS 'JSON object for the application''s own use';
COMMENT ON COLUMN apitoken.realm.created_at IS 'when the row was made';
