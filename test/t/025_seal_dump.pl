# The chain of seals survives pg_dump and pg_restore, also into databases of
# other encodings: texts and JSON are digested as UTF-8, members in an order of
# their own.  Sealing goes on there.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('main');
$node->append_conf('postgresql.conf', "apitoken.usage_flush_interval = '1h'\n");
$node->start;

sub database
{
	my ($name, $encoding) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	return;
}

sub problems
{
	my ($database) = @_;

	return $node->safe_psql($database, 'SELECT seal_id, event_id, problem FROM apitoken.check_events()');
}

# Keys whose order in jsonb, by length and bytes, is another in another encoding.
my $content = q{
	SET client_encoding = 'UTF8';
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, name) VALUES ('acme', 'Ünïcödé');
	SELECT apitoken.issue('acme', 'tökén', metadata => '{"é": 1, "ab": 2, "ÿ": {"ö": [1.50, "ß", null], "zz": true, "a": {}}, "abc": 3, "áé": 4, "b": 5}',
		description => 'ÄÖÜ', allowed_addresses => '{2001:db8::/32}');
	SELECT apitoken.seal_events();
	INSERT INTO apitoken._event (id, at, realm, event, actor, actor_name, session_role, client_addr, old, new)
		SELECT nextval('apitoken._event_id_seq'), at, 'äcme', 'x', 'ä', 'é', 'r', addr::inet, new::jsonb, old::jsonb
		FROM (VALUES ('infinity'::timestamptz, '::1', '"é"', '[]'), ('-infinity', '10.0.0.0/8', '[{"é": 1, "aa": 2}]', '1e400'), (now(), NULL, 'null', NULL)) v(at, addr, new, old);
	INSERT INTO apitoken._event_unsealed SELECT id FROM apitoken._event WHERE event = 'x';
	SELECT apitoken.seal_events();
	SELECT apitoken.suspend(id, 'weil böse') FROM apitoken.tokens};
my %encodings = (utf8 => 'UTF8', latin1 => 'LATIN1', ascii => 'SQL_ASCII', latin9 => 'LATIN9', win => 'WIN1252');

foreach my $from (sort keys %encodings)
{
	database($from, $encodings{$from});
	$node->safe_psql($from, $content);
	is(problems($from), '', "$encodings{$from}: the history is whole");
	# What a database without an encoding has is whatever was put there: UTF-8.
	my $pg_dump_encoding = $from eq 'ascii' ? 'UTF8' : $encodings{$from};
	my $dump = "$dir/$from.sql";
	$node->command_ok([ 'pg_dump', '-f', $dump, '--encoding', $from eq 'ascii' ? 'SQL_ASCII' : 'UTF8', $node->connstr($from) ], '... dumped');

	foreach my $to (sort keys %encodings)
	{
		my $copy = "${from}_to_$to";
		my $text = slurp($dump);

		$text =~ s/SET client_encoding = '\w+'/SET client_encoding = '$pg_dump_encoding'/ if $from eq 'ascii';
		append_to_file("$dir/$copy.sql", $text);
		database($copy, $encodings{$to});
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/$copy.sql", $node->connstr($copy) ], "... restored into $encodings{$to}");
		is(problems($copy), '', '... the history is whole');
		is($node->safe_psql($copy, "SELECT apitoken.seal_events(); SELECT count(*) FROM apitoken.check_events()"), "1\n0", '... and goes on');
		$node->safe_psql($copy, q{UPDATE apitoken._event SET new = jsonb_set(new, '{metadata,b}', '6') WHERE event = 'issued'});
		like(problems($copy), qr/^1\|\d+\|event was changed$/, '... what is altered there shows');
		$node->safe_psql('postgres', "DROP DATABASE $copy");
	}
}

# An archive in parallel; after a purge; with nothing left to seal.
$node->safe_psql('utf8', q{
	SELECT apitoken.seal_events();
	SELECT apitoken.purge_events('0');
	SELECT apitoken.issue('acme', 'n' || n) FROM generate_series(1, 1500) n;
	SELECT apitoken.seal_events()});
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/archive", $node->connstr('utf8') ], 'after a purge: dumped');
database('archive', 'UTF8');
$node->command_ok([ 'pg_restore', '-j2', '--exit-on-error', '-d', $node->connstr('archive'), "$dir/archive" ], '... restored');
is(problems('archive'), '', '... the history is whole');
is( $node->safe_psql('archive', 'SELECT count(*), bool_or(purged) FROM apitoken._event_seal'),
	$node->safe_psql('utf8', 'SELECT count(*), bool_or(purged) FROM apitoken._event_seal'), '... as long as it was');
is($node->safe_psql('archive', "SELECT count(*) FROM apitoken.issue('acme', 'more'); SELECT apitoken.seal_events(); SELECT count(*) FROM apitoken.check_events()"),
	"1\n1\n0", '... and goes on');

$node->stop;
done_testing();
