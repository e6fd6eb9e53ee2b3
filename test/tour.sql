-- 1. A realm is a tenant; the administrator configures it with plain SQL.
INSERT INTO apitoken.realm (id, prefix, default_ttl) VALUES ('acme', 'dt0c01', '180 days');

-- 2. A new token: its text is in the answer, only its digest is stored.
SELECT id, token FROM apitoken.issue('acme', 'CI runner', '{api.builds.*}') \gset
\echo :token

-- 3. A token made elsewhere is taken over from its text, or its SHA-256 alone.
\set sample dt0c01.ST2EY72KQINMH574WMNVI7YN.G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM
SELECT apitoken.import('acme', 'myToken', :'sample', scopes => '{metrics.read}', principal => 'john.smith');

-- 4. Whose is it, and may it do this?
SELECT valid, outcome, name FROM apitoken.verify(:'token', 'api.builds.start');
SELECT valid, outcome, name FROM apitoken.verify(:'token', 'api.users.read');

-- 5. It is revoked, and that is that.
SELECT name, status FROM apitoken.revoke(:'id', 'laptop stolen');
SELECT valid, outcome FROM apitoken.verify(:'token', 'api.builds.start');

-- 6. Published token APIs are answered in their own shape.
SELECT jsonb_pretty(apitoken.lookup(:'sample')) AS lookup;

-- 7. For people there is a view, without anything secret.
SELECT name, status, partial, scopes FROM apitoken.tokens ORDER BY name;
