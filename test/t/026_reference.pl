# docs/reference.md is true: its examples are run on a fresh server and print
# what it shows; every public function, view, table, type, operator and setting
# of the extension has its place there, with its arguments, defaults and
# columns, and nothing is there that does not exist.
#
# The examples are the blocks marked "sql", all of them, as one session of psql
# from top to bottom; a block marked "text" that follows is what the one before
# it prints.  APITOKEN_REFERENCE=<path> writes the document anew to that path,
# with what the examples print.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $document = slurp("$root/docs/reference.md");

my $node = new_node('main');
# Only what an example does is written, and when it does it.
$node->append_conf('postgresql.conf', <<'CONF');
apitoken.usage_flush_interval = '1h'
timezone = 'UTC'
datestyle = 'ISO, YMD'
CONF
$node->start;

# Its role is shown where the examples ask who it was.
my $connection = $node->connstr('postgres') . ' user=postgres';
$node->safe_psql('postgres', 'CREATE ROLE postgres LOGIN SUPERUSER')
  if $node->safe_psql('postgres', 'SELECT current_user') ne 'postgres';
my $has_trigrams = $node->safe_psql('postgres',
	q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'});

# --- the examples ---

my $example = qr/^```sql\n(.*?)^```\n(?:\n?^```text\n(.*?)^```\n)?/ms;
my @examples;
while ($document =~ /$example/g)
{
	push @examples, { input => $1, shown => $2 // '', line => 1 + ($` =~ tr/\n//) };
}
cmp_ok(scalar @examples, '>=', 55, 'there are examples');

# What a block prints, and what it raises: the server's words, but not where in
# the sources they come from.
sub run_examples
{
	my $marker = '@@@@';
	my $script = join '',
	  map { "\\echo $marker\n\\warn $marker\n$_->{input}\n" } @examples;
	my ($out, $err) = ('', '');

	IPC::Run::run(
		[
			'psql', '-X', '-q', '-P', 'pager=off', '-P', 'footer=off', '-v',
			'VERBOSITY=verbose', '-d', $connection
		],
		'<', \$script, '>', \$out, '2>', \$err)
	  or diag($err);
	$err =~ s/^LOCATION: .*\n//mg;
	my @out = split /^\Q$marker\E\n/m, $out, -1;
	my @err = split /^\Q$marker\E\n/m, $err, -1;
	is(scalar @out, @examples + 1, 'all examples ran');
	foreach my $i (0 .. $#examples)
	{
		my $printed = ($out[ $i + 1 ] // '') . ($err[ $i + 1 ] // '');

		$printed =~ s/^\n+//;
		$printed =~ s/[ \n]+\z/\n/;
		$printed =~ s/ +$//mg;
		$examples[$i]{printed} = $printed;
	}
	return;
}

# What differs each time: ids, secrets, times, and the widths that come of them.
sub normalise
{
	my ($text) = @_;
	my $known = 'ST2EY72KQINMH574WMNVI7YN';

	for ($text)
	{
		s/\.(?!$known)[A-Z2-7]{24}\.[A-Z2-7]{64}\b/.PUBLIC.SECRET/g;
		s/\.(?!$known)[A-Z2-7]{24}\.\.\.[A-Z2-7]{5}\b/.PUBLIC...LAST5/g;
		s/\.(?!$known)[A-Z2-7]{24}\b/.PUBLIC/g;
		s/\b(?!$Apitoken::sample_id)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/UUID/g;
		s/(?<="tokenLastChars": ")\w{5}/LAST5/g;
		s/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::\d\d)?)?/TIME/g;
		s/\b\d{4}-\d\d-\d\d\b/DATE/g;
		s/\b1[789]\d{8}(?:\d{3})?\b/EPOCH/g;
		s/"[\w-]{40,}"/"CURSOR"/g;
		s/-{3,}/---/g;
		s/ {2,}/ /g;
		s/ +$//mg;
		s/^ +//mg;
	}
	return $text;
}

run_examples();
foreach my $e (@examples)
{
	my ($first) = $e->{input} =~ /^(.*)$/m;

	SKIP:
	{
		skip 'no pg_trgm', 1 if $e->{input} =~ /enable_search/ && !$has_trigrams;
		is(normalise($e->{printed}), normalise($e->{shown}), "line $e->{line}: $first");
	}
}

if (my $path = $ENV{APITOKEN_REFERENCE})
{
	my $n = 0;

	$document =~ s{$example}{
		my $e = $examples[$n++];
		"```sql\n$e->{input}```\n"
		  . ($e->{printed} eq '' ? '' : "```text\n$e->{printed}```\n")}ge;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $document;
	close $file;
}

# --- its parts ---

# By heading: "### issue()", "### View tokens", "### Table realm", "### Type digest".
my %section = $document =~ /^### (.+?)\n(.*?)(?=^##|\z)/msg;

# The rows of the table under a head line, cells without back ticks.
sub table
{
	my ($text, $head) = @_;

	return [] unless defined $text && $text =~ /^\Q$head\E\n\|[-|]+\n((?:\|.*\n)+)/m;
	return [
		map {
			[ map { s/^\s+|[\s`]+$|`//gr } split /(?<!\\)\|/, s/^\||\|$//gr ]
		} split /\n/, $1
	];
}

# The first cells of the rows of a table, joined.
sub cells
{
	my ($text, $head, $n) = @_;

	return [ map { join ' | ', map { s/\\\|/|/gr } @$_[ 0 .. $n - 1 ] } @{ table($text, $head) } ];
}

# --- errors ---

# For each function calls that raise, after a statement that brings them to it:
# what they raise, all together, is what its table has.  (Said once for all, and
# not here: 25006, a change in a read-only transaction; 40001, an old snapshot.)
my $attach = 'CREATE RULE attached AS ON INSERT TO apitoken.%s DO ALSO SELECT';
my $read_only = 'SET TRANSACTION READ ONLY';
my %raises = (
	issue => [
		q{(NULL, 'n')}, q{('errors', '')}, q{('errors', 'n', '{"a b"}')},
		q{('errors', 'n', idempotency_key => 'k')}, q{('nowhere', 'n')},
		q{('off', 'n')}
	],
	import      => [ q{('errors', 'n')}, q{('one', 'n', 'token_of_errors')} ],
	verify      => [ q{('x', '')}, q{('x', 'a"')} ],
	authenticate => [ q{('x')}, q{('x', '')}, q{('x', 'a"')} ],
	has_scope   => [ q{('')}, q{('a"')} ],
	update      => [
		q{(NULL)}, q{(a, clear => '{name}')}, q{(a, scopes => '{a*}')},
		q{(a, version => 7)}, q{(gen_random_uuid())}, q{(r, name => 'n')}
	],
	rotate      => [
		q{(NULL)}, q{(a, '-1 day')}, q{(gen_random_uuid())}, q{(r)}, q{(o)}
	],
	end_grace   => [ q{(NULL)}, q{(gen_random_uuid())}, q{(a)} ],
	suspend     => [ q{(NULL)}, q{(gen_random_uuid())}, q{(r)} ],
	activate    => [ q{(NULL)}, q{(gen_random_uuid())}, q{(a)} ],
	revoke      => [ q{(NULL)}, q{(gen_random_uuid())}, q{(r)} ],
	revoke_self => [ q{(NULL)}, q{('never_seen_before')} ],
	revoke_all  => [ q{(NULL)}, q{('errors', scope => '')}, q{('errors', scope => 'a"')} ],
	delete      => [ q{(NULL)}, q{(gen_random_uuid())}, q{(a)} ],
	purge       => [ q{(NULL)}, q{('-1 day')}, q{('1 day', 0)} ],
	purge_events => [ q{(NULL)}, q{('-1 day')}, [ q{('1 day')}, sprintf $attach, '_event_seal' ] ],
	purge_usage  => [ q{(NULL)}, q{('-1 day')}, [ q{('1 day')}, sprintf $attach, '_usage_hourly' ] ],
	list  => [ q{()}, q{('errors', 'x')} ],
	query => [ q{()}, q{('errors', body => '[]')} ],
	tokens_granting => [ q{(NULL)}, q{('')}, q{('a"')} ],
	tokens_at       => [q{(NULL)}],
	seal_events => [ [ q{()}, $read_only ], [ q{()}, sprintf $attach, '_event_seal' ] ],
	flush_usage => [ [ q{()}, $read_only ], [ q{()}, sprintf $attach, '_usage' ] ]);

$node->safe_psql(
	'postgres', q{
	INSERT INTO apitoken.realm (id) VALUES ('errors'), ('off'), ('one');
	CREATE TABLE subject AS SELECT
		(apitoken.issue('errors', 'active', idempotency_key => 'k')).id AS a,
		(apitoken.issue('errors', 'revoked')).id AS r,
		(apitoken.issue('off', 'of a realm that is off')).id AS o,
		apitoken.import('errors', 'n', 'token_of_errors') AS i;
	UPDATE apitoken.realm SET enabled = false WHERE id = 'off';
	SELECT apitoken.revoke(r) FROM subject;
});
my (@raised, @said);
foreach my $function (sort keys %raises)
{
	my %codes;

	foreach my $call (@{ $raises{$function} })
	{
		my ($arguments, $before) = ref $call ? @$call : ($call, 'SELECT');
		my $answer = sqlstate($node,
			"BEGIN; $before; SELECT apitoken.$function$arguments FROM subject; ROLLBACK");

		$codes{ $answer =~ /^ERROR (\w+)/ ? $1 : "no error: $function$arguments" } = 1;
	}
	push @raised, map { "$function: $_" } sort keys %codes;
}
foreach my $heading (sort keys %section)
{
	my ($function) = $heading =~ /^(\w+)\(\)$/ or next;

	push @said, map { "$function: $_->[0]" }
	  @{ table($section{$heading}, '| SQLSTATE | when |') };
}
same_rows(\@raised, \@said, 'each function raises what its table says');

# --- completeness ---

sub rows
{
	my ($sql) = @_;

	return split /\n/, $node->safe_psql('postgres', $sql);
}

# Public functions: not those that begin with "_", nor what types are made of.
my @functions = rows(
	q{
	SELECT proname FROM pg_proc p
	WHERE pronamespace = 'apitoken'::regnamespace AND proname !~ '^_'
		AND NOT EXISTS (SELECT FROM pg_type
			WHERE p.oid IN (typinput, typoutput, typreceive, typsend))
		AND NOT EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid)
		AND NOT EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
		AND NOT EXISTS (SELECT FROM pg_cast WHERE castfunc = p.oid)});

sub headings
{
	my ($pattern) = @_;

	return [ sort map { /$pattern/ ? $1 : () } keys %section ];
}

same_rows(headings(qr/^(\w+)\(\)$/), \@functions, 'each public function has a section');
same_rows(
	headings(qr/^View (\w+)$/),
	[
		rows(
			q{
			SELECT relname FROM pg_class
			WHERE relnamespace = 'apitoken'::regnamespace AND relkind = 'v'})
	],
	'each view has a section');
same_rows(
	headings(qr/^Table (\w+)$/),
	[
		rows(
			q{
			SELECT relname FROM pg_class
			WHERE relnamespace = 'apitoken'::regnamespace AND relkind = 'r'
				AND relname !~ '^_'})
	],
	'each public table has a section');
same_rows(
	headings(qr/^Type (\w+)$/),
	[
		rows(
			q{
			SELECT typname FROM pg_type
			WHERE typnamespace = 'apitoken'::regnamespace AND typrelid = 0
				AND typcategory <> 'A'})
	],
	'each type has a section');

# The README names them all, and nothing else, in two tables.
my $readme = slurp("$root/README.md");
foreach my $list ([ 'function', qr/^(\w+)\(\)$/ ], [ 'view', qr/^View (\w+)$/ ])
{
	my ($kind, $heading) = @$list;

	same_rows(
		[ map { split /, / } @{ cells($readme, "| $kind | what |", 1) } ],
		headings($heading), "the README names each $kind");
}

foreach my $function (@functions)
{
	my $text = $section{"$function()"} // '';

	like(
		$text,
		qr/^```sql\n(?:(?!^```).)*\bapitoken\.\Q$function\E\b/ms,
		"$function: there is an example");
	is_deeply(
		cells($text, '| argument | type | default | meaning |', 3),
		[
			rows(
				qq{
				SELECT concat_ws(' | ', a.name, format_type(a.type, NULL),
					CASE WHEN a.n <= p.pronargs - p.pronargdefaults THEN 'required'
					ELSE regexp_replace(regexp_replace(pg_get_function_arg_default(p.oid, a.n::int),
						'::[a-z ]+(\\[\\])?\$', ''), '^NULL\$', '') END)
				FROM pg_proc p, unnest(p.proargnames[1:p.pronargs], p.proargtypes::oid[])
					WITH ORDINALITY a(name, type, n)
				WHERE p.pronamespace = 'apitoken'::regnamespace AND p.proname = '$function'
				ORDER BY a.n})
		],
		"$function: arguments, their types and defaults");

	# "Returns `type`", a table of columns, or "Returns ... columns of [`x()`]".
	my ($as) = $text =~ /^Returns [^.]*columns of \[`(\w+)\(\)`\]/m;
	my $columns = cells(defined $as ? $section{"$as()"} : $text, '| column | type | meaning |', 2);
	my ($type) = $text =~ /^Returns `([^`]+)`/m;
	my @expected = rows(
		qq{
		SELECT concat_ws(' | ', a.name, format_type(a.type, NULL))
		FROM pg_proc p, unnest(p.proargnames, p.proallargtypes, p.proargmodes)
			WITH ORDINALITY a(name, type, mode, n)
		WHERE p.pronamespace = 'apitoken'::regnamespace AND p.proname = '$function'
			AND a.mode IN ('o', 't')
		ORDER BY a.n});
	@expected = rows(
		qq{
		SELECT format_type(prorettype, NULL) FROM pg_proc
		WHERE pronamespace = 'apitoken'::regnamespace AND proname = '$function'})
	  if !@expected;
	is_deeply(defined $type ? [$type] : $columns, \@expected, "$function: what it returns");
}

foreach my $relation (@{ headings(qr/^(?:View|Table) (\w+)$/) })
{
	my $text = $section{"View $relation"} // $section{"Table $relation"};

	like(
		$text,
		qr/^```sql\n(?:(?!^```).)*\bapitoken\.\Q$relation\E\b/ms,
		"$relation: there is an example");
	is_deeply(
		$relation eq 'realm'
		? cells($text, '| column | type | default | meaning |', 3)
		: cells($text, '| column | type | meaning |', 2),
		[
			rows(
				qq{
				SELECT concat_ws(' | ', attname, format_type(atttypid, NULL),
					CASE relkind WHEN 'r' THEN
						coalesce(regexp_replace(pg_get_expr(adbin, adrelid), '::\\w+\$', ''), '') END)
				FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
				LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
				WHERE attrelid = 'apitoken.$relation'::regclass AND attnum > 0 AND NOT attisdropped
				ORDER BY attnum})
		],
		"$relation: columns, their types and defaults");
}
foreach my $type (@{ headings(qr/^Type (\w+)$/) })
{
	same_rows(
		[ map { $_->[0] =~ s/\\\|/|/gr } @{ table($section{"Type $type"}, '| operator | meaning |') } ],
		[
			rows(
				qq{
				SELECT oprname FROM pg_operator
				WHERE oprnamespace = 'apitoken'::regnamespace AND oprleft = 'apitoken.$type'::regtype})
		],
		"$type: operators");
}

my ($settings) = $document =~ /^## Settings\n(.*?)(?=^## |\z)/ms;
is_deeply(
	cells($settings, '| setting | default | changed by | meaning |', 3),
	[
		rows(
			q{
			SELECT apitoken.version() \gset
			SELECT concat_ws(' | ', name,
				CASE WHEN vartype = 'string' THEN '''' || boot_val || ''''
				WHEN unit = 'ms' THEN boot_val::int / 1000 || ' s' ELSE boot_val END,
				CASE context WHEN 'user' THEN 'anybody' WHEN 'superuser' THEN 'superusers'
				WHEN 'sighup' THEN 'the configuration' ELSE context END)
			FROM pg_settings WHERE name ~ '^apitoken\.' ORDER BY name COLLATE "C"})
	],
	'settings, their defaults, and who may change them');

# Whatever the document calls apitoken.something is there.
my %there = map { $_ => 1 } rows(
	q{
	SELECT apitoken.version() \gset
	SELECT proname FROM pg_proc WHERE pronamespace = 'apitoken'::regnamespace
	UNION SELECT relname FROM pg_class WHERE relnamespace = 'apitoken'::regnamespace
	UNION SELECT typname FROM pg_type WHERE typnamespace = 'apitoken'::regnamespace
	UNION SELECT substr(name, 10) FROM pg_settings WHERE name ~ '^apitoken\.'});
my %unknown = map { $_ => 1 } grep { !$there{$_} } $document =~ /\bapitoken\.(\w+)/g;
delete $unknown{write};    # a scope
is(join(' ', sort keys %unknown), '', 'nothing is named that does not exist');
my %no_function = map { $_ => 1 } grep { !$there{$_} }
  map { /`(\w+)\(/ ? $1 : () } $document =~ /(`[^`\n]+`)/g;
delete $no_function{$_} foreach qw(sha256 clock_timestamp OPERATOR);
is(join(' ', sort keys %no_function), '', '... nor a function');

# Each link inside the document leads somewhere.
my %anchor = map { lc(s/[^\w -]//gr =~ s/ /-/gr) => 1 } $document =~ /^#+ (.+)$/mg;
my %broken = map { $_ => 1 } grep { !$anchor{$_} } $document =~ /\]\(#([^)]+)\)/g;
is(join(' ', sort keys %broken), '', 'no link is broken');

$node->stop;
done_testing();
