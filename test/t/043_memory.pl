# A million calls in one session, and thousands of statements and rolled back
# changes: the process has as much memory afterwards as after the first ones.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $node = new_node('main');
# Compiled code is kept; how much of it is not ours to count.
$node->append_conf('postgresql.conf', "jit = off\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION apitoken;
INSERT INTO apitoken.realm (id) VALUES ('acme');
-- Bytes of all memory contexts, and what the kernel counts, in kB.
CREATE FUNCTION public.used() RETURNS text LANGUAGE sql AS $$
	SELECT pg_catalog.sum(total_bytes) || ' ' ||
		pg_catalog.substring(pg_catalog.pg_read_file('/proc/self/status'), 'RssAnon:\s+(\d+)')
	FROM pg_catalog.pg_backend_memory_contexts $$;
SQL
my (undef, $token) =
  issue($node, q{'acme', 'subject', '{a.*}', allowed_addresses => '{10.0.0.0/8}', metadata => '{"a": 1}'});

# What is called with $n, the number of the call, and how often in all.
my @many = (
	[ 'verified_id', "apitoken.verified_id('$token', 'a.b', '10.0.0.1')", 400_000 ],
	[ 'verified_id of another text', "apitoken.verified_id('$token' || n)", 200_000 ],
	[ 'verify', "(apitoken.verify('$token', 'a.b', '10.0.0.1')).outcome", 200_000 ],
	[ 'verify_sha256', "(apitoken.verify_sha256(sha256(n::text::bytea))).outcome", 100_000 ],
	[ 'types', q{scope_count(apitoken.scopes_union(('a b' || n)::apitoken.scopes, 'c'::apitoken.scopes))}, 50_000 ],
	[ 'lookup', "apitoken.lookup('$token')", 50_000 ],
);
my $sum = 0;
$sum += $_->[2] foreach @many;
cmp_ok($sum, '>=', 1_000_000, "$sum calls");

# Both figures before and after, in one session; $sql is run a tenth of the
# number of times first, so that caches are full.  (A series in FROM would be
# kept as a whole.)
sub grown
{
	my ($name, $sql, $count) = @_;
	my $tenth = int($count / 10);
	my $out = $node->safe_psql('postgres',
		'SET search_path = apitoken, public;' . "\n\\o /dev/null\n"
		  . $sql->($tenth) . $sql->($tenth)
		  . "\\o\nSELECT public.used();\n\\o /dev/null\n"
		  . $sql->($count)
		  . "\\o\nSELECT public.used();\n");
	my ($contexts, $resident, $contexts_then, $resident_then) =
	  $out =~ /^(\d+) (\d+)\n(\d+) (\d+)$/
	  or die "no figures: $out";

	cmp_ok($contexts_then - $contexts, '<=', 64 * 1024,
		"$name, $count times: memory contexts did not grow");
  SKIP:
	{
		skip 'a sanitizer keeps what was freed', 1 if sanitized();
		cmp_ok($resident_then - $resident, '<=', 2048,
			'... nor did the process, in kB');
	}
	return;
}

foreach my $call (@many)
{
	my ($name, $expression, $count) = @$call;

	grown($name,
		sub { "SELECT count($expression) FROM (SELECT generate_series(1, $_[0]) AS n) s;\n" },
		$count);
}

# A statement of its own each time: what is kept from one to the next.
my %statements = (
	'statements that verify' => "SELECT apitoken.verified_id(''$token'')",
	'issued and rolled back' =>
	  q{BEGIN; SELECT apitoken.issue(''acme'', ''x'', ''{a}''); ROLLBACK},
	'rotated and rolled back' =>
	  "BEGIN; SELECT apitoken.rotate(id) FROM apitoken.tokens; ROLLBACK",
	'statements that fail' =>
	  q{DO $$ BEGIN PERFORM ''a\b''::apitoken.scopes, EXCEPTION WHEN OTHERS THEN NULL, END $$},
	'listed' => q{SELECT apitoken.list(''acme'')});
# A semicolon that does not end a statement is written as a comma above.
s/scopes, EXCEPTION/scopes;EXCEPTION/, s/NULL, END/NULL;END/ foreach values %statements;
foreach my $name (sort keys %statements)
{
	grown($name,
		sub { "SELECT s FROM generate_series(1, $_[0]), unnest(string_to_array('$statements{$name}', '; ')) s \\gexec\n" },
		3000);
}

$node->stop;
done_testing();
