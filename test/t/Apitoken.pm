# What the TAP tests share: clusters with the extension, sessions, errors.
#
# Works on PostgreSQL 15 to 18; a test opens with
#
#	use FindBin;
#	use lib $FindBin::RealBin;
#	use Apitoken;

package Apitoken;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw($root new_node issue import_sample ask sqlstate session
  sanitized wait_until start_again catch_up random_seed slurp same_rows
  example);

# The sample token of the document "POST token lookup", and its parts.
our $sample_secret =
  'G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM';
our $sample    = "dt0c01.ST2EY72KQINMH574WMNVI7YN.$sample_secret";
our $sample_id = '94f44c7f-4a82-71ac-83f7-fcb31b547f0d';

# The checkout, or the copy of it that the tests run in.
our $root = dirname(dirname(dirname(__FILE__)));

# A cluster that is not started yet: UTF8, locale C, nothing in the background
# that a test has not asked for.
sub new_node
{
	my ($name, %params) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%params, extra => [ '--no-locale', '--encoding=UTF8' ]);
	$node->append_conf('postgresql.conf', "autovacuum = off\n");
	return $node;
}

# A new token; arguments as SQL.  Returns its id and its text.
sub issue
{
	my ($node, $arguments, $database) = @_;

	return split /\|/,
	  $node->safe_psql($database // 'postgres',
		"SELECT id, token FROM apitoken.issue($arguments)");
}

# Takes the document's token over into a realm; returns its id.
sub import_sample
{
	my ($node, $realm) = @_;

	return $node->safe_psql('postgres',
		"SELECT apitoken.import('$realm', 'sample', '$sample')");
}

# One statement, or several: what it prints, or "ERROR <SQLSTATE>" where one
# of them raises.
sub sqlstate
{
	my ($node, $sql, %params) = @_;
	my ($status, $out, $err) = $node->psql(
		$params{database} // 'postgres', $sql,
		on_error_stop => 1,
		connstr => $node->connstr($params{database} // 'postgres')
		  . ($params{role} ? " user=$params{role}" : ''),
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);

	return "ERROR $1" if $err =~ /(?:ERROR|FATAL):\s+(\w+)/;
	return $out;
}

# Do servers run under a sanitizer?
sub sanitized
{
	return ($ENV{LD_PRELOAD} // '') =~ /asan/;
}

# A session that stays, to have warm caches.
sub session
{
	my ($node, $database) = @_;

	return $node->background_psql(
		$database // 'postgres',
		on_error_stop => 0,
		extra_params  => [ '-v', 'VERBOSITY=sqlstate' ]);
}

# The same as sqlstate(), in a session.
sub ask
{
	my ($session, $sql) = @_;

	$session->{stderr} = '';
	my $out = $session->query($sql);
	return "ERROR $1" if $session->{stderr} =~ /(?:ERROR|FATAL):\s+(\w+)/;
	return $out;
}

# Asks until the answer is true, and returns it; false if it never is.
sub wait_until
{
	my ($question) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $answer = $question->();
		return $answer if $answer;
		select undef, undef, undef, 0.1;
	}
	return 0;
}

# Starts a server whose postmaster was killed: its children need a moment to
# notice.
sub start_again
{
	my ($node) = @_;

	return wait_until(sub { $node->start(fail_ok => 1) });
}

# Waits until a standby or subscription has all that is committed.
sub catch_up
{
	my ($node, $name) = @_;

	$node->wait_for_catchup($name, 'replay', $node->lsn('flush'));
	return;
}

# Random data is the same in each run; APITOKEN_TEST_SEED gives other data.
sub random_seed
{
	my $seed = $ENV{APITOKEN_TEST_SEED} // 20250601;

	srand($seed);
	note "seed $seed";
	return $seed;
}

sub slurp
{
	my ($path) = @_;

	open my $file, '<:raw', $path or die "$path: $!";
	local $/ = undef;
	my $content = <$file>;
	close $file;
	return $content;
}

# An example of a document, by the comment that it begins with.
sub example
{
	my ($document, $title) = @_;
	my ($text) = slurp("$root/$document") =~ /^```\w+\n((?:--|#) \Q$title\E\b.*?)^```$/ms
	  or die "$document has no example: $title";

	return $text;
}

# Compares two tables of words, a line each; only lines that differ are shown.
sub same_rows
{
	my ($got, $expected, $name) = @_;
	my (%got, %expected);

	$got{$_}++      for @$got;
	$expected{$_}++ for @$expected;
	my @surplus = sort grep { !$expected{$_} } keys %got;
	my @missing = sort grep { !$got{$_} } keys %expected;
	ok(!@surplus && !@missing && @$got == @$expected, $name)
	  or diag(
		map({ "not expected: $_\n" } @surplus),
		map({ "missing:      $_\n" } @missing));
	return;
}

1;
