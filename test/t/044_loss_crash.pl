# kill -9 while clients issue, rotate, suspend, revoke, delete and purge, others
# verify, and the worker writes use and seals: of a backend, of the worker, of
# the checkpointer, of the postmaster, and of the postmaster again while it
# recovers.  What was answered as committed is there, and verifies unless it was
# revoked; nothing is there by half; tables, indexes and history are whole.
#
# 029 has the same without the worker, 012 what becomes of recorded use.

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
use Lives;
use Usage;
use Whole;

# Small segments and long intervals: recovery has something to do.
my $node = usage_node('main', $soon, 'restart_after_crash = on', 'checkpoint_timeout = 1h', 'max_wal_size = 1GB');

# Verified again and again: answered each time, whatever happens around it.
my ($steady_id, $steady) = issue($node, q{'acme', 'steady'});
my ($never_id, $never) = issue($node, q{'acme', 'never again'});
$node->safe_psql('postgres', "SELECT apitoken.revoke('$never_id')");
my $VERIFICATION = qq{
SELECT string_agg(DISTINCT outcome, ',') FILTER (WHERE ordinality <= 100) AS steady, max(outcome) FILTER (WHERE ordinality = 101) AS never
FROM apitoken.verify_many(array_fill('$steady'::text, '{100}') || '$never'::text) \\gset
\\echo verified :steady :never
};

# Changed all the time, and once only: what was answered last is what it is.
my $SWITCH = qq{
SELECT status FROM apitoken.suspend('$steady_id') \\gset
SELECT status FROM apitoken.activate('$steady_id') \\gset
\\echo switched on
};

# An index that is built anew under all of this, and a vacuum.
my $MAINTENANCE = q{
REINDEX INDEX CONCURRENTLY apitoken._token_digest_idx;
VACUUM apitoken._token, apitoken._usage, apitoken._event_unsealed;
REINDEX TABLE CONCURRENTLY apitoken._usage;
\echo kept up
};

sub pid_of
{
	my ($type) = @_;

	return wait_until(
		sub { $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE $type LIMIT 1") })
	  || die "no process: $type";
}

sub kill_one
{
	my ($type) = @_;
	my $offset = -s $node->logfile;

	# The worker comes and goes: it may have been quicker.
	1 until kill 9, pid_of($type);
	wait_crash($node, $offset);
	return;
}

sub kill_postmaster
{
	$node->kill9;
	ok(start_again($node), '... the server starts again');
	return;
}

# Once more as soon as it recovers.
sub kill_twice
{
	my $log = '';

	$node->kill9;
	wait_until(
		sub {
			my $run = IPC::Run::start([ 'postgres', '-D', $node->data_dir ], '>', \$log, '2>', \$log);

			eval { $run->pump until $log =~ /redo starts at/ };
			$run->signal('KILL');
			$run->finish;
			return $log =~ /redo starts at/;
		});
	note($log =~ /redo done/ ? 'it was through' : 'it was in the middle');
	ok(start_again($node), '... the server starts again, at the second attempt');
	return;
}

my @KILLS = (
	backend => sub { kill_one(q{query LIKE '%apitoken.rotate%' AND pid <> pg_backend_pid()}) },
	worker => sub { kill_one(q{backend_type = 'apitoken worker'}) },
	checkpointer => sub { kill_one(q{backend_type = 'checkpointer'}) },
	postmaster => \&kill_postmaster,
	recovery => \&kill_twice);

my $round = 0;
while (my ($what, $kill) = splice @KILLS, 0, 2)
{
	# These first, for they are slow.
	my @others = map { start_client($node, $_, 20000) } $PURGE, $VERIFICATION, $SWITCH, $MAINTENANCE;
	wait_told($_, 3) foreach @others;
	my @clients = map { start_client($node, $_) } $LIFE, $LIFE . $DEATH, $LIFE . $REMOVAL;

	$round++;
	wait_told($_, 21 * $round) foreach @clients;
	$kill->();
	$_->{run}->finish foreach @clients, @others;
	isnt(join('', map { $_->{run}->result } @clients), '000', "$what: the clients were interrupted");

	# Between a suspension and the next activation it is either; what is
	# revoked may be purged.
	my %said = map { $_ => 1 } said($others[1]) =~ /^verified (.*)/mg;
	is(join(' ', grep { !/^(valid|suspended) (revoked|unknown)$/ } keys %said), '', "$what: verifications said nothing else before");
	like(join(' ', outcomes($node, [ $steady, $never ])), qr/^(valid|suspended) (revoked|unknown)$/, '... nor say it afterwards');
	$node->safe_psql('postgres', "SELECT apitoken.activate('$steady_id') FROM apitoken.tokens WHERE id = '$steady_id' AND status = 'suspended'");

	watch($node);
	agrees("$what: all tables agree");
	check_lives($node, $_, $what) foreach @clients;
	unwatch();
	wait_query($node, q{SELECT (SELECT count(*) FROM apitoken._event_unsealed), (SELECT count(*) FROM apitoken.check_events())}, '0|0',
		"$what: the worker seals what is left, and the history is whole");
	goes_on($node, $what);
	# What CONCURRENTLY has left is of no use, and named by PostgreSQL's documentation.
	$node->safe_psql('postgres', $_) foreach split /\n/, $node->safe_psql('postgres', q{
		SELECT 'DROP INDEX ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid});
	indexes_agree($node, $what);
	structure_is_whole($node, $what);
}

# All that was ever made can be ended, and nothing verifies then.
$node->safe_psql('postgres', q{SELECT apitoken.revoke_all('acme')});
1 while $node->safe_psql('postgres', q{SELECT apitoken.purge('0', 1000)}) > 0;
is($node->safe_psql('postgres', 'SELECT count(*) FROM apitoken._token'), '0', 'all can be purged');
is(join(' ', outcomes($node, [ $steady, $never ])), 'unknown unknown', '... and verifies no more');

$node->stop;
done_testing();
