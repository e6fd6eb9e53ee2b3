# A hot standby verifies, counts in memory and shows what it counted; it never
# tries to write.  Promoted, it writes what it has.  A standby that is made of
# a base backup does not take over what was pending on the primary.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $primary = new_node('primary', allows_streaming => 1);
$primary->append_conf('postgresql.conf', "apitoken.usage_flush_interval = '1h'\n");
$primary->start;
install($primary, 'postgres');
$primary->safe_psql('postgres', q{
	INSERT INTO apitoken.realm (id, max_idle) VALUES ('strict', '1 hour')});
my $token = token($primary);
my ($strict_id, $strict) = issue($primary, q{'strict', 'strict'});
$primary->safe_psql('postgres', 'CREATE DATABASE second');
install($primary, 'second');
my $second = token($primary, 'second');

# The primary has stopped with uses pending that it could not write, and has
# not looked at them yet when the backup is made.
use_token($primary, $token, 2);
use_token($primary, $second, 5);
$primary->restart;
ok(-f spill_file($primary), 'the primary has saved pending uses');
$primary->backup('backup');
ok(-f $primary->backup_dir . '/backup/pg_stat/apitoken.usage', '... and the backup has the file');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "apitoken.usage_flush_interval = '$soon'\n");
$standby->start;
is(shown($standby, $second), 0, 'the standby does not count them');
like(slurp_file($standby->logfile), qr/LOG: .*uses of tokens in it are lost/, '... and says so');
ok(!-f spill_file($standby), '... its file is gone');
is(shown($primary, $second), 5, 'the primary counts them');
is(shown($primary, $token), 2, '... and what it could write');

# --- it counts ---

my $log = -s $standby->logfile;
is(use_token($standby, $token, 3), 3, 'the standby verifies');
is(use_token($standby, $second, 4), 4, '... in every database');
is($standby->safe_psql('postgres', q{SELECT outcome FROM apitoken.verify('unknown-token')}),
	'unknown', '... whatever the outcome');
is($standby->safe_psql('postgres',
		"SELECT outcome FROM apitoken.verify('$token->{token}', address => '192.0.2.7')"),
	'valid', '... from an address');
is(shown($standby, $token), 6, 'the view shows table and memory');
is($standby->safe_psql('postgres',
		"SELECT last_used_at IS NOT NULL, last_used_ip FROM apitoken.tokens WHERE id = '$token->{id}'"),
	't|192.0.2.7', '... time and address');
is(stored($standby, $token), 2, '... the table is the primary\'s');
is(shown($primary, $token), 2, '... who knows nothing of it');
is(stats($standby, 'usage_pending, usage_dropped, last_flush_at IS NULL, last_flush_error'), '3|0|t|',
	'stats() shows what is pending');

# Ten intervals later it is still in memory, and nothing was tried.
is(sqlstate($standby, 'SELECT apitoken.flush_usage()'), 'ERROR 25006', 'flush_usage() is refused');
my ($sleeper) = wait_workers($standby, 1);
my $wakes = sub { (slurp("/proc/$sleeper/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m)[0] };
my $slept = $wakes->();
ok(wait_until(sub { $wakes->() >= $slept + 10 }), '... the worker sleeps and wakes');
is(stats($standby, 'usage_pending, usage_dropped, last_flush_at IS NULL, last_flush_error'), '3|0|t|',
	'... and nothing is written by itself');
is(scalar(() = slurp_file($standby->logfile, $log) =~ /(ERROR|FATAL|PANIC):/g), 1,
	'... nor tried: one error in the log');

# What the primary writes arrives, and is added.
use_token($primary, $token, 10);
$primary->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
catch_up($primary, 'standby');
is(shown($standby, $token), 16, 'what the primary writes is added');

# --- it is idle as the table says, or its own memory ---

$primary->safe_psql('postgres', "UPDATE apitoken._token SET created_at = now() - interval '2 hours' WHERE id = '$strict_id'");
catch_up($primary, 'standby');
my $outcome = "SELECT outcome FROM apitoken.verify('$strict')";
is($standby->safe_psql('postgres', $outcome), 'idle', 'idle by the primary\'s table');
$primary->safe_psql('postgres', "UPDATE apitoken._usage SET last_used_at = now() WHERE token_id = '$strict_id'");
catch_up($primary, 'standby');
is($standby->safe_psql('postgres', $outcome), 'valid', '... not idle by the primary\'s table');
$primary->safe_psql('postgres', "UPDATE apitoken._usage SET last_used_at = now() - interval '2 hours' WHERE token_id = '$strict_id'");
catch_up($primary, 'standby');
is($standby->safe_psql('postgres', $outcome), 'valid', '... nor by its own memory');
is($primary->safe_psql('postgres', $outcome), 'idle', '... which does not count on the primary');

# --- it keeps what it counted ---

$standby->safe_psql('postgres', "SELECT apitoken.verified_id('$token->{token}', NULL, '192.0.2.8')");
foreach my $mode ('fast', 'smart')
{
	stop_and_start($standby, $mode);
	is(shown($standby, $token), 17, "$mode shutdown of the standby: kept");
}

# --- promoted ---

$standby->promote;
wait_stored($standby, $token, 17, 'promoted, it writes what it counted, unasked');
wait_stored($standby, $second, 4, '... in every database');
is($standby->safe_psql('postgres',
		"SELECT last_used_ip FROM apitoken._usage WHERE token_id = '$token->{id}'"),
	'192.0.2.8', '... with the address of the last use');
wait_query($standby, 'SELECT usage_pending, last_flush_at IS NOT NULL FROM apitoken.stats()', '0|t',
	'... and nothing is left');
is(use_token($standby, $token, 1), 1, 'it goes on counting');
wait_stored($standby, $token, 18, '... and writing');
unlike(slurp_file($standby->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');

$_->stop foreach $standby, $primary;
done_testing();
