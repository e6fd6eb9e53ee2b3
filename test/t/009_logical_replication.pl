# Realms and tokens replicated by logical replication to a second server that
# verifies: what is issued, revoked and switched off on the first arrives there,
# also in sessions with warm caches.  The apply of logical replication fires
# only triggers that are enabled ALWAYS, and no statement triggers for rows.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $publisher  = new_node('publisher',  allows_streaming => 'logical');
my $subscriber = new_node('subscriber', allows_streaming => 'logical');
$_->start foreach $publisher, $subscriber;
$_->safe_psql('postgres', 'CREATE EXTENSION apitoken')
  foreach $publisher, $subscriber;

$publisher->safe_psql(
	'postgres', q{
	INSERT INTO apitoken.realm (id, prefix) VALUES ('acme', 'dt0c01'), ('other', 'tok');
	CREATE PUBLICATION tokens FOR TABLE apitoken.realm, apitoken._token;
});
my ($id, $token) = issue($publisher, q{'acme', 'before', '{a.*}'});
import_sample($publisher, 'other');

# Binary transfer uses send() and recv() of our types; a second subscription,
# of the text forms, would bring the same rows.
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION mirror CONNECTION '$connection' PUBLICATION tokens WITH (binary = true)"
);
$subscriber->wait_for_subscription_sync($publisher, 'mirror');

# Changes the publisher and waits for the subscriber.
sub change
{
	my ($sql) = @_;

	$publisher->safe_psql('postgres', $sql);
	catch_up($publisher, 'mirror');
	return;
}

my $warm = session($subscriber);
# This one is inside an older transaction most of the time.
my $old  = session($subscriber);

sub outcome_of
{
	my ($session, $text, $scope) = @_;

	return ask($session, "SELECT outcome FROM apitoken.verify('$text'"
		  . ($scope ? ", '$scope'" : '') . ')');
}

sub both_say
{
	my ($text, $expected, $name) = @_;

	is(outcome_of($warm, $text), $expected, $name);
	is(outcome_of($old, $text), $expected, '... and in another session');
	return;
}

sub same_tables
{
	my ($name) = @_;

	foreach my $table (qw(realm _token))
	{
		my $rows = "SELECT t FROM apitoken.$table t ORDER BY t::text";
		is( $subscriber->safe_psql('postgres', $rows),
			$publisher->safe_psql('postgres', $rows),
			"$name: $table is the same");
	}
	return;
}

# --- what was there before the subscription ---

same_tables('first copy');
is(outcome_of($warm, $token, 'a.b'), 'valid', 'a token that was copied');
is(outcome_of($warm, $token, 'b'), 'scope_denied', '... with its scopes');
is(outcome_of($warm, $Apitoken::sample), 'valid', 'an imported one');
is( ask($warm, "SELECT apitoken.verified_id('$token') = '$id'"),
	't', 'by verified_id');
is( ask($warm,
		"SELECT valid FROM apitoken.verify_sha256(sha256('$token'))"),
	't', 'by verify_sha256');
is( ask($warm,
		"SELECT apitoken.lookup('$token') ->> 'name'"),
	'before', 'by lookup');

ask($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($old, 'SELECT count(*) FROM apitoken.tokens'),
	'2', 'an older transaction has its snapshot');

# --- what happens afterwards ---

both_say($token, 'valid', 'valid to begin with');

change("UPDATE apitoken.realm SET enabled = false WHERE id = 'acme'");
both_say($token, 'realm_disabled', 'a realm is switched off');
both_say($Apitoken::sample, 'valid', 'another realm is not concerned');
change("UPDATE apitoken.realm SET enabled = true WHERE id = 'acme'");
both_say($token, 'valid', 'it is switched on');

change("SELECT apitoken.suspend('$id')");
both_say($token, 'suspended', 'a token is suspended');
change("SELECT apitoken.activate('$id')");
both_say($token, 'valid', 'it is activated');

my ($new_id, $new_token) = issue($publisher, q{'acme', 'after'});
catch_up($publisher, 'mirror');
both_say($new_token, 'valid', 'a token is issued');
change("SELECT apitoken.revoke('$new_id', 'gone')");
both_say($new_token, 'revoked', 'it is revoked');

# A new realm, its token, and both in one transaction.
change(
	q{BEGIN;
	INSERT INTO apitoken.realm (id) VALUES ('third');
	SELECT apitoken.import('third', 'x', 'a-token-of-the-third');
	COMMIT});
both_say('a-token-of-the-third', 'valid', 'a realm with a token arrives');
change(
	q{BEGIN;
	UPDATE apitoken.realm SET enabled = false WHERE id = 'third';
	ROLLBACK});
both_say('a-token-of-the-third', 'valid', 'what was rolled back does not');

# A realm that loses its tokens and goes.
change(
	q{BEGIN;
	DELETE FROM apitoken._token WHERE realm = 'third';
	DELETE FROM apitoken.realm WHERE id = 'third';
	COMMIT});
both_say('a-token-of-the-third', 'unknown', 'it goes with its token');
same_tables('after all this');

# --- the subscriber's own guards ---

# A realm that is gone there is as good as disabled, and warm sessions know.
# A replica fires no ordinary trigger, so the guard lets it pass.
ask($old, 'COMMIT');
both_say($token, 'valid', 'before the realms are removed');
$subscriber->safe_psql('postgres',
	'SET session_replication_role = replica; TRUNCATE apitoken.realm');
both_say($token, 'realm_disabled', 'realms truncated as a replica does it');
$subscriber->safe_psql('postgres',
	q{INSERT INTO apitoken.realm (id) VALUES ('acme')});
both_say($token, 'valid', 'a realm is put back');
$subscriber->safe_psql('postgres',
	q{SET session_replication_role = replica; DELETE FROM apitoken.realm});
both_say($token, 'realm_disabled', 'deleted as a replica does it');
is(sqlstate($subscriber, 'TRUNCATE apitoken._token, apitoken.realm'),
	'ERROR 23503', 'whoever is no replica meets the guard');

$_->quit foreach $warm, $old;

# TRUNCATE on the publisher, which replicates as such.
$publisher->safe_psql('postgres',
	'DELETE FROM apitoken._token; TRUNCATE apitoken.realm');
catch_up($publisher, 'mirror');
is($subscriber->safe_psql('postgres',
		'SELECT count(*) FROM apitoken.realm'),
	'0', 'a truncated table of realms arrives');

$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION mirror');
$_->stop foreach $subscriber, $publisher;
done_testing();
