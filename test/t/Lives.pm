# Clients that make tokens and lead them through their lives, one after the
# other, and write down what the server has answered; and what must be true of
# these tokens afterwards, in the same database or in one that was made of it.

package Lives;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

our @EXPORT = qw($LIFE $DEATH $REMOVAL $PURGE start_client stop_client said told
  wait_told so_far check_lives outcomes);

# One token's life in a client, in realm acme: each line is told when it was
# answered, in the order of what can be told of a token.  Revoked ones are there
# to be purged.
our $LIFE = q{
SELECT id, token FROM apitoken.issue('acme', 'token', '{api.read}', principal => 'me') \gset
\echo issued :id :token
SELECT token AS second FROM apitoken.rotate(:'id', '1 hour') \gset
\echo rotated :id :second
SELECT status FROM apitoken.suspend(:'id') \gset
\echo suspended :id -
SELECT status FROM apitoken.activate(:'id') \gset
\echo activated :id -
};
our $DEATH = q{
SELECT status FROM apitoken.revoke(:'id') \gset
\echo revoked :id -
};

# Fails where the purge was quicker.
our $REMOVAL = $DEATH . q{
\set ON_ERROR_STOP off
SELECT status FROM apitoken.delete(:'id') \gset
\if :ERROR
\else
\echo deleted :id -
\endif
\set ON_ERROR_STOP on
};
our $PURGE = q{
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
my @STEPS = qw(issued rotated suspended activated revoked deleted);

# What a client waits before it begins anew: else it would be at its end too
# soon, or make more tokens than can be looked at.
my $PAUSE = q{
SELECT pg_sleep(0.01) AS rest \gset
};

# Of this test alone: several run at once.
my $dir;
my $scripts = 0;

# From a file: there is nobody to be told the rest when the server is gone.  It
# must not come to its end before.  What is to be done first is done once.
sub start_client
{
	my ($node, $lives, $times, $first) = @_;
	$dir //= PostgreSQL::Test::Utils::tempdir();
	my $script = "$dir/script" . ++$scripts;
	# To files: a pipe that nobody reads for a while would stop the client.
	my %client = (name => "client$scripts", file => "$script.out", log => "$script.err");

	PostgreSQL::Test::Utils::append_to_file($script, ($first // '') . "$lives$PAUSE" x ($times // 5000));
	$client{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $script,
			'-d', $node->connstr('postgres') . " application_name=$client{name}" ],
		'>', $client{file}, '2>', $client{log});
	return \%client;
}

# Ends the session of a client; what it was told is whole.
sub stop_client
{
	my ($node, $client) = @_;

	$node->safe_psql('postgres',
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '$client->{name}'");
	$client->{run}->finish;
	return;
}

# What a client was told until now, or, as so_far() has it, until then.
sub said
{
	my ($client) = @_;

	return $client->{out} // slurp($client->{file});
}

sub told
{
	my ($client) = @_;

	return scalar(() = said($client) =~ /^\w+ /mg);
}

# Waits until it was told so many things.
sub wait_told
{
	my ($client, $many) = @_;

	wait_until(sub { told($client) > $many }) or die "client was told of too little: " . said($client);
	return;
}

# What a client that goes on was told until now.
sub so_far
{
	my ($client) = @_;

	return { out => said($client) =~ s/[^\n]*\z//r };
}

# What the clients were told of each token: the last word, and its secrets.
sub lives_of
{
	my ($client) = @_;
	my (@order, %life);

	foreach (split /\n/, said($client))
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
	my ($node, $database) = @_;

	return map { split /\|/ } split /\n/, $node->safe_psql(
		$database, q{
		SELECT DISTINCT ON (token_id) token_id, event FROM apitoken._event
		WHERE token_id IS NOT NULL ORDER BY token_id, id DESC});
}

sub outcomes
{
	my ($node, $secrets, $database) = @_;
	my $list = join ', ', map { "'$_'" } ref $secrets ? @$secrets : $secrets;

	return split /\n/, $node->safe_psql($database // 'postgres',
		"SELECT outcome FROM apitoken.verify_many(ARRAY[$list]) ORDER BY ordinality");
}

# What may have become of a token: so many steps more than was told, or any
# number; one that was revoked may have been purged by another client.
sub may_be
{
	my ($word, $steps) = @_;
	my ($at) = grep { $STEPS[$_] eq $word } 0 .. $#STEPS;
	my $last = defined $steps && $at + $steps < $#STEPS ? $at + $steps : $#STEPS;
	my @may = @STEPS[ $at .. $last ];

	push @may, 'purged' if grep { $_ eq 'revoked' } @may;
	return @may;
}

# The tokens of a client are as it was told, and verify so.  The one that was
# told of last may have gone on by one step; with "later", which is for a client
# that went on (so_far), all of them by any number of steps.
sub check_lives
{
	my ($node, $client, $what, %params) = @_;
	my $database = $params{database} // 'postgres';
	my @lives = lives_of($client);
	my %event = last_events($node, $database);
	my (@secrets, @expected, @wrong);

	foreach my $life (@lives)
	{
		my $event = $event{ $life->{id} } // 'nothing';
		my $steps = $params{later} ? undef : $life == $lives[-1] ? 1 : 0;

		push @wrong, "$life->{id}: told $life->{word}, is $event"
		  unless grep { $_ eq $event } may_be($life->{word}, $steps);
		my $outcomes = $OUTCOMES{$event} // $OUTCOMES{gone};
		push @secrets, @{ $life->{secrets} };
		push @expected, @$outcomes[ 0 .. $#{ $life->{secrets} } ];
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	cmp_ok(scalar @lives, '>', 1, "$what: a client was told of " . @lives . ' tokens');
	is(join("\n", @wrong), '', '... which are as they were told, or further');
	is(join("\n", outcomes($node, \@secrets, $database)), join("\n", @expected), '... and verify so');
	return;
}

1;
