# What users attach to _usage and _usage_hourly never runs in a flush, neither
# in the worker nor in flush_usage(): both act with the rights of the tables'
# owner, a superuser.  Ordinary triggers are passed over; where anything else
# stands there the flush refuses, says so in stats(), and goes on once it is
# removed.  Verification answers all the time.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', $soon);
my $token = token($node);
my $total = 0;

# Everything attached calls this, which leaves a trace, also of a transaction
# that is rolled back: a sequence.
$node->safe_psql(
	'postgres', q{
	CREATE ROLE mallory LOGIN;
	GRANT USAGE ON SCHEMA apitoken TO mallory;
	CREATE SEQUENCE ran;
	GRANT ALL ON SEQUENCE ran TO PUBLIC;
	CREATE FUNCTION trace() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('public.ran') $$;
	CREATE FUNCTION trace_true() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN true; END $$;
	CREATE FUNCTION trace_text(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN $1; END $$;
	CREATE FUNCTION trace_uuid(uuid) RETURNS uuid LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN $1; END $$;
	CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN PERFORM nextval('public.ran'); RETURN NEW; END $$});

my $session = session($node);

sub ran
{
	return ask($session, 'SELECT is_called FROM ran');
}

sub reset_trace
{
	ask($session, q{SELECT setval('ran', 1, false)});
	return;
}

sub use_it
{
	my ($times) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(ask($session, Usage::uses($token, $times)), $times,
		'... verification answers');
	$total += $times;
	return;
}

# Waits for an answer of the session.
sub becomes
{
	my ($query, $expected, $name) = @_;
	my $answer;

	for (1 .. 50 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$answer = ask($session, $query);
		last if $answer eq $expected;
		select undef, undef, undef, 0.02;
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($answer, $expected, $name);
}

my $written = "SELECT use_count FROM apitoken._usage WHERE token_id = '$token->{id}'";
my $shown = "SELECT use_count FROM apitoken.tokens WHERE id = '$token->{id}'";
my $error = 'SELECT last_flush_error FROM apitoken.stats()';

use_it(2);
wait_stored($node, $token, $total, 'nothing is attached');

# --- what a flush refuses ---

# How it is attached, how removed, what stats() calls it.  %t is the table, %c
# a column of it.
my @refused = (
	[ 'CREATE TRIGGER x BEFORE INSERT OR UPDATE ON %t FOR EACH ROW EXECUTE FUNCTION fire(); ALTER TABLE %t ENABLE ALWAYS TRIGGER x',
		'DROP TRIGGER x ON %t', 'a trigger that fires on replicas' ],
	[ 'CREATE TRIGGER x AFTER INSERT OR UPDATE ON %t EXECUTE FUNCTION fire(); ALTER TABLE %t ENABLE REPLICA TRIGGER x',
		'DROP TRIGGER x ON %t', 'a trigger that fires on replicas' ],
	[ 'CREATE CONSTRAINT TRIGGER x AFTER INSERT OR UPDATE ON %t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fire(); ALTER TABLE %t ENABLE ALWAYS TRIGGER x',
		'DROP TRIGGER x ON %t', 'a trigger that fires on replicas' ],
	[ 'CREATE RULE x AS ON INSERT TO %t DO ALSO SELECT trace()', 'DROP RULE x ON %t', 'a rule' ],
	[ 'CREATE RULE x AS ON UPDATE TO %t DO ALSO SELECT trace()', 'DROP RULE x ON %t', 'a rule' ],
	[ 'ALTER TABLE %t ADD COLUMN x bigint; ALTER TABLE %t ALTER COLUMN x SET DEFAULT trace()',
		'ALTER TABLE %t DROP COLUMN x', 'a default' ],
	[ 'ALTER TABLE %t ALTER COLUMN %c SET DEFAULT trace()', 'ALTER TABLE %t ALTER COLUMN %c DROP DEFAULT', 'a default' ],
	[ 'ALTER TABLE %t ADD COLUMN x uuid GENERATED ALWAYS AS (trace_uuid(token_id)) STORED',
		'ALTER TABLE %t DROP COLUMN x', 'a default' ],
	[ 'ALTER TABLE %t ADD CONSTRAINT x CHECK (trace_true())', 'ALTER TABLE %t DROP CONSTRAINT x', 'a check constraint' ],
	[ 'ALTER TABLE %t ADD CONSTRAINT x CHECK (trace_true()) NOT VALID', 'ALTER TABLE %t DROP CONSTRAINT x', 'a check constraint' ],
	[ 'CREATE DOMAIN traced AS text CHECK (trace_text(VALUE) = VALUE); ALTER TABLE %t ADD COLUMN x traced',
		'ALTER TABLE %t DROP COLUMN x; DROP DOMAIN traced', 'a column of a domain type' ],
	[ 'CREATE DOMAIN traced AS bigint DEFAULT trace(); ALTER TABLE %t ADD COLUMN y int; ALTER TABLE %t ADD COLUMN x traced',
		'ALTER TABLE %t DROP COLUMN x, DROP COLUMN y; DROP DOMAIN traced', 'a column of a domain type' ],
	[ 'CREATE INDEX x ON %t (trace_uuid(token_id))', 'DROP INDEX apitoken.x', 'an index expression' ],
	[ 'CREATE INDEX x ON %t (token_id) WHERE trace_uuid(token_id) IS NOT NULL', 'DROP INDEX apitoken.x', 'an index expression' ],
	[ 'CREATE STATISTICS apitoken.x ON (trace_uuid(token_id)), %c FROM %t', 'DROP STATISTICS apitoken.x', 'an expression of extended statistics' ]);

foreach my $table ('_usage', '_usage_hourly')
{
	my $column = $table eq '_usage' ? 'use_count' : 'uses';

	foreach my $case (@refused)
	{
		my ($attach, $remove, $called) = @$case;
		s/%t/apitoken.$table/g, s/%c/$column/g foreach $attach, $remove;

		is(ask($session, $attach), '', "$attach: attached");
		reset_trace();
		use_it(2);
		becomes($error, "use is not written because $called stands on table \"$table\"",
			'... the worker refuses');
		is(ask($session, 'SELECT apitoken.flush_usage()'),
			'ERROR 55000', '... so does flush_usage()');
		is(ran(), 'f', '... nothing has run');
		is(ask($session, $shown), $total, '... nothing is lost');
		is(ask($session, $remove), '', '... removed');
		becomes($written, $total, '... it is written');
		becomes($error, '', '... and there is no error');
	}
}
is(hourly($node, $token), $total, 'all is written by hour, too');

# Planning runs what is constant, also of tables that are only read.
foreach my $case (
	[ 'CREATE INDEX x ON apitoken._token (trace_uuid(NULL))', 'DROP INDEX apitoken.x', 'an index expression' ],
	[ 'CREATE STATISTICS apitoken.x ON (trace_uuid(NULL)), (trace_uuid(id)) FROM apitoken._token', 'DROP STATISTICS apitoken.x', 'an expression of extended statistics' ])
{
	my ($attach, $remove, $called) = @$case;

	is(ask($session, $attach), '', "$attach: attached");
	reset_trace();
	use_it(2);
	becomes($error, qq(use is not written because $called stands on table "_token"), '... the worker refuses');
	is(ask($session, 'SELECT apitoken.flush_usage()'), 'ERROR 55000', '... so does flush_usage()');
	is(ran(), 'f', '... nothing has run');
	is(ask($session, $remove), '', '... removed');
	becomes($written, $total, '... it is written');
}

# --- what it passes over ---

$node->safe_psql(
	'postgres', q{
	GRANT TRIGGER ON apitoken._usage, apitoken._usage_hourly TO mallory;
	CREATE SCHEMA mallory AUTHORIZATION mallory;
	SET ROLE mallory;
	CREATE FUNCTION mallory.rise() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM nextval('public.ran');
		ALTER ROLE mallory SUPERUSER;
		RETURN NEW;
	END $$;
	CREATE TRIGGER a BEFORE INSERT OR UPDATE ON apitoken._usage FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE TRIGGER b AFTER INSERT OR UPDATE ON apitoken._usage EXECUTE FUNCTION mallory.rise();
	CREATE CONSTRAINT TRIGGER c AFTER INSERT OR UPDATE ON apitoken._usage DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE TRIGGER a BEFORE INSERT OR UPDATE ON apitoken._usage_hourly FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	CREATE TRIGGER b AFTER INSERT OR UPDATE ON apitoken._usage_hourly EXECUTE FUNCTION mallory.rise();
	CREATE CONSTRAINT TRIGGER c AFTER INSERT OR UPDATE ON apitoken._usage_hourly DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mallory.rise();
	RESET ROLE;
	CREATE TABLE watch (token_id uuid REFERENCES apitoken._usage);
	CREATE POLICY p ON apitoken._usage USING (trace_true()) WITH CHECK (trace_true());
	CREATE POLICY p ON apitoken._usage_hourly USING (trace_true()) WITH CHECK (trace_true());
	CREATE POLICY p ON apitoken._token USING (trace_true());
	ALTER TABLE apitoken._usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	ALTER TABLE apitoken._usage_hourly ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	ALTER TABLE apitoken._token ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	ALTER TABLE apitoken._usage ADD COLUMN note text, ADD COLUMN n int GENERATED ALWAYS AS IDENTITY;
	ALTER TABLE apitoken._usage_hourly ADD COLUMN note text});
reset_trace();
use_it(3);
wait_stored($node, $token, $total, 'ordinary triggers, policies and columns: the worker writes');
flush_every($node, '1h');
use_it(3);
is(sqlstate($node, 'SELECT apitoken.flush_usage()'), '1', '... so does flush_usage()');
is(stored($node, $token), $total, '... everything');
is(ran(), 'f', '... nothing has run');
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}),
	'f', '... and mallory is who he was');
becomes($error, '', '... without an error');

# The trigger does run for others: it was no dud.
is(sqlstate($node, "UPDATE apitoken._usage SET use_count = use_count"), '',
	'an ordinary trigger runs for an ordinary UPDATE');
is(ran(), 't', '... and leaves its trace');
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}),
	't', '... and would have made mallory a superuser');
$node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');

# --- who calls, with what path ---

$node->safe_psql(
	'postgres', q{
	GRANT EXECUTE ON FUNCTION apitoken.flush_usage() TO mallory;
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.eq(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT public.trace() > 0';
	CREATE FUNCTION evil.ge(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT public.trace() > 0';
	CREATE FUNCTION evil.gt(bigint, integer) RETURNS boolean LANGUAGE sql AS 'SELECT public.trace() > 0';
	CREATE FUNCTION evil.plus(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT public.trace()';
	CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = uuid, RIGHTARG = uuid);
	CREATE OPERATOR evil.>= (FUNCTION = evil.ge, LEFTARG = timestamptz, RIGHTARG = timestamptz);
	CREATE OPERATOR evil.> (FUNCTION = evil.gt, LEFTARG = bigint, RIGHTARG = integer);
	CREATE OPERATOR evil.+ (FUNCTION = evil.plus, LEFTARG = bigint, RIGHTARG = bigint);
	CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE sql AS 'SELECT $1[1] FROM public.trace()';
	CREATE AGGREGATE evil.sum(bigint) (SFUNC = evil.plus, STYPE = bigint);
	GRANT USAGE ON SCHEMA evil TO PUBLIC});
reset_trace();
foreach my $who ('postgres', 'mallory')
{
	use_it(3);
	is( sqlstate(
			$node, q{
			CREATE TEMP TABLE _usage (token_id uuid);
			SET search_path = evil, pg_temp, pg_catalog;
			SELECT apitoken.flush_usage()}, role => $who),
		'1', "flush_usage() by $who, with look-alikes first in the path");
	is(ran(), 'f', '... none of them has run');
	is(stored($node, $token), $total, '... and everything is written');
}
is( sqlstate($node, q{SELECT apitoken.flush_usage(); SELECT current_user, current_setting('search_path'), current_setting('session_replication_role')}, role => 'mallory'),
	"0\nmallory|\"\$user\", public|origin", 'the session is as it was');
is(sqlstate($node, 'SELECT use_count FROM apitoken._usage', role => 'mallory'), 'ERROR 42501',
	'... with no rights more');

# Tables of another owner are written with his rights, not with a superuser's.
$node->safe_psql('postgres', 'ALTER TABLE apitoken._usage OWNER TO mallory');
use_it(3);
is(sqlstate($node, 'SELECT apitoken.flush_usage()'), 'ERROR 42501', 'a table of another owner: his rights');
$node->safe_psql('postgres', 'ALTER TABLE apitoken._usage OWNER TO postgres');
is(sqlstate($node, 'SELECT apitoken.flush_usage()'), '1', '... given back');
is(stored($node, $token), $total, '... everything is written');

$node->stop;
done_testing();
