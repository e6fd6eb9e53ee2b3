# Verification never writes: it works in READ ONLY transactions, where it takes
# no row lock, assigns no transaction id and writes no WAL, and on a hot
# standby.  What is committed on the primary (revocations, a realm switched
# off, indexes built anew) holds on the standby once it is replayed, also in
# sessions with warm caches and inside an older REPEATABLE READ transaction.
# What would write is refused there with 25006.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $primary = new_node('primary', allows_streaming => 1);
$primary->start;
$primary->safe_psql(
	'postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, prefix) VALUES ('acme', 'dt0c01'), ('other', 'tok');
});
my ($id, $token) = issue($primary, q{'acme', 'one', '{a.*}'});
import_sample($primary, 'other');

# --- READ ONLY on the primary ---

# Statements that verify or read, each to answer true.
my %verifications = (
	verify        => "SELECT valid FROM apitoken.verify('$token', 'a.b')",
	verify_sha256 =>
	  "SELECT valid FROM apitoken.verify_sha256(sha256('$token'), 'a.b')",
	verified_id => "SELECT apitoken.verified_id('$token', 'a.b') = '$id' AS valid",
	authenticate => "SELECT apitoken.authenticate('$token', 'a.b') = '$id' AS valid",
	lookup      => "SELECT (apitoken.lookup('$token') -> 'enabled')::boolean AS valid",
	details     => "SELECT apitoken.details('$token') ->> 'tokenName' = 'one' AS valid",
	read        => "SELECT apitoken.read('$id') ->> 'name' = 'one' AS valid",
	list        => "SELECT apitoken.list('acme') -> 'summaries' -> 0 ->> 'id' = '$id' AS valid",
	query       => q{SELECT apitoken.query('acme') -> 'apiTokens' -> 0 ->> 'tokenName' = 'one' AS valid});

foreach my $name (sort keys %verifications)
{
	is(sqlstate($primary, "BEGIN READ ONLY; $verifications{$name}; COMMIT"),
		't', "$name in a READ ONLY transaction");

	# Also in a transaction that may write, also for a token that is refused.
	is( sqlstate(
			$primary, qq{
			BEGIN;
			$verifications{$name} \\gset
			SELECT outcome FROM apitoken.verify('$token', 'b') \\gset
			SELECT outcome FROM apitoken.verify('no token at all') \\gset
			SELECT pg_current_xact_id_if_assigned() IS NULL;
			COMMIT}),
		't',
		'... assigns no transaction id');

	is( sqlstate(
			$primary, qq{
			BEGIN;
			$verifications{$name} \\gset
			SELECT string_agg(DISTINCT locktype || ' ' || mode, ', ')
			FROM pg_locks
			WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid'
				AND relation IS DISTINCT FROM 'pg_locks'::regclass;
			COMMIT}),
		'relation AccessShareLock',
		'... takes no lock but those of a reader');
}

# Hint bits and page pruning are what any reader may write: done before.
$primary->safe_psql('postgres', 'VACUUM (FREEZE)');
my $plan = decode_json(
	$primary->safe_psql(
		'postgres', qq{
		SELECT valid FROM apitoken.verify('$token', 'a.b') \\gset
		EXPLAIN (ANALYZE, WAL, FORMAT JSON)
		SELECT apitoken.verify('$token', 'a.b'), apitoken.verified_id('$token'),
			apitoken.verify_sha256(sha256('unknown')), apitoken.lookup('$token')
		FROM generate_series(1, 500)}));
is($plan->[0]{Plan}{'WAL Records'} // 'not there',
	'0', 'two thousand verifications write no WAL');
is($plan->[0]{Plan}{'Actual Rows'} + 0, 500, '... and took place');
is( $primary->safe_psql(
		'postgres',
		"SELECT count(*) FILTER (WHERE xmax <> 0), count(*) FROM apitoken._token"),
	'0|2',
	'no row of the token table is locked or changed');

# --- on the standby ---

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
catch_up($primary, 'standby');

foreach my $name (sort keys %verifications)
{
	is(sqlstate($standby, $verifications{$name}),
		't', "$name on the standby");
}
is( sqlstate($standby,
		"SELECT outcome FROM apitoken.verify('$token', 'b')"),
	'scope_denied', 'a refusal on the standby');
is( sqlstate($standby,
		"SELECT valid, realm FROM apitoken.verify('$Apitoken::sample')"),
	't|other', 'an imported token on the standby');
is( sqlstate($standby, 'SELECT count(*) FROM apitoken.tokens'),
	'2', 'the view on the standby');

my %writes = (
	issue    => q{SELECT apitoken.issue('acme', 'two')},
	import   => q{SELECT apitoken.import('acme', 'two', 'two-two-two')},
	suspend  => "SELECT apitoken.suspend('$id')",
	activate => "SELECT apitoken.activate('$id')",
	revoke   => "SELECT apitoken.revoke('$id')");
foreach my $name (sort keys %writes)
{
	is(sqlstate($standby, $writes{$name}),
		'ERROR 25006', "$name on the standby is refused");
	is(sqlstate($primary, "BEGIN READ ONLY; $writes{$name}"),
		'ERROR 25006', '... and in a READ ONLY transaction on the primary');
}

# A session that has seen everything, and one that is inside a transaction.
my $warm = session($standby);
my $old  = session($standby);

sub outcome_of
{
	my ($session, $text) = @_;

	return ask($session, "SELECT outcome FROM apitoken.verify('$text')");
}

# Changes the primary, waits for the standby.
sub change
{
	my ($sql) = @_;

	$primary->safe_psql('postgres', $sql);
	catch_up($primary, 'standby');
	return;
}

ask($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($old, 'SELECT count(*) FROM apitoken.tokens'),
	'2', 'an older transaction has its snapshot');
is(outcome_of($_, $token), 'valid', 'valid to begin with') for $warm, $old;

change("UPDATE apitoken.realm SET enabled = false WHERE id = 'acme'");
is(outcome_of($warm, $token), 'realm_disabled',
	'a realm is switched off: a warm session knows');
is(outcome_of($old, $token), 'realm_disabled',
	'... and one inside an older transaction');
is(outcome_of($warm, $Apitoken::sample), 'valid',
	'... but another realm is not concerned');

change("UPDATE apitoken.realm SET enabled = true WHERE id = 'acme'");
is(outcome_of($_, $token), 'valid', '... and switched on again')
  for $warm, $old;

change("SELECT apitoken.suspend('$id')");
is(outcome_of($_, $token), 'suspended', 'a token is suspended')
  for $warm, $old;
change("SELECT apitoken.activate('$id')");
is(outcome_of($_, $token), 'valid', '... and activated') for $warm, $old;

my ($new_id, $new_token) = issue($primary, q{'acme', 'two'});
catch_up($primary, 'standby');
is(outcome_of($_, $new_token), 'valid', 'a token is issued')
  for $warm, $old;

change("SELECT apitoken.revoke('$new_id')");
is(outcome_of($_, $new_token), 'revoked', '... and revoked') for $warm, $old;
is( ask($old, "SELECT count(*) FROM apitoken.tokens"),
	'2', 'while the older transaction still has its snapshot');
ask($old, 'COMMIT');

# What was rolled back, or is not committed, has no effect there.
$primary->safe_psql('postgres',
	"BEGIN; SELECT apitoken.revoke('$id'); UPDATE apitoken.realm SET enabled = false; ROLLBACK");
change('SELECT 1');
is(outcome_of($warm, $token), 'valid', 'what was rolled back never happened');

# The index that is probed is replaced under a warm session.
change('REINDEX INDEX CONCURRENTLY apitoken._token_digest_idx');
is(outcome_of($warm, $token), 'valid', 'after REINDEX CONCURRENTLY');
change('REINDEX TABLE apitoken._token');
is(outcome_of($warm, $token), 'valid', 'after REINDEX');
change('VACUUM FULL apitoken._token');
is(outcome_of($warm, $token), 'valid', 'after VACUUM FULL');
change('CLUSTER apitoken._token USING _token_pkey');
is(outcome_of($warm, $token), 'valid', 'after CLUSTER');

# Without it there is an error, never "unknown".
change('DROP INDEX apitoken._token_digest_idx');
is(outcome_of($warm, $token), 'ERROR 55000',
	'without the index: an error, in a warm session');
is(sqlstate($standby, "SELECT outcome FROM apitoken.verify('$token')"),
	'ERROR 55000', '... and in a new one');
change('CREATE INDEX ON apitoken._token USING hash (digest)');
is(outcome_of($warm, $token), 'valid', 'with another index: right again');

# The extension goes and comes back.
change('DROP EXTENSION apitoken');
like(outcome_of($warm, $token), qr/^ERROR (42883|3F000|42P01|55000)$/,
	'without the extension: an error');
change(
	"CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id) VALUES ('acme');
	SELECT apitoken.import('acme', 'again', '$token')");
is(outcome_of($warm, $token), 'valid', 'with the extension created anew');
is(outcome_of($warm, $Apitoken::sample), 'unknown',
	'... nothing of the old one is left');

$warm->quit;
$old->quit;

# --- the standby is promoted ---

$primary->stop;
$standby->promote;
is( sqlstate($standby,
		"SELECT valid FROM apitoken.verify('$token')"),
	't', 'after a promotion it verifies');
issue($standby, q{'acme', 'three'});
is(sqlstate($standby, q{SELECT count(*) FROM apitoken.tokens}),
	'2', '... and issues');

$standby->stop;
done_testing();
