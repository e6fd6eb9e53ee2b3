WITH found AS MATERIALIZED (
	SELECT id, created_at FROM hand.token t
	WHERE realm = :realm AND name COLLATE "default" ILIKE :pattern
)
SELECT jsonb_build_object(
	'pageInfo', jsonb_build_object(
		'totalCount', total_count,
		'page', page,
		'pageSize', 10,
		'sortBy', 'creationDate',
		'sortOrder', 'desc'),
	'apiTokens', entries,
	'links', jsonb_path_query_array(jsonb_build_array(
		jsonb_build_object('rel', 'self', 'href', concat('?page=', page, suffix)),
		jsonb_build_object('rel', 'first', 'href', concat('?page=0', suffix)),
		CASE WHEN page > 0 THEN jsonb_build_object('rel', 'prev', 'href', concat('?page=', least(page - 1, last_page), suffix)) END,
		CASE WHEN page < last_page THEN jsonb_build_object('rel', 'next', 'href', concat('?page=', page + 1, suffix)) END,
		jsonb_build_object('rel', 'last', 'href', concat('?page=', last_page, suffix))), '$[*] ? (@ != null)'))
FROM (SELECT 0::bigint AS page, '&pageSize=10&sortBy=creationDate&sortOrder=desc' AS suffix) AS asked,
	(SELECT count(*) AS total_count, greatest(count(*) - 1, 0) / 10 AS last_page
	FROM found) AS total,
	(SELECT coalesce(jsonb_agg(entry), '[]') AS entries
	FROM (
		SELECT jsonb_strip_nulls(jsonb_build_object(
				'id', t.id,
				'apiClientId', t.client_id,
				'tokenName', t.name,
				'tokenDescription', t.description,
				'apiTokenTtl', hand.minutes(t.granted_ttl),
				'accessTokenTtl', hand.minutes(t.access_token_ttl),
				'tokenType', CASE t.kind WHEN 'c' THEN 'API_CLIENT' ELSE 'USER' END,
				'tokenLastChars', t.last_chars,
				'principalName', t.principal,
				'creationDate', hand.milliseconds(t.created_at),
				'expirationDate', hand.milliseconds(t.expires_at),
				'lastUsedDate', hand.milliseconds(u.last_used_at),
				'tokenStatus', CASE WHEN t.status <> 'a' THEN 'UNKNOWN' WHEN t.expires_at <= now() THEN 'EXPIRED' ELSE 'ACTIVE' END,
				'tokenEndpointUrl', r.token_endpoint_url,
				'oidcIssuerUrl', r.oidc_issuer_url)) AS entry
		FROM (SELECT id FROM found ORDER BY created_at DESC, id DESC LIMIT 10) AS ids
			JOIN hand.token t USING (id)
			LEFT JOIN hand.usage u ON u.token_id = t.id
			LEFT JOIN hand.realm r ON r.id = t.realm
		ORDER BY t.created_at DESC, t.id DESC) AS page) AS pages
