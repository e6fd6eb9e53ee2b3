# statement_timeout, pg_cancel_backend() and pg_terminate_backend() at random
# moments of every function: nothing is half done.  After each, all tables are
# as they were, or as after the whole call; at the end they agree with each
# other, the seals are sound, and the server works on.
#
# APITOKEN_TEST_SEED gives other moments, APITOKEN_TEST_SECONDS more of them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use Apitoken;
use LifeCycle;

random_seed();
my $seconds = $ENV{APITOKEN_TEST_SECONDS} // 30;
my $node = life_cycle_node('main');
add_realm($node, 'acme');
add_realm($node, 'limited', max_active_per_principal => 100000, notify => 'on');

# --- what is interrupted ---

# Besides the operations that LifeCycle.pm has: what acts on recorded use and
# on events, and what only reads.  The tables that they may change.
my @others = (
	[ 'verify', '', q{SELECT count(apitoken.verify('foreign-x-' || n)) FROM generate_series(1, 3000) n} ],
	[ 'verify_many', '', q{SELECT count(*) FROM generate_series(1, 30) r, apitoken.verify_many(
		ARRAY(SELECT 'foreign-x-' || n FROM generate_series(1, 100) n)) v WHERE r > 0} ],
	[ 'verify_sha256', '', q{SELECT count(apitoken.verify_sha256(sha256(('foreign-x-' || n)::bytea))) FROM generate_series(1, 3000) n} ],
	[ 'verified_id', '', q{SELECT count(apitoken.verified_id('foreign-x-' || n)) FROM generate_series(1, 3000) n} ],
	[ 'lookup', '', q{SELECT count(apitoken.lookup('foreign-x-' || n)) FROM generate_series(1, 3000) n} ],
	[ 'details', '', q{SELECT count(apitoken.details('foreign-x-' || n)) FROM generate_series(1, 3000) n} ],
	[ 'read', '', q{SELECT count(apitoken.read(id)) FROM apitoken._token} ],
	[ 'list', '', q{SELECT apitoken.list('acme', page_size => 1000) IS NOT NULL} ],
	[ 'query', '', q{SELECT apitoken.query('acme', page_size => 1000) IS NOT NULL} ],
	[ 'tokens_granting', '', q{SELECT count(*) FROM apitoken.tokens_granting('api.read')} ],
	[ 'tokens_at', '', q{SELECT count(*) FROM apitoken.tokens_at(now())} ],
	[ 'check_events', '', q{SELECT count(*) FROM apitoken.check_events()} ],
	[ 'stats', '', q{SELECT count(*) FROM generate_series(1, 300) n, LATERAL (SELECT usage_pending + n FROM apitoken.stats()) s} ],
	[ 'check_token, token_digest, scope_count, version', '',
		q{SELECT count(apitoken.check_token(n::text)), count(apitoken.token_digest(n::text)), count(apitoken.scope_count('a b')),
			count(apitoken.version()) FROM generate_series(1, 20000) n} ],
	[ 'flush_usage', '_usage _usage_hourly', q{SELECT apitoken.flush_usage()} ],
	[ 'seal_events', '_event_seal _event_unsealed', q{SELECT apitoken.seal_events()} ],
	[ 'purge_usage', '_usage_hourly', q{SELECT apitoken.purge_usage('0')} ],
	# Undone where it comes to its end: what follows needs the events.
	[ 'purge_events', '', q{DO $$ BEGIN PERFORM apitoken.purge_events('0'); RAISE SQLSTATE 'UNDO0'; EXCEPTION WHEN SQLSTATE 'UNDO0' THEN NULL; END $$} ],
	[ 'enable_search', '', q{SELECT apitoken.enable_search()} ]);

# --- how ---

my $session;
my $victim_pid;

sub open_session
{
	$session = lasting_session($node);
	$victim_pid = ask($session, 'SELECT pg_backend_pid()');
	return;
}

# Runs it, and ends it after so many seconds, in one of three ways; the answer
# or the SQLSTATE.
sub interrupted
{
	my ($how, $after, $sql) = @_;

	if ($how eq 'timeout')
	{
		my $ms = 1 + int(1000 * $after);
		my $answer = ask($session, "SET statement_timeout = $ms;\n$sql");

		ask($session, 'RESET statement_timeout');
		return $answer;
	}
	$session->{stderr} = '';
	$session->{stdin} .= "$sql;\n\\echo finished\n\\warn finished\n";
	$session->{run}->pump_nb;
	usleep(1e6 * $after);
	LifeCycle::look("SELECT pg_${how}_backend($victim_pid)");
	$session->{run}->pump until $session->{stderr} =~ /finished|server closed|connection to server was lost/;
	my ($state) = $session->{stderr} =~ /(?:ERROR|FATAL):\s+(\w+)/;
	if ($how eq 'terminate')
	{
		$session->{run}->kill_kill;
		# Whatever it was doing, it has ended.
		LifeCycle::look("SELECT pg_terminate_backend($victim_pid, 60000)");
		open_session();
	}
	# (A cancellation that comes late ends what comes next.)
	ask($session, 'SELECT 1') if $how eq 'cancel';
	$session->{stdout} = '';
	return $state ? "ERROR $state" : '';
}

my %count = (interrupted => 0, finished => 0, late => 0);
my @bad;

# The time that it takes is not known: from almost nothing to more than enough.
sub strike
{
	my ($name, $sql, $changes) = @_;
	my $how = (qw(timeout cancel terminate))[ rand 3 ];
	my $after = 0.0005 * 2**(rand 8);
	my $before = everything();
	my $answer = interrupted($how, $after, $sql);
	my $differs = differs($before, everything());

	# Terminated between its commit and its answer: it is done, as a whole.
	if ($answer eq 'ERROR 57P01' && $differs ne '')
	{
		$count{late}++;
		agrees("$name, terminated behind its commit: all tables agree");
	}
	elsif ($answer =~ /^ERROR (57014|57P01)/)
	{
		$count{interrupted}++;
		push @bad, "$name, $how after $after s: changed $differs" if $differs ne '';
	}
	elsif ($answer =~ /^ERROR/)
	{
		push @bad, "$name, $how after $after s: $answer";
	}
	else
	{
		$count{finished}++;
		my %may = map { $_ => 1 } split ' ', $changes // $differs;
		push @bad, "$name, $how after $after s: changed $differs"
		  if grep { !$may{$_} } split ' ', $differs;
		# Terminated behind its end, before the commit: no.  It is a statement
		# of its own.
		push @bad, "$name: finished and changed nothing"
		  if !defined $changes && $differs eq '' && $name ne 'revoke_self' && $how ne 'terminate';
	}
	return;
}

open_session();
LifeCycle::look(q{SELECT count(apitoken.import('acme', 'x', 'foreign-x-' || n, scopes => '{api.read}')) FROM generate_series(1, 300) n});
my $end = time + $seconds;
my $rounds = 0;

while (time < $end || $rounds < 2)
{
	$rounds++;
	operations((qw(acme limited))[ $rounds % 2 ], 30, sub { my ($name, $sql) = @_; strike($name, $sql) });
	LifeCycle::look(q{SELECT apitoken.import('acme', 'x', 'foreign-x-' || n, scopes => '{api.read}') FROM generate_series(1, 300) n});
	foreach my $other (@others)
	{
		my ($name, $changes, $sql) = @$other;

		strike($name, $sql, $changes);
	}
	is(join("\n", @bad), '', "round $rounds: all or nothing");
	agrees('... and all tables agree');
	is(LifeCycle::look('SELECT count(*) FROM apitoken.check_events()'), '0', '... the seals are sound');
	@bad = ();
}
note "rounds: $rounds, interrupted: $count{interrupted}, finished: $count{finished}";
cmp_ok($count{late}, '<', $count{interrupted} / 4, "terminated behind the commit: $count{late} times");
cmp_ok($count{interrupted}, '>', 10 * $rounds, "interrupted $count{interrupted} times, in $rounds rounds");
cmp_ok($count{finished}, '>', $rounds, "... and finished $count{finished} times");

# --- the server works on ---

my ($id, $token) = issue($node, q{'acme', 'afterwards'});
is(ask($session, "SELECT outcome FROM apitoken.verify('$token')"), 'valid', 'a token is made and verified');
like(ask($session, 'SELECT apitoken.flush_usage()'), qr/^\d+$/, '... its use is written');
like(ask($session, 'SELECT apitoken.seal_events()'), qr/^\d+$/, '... its event is sealed');
is(ask($session, q{SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype IN ('advisory', 'object')}), '0', '... and nobody holds a lock');
is(ask($session, 'SELECT apitoken.enable_search() IS NOT NULL'), 't', '... the search index can be made');
is(ask($session, q{SELECT count(*) FROM pg_index WHERE NOT indisvalid}), '0', '... and no index is broken');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|was not found|could not find|leak:/, 'nothing in the log that should not be there');

unwatch();
$session->quit;
$node->stop;
done_testing();
