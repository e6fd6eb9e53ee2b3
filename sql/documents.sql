-- The five published documents: their samples, turned into rows, come back as
-- they print them; and every answer has exactly the fields that they list, of
-- the types that they give.
\pset format unaligned
SET jit = off;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
-- What a JSON value consists of: the place of each value in it, and its path,
-- which is the place without the numbers of elements.
CREATE FUNCTION pg_temp.parts(document jsonb) RETURNS TABLE (place text, path text, value jsonb) LANGUAGE sql AS $$
	WITH RECURSIVE part(place, value) AS (
		SELECT '', document
		UNION ALL
		SELECT p.place || inner_part.step, inner_part.value
		  FROM part p, LATERAL (
			SELECT '.' || key, value FROM jsonb_each(CASE WHEN jsonb_typeof(p.value) = 'object' THEN p.value ELSE '{}' END)
			UNION ALL
			SELECT '[' || n - 1 || ']', value
			  FROM jsonb_array_elements(CASE WHEN jsonb_typeof(p.value) = 'array' THEN p.value ELSE '[]' END) WITH ORDINALITY a(value, n)) AS inner_part(step, value))
	SELECT ltrim(place, '.'), regexp_replace(ltrim(place, '.'), '\[[0-9]+\]', '[]', 'g'), value FROM part WHERE place <> '' $$;
CREATE FUNCTION pg_temp.leaves(document jsonb) RETURNS TABLE (place text, value jsonb) LANGUAGE sql AS $$
	SELECT place, value FROM pg_temp.parts(document) WHERE jsonb_typeof(value) NOT IN ('object', 'array') OR value IN ('{}', '[]') $$;
-- Leaf by leaf: how many are the same, then those that are not.
CREATE FUNCTION pg_temp.compare(sample jsonb, ours jsonb) RETURNS TABLE (place text, sample_says text, ours_says text) LANGUAGE sql AS $$
	WITH pair AS (SELECT coalesce(s.place, o.place) AS place, s.value AS sample, o.value AS ours FROM pg_temp.leaves(sample) s FULL JOIN pg_temp.leaves(ours) o ON s.place = o.place)
	(SELECT 'the same: ' || count(*), NULL::text, NULL::text FROM pair p WHERE p.sample = p.ours)
	UNION ALL
	(SELECT p.place, coalesce(p.sample::text, '(absent)'), coalesce(p.ours::text, '(absent)') FROM pair p WHERE p.sample IS DISTINCT FROM p.ours ORDER BY p.place COLLATE "C") $$;

-- 000 Get API Token Details.  Ours: id, the expiry (the sample's is over, and
-- an expired token is hidden), the token text ("string" is too short for one).
CREATE TEMP TABLE sample_000 AS SELECT $$
{
	"acct": "string",
	"allowedScopes": {
		"generalScopes": [
			"string"
		],
		"organizationScopes": {
			"allPermissions": false,
			"allRoles": false,
			"keptInToken": [
				"ROLES"
			],
			"permissions": [
				{
					"permissionId": "string",
					"resources": [
						"string"
					]
				}
			],
			"roles": [
				{
					"name": "string",
					"resource": "string"
				}
			]
		},
		"servicesScopes": [
			{
				"allPermissions": false,
				"allRoles": false,
				"keptInToken": [
					"ROLES"
				],
				"permissions": [
					{
						"permissionId": "string",
						"resources": [
							"string"
						]
					}
				],
				"roles": [
					{
						"name": "string",
						"resource": "string"
					}
				],
				"serviceDefinitionId": "string"
			}
		]
	},
	"createdAt": 0,
	"deactivated": false,
	"deactivatedUpdatedBy": "string",
	"deactivatedUpdatedOn": 0,
	"domain": "string",
	"expiresAt": 0,
	"idpId": "string",
	"lastUsedAt": 0,
	"orgId": "string",
	"scope": [
		"string"
	],
	"token": "string",
	"tokenId": "string",
	"tokenName": "string",
	"userId": "string",
	"username": "string"
}
$$::jsonb AS sample;
INSERT INTO apitoken.realm (id) VALUES ('string');
SELECT apitoken.import('string', 'string', 'string.AAAAAAAAAAAAAAAAAAAAAAAA.' || repeat('A', 64), scopes => '{string}', expires_at => '2999-01-01Z', created_at => 'epoch',
	principal => 'string', principal_id => 'string', allowed_scopes => sample -> 'allowedScopes', idp_id => 'string', idp_domain => 'string') AS id FROM sample_000 \gset
SET apitoken.actor = 'string';
SELECT apitoken.suspend(:'id') IS NOT NULL AS suspended, apitoken.activate(:'id') IS NOT NULL AS active_again;
RESET apitoken.actor;
UPDATE apitoken._token SET status_changed_at = 'epoch' WHERE id = :'id';
UPDATE apitoken._usage SET last_used_at = 'epoch', use_count = 1 WHERE token_id = :'id';
SELECT c.* FROM sample_000, pg_temp.compare(sample, apitoken.details('string.AAAAAAAAAAAAAAAAAAAAAAAA.' || repeat('A', 64), true)) c;

-- 001 POST token lookup: nothing differs, its id and dates included.
CREATE TEMP TABLE sample_001 AS SELECT $$
{
"lastUsedDate": "2020-11-12T08:15:30.144Z",
"lastUsedIpAddress": "34.197.2.44",
"expirationDate": "2020-11-12T08:15:30.144Z",
"personalAccessToken": true,
"name": "myToken",
"id": "dt0c01.ST2EY72KQINMH574WMNVI7YN",
"owner": "john.smith",
"creationDate": "2020-11-05T08:15:30.144Z",
"enabled": true,
"scopes": [
"string"
]
}
$$::jsonb AS sample;
SELECT apitoken.import('string', 'myToken', test.sample(), scopes => '{string}', principal => 'john.smith', created_at => '2020-11-05 08:15:30.144Z') AS id \gset
UPDATE apitoken._token SET expires_at = '2020-11-12 08:15:30.144Z', granted_ttl = '7 days' WHERE id = :'id';
UPDATE apitoken._usage SET last_used_at = '2020-11-12 08:15:30.144Z', last_used_ip = '34.197.2.44', use_count = 1 WHERE token_id = :'id';
SELECT c.* FROM sample_001, pg_temp.compare(sample, apitoken.lookup(test.sample())) c;
-- The request's body, too, is what we take.
SELECT apitoken.lookup('{"token": "dt0c01.ST2EY72KQINMH574WMNVI7YN.G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM"}'::jsonb ->> 'token') -> 'id' AS id;
SELECT test.drop_realm('string');

-- 002 List API tokens: the examples of its fields put together.  Ours: the id;
-- next_page_offset, which contradicts the sample's own numbers; token_scope,
-- which is environment where an environment is named.
CREATE TEMP TABLE sample_002 AS SELECT $$
{
"pagination":
{
"item_count": 200,
"item_end": 100,
"item_start": 91,
"next_page_offset": 110,
"page_count": 20,
"page_index": 10,
"page_offset": 90,
"page_size": 10,
"previous_page_offset": 80
},
"sorting": {"direction": "asc", "field": "id"},
"status": "success"
}
$$::jsonb || jsonb_build_object('summaries', $$
[{
"account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
"created_by_admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
"environment_id": "013xrzp12g3nqk8nzxvq7jm2arsfg5h1",
"expires_at": "2024-01-01T00:00:00Z",
"id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
"inserted_at": "2024-01-01T00:00:00Z",
"last_used_at": "2024-01-01T00:00:00Z",
"status": "active",
"token_scope": "account",
"type": "api_token",
"updated_at": "2024-01-01T00:00:00Z"
}]
$$::jsonb) AS sample;
INSERT INTO apitoken.realm (id) VALUES ('013xrzp12g3nqk8ngskn1wtxgka5b0nf');
SET apitoken.actor = '013xrzp12g3nqk8nh0qrc2b1jfanmvb9';
SELECT count(apitoken.import('013xrzp12g3nqk8ngskn1wtxgka5b0nf', n::text, sha256 => sha256('documents ' || n::text::bytea), public_id => 'tok.' || lpad(translate(n::text, '0123456789', 'ABCDEFGHIJ'), 24, 'A'),
	created_at => '2024-01-01 00:00Z', environment_id => '013xrzp12g3nqk8nzxvq7jm2arsfg5h1')) FROM generate_series(0, 199) n;
RESET apitoken.actor;
UPDATE apitoken._token SET expires_at = '2024-01-01Z', granted_ttl = '1 day' WHERE realm = '013xrzp12g3nqk8ngskn1wtxgka5b0nf';
UPDATE apitoken._usage SET last_used_at = '2024-01-01Z', use_count = 1 WHERE realm = '013xrzp12g3nqk8ngskn1wtxgka5b0nf';
SELECT c.* FROM sample_002, LATERAL (SELECT apitoken.list('013xrzp12g3nqk8ngskn1wtxgka5b0nf', page_offset => 90) AS page) p, pg_temp.compare(sample, jsonb_set(page, '{summaries}', jsonb_build_array(page #> '{summaries,0}'))) c;
SELECT test.drop_realm('013xrzp12g3nqk8ngskn1wtxgka5b0nf');

-- 003 Read API Token.  Ours: ids are strings; the partial token begins with
-- the public id; "<string>" is no address.
CREATE TEMP TABLE sample_003 AS SELECT $$
{
  "version": 123,
  "name": "<string>",
  "expiry": "2023-11-07T05:31:56Z",
  "permissions": [
    "api.organizations.read"
  ],
  "id": {},
  "creationDate": "2023-11-07T05:31:56Z",
  "lastModifiedDate": "2023-11-07T05:31:56Z",
  "createdUserInfo": {
    "userId": {},
    "userName": "<string>"
  },
  "lastModifiedUserInfo": {
    "userId": {},
    "userName": "<string>"
  },
  "userId": {},
  "partialToken": "<string>",
  "allowedAddresses": [
    "<string>"
  ]
}
$$::jsonb AS sample;
INSERT INTO apitoken.realm (id) VALUES ('documents');
SET apitoken.actor = 'a user';
SET apitoken.actor_name = '<string>';
SELECT apitoken.import('documents', '<string>', sha256 => sha256('003'), public_id => 'tok.AAAAAAAAAAAAAAAAAAAAAAAD', last_chars => 'VWXYZ', scopes => '{api.organizations.read}', created_at => '2023-11-07 05:31:56Z',
	principal_id => 'another user', allowed_addresses => '{10.0.0.0/8}') AS id \gset
RESET apitoken.actor;
RESET apitoken.actor_name;
UPDATE apitoken._token SET expires_at = '2023-11-07 05:31:56Z', granted_ttl = '1 second', version = 123 WHERE id = :'id';
SELECT c.* FROM sample_003, pg_temp.compare(sample, apitoken.read(:'id')) c;
-- Its permissions are scopes, each of them and all together.
CREATE TEMP TABLE permission AS SELECT unnest('{
api.organizations.read,
api.organizations.write,
api.organizations.delete,
api.engagements.read,
api.engagements.write,
api.engagements.delete,
api.analyses.read,
api.analyses.write,
api.analyses.delete,
api.analyses.run,
api.analysis-sources.read,
api.analysis-sources.write,
api.analysis-sources.delete,
api.file-manager.read,
api.file-manager.write,
api.file-manager.delete,
api.libraries.read,
api.libraries.write,
api.libraries.delete,
api.account-groupings.read,
api.account-groupings.write,
api.account-groupings.delete,
api.engagement-account-groupings.read,
api.engagement-account-groupings.write,
api.engagement-account-groupings.delete,
api.users.read,
api.users.write,
api.users.delete,
api.data-tables.read,
api.api-tokens.read,
api.api-tokens.write,
api.api-tokens.delete,
api.tasks.read,
api.tasks.write,
api.tasks.delete,
api.admin-reports.run,
api.analysis-types.read,
api.analysis-source-types.read,
api.analysis-type-configuration.read,
api.analysis-type-configuration.write,
api.analysis-type-configuration.delete,
api.risk-ranges.read,
api.risk-ranges.write,
api.risk-ranges.delete,
api.filters.read,
api.filters.write,
api.filters.delete,
api.file-infos.read,
api.webhooks.read,
api.webhooks.write,
api.webhooks.delete,
scim.user.read,
scim.user.write,
scim.user.delete,
scim.user.schema}'::text[]) AS name;
SELECT id FROM apitoken.issue('documents', 'all permissions', (SELECT array_agg(name ORDER BY name DESC) FROM permission)) \gset
SELECT count(*), (apitoken.read(:'id') -> 'permissions') = jsonb_agg(name ORDER BY name COLLATE "C") AS all_of_them FROM permission;
SELECT test.drop_realm('documents');

-- 004 Query API Tokens.  The sample's request finds the sample's answer.  Ours:
-- the ids; the first token's expiry, so that it is active today, and the
-- second one's status, because the sample's date is over; what pageInfo leaves
-- out, and links.
CREATE TEMP TABLE request_004 AS SELECT
'{\n \"searchTerms\" : {\n \"allOf\" : [ {\n \"field\" : \"CLIENT_ID\",\n \"terms\" : [ \"client\" ],\n \"operator\" : \"LIKE\"\n }, {\n \"field\" : \"TOKEN_NAME\",\n \"terms\" : [ \"Automation\" ],\n \"operator\" : \"LIKE\"\n } ],\n \"anyOf\" : [ ]\n },\n \"filters\" : {\n \"tokenType\" : [ \"API_CLIENT\", \"USER\" ],\n \"tokenStatus\" : [ \"ACTIVE\", \"EXPIRED\" ]\n }\n}'
AS body;
CREATE TEMP TABLE sample_004 AS SELECT
'{\n \"pageInfo\" : {\n \"totalCount\" : 2,\n \"page\" : 0,\n \"pageSize\" : 10\n },\n \"apiTokens\" : [ {\n \"id\" : \"167ab548-2b73-4eee-aeac-80752133b0c3\",\n \"apiClientId\" : \"api-client-id\",\n \"tokenName\" : \"Automation API Token\",\n \"tokenDescription\" : \"Used for generic automation purposes\",\n \"apiTokenTtl\" : 259200,\n \"accessTokenTtl\" : 480,\n \"tokenType\" : \"API_CLIENT\",\n \"tokenLastChars\" : \"VWXYZ\",\n \"principalName\" : \"api-client-id\",\n \"creationDate\" : 1748026688158,\n \"expirationDate\" : 1750526688158,\n \"lastUsedDate\" : 1748026688158,\n \"tokenStatus\" : \"ACTIVE\",\n \"tokenEndpointUrl\" : \"https://host.com/acs/t/CUSTOMER/token\",\n \"oidcIssuerUrl\" : \"https://host.com/acs/t/CUSTOMER\"\n }, {\n \"id\" : \"167ab548-2b73-4eee-aeac-80752133b0c3\",\n \"apiClientId\" : \"api-client-id\",\n \"tokenName\" : \"Automation API Token\",\n \"tokenDescription\" : \"Used for generic automation purposes\",\n \"apiTokenTtl\" : 259200,\n \"accessTokenTtl\" : 480,\n \"tokenType\" : \"API_CLIENT\",\n \"tokenLastChars\" : \"VWXYZ\",\n \"principalName\" : \"api-client-id\",\n \"creationDate\" : 1748026688158,\n \"expirationDate\" : 1750526688158,\n \"lastUsedDate\" : 1748026688158,\n \"tokenStatus\" : \"ACTIVE\",\n \"tokenEndpointUrl\" : \"https://host.com/acs/t/CUSTOMER/token\",\n \"oidcIssuerUrl\" : \"https://host.com/acs/t/CUSTOMER\"\n } ]\n}'
AS sample;
INSERT INTO apitoken.realm (id, access_token_ttl, token_endpoint_url, oidc_issuer_url) VALUES ('documents', '8 hours', 'https://host.com/acs/t/CUSTOMER/token', 'https://host.com/acs/t/CUSTOMER');
SELECT count(apitoken.import('documents', 'Automation API Token', sha256 => sha256(part::bytea), public_id => 'tok.AAAAAAAAAAAAAAAAAAAAAAA' || part, last_chars => 'VWXYZ', expires_in => '180 days', created_at => to_timestamp(1748026688.158),
	kind => 'client', principal => 'api-client-id', client_id => 'api-client-id', description => 'Used for generic automation purposes')) FROM unnest('{B,A}'::text[]) part;
UPDATE apitoken._token SET expires_at = CASE right(id::text, 1) WHEN '1' THEN '2999-01-01Z' ELSE to_timestamp(1750526688.158) END WHERE realm = 'documents';
UPDATE apitoken._usage SET last_used_at = to_timestamp(1748026688.158), use_count = 1 WHERE realm = 'documents';
-- The document prints its JSON inside a string.
SELECT c.* FROM request_004, sample_004, LATERAL (SELECT (('"' || sample || '"')::jsonb #>> '{}')::jsonb AS sample, (('"' || body || '"')::jsonb #>> '{}')::jsonb AS body) j, pg_temp.compare(j.sample, apitoken.query('documents', body => j.body)) c;
-- The call's example has an empty body.
SELECT apitoken.query('documents', body => '{}') = apitoken.query('documents') AS empty_body_is_none, jsonb_array_length(apitoken.query('documents', body => '{}') -> 'apiTokens') AS tokens;
SELECT test.drop_realm('documents');

-- The fields, as the documents list them.  A path with [] is an element of an
-- array.  What may be absent is "optional" (no member) or "nullable" (a member
-- that is null); the format is a regular expression for strings.  Where a
-- document gives allowed values, the format has these and no other.
CREATE TEMP TABLE field (document text, path text, type text, presence text, format text);
COPY field FROM stdin (DELIMITER ' ', NULL '-');
000 acct string optional -
000 allowedScopes object optional -
000 allowedScopes.generalScopes array optional -
000 allowedScopes.generalScopes[] string optional -
000 allowedScopes.organizationScopes object optional -
000 allowedScopes.organizationScopes.allPermissions boolean optional -
000 allowedScopes.organizationScopes.allRoles boolean optional -
000 allowedScopes.organizationScopes.keptInToken array optional -
000 allowedScopes.organizationScopes.keptInToken[] string optional ROLES|PERMISSIONS
000 allowedScopes.organizationScopes.permissions array optional -
000 allowedScopes.organizationScopes.permissions[] object optional -
000 allowedScopes.organizationScopes.permissions[].permissionId string optional -
000 allowedScopes.organizationScopes.permissions[].resources array optional -
000 allowedScopes.organizationScopes.permissions[].resources[] string optional -
000 allowedScopes.organizationScopes.roles array optional -
000 allowedScopes.organizationScopes.roles[] object optional -
000 allowedScopes.organizationScopes.roles[].name string optional -
000 allowedScopes.organizationScopes.roles[].resource string optional -
000 allowedScopes.servicesScopes array optional -
000 allowedScopes.servicesScopes[] object optional -
000 allowedScopes.servicesScopes[].allPermissions boolean optional -
000 allowedScopes.servicesScopes[].allRoles boolean optional -
000 allowedScopes.servicesScopes[].keptInToken array optional -
000 allowedScopes.servicesScopes[].keptInToken[] string optional ROLES|PERMISSIONS
000 allowedScopes.servicesScopes[].permissions array optional -
000 allowedScopes.servicesScopes[].permissions[] object optional -
000 allowedScopes.servicesScopes[].permissions[].permissionId string optional -
000 allowedScopes.servicesScopes[].permissions[].resources array optional -
000 allowedScopes.servicesScopes[].permissions[].resources[] string optional -
000 allowedScopes.servicesScopes[].roles array optional -
000 allowedScopes.servicesScopes[].roles[] object optional -
000 allowedScopes.servicesScopes[].roles[].name string optional -
000 allowedScopes.servicesScopes[].roles[].resource string optional -
000 allowedScopes.servicesScopes[].serviceDefinitionId string optional -
000 createdAt integer optional -
000 deactivated boolean optional -
000 deactivatedUpdatedBy string optional -
000 deactivatedUpdatedOn integer optional -
000 domain string optional -
000 expiresAt integer optional -
000 idpId string optional -
000 lastUsedAt integer optional -
000 orgId string optional -
000 scope array optional -
000 scope[] string optional -
000 token string optional -
000 tokenId string optional -
000 tokenName string optional -
000 userId string optional -
000 username string optional -
001 lastUsedDate string optional DATE.MILLISECONDS
001 lastUsedIpAddress string optional -
001 expirationDate string optional DATE.MILLISECONDS
001 personalAccessToken boolean always -
001 name string always -
001 id string always [A-Za-z0-9_]{1,16}\\.[A-Z2-7]{24}
001 owner string optional -
001 creationDate string always DATE.MILLISECONDS
001 enabled boolean always -
001 scopes array always -
001 scopes[] string optional -
002 pagination object always -
002 pagination.item_count integer always -
002 pagination.item_end integer always -
002 pagination.item_start integer always -
002 pagination.next_page_offset integer nullable -
002 pagination.page_count integer always -
002 pagination.page_index integer always -
002 pagination.page_offset integer always -
002 pagination.page_size integer always -
002 pagination.previous_page_offset integer nullable -
002 sorting object always -
002 sorting.direction string always asc|desc
002 sorting.field string always id|last_seen|status|title|timestamp|started_at|finished_at|email|name|external_identifier
002 status string always success
002 summaries array always -
002 summaries[] object always -
002 summaries[].account_id string always -
002 summaries[].created_by_admin_user_id string nullable -
002 summaries[].environment_id string nullable -
002 summaries[].expires_at string nullable DATE
002 summaries[].id string always -
002 summaries[].inserted_at string always DATE
002 summaries[].last_used_at string nullable DATE
002 summaries[].status string always active|suspended|revoked
002 summaries[].token_scope string always account|environment
002 summaries[].type string always api_token
002 summaries[].updated_at string always DATE
003 version integer always -
003 name string always \\s*\\S+.*
003 expiry string nullable DATE
003 permissions array always -
003 permissions[] string optional -
003 id string always -
003 creationDate string always DATE
003 lastModifiedDate string always DATE
003 createdUserInfo object always -
003 createdUserInfo.userId string nullable -
003 createdUserInfo.userName string nullable -
003 lastModifiedUserInfo object always -
003 lastModifiedUserInfo.userId string nullable -
003 lastModifiedUserInfo.userName string nullable -
003 userId string nullable -
003 partialToken string always -
003 allowedAddresses array always -
003 allowedAddresses[] string optional -
004 pageInfo object always -
004 pageInfo.totalCount integer always -
004 pageInfo.page integer always -
004 pageInfo.pageSize integer always -
004 pageInfo.sortBy string always expirationDate|creationDate|lastUsedDate|accessTokenTtl|tokenName
004 pageInfo.sortOrder string always asc|desc
004 apiTokens array always -
004 apiTokens[] object always -
004 apiTokens[].id string always -
004 apiTokens[].apiClientId string optional -
004 apiTokens[].tokenName string always -
004 apiTokens[].tokenDescription string optional -
004 apiTokens[].apiTokenTtl integer optional -
004 apiTokens[].accessTokenTtl integer optional -
004 apiTokens[].tokenType string always API_CLIENT|USER
004 apiTokens[].tokenLastChars string optional .{5}
004 apiTokens[].principalName string optional -
004 apiTokens[].creationDate integer always -
004 apiTokens[].expirationDate integer optional -
004 apiTokens[].lastUsedDate integer optional -
004 apiTokens[].tokenStatus string always ACTIVE|EXPIRED|UNKNOWN
004 apiTokens[].tokenEndpointUrl string optional -
004 apiTokens[].oidcIssuerUrl string optional -
004 links array always -
004 links[] object always -
004 links[].rel string always self|first|prev|next|last
004 links[].href string always \\?.*
\.
UPDATE field SET format = replace(replace(format, '.MILLISECONDS', '\.[0-9]{3}Z'), 'DATE', '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}' || CASE WHEN format = 'DATE' THEN 'Z' ELSE '' END);
SELECT document, count(*) AS fields FROM field GROUP BY document ORDER BY document;
-- What is wrong with an answer.  One that is full has all fields and no null.
CREATE FUNCTION pg_temp.faults(document text, answer jsonb, is_full boolean) RETURNS TABLE (place text, fault text) LANGUAGE sql AS $$
	WITH part AS (SELECT *, CASE WHEN value::text ~ '^-?[0-9]+$' THEN 'integer' ELSE jsonb_typeof(value) END AS type FROM pg_temp.parts(answer)),
		 listed AS (SELECT *, regexp_replace(f.path, '\.?[^.]*$', '') AS parent, substring(f.path FROM '[^.]*$') AS member FROM field f WHERE f.document = faults.document)
	SELECT * FROM (
		SELECT place, 'extra' FROM part p WHERE p.path NOT IN (SELECT path FROM listed)
		UNION ALL
		SELECT ltrim(o.place || '.' || member, '.'), 'missing'
		  FROM (SELECT '', '' UNION ALL SELECT p.place, p.path FROM part p WHERE type = 'object') AS o(place, path) JOIN listed l ON l.parent = o.path
		 WHERE l.member !~ '\[\]$' AND (is_full OR l.presence <> 'optional') AND ltrim(o.place || '.' || member, '.') NOT IN (SELECT p.place FROM part p)
		UNION ALL
		SELECT l.path, 'has no element' FROM listed l WHERE is_full AND l.path ~ '\[\]$' AND l.path NOT IN (SELECT p.path FROM part p)
		UNION ALL
		SELECT p.place, CASE WHEN p.type = 'null' THEN 'null' WHEN p.type <> l.type THEN 'is ' || p.type || ', not ' || l.type ELSE 'does not have the format: ' || p.value::text END
		  FROM listed l JOIN part p ON p.path = l.path
		 WHERE CASE WHEN p.type = 'null' THEN is_full OR l.presence <> 'nullable' ELSE p.type <> l.type OR (p.value #>> '{}') !~ ('^(' || coalesce(l.format, '.*') || ')$') END
		) AS f(place, fault) ORDER BY place COLLATE "C", fault COLLATE "C" $$;
-- The walk finds what it is there to find.
SELECT * FROM pg_temp.faults('001', '{"id": "tok.x", "name": null, "enabled": "yes", "scopes": ["a", 1], "personalAccessToken": true, "owner": "o", "own": {"er": 1.5}}', false);
SELECT * FROM pg_temp.faults('002', '{"status": "success", "sorting": {"field": "id", "direction": "asc"}, "pagination": null, "summaries": [{"type": "api_token"}, "x", {"id": "y"}]}', true) WHERE place !~ '(_at|_id|n.)$';
-- (a) Full tokens, of each kind and state; the middle page of three, so that
-- all members of pagination and all links are there.
INSERT INTO apitoken.realm (id, token_endpoint_url, oidc_issuer_url) VALUES ('documents', 'https://host.com/token', 'https://host.com/issuer');
CREATE TEMP TABLE full_token AS SELECT i.id, i.token FROM sample_000, unnest('{user,client}'::text[]) kind, generate_series(1, 3) n, apitoken.issue('documents', 'name' || n, '{a,b.*}', '1 year', kind => kind, principal => 'p', principal_id => 'pi', client_id => 'c',
	environment_id => 'e', description => 'd', allowed_addresses => '{10.0.0.0/8,::1}', allowed_scopes => sample -> 'allowedScopes', idp_id => 'i', idp_domain => 'd', access_token_ttl => '1 hour', metadata => '{"m": 1}') i;
UPDATE apitoken._usage SET last_used_at = now(), last_used_ip = '10.0.0.1', use_count = 1 WHERE realm = 'documents';
SELECT count(apitoken.suspend(id, 'reason')), count(apitoken.activate(id)) FROM full_token;
CREATE FUNCTION pg_temp.full_faults() RETURNS TABLE (document text, answers bigint, faults text) LANGUAGE sql AS $$
	SELECT document, count(DISTINCT answer), string_agg(DISTINCT f.place || ' ' || f.fault, ', ')
	  FROM (SELECT '000' AS document, apitoken.details(token, true) AS answer FROM full_token
			UNION ALL SELECT '001', apitoken.lookup(token) FROM full_token
			UNION ALL SELECT '002', apitoken.list('documents', field, direction, 2, 2) FROM unnest('{id,name,title,status,last_seen,timestamp}'::text[]) field, unnest('{asc,desc}'::text[]) direction
			UNION ALL SELECT '003', apitoken.read(id) FROM full_token
			UNION ALL SELECT '004', apitoken.query('documents', 1, 2, field, direction) FROM unnest('{creationDate,expirationDate,lastUsedDate,accessTokenTtl,tokenName}'::text[]) field, unnest('{asc,desc}'::text[]) direction) a
		   LEFT JOIN LATERAL pg_temp.faults(document, answer, true) f ON true
	 GROUP BY document ORDER BY document $$;
SELECT * FROM pg_temp.full_faults();
SELECT count(apitoken.suspend(id)) FROM full_token;
SELECT * FROM pg_temp.full_faults();
SELECT count(apitoken.revoke(id)) FROM full_token;
SELECT * FROM pg_temp.full_faults();
-- All links are there on a middle page, with what they need to be followed.
SELECT l ->> 'rel' AS rel, l ->> 'href' AS href FROM jsonb_array_elements(apitoken.query('documents', 1, 2) -> 'links') l;
SELECT test.drop_realm('documents');
-- (b) The least a token can have: issued, and imported by hash, the names of
-- who made it taken away.  What is optional and absent is listed.
INSERT INTO apitoken.realm (id) VALUES ('documents');
CREATE TEMP TABLE least AS SELECT i.id, i.token FROM apitoken.issue('documents', 'n') i;
UPDATE apitoken._token SET created_by = NULL, created_by_name = NULL, updated_by = NULL, updated_by_name = NULL, last_chars = NULL WHERE realm = 'documents';
SELECT apitoken.import('documents', 'n', sha256 => sha256('least')) IS NOT NULL AS imported;
UPDATE apitoken._token SET created_by = NULL, created_by_name = NULL, updated_by = NULL, updated_by_name = NULL WHERE realm = 'documents';
CREATE TEMP TABLE least_answer AS
	SELECT '000' AS document, apitoken.details(token) AS answer FROM least
	UNION ALL SELECT '001', apitoken.lookup(token) FROM least
	UNION ALL SELECT '002', apitoken.list('documents')
	UNION ALL SELECT '003', apitoken.read(id) FROM apitoken._token WHERE realm = 'documents'
	UNION ALL SELECT '004', apitoken.query('documents');
SELECT document, count(DISTINCT answer) AS answers, string_agg(DISTINCT f.place || ' ' || f.fault, ', ') AS faults FROM least_answer LEFT JOIN LATERAL pg_temp.faults(document, answer, false) f ON true GROUP BY document ORDER BY document;
SELECT document, presence, string_agg(path, ' ' ORDER BY path COLLATE "C") AS absent FROM field f
 WHERE presence <> 'always' AND NOT EXISTS (SELECT FROM least_answer a, pg_temp.parts(answer) p WHERE a.document = f.document AND p.path = f.path AND p.value <> 'null')
   AND path !~ '^allowedScopes.' GROUP BY document, presence ORDER BY 1, 2;
-- (c) Pages without rows.
SELECT what, count(f.place) AS faults, string_agg(f.place || ' ' || f.fault, ', ') AS which FROM (VALUES
	('list, no such account', '002', apitoken.list('no such account')), ('list, past the end', '002', apitoken.list('documents', page_offset => 1000)),
	('query, no such realm', '004', apitoken.query('no such realm')), ('query, past the end', '004', apitoken.query('documents', 1000))) AS v(what, document, answer)
	LEFT JOIN LATERAL pg_temp.faults(document, answer, false) f ON true GROUP BY what ORDER BY what COLLATE "C";
SELECT test.drop_realm('documents');
