# From version 1.0 to this one: what ALTER EXTENSION UPDATE leaves is what CREATE
# EXTENSION makes, object by object; all data is there and means the same; and
# a library that meets the other version's objects is right or says so.
#
# The library of version 1.0 is built by test/run from the history of the
# project; without one, what needs it is skipped.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Test::More;
use Apitoken;
use Whole;

# All objects of the extension, one a line, with what defines them.
my $objects = q{
	WITH member AS (
		SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
		WHERE d.refclassid = 'pg_extension'::regclass AND extname = 'apitoken' AND d.deptype = 'e'
	), relation AS (
		SELECT c.* FROM pg_class c JOIN member ON classid = 'pg_class'::regclass AND objid = c.oid
	)
	SELECT 'object ' || (pg_identify_object(classid, objid, 0)).identity || ' ' || (pg_identify_object(classid, objid, 0)).type
		|| ': ' || coalesce(obj_description(objid, classid::regclass::name), '') FROM member
	UNION ALL
	SELECT 'function ' || pg_get_functiondef(p.oid) || coalesce(proacl::text, '') || coalesce(pg_get_function_sqlbody(p.oid), '') FROM pg_proc p JOIN member ON classid = 'pg_proc'::regclass AND objid = p.oid
		WHERE prokind = 'f'
	UNION ALL
	SELECT 'relation ' || relname || ' ' || relkind::text || coalesce(relacl::text, '') || coalesce(reloptions::text, '') || relpersistence::text || relrowsecurity FROM relation
	UNION ALL
	SELECT format('column %s %s %s %s %s %s %s %s %s', r.relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
			attstorage, attstattarget, attcollation, coalesce(pg_get_expr(adbin, adrelid), '')) || coalesce(attacl::text, '') || coalesce(col_description(r.oid, attnum), '')
		FROM relation r JOIN pg_attribute ON attrelid = r.oid AND attnum > 0 LEFT JOIN pg_attrdef ON adrelid = r.oid AND adnum = attnum
	UNION ALL
	SELECT 'index ' || pg_get_indexdef(indexrelid) || indisunique || indisprimary || indisvalid || coalesce(obj_description(indexrelid, 'pg_class'), '')
		FROM pg_index JOIN relation ON indrelid = relation.oid
	UNION ALL
	SELECT 'constraint ' || conname || pg_get_constraintdef(c.oid) || convalidated || coalesce(obj_description(c.oid, 'pg_constraint'), '')
		FROM pg_constraint c JOIN relation ON conrelid = relation.oid
	UNION ALL
	SELECT 'trigger ' || pg_get_triggerdef(t.oid) || tgenabled::text || coalesce(obj_description(t.oid, 'pg_trigger'), '') FROM pg_trigger t JOIN relation ON tgrelid = relation.oid
	UNION ALL
	SELECT 'view ' || relname || pg_get_viewdef(oid) FROM relation WHERE relkind = 'v'
	UNION ALL
	SELECT format('type %s %s %s %s %s %s', typname, typlen, typalign, typstorage, typcategory, typacl) FROM pg_type JOIN member ON classid = 'pg_type'::regclass AND objid = pg_type.oid
	UNION ALL
	SELECT format('operator %s %s %s %s %s %s', o.oid::regoperator, oprcode, oprrest, oprjoin, oprcanmerge, oprcanhash) FROM pg_operator o JOIN member ON classid = 'pg_operator'::regclass AND objid = o.oid
	UNION ALL
	SELECT format('dumped %s %s', relation.relname, condition)
		FROM pg_extension, unnest(extconfig, extcondition) AS c(config, condition) JOIN relation ON relation.oid = config WHERE extname = 'apitoken'
	UNION ALL
	SELECT 'schema ' || nspname || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = 'apitoken'
};

sub objects
{
	my ($node, $database) = @_;

	return [ map { s/\n/ /gr } split /\x{1e}/,
		$node->safe_psql($database, "SELECT string_agg(o, U&'\\001E') FROM ($objects) AS o(o)") ];
}

my $update = 'ALTER EXTENSION apitoken UPDATE';

# --- objects ---

my $node = new_node('main');
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(fresh updated);
$node->safe_psql('fresh', 'CREATE EXTENSION apitoken');
$node->safe_psql('updated', "CREATE EXTENSION apitoken VERSION '1.0'; $update");
my $fresh = objects($node, 'fresh');
cmp_ok(scalar @$fresh, '>', 400, 'objects are compared');
same_rows(objects($node, 'updated'), $fresh, 'what an update leaves is what an installation makes');
is( $node->safe_psql('updated', q{SELECT extversion = apitoken.version() FROM pg_extension WHERE extname = 'apitoken'}),
	't', '... and says so');

# --- this library, objects of 1.0 ---

$node->safe_psql('postgres', "CREATE EXTENSION apitoken VERSION '1.0'; INSERT INTO apitoken.realm (id) VALUES ('acme')");
my $session = session($node);
foreach my $call (q{issue('acme', 'n')}, q{verify('some-token')}, q{verified_id('some-token')}, q{verify_many('{some-token}')},
	q{lookup('some-token')}, q{list('acme')}, q{revoke_self('some-token')})
{
	is(ask($session, "SELECT apitoken.$call"), 'ERROR 55000', "objects of 1.0, this library: $call");
}
is($node->psql('postgres', q{SELECT apitoken.verify('some-token')}, stderr => \my $error), 3, '... the error');
like($error, qr/table "apitoken\._token" is older than the library of apitoken\n.*HINT:  Run ALTER EXTENSION apitoken UPDATE\./s, '... tells what to do');
is(ask($session, q{SELECT apitoken.scope_count('a b'), apitoken.version() <> '1.0'}), '2|t', '... what needs no table works');
is(ask($session, $update), '', '... updated by the same session');
my ($id, $token) = split /\|/, ask($session, q{SELECT id, token FROM apitoken.issue('acme', 'n')});
is(ask($session, "SELECT apitoken.authenticate('$token')"), $id, '... which then has everything');
$session->quit;
goes_on($node, 'updated before there were tokens');
$node->stop;

# --- data of 1.0 ---

my $released = $ENV{APITOKEN_RELEASED_CONF};
if (!$released)
{
	note 'there is no history of the project, hence no library of 1.0';
	done_testing();
	exit 0;
}

# Later lines of a configuration win over earlier ones.
sub restart_with
{
	my ($server, $conf) = @_;

	$server->stop if defined $server->{_pid};
	$server->append_conf('postgresql.conf', $conf);
	$server->start;
	return;
}

sub outcomes
{
	my ($server) = @_;

	return $server->safe_psql('postgres',
		q{SELECT s.name, v.outcome, v.id, v.scopes, v.expires_at FROM secret s, apitoken.verify(s.token, 'a') v ORDER BY s.name});
}

my $current = slurp($ENV{TEMP_CONFIG});
my $server  = new_node('released');
restart_with($server, $released);
$server->safe_psql('postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, max_active_per_principal) VALUES ('acme', 100), ('closed', NULL);
	CREATE TABLE secret (name text, id uuid, token text);
	INSERT INTO secret SELECT n, i.id, i.token FROM unnest('{plain,rotated,suspended,revoked,expired,used,deleted}'::text[]) n,
		apitoken.issue('acme', n, '{a,b.*}', principal => 'p', metadata => '{"n": 1}') i;
	INSERT INTO secret SELECT 'foreign', apitoken.import('acme', 'foreign', 'a-token-of-others', scopes => '{a}'), 'a-token-of-others';
	INSERT INTO secret SELECT 'closed', id, token FROM apitoken.issue('closed', 'n', '{a}');
	INSERT INTO secret SELECT 'successor', r.id, r.token FROM secret s, apitoken.rotate(s.id, '10 years') r WHERE name = 'rotated';
	SELECT apitoken.suspend(id) FROM secret WHERE name = 'suspended';
	SELECT apitoken.revoke(id) FROM secret WHERE name IN ('revoked', 'deleted');
	SELECT apitoken.delete(id) FROM secret WHERE name = 'deleted';
	UPDATE apitoken._token SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE name = 'expired';
	UPDATE apitoken.realm SET enabled = false WHERE id = 'closed'});
is($server->safe_psql('postgres', 'SELECT apitoken.version()'), '1.0', 'a service of version 1.0');
my $expected = outcomes($server);
like($expected, qr/^successor\|valid\|.*^suspended\|suspended\|/ms, '... with tokens in all states');
$server->safe_psql('postgres', 'SELECT apitoken.flush_usage(); SELECT apitoken.seal_events()');
my $before = contents($server, 'postgres');

# The library is exchanged first.
restart_with($server, $current);
is(sqlstate($server, q{SELECT apitoken.verify(token) FROM secret WHERE name = 'plain'}), 'ERROR 55000', 'this library, before the update: an error, neither unknown nor valid');
is(contents($server, 'postgres'), $before, '... nothing has changed');
is(sqlstate($server, $update), '', 'updated');
my $after = contents($server, 'postgres');
# A column more, NULL, at the end of each token: not to be seen at the end of lines.
$after =~ s{,+\)$}{)}mg;
(my $was = $before) =~ s{,+\)$}{)}mg;
is($after, $was, '... all rows are there');
same_rows(objects($server, 'postgres'), $fresh, '... all objects are those of an installation');
is(outcomes($server), $expected, '... tokens mean what they meant');
is($server->safe_psql('postgres', 'SELECT count(*) FROM apitoken.check_events()'), '0', '... the history is whole');
structure_is_whole($server, '... and so is the structure');
goes_on($server, 'updated');
is($server->safe_psql('postgres', q{SELECT apitoken.authenticate(token) = id FROM secret WHERE name = 'plain'}), 't', '... with what is new');
my $now = outcomes($server);

# Uses that are counted and not written when the server stops come back with
# either library.  Without a worker nobody writes them.
sub use_plain
{
	my ($times) = @_;

	return $server->safe_psql('postgres',
		qq{SELECT count(apitoken.verified_id(token)) FROM generate_series(1, $times), secret WHERE name = 'plain';
			SELECT use_count FROM apitoken.tokens WHERE name = 'plain'});
}

restart_with($server, "max_worker_processes = 0\n");
my ($used, $count) = split /\n/, use_plain(5);
restart_with($server, $released);
is(use_plain(3), "3\n" . ($count + 3), 'what this library has counted is there with that of 1.0');
restart_with($server, $current);
is(use_plain(2), "2\n" . ($count + 5), '... and the other way round');
restart_with($server, "max_worker_processes = 8\n");

# Somebody takes the library back.
restart_with($server, $released);
is($server->safe_psql('postgres', 'SELECT apitoken.version()'), '1.0', 'the library of 1.0 on objects of this version');
is(outcomes($server), $now, '... tokens mean what they mean');
goes_on($server, '... and it');
is(sqlstate($server, q{SELECT apitoken.authenticate('some-token')}), 'ERROR 42883', '... what it does not know is an error');
is(sqlstate($server, 'SELECT * FROM apitoken.key_state()'), 'ERROR 42883', '... each time');
$server->safe_psql('postgres', 'CREATE DATABASE other');
is(sqlstate($server, 'CREATE EXTENSION apitoken', database => 'other'), '', '... a new database has version 1.0');
restart_with($server, $current);
is(outcomes($server), $now, 'and forth again: tokens mean what they mean');
goes_on($server, '... and it');
$server->stop;

done_testing();
