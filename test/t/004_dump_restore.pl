# Nothing is lost by pg_dump and pg_restore: as a script, from a custom archive
# with two jobs, from a directory, and data alone into a fresh installation.
# Tables are the same afterwards, tokens verify as before, and the guards of
# table realm stand.  No secret is in a dump.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $dir  = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('main');
$node->start;

# --- a service with a bit of everything ---

# A token by its text, and what verify() answers for it.
my %tokens;

$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, name, prefix, max_ttl, default_ttl,
		access_token_ttl, known_scopes, metadata, max_idle, notify)
	VALUES ('acme', 'Acme "Ltd"', 'dt0c01', '2 years', '1 year', '1 hour',
		'a.* b', '{"a": [1, null]}', '30 days', true),
		('closed', 'ünïcödé', 'tok', NULL, NULL, NULL, NULL, NULL, NULL, false);
});

my ($id, $token) = issue($node, q{'acme', 'full', '{a.*,b}',
	expires_in => '1 day', not_before => now() - interval '1 day',
	kind => 'client', principal => 'p', principal_id => 'p1', client_id => 'c',
	environment_id => 'e', description => E'two\nlines\t\\ ünïcödé',
	allowed_addresses => '{10.0.0.0/8,2001:db8::/32}',
	allowed_scopes => '{"organizationScopes": {"allPermissions": true}}', idp_id => 'i',
	idp_domain => 'd', access_token_ttl => '5 minutes', metadata => '{"k": "v"}'});
$tokens{$token} = 'address_denied';
($id, $token) = issue($node, q{'acme', 'plain'});
$tokens{$token} = 'valid';
my $plain = $token;
($id, $token) = issue($node, q{'acme', 'revoked'});
$node->safe_psql('postgres', "SELECT apitoken.revoke('$id', 'gone')");
$tokens{$token} = 'revoked';
($id, $token) = issue($node, q{'acme', 'suspended'});
$node->safe_psql('postgres', "SELECT apitoken.suspend('$id')");
$tokens{$token} = 'suspended';
($id, $token) =
  issue($node, q{'acme', 'later', not_before => now() + interval '1 hour'});
$tokens{$token} = 'not_yet_valid';
($id, $token) = issue($node, q{'closed', 'in a closed realm'});
$tokens{$token} = 'realm_disabled';
import_sample($node, 'acme');
$tokens{$Apitoken::sample} = 'valid';
my $foreign = 'sk_live_OnlyTheSha256OfThisIsKnown';
$node->safe_psql('postgres',
	"SELECT apitoken.import('acme', 'foreign', sha256 => sha256('$foreign'), last_chars => 'known')"
);
$tokens{$foreign} = 'valid';

# A history: a key, a rotation, a removed token, a changed realm.
($id, $token) = issue($node, q{'acme', 'with a key', idempotency_key => 'k'});
$tokens{$token} = 'valid';
my $rotated = $node->safe_psql('postgres',
	"SELECT token FROM apitoken.rotate('$id', '1 hour')");
$tokens{$rotated} = 'valid';
($id, $token) = issue($node, q{'acme', 'removed'});
$node->safe_psql('postgres',
	"SELECT apitoken.revoke('$id'); SELECT apitoken.delete('$id')");
$tokens{$token} = 'unknown';

# Rows that only a superuser makes by hand: expired, rotated, used.
($id, $token) = issue($node, q{'acme', 'expired'});
$tokens{$token} = 'expired';
$node->safe_psql(
	'postgres', qq{
	UPDATE apitoken._token SET expires_at = now() - interval '1 hour' WHERE id = '$id';
	UPDATE apitoken._token SET
		previous_digest = apitoken.token_digest('the-one-before'),
		previous_expires_at = now() - interval '1 hour' WHERE name = 'plain';
	SELECT apitoken.flush_usage();
	UPDATE apitoken._usage SET (last_used_at, last_used_ip, use_count) = (now(), '10.1.2.3', 7);
	UPDATE apitoken.realm SET enabled = false WHERE id = 'closed';
});
$tokens{'the-one-before'} = 'superseded';
$tokens{'never-was-one'}  = 'unknown';

# What a database holds, as text; a table without rows would prove nothing.
my @tables = qw(realm _token _usage _usage_hourly _event _event_unsealed
  _event_seal _idempotency);

sub contents
{
	my ($database) = @_;

	return join "\n",
	  map { $node->safe_psql($database, "SELECT t FROM apitoken.$_ t ORDER BY t::text") }
	  @tables;
}

# What is in effect beside rows: triggers, indexes, privileges, settings of
# columns.
sub surroundings
{
	my ($database) = @_;

	return $node->safe_psql(
		$database, q{
		SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger
		WHERE NOT tgisinternal ORDER BY 1, 2;
		SELECT indexrelid::regclass, pg_get_indexdef(indexrelid), indisvalid
		FROM pg_index WHERE indrelid::regclass::text LIKE 'apitoken.%' ORDER BY 1;
		SELECT oid::regclass, relacl FROM pg_class
		WHERE relnamespace = 'apitoken'::regnamespace ORDER BY relname;
		SELECT attrelid::regclass, attname, attstattarget FROM pg_attribute
		WHERE attrelid = 'apitoken._token'::regclass AND attnum > 0 ORDER BY attnum;
		SELECT extname, extversion FROM pg_extension ORDER BY 1});
}

my $contents     = contents('postgres');
my $surroundings = surroundings('postgres');
is( $node->safe_psql(
		'postgres', q{
		SELECT string_agg(config::regclass::text, ' ' ORDER BY config::regclass::text)
		FROM pg_extension, unnest(extconfig) AS config
		WHERE extname = 'apitoken'}),
	$node->safe_psql(
		'postgres', q{
		SELECT string_agg(oid::regclass::text, ' ' ORDER BY oid::regclass::text)
		FROM pg_class WHERE relkind IN ('r', 'p', 'S', 'm')
			AND relnamespace = 'apitoken'::regnamespace}),
	'every table of the extension is marked for the dump');
is( join(' ', map { "apitoken.$_" } sort @tables),
	$node->safe_psql(
		'postgres', q{
		SELECT string_agg(oid::regclass::text, ' ' ORDER BY relname COLLATE "C")
		FROM pg_class WHERE relkind = 'r'
			AND relnamespace = 'apitoken'::regnamespace}),
	'... and looked at here');

# --- a restored database is the same ---

sub check_restored
{
	my ($database, $how) = @_;

	is(contents($database), $contents, "$how: the tables are the same");
	is(surroundings($database), $surroundings,
		'... triggers, indexes and privileges too');

	my %outcomes = map {
		$_ => $node->safe_psql($database,
			"SELECT outcome FROM apitoken.verify('$_')")
	} keys %tokens;
	is_deeply(\%outcomes, \%tokens, '... every token verifies as before');

	# The guards.
	is( sqlstate($node, q{DELETE FROM apitoken.realm WHERE id = 'acme'},
			database => $database),
		'ERROR 23503', '... a realm with tokens cannot be deleted');
	is( sqlstate($node,
			q{UPDATE apitoken.realm SET id = 'other' WHERE id = 'acme'},
			database => $database),
		'ERROR 23503', '... nor renamed');
	is(sqlstate($node, 'TRUNCATE apitoken.realm', database => $database),
		'ERROR 23503', '... nor truncated');

	# The trigger that makes sessions forget.
	my $warm = session($node, $database);
	is(ask($warm, "SELECT outcome FROM apitoken.verify('$plain')"),
		'valid', '... a session is warm');
	$node->safe_psql($database,
		"UPDATE apitoken.realm SET enabled = false WHERE id = 'acme'");
	is(ask($warm, "SELECT outcome FROM apitoken.verify('$plain')"),
		'realm_disabled', '... and sees a realm switched off');
	$node->safe_psql($database,
		"UPDATE apitoken.realm SET enabled = true WHERE id = 'acme'");
	$warm->quit;

	# Life goes on.
	my ($new_id, $new_token) = issue($node, q{'acme', 'new'}, $database);
	is( $node->safe_psql(
			$database, "SELECT outcome FROM apitoken.verify('$new_token')"),
		'valid', '... a new token can be issued');
	is( $node->safe_psql(
			$database,
			"SELECT apitoken.import('acme', 'x', '$Apitoken::sample')"),
		$Apitoken::sample_id,
		'... and an imported one is known');
	return;
}

# --- the ways of dumping ---

$node->command_ok([ 'pg_dump', '--file', "$dir/dump.sql", 'postgres' ],
	'pg_dump: script');
$node->command_ok([ 'pg_dump', '-Fc', '--file', "$dir/dump.custom", 'postgres' ],
	'pg_dump: custom archive');
$node->command_ok(
	[ 'pg_dump', '-Fd', '-j2', '--file', "$dir/dump.directory", 'postgres' ],
	'pg_dump: directory, two jobs');
$node->command_ok(
	[
		'pg_dump', '--data-only', '--column-inserts', '--file',
		"$dir/dump.data", 'postgres'
	],
	'pg_dump: data alone');
$node->command_ok(
	[ 'pg_dumpall', '--file', "$dir/dump.all" ],
	'pg_dumpall');

$node->safe_psql('postgres', "CREATE DATABASE $_")
  foreach qw(script custom directory data);

$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/dump.sql", 'script' ],
	'restored from the script');
check_restored('script', 'script');

$node->command_ok([ 'pg_restore', '-j2', '-d', 'custom', "$dir/dump.custom" ],
	'restored from the archive, two jobs');
check_restored('custom', 'archive, two jobs');

$node->command_ok(
	[
		'pg_restore', '--single-transaction', '-d', 'directory',
		"$dir/dump.directory"
	],
	'restored from the directory, in one transaction');
check_restored('directory', 'directory');

$node->safe_psql('data', 'CREATE EXTENSION apitoken');
$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/dump.data", 'data' ],
	'data alone into a fresh installation');
check_restored('data', 'data alone');

# --- no secret is in a dump ---

# Also not as what would be accepted in its place.
$node->command_ok(
	[ 'pg_restore', '--file', "$dir/dump.custom.sql", "$dir/dump.custom" ],
	'the archive as a script');
foreach my $file (qw(dump.sql dump.custom.sql dump.data dump.all))
{
	my $dump  = slurp("$dir/$file");
	my @found = grep {
		my $secret = (split /\./)[-1];
		my $sha256 = unpack 'H*', sha256($_);
		index($dump, $secret) >= 0 || $dump =~ /$sha256/i
	} grep { $tokens{$_} ne 'unknown' } keys %tokens;

	is("@found", '', "$file: no secret and no SHA-256 of a token is in it");
	like($dump, qr/\b$Apitoken::sample_id\b/, '... but the tokens are');
}

sub sha256
{
	my ($text) = @_;

	require Digest::SHA;
	return Digest::SHA::sha256($text);
}

$node->stop;
done_testing();
