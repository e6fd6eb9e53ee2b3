SELECT jsonb_build_object(
	'status', 'success',
	'pagination', '{"item_count": null, "item_start": null, "item_end": null, "page_count": null, "page_index": null, "page_offset": null, "next_page_offset": null, "previous_page_offset": null, "page_size": 10}'::jsonb,
	'sorting', '{"field": "@field@", "direction": "@direction@"}'::jsonb,
	'summaries', coalesce(jsonb_agg(summary), '[]') - 10,
	'next_cursor', CASE WHEN count(*) > 10 THEN (array_agg(place))[10] END)
FROM (
	SELECT concat(@key@, ' ', t.id) AS place,
		jsonb_build_object(
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
	FROM @from@
	WHERE @realm@ = :realm
	ORDER BY @order@
	LIMIT 11) AS page
