# The file that pending uses are saved to when the last process leaves: what a
# crash leaves of it, and files that are not to be believed.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

# Without a worker each session that leaves is the last one.
my $node = usage_node('main', '1h', 'max_worker_processes = 0');
my $file = spill_file($node);
my $token = token($node);
my $total = 0;

# --- crashes ---

# Nobody has been there since it was saved: nothing can have been written.
use_token($node, $token, 5);
$total += 5;
wait_file($node, 1, 'the last session has left');
$node->stop('immediate');
$node->start;
is(shown($node, $token), $total, 'saved before an immediate shutdown');
wait_file($node, 1, 'the last session has left again');
$node->kill9;
ok(start_again($node), 'the postmaster was killed');
is(shown($node, $token), $total, '... what was saved is there');

# While somebody is there the memory counts, and there is no file that could
# bring back what has been written since.
my $session = session($node);
ask($session, 'SELECT apitoken.flush_usage()');
ask($session, Usage::uses($token, 3));
ok(!-f $file, 'a session is there, no file');
is(shown($node, $token), $total + 3, '... what it noted is shown');
$node->stop('immediate');
$session->{run}->kill_kill;
$node->start;
is(shown($node, $token), $total, '... and lost by an immediate shutdown');
is(stored($node, $token), $total, '... but nothing else is');

# The other way round: a session of another database saves, and what was
# flushed stays flushed.
use_token($node, $token, 4);
$total += 4;
wait_file($node, 1, 'saved');
$node->safe_psql('postgres', 'SELECT apitoken.flush_usage()');
wait_file($node, 0, 'flushed, so the file is gone');
$node->stop('immediate');
$node->start;
is(shown($node, $token), $total, '... and brings nothing back');

# --- files that are not to be believed ---

sub overwrite
{
	my ($offset, $whence, $change) = @_;

	open my $handle, '+<:raw', $file or die "$file: $!";
	seek $handle, $offset, $whence;
	read $handle, my $byte, 1;
	seek $handle, $offset, $whence;
	print $handle $change->($byte);
	close $handle;
	return;
}

my $flip = sub { chr(ord($_[0]) ^ 1) };
my %spoil = (
	'a copy' => sub {
		rename $file, "$file.old" or die $!;
		copy("$file.old", $file) or die $!;
		unlink "$file.old";
	},
	'cut off' => sub { truncate $file, (-s $file) - 1 or die $! },
	'empty' => sub { truncate $file, 0 or die $! },
	'a changed header' => sub { overwrite(28, 0, $flip) },
	'a changed record' => sub { overwrite(-20, 2, $flip) },
	'another version' => sub { overwrite(14, 0, sub { '0' }) });
foreach my $how (sort keys %spoil)
{
	use_token($node, $token, 2);
	$node->stop;
	wait_file($node, 1, "$how: saved");
	$spoil{$how}->();
	my $offset = -s $node->logfile;
	$node->start;
	is(shown($node, $token), $total, '... not believed');
	ok(!-f $file, '... and gone');
	like(slurp_file($node->logfile, $offset),
		qr/LOG: .*apitoken\.usage.* are lost/, '... with a line in the log');
}

# It cannot be written: a line in the log, and the server stops as ever.
use_token($node, $token, 2);
wait_file($node, 1, 'saved');
mkdir "$file.new" or die $!;
my $offset = -s $node->logfile;
use_token($node, $token, 2);
$node->stop;
rmdir "$file.new" or die $!;
like(slurp_file($node->logfile, $offset),
	qr/LOG: .*could not write file.*apitoken\.usage/, 'a file that cannot be written');
$node->start;
is(shown($node, $token), $total, '... is not there');

# --- the other array is smaller ---

my @many = map { token($node) } 1 .. 12;
use_token($node, $_, 2) foreach @many;
$node->append_conf('postgresql.conf', "apitoken.usage_max_entries = 4\n");
$node->stop;
wait_file($node, 1, '12 tokens are pending');
cmp_ok(-s $file, '<', 2000, '... in a file of their size');
$node->start;
is(stats($node, 'usage_capacity, usage_pending, usage_dropped'),
	'4|4|16', 'a smaller array takes what it can and counts the rest');

# --- memory is made once, whoever comes first ---

# A session that only looks brings the uses back, too.
$node->append_conf('postgresql.conf', "apitoken.usage_max_entries = 64\n");
use_token($node, $many[0], 1);
$node->restart;
my $sum = 'SELECT sum(use_count) FROM apitoken.tokens';
my $before = $node->safe_psql('postgres', $sum);
$node->restart;
is(stats($node, 'usage_dropped'), '0', 'stats() is the first to look');
is($node->safe_psql('postgres', $sum), $before, '... and the uses are there');

$node->stop;
done_testing();
