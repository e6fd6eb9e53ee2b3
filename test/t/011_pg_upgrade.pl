# pg_upgrade carries everything over, by copies and by links: here from a cluster
# to another one of the same version, which takes the same way through the
# catalogs as one from an older version does.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Whole;

my $old = new_node('old');
my $bindir = $old->config_data('--bindir');

$old->start;
$old->safe_psql(
	'postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, prefix, known_scopes) VALUES ('acme', 'dt0c01', 'a b');
	CREATE ROLE verifier;
	GRANT USAGE ON SCHEMA apitoken TO verifier;
	GRANT EXECUTE ON FUNCTION apitoken.verify TO verifier;
	-- the types in a table of somebody else
	CREATE TABLE kept (digest apitoken.digest, scopes apitoken.scopes);
	CREATE INDEX ON kept USING gin (scopes);
	INSERT INTO kept VALUES (apitoken.token_digest('a-token-text'), 'a.* b');
});
my ($id, $token) = issue($old, q{'acme', 'valid', '{a}'});
my ($revoked_id, $revoked) = issue($old, q{'acme', 'revoked'});
$old->safe_psql('postgres', "SELECT apitoken.revoke('$revoked_id')");
import_sample($old, 'acme');

# Used, from an address, and written.
$old->safe_psql(
	'postgres', qq{
	SELECT apitoken.verify('$token', 'a', '192.0.2.7'), apitoken.verify('$revoked');
	SELECT apitoken.rotate('$id', '1 hour');
	SELECT apitoken.flush_usage(), apitoken.seal_events()});

my $contents = q{
	SELECT * FROM kept;
	SELECT * FROM apitoken.tokens ORDER BY id;
	SELECT proname, proacl FROM pg_proc
	WHERE pronamespace = 'apitoken'::regnamespace ORDER BY 1;
	SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1;
	SELECT extversion FROM pg_extension WHERE extname = 'apitoken'};
my $before = $old->safe_psql('postgres', $contents);
my $rows = contents($old, 'postgres');
like($rows, qr/^_event_seal: \(1,/m, 'the history is sealed');
$old->stop;

# It leaves a script where it stands.
chdir $PostgreSQL::Test::Utils::tmp_check;

# The old cluster is not touched by copies; of links it must not start again.
foreach my $mode ('copy', 'link')
{
	my $new = new_node($mode);

	command_ok(
		[
			'pg_upgrade', '--no-sync', ($mode eq 'link' ? '--link' : ()),
			'-d', $old->data_dir, '-D', $new->data_dir,
			'-b', $bindir,        '-B', $bindir,
			'-s', $new->host,     '-p', $old->port, '-P', $new->port
		],
		"pg_upgrade, $mode");
	$new->start;
	check_upgraded($new, $mode);
	$new->stop;
}

sub check_upgraded
{
	my ($new, $mode) = @_;

	is(contents($new, 'postgres'), $rows, "$mode: all tables and sequences are the same");
	is($new->safe_psql('postgres', $contents), $before, '... and all else');
	is($new->safe_psql('postgres', "SELECT outcome FROM apitoken.verify('$token', 'a')"),
		'valid', '... a token verifies');
	is($new->safe_psql('postgres', "SELECT outcome FROM apitoken.verify('$revoked')"),
		'revoked', '... a revoked one does not');
	is( sqlstate($new,
			"SET ROLE verifier; SELECT valid FROM apitoken.verify('$Apitoken::sample')"),
		't', '... privileges are there');
	is( $new->safe_psql(
			'postgres', q{
			SET enable_seqscan = off;
			SELECT count(*) FROM kept WHERE scopes OPERATOR(apitoken.@>) 'a.x'}),
		'1', '... an index of our operator class works');
	is(sqlstate($new, 'DELETE FROM apitoken.realm'), 'ERROR 23503', '... the guard stands');
	goes_on($new, $mode);
	indexes_agree($new, $mode);
	structure_is_whole($new, $mode);
	return;
}

done_testing();
