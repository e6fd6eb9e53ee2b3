SELECT count(i.token) FROM generate_series(1, 100000) AS n,
	LATERAL apitoken.issue('issue', 'Deploy runner ' || n,
	'{api.deploy.write,api.status.read,metrics.build}',
	expires_in => '90 days', kind => 'client', description => 'made by a benchmark',
	principal => 'user' || n % 20000 || '@example.org', principal_id => 'u-' || n % 20000,
	client_id => 'client-' || n % 5000, environment_id => 'env-7',
	metadata => '{"team": "build"}') AS i;
