# Nothing is lost by pg_dump and pg_restore, whatever goes on meanwhile and
# whatever was there before: dumps taken while clients issue, rotate, revoke,
# delete and purge and the worker seals; --clean into a database that has
# tokens of its own; data alone with two jobs; and the schema alone.
#
# 004 has the ways of dumping at rest, column by column; 025 has encodings.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use LifeCycle;
use Lives;
use Usage;
use Whole;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = usage_node('main', $soon);
my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d');

# --- while clients are at work ---

my @clients = map { start_client($node, $_) } $LIFE, $LIFE . $DEATH, $LIFE . $REMOVAL, $PURGE;
my %DUMPS = (
	script => [
		[ 'pg_dump', '-f', "$dir/script", 'postgres' ],
		[ @psql, 'script', '-f', "$dir/script" ] ],
	custom => [
		[ 'pg_dump', '-Fc', '-f', "$dir/custom", 'postgres' ],
		[ 'pg_restore', '-j2', '--exit-on-error', '-d', 'custom', "$dir/custom" ] ],
	directory => [
		[ 'pg_dump', '-Fd', '-j2', '-f', "$dir/directory", 'postgres' ],
		[ 'pg_restore', '-j2', '--exit-on-error', '-d', 'directory', "$dir/directory" ] ]);

# What the clients had been told when the dump began is in it, and perhaps more;
# whatever is, is there as a whole.
sub restored_from_traffic
{
	my ($how) = @_;
	my ($dump, $restore) = @{ $DUMPS{$how} };
	my @told;

	wait_told($_, told($_) + 20) foreach @clients[ 0 .. 2 ];
	@told = map { so_far($_) } @clients[ 0 .. 2 ];
	$node->command_ok($dump, "$how: dumped while clients are at work");
	$node->safe_psql('postgres', "CREATE DATABASE $how");
	$node->command_ok($restore, '... and restored');

	watch($node, $how);
	agrees("$how: all tables agree");
	unwatch();
	check_lives($node, $_, $how, database => $how, later => 1) foreach @told;
	is($node->safe_psql($how, 'SELECT count(*) FROM apitoken.check_events()'), '0', "$how: the history is whole");
	indexes_agree($node, $how, $how);
	goes_on($node, $how, $how);
	structure_is_whole($node, $how, database => $how);
	return;
}

restored_from_traffic($_) foreach sort keys %DUMPS;
stop_client($node, $_) foreach @clients;

# --- at rest: what is there stays the same, row by row ---

wait_query($node, 'SELECT worker_running FROM apitoken.stats()', 'f', 'the worker has nothing to do');
flush_every($node, '1h');
my ($id, $valid) = issue($node, q{'acme', 'valid', '{a}'});
my ($revoked_id, $revoked) = issue($node, q{'acme', 'revoked', '{a}'});
$node->safe_psql('postgres', qq{
	CREATE ROLE verifier;
	GRANT USAGE ON SCHEMA apitoken TO verifier;
	GRANT EXECUTE ON FUNCTION apitoken.verify TO verifier;
	SELECT apitoken.revoke('$revoked_id', 'gone');
	SELECT apitoken.verify('$valid');
	SELECT apitoken.flush_usage(), apitoken.seal_events()});
my $contents = contents($node, 'postgres');
like($contents, qr/^_event_id_seq: \d{2,}\|t$/m, 'there is a sequence to compare');
my $verify = "SELECT string_agg(outcome, ' ' ORDER BY ordinality) FROM apitoken.verify_many(ARRAY['$valid', '$revoked', 'a-token-of-its-own'])";
is($node->safe_psql('postgres', $verify), 'valid revoked unknown', 'a token is valid, another revoked');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/archive", 'postgres' ], 'dumped at rest');
$node->command_ok([ 'pg_dump', '--clean', '--if-exists', '-f', "$dir/clean", 'postgres' ], '... as a script that cleans');

# A database that has a service already, with another history.
sub other_service
{
	my ($database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	install($node, $database);
	$node->safe_psql($database, q{
		SELECT apitoken.import('acme', 'its own', 'a-token-of-its-own'), apitoken.issue('acme', 'its own');
		SELECT apitoken.seal_events()});
	return;
}

sub same_as_dumped
{
	my ($database, $how) = @_;

	is(contents($node, $database), $contents, "$how: all tables and sequences are the same");
	is($node->safe_psql($database, $verify), 'valid revoked unknown', '... tokens verify as before');
	is($node->safe_psql($database, "SET ROLE verifier; SELECT valid FROM apitoken.verify('$valid')"), 't', '... for who was granted it');
	goes_on($node, $how, $database);
	structure_is_whole($node, $how, database => $database);
	return;
}

my %CLEAN = (
	clean_script => [ @psql, 'clean_script', '-f', "$dir/clean" ],
	clean_archive => [ 'pg_restore', '--clean', '--if-exists', '--exit-on-error', '-d', 'clean_archive', "$dir/archive" ],
	clean_at_once => [ 'pg_restore', '--clean', '--single-transaction', '-d', 'clean_at_once', "$dir/archive" ]);
foreach my $database (sort keys %CLEAN)
{
	other_service($database);
	my $warm = session($node, $database);

	is(ask($warm, $verify), 'unknown unknown valid', "$database: a session knows what was there before");
	$node->command_ok($CLEAN{$database}, '... it is replaced by what was dumped');
	is(ask($warm, $verify), 'valid revoked unknown', '... the session knows');
	$warm->quit;
	same_as_dumped($database, $database);
}

# Data alone: into a fresh installation, and not on top of what is there.
foreach my $triggers ('', '--disable-triggers')
{
	my $database = $triggers ? 'data_untriggered' : 'data';

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, q{
		CREATE EXTENSION apitoken;
		GRANT USAGE ON SCHEMA apitoken TO verifier;
		GRANT EXECUTE ON FUNCTION apitoken.verify TO verifier});
	$node->command_ok([ 'pg_restore', '--data-only', '-j2', '--exit-on-error', ($triggers || ()), '-d', $database, "$dir/archive" ],
		"data alone with two jobs, $database");
	same_as_dumped($database, $database);
}
other_service('occupied');
my $occupied = contents($node, 'occupied');
$node->command_fails([ 'pg_restore', '--data-only', '--single-transaction', '-d', 'occupied', "$dir/archive" ],
	'data alone does not go on top of other data');
is(contents($node, 'occupied'), $occupied, '... which is as it was');

# The schema alone: a service without tokens, with the same rights.
$node->safe_psql('postgres', 'CREATE DATABASE schema');
$node->command_ok([ 'pg_restore', '--schema-only', '--exit-on-error', '-d', 'schema', "$dir/archive" ], 'the schema alone');
like(contents($node, 'schema'), qr/\A_event_id_seq: 1\|f\n(?:\w+: (?:\n|\z))+\z/, '... brings no row');
is($node->safe_psql('schema', "SET ROLE verifier; SELECT outcome FROM apitoken.verify('$valid')"), 'unknown',
	'... but the rights');
$node->safe_psql('schema', q{INSERT INTO apitoken.realm (id) VALUES ('acme')});
goes_on($node, 'schema', 'schema');
$node->command_ok([ 'pg_dump', '-n', 'public', '-f', "$dir/public", 'postgres' ], 'one schema of users');
unlike(slurp("$dir/public"), qr/apitoken/, '... brings nothing');

# --- the recipes of the operator's handbook ---

my $monitoring = example('docs/operations.md', 'monitoring');
is($node->safe_psql('schema', $monitoring), '', 'monitoring: all is well');
$node->safe_psql('schema', q{
	SELECT apitoken.issue('acme', 'new ' || n) FROM generate_series(1, 2500) n;
	UPDATE apitoken._event SET at = at - interval '1 hour' WHERE id IN (SELECT event_id FROM apitoken._event_unsealed)});
like($node->safe_psql('schema', $monitoring), qr/\Aevents wait for a seal since [^\n]+\z/, '... events are not sealed');
$node->safe_psql('schema', q{
	SELECT apitoken.seal_events();
	SELECT apitoken.revoke_all('acme');
	UPDATE apitoken._token SET status_changed_at = now() - interval '91 days'});
{
	local %ENV = $node->_get_env(PGDATABASE => 'schema');
	command_ok([ 'sh', '-ec', example('docs/operations.md', 'purge') =~ s/sleep \d+/echo a batch/r ], 'the loop of purges');
}
is($node->safe_psql('schema', 'SELECT count(*) FROM apitoken._token'), '0', '... leaves nothing');
is($node->safe_psql('schema', 'SELECT apitoken.seal_events() > 0; ' . example('docs/operations.md', 'cleaning up')), "t\n0\n0\n0",
	'... and the history is looked at and cut');

$node->stop;
done_testing();
