# A crash loses nothing that was committed and brings nothing back that was
# not: tokens issued, imported and revoked just before it, prepared
# transactions across it, and indexes that are probed directly.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $node = new_node('main');
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\n");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, prefix) VALUES ('acme', 'dt0c01'), ('other', 'tok');
	CHECKPOINT;
});

# Enough tokens that the hash index splits buckets during recovery.
$node->safe_psql(
	'postgres', q{
	CREATE TABLE texts AS SELECT token FROM generate_series(1, 3000) n,
		apitoken.issue('acme', 'token ' || n)});

sub outcome
{
	my ($text) = @_;

	return sqlstate($node, "SELECT outcome FROM apitoken.verify('$text')");
}

my ($kept_id,    $kept)    = issue($node, q{'acme', 'kept'});
my ($revoked_id, $revoked) = issue($node, q{'acme', 'revoked'});
my ($twice_id,   $twice)   = issue($node, q{'acme', 'suspended'});
my ($closed_id,  $closed)  = issue($node, q{'other', 'in a realm to be closed'});
import_sample($node, 'acme');

# Not committed when the server dies: an issue, a revocation, a closed realm.
my $open = session($node);
ask($open, 'BEGIN');
my $lost = (split /\|/, ask($open, q{SELECT id, token FROM apitoken.issue('acme', 'lost')}))[1];
ask($open, "SELECT apitoken.revoke('$kept_id')");
is(ask($open, "SELECT outcome FROM apitoken.verify('$lost')"),
	'valid', 'a transaction sees what it has issued');
is(ask($open, "SELECT outcome FROM apitoken.verify('$kept')"),
	'revoked', '... and what it has revoked');
is(outcome($lost), 'unknown', '... others do not');
is(outcome($kept), 'valid', '... either of them');

# Prepared, to be ended after the crash.
foreach my $name (qw(finished forgotten))
{
	$node->safe_psql(
		'postgres', qq{
		BEGIN;
		SELECT apitoken.import('acme', '$name', 'token-$name');
		PREPARE TRANSACTION '$name'});
	is(outcome("token-$name"), 'unknown', "$name: prepared is not committed");
}

# The last words.
$node->safe_psql('postgres', "SELECT apitoken.suspend('$twice_id')");
$node->safe_psql('postgres',
	q{UPDATE apitoken.realm SET enabled = false WHERE id = 'other'});
$node->safe_psql('postgres', "SELECT apitoken.revoke('$revoked_id', 'now')");

$node->kill9;
$open->{run}->kill_kill;

ok(start_again($node), 'the server starts again');

is(outcome($kept),    'valid',          'what was committed is valid');
is(outcome($revoked), 'revoked',        'a revocation of the last moment');
is(outcome($twice),   'suspended',      'a suspension');
is(outcome($closed),  'realm_disabled', 'a realm that was switched off');
is(outcome($lost),    'unknown',        'what was not committed never existed');
is(outcome($Apitoken::sample), 'valid', 'an imported token');
is( $node->safe_psql(
		'postgres', q{
		SELECT count(*), count(*) FILTER (WHERE v.valid)
		FROM texts, apitoken.verify(token) v}),
	'3000|3000',
	'every token is found through the recovered index');

$node->safe_psql('postgres', q{COMMIT PREPARED 'finished'});
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'forgotten'});
is(outcome('token-finished'), 'valid', 'committed after the crash');
is(outcome('token-forgotten'), 'unknown', 'rolled back after the crash');

# Import still knows them: no second row for a token.
is( $node->safe_psql('postgres',
		"SELECT apitoken.import('acme', 'again', '$kept')"),
	$kept_id, 'importing a token that was issued before the crash');
is( $node->safe_psql('postgres',
		'SELECT count(*), count(DISTINCT digest) FROM apitoken._token'),
	'3006|3006', 'no row too many');

$node->stop;
done_testing();
