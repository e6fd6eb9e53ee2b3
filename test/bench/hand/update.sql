UPDATE hand.tracked
SET last_used_at = now()
WHERE digest = sha256(@token@)
	AND status = 'a'
	AND (expires_at IS NULL OR expires_at > now())
RETURNING id
