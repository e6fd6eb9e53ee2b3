SELECT ordinality, outcome = 'valid' AS valid, outcome, id, realm, name, kind,
	principal, principal_id, client_id, environment_id, scopes, expires_at, metadata
FROM (
	SELECT p.ordinality,
		CASE WHEN t.id IS NULL THEN 'unknown'
			WHEN t.status = 'r' THEN 'revoked'
			WHEN t.status = 's' THEN 'suspended'
			WHEN r.enabled IS NOT TRUE THEN 'realm_disabled'
			WHEN t.not_before > now() THEN 'not_yet_valid'
			WHEN t.expires_at <= now() THEN 'expired'
			WHEN t.allowed_addresses IS NOT NULL THEN 'address_denied'
			ELSE 'valid' END AS outcome,
		t.id, t.realm, t.name,
		CASE t.kind WHEN 'u' THEN 'user' WHEN 'c' THEN 'client' END AS kind,
		t.principal, t.principal_id, t.client_id, t.environment_id, t.scopes,
		t.expires_at, t.metadata
	FROM unnest(:tokens::text[]) WITH ORDINALITY AS p (token, ordinality)
		LEFT JOIN hand.token t ON t.digest = sha256(convert_to(p.token, 'UTF8'))
		LEFT JOIN hand.realm r ON r.id = t.realm
	OFFSET 0) AS found
