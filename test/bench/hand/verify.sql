SELECT true AS valid, 'valid' AS outcome, id, realm, name,
	CASE kind WHEN 'u' THEN 'user' ELSE 'client' END AS kind, principal,
	principal_id, client_id, environment_id, scopes, expires_at, metadata
FROM hand.token
WHERE digest = sha256(@token@)
	AND status = 'a'
	AND (expires_at IS NULL OR expires_at > now())
