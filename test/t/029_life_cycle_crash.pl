# kill -9 of a backend and of the postmaster while clients issue, rotate,
# suspend, revoke, delete and purge: what was answered is there and verifies as
# it must, of what was not answered there is all or nothing, and all tables
# agree.

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

my $node = life_cycle_node('main', 'restart_after_crash = on');
add_realm($node, 'acme');

# A purge that was answered has happened, and at most one that was not.
sub check_purges
{
	my ($client, $before) = @_;
	my $told = 0;
	my $purged = $node->safe_psql('postgres',
		"SELECT count(*) FROM apitoken._event WHERE event = 'purged'") - $before;

	$told += $_ foreach said($client) =~ /^purged (\d+)/mg;
	cmp_ok($purged, '>=', $told, '... what was purged stays so');
	cmp_ok($purged, '<=', $told + 3, '... and no more than one batch that nobody was told of');
	return;
}

# A backend in the midst of it; the others are then told to quit at once.
sub kill_backend
{
	my $offset = -s $node->logfile;

	kill 9, wait_until(sub { $node->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND query LIKE '%apitoken.%' AND pid <> pg_backend_pid() LIMIT 1})});
	wait_crash($node, $offset);
	return;
}

sub kill_postmaster
{
	$node->kill9;
	ok(start_again($node), 'the server starts again');
	return;
}

foreach my $round (1 .. 4)
{
	my $what = $round % 2 ? 'backend' : 'postmaster';
	my $purged = $node->safe_psql('postgres',
		"SELECT count(*) FROM apitoken._event WHERE event = 'purged'");
	my @clients = map { start_client($node, $_) } $LIFE, $LIFE . $DEATH, $LIFE . $REMOVAL;
	my $purger = start_client($node, $PURGE);

	unwatch();

	# Each round ends elsewhere: not by the time, but by what has been done.
	wait_told($_, 21 * $round) foreach @clients;
	wait_told($purger, 10);
	$what eq 'backend' ? kill_backend() : kill_postmaster();
	$_->{run}->finish foreach @clients, $purger;
	like(slurp($_->{log}), qr/server closed the connection|connection to server was lost|terminating connection/,
		"round $round, $what: a client has lost its connection")
	  foreach @clients;

	watch($node);
	agrees('... all tables agree');
	check_lives($node, $_, "round $round, $what") foreach @clients;
	check_purges($purger, $purged);
}

# It goes on: the next token, the next purge, the index that finds them.
my ($id, $token) = issue($node, q{'acme', 'afterwards'});
is(join(' ', outcomes($node, $token)), 'valid', 'a token issued afterwards is valid');
$node->safe_psql('postgres', q{SELECT apitoken.revoke_all('acme')});
1 while $node->safe_psql('postgres', q{SELECT apitoken.purge('0', 100)}) > 0;
is($node->safe_psql('postgres', 'SELECT count(*) FROM apitoken._token'), '0', 'all can be purged');
agrees('... and all tables agree');

unwatch();
$node->stop;
done_testing();
