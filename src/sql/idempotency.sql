/*
 * apitoken._idempotency: keys of apitoken.issue(), so that a repeated call
 * makes no second token; src/idempotency.h
 */

CREATE TABLE apitoken._idempotency (
	realm text COLLATE "C" NOT NULL,
	key text COLLATE "C" NOT NULL,
	token_id uuid NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (realm, key)
);
REVOKE ALL ON TABLE apitoken._idempotency FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._idempotency FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._idempotency', '');
CREATE INDEX _idempotency_created_idx ON apitoken._idempotency (created_at);
COMMENT ON TABLE apitoken._idempotency IS 'idempotency keys of a day; private';
COMMENT ON INDEX apitoken._idempotency_pkey IS 'finds a key of a realm';
COMMENT ON INDEX apitoken._idempotency_created_idx IS 'finds keys that have served';
COMMENT ON COLUMN apitoken._idempotency.realm IS 'id of the realm';
COMMENT ON COLUMN apitoken._idempotency.key IS 'key that the client gave';
COMMENT ON COLUMN apitoken._idempotency.token_id IS 'id of the token that was issued for it';
COMMENT ON COLUMN apitoken._idempotency.created_at IS 'when that was';
