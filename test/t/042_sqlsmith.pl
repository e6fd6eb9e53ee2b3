# Two thousand queries that sqlsmith makes up, as a role that was granted all
# that the recipes of the README grant, and a table of its own: the server stays
# up, and nothing of ours raises an internal error.
#
#	APITOKEN_TEST_COUNT=<number>	another number of queries
#	APITOKEN_TEST_SEED=<number>		other queries

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use File::Basename qw(basename);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $queries = $ENV{APITOKEN_TEST_COUNT} // 2000;
my $seed = random_seed();

my $node = new_node('main');
$node->append_conf('postgresql.conf', <<'CONF');
log_statement = 'all'
log_error_verbosity = 'verbose'
restart_after_crash = off
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION apitoken');

my ($chapter) =
  slurp("$root/README.md") =~ /^(?:#+ )Roles\n(.*?)(?=^#+ |\z)/ms;
my %recipes = ($chapter // '') =~ /^```sql\n-- role (\w+).*?\n(.*?)^```$/msg;
cmp_ok(scalar keys %recipes, '>', 3, 'the README has recipes');
$node->safe_psql('postgres', $recipes{$_}) foreach sort keys %recipes;

# Without a table of the user's sqlsmith looks for one for ever.
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE smith LOGIN;
ALTER ROLE smith SET search_path = public, apitoken;
INSERT INTO apitoken.realm (id, known_scopes, max_idle) VALUES ('acme', 'a.* c', '1 day');
SELECT apitoken.issue('acme', 'token ' || n, '{a.b,c}', metadata => '{"a": 1}', principal => 'p')
	FROM generate_series(1, 20) n;
CREATE TABLE public.own (id uuid, token text, realm text, scopes text[], at timestamptz, span interval,
	address inet, sha256 bytea, body jsonb, n int, big bigint, yes boolean);
INSERT INTO public.own SELECT id, public_id, realm, string_to_array(scopes, ' '), now(), '1 day', '10.0.0.1',
	sha256('x'), '{}', 1, 2, true FROM apitoken.tokens;
GRANT ALL ON public.own TO smith;
SQL
$node->safe_psql('postgres',
	'GRANT ' . join(', ', sort keys %recipes) . ' TO smith');

# Its own errors and their statistics go to its standard error.
my ($out, $err) = ('', '');
my $finished = IPC::Run::run(
	[
		'sqlsmith', '--exclude-catalog', "--max-queries=$queries", "--seed=$seed",
		'--target=' . $node->connstr('postgres') . ' user=smith'
	],
	'<', \undef, '>', \$out, '2>', \$err,
	IPC::Run::timer(600));
ok($finished, "sqlsmith has made $queries queries") or diag(substr $err, -2000);

is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server answers');
is( $node->safe_psql('postgres', q{
	SELECT t.outcome FROM apitoken.issue('acme', 'after') i, apitoken.verify(i.token) t}),
	'valid', 'and so does the extension');
$node->stop;

my $log = slurp($node->logfile);
my @crashes = $log =~ /^.*(?:was terminated by signal|TRAP: |PANIC: ).*$/mg;
is(join("\n", @crashes), '', 'nothing crashed');

my $made = () = $log =~ /LOG: .*(?:execute [^:]*|statement): /g;
my $ours = () = $log =~ /\bapitoken\./g;
cmp_ok($made, '>=', $queries, 'the server has seen them');
cmp_ok($ours, '>', $queries / 20, "... and names of the extension, $ours times");

# ERROR:  XX000: ... LOCATION:  function, file.c:line
my %is_ours = map { basename($_) => 1 } glob("'$root'/src/*.c");
my @internal;
while ($log =~ /(ERROR:  XX\w{3}: .*)\n(?:(?!.*(?:ERROR|LOG|FATAL):).*\n)*?.*LOCATION:  \w+, (\w+\.c):\d+/g)
{
	push @internal, "$1 ($2)" if $is_ours{$2};
}
is(join("\n", @internal), '', 'no error of ours is an internal one');

my @errors = $log =~ /LOCATION:  \w+, (\w+\.c):\d+/g;
my $raised = grep { $is_ours{$_} } @errors;
cmp_ok(scalar @errors, '>', 100,
	'... of ' . @errors . " that were raised, $raised of them by ours");

done_testing();
