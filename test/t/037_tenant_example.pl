# The worked example of docs/security.md, run as it stands there: directly, and
# through pgbouncer in transaction mode, where two clients share one server
# connection.  Nobody sees, or becomes, another tenant.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

# --- the chapter: SQL blocks that begin with -- WHO: WHAT ---

my ($chapter) = slurp("$root/docs/security.md") =~
  /^## A worked multi-tenant example\n(.*?)(?=^## |\z)/ms;
my (%blocks, @setup);
while (($chapter // '') =~ /^```sql\n-- the (\w+): (.*?)\n(.*?)^```$/msg)
{
	$blocks{$2} = $3;
	push @setup, $3 if $1 eq 'administrator';
}
is(scalar(() = ($chapter // '') =~ /^```sql$/mg),
	scalar keys %blocks, 'each block says whose it is');
is_deeply(
	[ sort keys %blocks ],
	[
		'a first token for each tenant',
		'a tenant makes a token',
		'an invoice is written',
		'invoices are read',
		'roles and rights',
		'the table and its policies'
	],
	'the blocks of the example');

my $node = new_node('main');
$node->append_conf('postgresql.conf', "log_statement = none\n");
$node->start;

# The administrator's part, and the tokens that it makes.
my $out = $node->safe_psql('postgres',
	join "\n", 'CREATE EXTENSION apitoken;', @setup,
	'\echo :acme_token', '\echo :globex_token');
my %token;
@token{qw(acme globex)} = split /\n/, $out;
like($token{$_}, qr/^tok\.[A-Z2-7]{24}\.[A-Z2-7]{64}$/, "a token of $_")
  foreach qw(acme globex);

# Prints what the last statement of a block answers, or "ERROR <SQLSTATE>".
sub run
{
	my ($connection, $sql, $token) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run(
		[
			'psql', '-XqAt', '-d', $connection, '-v', 'ON_ERROR_STOP=1',
			'-v', 'VERBOSITY=sqlstate', '-v', 'address=192.0.2.1',
			defined $token ? ('-v', "token=$token") : (), '-f', '-'
		],
		'<', \$sql, '>', \$out, '2>', \$err);
	return "ERROR $1" if $err =~ /(?:ERROR|FATAL): +(\w+)/;
	$out =~ s/^[0-9a-f-]{36}\n//;    # what authenticate() answers
	chomp $out;
	return $out;
}

# What the application does, by whichever way it is connected.
sub application
{
	my ($way, $connection) = @_;
	my $read  = $blocks{'invoices are read'};
	my $write = $blocks{'an invoice is written'};
	my $begin = "BEGIN; SELECT apitoken.authenticate(:'token');";
	my $count = 'SELECT count(*) FROM invoicing.invoice;';
	my $load = 'DO $$BEGIN PERFORM apitoken.current_realm(); END$$;';
	my $row = sub { "$_[0]|Wile E. Coyote|99.90|$_[1]" };

	$node->safe_psql('postgres', 'TRUNCATE invoicing.invoice');
	foreach my $tenant ([ 'acme', 'ann@acme' ], [ 'globex', 'gus@globex' ])
	{
		my ($realm, $principal) = @$tenant;

		is(run($connection, $write, $token{$realm}), '', "$way: $realm writes");
		is( run($connection, $read, $token{$realm}),
			$row->($realm, $principal),
			"$way: ... and reads what is its own");
	}
	is($node->safe_psql('postgres', $count), '2', "$way: both are there");

	# Nobody.
	is(run($connection, $count), '0', "$way: without a token no row is seen");
	is(run($connection, "SELECT apitoken.authenticate(:'token'); $count", $token{acme}),
		'0', "$way: ... nor after the transaction");
	is( run($connection, "INSERT INTO invoicing.invoice (customer, amount) VALUES ('x', 1)"),
		'ERROR 42501', "$way: ... nor written");
	is( run($connection,
			"INSERT INTO invoicing.invoice (realm, customer, amount) VALUES ('acme', 'x', 1)"),
		'ERROR 42501', "$way: ... for another");
	is(run($connection, 'UPDATE invoicing.invoice SET amount = 0 RETURNING 1'),
		'', "$way: ... nor changed");
	is(run($connection, $read, 'not-a-token'), 'ERROR 28000', "$way: a wrong token is refused");

	# Another.
	is( run($connection, "$begin UPDATE invoicing.invoice SET realm = 'globex'", $token{acme}),
		'ERROR 42501', "$way: a row is not moved to another tenant");
	is( run($connection, "$begin DELETE FROM invoicing.invoice WHERE realm = 'globex' RETURNING 1",
			$token{acme}),
		'', "$way: ... nor taken from one");
	is(run($connection, "$load SET apitoken.current_realm = 'globex'; $count"),
		'ERROR 42602', "$way: nobody becomes a tenant by SET");

	# Tokens of their own.
	my $make = $blocks{'a tenant makes a token'};
	my $auditor = run($connection, "$make\\echo :auditor_token", $token{acme});

	is( run($connection, $read, $auditor),
		$row->('acme', 'ann@acme'),
		"$way: the auditors' token reads");
	is(run($connection, $write, $auditor), 'ERROR 42501', "$way: ... and does not write");
	is( run($connection, "$begin DELETE FROM invoicing.invoice RETURNING 1", $auditor),
		'', "$way: ... nor delete");
	is( run($connection, "$begin SELECT apitoken.issue('acme', 'n', '{invoice.read}')", $auditor),
		'ERROR 42501', "$way: ... nor make tokens");
	is( run($connection, "$begin SELECT apitoken.issue('globex', 'n')", $token{acme}),
		'ERROR 42501', "$way: none is made for another tenant");
	is( run($connection, "$begin SELECT apitoken.issue('acme', 'n', '{billing.run}')", $token{acme}),
		'ERROR 42501', "$way: ... nor with a scope that its maker lacks");
	is(run($connection, "SELECT apitoken.list('acme')"), 'ERROR 28000',
		"$way: without a token none are listed");
	is( run($connection,
			"$begin SELECT apitoken.list() -> 'pagination' ->> 'item_count' >= '2', apitoken.current_realm()",
			$token{acme}),
		't|acme', "$way: a tenant lists its own");
	is(run($connection, "$load SET apitoken.require_token = off"),
		'ERROR 42501', "$way: require_token cannot be shaken off");

	# Revoked.
	is( run($connection,
			"$begin SELECT status FROM apitoken.revoke(apitoken.verified_id('$auditor')); COMMIT",
			$token{acme}),
		'ERROR 42501', "$way: what was not granted to the role is not to be had");
	my $id = $node->safe_psql('postgres', "SELECT apitoken.verified_id('$auditor')");
	is(run($connection, "$begin SELECT status FROM apitoken.revoke('$id')", $token{globex}),
		'ERROR 42704', "$way: another tenant cannot revoke it");
	is(run($connection, "$begin SELECT status FROM apitoken.revoke('$id'); COMMIT", $token{acme}),
		'revoked', "$way: its own tenant can");
	is(run($connection, $read, $auditor), 'ERROR 28000', "$way: ... and then it is refused");
	return;
}

application('direct', $node->connstr('postgres') . ' user=invoicing');

# --- through pgbouncer ---

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';

SKIP:
{
	skip 'no pgbouncer', 1 if !$pgbouncer;

	my $dir = PostgreSQL::Test::Utils::tempdir_short();
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $server = $node->connstr('postgres');

	$server =~ s/'//g;
	append_to_file("$dir/users", qq{"invoicing" ""\n"pooler" ""\n});
	append_to_file("$dir/pgbouncer.ini", <<"INI");
[databases]
postgres = $server
[pgbouncer]
listen_port = $port
unix_socket_dir = $dir
auth_type = trust
auth_file = $dir/users
admin_users = pooler
pool_mode = transaction
default_pool_size = 1
logfile = $PostgreSQL::Test::Utils::log_path/030_pgbouncer.log
pidfile = $dir/pid
INI
	my ($said, $complained) = ('', '');
	my $pooler = IPC::Run::start([ $pgbouncer, '-q', "$dir/pgbouncer.ini" ],
		'<', \undef, '>', \$said, '2>', \$complained);
	my $pooled = "host=$dir port=$port dbname=postgres user=invoicing";

	ok(wait_until(sub { run($pooled, 'SELECT 1') eq '1' }), 'pgbouncer is there')
	  or diag($said, $complained);
	application('pooled', $pooled);

	# Two clients that take turns on one server connection.
	my ($one, $two) = map {
		$node->background_psql(
			'postgres',
			on_error_stop => 0,
			extra_params => [ '-d', $pooled, '-v', 'VERBOSITY=sqlstate' ])
	} 1 .. 2;
	my $nobody = q{SELECT coalesce(apitoken.current_realm(), 'nobody'),
		(SELECT count(*) FROM invoicing.invoice), pg_backend_pid()};
	my $pid = (split /\|/, ask($one, $nobody))[2];

	# Sends it and does not wait: the other one has the connection.  What it
	# answers comes with the next answer.
	my $send = sub {
		my ($session, $sql) = @_;

		$session->query_until(qr/sent/, "\\echo sent\n$sql;\n");
		$session->{stdout} = '';
		return;
	};
	my $waiting = sub {
		run("host=$dir port=$port dbname=pgbouncer user=pooler", 'SHOW POOLS') =~
		  /^postgres\|invoicing\|\d+\|1\|/m;
	};
	my @ends = (
		'COMMIT', 'ROLLBACK',
		# undone by an error; the connection is free when the client says so
		'SELECT 1/0; ROLLBACK',
		'SAVEPOINT s; SELECT 1/0; ROLLBACK TO s; COMMIT',
		'DECLARE c CURSOR FOR SELECT 1; FETCH c; COMMIT');
	my @answers;
	my $rounds = 0;

	foreach my $end (@ends)
	{
		my @turns = ([ $one, $two, 'acme' ], [ $two, $one, 'globex' ]);
		foreach my $turn (@turns)
		{
			my ($active, $other, $realm) = @$turn;

			push @answers, ask($active,
				"BEGIN; SELECT apitoken.authenticate('$token{$realm}') IS NOT NULL; $nobody");
			$send->($other, $nobody);
			wait_until($waiting) or push @answers, 'did not wait';
			$active->query($end);
			push @answers, ask($other, 'SELECT 1'), ask($active, $nobody);
			$rounds++;
		}
	}
	my @expected = map {
		my $realm = $_;
		("t\n$realm|1|$pid", "nobody|0|$pid\n1", "nobody|0|$pid")
	} map { ('acme', 'globex') } @ends;
	is(join("\n--\n", @answers), join("\n--\n", @expected),
		"$rounds turns of two clients on one server connection");

	# One that goes away in the middle of its transaction leaves nothing behind.
	ask($one, "BEGIN; SELECT apitoken.authenticate('$token{acme}')");
	$one->quit;
	like(ask($two, $nobody), qr/^nobody\|0\|/, 'a client that left leaves nobody');
	$two->quit;

	$pooler->signal('TERM');
	$pooler->finish;
}

$node->stop;
done_testing();
