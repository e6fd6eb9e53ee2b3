# Recorded use stands in nobody's way: DROP DATABASE, CREATE DATABASE ...
# TEMPLATE and ALTER DATABASE ... RENAME succeed right after a verification and
# while others verify.  What was pending in a database that is gone, or has no
# extension any more, is given up and counted; databases with the same ids do
# not mix.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', '1h');
my $token = token($node);

sub ddl
{
	my ($sql, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(sqlstate($node, $sql), '', $name);
}

# --- right after a verification, while the worker sleeps ---

$node->safe_psql('postgres', 'CREATE DATABASE one');
install($node, 'one');
my $one = token($node, 'one');
use_token($node, $one, 3);
ddl('ALTER DATABASE one RENAME TO two', 'RENAME within the interval');
$one->{database} = 'two';
is(shown($node, $one), 3, '... pending uses go along');
ddl('CREATE DATABASE copy TEMPLATE two', 'CREATE DATABASE ... TEMPLATE within the interval');
my $copy = { %$one, database => 'copy' };

# The copy has the same token.  What is pending belongs to the original.
is(shown($node, $copy), 0, 'same ids in a copy: what is pending is not in it');
use_token($node, $one, 4);
use_token($node, $copy, 5);
is(join(' ', shown($node, $one), shown($node, $copy)), '7 5', '... both are counted for themselves');
is($node->safe_psql('copy', 'SELECT apitoken.flush_usage()'), '1', '... and written');
is(join(' ', stored($node, $one), stored($node, $copy)), '0 5', '... each to its own');
is(join(' ', shown($node, $one), shown($node, $copy)), '7 5', '... and shown once');
flush_every($node, $soon);
wait_stored($node, $one, 7, 'by the worker, too');
wait_stored($node, $copy, 5, '... and in the copy');
ddl('DROP DATABASE copy', 'DROP DATABASE after the flush');

# --- while others verify, and the worker comes by all the time ---

my $script = "$PostgreSQL::Test::Utils::tmp_check/traffic.sql";
open my $file, '>', $script or die $!;
print $file "SELECT apitoken.verified_id('$token->{token}');\n\\sleep 5 ms\n";
close $file;

sub start_traffic
{
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	return IPC::Run::start(
		[ 'pgbench', '-n', '-c', '2', '-T', '600', '-f', $script, 'postgres' ],
		'>', \my $out, '2>', \my $err);
}

# Returns how many uses have been dropped since the server's start.
sub stop_traffic
{
	my ($running) = @_;

	$running->signal('INT');
	$running->finish;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_query($node, 'SELECT usage_pending FROM apitoken.stats()', '0',
		'... all others are written');
	is(scalar wait_workers($node, 0), 0, '... and there is no worker without need');
	return stats($node, 'usage_dropped');
}

my $running = start_traffic();
wait_query($node, "SELECT use_count > 0 FROM apitoken._usage WHERE token_id = '$token->{id}'",
	't', 'others verify');
foreach my $round (1 .. 2)
{
	use_token($node, $one, 1);
	ddl("ALTER DATABASE two RENAME TO again", 'RENAME while others verify');
	$one->{database} = 'again';
	use_token($node, $one, 1);
	ddl('CREATE DATABASE copy TEMPLATE again', '... CREATE DATABASE ... TEMPLATE');
	use_token($node, $copy, 1);
	ddl('DROP DATABASE copy', '... DROP DATABASE');
	ddl("ALTER DATABASE again RENAME TO two", '... RENAME back');
	$one->{database} = 'two';
}
wait_stored($node, $one, 11, '... nothing is lost');

# The copies' uses may have been written before they were dropped.
my $dropped = stop_traffic($running);
cmp_ok($dropped, '<=', 2, '... nothing else is given up');

# What is pending in a database that is gone is given up, though the worker has
# other things to do all the time.
flush_every($node, '1h');
$running = start_traffic();
is(scalar wait_workers($node, 1), 1, 'others verify, the worker sleeps');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE two');
use_token($node, $copy, 2);
ddl('DROP DATABASE copy', 'DROP DATABASE while others verify');
$dropped += 2;
flush_every($node, $soon);
wait_query($node, 'SELECT usage_dropped FROM apitoken.stats()', $dropped,
	'... its uses are given up, the worker being busy elsewhere');
is(stop_traffic($running), $dropped, '... and nothing else');

# --- dropped with nobody else at work ---

flush_every($node, '1h');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE two');
use_token($node, $copy, 6);
ddl('DROP DATABASE copy', 'DROP DATABASE with uses pending');
$dropped += 6;
flush_every($node, $soon);
wait_query($node, 'SELECT usage_dropped, usage_pending FROM apitoken.stats()', "$dropped|0",
	'... they are given up, without anything else to do');
is(scalar wait_workers($node, 0), 0, '... and no worker tries for ever');
like(slurp_file($node->logfile), qr/LOG: .*are dropped because it cannot be connected to/,
	'... the log says so');

# One that nobody may connect to is written to all the same.
flush_every($node, '1h');
my $before = shown($node, $one);
use_token($node, $one, 2);
ddl('ALTER DATABASE two ALLOW_CONNECTIONS false', 'a database that allows no connections');
flush_every($node, $soon);
wait_query($node, 'SELECT usage_dropped, usage_pending FROM apitoken.stats()', "$dropped|0", '... is written to');
ddl('ALTER DATABASE two ALLOW_CONNECTIONS true', '... it allows them again');
is(stored($node, $one), $before + 2, '... and has all');

# So is one whose settings would be in the way.
flush_every($node, '1h');
use_token($node, $one, 2);
$node->safe_psql('postgres', qq{
	CREATE ROLE weak;
	ALTER DATABASE two SET default_transaction_read_only = on;
	ALTER DATABASE two SET default_transaction_isolation = 'serializable';
	ALTER DATABASE two SET statement_timeout = '1ms';
	ALTER DATABASE two SET lock_timeout = '1ms';
	ALTER DATABASE two SET role = weak;
	ALTER DATABASE two SET search_path = nowhere;
	ALTER DATABASE two SET row_security = off;
	ALTER DATABASE two SET synchronous_commit = off;
	ALTER DATABASE two SET apitoken.track_usage = off});
flush_every($node, $soon);
wait_query($node, 'SELECT usage_dropped, usage_pending FROM apitoken.stats()', "$dropped|0",
	'a database with obstructive settings is written to');
$node->safe_psql('postgres', 'ALTER DATABASE two RESET ALL');
is(stored($node, $one), $before + 4, '... and has all');

# --- without the extension ---

flush_every($node, '1h');
use_token($node, $one, 4);
$node->safe_psql('two', 'DROP EXTENSION apitoken CASCADE');
use_token($node, $token, 1);
my $total = shown($node, $token);
flush_every($node, $soon);
$dropped += 4;
wait_query($node, 'SELECT usage_dropped, usage_pending FROM apitoken.stats()', "$dropped|0",
	'DROP EXTENSION with uses pending: they are given up');
wait_stored($node, $token, $total, '... other databases are written to');
is(scalar wait_workers($node, 0), 0, '... and there is no worker without need');
install($node, 'two');
$one = token($node, 'two');
use_token($node, $one, 2);
wait_stored($node, $one, 2, 'made anew it counts from zero');
wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()', '', '... without an error', 'two');

$node->stop;
done_testing();
