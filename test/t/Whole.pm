# What a database must be after it was copied, replicated or recovered: tables
# and indexes whole, the history unbroken, and a service that goes on.

package Whole;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

our @EXPORT = qw(contents structure_is_whole indexes_agree goes_on);

# Every row of every table and the state of every sequence, as text.
sub contents
{
	my ($node, $database) = @_;
	my $names = $node->safe_psql($database, q{
		SELECT relname FROM pg_class WHERE relnamespace = 'apitoken'::regnamespace AND relkind IN ('r', 'S') ORDER BY relkind, relname COLLATE "C"});

	return join "\n", map {
		"$_: " . $node->safe_psql($database, $_ =~ /_seq$/
			? "SELECT last_value, is_called FROM apitoken.$_"
			: "SELECT t FROM apitoken.$_ t ORDER BY t::text COLLATE \"C\"")
	} split /\n/, $names;
}

# Heaps and btree indexes by pg_amcheck, which installs what it needs into the
# database; on a standby it must be there.
sub structure_is_whole
{
	my ($node, $name, %params) = @_;
	my $database = $params{database} // 'postgres';

	local $Test::Builder::Level = $Test::Builder::Level + 1;
  SKIP:
	{
		skip 'the server has no amcheck', 1
		  unless $node->safe_psql($database, q{SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'});
		$node->command_ok(
			[
				'pg_amcheck', '--heapallindexed',
				($params{standby} ? () : ('--install-missing', '--rootdescend')),
				'-d', $database
			],
			"$name: pg_amcheck");
	}
	return;
}

# Hash and GIN indexes, which amcheck does not know: each row is found through
# them.  The plan is looked at, lest the table be read instead.
my %PROBES = (
	_token_digest_idx => 'o.digest OPERATOR(apitoken.=) t.digest',
	_token_previous_digest_idx => 'o.previous_digest OPERATOR(apitoken.=) t.previous_digest',
	_token_scopes_idx => 'o.scopes OPERATOR(apitoken.@>) t.scopes');
my %ROWS = (
	_token_digest_idx => 'true',
	_token_previous_digest_idx => 't.previous_digest IS NOT NULL',
	_token_scopes_idx => 'apitoken.scope_count(t.scopes) > 0');

sub indexes_agree
{
	my ($node, $name, $database) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $index (sort keys %PROBES)
	{
		my $found = "(SELECT bool_or(o.id = t.id) FROM apitoken._token o WHERE $PROBES{$index})";
		my $rows = "SELECT count(*) > 0, count(*) - count(*) FILTER (WHERE $found) FROM apitoken._token t WHERE $ROWS{$index}";

		like($node->safe_psql($database // 'postgres', "SET enable_seqscan = off; EXPLAIN $rows; $rows"),
			qr/Scan (?:using|on) \Q$index\E\b.*\nt\|0\z/s, "$name: every row is found through $index");
	}
	return;
}

# Tokens are made, used, changed and refused; the history is sealed and whole.
# For a server where nothing else happens meanwhile.
sub goes_on
{
	my ($node, $name, $database) = @_;
	my ($id, $token) = issue($node, q{'acme', 'new', '{a}'}, $database);
	my $ask = sub { $node->safe_psql($database // 'postgres', $_[0]) };

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($ask->("SELECT outcome FROM apitoken.verify('$token', 'a')"), 'valid', "$name: a new token is valid");
	my $second = $ask->("SELECT token FROM apitoken.rotate('$id', '1 hour')");
	is($ask->("SELECT count(*) FROM apitoken.verify_many(ARRAY['$token', '$second']) WHERE valid"), '2', '... it is rotated');
	$ask->('SELECT apitoken.flush_usage()');
	is($ask->("SELECT use_count FROM apitoken._usage WHERE token_id = '$id'"), '3', '... its use is written');
	is($ask->("SELECT status FROM apitoken.revoke('$id')"), 'revoked', '... it is revoked');
	is($ask->("SELECT string_agg(DISTINCT outcome, ' ') FROM apitoken.verify_many(ARRAY['$token', '$second'])"), 'revoked', '... and refused');
	$ask->('SELECT apitoken.seal_events()');
	is($ask->('SELECT (SELECT count(*) FROM apitoken._event_unsealed), (SELECT count(*) FROM apitoken.check_events())'), '0|0',
		'... its events are sealed, and the history is whole');
	return;
}

1;
