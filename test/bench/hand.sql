-- The tables that somebody who knows PostgreSQL would write by hand: the
-- columns and indexes of apitoken._token and _usage, with built-in types.

CREATE SCHEMA hand;

CREATE TABLE hand.realm (
	id text COLLATE "C" PRIMARY KEY,
	enabled boolean NOT NULL,
	token_endpoint_url text,
	oidc_issuer_url text
);

CREATE TABLE hand.token (
	id uuid PRIMARY KEY,
	digest bytea NOT NULL,
	previous_digest bytea,
	created_at timestamptz NOT NULL,
	not_before timestamptz,
	expires_at timestamptz,
	previous_expires_at timestamptz,
	status "char" NOT NULL CHECK (status IN ('a', 's', 'r')),
	kind "char" NOT NULL CHECK (kind IN ('u', 'c')),
	key_id integer NOT NULL,
	realm text COLLATE "C" NOT NULL,
	prefix text COLLATE "C" NOT NULL,
	scopes text[] NOT NULL,
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
	CHECK ((previous_digest IS NULL) = (previous_expires_at IS NULL))
);

CREATE TABLE hand.usage (
	token_id uuid PRIMARY KEY,
	realm text COLLATE "C" NOT NULL,
	last_used_at timestamptz,
	last_used_ip inet,
	use_count bigint NOT NULL
) WITH (fillfactor = 80);

-- A history of hand.token: the columns and indexes of apitoken._event, filled
-- by a trigger, where a part of the benchmark makes one.  Digests stay out of
-- it.  With an argument the trigger also notifies.
CREATE TABLE hand.event (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL,
	realm text COLLATE "C",
	token_id uuid,
	event text COLLATE "C" NOT NULL,
	actor text NOT NULL,
	actor_name text NOT NULL,
	session_role text NOT NULL,
	client_addr inet,
	application_name text,
	reason text,
	old jsonb,
	new jsonb
);
CREATE INDEX ON hand.event (token_id, id);
CREATE INDEX ON hand.event (realm, id);

CREATE FUNCTION hand.audit() RETURNS trigger
	LANGUAGE plpgsql
AS $$
DECLARE
	done text := CASE
		WHEN TG_OP = 'INSERT' THEN 'issued'
		WHEN NEW.status <> OLD.status THEN 'revoked'
		WHEN NEW.digest <> OLD.digest THEN 'rotated'
		ELSE 'updated' END;
BEGIN
	INSERT INTO hand.event (at, realm, token_id, event, actor, actor_name,
		session_role, client_addr, application_name, reason, old, new)
	VALUES (clock_timestamp(), NEW.realm, NEW.id, done, session_user, session_user,
		session_user, inet_client_addr(), current_setting('application_name'), NEW.status_reason,
		to_jsonb(OLD) - '{digest,previous_digest}'::text[],
		to_jsonb(NEW) - '{digest,previous_digest}'::text[]);
	IF TG_NARGS > 0 THEN
		PERFORM pg_notify('apitoken', json_build_object('event', done, 'id', NEW.id)::text);
	END IF;
	RETURN NULL;
END
$$;

-- Short forms, which the planner puts in place.
CREATE FUNCTION hand.iso(timestamptz) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
CREATE FUNCTION hand.milliseconds(timestamptz) RETURNS bigint
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN floor(extract(epoch FROM $1) * 1000)::bigint;
CREATE FUNCTION hand.minutes(interval) RETURNS bigint
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN trunc(extract(epoch FROM $1) / 60)::bigint;

-- UUIDv7: milliseconds, then random bits.
CREATE FUNCTION hand.uuid7() RETURNS uuid
	LANGUAGE sql VOLATILE PARALLEL SAFE
	RETURN encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
			PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
			FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;
