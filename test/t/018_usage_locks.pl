# Whatever a flush waits for (locked rows and tables, another flush, prepared
# transactions): verification answers, nothing is lost or counted twice, other
# databases are written to, and stats() shows what is wrong.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', $soon, 'max_prepared_transactions = 3');
$node->safe_psql('postgres', 'CREATE DATABASE second');
install($node, 'second');
my $token = token($node);
my $other = token($node, 'second');

my $holder = session($node);
$holder->set_query_timer_restart;	# three minutes for each query, not for all
my $error = q{SELECT last_flush_error FROM apitoken.stats()};
my $timeout = 'canceling statement due to lock timeout';

# --- rows and tables that somebody keeps locked ---

my %lock = (
	'its row in _usage' => 'SELECT FROM apitoken._usage FOR UPDATE',
	'its row in _usage_hourly' => 'SELECT FROM apitoken._usage_hourly FOR UPDATE',
	'table _usage' => 'LOCK TABLE apitoken._usage IN ACCESS EXCLUSIVE MODE',
	'both against writing' => 'LOCK TABLE apitoken._usage, apitoken._usage_hourly IN SHARE MODE');
use_it($node, $token, 1, 'a first use');
wait_stored($node, $token, $token->{total}, '... is written');
foreach my $what (sort keys %lock)
{
	my $before = last_used($node, $token);
	ask($holder, "BEGIN; $lock{$what}");
	use_it($node, $token, 5, "$what is locked: verification answers");
	flush_waits($node);
	use_it($node, $token, 5, '... also while a flush waits');
	ask($holder, 'COMMIT');
	wait_stored($node, $token, $token->{total}, '... unlocked: all is written once');
	is( $node->safe_psql('postgres',
			"SELECT last_used_at > '$before' FROM apitoken._usage WHERE token_id = '$token->{id}'"),
		't', '... with a later time');
}

# Locked for longer than a flush waits.
ask($holder, 'BEGIN; SELECT FROM apitoken._usage FOR UPDATE');
use_it($node, $token, 5, 'locked for long');
use_it($node, $other, 2, '... the other database is used');
wait_query($node, $error, $timeout, '... stats() shows that the flush failed');
wait_stored($node, $other, $other->{total}, '... the other database is written to');
wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()', '', '... and has no error', 'second');
is(stats($node, 'last_flush_error'), $timeout, '... the first one still has');
use_it($node, $token, 5, '... verification answers');
is(shown($node, $token), $token->{total}, '... and is shown');
ask($holder, 'COMMIT');
wait_stored($node, $token, $token->{total}, '... unlocked: all is written once');
wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()', '', '... and the error is gone');

# For as long as somebody with a report might have them: half a minute.
ask($holder, "BEGIN; SELECT FROM apitoken._usage WHERE token_id = '$token->{id}' FOR UPDATE; SELECT FROM apitoken._usage_hourly WHERE token_id = '$token->{id}' FOR UPDATE");
my $verifier = session($node);
$verifier->set_query_timer_restart;
my ($until, $answered, $slow) = (time + 30, 0, 0);
while (time < $until)
{
	my $took = ask($verifier, "SELECT count(apitoken.verified_id('$token->{token}')) > 0 AND clock_timestamp() - statement_timestamp() < interval '5 s' FROM generate_series(1, 10)");
	$answered++;
	$slow++ if $took ne 't';
	$token->{total} += 10;
	use_token($node, $other, 1) eq '1' and $other->{total}++ if $answered % 10 == 0;
	select undef, undef, undef, 0.1;
}
$verifier->quit;
cmp_ok($answered, '>', 20, 'rows of use are locked for 30 s: verification goes on');
is($slow, 0, '... and never waits for them');
wait_stored($node, $other, $other->{total}, '... the other database is written to');
is(shown($node, $token), $token->{total}, '... what is held up is shown');
ask($holder, 'COMMIT');
wait_stored($node, $token, $token->{total}, '... unlocked: all is written once');

# --- a user removes tokens in another order than they are written ---

# Holding the row of the later id he wants the earlier one, which the worker has
# while it waits for the later: it is the worker that gives up.
my @pair = sort { $a->{id} cmp $b->{id} } map { token($node) } 1 .. 2;
my $ids = "'$pair[0]{id}', '$pair[1]{id}'";
foreach my $round (1 .. 3)
{
	flush_every($node, '1h');
	use_it($node, $_, 2, 'two tokens are used') foreach @pair;
	ask($holder, "BEGIN; DELETE FROM apitoken._usage WHERE token_id = '$pair[1]{id}' RETURNING 1");
	flush_every($node, $soon);
	flush_waits($node);
	is(ask($holder, "DELETE FROM apitoken._usage WHERE token_id = '$pair[0]{id}' RETURNING 1"), '1', '... somebody who crosses the worker gets what he wants');
	is(ask($holder, "SELECT count(*) FROM apitoken._usage WHERE token_id IN ($ids)"), '0', '... both');
	ask($holder, 'ROLLBACK');
	wait_stored($node, $_, $_->{total}, '... rolled back, all is written once') foreach @pair;
}
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'nobody was chosen as a victim');

# --- flush_usage() fails ---

flush_every($node, '1h');
ask($holder, 'BEGIN; SELECT FROM apitoken._usage FOR UPDATE');
use_it($node, $token, 5, 'locked');
my $flushed_at = stats($node, 'last_flush_at');
is(sqlstate($node, q{SET lock_timeout = '10ms'; SELECT apitoken.flush_usage()}),
	'ERROR 55P03', 'flush_usage() with a lock_timeout');
is(stats($node, 'last_flush_error'), $timeout, '... stats() shows it');
is(stats($node, 'last_flush_at'), $flushed_at, '... as no flush');
is(sqlstate($node, q{SET statement_timeout = '10ms'; SELECT apitoken.flush_usage()}),
	'ERROR 57014', 'flush_usage() with a statement_timeout');
ask($holder, 'COMMIT');
is(shown($node, $token), $token->{total}, '... nothing is lost');
is($node->safe_psql('postgres', 'SELECT apitoken.flush_usage()'), '1', '... the next one');
is(stored($node, $token), $token->{total}, '... writes everything once');
is(stats($node, "last_flush_error, last_flush_at > '$flushed_at'"), '|t', '... and stats() shows that');

# A savepoint that is rolled back takes the flush with it.
use_it($node, $token, 2, 'a flush behind a savepoint');
$flushed_at = stats($node, 'last_flush_at');
$node->safe_psql('postgres',
	'BEGIN; SAVEPOINT a; SELECT apitoken.flush_usage(); ROLLBACK TO a; COMMIT');
is(stats($node, 'last_flush_at'), $flushed_at, '... that is rolled back is none');
is(shown($node, $token), $token->{total}, '... and nothing is lost');
$node->safe_psql('postgres',
	'BEGIN; SAVEPOINT a; SELECT apitoken.flush_usage(); RELEASE a; COMMIT');
is(stats($node, "last_flush_at > '$flushed_at'"), 't', '... that is released is one');
is(stored($node, $token), $token->{total}, '... and all is written once');

# --- two flushes of one database, and a stranger's advisory locks ---

use_it($node, $token, 5, 'two flushes');
ask($holder, 'BEGIN');
is(ask($holder, 'SELECT apitoken.flush_usage()'), '1', 'flush_usage() in a transaction that stays open');
use_it($node, $token, 3, '... verification answers');
flush_every($node, $soon);
flush_waits($node);
use_it($node, $other, 2, '... the other database is used');
wait_stored($node, $other, $other->{total}, '... the other database is written to');
ask($holder, 'ROLLBACK');
wait_stored($node, $token, $token->{total}, '... rolled back: the worker writes all, once');

$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
my $stranger = session($node);
ask($stranger, 'SET ROLE stranger');
ask($stranger, "SELECT pg_advisory_lock(k) FROM generate_series(0, 100) k");
ask($stranger, 'SELECT pg_advisory_lock(1635019622, k) FROM generate_series(0, 3) k');
use_it($node, $token, 3, 'somebody has advisory locks');
wait_stored($node, $token, $token->{total}, '... they are in nobody\'s way');
$stranger->quit;

# --- a flush that is prepared ---

foreach my $end ('COMMIT', 'ROLLBACK')
{
	flush_every($node, '1h');
	use_it($node, $token, 5, 'a prepared flush');
	$node->safe_psql('postgres',
		q{BEGIN; SELECT apitoken.flush_usage(); PREPARE TRANSACTION 'flush'});
	is(shown($node, $token), $token->{total}, '... nothing is shown twice');
	use_it($node, $token, 2, '... verification answers');
	is(sqlstate($node, q{SET lock_timeout = '10ms'; SELECT apitoken.flush_usage()}),
		'ERROR 55P03', '... another flush waits');
	use_it($node, $other, 2, '... the other database is used');
	flush_every($node, $soon);
	wait_stored($node, $other, $other->{total}, '... the other database is written to');
	$node->safe_psql('postgres', "$end PREPARED 'flush'");
	wait_stored($node, $token, $token->{total}, "... $end PREPARED: all is written once");
}

$holder->quit;
$node->stop;
done_testing();
