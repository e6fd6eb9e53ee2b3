# kill -9 of a backend, of the worker, of the checkpointer and of the
# postmaster, while the worker sleeps and in the middle of a flush: afterwards
# what was written is there, times have not gone back, counts are not doubled,
# and what is lost was recorded since the last flush.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', '1h', 'restart_after_crash = on');
my $token = token($node);
my $total = 0;

# Kills it, and waits until the server is back.  No pid: the worker that is in
# the middle of a flush.
sub kill_one
{
	my ($what, $pid) = @_;
	my $offset = -s $node->logfile;

	if ($what eq 'postmaster')
	{
		$node->kill9;
		ok(start_again($node), 'the server starts again');
		return;
	}
	if ($what eq 'worker' && !$pid)
	{
		signal_flush($node, 9);
	}
	else
	{
		kill 9, $pid;
	}
	wait_crash($node, $offset);
	return;
}

sub pid_of
{
	my ($type) = @_;

	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
}

# After it: so many uses were written before, so many noted since.  The killed
# postmaster's children end as they should, and may have saved these.
sub check
{
	my ($what, $written, $since, $before) = @_;
	my $now = shown($node, $token);

	cmp_ok($now, '>=', $written, "$what: what was written is there");
	cmp_ok($now, '<=', $written + $since, '... and nothing is counted twice');
	is($now, $written, '... what was not written is lost')
	  unless $what =~ /postmaster/;
	is( $node->safe_psql(
			'postgres', qq{
			SELECT last_used_at >= '$before' FROM apitoken.tokens
			WHERE id = '$token->{id}'}),
		't',
		'... the time has not gone back');

	# It counts and flushes as before.
	is(use_token($node, $token, 3), 3, '... verifications answer');
	$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
	$total = $now + 3;
	wait_stored($node, $token, $total, '... and are counted and written');
	is(hourly($node, $token), $total, '... by hour, too');
	return;
}

foreach my $what ('backend', 'worker', 'checkpointer', 'postmaster')
{
	# Asleep.
	use_token($node, $token, 10);
	$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
	my $written = stored($node, $token);
	is($written, $total + 10, "before $what is killed: written");
	my $before = last_used($node, $token);

	my $session = session($node);
	my $backend = ask($session, 'SELECT pg_backend_pid()');
	ask($session, Usage::uses($token, 7));
	is(shown($node, $token), $written + 7, '... and noted');
	my @workers = wait_workers($node, 1);
	is(scalar @workers, 1, 'one worker sleeps');

	kill_one($what,
		$what eq 'backend' ? $backend
		: $what eq 'worker' ? $workers[0]
		: pid_of('checkpointer'));
	check("$what, asleep", $written, 7, $before);
	$session->{run}->kill_kill;

	# In the middle of a flush, which waits for a row.
	use_token($node, $token, 10);
	$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
	$written = stored($node, $token);
	$before = last_used($node, $token);
	my $locker = session($node);
	$backend = ask($locker, 'SELECT pg_backend_pid()');
	ask($locker,
		"BEGIN; SELECT FROM apitoken._usage WHERE token_id = '$token->{id}' FOR UPDATE");
	use_token($node, $token, 7);
	flush_every($node, $soon);
	flush_waits($node);

	kill_one($what,
		$what eq 'backend' ? $backend
		: $what eq 'worker' ? undef
		: pid_of('checkpointer'));
	flush_every($node, '1h');
	check("$what, in a flush", $written, 7, $before);
	$locker->{run}->kill_kill;
}

# What a worker has written is there for good: nothing is gained by waiting.
flush_every($node, $soon);
foreach my $round (1 .. 2)
{
	use_token($node, $token, 5);
	$total += 5;
	wait_stored($node, $token, $total, 'written by the worker');
	my $before = last_used($node, $token);
	$node->kill9;
	ok(start_again($node), 'the server starts again');
	is(stored($node, $token), $total, '... with what the worker had written');
	is(last_used($node, $token), $before, '... at the same time');
}

# However often it crashed, there is one worker, and none without need.
use_token($node, $token, 5);
wait_stored($node, $token, $total + 5, 'the last uses');
is(scalar wait_workers($node, 0), 0, 'no worker is left');
is(stats($node, 'usage_pending, usage_dropped, worker_running'), '0|0|f',
	'... and nothing else');

$node->stop;
done_testing();
