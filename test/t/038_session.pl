# The current token where a server of one's own is needed: prepared
# transactions, logins with apitoken.require_token, sessions that end or are
# ended, the background worker.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $node = new_node('main');
$node->append_conf('postgresql.conf', <<"CONF");
max_prepared_transactions = 5
apitoken.usage_flush_interval = '$soon'
CONF
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, revoke_on_reuse) VALUES ('acme', true);
	CREATE ROLE app LOGIN;
	CREATE ROLE free LOGIN;
	GRANT USAGE ON SCHEMA apitoken TO PUBLIC;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA apitoken TO PUBLIC;
	ALTER ROLE app SET apitoken.require_token = on;
	CREATE TABLE note (realm text DEFAULT apitoken.current_realm());
	CREATE FUNCTION copy_realm() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO note VALUES ('deferred ' || apitoken.current_realm());
		RETURN NULL;
	END $$;
	CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON note DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW WHEN (NEW.realm NOT LIKE 'deferred%') EXECUTE FUNCTION copy_realm();
});
my ($id, $token) = issue($node, q{'acme', 'caller', '{*}', principal => 'ann'});
my $who = q{SELECT coalesce(apitoken.current_realm(), 'nobody')};

# --- prepared transactions ---

my $session = session($node);
is(ask($session, "BEGIN; SELECT apitoken.authenticate('$token') = '$id'; INSERT INTO note DEFAULT VALUES"),
	't', 'a transaction with a current token');
is(ask($session, "PREPARE TRANSACTION 'one'; $who"), 'nobody', '... has none once it is prepared');
is(ask($session, 'SELECT count(*) FROM note'), '0', '... and is not committed');
is( ask($session, "COMMIT PREPARED 'one'; SELECT realm FROM note ORDER BY realm"),
	"acme\ndeferred acme",
	'... its defaults and deferred triggers had it');
ask($session, "BEGIN; SELECT apitoken.authenticate('$token')");
is(ask($session, "SELECT 1/0"), 'ERROR 22012', 'a transaction that failed');
is(ask($session, "ROLLBACK; $who"), 'nobody', '... has none afterwards');
# A deferred trigger that fails at commit.
ask($session, q{ALTER TABLE note ADD CHECK (realm NOT LIKE 'deferred%') NOT VALID});
ask($session, "BEGIN; SELECT apitoken.authenticate('$token'); INSERT INTO note DEFAULT VALUES");
is(ask($session, 'COMMIT'), 'ERROR 23514', 'a commit that fails');
is(ask($session, $who), 'nobody', '... leaves nobody');
# A statement that is cancelled.
ask($session, "BEGIN; SELECT apitoken.authenticate('$token'); SET LOCAL statement_timeout = 1");
is(ask($session, 'SELECT pg_sleep(100)'), 'ERROR 57014', 'a statement that is cancelled');
is(ask($session, "ROLLBACK; $who"), 'nobody', '... leaves nobody');
$session->quit;

# --- logins ---

# "required" where the functions want a current token.  What a client brings
# along, and what it does before the library is loaded, which the first call
# does.
sub required
{
	my ($role, %way) = @_;
	local $ENV{PGOPTIONS} = $way{options} // '';
	my $answer = sqlstate($node, ($way{before} // '') . q{; SELECT apitoken.list('acme') IS NOT NULL},
		role => $role);

	return $answer eq 'ERROR 28000' ? 'required' : $answer;
}
my $off = 'apitoken.require_token=off';

is(required('app'), 'required', 'a role that needs a token');
is(required('free'), 't', 'one that does not');
is(required('app', before => 'SET apitoken.require_token = off'),
	'required', 'it is not set off, before the library is there');
is(required('app', before => 'RESET apitoken.require_token; RESET ALL; DISCARD ALL'),
	'required', '... nor reset');
is(required('app', before => 'BEGIN; SET LOCAL apitoken.require_token = off'),
	'required', '... nor for a transaction');
is(required('app', options => "-c $off"), 'required', '... nor by a client that connects');
is( required('app', options => "-c $off", before => 'RESET apitoken.require_token'),
	'required', '... nor by both');
is(required('app', options => '-c apitoken.require_token=nonsense'),
	'required', '... nor with nonsense');
is(required('app', before => 'SET ROLE free'), 'ERROR 42501', 'a role that it is no member of');
$node->safe_psql('postgres', 'GRANT free TO app');
is(required('app', before => 'SET ROLE free'), 'required', '... nor by another role');
foreach my $change ('SET apitoken.require_token = off', 'RESET apitoken.require_token', 'RESET ALL')
{
	sqlstate($node, "ALTER ROLE app $change", role => 'app');
	is(required('app'), 'required', "... nor by ALTER ROLE app $change");
}
is( sqlstate($node, "BEGIN; SELECT apitoken.authenticate('$token') = '$id'; SELECT apitoken.list() IS NOT NULL",
		role => 'app'),
	"t\nt", 'with a token it works');

# By the path of the file that is in use, which need not be the server's own.
my $library = $node->safe_psql(
	'postgres', q{
	SELECT apitoken.version() \gset
	SELECT substring(pg_read_file('/proc/self/maps')
		FROM '\s(/[^\n]*/apitoken\.so)\n')});
$node->append_conf('postgresql.conf', "session_preload_libraries = '$library'");
$node->reload;
is(required('app'), 'required', 'the same with the library preloaded by sessions');
is(required('app', options => "-c $off"), 'required', '... and a client that connects');
is(required('free'), 't', '... and who needs none');
$node->append_conf('postgresql.conf', "session_preload_libraries = ''");
$node->reload;

# For a database, or all of the server: a client does not get round that either.
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET apitoken.require_token = on');
is(required('free'), 'required', 'for a database');
is(required('free', options => "-c $off"), 'required', '... whatever the client says');
$node->safe_psql('postgres', 'ALTER ROLE free SET apitoken.require_token = off');
is(required('free'), 't', '... with an exception for a role');

# --- the worker ---

# It works for nobody, with that setting as well.
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET apitoken.require_token');
my ($stolen_id, $stolen) = issue($node, q{'acme', 'stolen'});
$node->safe_psql('postgres', "SELECT apitoken.rotate('$stolen_id')");
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET apitoken.require_token = on');
is($node->safe_psql('postgres', "SELECT outcome FROM apitoken.verify('$stolen')"),
	'superseded', 'a stolen secret is used');
wait_query($node, "SELECT status FROM apitoken.tokens WHERE id = '$stolen_id'",
	'revoked', '... and the worker revokes the token');
wait_query($node,
	"SELECT actor FROM apitoken.events WHERE token_id = '$stolen_id' AND event = 'revoked'",
	'apitoken', '... in its own name');

$node->stop;
done_testing();
