# The use of a secret that was rotated away, after its grace: verification says
# superseded and writes nothing; the worker leaves an event, at most one an hour
# a token, and revokes the token where the realm says so.  A token that is
# locked holds up nothing; a standby only counts.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = new_node('main', allows_streaming => 1);
$node->append_conf('postgresql.conf', "apitoken.usage_flush_interval = '$soon'\n");
$node->start;
install($node, 'postgres');
$node->safe_psql('postgres', q{INSERT INTO apitoken.realm (id, revoke_on_reuse) VALUES ('strict', true)});

# A token that was rotated: {id, token (the old secret), fresh, realm}.
sub rotated
{
	my ($realm, $grace) = @_;
	my ($id, $token) = issue($node, "'$realm', 'token'");
	my $fresh = $node->safe_psql('postgres',
		"SELECT token FROM apitoken.rotate('$id', '" . ($grace // '0') . "')");

	return { id => $id, token => $token, fresh => $fresh, realm => $realm, database => 'postgres' };
}

sub outcomes
{
	my ($server, $secret, $times) = @_;

	return $server->safe_psql('postgres',
		"SELECT string_agg(DISTINCT v.outcome, ',') FROM generate_series(1, $times) n, LATERAL apitoken.verify(left('$secret', n + 1000), address => '192.0.2.7') v");
}

sub events
{
	my ($token, $event) = @_;

	return "SELECT count(*) FROM apitoken._event WHERE token_id = '$token->{id}' AND event = '$event'";
}

sub counted
{
	my ($token) = @_;

	return "SELECT coalesce(sum(uses), 0) FROM apitoken._usage_hourly WHERE token_id = '$token->{id}' AND outcome = 'superseded'";
}

sub status
{
	my ($server, $token) = @_;

	return $server->safe_psql('postgres', "SELECT status FROM apitoken.tokens WHERE id = '$token->{id}'");
}

# --- an event, at most one an hour ---

my $lax = rotated('acme');
is(outcomes($node, $lax->{token}, 3000), 'superseded', 'thousands of uses of an old secret');
wait_query($node, events($lax, 'superseded'), '1', '... leave one event');
wait_query($node, counted($lax), '3000', '... and are counted');
is( $node->safe_psql('postgres', qq{
		SELECT realm, actor, actor_name, session_role = (SELECT rolname FROM pg_roles WHERE oid = 10), client_addr IS NULL, old IS NULL, new ->> 'address', (new ->> 'uses')::int > 0,
			at BETWEEN now() - interval '10 minutes' AND now()
		FROM apitoken._event WHERE token_id = '$lax->{id}' AND event = 'superseded'}),
	'acme|apitoken|apitoken|t|t|t|192.0.2.7|t|t', '... that says from where');
foreach my $round (1 .. 3)
{
	is(outcomes($node, $lax->{token}, 1000), 'superseded', 'again');
	wait_query($node, counted($lax), 3000 + 1000 * $round, '... counted');
}
wait_query($node, 'SELECT usage_pending, worker_running, last_flush_error FROM apitoken.stats()', '0|f|', 'nothing is left to do');
is($node->safe_psql('postgres', events($lax, 'superseded')), '1', '... still one event');
is(status($node, $lax), 'active', '... the realm does not ask for more');
is(outcomes($node, $lax->{fresh}, 1), 'valid', '... the new secret works');
is($node->safe_psql('postgres', 'SELECT count(*) FROM apitoken.check_events()'), '0', '... the history is whole');

# An hour later.  The event was changed by us, and does not pass for sealed.
$node->safe_psql('postgres', "UPDATE apitoken._event SET at = at - interval '61 minutes' WHERE token_id = '$lax->{id}' AND event = 'superseded'");
is(outcomes($node, $lax->{token}, 10), 'superseded', 'an hour later');
wait_query($node, events($lax, 'superseded'), '2', '... another event');
wait_query($node, 'SELECT count(*) FROM apitoken.check_events()', '1', '... and whoever changed the first is found out');

# In the grace it is a use like any other.
my $grace = rotated('strict', '1 hour');
is(outcomes($node, $grace->{token}, 1), 'valid', 'in the grace the old secret is valid');

# flush_usage() counts and leaves the rest to the worker.
flush_every($node, '1h');
my $other = rotated('acme');
is(outcomes($node, $other->{token}, 5), 'superseded', 'superseded, flush_usage()');
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
is($node->safe_psql('postgres', counted($other)), '5', '... counts');
is($node->safe_psql('postgres', events($other, 'superseded')), '0', '... and writes no event');
$node->safe_psql('postgres', "BEGIN; SELECT apitoken.flush_usage(); ROLLBACK");
flush_every($node, $soon);
wait_query($node, events($other, 'superseded'), '1', '... the worker does');

# Whether use is tracked or not.
$node->append_conf('postgresql.conf', "apitoken.track_usage = off\n");
$node->reload;
$other = rotated('acme');
is(outcomes($node, $other->{token}, 5), 'superseded', 'superseded while tracking is off');
wait_query($node, events($other, 'superseded'), '1', '... an event');
is($node->safe_psql('postgres', counted($other)), '0', '... though nothing is counted');
$node->append_conf('postgresql.conf', "apitoken.track_usage = on\n");
$node->reload;

# --- revoke_on_reuse ---

my $strict = rotated('strict');
is(outcomes($node, $strict->{token}, 3000), 'superseded', 'revoke_on_reuse: an old secret is used');
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$strict->{id}'", 'revoked', '... the worker revokes the token');
is(outcomes($node, $strict->{fresh}, 1), 'revoked', '... the new secret does not work either');
is( $node->safe_psql('postgres', qq{
		SELECT event, actor, reason FROM apitoken._event WHERE token_id = '$strict->{id}' AND event IN ('superseded', 'revoked') ORDER BY id}),
	"superseded|apitoken|\nrevoked|apitoken|a secret that was rotated away was used", '... both are in the history');
is(outcomes($node, $strict->{token}, 10), 'superseded', 'the old secret once more');
wait_query($node, counted($strict), '3010', '... counted');
wait_query($node, 'SELECT usage_pending, worker_running, last_flush_error FROM apitoken.stats()', '0|f|', '... nothing is left to do');
is($node->safe_psql('postgres', events($strict, 'revoked')), '1', '... revoked once');
is(status($node, $grace), 'active', 'who is in his grace keeps his token');

$strict = rotated('strict');
$node->safe_psql('postgres', "SELECT apitoken.suspend('$strict->{id}')");
is(outcomes($node, $strict->{token}, 1), 'superseded', 'a suspended token');
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$strict->{id}'", 'revoked', '... is revoked, too');

# The switch is read when the worker acts.
$strict = rotated('strict');
$node->safe_psql('postgres', "UPDATE apitoken.realm SET revoke_on_reuse = false, notify = true WHERE id = 'strict'");
is(outcomes($node, $strict->{token}, 1), 'superseded', 'switched off, notify on');
wait_query($node, events($strict, 'superseded'), '1', '... an event');
is(status($node, $strict), 'active', '... and no more');
$node->safe_psql('postgres', "UPDATE apitoken.realm SET revoke_on_reuse = true WHERE id = 'strict'");
is(outcomes($node, $strict->{token}, 1), 'superseded', 'switched on');
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$strict->{id}'", 'revoked', '... revoked, within the hour of the event');
is($node->safe_psql('postgres', events($strict, 'superseded')), '1', '... of which there is one');
$node->safe_psql('postgres', "UPDATE apitoken.realm SET notify = false WHERE id = 'strict'");

# --- locked, gone ---

my ($first, $second, $third) = map { rotated('strict') } 1 .. 3;
my $plain = token($node);
my $locker = session($node);
ask($locker, "BEGIN; SELECT FROM apitoken._token WHERE id = '$second->{id}' FOR UPDATE");
is(outcomes($node, $_->{token}, 7), 'superseded', 'three stolen secrets, one token is locked') foreach $first, $second, $third;
use_token($node, $plain, 3);
wait_stored($node, $plain, 3, '... use is written');
wait_query($node, counted($second), '7', '... the locked one is counted');
wait_query($node, "SELECT string_agg(DISTINCT status, ',') FROM apitoken.tokens WHERE id IN ('$first->{id}', '$third->{id}')", 'revoked', '... the others are revoked');
is($node->safe_psql('postgres', events($second, 'superseded')), '0', '... it is not');
is(stats($node, 'last_flush_error'), '', '... which is no error');
ask($locker, 'COMMIT');
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$second->{id}'", 'revoked', '... until it is let go');
wait_query($node, 'SELECT usage_pending, worker_running FROM apitoken.stats()', '0|f', '... then nothing is left to do');

flush_every($node, '1h');
my $gone = rotated('strict');
is(outcomes($node, $gone->{token}, 7), 'superseded', 'a token is deleted meanwhile');
$node->safe_psql('postgres', "SELECT apitoken.revoke('$gone->{id}'); SELECT apitoken.delete('$gone->{id}')");
flush_every($node, $soon);
wait_query($node, 'SELECT usage_pending, worker_running, last_flush_error FROM apitoken.stats()', '0|f|', '... nothing is left to do');
is($node->safe_psql('postgres', events($gone, 'superseded')), '0', '... and there is no event');

# Imported again it has the same id, but its secret was not used.
flush_every($node, '1h');
my $foreign = 'a-foreign-token-that-returns';
my $again = $node->safe_psql('postgres', "SELECT apitoken.import('strict', 'first', '$foreign')");
$node->safe_psql('postgres', "SELECT apitoken.rotate('$again')");
$other = rotated('strict');
is(outcomes($node, $_, 3), 'superseded', 'a rotated token is used') foreach $foreign, $other->{token};
$node->safe_psql('postgres', "SELECT apitoken.revoke('$again'); SELECT apitoken.delete('$again')");
is($node->safe_psql('postgres', "SELECT apitoken.import('strict', 'second', '$foreign')"), $again, '... deleted, and imported again');
flush_every($node, $soon);
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$other->{id}'", 'revoked', '... the worker acts on another');
wait_query($node, 'SELECT usage_pending, worker_running, last_flush_error FROM apitoken.stats()', '0|f|', '... nothing is left to do');
is($node->safe_psql('postgres', "SELECT name, status FROM apitoken.tokens WHERE id = '$again'"), 'second|active', '... the new token is left alone');
is($node->safe_psql('postgres', events({ id => $again }, 'superseded')), '0', '... and nothing is said of it');

# --- a token that must not change, for a reason of the administrator's ---

$node->safe_psql('postgres', q{ALTER TABLE apitoken._token ADD CONSTRAINT kept CHECK (status <> 'r' OR description IS DISTINCT FROM 'kept')});
my @kept = map { rotated('strict') } 1 .. 3;
my @free = map { rotated('strict') } 1 .. 10;
my $kept_ids = join ', ', map { "'$_->{id}'" } @kept;
my $free_ids = join ', ', map { "'$_->{id}'" } @free;
my $refusal = 'new row for relation "_token" violates check constraint "kept"';
my $log_before = -s $node->logfile;
$node->safe_psql('postgres', "SELECT apitoken.update(id, description => 'kept') FROM apitoken.tokens WHERE id IN ($kept_ids)");
$node->safe_psql('postgres', join '; ', map { "SELECT apitoken.verified_id('$_->{token}')" } @kept, @free);
wait_query($node, "SELECT string_agg(DISTINCT status, ',') FROM apitoken.tokens WHERE id IN ($free_ids)", 'revoked', 'some tokens cannot be revoked: all others are');
wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()', $refusal, '... stats() says why');
ok($node->wait_for_log(qr/LOG:  token \S+, whose old secret was used, could not be acted on: \Q$refusal\E/, $log_before), '... so does the log');
ok($node->wait_for_log(qr/LOG:  3 tokens whose old secret was used could not be acted on/, $log_before), '... and how many they are');
unlike(substr(slurp_file($node->logfile), $log_before), qr/Failing row/, '... without showing a row');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT status, ',') FROM apitoken.tokens WHERE id IN ($kept_ids)"), 'active', '... they are as they were');
$node->safe_psql('postgres', 'ALTER TABLE apitoken._token DROP CONSTRAINT kept');
wait_query($node, "SELECT string_agg(DISTINCT status, ',') FROM apitoken.tokens WHERE id IN ($kept_ids)", 'revoked', '... until nothing keeps them');
wait_query($node, 'SELECT worker_running, last_flush_error FROM apitoken.stats()', 'f|', '... then nothing is left to do');

# --- what users attached ---

$node->safe_psql(
	'postgres', q{
	CREATE ROLE mallory LOGIN;
	CREATE SEQUENCE ran;
	GRANT ALL ON SEQUENCE ran TO PUBLIC;
	CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN NEW; END $$;
	CREATE FUNCTION trace_id(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN $1; END $$;
	CREATE FUNCTION trace_uuid(uuid) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN true; END $$});
my @refused = (
	[ '_token', 'CREATE TRIGGER x BEFORE UPDATE ON %t FOR EACH ROW EXECUTE FUNCTION fire(); ALTER TABLE %t ENABLE ALWAYS TRIGGER x',
		'DROP TRIGGER x ON %t', 'a trigger that fires on replicas' ],
	[ '_token', 'ALTER TABLE %t ADD CONSTRAINT x CHECK (trace_uuid(id)) NOT VALID', 'ALTER TABLE %t DROP CONSTRAINT x', 'a check constraint' ],
	[ '_event', 'CREATE INDEX x ON %t (id) WHERE trace_id(id) > 0', 'DROP INDEX apitoken.x', 'an index expression' ],
	[ '_event', 'CREATE TRIGGER x AFTER INSERT ON %t FOR EACH ROW EXECUTE FUNCTION fire(); ALTER TABLE %t ENABLE REPLICA TRIGGER x',
		'DROP TRIGGER x ON %t', 'a trigger that fires on replicas' ],
	[ '_event_unsealed', 'CREATE INDEX x ON %t (trace_id(event_id))', 'DROP INDEX apitoken.x', 'an index expression' ]);
foreach my $case (@refused)
{
	my ($table, $attach, $remove, $called) = @$case;
	s/%t/apitoken.$table/g foreach $attach, $remove;
	$strict = rotated('strict');
	$node->safe_psql('postgres', $attach);
	$node->safe_psql('postgres', q{SELECT setval('ran', 1, false)});
	is(outcomes($node, $strict->{token}, 2), 'superseded', $attach);
	wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()',
		"tokens whose secret was stolen are not acted on because $called stands on table \"$table\"", '... the worker refuses');
	wait_query($node, counted($strict), '2', '... and counts');
	is($node->safe_psql('postgres', 'SELECT is_called FROM ran'), 'f', '... nothing has run');
	$node->safe_psql('postgres', $remove);
	wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$strict->{id}'", 'revoked', '... removed: it revokes');
	wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()', '', '... and there is no error');
}
$node->safe_psql(
	'postgres', q{
	GRANT TRIGGER ON apitoken._event, apitoken._event_unsealed, apitoken._token TO mallory;
	GRANT USAGE ON SCHEMA apitoken TO mallory;
	CREATE SCHEMA mallory AUTHORIZATION mallory;
	SET ROLE mallory;
	CREATE FUNCTION mallory.rise() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN PERFORM nextval('public.ran'); ALTER ROLE mallory SUPERUSER; RETURN NEW; END $$;
	RESET ROLE;
	SELECT setval('ran', 1, false)});
$strict = rotated('strict');
$node->safe_psql(
	'postgres', q{
	SET ROLE mallory;
	CREATE TRIGGER a BEFORE UPDATE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE CONSTRAINT TRIGGER c AFTER UPDATE ON apitoken._token DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE TRIGGER a BEFORE INSERT ON apitoken._event FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE TRIGGER a BEFORE INSERT ON apitoken._event_unsealed FOR EACH ROW EXECUTE FUNCTION mallory.rise()});
is(outcomes($node, $strict->{token}, 2), 'superseded', 'ordinary triggers');
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$strict->{id}'", 'revoked', '... do not keep the worker from revoking');
is($node->safe_psql('postgres', 'SELECT is_called FROM ran'), 'f', '... nothing has run');
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', '... and mallory is who he was');
$node->safe_psql('postgres', q{
	DROP TRIGGER a ON apitoken._token; DROP TRIGGER c ON apitoken._token;
	DROP TRIGGER a ON apitoken._event; DROP TRIGGER a ON apitoken._event_unsealed});

# --- stopped meanwhile, standby ---

flush_every($node, '1h');
my $kept = rotated('strict');
is(outcomes($node, $kept->{token}, 2), 'superseded', 'the server is stopped before the worker comes');
$node->restart;
flush_every($node, $soon);
use_token($node, $plain, 1);
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$kept->{id}'", 'revoked', '... it acts afterwards');

my $on_standby = rotated('strict');
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
catch_up($node, 'standby');
is(outcomes($standby, $on_standby->{token}, 5), 'superseded', 'on a standby');
is(stats($standby, 'usage_pending'), '1', '... counted in memory');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM apitoken.check_events()'), '1', '... where the history can be checked');
is(stats($standby, 'oldest_unsealed_event, last_seal_error'), '|', '... and looked at');
$standby->promote;
wait_query($standby, counted($on_standby), '5', '... promoted, it writes the count');
is(status($standby, $on_standby), 'active', '... and does not act on what was long ago');
is(outcomes($standby, $on_standby->{token}, 1), 'superseded', '... but on what comes now');
wait_query($standby, "SELECT status FROM apitoken.tokens WHERE id = '$on_standby->{id}'", 'revoked', '... it revokes');

unlike(slurp_file($_->logfile), qr/PANIC|TRAP|terminated by signal/, $_->name . ': nothing has crashed') foreach $node, $standby;
$_->stop foreach $standby, $node;
done_testing();
