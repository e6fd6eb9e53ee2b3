# The worker seals what was committed, unasked: of every database, of prepared
# transactions, after errors and crashes, and not what is still open.  It runs
# nothing that users attached to the tables.  The newest seal goes to the log.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', $soon, 'restart_after_crash = on', 'max_prepared_transactions = 5');

# What is sealed, not yet sealed, and wrong.
my $state = q{SELECT (SELECT count(*) FROM apitoken._event) = (SELECT sum(array_length(events, 1)) FROM apitoken._event_seal),
	(SELECT count(*) FROM apitoken._event_unsealed), (SELECT count(*) FROM apitoken.check_events())};

sub wait_sealed
{
	my ($name, $database) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return wait_query($node, $state, 't|0|0', $name, $database);
}

# Nobody looks at stats() before: that would make a worker come.
my $token = token($node);
wait_sealed('a token is issued: it is sealed');
is(scalar wait_workers($node, 0), 0, '... and the worker is gone');
is(stats($node, 'oldest_unsealed_event IS NULL, last_seal_error, worker_running'), 't||f', '... stats() knows');
is(stats($node, 'last_seal = (SELECT max(id) FROM apitoken._event_seal)'), 't', '... the newest seal');

# --- the log ---

sub pinned
{
	my ($database) = @_;
	my @lines = slurp_file($node->logfile) =~
	  /LOG:  events of tokens in database "$database" sealed up to [-0-9: .+]+: seal (\d+), digest ([0-9a-f]{64})/g;

	return @lines ? join('|', @lines[ -2, -1 ]) : '';
}

my $newest = 'SELECT id, digest FROM apitoken._event_seal ORDER BY id DESC LIMIT 1';
is(pinned('postgres'), $node->safe_psql('postgres', $newest), 'the newest seal is in the log');
flush_every($node, '1h');
$node->safe_psql('postgres', "SELECT apitoken.suspend('$token->{id}'); SELECT apitoken.seal_events()");
is(pinned('postgres'), $node->safe_psql('postgres', $newest), '... also that of seal_events()');
my $before = pinned('postgres');
$node->safe_psql('postgres', "BEGIN; SELECT apitoken.activate('$token->{id}'); SELECT apitoken.seal_events(); ROLLBACK");
is(pinned('postgres'), $before, '... not one that was rolled back');
$node->safe_psql('postgres', "BEGIN; SELECT apitoken.activate('$token->{id}'); SAVEPOINT s; SELECT apitoken.seal_events(); ROLLBACK TO s; COMMIT");
is(pinned('postgres'), $before, '... nor with a savepoint');
flush_every($node, $soon);
wait_sealed('what was left is sealed');
is(pinned('postgres'), $node->safe_psql('postgres', $newest), '... and in the log');

# A seal is kept, one behind a savepoint is not: the worker tells the log.
flush_every($node, '1h');
$node->safe_psql('postgres', "SELECT apitoken.suspend('$token->{id}')");
$node->safe_psql('postgres', "BEGIN; SELECT apitoken.seal_events(); SAVEPOINT s; SELECT apitoken.activate('$token->{id}'); SELECT apitoken.seal_events(); ROLLBACK TO s; COMMIT");
flush_every($node, $soon);
ok(wait_until(sub { pinned('postgres') eq $node->safe_psql('postgres', $newest) }), 'a later seal was rolled back with a savepoint: the one before it is in the log');

# Sealed in a prepared transaction.
flush_every($node, '1h');
$node->safe_psql('postgres', "SELECT apitoken.activate('$token->{id}')");
$before = $node->safe_psql('postgres', $newest);
$node->safe_psql('postgres', "BEGIN; SELECT apitoken.seal_events(); PREPARE TRANSACTION 'seal'");
$node->safe_psql('postgres', "COMMIT PREPARED 'seal'");
isnt($node->safe_psql('postgres', $newest), $before, 'a seal is prepared and committed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM apitoken._event_unsealed'), '0', '... nothing is left to seal');
flush_every($node, $soon);
ok(wait_until(sub { pinned('postgres') eq $node->safe_psql('postgres', $newest) }), '... the worker tells the log');

# --- transactions that are open, rolled back, prepared ---

my $open = session($node);
ask($open, "BEGIN; SELECT status FROM apitoken.suspend('$token->{id}')");
my $other = token($node);
wait_query($node, "SELECT count(*) FROM apitoken._event e JOIN apitoken._event_seal s ON e.id = ANY (s.events) WHERE token_id = '$other->{id}'", '1',
	'a transaction with an event is open: another is sealed');
wait_sealed('... nothing else is to be seen');
ask($open, 'COMMIT');
wait_query($node, "SELECT count(*) FROM apitoken._event e JOIN apitoken._event_seal s ON e.id = ANY (s.events) WHERE token_id = '$token->{id}' AND event = 'suspended'", '3',
	'... committed, it is sealed, too');
wait_sealed('... and all is well');
cmp_ok(ask($open, q{SELECT count(*) FROM apitoken._event_seal s JOIN apitoken._event_seal l ON l.id < s.id AND l.events[1] > s.events[1]}), '>', 0,
	'... by a seal behind that of a higher number');
$open->quit;
$node->safe_psql('postgres', "BEGIN; SELECT apitoken.activate('$token->{id}'); PREPARE TRANSACTION 'p'");
$node->safe_psql('postgres', "BEGIN; SELECT apitoken.suspend('$other->{id}'); PREPARE TRANSACTION 'q'");
$other = token($node);
wait_query($node, "SELECT count(*) FROM apitoken._event e JOIN apitoken._event_seal s ON e.id = ANY (s.events) WHERE token_id = '$other->{id}'", '1',
	'two prepared transactions: what another writes is sealed');
wait_sealed('... of theirs nothing is to be seen');
$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
wait_query($node, "SELECT count(*) FROM apitoken._event e JOIN apitoken._event_seal s ON e.id = ANY (s.events) WHERE token_id = '$token->{id}' AND event = 'activated'", '3',
	'... committed, it is sealed, unasked');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'q'");
wait_sealed('... the other rolled back: all is well');
is(scalar wait_workers($node, 0), 0, '... and the worker is gone');

# --- many events, many databases ---

$node->safe_psql('postgres', "SELECT count(apitoken.issue('acme', 'n' || n)) FROM generate_series(1, 3500) n");
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(second third);
foreach my $database (qw(second third))
{
	install($node, $database);
	token($node, $database);
}
wait_sealed("$_: sealed", $_) foreach qw(postgres second third);
is($node->safe_psql('postgres', 'SELECT max(array_length(events, 1)) FROM apitoken._event_seal'), '1000', 'no more than 1000 in a seal');
is(pinned($_), $node->safe_psql($_, $newest), "$_: in the log") foreach qw(postgres second third);
is(scalar wait_workers($node, 0), 0, 'the worker is gone');
$node->safe_psql('second', 'DROP EXTENSION apitoken');

# An event with a low number is committed between two seals of one round: those
# that follow begin behind it, so it must be left for the next round.
flush_every($node, '1h');
$node->safe_psql('postgres', q{ALTER SYSTEM SET deadlock_timeout = '20s'});
$open = session($node);
my $locker = session($node);
ask($open, "BEGIN; SELECT status FROM apitoken.suspend('$other->{id}')");
$node->safe_psql('postgres', "SELECT count(apitoken.issue('acme', 'm' || n)) FROM generate_series(1, 1500) n");
ask($locker, 'BEGIN; SELECT event_id FROM apitoken._event_unsealed ORDER BY 1 LIMIT 1 FOR UPDATE');
flush_every($node, $soon);
ok(wait_until(sub { $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'apitoken worker' AND wait_event_type = 'Lock'}) }),
	'the first of two seals waits');
ask($open, 'COMMIT');
ask($locker, 'COMMIT');
wait_sealed('an event committed meanwhile is sealed, too');
$_->quit foreach $open, $locker;
$node->safe_psql('postgres', 'ALTER SYSTEM RESET deadlock_timeout');

# A prepared transaction is waited for in its own database, not in one whose
# tables have the same OIDs.
sub transactions
{
	my ($database) = @_;

	return $node->safe_psql('postgres', "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '$database'");
}

sub wait_rounds
{
	my ($database) = @_;
	my $before = transactions($database);

	return wait_until(sub { transactions($database) > $before + 10 });
}

$node->safe_psql('postgres', 'CREATE DATABASE twin TEMPLATE third');
my $there = token($node, 'twin');
$node->safe_psql('twin', "BEGIN; SELECT apitoken.suspend('$there->{id}'); PREPARE TRANSACTION 'twin'");
token($node, 'third');
wait_sealed('a prepared transaction of another database: an event is sealed', 'third');
ok(wait_rounds('twin'), '... the worker comes to the other again and again');
$before = transactions('third');
ok(wait_rounds('twin'), '... and again');
is(transactions('third'), $before, '... but not here');
$node->safe_psql('twin', "ROLLBACK PREPARED 'twin'");
is(scalar wait_workers($node, 0), 0, '... and the worker is gone when it has ended');
$node->safe_psql('postgres', "DROP DATABASE $_") foreach qw(twin third);

# --- what users attached ---

$node->safe_psql(
	'postgres', q{
	CREATE ROLE mallory LOGIN;
	GRANT USAGE ON SCHEMA apitoken TO mallory;
	CREATE SEQUENCE ran;
	GRANT ALL ON SEQUENCE ran TO PUBLIC;
	CREATE FUNCTION trace() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('public.ran') $$;
	CREATE FUNCTION trace_true() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN true; END $$;
	CREATE FUNCTION trace_id(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN $1; END $$;
	CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END; END $$});
my @refused = (
	[ 'CREATE TRIGGER x BEFORE INSERT OR DELETE ON %t FOR EACH ROW EXECUTE FUNCTION fire(); ALTER TABLE %t ENABLE ALWAYS TRIGGER x',
		'DROP TRIGGER x ON %t', 'a trigger that fires on replicas' ],
	[ 'CREATE RULE x AS ON DELETE TO %t DO ALSO SELECT trace()', 'DROP RULE x ON %t', 'a rule' ],
	[ 'CREATE RULE x AS ON INSERT TO %t DO ALSO SELECT trace()', 'DROP RULE x ON %t', 'a rule' ],
	[ 'ALTER TABLE %t ADD COLUMN x bigint; ALTER TABLE %t ALTER COLUMN x SET DEFAULT trace()', 'ALTER TABLE %t DROP COLUMN x', 'a default' ],
	[ 'ALTER TABLE %t ADD CONSTRAINT x CHECK (trace_true()) NOT VALID', 'ALTER TABLE %t DROP CONSTRAINT x', 'a check constraint' ],
	[ 'CREATE DOMAIN traced AS bigint DEFAULT trace(); ALTER TABLE %t ADD COLUMN x traced',
		'ALTER TABLE %t DROP COLUMN x; DROP DOMAIN traced', 'a column of a domain type' ],
	[ 'CREATE INDEX x ON %t (trace_id(%c))', 'DROP INDEX apitoken.x', 'an index expression' ]);
my $trace = 'SELECT is_called FROM ran';
my $event = q{WITH e AS (INSERT INTO apitoken._event (id, at, event, actor, actor_name, session_role)
	SELECT nextval('apitoken._event_id_seq'), now(), 'x', 'a', 'b', 'c' RETURNING id) SELECT id FROM e};

my $uses = 0;

foreach my $table ('_event_unsealed', '_event_seal')
{
	my $column = $table eq '_event_seal' ? 'id' : 'event_id';

	foreach my $case (@refused)
	{
		my ($attach, $remove, $called) = @$case;
		s/%t/apitoken.$table/g, s/%c/$column/g foreach $attach, $remove;
		# What is written, before: its own trigger would run for the writer.
		flush_every($node, '1h');
		is(scalar wait_workers($node, 0), 0, "$attach:");
		my $id = $node->safe_psql('postgres', $event);
		$node->safe_psql('postgres', "INSERT INTO apitoken._event_unsealed VALUES ($id)");
		$node->safe_psql('postgres', $attach);
		$node->safe_psql('postgres', q{SELECT setval('ran', 1, false)});
		is(use_token($node, $token, 1), 1, '... a token is used');
		flush_every($node, $soon);
		wait_query($node, 'SELECT last_seal_error FROM apitoken.stats()',
			"events are not sealed because $called stands on table \"$table\"", '... the worker refuses');
		is(sqlstate($node, 'SELECT apitoken.seal_events()'), 'ERROR 55000', '... so does seal_events()');
		is($node->safe_psql('postgres', $trace), 'f', '... nothing has run');
		is(stats($node, 'last_flush_error'), '', '... which is no error of the flush');
		wait_stored($node, $token, ++$uses, '... use is written meanwhile');
		$node->safe_psql('postgres', $remove);
		wait_sealed('... removed: it is sealed');
		wait_query($node, 'SELECT last_seal_error FROM apitoken.stats()', '', '... and there is no error');
	}
}
$node->safe_psql(
	'postgres', q{
	GRANT TRIGGER ON apitoken._event, apitoken._event_unsealed, apitoken._event_seal TO mallory;
	CREATE SCHEMA mallory AUTHORIZATION mallory;
	SET ROLE mallory;
	CREATE FUNCTION mallory.rise() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM nextval('public.ran');
		ALTER ROLE mallory SUPERUSER;
		RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
	END $$;
	CREATE TRIGGER a BEFORE DELETE ON apitoken._event_unsealed FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE TRIGGER b AFTER DELETE ON apitoken._event_unsealed EXECUTE FUNCTION mallory.rise();
	CREATE CONSTRAINT TRIGGER c AFTER DELETE ON apitoken._event_unsealed DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE TRIGGER a BEFORE INSERT ON apitoken._event_seal FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE CONSTRAINT TRIGGER c AFTER INSERT ON apitoken._event_seal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	RESET ROLE;
	SELECT setval('ran', 1, false)});
$token = token($node);
wait_sealed('ordinary triggers: the worker seals');
is(stats($node, 'last_seal_error'), '', '... without an error');
flush_every($node, '1h');
$node->safe_psql('postgres', "SELECT apitoken.suspend('$token->{id}')");
is(sqlstate($node, 'SELECT apitoken.seal_events()'), '1', '... so does seal_events()');
is($node->safe_psql('postgres', $trace), 'f', '... nothing has run');
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', '... and mallory is who he was');
$node->safe_psql('postgres', q{
	DROP TRIGGER a ON apitoken._event_unsealed; DROP TRIGGER b ON apitoken._event_unsealed; DROP TRIGGER c ON apitoken._event_unsealed;
	DROP TRIGGER a ON apitoken._event_seal; DROP TRIGGER c ON apitoken._event_seal});

# --- stopped and killed ---

$node->safe_psql('postgres', "SELECT apitoken.activate('$token->{id}')");
$node->stop('immediate');
flush_every($node, $soon) if $node->start;
is(stats($node, 'oldest_unsealed_event IS NOT NULL'), 't', 'after a crash: stats() shows what is not sealed');
wait_sealed('... and has it sealed');
flush_every($node, '1h');
$node->safe_psql('postgres', "SELECT apitoken.suspend('$token->{id}')");
$node->restart;
flush_every($node, $soon);
use_token($node, $token, 1);
wait_sealed('after a restart: sealed when the next token is verified');

# In the middle of sealing: a row of the queue is locked.
foreach my $victim ('worker', 'postmaster')
{
	my $seals = $node->safe_psql('postgres', 'SELECT count(*) FROM apitoken._event_seal');
	my $locker = session($node);
	flush_every($node, '1h');
	$node->safe_psql('postgres', "SELECT count(apitoken.issue('acme', 'n' || n)) FROM generate_series(1, 2500) n");
	ask($locker, 'BEGIN; SELECT event_id FROM apitoken._event_unsealed ORDER BY 1 DESC LIMIT 1 FOR UPDATE');
	flush_every($node, $soon);
	my $offset = -s $node->logfile;
	flush_waits($node);
	if ($victim eq 'worker')
	{
		signal_flush($node, 9);
		wait_crash($node, $offset);
	}
	else
	{
		$node->kill9;
		ok(start_again($node), 'the server starts again');
	}
	$locker->{run}->kill_kill;
	is(stats($node, 'oldest_unsealed_event IS NOT NULL'), 't', "kill -9 of the $victim while it seals: not all is sealed");
	wait_sealed('... then all is, once');
	is($node->safe_psql('postgres', "SELECT max(id) - $seals, count(*) - $seals FROM apitoken._event_seal"), '3|3', '... in as many seals as without');
}
is(scalar wait_workers($node, 0), 0, 'no worker is left');

# --- a lock is not waited for without end, and holds up nothing else ---

my $sealer = session($node);
ask($sealer, 'BEGIN; SELECT apitoken.seal_events()');
$token = token($node);
use_token($node, $token, 3);
wait_stored($node, $token, 3, 'somebody seals and does not end: use is written');
wait_query($node, 'SELECT last_seal_error FROM apitoken.stats()', 'canceling statement due to lock timeout', '... sealing gives up');
ask($sealer, 'COMMIT');
$sealer->quit;
wait_sealed('... and comes again');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP/, 'nothing has crashed by itself');

$node->stop;
done_testing();
