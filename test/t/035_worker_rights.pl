# Nothing that somebody attached to a table of the extension runs with rights
# that he lacks.  The worker and the functions that act as the tables' owner
# run nothing at all of it; what else a call runs, it runs as who calls.
#
# All tables, all that a role with TRIGGER, REFERENCES and CREATE can attach;
# then what the owner attaches by mistake and somebody else has written.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = usage_node('main', '1h');

# Each function of mallory tells in the log who runs it: also where that is
# rolled back.  It also takes what it can get.
$node->safe_psql(
	'postgres', q{
	INSERT INTO apitoken.realm (id, revoke_on_reuse) VALUES ('strict', true);
	CREATE ROLE mallory LOGIN;
	CREATE ROLE issuer LOGIN;
	CREATE ROLE keeper LOGIN;
	GRANT USAGE ON SCHEMA apitoken TO mallory, issuer, keeper;
	GRANT CREATE ON SCHEMA apitoken TO mallory;
	GRANT TRIGGER, REFERENCES ON ALL TABLES IN SCHEMA apitoken TO mallory;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA apitoken TO issuer, keeper;
	GRANT USAGE ON TYPE apitoken.scopes, apitoken.digest TO mallory;
	GRANT SELECT, INSERT, UPDATE ON apitoken.realm TO issuer;
	GRANT SELECT ON apitoken.tokens, apitoken.events, apitoken.idle_tokens, apitoken.policy_violations,
		apitoken.token_scopes, apitoken.expiring_tokens, apitoken.usage_hourly, apitoken.usage_daily TO keeper;
	CREATE SCHEMA mallory AUTHORIZATION mallory;
	GRANT USAGE ON SCHEMA mallory TO PUBLIC;
	SET ROLE mallory;
	CREATE FUNCTION mallory.tell(what text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		is_super boolean := rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user;
	BEGIN
		RAISE LOG 'MALLORY RAN: % as % of % (%)', what, current_user, session_user,
			(SELECT backend_type FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid());
		IF is_super THEN
			ALTER ROLE mallory SUPERUSER;
		END IF;
	END $$;
	CREATE FUNCTION mallory.fire() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM mallory.tell(TG_NAME || ' on ' || TG_TABLE_NAME);
		RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
	END $$;
	CREATE FUNCTION mallory.one() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM mallory.tell('one()'); RETURN 1; END $$;
	CREATE FUNCTION mallory.yes() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM mallory.tell('yes()'); RETURN true; END $$;
	CREATE FUNCTION mallory.same(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN PERFORM mallory.tell('same()'); RETURN $1; END $$;
	CREATE DOMAIN mallory.checked AS text CHECK (mallory.yes())});

my @tables = split /\n/, $node->safe_psql('postgres', q{
	SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'apitoken'::regnamespace ORDER BY 1});
cmp_ok(scalar @tables, '>=', 8, "tables: @tables");

# --- what has run, and as who ---

my $offset = -s $node->logfile;

# "what as user of session user (kind of process)", once each, since the last
# time.
sub ran
{
	my $log = slurp_file($node->logfile, $offset);

	$offset += length $log;
	my %seen = map { $_ => 1 } $log =~ /MALLORY RAN: (.*)/g;
	return sort keys %seen;
}

# What a superuser does himself runs triggers as him, here as everywhere.
sub forget
{
	ran();
	$node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');
	return;
}

sub nothing_ran
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join("\n", ran()), '', "$name: nothing has run");
	return is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}),
		'f', '... and mallory is who he was');
}

# A token whose secret is used after its grace: the worker is to revoke it.
sub stolen
{
	my $id = $node->safe_psql('postgres', q{SELECT apitoken.import('strict', 'stolen', 'stolen-secret-' || gen_random_uuid()) });

	$node->safe_psql('postgres', "SELECT apitoken.rotate('$id')");
	return $id;
}

sub use_stolen
{
	my ($id) = @_;
	my $secret = "a-stolen-secret-$id";

	$node->safe_psql('postgres', "UPDATE apitoken._token SET previous_digest = apitoken.token_digest('$secret') WHERE id = '$id'");
	return $secret;
}

# --- what a role may attach by GRANT ---

# What takes the owner is refused.
my @refused = (
	'ALTER TABLE apitoken.%s ENABLE ALWAYS TRIGGER mallory_before',
	'ALTER TABLE apitoken.%s ENABLE REPLICA TRIGGER mallory_before',
	'CREATE RULE r AS ON INSERT TO apitoken.%s DO ALSO SELECT mallory.one()',
	'ALTER TABLE apitoken.%s ADD COLUMN x int DEFAULT mallory.one()',
	'ALTER TABLE apitoken.%s ADD COLUMN x mallory.checked',
	'ALTER TABLE apitoken.%s ADD CHECK (mallory.yes())',
	'ALTER TABLE apitoken.%s ENABLE ROW LEVEL SECURITY',
	'CREATE POLICY p ON apitoken.%s USING (mallory.yes())',
	'CREATE INDEX ON apitoken.%s ((mallory.one()))',
	'CREATE STATISTICS mallory.s ON (mallory.one()) FROM apitoken.%s',
	'CREATE TABLE mallory.child () INHERITS (apitoken.%s)',
	'ALTER TABLE apitoken.%s OWNER TO mallory',
	'DROP TABLE apitoken.%s');

my @stolen = map { stolen() } 1 .. 2;
my @secrets = map { use_stolen($_) } @stolen;
$node->safe_psql('postgres', q{SELECT apitoken.import('acme', 'used', 'used-secret')});

my @wrong;
foreach my $table (@tables)
{
	$node->safe_psql('postgres', qq{
		SET SESSION AUTHORIZATION mallory;
		CREATE TRIGGER mallory_before BEFORE INSERT OR UPDATE OR DELETE ON apitoken.$table FOR EACH ROW EXECUTE FUNCTION mallory.fire();
		CREATE TRIGGER mallory_after AFTER INSERT OR UPDATE OR DELETE ON apitoken.$table FOR EACH ROW EXECUTE FUNCTION mallory.fire();
		CREATE TRIGGER mallory_statement AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON apitoken.$table EXECUTE FUNCTION mallory.fire();
		CREATE CONSTRAINT TRIGGER mallory_deferred AFTER INSERT OR UPDATE OR DELETE ON apitoken.$table
			DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mallory.fire()});
	foreach my $command (@refused)
	{
		my $answer = sqlstate($node, sprintf($command, $table), role => 'mallory');

		push @wrong, "$command, $table: $answer" if $answer ne 'ERROR 42501';
	}
}
is(join("\n", @wrong), '', 'what takes the owner of a table is refused to others');

# Tables that refer to these, with triggers of their own: these run as their
# owner, if at all.
foreach my $table (qw(_token realm _event))
{
	my ($type) = $table eq '_token' ? 'uuid' : $table eq 'realm' ? 'text' : 'bigint';

	$node->safe_psql('postgres', qq{
		SET SESSION AUTHORIZATION mallory;
		CREATE TABLE mallory.refers_$table (id $type REFERENCES apitoken.$table ON DELETE CASCADE ON UPDATE CASCADE);
		CREATE TRIGGER mallory_refers BEFORE DELETE OR UPDATE ON mallory.refers_$table FOR EACH ROW EXECUTE FUNCTION mallory.fire()});
}
$node->safe_psql('postgres', q{
	INSERT INTO mallory.refers__token SELECT id FROM apitoken._token;
	INSERT INTO mallory.refers_realm SELECT id FROM apitoken.realm;
	INSERT INTO mallory.refers__event SELECT id FROM apitoken._event});

# In the extension's schema: functions and operators that fit a call better.
my @overloads = split /\n/, $node->safe_psql('postgres', q{
	SELECT format('CREATE FUNCTION apitoken.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM mallory.tell(%L); RETURN%s; END $f$',
		proname, args, CASE WHEN proretset THEN 'SETOF int' ELSE 'int' END, 'overloaded ' || proname, CASE WHEN proretset THEN '' ELSE ' NULL' END)
	FROM pg_proc p, LATERAL (
		SELECT string_agg(CASE t::regtype::text WHEN 'text' THEN 'varchar' WHEN 'timestamp with time zone' THEN 'timestamp'
			WHEN 'apitoken.scopes' THEN 'text' WHEN 'text[]' THEN 'varchar[]' WHEN 'integer' THEN 'bigint' ELSE t::regtype::text END, ', ' ORDER BY n) AS args
		FROM unnest(p.proargtypes) WITH ORDINALITY a(t, n)) a
	WHERE pronamespace = 'apitoken'::regnamespace AND args ~ 'varchar|timestamp|bigint' AND args !~ 'internal|cstring'
		AND NOT EXISTS (SELECT FROM pg_proc o WHERE o.pronamespace = p.pronamespace AND o.proname = p.proname AND o.oid <> p.oid)});
my $made = grep { sqlstate($node, $_, role => 'mallory') eq '' } @overloads;
cmp_ok($made, '>', 15, "$made functions of the extension are overloaded");
$made = 0;
foreach my $operator ('=', '<>', '@>', '<@', '+', '-', '<', '>')
{
	foreach my $types ([ 'apitoken.scopes', 'text' ], [ 'apitoken.scopes', 'text[]' ], [ 'text', 'text' ], [ 'uuid', 'uuid' ],
		[ 'apitoken.digest', 'bytea' ], [ 'timestamptz', 'timestamptz' ], [ '"char"', '"char"' ], [ 'bigint', 'bigint' ])
	{
		my ($l, $r) = @$types;
		my $name = 'op' . ++$made;

		sqlstate($node, qq{
			CREATE FUNCTION mallory.$name($l, $r) RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN PERFORM mallory.tell('$operator'); RETURN true; END \$\$;
			CREATE OPERATOR apitoken.$operator (FUNCTION = mallory.$name, LEFTARG = $l, RIGHTARG = $r)}, role => 'mallory');
	}
}
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM pg_operator WHERE oprowner = 'mallory'::regrole}), '>', 40, '... and operators');
forget();

# --- the worker ---

is(use_token($node, { database => 'postgres', token => 'used-secret' }, 3), 3, 'a token is used');
foreach my $secret (@secrets)
{
	is($node->safe_psql('postgres', "SELECT outcome FROM apitoken.verify('$secret')"), 'superseded', '... a stolen secret, too');
}
forget();
flush_every($node, $soon);
wait_query($node, "SELECT bool_and(status = 'revoked') FROM apitoken.tokens WHERE id IN ('$stolen[0]', '$stolen[1]')", 't',
	'the worker has revoked tokens');
wait_query($node, 'SELECT usage_pending, oldest_unsealed_event IS NULL FROM apitoken.stats()', '0|t', '... written use and sealed events');
is(stats($node, 'last_flush_error, last_seal_error'), '|', '... without an error');
flush_every($node, '1h');
wait_workers($node, 0);
nothing_ran('in the worker');

# --- calls ---

# What acts as the owner runs nothing; the others run it as who calls.
$node->safe_psql('postgres', q{SELECT apitoken.issue('acme', 'n' || n, '{a}', expires_in => '1 day', idempotency_key => n::text) FROM generate_series(1, 3) n});
forget();
is(use_token($node, { database => 'postgres', token => 'used-secret' }, 3), 3, 'used again');
foreach my $call ('apitoken.flush_usage()', 'apitoken.seal_events()', q{apitoken.purge_usage('0')},
	'apitoken.check_events()', 'apitoken.stats()', q{apitoken.tokens_granting('a')}, 'apitoken.tokens_at(now())',
	q{apitoken.list('acme')}, q{apitoken.list('acme', 'name', cursor => '')}, q{apitoken.query('acme')},
	q{apitoken.query('acme', body => '{"searchTerms": {"allOf": [{"field": "TOKEN_NAME", "operator": "LIKE", "terms": ["n"]}]}}')},
	q{apitoken.verify('used-secret', 'a')}, q{apitoken.verify_many('{used-secret}')}, q{apitoken.lookup('used-secret')},
	q{apitoken.details('used-secret')}, q{apitoken.revoke_all('acme', scope => 'a', dry_run => true)},
	map { "apitoken.$_" } qw(tokens events idle_tokens policy_violations token_scopes expiring_tokens usage_hourly usage_daily))
{
	unlike(sqlstate($node, "SELECT * FROM $call", role => 'keeper'), qr/ERROR/, $call);
}
nothing_ran('in what reads, or acts as the owner');

my @changes = (
	q{SELECT apitoken.issue('acme', 'by issuer', '{a}', idempotency_key => 'again')},
	q{SELECT apitoken.import('acme', 'by issuer', 'secret-of-issuer')},
	q{SELECT apitoken.suspend(:'id')}, q{SELECT apitoken.activate(:'id')},
	q{SELECT apitoken.rotate(:'id', '1 hour')}, q{SELECT apitoken.end_grace(:'id')},
	q{SELECT apitoken.update(:'id', description => 'x')}, q{SELECT apitoken.revoke(:'id')}, q{SELECT apitoken.delete(:'id')},
	q{SELECT apitoken.revoke_self('secret-of-issuer')}, q{SELECT apitoken.revoke_all('acme', scope => 'a')},
	q{SELECT apitoken.purge('0')}, q{SELECT apitoken.purge_events('0')}, q{UPDATE apitoken.realm SET name = 'x' WHERE id = 'acme'},
	q{INSERT INTO apitoken.realm (id) VALUES ('by issuer')});
my $answer = sqlstate($node, q{SELECT id FROM apitoken.issue('acme', 'subject') \gset} . "\n" . join(";\n", @changes), role => 'issuer');
unlike($answer, qr/ERROR/, 'an issuer changes tokens');
my @ran = ran();
cmp_ok(scalar @ran, '>', 10, '... and what is attached does run for a call');
is(join("\n", grep { !/ as issuer of issuer \(client backend\)$| as mallory of issuer / } @ran), '', '... as who calls it, or as who owns a table that refers to ours');
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', '... and mallory is who he was');

# --- attached by the owner's mistake ---

# The triggers of before are gone.
$node->safe_psql('postgres', join ';', map { my $t = $_; map { "DROP TRIGGER mallory_$_ ON apitoken.$t" } qw(before after statement deferred) } @tables);
$node->safe_psql('postgres', 'DROP TABLE mallory.refers__token, mallory.refers_realm, mallory.refers__event');

# What each job writes is looked at first, and it refuses where anything stands
# there, and where expressions stand on what it reads: 020, 023 and 024 show
# that.  What stands on other tables, or is no expression, does not run either.
my %writes = (
	flush => [qw(_usage _usage_hourly)],
	seal => [qw(_event_unsealed _event_seal)],
	# (It comes behind the flush and before the seals.)
	reuse => [qw(_token _event _event_unsealed _event_seal _usage _usage_hourly)]);
my %reads = (flush => ['_token'], seal => ['_event'], reuse => ['realm']);
my @mistakes = (
	[ 'CREATE TRIGGER x BEFORE INSERT OR UPDATE OR DELETE ON %t FOR EACH ROW EXECUTE FUNCTION mallory.fire(); ALTER TABLE %t ENABLE ALWAYS TRIGGER x',
		'DROP TRIGGER x ON %t' ],
	[ 'CREATE RULE x AS ON INSERT TO %t DO ALSO SELECT mallory.one(); CREATE RULE y AS ON UPDATE TO %t DO ALSO SELECT mallory.one()',
		'DROP RULE x ON %t; DROP RULE y ON %t' ],
	[ 'ALTER TABLE %t ADD COLUMN x int; ALTER TABLE %t ALTER COLUMN x SET DEFAULT mallory.one()', 'ALTER TABLE %t DROP COLUMN x' ],
	[ 'ALTER TABLE %t ADD COLUMN x mallory.checked', 'ALTER TABLE %t DROP COLUMN x' ],
	[ 'ALTER TABLE %t ADD CONSTRAINT x CHECK (mallory.yes()) NOT VALID', 'ALTER TABLE %t DROP CONSTRAINT x' ],
	[ 'CREATE POLICY x ON %t USING (mallory.yes()) WITH CHECK (mallory.yes()); ALTER TABLE %t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
		'ALTER TABLE %t DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY x ON %t' ],
	[ 'CREATE INDEX x_%n ON %t (mallory.same(%c::text)); CREATE INDEX y_%n ON %t (%c) WHERE mallory.same(%c::text) IS NOT NULL',
		'DROP INDEX apitoken.x_%n, apitoken.y_%n' ],
	[ 'CREATE STATISTICS public.x_%n ON (mallory.same(%c::text)), %c FROM %t', 'DROP STATISTICS public.x_%n' ]);

my %first_column = map { split /\|/ } split /\n/, $node->safe_psql('postgres', q{
	SELECT relname, attname FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum = 1
	WHERE relkind = 'r' AND relnamespace = 'apitoken'::regnamespace});

foreach my $job (sort keys %writes)
{
	my %written = map { $_ => 1 } @{ $writes{$job} };
	my @others = grep { !$written{$_} } @tables;

	foreach my $mistake (@mistakes)
	{
		my %read = map { $_ => 1 } $mistake->[0] =~ /INDEX|STATISTICS/ ? @{ $reads{$job} } : ();
		my ($attach, $remove) = map {
			my $command = $_;
			join '; ', map { my $table = $_; $command =~ s/%t/apitoken.$table/gr =~ s/%n/$table/gr =~ s/%c/$first_column{$table}/gr } grep { !$read{$_} } @others } @$mistake;
		my $victim = stolen();
		my $secret = use_stolen($victim);

		$node->safe_psql('postgres', "SELECT apitoken.verified_id('used-secret')") if $job eq 'flush';
		$node->safe_psql('postgres', "SELECT apitoken.verify('$secret')") if $job eq 'reuse';
		my ($status, $out, $err) = $node->psql('postgres', $attach, on_error_stop => 1);
		is($status, 0, "$mistake->[0]: not on what the $job writes") or diag($err);
		forget();
		if ($job eq 'reuse')
		{
			flush_every($node, $soon);
			wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$victim'", 'revoked', '... the worker has revoked a token');
			flush_every($node, '1h');
			wait_workers($node, 0);
		}
		else
		{
			unlike(sqlstate($node, $job eq 'flush' ? 'SELECT apitoken.flush_usage()' : 'SELECT apitoken.seal_events()', role => 'keeper'),
				qr/ERROR/, '... it is done');
		}
		nothing_ran('...');
		$node->safe_psql('postgres', $remove);
	}
}

$node->stop;
done_testing();
