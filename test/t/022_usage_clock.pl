# The clock is set back, and hours go by, while uses are pending.  The server
# runs on a clock of ours (Clock.pm); skipped where there is no C compiler.
# Times never go back, nothing is counted twice or left out, and nobody waits
# for the clock to come back to where it was.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Clock;
use Usage;

plan skip_all => 'no C compiler' unless make_clock();

my $node = new_node('main');
$node->append_conf('postgresql.conf', "apitoken.usage_flush_interval = '1h'\n");
on_clock { $node->start };
install($node, 'postgres');
my $token = token($node);
my $total = 0;

sub use_from
{
	my ($address, $times) = @_;

	$node->safe_psql('postgres',
		"SELECT count(apitoken.verified_id('$token->{token}', NULL, '$address')) FROM generate_series(1, $times)");
	$total += $times;
	return;
}

sub seen
{
	return $node->safe_psql('postgres',
		"SELECT last_used_at, last_used_ip FROM apitoken.tokens WHERE id = '$token->{id}'");
}

my $hour = 3600;
my $day = 24 * $hour;
my $now = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
set_clock($day);
is($node->safe_psql('postgres', "SELECT clock_timestamp() > '$now'::timestamptz + interval '23 hours'"), 't',
	'the clock can be set');

# --- back, with uses pending ---

use_from('10.0.0.1', 3);
my $ahead = seen();
like($ahead, qr/10\.0\.0\.1$/, 'used a day ahead');
set_clock(0);
use_from('10.0.0.2', 2);
is(seen(), $ahead, 'set back: the last use is still the later one');
is(shown($node, $token), $total, '... and all are counted');
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
is(stored($node, $token), $total, '... and written');
is(hourly($node, $token), $total, '... by hour, too');
is(seen(), $ahead, '... with the later time');
use_from('10.0.0.3', 2);
is(seen(), $ahead, 'the table has a later time than memory: it is shown');
is(shown($node, $token), $total, '... and all are counted');
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
is(seen(), $ahead, '... and stays');
is(stored($node, $token), $total, '... all are written');
is(hourly($node, $token), $total, '... by hour, too');
set_clock($day + 60);
use_from('10.0.0.4', 1);
like(seen(), qr/10\.0\.0\.4$/, 'later again: the last use is the new one');
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
like(seen(), qr/10\.0\.0\.4$/, '... also when it is written');

# --- hours go by ---

# While a flush is under way, which then ends one way or the other.
foreach my $end ('ROLLBACK', 'COMMIT')
{
	my $start = $day + 2 * $hour;

	set_clock($start);
	use_from('10.0.0.5', 4);
	my $session = session($node);
	ask($session, 'BEGIN');
	is(ask($session, 'SELECT apitoken.flush_usage()'), '1', 'a flush is under way');
	use_from('10.0.0.5', 1);
	set_clock($start + 2 * $hour);
	use_from('10.0.0.5', 2);
	is(shown($node, $token), $total, '... hours go by, all are counted');
	ask($session, $end);
	$session->quit;
	is(shown($node, $token), $total, "... $end: all are counted");
	$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
	is(stored($node, $token), $total, '... and written');
	is(hourly($node, $token), $total, '... by hour, too');
}
is($node->safe_psql('postgres',
		"SELECT bool_and(hour = date_trunc('hour', hour)), count(*) > 1, max(hour) <= clock_timestamp() FROM apitoken.usage_hourly"),
	't|t|t', 'hours are whole, and none is ahead of the clock');
is($node->safe_psql('postgres', 'SELECT sum(uses) FROM apitoken.usage_daily'), $total, 'days have all uses');

# --- the worker does not wait for the clock ---

set_clock(10 * $day);
use_from('10.0.0.6', 1);
is(scalar wait_workers($node, 1), 1, 'a worker sleeps');
set_clock(0);
flush_every($node, $soon);
wait_stored($node, $token, $total, 'set back while the worker sleeps: it writes');
is(scalar wait_workers($node, 0), 0, '... and is gone');
use_from('10.0.0.6', 1);
wait_stored($node, $token, $total, '... and the next one, too');

# Nor does the next try after no worker could be had.
$node->append_conf('postgresql.conf', "max_worker_processes = 0\n");
flush_every($node, '1h');
set_clock(10 * $day);
on_clock { $node->restart };
my $session = session($node);
ask($session, Usage::uses($token, 5));
is(ask($session, 'SELECT worker_failures FROM apitoken.stats()'), '1', 'no worker can be had');
set_clock(0);
ask($session, Usage::uses($token, 1));
is(ask($session, 'SELECT worker_failures FROM apitoken.stats()'), '2', 'set back: it is tried again');
$session->quit;

$node->stop;
done_testing();
