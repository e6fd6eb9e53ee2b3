# The GRANT recipes of the README, run as they stand there: what each role may
# do with each function, view and table, and what it may not.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

# --- the recipes: SQL blocks under "Roles" that begin with -- role NAME ---

my ($chapter) =
  slurp("$root/README.md") =~ /^(?:#+ )Roles\n(.*?)(?=^#+ |\z)/ms;
my %recipes = ($chapter // '') =~ /^```sql\n-- role (\w+).*?\n(.*?)^```$/msg;

is( join(' ', sort keys %recipes),
	'apitoken_auditor apitoken_issuer apitoken_keeper apitoken_reporter apitoken_tenant apitoken_verifier',
	'the README has the six recipes');

my $node = new_node('main');
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION apitoken; CREATE ROLE nobody;");
foreach my $role (sort keys %recipes)
{
	is(sqlstate($node, $recipes{$role}), '', "the recipe of $role runs");
}
$node->safe_psql(
	'postgres', q{
	INSERT INTO apitoken.realm (id, prefix) VALUES ('acme', 'dt0c01');
	INSERT INTO apitoken.realm (id) VALUES ('empty');
});
import_sample($node, 'acme');
my $id = $Apitoken::sample_id;
my $suspended = (issue($node, q{'acme', 'suspended'}))[0];
$node->safe_psql('postgres', "SELECT apitoken.suspend('$suspended')");
my ($revoked, $leaked) = issue($node, q{'acme', 'revoked', '{a}'});
$node->safe_psql('postgres', "SELECT apitoken.revoke('$revoked')");
my $rotated = (issue($node, q{'acme', 'rotated'}))[0];
$node->safe_psql('postgres', "SELECT apitoken.rotate('$rotated', '1 hour')");

# (With policies, so that readers of violations come to the functions inside.)
$node->safe_psql('postgres', q{
	UPDATE apitoken.realm SET known_scopes = 'b', max_idle = '1 hour' WHERE id = 'acme'});

# --- what there is to try ---

# By the name of what is tried, a statement that succeeds where it is allowed.
my %functions = (
	version      => 'SELECT apitoken.version()',
	issue        => q{SELECT apitoken.issue('acme', 'x')},
	import       => q{SELECT apitoken.import('acme', 'x', 'x-x-x-x-x')},
	suspend      => "SELECT apitoken.suspend('$id')",
	activate     => "SELECT apitoken.activate('$suspended')",
	revoke       => "SELECT apitoken.revoke('$id')",
	update       => "SELECT apitoken.update('$id', description => 'd')",
	rotate       => "SELECT apitoken.rotate('$id')",
	end_grace    => "SELECT apitoken.end_grace('$rotated')",
	delete       => "SELECT apitoken.delete('$revoked')",
	revoke_self  => "SELECT apitoken.revoke_self('$leaked')",
	revoke_all   => "SELECT apitoken.revoke_all('acme')",
	purge        => q{SELECT apitoken.purge('0')},
	purge_events => q{SELECT apitoken.purge_events('0')},
	purge_usage  => q{SELECT apitoken.purge_usage('0')},
	seal_events  => 'SELECT apitoken.seal_events()',
	check_events => 'SELECT apitoken.check_events()',
	tokens_granting => q{SELECT apitoken.tokens_granting('a')},
	tokens_at    => 'SELECT apitoken.tokens_at(now())',
	verify       => "SELECT apitoken.verify('$Apitoken::sample')",
	verify_sha256 =>
	  "SELECT apitoken.verify_sha256(sha256('$Apitoken::sample'))",
	verified_id  => "SELECT apitoken.verified_id('$Apitoken::sample')",
	lookup       => "SELECT apitoken.lookup('$Apitoken::sample')",
	details      => "SELECT apitoken.details('$Apitoken::sample', true)",
	read         => "SELECT apitoken.read('$id')",
	list         => q{SELECT apitoken.list('acme')},
	query        => q{SELECT apitoken.query('acme')},
	authenticate => "SELECT apitoken.authenticate('$Apitoken::sample')",
	current_token => 'SELECT apitoken.current_token()',
	current_realm => 'SELECT apitoken.current_realm()',
	current_principal => 'SELECT apitoken.current_principal()',
	has_scope    => q{SELECT apitoken.has_scope('a')},
	verify_many  => "SELECT apitoken.verify_many('{x}')",
	flush_usage  => 'SELECT apitoken.flush_usage()',
	stats        => 'SELECT apitoken.stats()',
	key_state    => 'SELECT apitoken.key_state()',
	enable_search => 'SELECT apitoken.enable_search()',
	check_token  => "SELECT apitoken.check_token('$Apitoken::sample')",
	token_digest => "SELECT apitoken.token_digest('$Apitoken::sample')",
	scope_count  => q{SELECT apitoken.scope_count('a b')});

my %relations = (
	'select tokens' => 'SELECT * FROM apitoken.tokens',
	'select idle_tokens'  => 'SELECT * FROM apitoken.idle_tokens',
	'select token_scopes' => 'SELECT * FROM apitoken.token_scopes',
	'select expiring_tokens' => 'SELECT * FROM apitoken.expiring_tokens',
	'select policy_violations' => 'SELECT * FROM apitoken.policy_violations',
	'select events' => 'SELECT * FROM apitoken.events',
	'select _event' => 'SELECT id FROM apitoken._event',
	'delete _event' => 'DELETE FROM apitoken._event',
	'delete _event_unsealed' => 'DELETE FROM apitoken._event_unsealed',
	'select _event_seal' => 'SELECT id FROM apitoken._event_seal',
	'select _idempotency' => 'SELECT key FROM apitoken._idempotency',
	'select _event_id_seq' => 'SELECT last_value FROM apitoken._event_id_seq',
	'select usage_hourly' => 'SELECT * FROM apitoken.usage_hourly',
	'select usage_daily'  => 'SELECT * FROM apitoken.usage_daily',
	'select realm'  => 'SELECT * FROM apitoken.realm',
	'insert realm'  => q{INSERT INTO apitoken.realm (id) VALUES ('new')},
	'update realm'  => 'UPDATE apitoken.realm SET enabled = false',
	'delete realm'  => q{DELETE FROM apitoken.realm WHERE id = 'empty'},
	'truncate realm' => 'TRUNCATE apitoken.realm',
	'select _token'  => 'SELECT id FROM apitoken._token',
	'update _token'  => q{UPDATE apitoken._token SET status = 'a'},
	'select _usage'  => 'SELECT token_id FROM apitoken._usage',
	'select _usage_hourly' => 'SELECT uses FROM apitoken._usage_hourly');

my %tries = (%functions, %relations);

# Nothing is forgotten: functions that are no part of a type, and relations.
is( join(' ', sort keys %functions),
	$node->safe_psql(
		'postgres', q{
		SELECT string_agg(proname, ' ' ORDER BY proname COLLATE "C")
		FROM pg_proc p
		WHERE pronamespace = 'apitoken'::regnamespace AND proname !~ '^_'
			AND NOT EXISTS (SELECT FROM pg_type
				WHERE p.oid IN (typinput, typoutput, typreceive, typsend))
			AND NOT EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid)
			AND NOT EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
			AND NOT EXISTS (SELECT FROM pg_cast WHERE castfunc = p.oid)}),
	'every public function is tried');
is( join(' ', sort keys %{ { map { (split)[1] => 1 } keys %relations } }),
	$node->safe_psql(
		'postgres', q{
		SELECT string_agg(relname, ' ' ORDER BY relname COLLATE "C")
		FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S', 'p', 'f')
			AND relnamespace = 'apitoken'::regnamespace}),
	'every table and view is tried');

# --- what they may ---

my @verifying = qw(verify verify_sha256 verify_many verified_id);
my %allowed   = (
	nobody            => [],
	apitoken_verifier => \@verifying,
	apitoken_tenant   => [
		qw(authenticate current_token current_realm current_principal has_scope)
	],
	apitoken_issuer   => [
		@verifying, qw(issue import update rotate end_grace suspend activate revoke
		  revoke_self revoke_all delete check_token details lookup list read query)
	],
	apitoken_auditor  => [
		(map { "select $_" } qw(tokens token_scopes expiring_tokens idle_tokens
			  policy_violations events realm)),
		qw(tokens_granting tokens_at check_events stats key_state)
	],
	apitoken_reporter => [
		(map { "select $_" } qw(tokens token_scopes expiring_tokens idle_tokens
			  policy_violations usage_hourly usage_daily)),
		qw(tokens_granting stats)
	],
	apitoken_keeper => [qw(purge purge_events purge_usage flush_usage seal_events
		  check_events stats key_state)]);

my (@observed, @expected);
foreach my $role (sort keys %allowed)
{
	my %may = map { $_ => 1 } @{ $allowed{$role} };

	foreach my $name (sort keys %tries)
	{
		my $answer = sqlstate($node,
			"BEGIN; SET SESSION AUTHORIZATION $role; $tries{$name}; ROLLBACK");

		push @expected, "$role: $name: " . ($may{$name} ? 'yes' : 'no');
		push @observed, "$role: $name: "
		  . ( $answer eq 'ERROR 42501' ? 'no'
			: $answer =~ /^ERROR/      ? $answer
			:                            'yes');
	}
}
cmp_ok(scalar @observed, '>=', 100, 'a hundred things were tried');
same_rows(\@observed, \@expected, 'each role may what it shall, and no more');

# --- what they hold ---

# Every object of the extension and every privilege that its kind has, for each
# role and for nobody: types, operators' and casts' functions, sequences, columns
# included.  What was tried above, and the helpers that views need, is all.
my %helpers = (
	apitoken_auditor => [qw(_public_id _last_used_at _last_used_ip _use_count _unknown_scopes)],
	apitoken_reporter => [qw(_public_id _last_used_at _last_used_ip _use_count _unknown_scopes)]);
my @held = split /\n/, $node->safe_psql('postgres', q{
	WITH role AS (
		SELECT oid, rolname FROM pg_roles WHERE rolname = 'nobody' OR rolname ~ '^apitoken_'
	), object AS (
		SELECT 'execute ' || proname AS name, privilege, oid, 'f' AS kind FROM pg_proc, (VALUES ('EXECUTE')) v(privilege)
		WHERE pronamespace = 'apitoken'::regnamespace
		UNION ALL SELECT lower(privilege) || ' type ' || typname, privilege, oid, 'T' FROM pg_type, (VALUES ('USAGE')) v(privilege)
		WHERE typnamespace = 'apitoken'::regnamespace AND typcategory <> 'A'
		UNION ALL SELECT lower(privilege) || ' ' || relname, privilege, oid, 'r' FROM pg_class,
			unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) privilege
		WHERE relnamespace = 'apitoken'::regnamespace AND relkind IN ('r', 'v', 'm', 'p', 'f')
		UNION ALL SELECT lower(privilege) || ' ' || relname, privilege, oid, 's' FROM pg_class,
			unnest('{USAGE,SELECT,UPDATE}'::text[]) privilege
		WHERE relnamespace = 'apitoken'::regnamespace AND relkind = 'S'
		UNION ALL SELECT lower(privilege) || ' schema ' || nspname, privilege, oid, 'n' FROM pg_namespace,
			unnest('{USAGE,CREATE}'::text[]) privilege WHERE nspname = 'apitoken'
	)
	SELECT rolname || ': ' || name FROM role, object o
	WHERE CASE kind
		WHEN 'f' THEN has_function_privilege(role.oid, o.oid, privilege)
		WHEN 'T' THEN has_type_privilege(role.oid, o.oid, privilege)
		WHEN 's' THEN has_sequence_privilege(role.oid, o.oid, privilege)
		WHEN 'n' THEN has_schema_privilege(role.oid, o.oid, privilege)
		WHEN 'r' THEN has_table_privilege(role.oid, o.oid, privilege)
			OR privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(role.oid, o.oid, privilege)
		END});
my @may_hold;
foreach my $role (grep { $_ ne 'nobody' } sort keys %allowed)
{
	push @may_hold, "$role: usage schema apitoken",
	  map { "$role: " . (/ / ? $_ : "execute $_") } @{ $allowed{$role} }, @{ $helpers{$role} // [] };
}
same_rows(\@held, \@may_hold, 'each role holds these privileges on objects, and no other');

# --- what they see ---

is( sqlstate(
		$node, q{
		SET SESSION AUTHORIZATION apitoken_auditor;
		SELECT public_id, partial FROM apitoken.tokens WHERE name = 'sample'}),
	'dt0c01.ST2EY72KQINMH574WMNVI7YN|dt0c01.ST2EY72KQINMH574WMNVI7YN...72RZM',
	'the auditor sees public ids');
is( sqlstate(
		$node,
		q{SET SESSION AUTHORIZATION apitoken_reporter;
		SELECT count(*) FROM apitoken.tokens WHERE status = 'active'}),
	'2',
	'the reporter counts');

# What the README says of whoever configures realms; the guards work for a
# role that may not look into the token table.
$node->safe_psql(
	'postgres', q{
	CREATE ROLE configurator;
	GRANT USAGE ON SCHEMA apitoken TO configurator;
	GRANT SELECT, INSERT, UPDATE, DELETE ON apitoken.realm TO configurator;
});
is( sqlstate(
		$node, q{
		SET SESSION AUTHORIZATION configurator;
		INSERT INTO apitoken.realm (id, known_scopes, metadata)
		VALUES ('third', 'b a', '{}');
		UPDATE apitoken.realm SET enabled = false WHERE id = 'acme';
		UPDATE apitoken.realm SET id = 'fourth' WHERE id = 'third';
		DELETE FROM apitoken.realm WHERE id = 'fourth';
		SELECT count(*) FROM apitoken.realm}),
	'2',
	'a configurator of realms');
is( sqlstate(
		$node, q{
		SET SESSION AUTHORIZATION configurator;
		DELETE FROM apitoken.realm WHERE id = 'acme'}),
	'ERROR 23503',
	'... cannot delete one that has tokens');

# A grant to one role gives nothing to another, and the owner of the database
# is nobody here.
$node->safe_psql('postgres', 'ALTER DATABASE postgres OWNER TO nobody');
is( sqlstate(
		$node, qq{
		SET SESSION AUTHORIZATION nobody;
		SELECT apitoken.verified_id('$Apitoken::sample')}),
	'ERROR 42501',
	'the owner of the database may nothing by that');
is(sqlstate($node, 'SET SESSION AUTHORIZATION nobody; DROP EXTENSION apitoken'),
	'ERROR 42501', '... not even drop it');
is( sqlstate($node,
		'SET SESSION AUTHORIZATION nobody; ALTER EXTENSION apitoken UPDATE'),
	'ERROR 42501', '... nor update it');

$node->stop;
done_testing();
