SELECT jsonb_build_object(
	'pageInfo', '{"totalCount": null, "page": null, "pageSize": 10, "sortBy": "@field@", "sortOrder": "@direction@"}'::jsonb,
	'apiTokens', coalesce(jsonb_agg(entry), '[]') - 10,
	'links', jsonb_build_array(
		'{"rel": "self", "href": "?cursor=&pageSize=10&sortBy=@field@&sortOrder=@direction@"}'::jsonb,
		'{"rel": "first", "href": "?cursor=&pageSize=10&sortBy=@field@&sortOrder=@direction@"}'::jsonb,
		jsonb_build_object('rel', 'next', 'href', concat('?cursor=', (array_agg(place))[10], '&pageSize=10&sortBy=@field@&sortOrder=@direction@'))),
	'next_cursor', CASE WHEN count(*) > 10 THEN (array_agg(place))[10] END)
FROM (
	SELECT concat(@key@, ' ', t.id) AS place,
		jsonb_strip_nulls(jsonb_build_object(
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
	FROM (SELECT * FROM hand.realm WHERE id = :realm) AS r, @from@
	WHERE @realm@ = :realm
	ORDER BY @order@
	LIMIT 11) AS page
