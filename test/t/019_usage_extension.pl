# A flush and what happens to the things it writes about: deleted tokens,
# tokens younger than the transaction, DROP EXTENSION and ALTER EXTENSION
# during a flush.

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
$node->safe_psql('postgres', 'CREATE DATABASE second');
install($node, 'second');
my $token = token($node);
my $other = token($node, 'second');

my $holder = session($node);
# --- tokens that are gone ---

my $doomed = token($node);
use_token($node, $doomed, 4);
use_it($node, $token, 1, 'beside a token that is deleted');
$node->safe_psql('postgres', qq{
	DELETE FROM apitoken._token WHERE id = '$doomed->{id}';
	DELETE FROM apitoken._usage WHERE token_id = '$doomed->{id}'});
is($node->safe_psql('postgres', 'SELECT apitoken.flush_usage()'), '2', 'a deleted token with uses pending');
is(stored($node, $doomed), '', '... does not come back');
is(hourly($node, $doomed), 4, '... its uses are in the reports');
is(stored($node, $token), $token->{total}, '... and others are written');
wait_query($node, 'SELECT last_flush_error FROM apitoken.stats()', '', '... without an error');

# Deleted while the flush is about to write it.
$doomed = token($node);
use_token($node, $doomed, 1);
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
use_token($node, $doomed, 4);
ask($holder, qq{BEGIN;
	DELETE FROM apitoken._token WHERE id = '$doomed->{id}';
	DELETE FROM apitoken._usage WHERE token_id = '$doomed->{id}'});
use_it($node, $token, 1, 'beside one whose deletion is not committed');
flush_every($node, $soon);
flush_waits($node);
ask($holder, 'COMMIT');
wait_stored($node, $token, $token->{total}, '... others are written');
wait_query($node, 'SELECT usage_pending, last_flush_error FROM apitoken.stats()', '0|',
	'... and it is no error');

# A row of _usage that is missing is made.
$node->safe_psql('postgres', 'DELETE FROM apitoken._usage');
use_token($node, $token, 3);
wait_query($node, "SELECT use_count FROM apitoken._usage WHERE token_id = '$token->{id}'", '3',
	'a token without a row in _usage');

# --- an older snapshot ---

# flush_usage() in a REPEATABLE READ transaction that began before a token was
# made: its use is written all the same.
flush_every($node, '1h');
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	ask($holder, "BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM apitoken._token");
	my $young = token($node);
	use_token($node, $young, 3);
	is(ask($holder, 'SELECT apitoken.flush_usage()'), '1', "flush_usage() in $level");
	is(ask($holder, 'COMMIT'), '', '... commits');
	is(stored($node, $young), 3, '... writes the use of a token that is younger');
	is(shown($node, $young), 3, '... once');
}

# --- the extension itself ---

# What ALTER EXTENSION does is no obstacle, before a flush and during one.
$token = token($node);
foreach my $statement (
	'DROP TABLE apitoken._usage', 'ADD TABLE apitoken._usage',
	'DROP FUNCTION apitoken.flush_usage()', 'ADD FUNCTION apitoken.flush_usage()',
	'UPDATE')
{
	use_it($node, $token, 2, "before ALTER EXTENSION ... $statement");
	ask($holder, 'BEGIN');
	ask($holder, 'SELECT apitoken.flush_usage()');
	is(sqlstate($node, "SET client_min_messages = error; ALTER EXTENSION apitoken $statement"), '', '... during a flush');
	is(ask($holder, 'COMMIT'), '', '... which ends well');
	is(stored($node, $token), $token->{total}, '... and has written');
}
is(sqlstate($node, 'ALTER EXTENSION apitoken SET SCHEMA public'), 'ERROR 0A000', 'SET SCHEMA is refused');

# DROP EXTENSION waits for a flush, and the flush is not disturbed.
use_it($node, $token, 2, 'before DROP EXTENSION');
ask($holder, 'BEGIN');
is(ask($holder, 'SELECT apitoken.flush_usage()'), '1', 'a flush is under way');
my $dropper = session($node);
$dropper->query_until(qr/dropping/, "\\echo dropping\nDROP EXTENSION apitoken CASCADE;\n");
wait_query($node, q{SELECT count(*) FROM pg_stat_activity WHERE query ~ '^DROP EXT' AND wait_event_type = 'Lock'},
	'1', 'DROP EXTENSION waits for it');
flush_every($node, $soon);
is(ask($holder, 'COMMIT'), '', 'the flush ends well');
is(ask($dropper, 'SELECT count(*) FROM pg_extension WHERE extname = $$apitoken$$'), '0', '... then it is dropped');
$dropper->quit;

# The worker is about to flush what is dropped before its eyes.
install($node, 'postgres');
$token = token($node);
is(use_token($node, $token, 2), 2, 'made anew: verification answers');
wait_stored($node, $token, 2, '... uses are written');
ask($holder, 'BEGIN; DROP EXTENSION apitoken CASCADE');
my $session = session($node);
$session->query_until(qr/verifying/,
	"\\echo verifying\nSELECT apitoken.verified_id('$token->{token}');\n");
$session->{run}->kill_kill;
use_it($node, $other, 2, '... the other database is used');
wait_stored($node, $other, $other->{total}, 'DROP EXTENSION is not committed: the other database is written to');
ask($holder, 'ROLLBACK');
is(use_token($node, $token, 2), 2, '... rolled back: verification answers');
wait_query($node, "SELECT use_count >= 4 FROM apitoken._usage WHERE token_id = '$token->{id}'",
	't', '... uses are written');

flush_every($node, '1h');
use_token($node, $token, 2);
ask($holder, 'BEGIN; DROP EXTENSION apitoken CASCADE');
flush_every($node, $soon);
flush_waits($node, 'second');
ask($holder, 'COMMIT');
wait_query($node, 'SELECT usage_pending, worker_running FROM apitoken.stats()', '0|f',
	'DROP EXTENSION while a flush waits for it: its uses are given up', 'second');
$holder->quit;

is($node->safe_psql('second', 'SELECT apitoken.flush_usage()'), '0', 'nothing is left');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|deadlock/, 'and nothing has crashed');
$node->stop;
done_testing();
