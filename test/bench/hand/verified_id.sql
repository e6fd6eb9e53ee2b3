SELECT id
FROM hand.token
WHERE digest = sha256(@token@)
	AND status = 'a'
	AND (expires_at IS NULL OR expires_at > now())
