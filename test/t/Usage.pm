# What the tests of recorded use share.  They say when a flush happens, by
# apitoken.usage_flush_interval: "1h" is never by itself, $soon is at once,
# and wait for what shall come; none asserts how long anything takes.

package Usage;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

our @EXPORT = qw($soon usage_node install token use_token use_it shown
  stored hourly last_used wait_stored wait_query workers wait_workers flush_waits
  signal_flush stats
  flush_every wait_crash spill_file wait_file stop_and_start);

our $soon = '100ms';

# The framework's restart() takes no mode.
sub stop_and_start
{
	my ($node, $mode) = @_;

	$node->stop($mode);
	$node->start;
	return;
}

# A running cluster with the extension in database postgres.
sub usage_node
{
	my ($name, $interval, @lines) = @_;
	my $node = new_node($name);

	$node->append_conf('postgresql.conf', join "\n",
		"apitoken.usage_flush_interval = '$interval'", @lines, '');
	$node->start;
	install($node, 'postgres');
	return $node;
}

sub install
{
	my ($node, $database) = @_;

	$node->safe_psql($database,
		q{CREATE EXTENSION apitoken; INSERT INTO apitoken.realm (id) VALUES ('acme')});
	return;
}

# A new token: {id, token, database, total}, the last being what use_it() counts.
sub token
{
	my ($node, $database) = @_;
	my ($id, $token) = issue($node, q{'acme', 'token'}, $database);

	return {
		id       => $id,
		token    => $token,
		database => $database // 'postgres',
		total    => 0
	};
}

# Verifies a token so many times, in a session that ends; says how many
# answered.
sub use_token
{
	my ($node, $token, $times) = @_;

	return $node->safe_psql($token->{database}, uses($token, $times));
}

# The same as a test that all answered; they are added to the token's total.
sub use_it
{
	my ($node, $token, $times, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(use_token($node, $token, $times), $times, $name);
	$token->{total} += $times;
	return;
}

sub uses
{
	my ($token, $times) = @_;

	return "SELECT count(apitoken.verified_id('$token->{token}')) "
	  . "FROM generate_series(1, $times)";
}

sub of_token
{
	my ($node, $token, $sql) = @_;

	return $node->safe_psql($token->{database}, "$sql = '$token->{id}'");
}

# How often it was used, denied uses left out: by the view, by the table, by
# the hourly table.
sub shown
{
	my ($node, $token) = @_;

	return of_token($node, $token,
		'SELECT use_count FROM apitoken.tokens WHERE id');
}

sub stored
{
	my ($node, $token) = @_;

	return of_token($node, $token,
		'SELECT use_count FROM apitoken._usage WHERE token_id');
}

sub hourly
{
	my ($node, $token) = @_;

	return of_token($node, $token,
		q{SELECT coalesce(sum(uses), 0) FROM apitoken._usage_hourly
		WHERE outcome = 'valid' AND token_id});
}

# When it was used last, by the table.
sub last_used
{
	my ($node, $token) = @_;

	return of_token($node, $token,
		'SELECT last_used_at FROM apitoken._usage WHERE token_id');
}

sub wait_query
{
	my ($node, $query, $expected, $name, $database) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($node->poll_query_until($database // 'postgres', $query, $expected),
		$name);
}

# Waits until so many uses are in both tables, and no more.
sub wait_stored
{
	my ($node, $token, $times, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_query(
		$node,
		qq{SELECT use_count, (SELECT sum(uses) FROM apitoken._usage_hourly h
			WHERE h.token_id = u.token_id AND outcome = 'valid')
			FROM apitoken._usage u WHERE token_id = '$token->{id}'},
		"$times|$times", $name, $token->{database});
	return is(shown($node, $token), $times, '... and shown once');
}

# A column of stats().
sub stats
{
	my ($node, $column, $database) = @_;

	return $node->safe_psql($database // 'postgres',
		"SELECT $column FROM apitoken.stats()");
}

sub flush_every
{
	my ($node, $interval) = @_;

	$node->safe_psql('postgres',
		"ALTER SYSTEM SET apitoken.usage_flush_interval = '$interval'");
	$node->reload;
	return;
}

# Workers are in no view while they are connected to nothing: ask for the
# postmaster's children.
sub workers
{
	my ($node) = @_;
	my ($postmaster) = slurp($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my $processes = `ps -A -o pid= -o ppid= -o args=`;

	return $processes =~
	  /^\s*(\d+)\s+$postmaster\s+postgres: .*apitoken worker/mg;
}

# Waits until there are so many, and returns their process ids.
sub wait_workers
{
	my ($node, $count) = @_;
	my @pids;

	wait_until(sub { @pids = workers($node); @pids == $count });
	return @pids;
}

# Waits until a worker is in the middle of a flush, held up by a lock; returns
# its process id.  It goes on waiting for 2 s.
sub flush_waits
{
	my ($node, $database) = @_;

	return wait_until(
		sub {
			$node->safe_psql($database // 'postgres',
				q{SELECT pid FROM pg_stat_activity
				WHERE backend_type = 'apitoken worker' AND wait_event_type = 'Lock'});
		}) || die 'no flush is waiting';
}

# Sends a signal to such a worker, or to the next, if that one was quicker.
sub signal_flush
{
	my ($node, $signal) = @_;

	1 until kill $signal, flush_waits($node);
	return;
}

# Waits until the server has come back by itself after a crash.
sub wait_crash
{
	my ($node, $offset) = @_;

	$node->wait_for_log(
		qr/reinitializing.*database system is ready to accept connections/s,
		$offset);
	return;
}

# Where uses wait from one run of the server to the next.
sub spill_file
{
	my ($node) = @_;

	return $node->data_dir . '/pg_stat/apitoken.usage';
}

# Waits until that file is there, or is not: whoever writes it is about to
# end, and the client has gone already.
sub wait_file
{
	my ($node, $there, $name) = @_;
	my $is_there = sub { -f spill_file($node) ? 1 : 0 };

	wait_until(sub { $is_there->() == $there });
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($is_there->(), $there, $name);
}

1;
