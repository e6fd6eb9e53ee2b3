# Whatever ends an operation before its transaction has committed, nothing of it
# remains in any table: rolled back, also to a savepoint, interrupted by
# statement_timeout wherever it was, cancelled or terminated while it waits,
# prepared and rolled back.  What has committed is there as a whole.  NOTIFY
# comes with the commit and not without it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use LifeCycle;

my $node = life_cycle_node('main', 'max_prepared_transactions = 5');
add_realm($node, 'acme');
add_realm($node, 'few', max_active_per_principal => 1000, notify => 'on');

my $session = lasting_session($node);

sub unchanged
{
	my ($before, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(differs($before, everything()), '', $name);
}

sub changed
{
	my ($before, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	isnt(differs($before, everything()), '', $name);
	return agrees('... and all tables agree');
}

# --- rolled back ---

operations(
	'acme', 3,
	sub {
		my ($name, $sql) = @_;
		my $before = everything();

		ask($session, 'BEGIN');
		unlike(ask($session, $sql), qr/ERROR/, "$name: in a transaction");
		unchanged($before, '... nobody else sees it');
		ask($session, 'ROLLBACK');
		unchanged($before, '... rolled back');

		ask($session, 'BEGIN');
		ask($session, 'SAVEPOINT here');
		ask($session, $sql);
		ask($session, 'ROLLBACK TO here');
		ask($session, 'COMMIT');
		unchanged($before, '... rolled back to a savepoint');

		ask($session, 'BEGIN');
		ask($session, 'SAVEPOINT here');
		ask($session, $sql);
		ask($session, 'RELEASE here');
		unchanged($before, '... behind a savepoint that was released');
		ask($session, 'COMMIT');
		changed($before, '... committed');
	});

# --- cancelled and terminated ---

# While it waits for somebody who keeps the table from being written, wherever
# that is in the operation.
my $holder = lasting_session($node);
foreach my $table (qw(_token _usage _event _event_unsealed))
{
	operations(
		'acme', 2,
		sub {
			my ($name, $sql) = @_;

			# These do not come there.
			return if $table eq '_token' && $name eq 'a realm';
			return if $table eq '_usage' && $name !~ /issue|import|delete|purge/;

			my $before = everything();
			my $victim = lasting_session($node);
			my $victim_pid = ask($victim, 'SELECT pg_backend_pid()');
			my $waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $victim_pid";

			foreach my $end ('cancel', 'terminate')
			{
				ask($holder, "BEGIN; LOCK TABLE apitoken.$table IN SHARE ROW EXCLUSIVE MODE");
				$victim->{stderr} = '';
				$victim->{stdin} .= "$sql;\n";
				$victim->{run}->pump_nb;
				ok($node->poll_query_until('postgres', $waits), "$name waits for $table");
				$node->safe_psql('postgres', "SELECT pg_${end}_backend($victim_pid)");
				$victim->{run}->pump until $victim->{stderr} =~ /(57014|57P01)/;
				ask($holder, 'COMMIT');
				unchanged($before, "... and nothing remains after pg_${end}_backend()");
			}
			$victim->{run}->kill_kill;
		});
}

# With a transaction open.
operations(
	'acme', 2,
	sub {
		my ($name, $sql) = @_;
		my $before = everything();
		my $victim = lasting_session($node);
		my $victim_pid = ask($victim, 'SELECT pg_backend_pid()');

		ask($victim, 'BEGIN');
		ask($victim, $sql);
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($victim_pid, 60000)");
		unchanged($before, "$name: terminated behind it, nothing remains");
		$victim->{run}->kill_kill;
	});
agrees('all tables agree');

# --- prepared ---

operations(
	'acme', 2,
	sub {
		my ($name, $sql) = @_;
		my $before = everything();

		foreach my $end ('ROLLBACK', 'COMMIT')
		{
			ask($session, 'BEGIN');
			ask($session, $sql);
			is(ask($session, "PREPARE TRANSACTION 'it'"), '', "$name: prepared");
			unchanged($before, '... nobody sees it');
			ask($session, "$end PREPARED 'it'");
			unchanged($before, '... rolled back') if $end eq 'ROLLBACK';
		}
		changed($before, '... committed');
	});

operations(
	'few', 2,
	sub {
		my ($name, $sql) = @_;
		my $before = everything();

		ask($session, 'BEGIN');
		ask($session, $sql);
		is(ask($session, "PREPARE TRANSACTION 'it'"), 'ERROR 0A000', "$name: cannot be prepared where the realm notifies");
		ask($session, 'ROLLBACK');
		unchanged($before, '... nothing remains');
	});

# --- NOTIFY ---

my $listener = lasting_session($node);
$listener->query('LISTEN apitoken');

# What has come so far: "event id", sorted.
sub heard
{
	return join "\n", sort map { my $told = decode_json($_); "$told->{event} $told->{id}" }
	  $listener->query('SELECT') =~ /"apitoken" with payload "(.*)" received/g;
}

operations(
	'few', 2,
	sub {
		my ($name, $sql) = @_;
		my $last = $node->safe_psql('postgres', 'SELECT max(id) FROM apitoken._event');
		my $events = "SELECT event || ' ' || coalesce(token_id::text, realm) AS told FROM apitoken._event WHERE id > $last ORDER BY told";

		heard();
		ask($session, 'BEGIN');
		ask($session, $sql);
		is(heard(), '', "$name: nothing is announced before the commit");
		ask($session, 'ROLLBACK');
		is(heard(), '', '... nor by a rollback');
		ask($session, "BEGIN; SAVEPOINT here; $sql; ROLLBACK TO here; COMMIT");
		is(heard(), '', '... nor what a savepoint has taken back');
		ask($session, $sql);
		my $announced = heard();
		isnt($announced, '', '... but by the commit');
		is($announced, $node->safe_psql('postgres', $events), '... each event once');
	});

operations(
	'acme', 2,
	sub {
		my ($name, $sql) = @_;

		ask($session, $sql);
		is(heard(), '', "$name: nothing is announced where the realm does not ask for it");
	});
agrees('all tables agree');

# --- interrupted ---

# The time is given more and more of, until it is enough: each interruption
# comes somewhere else.
sub with_growing_timeout
{
	my ($sql, $before, $after_each) = @_;
	my $interrupted = 0;

	for (my $timeout = 1; ; $timeout += 1 + int($timeout / 4))
	{
		# Taking it back by a statement of its own could be what is interrupted.
		my $answer = ask($session, "BEGIN;\nSET LOCAL statement_timeout = $timeout;\n$sql;\nCOMMIT");

		return ($interrupted, $answer) unless $answer eq 'ERROR 57014';
		$interrupted++;

		# If it was the COMMIT the time is still that short.
		1 while ask($session, 'ROLLBACK') ne '';
		my $difference = $after_each->();
		return ($interrupted, $difference) if $difference ne '';
	}
}

operations(
	'acme', 80,
	sub {
		my ($name, $sql) = @_;
		my $before = everything();
		my ($interrupted, $answer) = with_growing_timeout($sql, $before,
			sub { return differs($before, everything()) });

		cmp_ok($interrupted, '>', 0, "$name: interrupted by statement_timeout")
		  unless $name eq 'a realm';
		is($answer, $name eq 'a realm' ? '' : 80, '... nothing remains each time, then it is done as a whole');
		changed($before, '... and committed');
	});

# In a savepoint: what stands before and behind it commits.
operations(
	'acme', 20,
	sub {
		my ($name, $sql) = @_;
		my $before = everything();
		my $answer;

		return if $name eq 'a realm';
		ask($session, 'BEGIN');
		ask($session, "SELECT apitoken.import('acme', 'before', 'before-$name-it')");
		ask($session, 'SAVEPOINT here');
		$answer = ask($session, "SET LOCAL statement_timeout = '50ms';\nSELECT ($sql), pg_sleep(600)");
		is($answer, 'ERROR 57014', "$name: interrupted in a savepoint");
		ask($session, 'ROLLBACK TO here');
		ask($session, "SELECT apitoken.import('acme', 'behind', 'behind-$name-it')");
		ask($session, 'COMMIT');
		is(grown($before, everything()), '_event 2 _event_unsealed 2 _token 2 _usage 2',
			'... only what stands around it is there');
		agrees('... and all tables agree');
	});

unwatch();
$_->quit foreach $session, $holder, $listener;
$node->stop;
done_testing();
