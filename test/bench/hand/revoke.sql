\set k :k + 1
\set n :client_id * :each + :k
UPDATE hand.token
SET status = 'r', status_changed_at = clock_timestamp(), status_changed_by = current_user,
	status_reason = 'lost'
WHERE id = (SELECT id FROM bench.chosen WHERE n = :n)
	AND status <> 'r'
RETURNING id, realm, name, 'revoked' AS status, version, expires_at;
