SELECT jsonb_build_object(
	'status', 'success',
	'pagination', jsonb_build_object(
		'item_count', item_count,
		'item_start', CASE WHEN items > 0 THEN page_offset + 1 ELSE 0 END,
		'item_end', CASE WHEN items > 0 THEN page_offset + items ELSE 0 END,
		'page_count', (item_count + 9) / 10,
		'page_index', page_offset / 10 + 1,
		'page_offset', page_offset,
		'next_page_offset', CASE WHEN page_offset < item_count - 10 THEN page_offset + 10 END,
		'previous_page_offset', CASE WHEN page_offset > 0 THEN greatest(page_offset - 10, 0) END,
		'page_size', 10),
	'sorting', '{"field": "@field@", "direction": "@direction@"}'::jsonb,
	'summaries', summaries)
FROM (SELECT :offset::bigint AS page_offset) AS asked,
	(SELECT count(*) AS item_count FROM hand.token WHERE realm = :realm) AS total,
	(SELECT count(*) AS items, coalesce(jsonb_agg(summary), '[]') AS summaries
	FROM (
		SELECT jsonb_build_object(
				'account_id', t.realm,
				'created_by_admin_user_id', t.created_by,
				'environment_id', t.environment_id,
				'expires_at', hand.iso(t.expires_at),
				'id', t.id,
				'inserted_at', hand.iso(t.created_at),
				'last_used_at', hand.iso(u.last_used_at),
				'status', CASE t.status WHEN 'a' THEN 'active' WHEN 's' THEN 'suspended' ELSE 'revoked' END,
				'token_scope', CASE WHEN t.environment_id IS NULL THEN 'account' ELSE 'environment' END,
				'type', 'api_token',
				'updated_at', hand.iso(t.updated_at)) AS summary
		FROM (SELECT @id@ AS id FROM @source@ WHERE @realm@ = :realm
				ORDER BY @order@ LIMIT 10 OFFSET :offset::bigint) AS ids
			JOIN hand.token t USING (id)
			LEFT JOIN hand.usage u ON u.token_id = t.id
		ORDER BY @order@) AS page) AS pages
