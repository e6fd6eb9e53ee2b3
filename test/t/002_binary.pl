# The binary forms of digest and scopes: what send() wrote, recv() reads as the
# same value, and any byte string into recv() is refused with 22P03 or is a
# value whose binary form is that byte string and whose text form reads back.
#
# The bytes go in as the server meets them from a driver, as fields of COPY
# ... (FORMAT binary), from files made here.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $cases = $ENV{APITOKEN_TEST_COUNT} // 3000;
my $dir   = PostgreSQL::Test::Utils::tempdir();

random_seed();

my $node = new_node('main');
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION apitoken;
	CREATE TABLE digests (n serial, value apitoken.digest);
	CREATE TABLE sets (n serial, value apitoken.scopes);
	CREATE TABLE cases (n int PRIMARY KEY, bytes bytea, sqlstate text,
		sent bytea, read_back boolean);
});

# --- files in the format of COPY BINARY ---

my $copy_header = "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0);
my $copy_end    = pack('n', 0xFFFF);

# One row of one field.
sub copy_file
{
	my ($path, @fields) = @_;

	open my $file, '>:raw', $path or die "$path: $!";
	print $file $copy_header;
	print $file pack('n N/a*', 1, $_) foreach @fields;
	print $file $copy_end;
	close $file;
	chmod 0644, $path;
	return;
}

# --- random scopes ---

sub one_of { return $_[ int rand @_ ]; }

sub random_scope
{
	my $scope = join one_of('.', ':', '/'),
	  map { one_of('a', 'b', 'api', 'users', 'x' x (1 + int rand 20)) }
	  0 .. int rand 4;

	return one_of($scope, $scope, "$scope.*", "$scope/*", '*');
}

# A canonical text: sorted bytewise, each once.
sub random_set
{
	my %set = map { random_scope() => 1 } 1 .. int rand 8;

	return join ' ', sort keys %set;
}

# --- send() then recv() is the same value ---

# 32 bytes, among them the least and the greatest value.
my @digests = ("\0" x 32, "\xff" x 32,
	map { pack 'C*', map { int rand 256 } 1 .. 32 } 1 .. 500);
my @sets = ('', '*', 'x' x 255, map { random_set() } 1 .. 500);

$node->safe_psql('postgres',
	'INSERT INTO digests (value) VALUES '
	  . join(', ', map { "('" . unpack('H*', $_) . "')" } @digests));
$node->safe_psql('postgres',
	'INSERT INTO sets (value) VALUES ' . join(', ', map { "('$_')" } @sets));

foreach my $test ([ digests => 'digest', \@digests ],
	[ sets => 'scopes', \@sets ])
{
	my ($table, $type, $values) = @$test;
	my $path = "$dir/$table.bin";

	$node->safe_psql(
		'postgres', qq{
		COPY (SELECT value FROM $table ORDER BY n) TO '$path' (FORMAT binary);
		CREATE TABLE ${table}_again (n serial, value apitoken.$type);
		COPY ${table}_again (value) FROM '$path' (FORMAT binary);
	});
	is( $node->safe_psql(
			'postgres', qq{
			SELECT count(*) FROM (
				SELECT * FROM $table
				EXCEPT SELECT * FROM ${table}_again) missing}),
		'0',
		"$type: recv(send(x)) = x for " . @$values . ' values');

	# And the bytes are the ones that they must be.
	copy_file("$dir/$table.expected", @$values);
	ok(slurp($path) eq slurp("$dir/$table.expected"),
		"$type: the binary form is what it is said to be");
}

# --- any bytes into recv() ---

sub random_bytes
{
	return pack 'C*', map { int rand 256 } 1 .. $_[0];
}

# Texts that are nearly canonical, or canonical.
sub nearly_canonical
{
	my $text = random_set();

	foreach (1 .. int rand 3)
	{
		my $place = int rand length($text) + 1;

		substr($text, $place, int rand 2) =
		  one_of(' ', ' ', '*', '.', '"', '\\', "\0", "\t", chr(127),
			chr(int rand 256), random_scope());
	}
	return $text;
}

my @random_digests = map {
	random_bytes(one_of(32, 32, 31, 33, 0, 16, 64, int rand 100))
} 1 .. $cases;
my @random_sets = (
	"\xc3\xa9", "a\0", 'a ', ' a', 'a  b', 'b a', 'a a', 'a*', '*.a', 'x' x 256,
	map { int rand 5 ? nearly_canonical() : random_bytes(int rand 20) }
	  1 .. $cases);

# Reads each file, inside a subtransaction because most of them are refused.
# What has come in is sent, and its text form read again.
sub feed
{
	my ($type, $send, $table, $inputs) = @_;
	my $n = 0;

	foreach my $bytes (@$inputs)
	{
		copy_file("$dir/$type." . $n++, $bytes);
	}
	$node->safe_psql(
		'postgres', qq{
		TRUNCATE cases;
		DO \$\$
		DECLARE
			path text;
			state text;
		BEGIN
			FOR n IN 0 .. $n - 1 LOOP
				path := '$dir/$type.' || n;
				state := '';
				DELETE FROM $table;
				BEGIN
					EXECUTE format('COPY $table (value) FROM %L (FORMAT binary)', path);
				EXCEPTION WHEN OTHERS THEN
					state := SQLSTATE;
				END;
				INSERT INTO cases VALUES (n, pg_read_binary_file(path, 25,
					(pg_stat_file(path)).size - 27), state,
					(SELECT $send(value) FROM $table),
					(SELECT value::text::$type OPERATOR(apitoken.=) value
						FROM $table));
			END LOOP;
		END \$\$});
	unlink glob "'$dir'/$type.*";
	return;
}

sub count
{
	my ($condition) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM cases WHERE $condition");
}

# What a binary form must be, beside that it reads back.
my %is_one = (
	'apitoken.digest' => 'length(bytes) = 32',
	'apitoken.scopes' => q{convert_from(bytes, 'SQL_ASCII')
		~ '^([!#-\[\]-~]{1,255}( [!#-\[\]-~]{1,255})*)?$'});

foreach my $test (
	[ 'apitoken.digest', 'apitoken.digest_send', 'digests', \@random_digests ],
	[ 'apitoken.scopes', 'apitoken.scopes_send', 'sets', \@random_sets ])
{
	my ($type, $send, $table, $inputs) = @$test;

	feed($type, $send, $table, $inputs);
	is(count('true'), scalar @$inputs, "$type: all byte strings went in");
	is(count("sqlstate NOT IN ('', '22P03')"),
		'0', '... nothing but 22P03 was raised');
	is(count("sqlstate = '' AND sent IS DISTINCT FROM bytes"),
		'0', '... what was taken is sent as it came');
	is(count("sqlstate = '' AND read_back IS NOT TRUE"),
		'0', '... and its text form is read as the same value');
	is(count("CASE WHEN sqlstate = '' THEN NOT ($is_one{$type}) END"),
		'0', '... and has the form that it must have');
	cmp_ok(count("sqlstate = ''"), '>', $cases / 20, '... some were taken');
	cmp_ok(count("sqlstate <> ''"), '>', $cases / 20, '... some were refused');
	is(count("length(bytes) = 32 AND sqlstate <> ''"),
		'0', '... never 32 bytes')
	  if $type eq 'apitoken.digest';
}

# The error repeats nothing of what came in.
copy_file("$dir/secret", 'Secret"Secret"Secret');
my ($status, $out, $err) =
  $node->psql('postgres', "COPY sets (value) FROM '$dir/secret' (FORMAT binary)");
like($err, qr/invalid binary form of type apitoken\.scopes/, 'the message');
unlike($err, qr/Secret/, '... without what came in');
copy_file("$dir/secret", 'SecretSecretSecret');
($status, $out, $err) =
  $node->psql('postgres', "COPY digests (value) FROM '$dir/secret' (FORMAT binary)");
like($err, qr/invalid binary form of type apitoken\.digest/, 'the message');
unlike($err, qr/Secret/, '... without what came in');

$node->stop;
done_testing();
