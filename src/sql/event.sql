/*
 * apitoken._event and what belongs to it: the history of tokens and realms,
 * private, read through view apitoken.events; src/event.h, src/seal.h
 */

/* Made explicitly, for the library takes its values itself. */
CREATE SEQUENCE apitoken._event_id_seq AS bigint;
REVOKE ALL ON SEQUENCE apitoken._event_id_seq FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event_id_seq', '');
COMMENT ON SEQUENCE apitoken._event_id_seq IS 'ids of events';

CREATE TABLE apitoken._event (
	id bigint PRIMARY KEY,
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
REVOKE ALL ON TABLE apitoken._event FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._event FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event', '');
ALTER SEQUENCE apitoken._event_id_seq OWNED BY apitoken._event.id;

CREATE INDEX _event_token_idx ON apitoken._event (token_id, id);
CREATE INDEX _event_realm_idx ON apitoken._event (realm, id);

COMMENT ON TABLE apitoken._event IS
	'what happened to tokens and realms; private: read view apitoken.events';
COMMENT ON INDEX apitoken._event_pkey IS 'finds an event by its id';
COMMENT ON INDEX apitoken._event_token_idx IS 'the events of a token, in their order';
COMMENT ON INDEX apitoken._event_realm_idx IS 'the events of a realm, in their order';
COMMENT ON COLUMN apitoken._event.id IS 'number; in the order in which the events of one token happened';
COMMENT ON COLUMN apitoken._event.at IS 'when it happened';
COMMENT ON COLUMN apitoken._event.realm IS 'id of the realm';
COMMENT ON COLUMN apitoken._event.token_id IS 'id of the token; null: it is about a realm or the history itself';
COMMENT ON COLUMN apitoken._event.event IS 'what happened';
COMMENT ON COLUMN apitoken._event.session_role IS 'role that the session logged in with';
COMMENT ON COLUMN apitoken._event.client_addr IS 'address of the client; null: a Unix socket or the server itself';
COMMENT ON COLUMN apitoken._event.application_name IS 'what the client calls itself';
COMMENT ON COLUMN apitoken._event.reason IS 'reason that was given';
COMMENT ON COLUMN apitoken._event.old IS 'values before, of what changed';
COMMENT ON COLUMN apitoken._event.new IS 'values after, of what changed';

/*
 * Ids of events that no seal covers yet.  An event joins in its own
 * transaction and leaves in that of its seal, so nobody has to search the
 * history for events that committed late; one that is in neither was put
 * into the table behind our back.
 */
CREATE TABLE apitoken._event_unsealed (
	event_id bigint PRIMARY KEY
);
REVOKE ALL ON TABLE apitoken._event_unsealed FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._event_unsealed FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event_unsealed', '');
COMMENT ON TABLE apitoken._event_unsealed IS 'events that no seal covers yet; private';
COMMENT ON INDEX apitoken._event_unsealed_pkey IS 'finds an event that is not sealed';
COMMENT ON COLUMN apitoken._event_unsealed.event_id IS 'id of the event';

CREATE TABLE apitoken._event_seal (
	id bigint PRIMARY KEY,
	sealed_at timestamptz NOT NULL,
	last_event_at timestamptz NOT NULL,
	events bigint[] NOT NULL,
	event_digests bytea NOT NULL,
	key_id integer NOT NULL,
	digest apitoken.digest NOT NULL,
	purged boolean NOT NULL
);
REVOKE ALL ON TABLE apitoken._event_seal FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._event_seal FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event_seal', '');

/* Nobody searches by digests; pg_statistic needs no copies of them. */
ALTER TABLE apitoken._event_seal
	ALTER COLUMN event_digests SET STATISTICS 0,
	ALTER COLUMN digest SET STATISTICS 0;

COMMENT ON TABLE apitoken._event_seal IS
	'digests over events and the seal before: what is altered later shows in apitoken.check_events(); private';
COMMENT ON INDEX apitoken._event_seal_pkey IS 'finds a seal';
COMMENT ON COLUMN apitoken._event_seal.id IS 'number, without gaps';
COMMENT ON COLUMN apitoken._event_seal.sealed_at IS 'when it was made';
COMMENT ON COLUMN apitoken._event_seal.last_event_at IS 'the latest of its events';
COMMENT ON COLUMN apitoken._event_seal.events IS 'ids of its events, ascending';
COMMENT ON COLUMN apitoken._event_seal.event_digests IS 'BLAKE2b-256 of each, 32 bytes an event';
COMMENT ON COLUMN apitoken._event_seal.key_id IS 'key that the digest was made with; 0: none';
COMMENT ON COLUMN apitoken._event_seal.digest IS 'BLAKE2b-256 over the seal before and all of the above';
COMMENT ON COLUMN apitoken._event_seal.purged IS 'its events and all seals before it were purged: the chain begins here';
