# Smart and fast shutdown lose no use, whether a worker sleeps, waits in a
# flush or cannot be had, and whether one database has uses pending or more.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', '1h', 'max_prepared_transactions = 2');
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(second third);
install($node, $_) foreach qw(second third);
my @tokens = map { token($node, $_) } qw(postgres second third);
my @total = (0, 0, 0);

sub use_all
{
	my ($times) = @_;

	foreach my $i (0 .. 2)
	{
		use_token($node, $tokens[$i], $times + $i);
		$total[$i] += $times + $i;
	}
	return;
}

sub is_shown
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(join(' ', map { shown($node, $_) } @tokens), "@total", $name);
}

sub is_written
{
	my ($name) = @_;

	$node->safe_psql($_->{database}, 'SELECT apitoken.flush_usage()') foreach @tokens;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join(' ', map { stored($node, $_) } @tokens), "@total", $name);
	is(join(' ', map { hourly($node, $_) } @tokens), "@total", '... by hour, too');
	return;
}

# --- three databases, the worker sleeps ---

foreach my $mode ('smart', 'fast')
{
	use_all(5);
	wait_workers($node, 1);
	$node->stop($mode);
	wait_file($node, 1,
		"$mode shutdown: what could not be written is in a file");
	$node->start;
	is_shown('... and shown after the start');
	wait_file($node, 0, '... the file is gone');
	is(scalar wait_workers($node, 1), 1, '... a worker is there to write it');
	stop_and_start($node, $mode);
	is_shown('... it also outlives a second shutdown');
	is_written('... and is written once');
	is(stats($node, 'usage_pending'), '0', '... nothing is left');
	$node->stop($mode);
	wait_file($node, 0, '... so the next shutdown leaves no file');
	$node->start;
}

# Nobody waits for a flush: the worker that starts with the server writes all.
use_all(5);
$node->stop;
$node->append_conf('postgresql.auto.conf',
	"apitoken.usage_flush_interval = '$soon'");
$node->start;
is_shown('saved once more');
wait_stored($node, $tokens[$_], $total[$_],
	"... and written without any verification: database $_")
  foreach 0 .. 2;

# Address, time, what was denied and what was of no token.
flush_every($node, '1h');
$node->safe_psql('second',
	"SELECT outcome FROM apitoken.verify('$tokens[1]{token}', address => '2001:db8::7')");
$total[1]++;
$node->safe_psql('second',
	"SELECT outcome FROM apitoken.verify('$tokens[1]{token}', 'not.granted')");
$node->safe_psql('second', 'SELECT apitoken.verified_id($$unknown-token$$)');
my $seen = "SELECT use_count, last_used_at, last_used_ip FROM apitoken.tokens WHERE id = '$tokens[1]{id}'";
my $before = $node->safe_psql('second', $seen);
like($before, qr/\|2001:db8::7$/, 'a use with an address');
use_token($node, $tokens[0], 1);
$total[0]++;
$node->restart;
is($node->safe_psql('second', $seen), $before,
	'... comes back with time and address');
is_written('... and is written');
is($node->safe_psql('second', $seen), $before, '... as it was');
is( $node->safe_psql(
		'second', qq{
		SELECT outcome, token_id IS NULL, sum(uses) FROM apitoken.usage_hourly
		WHERE outcome <> 'valid' GROUP BY 1, 2 ORDER BY 1}),
	"scope_denied|f|1\nunknown|t|1",
	'... denied uses, too');

# --- the worker is in the middle of a flush ---

flush_every($node, $soon);
my $locker = session($node, 'second');
ask($locker, 'BEGIN; SELECT FROM apitoken._usage FOR UPDATE');
use_all(5);
flush_waits($node);
$node->stop('fast');
$locker->{run}->kill_kill;
$node->append_conf('postgresql.auto.conf',
	"apitoken.usage_flush_interval = '1h'");
$node->start;
is_shown('fast shutdown in the middle of a flush');
is_written('... all is written');

# A prepared transaction does not end with its session: the worker must not
# wait for its lock while the server stops.
$node->safe_psql('postgres',
	q{BEGIN; SELECT FROM apitoken._usage FOR UPDATE; PREPARE TRANSACTION 'holds'});
use_all(5);
stop_and_start($node, 'fast');
is_shown('fast shutdown with a row locked by a prepared transaction');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'holds'});
is_written('... all is written when it has ended');

# One that has written: what became of it is seen on the other side.
foreach my $end ('COMMIT', 'ROLLBACK')
{
	use_all(5);
	$node->safe_psql('postgres',
		q{BEGIN; SELECT apitoken.flush_usage(); PREPARE TRANSACTION 'writes'});
	use_all(2);
	is_shown('a prepared flush shows nothing twice');
	stop_and_start($node, 'fast');
	is_shown('... nor after a shutdown');
	$node->safe_psql('postgres', "$end PREPARED 'writes'");
	is_shown("... nor after $end PREPARED");
	stop_and_start($node, 'smart') if $end eq 'COMMIT';
	is_written('... and all is written once');
}

# --- no worker, nobody there ---

$node->append_conf('postgresql.conf', "max_worker_processes = 0\n");
$node->restart;
use_all(5);
is(stats($node, 'worker_running'), 'f', 'no worker can be had');
stop_and_start($node, 'fast');
is_shown('... fast shutdown loses nothing');

# Sessions come and go, and the file with them.
foreach (1 .. 3)
{
	use_all(1);
	wait_file($node, 1, 'the last session has saved what is pending');
}
is_shown('... nothing is counted twice');
stop_and_start($node, 'smart');
is_shown('... nor after a smart shutdown');
is_written('... and all is written once');

$node->stop;
done_testing();
