# The worker: there is one while something is pending and none otherwise; what
# happens where none can be had, where only one fits, where it is terminated
# or cancelled, and where the library is preloaded.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', $soon);
my $token = token($node);

# --- it comes and goes ---

# It has come for the events of realm and token, and is gone.
wait_query($node, 'SELECT worker_running FROM apitoken.stats()', 'f', 'nothing noted');
flush_every($node, '1h');
$node->restart;
is(scalar wait_workers($node, 0), 0, '... no worker');
use_it($node, $token, 3, 'a token is used');
is(scalar wait_workers($node, 1), 1, '... a worker waits');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ $$apitoken$$'),
	'0', '... connected to no database');
is(stats($node, 'worker_running, worker_failures, last_flush_at'), 't|0|', '... stats() knows');
flush_every($node, $soon);
wait_stored($node, $token, $token->{total}, 'the interval is made short: it writes');
is(scalar wait_workers($node, 0), 0, '... and is gone');
is(stats($node, 'worker_running, last_flush_at IS NOT NULL, usage_pending'), 'f|t|0', '... stats() knows');

# --- SIGTERM while it sleeps ---

flush_every($node, '1h');
use_it($node, $token, 3, 'again a worker');
kill 'TERM', wait_workers($node, 1);
wait_stored($node, $token, $token->{total}, 'terminated, it writes at once');
is(scalar wait_workers($node, 0), 0, '... and is gone');
is(stats($node, 'worker_running'), 'f', '... its claim with it');
use_it($node, $token, 2, 'the next verification');
is(scalar wait_workers($node, 1), 1, '... starts another');

# Others take over what it would have written to other databases.
$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('postgres', 'CREATE DATABASE third');
install($node, $_) foreach qw(second third);
my @others = map { token($node, $_) } qw(second third);
use_token($node, $_, 4) foreach @others;
kill 'TERM', wait_workers($node, 1);
wait_stored($node, $token, $token->{total}, 'terminated with three databases pending: the first');
wait_stored($node, $_, 4, "... database $_->{database}") foreach @others;
is(scalar wait_workers($node, 0), 0, '... then there is none');

# --- SIGTERM and SIGINT in the middle of a flush ---

foreach my $signal ('TERM', 'INT')
{
	my $locker = session($node);
	ask($locker, 'BEGIN; SELECT FROM apitoken._usage FOR UPDATE');
	use_it($node, $token, 3, 'pending');
	use_token($node, $others[0], 3);
	flush_every($node, $soon);
	signal_flush($node, $signal);
	wait_query($node, q{SELECT last_flush_error FROM apitoken.stats()},
		'canceling statement due to user request', "SIG$signal: stats() shows it")
	  if $signal eq 'INT';
	ask($locker, 'COMMIT');
	$locker->quit;
	wait_stored($node, $token, $token->{total}, "SIG$signal in a flush: all is written once");
	wait_query($node, 'SELECT usage_pending FROM apitoken.stats()', '0', '... elsewhere, too');
	wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()', '', '... and no error is left');
	flush_every($node, '1h');
}
wait_stored($node, $others[0], 10, 'in the other database, too');

# --- none can be had ---

SKIP:
{
	skip 'pg_prewarm, which takes the place of a worker, is not installed', 12
	  unless $node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_prewarm'});
	$node->append_conf('postgresql.conf', join "\n",
		'max_worker_processes = 1', 'max_logical_replication_workers = 0', '');
	$node->restart;
	$node->safe_psql('postgres',
		'CREATE EXTENSION pg_prewarm; SELECT autoprewarm_start_worker()');
	use_it($node, $token, 50, 'the only place is taken: verification answers') foreach 1 .. 3;
	is(stats($node, 'worker_running, worker_failures'), 'f|1',
		'... one failure is counted, and it backs off');
	is($node->safe_psql('postgres', 'SELECT apitoken.flush_usage()'), '1', '... flush_usage() works');
	is(stored($node, $token), $token->{total}, '... and writes');

	flush_every($node, $soon);
	my $again = "SELECT apitoken.verified_id('$token->{token}') IS NOT NULL AND worker_failures > 2 FROM apitoken.stats()";
	wait_query($node, $again, 't', '... it is tried again after an interval');
	$token->{total} = shown($node, $token);

	my ($postmaster) = slurp($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my ($hog) = `ps -A -o pid= -o ppid= -o args=` =~
	  /^\s*(\d+)\s+$postmaster\s+postgres: .*autoprewarm leader/m;
	kill 'TERM', $hog;
	wait_query(
		$node,
		"SELECT apitoken.verified_id('$token->{token}') IS NOT NULL AND worker_running FROM apitoken.stats()",
		't', 'the place is free: a worker is started');
	$token->{total} = shown($node, $token);
	wait_stored($node, $token, $token->{total}, '... and writes');
}

# --- one place, three databases ---

$node->append_conf('postgresql.conf', join "\n",
	'max_worker_processes = 1', 'max_logical_replication_workers = 0', '');
$node->restart;
foreach my $round (1 .. 2)
{
	use_it($node, $token, 3, 'only one worker can be had');
	use_token($node, $_, 3) foreach @others;
	wait_stored($node, $token, $token->{total}, '... the first database is written to');
	wait_query($node, 'SELECT usage_pending FROM apitoken.stats()', '0', '... all others, too');
}
is(stored($node, $others[1]), 10, '... exactly');
is(scalar wait_workers($node, 0), 0, '... and then there is none');

# --- preloaded ---

# By the path of the file that is in use, which need not be the server's own.
my $library = $node->safe_psql(
	'postgres', q{
	SELECT apitoken.version() \gset
	SELECT substring(pg_read_file('/proc/self/maps')
		FROM '\s(/[^\n]*/apitoken\.so)\n')});
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = '$library'\nmax_worker_processes = 8\n");
$node->restart;
use_it($node, $token, 3, 'preloaded: verification answers');
wait_stored($node, $token, $token->{total}, '... uses are written');
flush_every($node, '1h');
use_it($node, $token, 3, 'preloaded: pending');
$node->restart;
is(shown($node, $token), $token->{total}, '... kept by a shutdown');

$node->stop;
done_testing();
