# The house is in order: versions agree, the library exports what it must and
# nothing else, sources know PostgreSQL versions in one place and include
# downwards, and no test, source or script is forgotten in the Makefile.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use File::Basename qw(basename);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

# The base names of files, sorted.
sub names_of
{
	my ($pattern, $ending) = @_;

	return sort map { basename($_, $ending) } glob("'$root'/$pattern");
}

# A list of the Makefile, whatever the number of its lines.
my $makefile = slurp("$root/Makefile");

sub list_of
{
	my ($variable) = @_;

	my ($value) = $makefile =~ /^\Q$variable\E = *((?:.*\\\n)*.*)$/m
	  or die "no $variable in the Makefile";
	$value =~ s/\\\n/ /g;
	return sort split ' ', $value;
}

my $node = new_node('main');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION apitoken');

# --- the version has one home, apitoken.control ---

my ($version) =
  slurp("$root/apitoken.control") =~ /^default_version\s*=\s*'([^']+)'/m;
like($version, qr/^\d+(\.\d+)+$/, 'the control file has a version');

# META.json wants three numbers (PGXN's rule).
my $semantic = join '.', (split(/\./, $version), 0, 0)[ 0 .. 2 ];
my $meta = decode_json(slurp("$root/META.json"));
is($meta->{version}, $semantic, 'META.json agrees');
is($meta->{provides}{apitoken}{version}, $semantic, '... in both places');

my ($newest) = slurp("$root/CHANGELOG.md") =~ /^##\s+(\S+)/m;
is($newest, $version, 'the newest heading of the CHANGELOG agrees');
is($node->safe_psql('postgres', 'SELECT apitoken.version()'),
	$version, 'the library agrees');
is( $node->safe_psql(
		'postgres',
		"SELECT extversion FROM pg_extension WHERE extname = 'apitoken'"),
	$version,
	'the SQL objects agree');

# --- what the library exports ---

# Ask the server which file it has loaded: there may be several.
my $library = $node->safe_psql(
	'postgres', q{
	SELECT apitoken.version() \gset
	SELECT substring(pg_read_file('/proc/self/maps')
		FROM '\s(/[^\n]*/apitoken\.so)\n')});
SKIP:
{
	skip 'no nm to read symbols with', 3
	  if system("nm --version >'$PostgreSQL::Test::Utils::tmp_check/nm' 2>&1");

	my ($out, $err) = run_command([ 'nm', '-D', '--defined-only', $library ]);
	# gcc's own, where the library was built with counters ("make coverage")
	my @symbols = grep { !/^__gcov_|^mangle_path$/ } map { (split)[2] } split /\n/, $out;
	my @functions = grep { /^atk_sql_/ } @symbols;
	my @expected = ('Pg_magic_func', '_PG_init', 'atk_worker_main', @functions,
		map { "pg_finfo_$_" } @functions);

	cmp_ok(scalar @functions, '>', 50, "$library exports its SQL functions");
	same_rows(\@symbols, \@expected,
		'with their call information, magic, start and the worker, and nothing else');

	my @used = split /\n/, $node->safe_psql(
		'postgres', q{
		SELECT DISTINCT p.prosrc FROM pg_proc p
		JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
			AND d.classid = 'pg_proc'::regclass
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'apitoken'
		JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'c'});
	same_rows([ sort @functions ],
		\@used, 'each exported function is behind an SQL function');
}

# --- sources ---

my @with_version;
foreach my $path (glob("'$root'/src/*.[ch] '$root'/src/sql/*.sql"))
{
	push @with_version, basename($path) if slurp($path) =~ /PG_VERSION_NUM/;
}
is("@with_version", 'compat.h', 'compat.h alone asks for the server version');

# The floor plan: | layer | files | ... |, files in the order in which they
# may include each other.
my (%layer, %place);
foreach my $line (split /\n/, slurp("$root/src/README.md"))
{
	next unless $line =~ /^\|\s*(\d+)\s*\|\s*([^|]+?)\s*\|/;
	foreach my $file (split ' ', $2)
	{
		ok(!exists $layer{$file}, "$file is listed once")
		  if exists $layer{$file};
		$layer{$file} = $1;
		$place{$file} = keys %place;
	}
}
my %in_source = map { s/\.[ch]$//r => 1 } names_of('src/*.[ch]', '');
is_deeply([ sort keys %layer ],
	[ sort keys %in_source ],
	'the floor plan of src/README.md lists every file of src/');

my @upwards;
my $includes = 0;
foreach my $path (glob("'$root'/src/*.[ch]"))
{
	my $file = basename($path) =~ s/\.[ch]$//r;

	foreach my $header (slurp($path) =~ /^#include "([^"]+)\.h"/mg)
	{
		next if !exists $layer{$header} || $header eq $file;
		$includes++;
		push @upwards, basename($path) . " includes $header.h"
		  if $layer{$header} > $layer{$file}
		  || ( $layer{$header} == $layer{$file}
			&& $place{$header} > $place{$file});
	}
}
is(join("\n", @upwards), '', 'includes point downwards only');
cmp_ok($includes, '>', 50, '... and were found');

# Every header can be included by itself, behind what all files begin with.
my @unguarded = grep {
	my $guard = 'ATK_' . uc($_) . '_H';
	slurp("$root/src/$_.h") !~ /^#ifndef \Q$guard\E\n#define \Q$guard\E$/m
} names_of('src/*.h', '.h');
is("@unguarded", '', 'headers have guards that are named after them');

# --- nothing is forgotten in the Makefile ---

is_deeply(
	[ list_of('OBJS') ],
	[ map { "src/$_.o" } names_of('src/*.c', '.c') ],
	'OBJS: all of src/*.c');
is_deeply([ list_of('SQL_PARTS') ],
	[
		map { "src/sql/$_" }
		grep { !/^(?:apitoken--.*|update)\.sql$/ } names_of('src/sql/*.sql', '')
	],
	'SQL_PARTS: all of src/sql, but for what updates and what was released');
is_deeply([ list_of('REGRESS') ],
	[ names_of('sql/*.sql', '.sql') ],
	'REGRESS: all of sql/');
is_deeply([ list_of('ISOLATION') ],
	[ names_of('test/specs/*.spec', '.spec') ],
	'ISOLATION: all of test/specs');
is_deeply(
	[
		sort grep { -e "$root/test/unit/$_.c" }
		  list_of('UNIT'), map { basename($_, '.o') } list_of('UNIT_OBJS')
	],
	[ names_of('test/unit/*.c', '.c') ],
	'UNIT and UNIT_OBJS: all of test/unit');
is_deeply(
	[ sort (list_of('FUZZ'), 'fuzz', 'jsonb') ],
	[ names_of('test/fuzz/*.c', '.c') ],
	'FUZZ: all of test/fuzz, but what the targets share');
is_deeply(
	[ list_of('FUZZ') ],
	[ names_of('test/fuzz/corpus/*', '') ],
	'... and each has a corpus');
is_deeply(
	[ map { glob "'$root'/$_" } list_of('PROVE_TESTS') ],
	[ glob "'$root'/test/t/*.pl" ],
	'PROVE_TESTS: all of test/t');

# --- documents name files that are there ---

my @lost;
my $named = 0;
foreach my $document ('README.md', 'SECURITY.md', 'docs/security.md', 'docs/operations.md')
{
	my $text = slurp("$root/$document");
	my $here = $document =~ /^docs/ ? 'docs/' : '';
	my @paths = (
		(map { $here . $_ } $text =~ /\]\((?!https?:)([^)#]+)/g),
		(map { "test/t/$_" } $text =~ /\b(\d{3}_\w+\.pl)\b/g),
		(map { "test/specs/$_" } $text =~ /\b(\w+\.spec)\b/g),
		$text =~ m{\b(sql/\w+\.sql)\b}g);

	$named += @paths;
	push @lost, map { "$document: $_" } grep { !-e "$root/$_" } @paths;
}
is(join("\n", @lost), '', 'files that documents name are there');
cmp_ok($named, '>', 40, '... and were found');

# A test without a .out is one that compares with nothing.
sub without_answer
{
	my ($names, $directory) = @_;

	return join ' ', grep { !-s "$root/$directory/$_.out" } @$names;
}
is(without_answer([ list_of('REGRESS') ], 'expected'),
	'', 'every test of sql/ has an expected answer');
is(without_answer([ list_of('ISOLATION') ], 'test/expected'),
	'', 'every spec has an expected answer');
my %tests = map { $_ => 1 } list_of('REGRESS');
is( join(' ', grep { !/_\d+$/ && !$tests{$_} } names_of('expected/*.out', '.out')),
	'', 'every expected answer has a test');

my @numbers = map { /^(\d{3})_[a-z0-9_]+\.pl$/ ? $1 : $_ } names_of('test/t/*.pl', '');
is_deeply(\@numbers, [ map { sprintf '%03d', $_ } 1 .. @numbers ],
	'TAP tests are numbered without gaps');

$node->stop;
done_testing();
