\set k :k + 1
\set n :client_id * :each + :k
WITH made AS MATERIALIZED (
	SELECT encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex') AS secret,
		clock_timestamp() AS now
)
UPDATE hand.token t
SET previous_digest = digest,
	previous_expires_at = least(now + interval '1 hour', expires_at),
	digest = sha256(convert_to(concat(prefix, '.', id, '.', secret), 'UTF8')),
	key_id = 0, last_chars = right(secret, 5), rotated_at = now,
	version = version + 1, updated_at = now, updated_by = current_user, updated_by_name = current_user
FROM made
WHERE id = (SELECT id FROM bench.chosen WHERE n = :n)
	AND status <> 'r'
	AND EXISTS (SELECT FROM hand.realm r WHERE r.id = t.realm)
RETURNING id, concat(prefix, '.', id, '.', secret) AS token, concat(prefix, '.', id) AS public_id, expires_at;
