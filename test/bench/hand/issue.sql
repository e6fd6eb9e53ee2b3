\set n random(1, 1000000000)
WITH made AS MATERIALIZED (
	SELECT hand.uuid7() AS id,
		encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex') AS secret,
		clock_timestamp() AS now
), new AS (
	INSERT INTO hand.token (id, digest, created_at, expires_at, status, kind,
		key_id, realm, prefix, scopes, name, description, principal,
		principal_id, client_id, environment_id, metadata, granted_ttl,
		last_chars, version, created_by, created_by_name, updated_at,
		updated_by, updated_by_name)
	SELECT id, sha256(convert_to(concat('tok.', id, '.', secret), 'UTF8')), now,
		now + interval '90 days', 'a', 'c', 0, 'issue', 'tok',
		'{api.deploy.write,api.status.read,metrics.build}', 'Deploy runner ' || :n,
		'made by a benchmark', 'user' || :n % 20000 || '@example.org', 'u-' || :n % 20000,
		'client-' || :n % 5000, 'env-7', '{"team": "build"}', '90 days',
		right(secret, 5), 1, current_user, current_user, now, current_user, current_user
	FROM made
), used AS (
	INSERT INTO hand.usage SELECT id, 'issue', NULL, NULL, 0 FROM made
)
SELECT id, concat('tok.', id, '.', secret) AS token, concat('tok.', id) AS public_id,
	now + interval '90 days' AS expires_at
FROM made;
