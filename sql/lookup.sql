-- lookup(): the ApiToken object of "POST token lookup" (document 001).
\pset format unaligned
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
INSERT INTO apitoken.realm (id, prefix) VALUES ('lookup', 'dt0c01'), ('lookup/other', 'zz');
-- The document's sample: the token imported, its times set as they were there.
SELECT apitoken.import('lookup', 'myToken', test.sample(), scopes => '{string}', principal => 'john.smith',
	created_at => '2020-11-05T08:15:30.144Z') AS id \gset
UPDATE apitoken._token SET expires_at = '2020-11-12T08:15:30.144Z' WHERE id = :'id';
-- What the token of the same id did in other tests is written, and forgotten.
SELECT apitoken.flush_usage() >= 0 AS flushed;
UPDATE apitoken._usage SET (last_used_at, last_used_ip, use_count) =
	('2020-11-12T08:15:30.144Z', '34.197.2.44', 1) WHERE token_id = :'id';
SELECT jsonb_pretty(apitoken.lookup(test.sample()));
SELECT apitoken.lookup(test.sample()) = $${
"lastUsedDate": "2020-11-12T08:15:30.144Z",
"lastUsedIpAddress": "34.197.2.44",
"expirationDate": "2020-11-12T08:15:30.144Z",
"personalAccessToken": true,
"name": "myToken",
"id": "dt0c01.ST2EY72KQINMH574WMNVI7YN",
"owner": "john.smith",
"creationDate": "2020-11-05T08:15:30.144Z",
"enabled": true,
"scopes": [
"string"
]
}$$::jsonb AS as_the_document_prints_it;
-- Each member and its JSON type.
SELECT key, jsonb_typeof(value) AS type FROM jsonb_each(apitoken.lookup(test.sample())) ORDER BY key COLLATE "C";
-- What a token does not have is left out, but for the scopes.
SELECT id AS bare_id, token AS bare_token, public_id AS bare_public_id
	FROM apitoken.issue('lookup', 'bare', kind => 'client') \gset
SELECT apitoken.lookup(:'bare_token') - '{id,creationDate}'::text[] AS bare,
	apitoken.lookup(:'bare_token') ->> 'id' = :'bare_public_id' AS id,
	   (apitoken.lookup(:'bare_token') ->> 'creationDate')::timestamptz = date_trunc('milliseconds',
	   	created_at) AS creation_date,
	   apitoken.lookup(:'bare_token') ->> 'creationDate' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$' AS format
  FROM apitoken._token WHERE id = :'bare_id';
-- Used from nobody knows where.
UPDATE apitoken._usage SET (last_used_at, use_count) =
	('2024-02-29T23:59:59.999999Z', 3) WHERE token_id = :'bare_id';
SELECT apitoken.lookup(:'bare_token') - '{id,creationDate}'::text[] AS used;
-- Times are cut off at the millisecond, not rounded, in UTC, whatever the
-- session's zone is, in any year.
SET TimeZone = 'America/St_Johns';
CREATE FUNCTION pg_temp.shown(moment timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE apitoken._token SET expires_at = moment WHERE name = 'bare';
	RETURN apitoken.lookup(current_setting('test.token')) ->> 'expirationDate';
END $$;
SELECT set_config('test.token', :'bare_token', false) = :'bare_token' AS kept;
SELECT moment, pg_temp.shown(moment::timestamptz) FROM unnest('{2020-11-12T08:15:30.144999Z,2020-11-12T08:15:30Z,2020-12-31T23:59:59.9999Z,2020-03-08T02:30:00.0009+02:30,1969-12-31T23:59:59.9999Z,
	1999-12-31T23:59:59.001Z,1582-10-04T00:00:00Z,0001-01-01T00:00:00Z,9999-12-31T23:59:59.999999Z,20000-01-01T00:00:00Z}'::text[]) WITH ORDINALITY AS m(moment, n) ORDER BY n;
SET TimeZone = 'UTC';
-- Addresses as hosts, of both families, a mask being no part of them.
CREATE FUNCTION pg_temp.used_from(address inet) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE apitoken._usage SET last_used_ip = address;
	RETURN apitoken.lookup(current_setting('test.token')) ->> 'lastUsedIpAddress';
END $$;
SELECT address, pg_temp.used_from(address::inet)
	FROM unnest('{10.0.0.1,10.0.0.1/8,2001:DB8::1,::ffff:10.0.0.7,::}'::text[]) address;
-- Scopes in order, wildcards as they are written, text of any kind as JSON strings.
SELECT apitoken.lookup(token) -> 'scopes' AS scopes, apitoken.lookup(token) -> 'name' AS name,
	apitoken.lookup(token) -> 'owner' AS owner
  FROM apitoken.issue('lookup', E'"quoted"\\\n\tß', '{b:*,a,*,a/b}', principal => E'\u0001 \U0001F600');
SELECT jsonb_array_length(apitoken.lookup(token) -> 'scopes') AS scopes
  FROM apitoken.issue('lookup', 'many', (SELECT array_agg('scope.' || n) FROM generate_series(1, 2000) n));
-- A token's prefix is its own, whatever its realm's becomes; foreign ones have the realm's.
UPDATE apitoken.realm SET prefix = 'changed' WHERE id = 'lookup';
SELECT apitoken.lookup(:'bare_token') ->> 'id' = :'bare_public_id' AS kept_prefix;
SELECT apitoken.import('lookup/other', 'foreign', 'a_foreign_token') IS NOT NULL AS imported;
SELECT apitoken.lookup('a_foreign_token') ->> 'id' ~ '^zz\.[A-Z2-7]{24}$' AS foreign_id;

-- A suspended, revoked or expired token is answered, with its state; so is one
-- of a disabled realm, and one that is not valid yet.
UPDATE apitoken._token SET expires_at = NULL, not_before = '2999-01-01' WHERE id = :'bare_id';
SELECT apitoken.lookup(:'bare_token') ->> 'enabled' AS not_yet_valid;
UPDATE apitoken._token SET expires_at = '2001-01-01Z' WHERE id = :'bare_id';
SELECT apitoken.lookup(:'bare_token') ->> 'enabled' AS enabled,
	apitoken.lookup(:'bare_token') ->> 'expirationDate' AS expired;
SELECT status, apitoken.lookup(:'bare_token') ->> 'enabled' AS enabled FROM apitoken.suspend(:'bare_id');
SELECT status, apitoken.lookup(:'bare_token') ->> 'enabled' AS enabled FROM apitoken.activate(:'bare_id');
SELECT status, apitoken.lookup(:'bare_token') ->> 'enabled' AS enabled FROM apitoken.revoke(:'bare_id');
UPDATE apitoken.realm SET enabled = false WHERE id = 'lookup';
SELECT apitoken.lookup(test.sample()) ->> 'enabled' AS realm_disabled;
-- An unknown one is NULL, and so is what cannot be one; a previous secret shows
-- the token in its grace, and nothing after it.
SELECT label, apitoken.lookup(input) IS NULL AS nothing FROM (VALUES ('null', NULL), ('empty', ''),
	('malformed', 'a b c d e f'), ('unknown', 'nobody knows'), ('another secret', left(test.sample(), -1) || 'A'),
	('public id', 'dt0c01.ST2EY72KQINMH574WMNVI7YN'), ('id', :'bare_id'),
	('its hash', encode(sha256(test.sample()::bytea), 'hex')), ('a megabyte', repeat('x', 1000000))) AS v(label,
	input);
UPDATE apitoken._token SET previous_digest = apitoken.token_digest('previous_secret'),
	previous_expires_at = '2999-01-01Z' WHERE id = :'bare_id';
SELECT apitoken.lookup('previous_secret') = apitoken.lookup(:'bare_token') AS in_grace;
UPDATE apitoken._token SET previous_expires_at = '2001-01-01Z' WHERE id = :'bare_id';
SELECT apitoken.lookup('previous_secret') IS NULL AS superseded,
	apitoken.lookup(:'bare_token') IS NOT NULL AS current;
-- Looking up is no use, and writes nothing; nothing of the secret is in the answer.
BEGIN READ ONLY;
SELECT count(apitoken.lookup(:'bare_token')) FROM generate_series(1, 100);
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;
SELECT use_count FROM apitoken._usage WHERE token_id = :'bare_id';
SELECT bool_or(apitoken.lookup(:'bare_token')::text LIKE '%' || substr(:'bare_token', length(:'bare_public_id') + n,
	6) || '%') AS secret_in_it FROM generate_series(2, 60) n;
SELECT test.drop_realm('lookup'), test.drop_realm('lookup/other');
