-- allowed_scopes: what issue() and import() take, and what they refuse, with
-- the path of what is wrong.
\pset format unaligned
SET jit = off;
INSERT INTO apitoken.realm (id) VALUES ('allowed_scopes');
CREATE FUNCTION pg_temp.refusal(allowed_scopes jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT test.error(format('SELECT apitoken.issue(''allowed_scopes'', ''n'', allowed_scopes => %L)', allowed_scopes)) $$;
-- The document's sample, with a second service.
CREATE TEMP TABLE sample AS SELECT '{
	"generalScopes": ["string"],
	"organizationScopes": {
		"allPermissions": false,
		"allRoles": false,
		"keptInToken": ["ROLES"],
		"permissions": [{"permissionId": "string", "resources": ["string"]}],
		"roles": [{"name": "string", "resource": "string"}]
	},
	"servicesScopes": [{
		"allPermissions": false,
		"allRoles": false,
		"keptInToken": ["ROLES"],
		"permissions": [{"permissionId": "string", "resources": ["string"]}],
		"roles": [{"name": "string", "resource": "string"}],
		"serviceDefinitionId": "string"
	}, {"serviceDefinitionId": "another"}]
}'::jsonb AS sample;
SELECT pg_temp.refusal(sample), apitoken.details(i.token) -> 'allowedScopes' = sample AS comes_back FROM sample, apitoken.issue('allowed_scopes', 'n', allowed_scopes => sample) i;

-- Taken.
SELECT label, pg_temp.refusal(value), apitoken.details(i.token) -> 'allowedScopes' = value AS comes_back FROM (VALUES
	('nothing', '{}'::jsonb),
	('all empty', '{"generalScopes": [], "organizationScopes": {}, "servicesScopes": []}'),
	('both kept', '{"organizationScopes": {"keptInToken": ["ROLES", "PERMISSIONS"]}}'),
	('none kept', '{"organizationScopes": {"keptInToken": []}}'),
	('all permissions, no list', '{"organizationScopes": {"allPermissions": true}}'),
	('all permissions, empty list', '{"organizationScopes": {"allPermissions": true, "permissions": []}}'),
	('all permissions, some roles', '{"organizationScopes": {"allPermissions": true, "roles": [{"name": "r"}]}}'),
	('all roles, no list', '{"organizationScopes": {"allRoles": true}}'),
	('all roles, empty list', '{"organizationScopes": {"allRoles": true, "roles": []}}'),
	('all roles, some permissions', '{"organizationScopes": {"allRoles": true, "permissions": [{"permissionId": "p"}]}}'),
	('all of both', '{"servicesScopes": [{"serviceDefinitionId": "s", "allRoles": true, "allPermissions": true}]}'),
	('permission without resources', '{"organizationScopes": {"permissions": [{"permissionId": "p"}, {"permissionId": "q", "resources": []}]}}'),
	('role without a resource', '{"organizationScopes": {"roles": [{"name": "r"}]}}'),
	('the same service twice', '{"servicesScopes": [{"serviceDefinitionId": "s"}, {"serviceDefinitionId": "s"}]}'),
	('quotes, 4-byte characters', '{"generalScopes": ["''; --", "\"", "\\", "😀", "", "$1", "%"]}')) AS v(label, value), apitoken.issue('allowed_scopes', 'n' || label, allowed_scopes => value) i
 ORDER BY label COLLATE "C";
-- None at all is no member, neither null nor {}.
SELECT apitoken.details(token) ? 'allowedScopes' AS there FROM apitoken.issue('allowed_scopes', 'n', allowed_scopes => NULL);
-- Large ones, stored apart from the row, come back whole.
SELECT length(value::text) > 100000 AS large, apitoken.details(i.token) -> 'allowedScopes' = value AS comes_back
  FROM (SELECT jsonb_build_object('generalScopes', jsonb_agg(n::text || md5(n::text)), 'servicesScopes', jsonb_agg(jsonb_build_object('serviceDefinitionId', n::text))) AS value FROM generate_series(1, 5000) n) v,
	   apitoken.issue('allowed_scopes', 'large', allowed_scopes => value) i;

-- Refused: each rule of the document.
SELECT label, pg_temp.refusal(value) FROM (VALUES
	(1, 'all permissions and some, organization', '{"organizationScopes": {"allPermissions": true, "permissions": [{"permissionId": "p"}]}}'::jsonb),
	(2, 'all roles and some, organization', '{"organizationScopes": {"allRoles": true, "roles": [{"name": "r"}]}}'),
	(3, 'all permissions and some, second service', '{"servicesScopes": [{"serviceDefinitionId": "a"}, {"serviceDefinitionId": "b", "allPermissions": true, "permissions": [{"permissionId": "p"}]}]}'),
	(4, 'all roles and some, second service', '{"servicesScopes": [{"serviceDefinitionId": "a"}, {"serviceDefinitionId": "b", "allRoles": true, "roles": [{"name": "r"}]}]}'),
	(5, 'service without id', '{"servicesScopes": [{"serviceDefinitionId": "a"}, {"allRoles": true}]}'),
	(6, 'service id for the organization', '{"organizationScopes": {"serviceDefinitionId": "a"}}'),
	(7, 'kept: another word', '{"organizationScopes": {"keptInToken": ["ROLES", "SCOPES"]}}'),
	(8, 'kept: another case', '{"servicesScopes": [{"serviceDefinitionId": "a", "keptInToken": ["roles"]}]}'),
	(9, 'permission without id', '{"organizationScopes": {"permissions": [{"permissionId": "p"}, {"resources": ["x"]}]}}'),
	(10, 'role without name', '{"organizationScopes": {"roles": [{"resource": "x"}]}}'),
	(11, 'unknown, top', '{"general": ["x"]}'),
	(12, 'unknown, organization', '{"organizationScopes": {"all": true}}'),
	(13, 'unknown, permission', '{"organizationScopes": {"permissions": [{"permissionId": "p", "id": "p"}]}}'),
	(14, 'unknown, role', '{"servicesScopes": [{"serviceDefinitionId": "a", "roles": [{"name": "r", "resources": ["x"]}]}]}'),
	(15, 'unknown, service', '{"servicesScopes": [{"serviceDefinitionId": "a", "generalScopes": []}]}'),
	(16, 'another case', '{"GeneralScopes": []}'),
	(17, 'a key of nothing', '{"": 1}'),
	(18, 'a long key is cut between characters', jsonb_build_object(repeat('ü', 100), 1)),
	(19, 'a key with a dot and quotes', '{"generalScopes.\"x\"": 1}'),
	(20, 'a string', '"generalScopes"'),
	(21, 'a number', '1'),
	(22, 'null', 'null'),
	(23, 'an array', '[{}]')) AS v(n, label, value) ORDER BY n;
-- Any value in the sample replaced by one of another JSON type is refused with
-- the path of that value; so is a key that is added to any object.
CREATE TEMP TABLE place AS
	WITH RECURSIVE part(path, place, value) AS (
		SELECT '{}'::text[], 'allowed_scopes', sample FROM sample
		UNION ALL
		SELECT path || step, place || shown, inner_part.value FROM part p, LATERAL (
			SELECT key, '.' || key, value FROM jsonb_each(CASE WHEN jsonb_typeof(p.value) = 'object' THEN p.value ELSE '{}' END)
			UNION ALL
			SELECT (n - 1)::text, '[' || n - 1 || ']', value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(p.value) = 'array' THEN p.value ELSE '[]' END) WITH ORDINALITY a(value, n)) AS inner_part(step, shown, value))
	SELECT * FROM part WHERE path <> '{}';
SELECT count(DISTINCT path) AS places, count(*) AS attempts, count(*) FILTER (WHERE starts_with(refusal, '22023 / ' || place || ': value has the wrong JSON type / hint: It is ')) AS refused,
	   string_agg(place || ' := ' || wrong::text || ' gives ' || refusal, E'\n') FILTER (WHERE NOT starts_with(refusal, '22023 / ' || place || ': value has the wrong JSON type / hint: It is ')) AS others
  FROM sample, place, unnest('{"null",1,1.5,true,"\"text\"",[],[1],"{}","{\"a\": 1}"}'::jsonb[]) wrong, LATERAL (SELECT pg_temp.refusal(jsonb_set(sample, path, wrong)) AS refusal) r
 WHERE jsonb_typeof(wrong) <> jsonb_typeof(value);
SELECT count(*) AS objects, count(*) FILTER (WHERE starts_with(refusal, '22023 / ' || place || '.more: unknown key / hint: Allowed keys are ')) AS refused
  FROM sample, place, LATERAL (SELECT pg_temp.refusal(jsonb_set(sample, path || '{more}', '"x"')) AS refusal) r WHERE jsonb_typeof(value) = 'object';
-- Depth that no document has ends at the first level that is wrong.
SELECT pg_temp.refusal((repeat('[', 1000) || repeat(']', 1000))::jsonb),
	   pg_temp.refusal(('{"generalScopes": ' || repeat('[', 1000) || repeat(']', 1000) || '}')::jsonb),
	   pg_temp.refusal((repeat('{"generalScopes":', 1000) || '1' || repeat('}', 1000))::jsonb);
-- import() checks the same.
SELECT test.error($$SELECT apitoken.import('allowed_scopes', 'n', sha256 => sha256('x'), allowed_scopes => '{"organizationScopes": {"allRoles": true, "roles": [{"name": "r"}]}}')$$);
-- What was refused left nothing.
SELECT count(*) FROM apitoken._token WHERE realm = 'allowed_scopes' AND allowed_scopes ? 'general';
SELECT test.drop_realm('allowed_scopes');
