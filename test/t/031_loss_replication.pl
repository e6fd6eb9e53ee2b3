# Nothing is lost by replication under load: a base backup is taken and streamed
# to while clients issue, rotate, revoke, delete and purge; the standby verifies
# all the time, sees revocations in the order of their commits, and with
# synchronous_commit = remote_apply before the caller is answered.  When the
# primary is killed and the standby promoted, all that was answered is there.
# So it is on a subscriber of logical replication, which obeys in sessions with
# warm caches what was changed on the publisher.
#
# 003 and 021 have the standby one thing at a time, 009 the subscriber.

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
use Whole;

my $MANY = 40;

sub start_lives
{
	my ($node) = @_;

	return map { start_client($node, $_) } $LIFE, $LIFE . $DEATH, $LIFE . $REMOVAL;
}

# Tokens that are revoked one after the other, and a client elsewhere that asks
# for all of them again and again, each time with one snapshot: which are
# refused, be they revoked or purged, and which valid.
sub row_of_tokens
{
	my ($node) = @_;

	return map { { id => (split /\|/)[0], token => (split /\|/)[1] } }
	  split /\n/, $node->safe_psql('postgres', qq{
		SELECT i.id, i.token FROM generate_series(1, $MANY) n, apitoken.issue('acme', 'row ' || n) i ORDER BY n});
}

sub start_watching
{
	my ($node, @row) = @_;
	my $row = join ' ', map { $_->{token} } @row;

	return start_client($node, q{
SELECT string_agg(CASE WHEN outcome IN ('revoked', 'unknown') THEN 'r' ELSE left(outcome, 1) END, '' ORDER BY ordinality) AS said
FROM apitoken.verify_many(string_to_array(:'row', ' ')) \gset
\echo saw :said
}, 20000, "\\set row '$row'\n");
}

# Never a valid one before a revoked one, never one that is valid again.
sub check_watched
{
	my ($client, $name) = @_;
	my @said = said($client) =~ /^saw (.*)/mg;
	my @revoked = map { scalar tr/r// } @said;

	cmp_ok(scalar @said, '>', $MANY, "$name: asked " . @said . ' times');
	is((grep { !/^r*v*$/ } @said)[0], undef, '... revocations were seen in the order of their commits');
	is((grep { $revoked[$_] < $revoked[ $_ - 1 ] } 1 .. $#revoked)[0], undef, '... and for good');
	cmp_ok(scalar(grep { $_ > 0 && $_ < $MANY } @revoked), '>', 0, '... and some in the middle of it');
	return;
}

# --- streaming ---

my $primary = usage_node('primary', $soon, 'wal_level = logical', 'max_wal_senders = 10', 'max_replication_slots = 10',
	'hot_standby = on', 'wal_log_hints = on');
$primary->set_replication_conf;
$primary->reload;
$primary->safe_psql('postgres', 'CREATE EXTENSION amcheck')
  if $primary->safe_psql('postgres', q{SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'});

my @clients = start_lives($primary);
my $purger = start_client($primary, $PURGE, 20000);
wait_told($_, 20) foreach @clients;
my @told = map { so_far($_) } @clients;
$primary->backup('backup');

# The backup by itself, as one that is fetched from a shelf.
my $shelf = PostgreSQL::Test::Cluster->new('shelf');
$shelf->init_from_backup($primary, 'backup');
$shelf->start;
check_lives($shelf, $_, 'from a base backup', later => 1) foreach @told;
watch($shelf);
agrees('from a base backup: all tables agree');
unwatch();
indexes_agree($shelf, 'from a base backup');
structure_is_whole($shelf, 'from a base backup');
$shelf->stop;

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
# Else an old transaction there holds up the replay, and revocations with it.
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\n");
$standby->start;

# From here on a commit is answered when the standby has applied it.
catch_up($primary, 'standby');
$primary->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = 'standby'});
$primary->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_commit = 'remote_apply'});
$primary->reload;
$primary->poll_query_until('postgres', q{SELECT sync_state = 'sync' FROM pg_stat_replication WHERE application_name = 'standby'});
my @row = row_of_tokens($primary);
my $watching = start_watching($standby, @row);
my $warm = session($standby);
my $old = session($standby);
ask($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM apitoken.tokens');
wait_told($watching, 20);
my @wrong;

foreach my $i (0 .. $#row)
{
	push @wrong, "$i before" if ask($warm, "SELECT outcome FROM apitoken.verify('$row[$i]{token}')") ne 'valid';
	$primary->safe_psql('postgres', "SELECT apitoken.revoke('$row[$i]{id}')");
	push @wrong, map { "$i after" }
	  grep { ask($_, "SELECT outcome FROM apitoken.verify('$row[$i]{token}')") !~ /^(?:revoked|unknown)$/ } $warm, $old;
}
is(join(' ', @wrong), '', 'remote_apply: once a revocation is answered the standby refuses, in old transactions, too');
wait_told($watching, told($watching) + 20);
stop_client($standby, $watching);
check_watched($watching, 'a standby');
structure_is_whole($standby, 'a standby that replays', standby => 1)
  if $primary->safe_psql('postgres', q{SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'});
$_->quit foreach $warm, $old;

# --- the primary is killed, the standby promoted ---

wait_told($_, told($_) + 20) foreach @clients;
$primary->kill9;
$_->{run}->finish foreach @clients, $purger;
$standby->promote;
watch($standby);
agrees('promoted: all tables agree');
check_lives($standby, $_, 'promoted') foreach @clients;
is(scalar(grep { /^(?:revoked|unknown)$/ } outcomes($standby, [ map { $_->{token} } @row ])), $MANY, 'promoted: what was revoked stays so');
wait_query($standby, q{SELECT (SELECT count(*) FROM apitoken._event_unsealed), (SELECT count(*) FROM apitoken.check_events())}, '0|0',
	'... the worker seals what is left, and the history is whole');
goes_on($standby, 'promoted');
indexes_agree($standby, 'promoted');
structure_is_whole($standby, 'promoted');
agrees('promoted, after that: all tables agree');
unwatch();

# --- logical replication, from here ---

my $publisher = $standby;
my $subscriber = usage_node('subscriber', $soon);
$subscriber->safe_psql('postgres', q{DELETE FROM apitoken.realm});
$publisher->safe_psql('postgres', example('docs/operations.md', 'on the publisher'));
@clients = start_lives($publisher);
$purger = start_client($publisher, $PURGE, 20000);
wait_told($_, 20) foreach @clients;
$subscriber->safe_psql('postgres', q{CREATE SUBSCRIPTION tokens CONNECTION '} . $publisher->connstr . q{ dbname=postgres' PUBLICATION tokens WITH (binary = true)});
$subscriber->wait_for_subscription_sync($publisher, 'tokens');
@row = row_of_tokens($publisher);
catch_up($publisher, 'tokens');
$watching = start_watching($subscriber, @row);
wait_told($watching, 20);
$publisher->safe_psql('postgres', "SELECT apitoken.revoke('$_->{id}')") foreach @row;
catch_up($publisher, 'tokens');
wait_told($watching, told($watching) + 20);
stop_client($subscriber, $watching);
check_watched($watching, 'a subscriber');
wait_told($_, told($_) + 20) foreach @clients;
stop_client($publisher, $_) foreach @clients, $purger;
catch_up($publisher, 'tokens');

# What the events of the publisher say is true of the subscriber's tokens.
my $tokens = q{SELECT t FROM apitoken._token t ORDER BY id};
is($subscriber->safe_psql('postgres', $tokens), $publisher->safe_psql('postgres', $tokens), 'a subscriber: the tokens are the same');
check_lives($publisher, $_, 'the publisher') foreach @clients;
my $secrets = join ', ', map { "'$_'" } map { /(dt0c01\.\S+|tok\.\S+)/g } map { said($_) } @clients;
my $outcomes = "SELECT ordinality, outcome FROM apitoken.verify_many(ARRAY[$secrets])";
is($subscriber->safe_psql('postgres', $outcomes), $publisher->safe_psql('postgres', $outcomes),
	'... and every secret verifies as on the publisher');
indexes_agree($subscriber, 'a subscriber');
structure_is_whole($subscriber, 'a subscriber');

# --- changes, in sessions that have verified the token before ---

my ($id, $token) = issue($publisher, q{'acme', 'followed', '{a.*}'});
catch_up($publisher, 'tokens');
$warm = session($subscriber);
$old = session($subscriber);
ask($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM apitoken.tokens');

sub change
{
	my ($sql) = @_;
	my $answer = $publisher->safe_psql('postgres', $sql);

	catch_up($publisher, 'tokens');
	return $answer;
}

sub both_say
{
	my ($arguments, $expected, $name) = @_;

	is(join(' ', map { ask($_, "SELECT outcome FROM apitoken.verify($arguments)") } $warm, $old), "$expected $expected", $name);
	return;
}

my @CHANGES = (
	"SELECT apitoken.update('$id', scopes => '{b}')" => 'scope_denied', 'scopes',
	"SELECT apitoken.update('$id', scopes => '{a.*}')" => 'valid', 'scopes again',
	"SELECT apitoken.update('$id', allowed_addresses => '{10.0.0.0/8}')" => 'address_denied', 'addresses',
	"SELECT apitoken.update('$id', clear => '{allowed_addresses}')" => 'valid', 'no addresses',
	"SELECT apitoken.update('$id', not_before => now() + interval '1 hour')" => 'not_yet_valid', 'a later beginning',
	"SELECT apitoken.update('$id', clear => '{not_before}')" => 'valid', 'no beginning',
	"UPDATE apitoken._token SET expires_at = now() - interval '1 hour' WHERE id = '$id'" => 'expired', 'an end',
	"SELECT apitoken.update('$id', expires_at => 'infinity')" => 'valid', 'no end');
both_say("'$token', 'a.b', '192.0.2.1'", 'valid', 'a subscriber: to begin with');
while (my ($sql, $expected, $name) = splice @CHANGES, 0, 3)
{
	change($sql);
	both_say("'$token', 'a.b', '192.0.2.1'", $expected, "... $name");
}
my $second = change("SELECT token FROM apitoken.rotate('$id', '1 hour')");
both_say("'$_', 'a.b'", 'valid', '... rotated, within the grace') foreach $token, $second;
change("SELECT apitoken.end_grace('$id')");
both_say("'$token', 'a.b'", 'superseded', '... its grace is ended');
both_say("'$second', 'a.b'", 'valid', '... not its new secret');
change("SELECT apitoken.revoke('$id')");
both_say("'$_', 'a.b'", $_ eq $token ? 'superseded' : 'revoked', '... revoked') foreach $token, $second;
change("SELECT apitoken.delete('$id')");
both_say("'$_', 'a.b'", 'unknown', '... removed') foreach $token, $second;

# Idle is what neither server has seen: the publisher's uses are published.
my ($idle_id, $idle) = issue($publisher, q{'acme', 'idle'});
change("UPDATE apitoken._token SET created_at = now() - interval '3 hours' WHERE id = '$idle_id'");
change("UPDATE apitoken.realm SET max_idle = '1 hour' WHERE id = 'acme'");
both_say("'$idle'", 'idle', "... a realm's policy");
change("UPDATE apitoken._usage SET last_used_at = now() WHERE token_id = '$idle_id'");
both_say("'$idle'", 'valid', '... use on the publisher');
change("UPDATE apitoken.realm SET enabled = false WHERE id = 'acme'");
both_say("'$idle'", 'realm_disabled', '... a realm switched off');
change("UPDATE apitoken.realm SET enabled = true, max_idle = NULL WHERE id = 'acme'");
both_say("'$idle'", 'valid', '... and on again');
$_->quit foreach $warm, $old;

# --- the subscriber takes over ---

$publisher->stop;
$subscriber->safe_psql('postgres', example('docs/operations.md', 'taking over'));
goes_on($subscriber, 'a subscriber that took over');
is($subscriber->safe_psql('postgres', q{
	SELECT count(*) FROM apitoken.tokens WHERE status <> 'revoked' AND (apitoken.revoke(id)).status <> 'revoked'}), '0',
	'... changes what it has taken over');

$subscriber->stop;
done_testing();
