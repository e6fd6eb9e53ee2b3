# The tour, test/tour.sql, run as "make demo" runs it, prints what the README
# shows on its first screen, but for what is random: new tokens, ids, times.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

# The very options of test/demo.
my ($options) = slurp("$root/test/demo") =~
  /^"\$\{psql\[@\]\}" (-[^\n]*(?:\\\n[^\n]*)*?) -d demo \\\n\s*-f test\/tour\.sql/m;
ok(defined $options, 'test/demo runs the tour')
  or BAIL_OUT('cannot find the command in test/demo');
my @options = split ' ', $options =~ s/\\\n/ /r;

my $node = new_node('main');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION apitoken');

my $printed = '';
my $errors  = '';
my $good    = IPC::Run::run(
	[
		'psql', '-d', $node->connstr('postgres'), @options, '-f',
		"$root/test/tour.sql"
	],
	'>', \$printed, '2>', \$errors);
ok($good, 'the tour runs') or diag($errors);
is($errors, '', 'without a word on standard error');

# As test/demo: a blank line before each number, never two in a row.
$printed =~ s/^(-- \d)/\n$1/mg;

my ($shown) = slurp("$root/README.md") =~
  /^<!-- tour -->\n```\w*\n(.*?)^```\n<!-- \/tour -->$/ms;
ok(defined $shown, 'the README has the tour');

# What differs each time, in place: widths stay.  The document's token is
# known, the other one is not.
sub normalise
{
	my ($text) = @_;
	my $known = 'ST2EY72KQINMH574WMNVI7YN';

	$text =~ s/\.(?!$known)[A-Z2-7]{24}\.[A-Z2-7]{64}\b/.PUBLIC.SECRET/g;
	$text =~ s/\.(?!$known)[A-Z2-7]{24}\.\.\.[A-Z2-7]{5}\b/.PUBLIC...LAST5/g;
	$text =~ s/\.(?!$known)[A-Z2-7]{24}\b/.PUBLIC/g;
	$text =~ s/\b(?!$Apitoken::sample_id)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/UUID/g;
	$text =~ s/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/TIME/g;
	$text =~ s/\n{3,}/\n\n/g;
	$text =~ s/^\n+|\n+$//g;
	return $text;
}

is(normalise($printed), normalise($shown // ''), 'and the tour prints it');

# It has all seven points, and the secret is not in what people see.
my @points = normalise($printed) =~ /^-- (\d)\. /mg;
is("@points", '1 2 3 4 5 6 7', 'the tour has its seven points');
my ($secret) = $printed =~ /^dt0c01\.[A-Z2-7]{24}\.([A-Z2-7]{64})$/m;
is(scalar(() = $printed =~ /\Q$secret\E/g),
	1, 'the secret of the new token is printed once');

$node->stop;
done_testing();
