# kill -9 of a backend and of the postmaster while clients issue, rotate,
# suspend, revoke, delete and purge: what was answered is there and verifies as
# it must, of what was not answered there is all or nothing, and all tables
# agree.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use LifeCycle;
use Usage;

my $CLIENTS = 3;
my $node = life_cycle_node('main', 'restart_after_crash = on');
add_realm($node, 'acme');

# One token's life in a client: each line is told when it was answered, in the
# order of what can be told of a token.  Revoked ones are there to be purged.
my $LIFE = q{
SELECT id, token FROM apitoken.issue('acme', 'token', '{api.read}', principal => 'me') \gset
\echo issued :id :token
SELECT token AS second FROM apitoken.rotate(:'id', '1 hour') \gset
\echo rotated :id :second
SELECT status FROM apitoken.suspend(:'id') \gset
\echo suspended :id -
SELECT status FROM apitoken.activate(:'id') \gset
\echo activated :id -
};
my $DEATH = q{
SELECT status FROM apitoken.revoke(:'id') \gset
\echo revoked :id -
};

# Fails where the purge was quicker.
my $REMOVAL = $DEATH . q{
\set ON_ERROR_STOP off
SELECT status FROM apitoken.delete(:'id') \gset
\if :ERROR
\else
\echo deleted :id -
\endif
\set ON_ERROR_STOP on
};
my $PURGE = q{
SELECT apitoken.purge('0', 3) AS n \gset
\echo purged :n
};

# What verify() says of the first and second secret behind each line.
my %OUTCOMES = (
	issued => [ 'valid', 'unknown' ],
	rotated => [ 'valid', 'valid' ],
	suspended => [ 'suspended', 'suspended' ],
	activated => [ 'valid', 'valid' ],
	revoked => [ 'revoked', 'revoked' ],
	gone => [ 'unknown', 'unknown' ]);
my %NEXT = (
	issued => ['rotated'],
	rotated => ['suspended'],
	suspended => ['activated'],
	activated => ['revoked'],
	revoked => ['deleted'],
	deleted => []);

my $scripts = 0;

# From a file: there is nobody to be told the rest when the server is gone.
sub start_client
{
	my ($lives) = @_;
	my $script = "$PostgreSQL::Test::Utils::tmp_check/script" . ++$scripts;
	my %client = (out => '', err => '');

	PostgreSQL::Test::Utils::append_to_file($script, $lives x 3000);
	$client{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $script ],
		'>', \$client{out}, '2>', \$client{err});
	return \%client;
}

sub told
{
	my ($client) = @_;

	$client->{run}->pump_nb;
	return scalar(() = $client->{out} =~ /^\w+ /mg);
}

# What the clients were told of each token: the last word, and its secrets.
sub lives_of
{
	my ($client) = @_;
	my (@order, %life);

	foreach (split /\n/, $client->{out})
	{
		my ($word, $id, $secret) = split / /;

		next if $word eq 'purged';
		push @order, $id unless $life{$id};
		$life{$id}{word} = $word;
		push @{ $life{$id}{secrets} }, $secret if $secret ne '-';
	}
	return map { $life{$_}{id} = $_; $life{$_} } @order;
}

# What the events say is the last that happened to each token.
sub last_events
{
	return map { split /\|/ } split /\n/, $node->safe_psql(
		'postgres', q{
		SELECT DISTINCT ON (token_id) token_id, event FROM apitoken._event
		WHERE token_id IS NOT NULL ORDER BY token_id, id DESC});
}

sub outcomes
{
	my (@secrets) = @_;
	my $list = join ', ', map { "'$_'" } @secrets;

	return split /\n/, $node->safe_psql('postgres',
		"SELECT outcome FROM apitoken.verify_many(ARRAY[$list]) ORDER BY ordinality");
}

# One that was told of last may have gone on by one step; revoked ones may have
# been purged by another client.
sub check_lives
{
	my ($client, $what) = @_;
	my @lives = lives_of($client);
	my %event = last_events();
	my (@secrets, @expected, @wrong);

	foreach my $life (@lives)
	{
		my $event = $event{ $life->{id} } // 'nothing';
		my @may = ($life->{word}, $life == $lives[-1] ? @{ $NEXT{ $life->{word} } } : ());

		push @may, 'purged' if grep { $_ eq 'revoked' } @may;
		push @wrong, "$life->{id}: told $life->{word}, is $event"
		  unless grep { $_ eq $event } @may;
		my $outcomes = $OUTCOMES{$event} // $OUTCOMES{gone};
		push @secrets, @{ $life->{secrets} };
		push @expected, @$outcomes[ 0 .. $#{ $life->{secrets} } ];
	}
	cmp_ok(scalar @lives, '>', 1, "$what: a client was told of " . @lives . ' tokens');
	is(join("\n", @wrong), '', '... which are as they were told, or one step further');
	is(join("\n", outcomes(@secrets)), join("\n", @expected), '... and verify so');
	return;
}

# A purge that was answered has happened, and at most one that was not.
sub check_purges
{
	my ($client, $before) = @_;
	my $told = 0;
	my $purged = $node->safe_psql('postgres',
		"SELECT count(*) FROM apitoken._event WHERE event = 'purged'") - $before;

	$told += $_ foreach $client->{out} =~ /^purged (\d+)/mg;
	cmp_ok($purged, '>=', $told, '... what was purged stays so');
	cmp_ok($purged, '<=', $told + 3, '... and no more than one batch that nobody was told of');
	return;
}

# A backend in the midst of it; the others are then told to quit at once.
sub kill_backend
{
	my $offset = -s $node->logfile;

	kill 9, $node->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND query LIKE '%apitoken.%' AND pid <> pg_backend_pid() LIMIT 1});
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
	my @clients = map { start_client($_) } $LIFE, $LIFE . $DEATH, $LIFE . $REMOVAL;
	my $purger = start_client($PURGE);

	unwatch();

	# Each round ends elsewhere: not by the time, but by what has been done.
	foreach my $client (@clients)
	{
		$client->{run}->pump until told($client) > 20 * $round + $round;
	}
	$purger->{run}->pump until told($purger) > 10;
	$what eq 'backend' ? kill_backend() : kill_postmaster();
	$_->{run}->finish foreach @clients, $purger;
	like($_->{err}, qr/server closed the connection|connection to server was lost|terminating connection/,
		"round $round, $what: a client has lost its connection")
	  foreach @clients;

	watch($node);
	agrees('... all tables agree');
	check_lives($_, "round $round, $what") foreach @clients;
	check_purges($purger, $purged);
}

# It goes on: the next token, the next purge, the index that finds them.
my ($id, $token) = issue($node, q{'acme', 'afterwards'});
is(join(' ', outcomes($token)), 'valid', 'a token issued afterwards is valid');
$node->safe_psql('postgres', q{SELECT apitoken.revoke_all('acme')});
1 while $node->safe_psql('postgres', q{SELECT apitoken.purge('0', 100)}) > 0;
is($node->safe_psql('postgres', 'SELECT count(*) FROM apitoken._token'), '0', 'all can be purged');
agrees('... and all tables agree');

unwatch();
$node->stop;
done_testing();
