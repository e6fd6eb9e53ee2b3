# Eight clients at once: counts are exact while the worker flushes; and in an
# array of four slots every verification answers, and what found no slot is
# counted as dropped.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

# pgbench stops with an error where a verification does not answer as it must.
sub clients
{
	my ($node, $script, $times, $name) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$name.sql";

	open my $out, '>', $file or die "$file: $!";
	print $out $script;
	close $out;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	command_ok([ 'pgbench', '-n', '-M', 'prepared', '-c', '8', '-j', '2',
			'-t', $times, '-f', $file, 'postgres' ],
		$name);
	return;
}

my $verify = q{
\set n random(1, 50)
SELECT 1 / (outcome = expected)::int FROM texts, LATERAL apitoken.verify(token) WHERE n = :n;
};
my $fill = q{
	CREATE TABLE texts AS SELECT n, token, 'valid' AS expected
		FROM generate_series(1, 50) n, apitoken.issue('acme', 'token ' || n);
	UPDATE texts SET token = 'unknown-token-' || n, expected = 'unknown' WHERE n % 10 = 0;
	UPDATE texts SET token = 'x', expected = 'malformed' WHERE n % 10 = 5};

# Everything that was ever counted, once it is written.
my $counted = q{
	SELECT (SELECT sum(uses) FROM apitoken._usage_hourly) + usage_dropped,
		(SELECT sum(use_count) FROM apitoken._usage) =
			(SELECT sum(uses) FROM apitoken._usage_hourly WHERE outcome = 'valid'),
		usage_pending
	FROM apitoken.stats()};

# --- room for all ---

my $node = usage_node('roomy', $soon);
$node->safe_psql('postgres', $fill);
my $token = token($node);
clients($node, "SELECT 1 / (apitoken.verified_id('$token->{token}') IS NOT NULL)::int;\n",
	500, 'one token, eight clients');
wait_stored($node, $token, 4000, '... all are counted and written');

clients($node, $verify, 250, 'fifty tokens, eight clients');
wait_query($node, $counted, '6000|t|0', '... all are counted and written');
is(stats($node, 'usage_dropped, worker_failures, last_flush_error'), '0|0|',
	'... none is dropped');
is( $node->safe_psql(
		'postgres',
		q{SELECT string_agg(DISTINCT outcome, ' ' ORDER BY outcome), count(*) FILTER (WHERE token_id IS NULL) > 0
		FROM apitoken.usage_hourly}),
	'malformed unknown valid|t',
	'... denied ones among them');
$node->stop;

# --- four slots ---

$node = usage_node('narrow', '1h', 'apitoken.usage_max_entries = 4');
$node->safe_psql('postgres', $fill);
clients($node, $verify, 250, 'four slots, eight clients');
is(stats($node, 'usage_capacity, usage_pending'), '4|4', '... all four are taken');
cmp_ok(stats($node, 'usage_dropped'), '>', 0, '... and uses are dropped');

# Who has a slot is counted while the array is full, others are not.
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
my @tokens = map { token($node) } 1 .. 5;
use_token($node, $_, 1) foreach @tokens;
my $dropped = stats($node, 'usage_dropped');
is(use_token($node, $_, 10), 10, '... verification answers') foreach @tokens;
is(join(' ', map { shown($node, $_) } @tokens), '11 11 11 11 0', '... four tokens are counted');
is(stats($node, 'usage_dropped') - $dropped, 10, '... the fifth one is dropped');
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
wait_query($node, $counted, '2055|t|0', '... written and dropped ones are all there are');

flush_every($node, $soon);
clients($node, $verify, 250, 'the same while the worker flushes');
wait_query($node, $counted, '4055|t|0', '... written and dropped ones are all there are');

$node->stop;
done_testing();
