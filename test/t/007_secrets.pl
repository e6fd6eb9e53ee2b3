# A secret is shown once.  Tokens that carry a mark go through every function
# and every error; then the mark is looked for in messages, in each field of
# the server's log, in pg_stat_activity, in all tables, statistics, EXPLAIN,
# a dump, and every file of the data directory, WAL included.
#
# The server itself writes statements into its log: as "statement: ..." where
# log_statement or log_min_duration_statement say so, and in the STATEMENT field
# of an error.  What stands in a statement as a literal is in its log there,
# and bound parameters beside it.  That is the one place where the mark may be.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Digest::SHA qw(sha256 sha256_hex);
use File::Basename qw(basename);
use File::Find;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $dir  = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('main');
my $mark = 'CANARYCANARY';

# Modules that see statements, where the server has them.
my $modules = join ',',
  grep { -e "$_.so" || -e $node->config_data('--pkglibdir') . "/$_.so" }
  qw(pg_stat_statements auto_explain);
$node->append_conf(
	'postgresql.conf', qq{
shared_preload_libraries = '$modules'
logging_collector = on
log_destination = jsonlog
log_directory = log
log_filename = server
log_rotation_age = 0
log_rotation_size = 0
log_statement = none
log_error_verbosity = verbose
});
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, prefix, default_ttl, max_ttl)
	VALUES ('acme', 'dt0c01', '1 day', '1 year'), ('other', 'tok', NULL, NULL);
	INSERT INTO apitoken.realm (id, enabled) VALUES ('closed', false);
	INSERT INTO apitoken.realm (id, known_scopes) VALUES ('known', 'a');
});
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements')
  if $modules =~ /pg_stat_statements/;

# --- tokens with the mark in their secret ---

# A native one, a foreign one, and one that is known by its SHA-256 alone.
my $native  = 'dt0c01.AAAAAAAAAAAAAAAAAAAAAAAA.' . 'CANARY' x 10 . 'CAFE';
my $foreign = "sk_live_$mark-0123456789";
my $hashed  = "pat_$mark-9876543210";
my $stray   = "$mark-which-is-nowhere";
my $id      = '00000000-0000-7000-8000-000000000000';

# What would be as good as the token: its SHA-256.
my @hashes = map { sha256_hex($_) } $native, $foreign, $hashed;

# Does a text tell anything of it?
sub tells
{
	my ($text) = @_;

	return $text =~ /$mark/i || grep { $text =~ /$_/i } @hashes;
}

# Each is prepared and executed, so that what is an argument here is one
# there.  An error by its SQLSTATE.
my @calls = (
	[ 'import, native', '00000',
		q{SELECT apitoken.import('acme', 'native', token => $1)}, $native ],
	[ 'import, foreign', '00000',
		q{SELECT apitoken.import('acme', 'foreign', token => $1)}, $foreign ],
	[ 'import, by SHA-256', '00000',
		q{SELECT apitoken.import('acme', 'hashed', sha256 => sha256($1::bytea))}, $hashed ],
	[ 'import, the same again', '00000',
		q{SELECT apitoken.import('acme', 'native', token => $1)}, $native ],
	[ 'import, into another realm', '23505',
		q{SELECT apitoken.import('other', 'native', token => $1)}, $native ],
	[ 'import, public id of another', '23505',
		q{SELECT apitoken.import('acme', 'x', token => $1)}, $native =~ s/CAFE$/CAFF/r ],
	[ 'import, public id of another, given', '23505',
		q{SELECT apitoken.import('acme', 'x', token => $1, public_id => 'dt0c01.AAAAAAAAAAAAAAAAAAAAAAAA')}, $stray ],
	[ 'import, another public id than its own', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, public_id => 'dt0c01.AAAAAAAAAAAAAAAAAAAAAAAB')}, $native =~ s/CAFE$/CAFF/r ],
	[ 'import, public id malformed', '22023',
		q{SELECT apitoken.import('acme', 'x', token => 'x-x-x-x-x-x', public_id => $1)}, $stray ],
	[ 'import, last_chars malformed', '22023',
		q{SELECT apitoken.import('acme', 'x', sha256 => sha256('x'), last_chars => $1)}, $stray ],
	[ 'import, last_chars beside a text', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, last_chars => 'x')}, $stray ],
	[ 'import, text and SHA-256', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, sha256 => sha256($1::bytea))}, $stray ],
	[ 'import, too long', '22023',
		q{SELECT apitoken.import('acme', 'x', token => repeat($1, 100))}, $stray ],
	[ 'import, with a space', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1 || ' ')}, $stray ],
	[ 'import, SHA-256 of wrong length', '22023',
		q{SELECT apitoken.import('acme', 'x', sha256 => $1::bytea)}, $stray ],
	[ 'import, no such realm', '42704',
		q{SELECT apitoken.import($1, 'x', token => $1)}, $stray ],
	[ 'import, closed realm', '55000',
		q{SELECT apitoken.import('closed', 'x', token => $1)}, $stray ],
	[ 'import, bad name', '22023',
		q{SELECT apitoken.import('acme', repeat($1, 30), token => $1)}, $stray ],
	[ 'import, bad scope', '22P02',
		q{SELECT apitoken.import('acme', 'x', token => $1, scopes => ARRAY[$1 || ' '])}, $stray ],
	[ 'import, bad kind', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, kind => $1)}, $stray ],
	[ 'import, expiry in the past', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, expires_at => '2000-01-01')}, $stray ],
	[ 'import, expiry too late', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, expires_in => '2 years')}, $stray ],
	[ 'import, metadata is no object', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, metadata => to_jsonb($1))}, $stray ],
	[ 'import, created in the future', '22023',
		q{SELECT apitoken.import('acme', 'x', token => $1, created_at => 'infinity')}, $stray ],
	[ 'import, READ ONLY', '25006',
		q{SELECT apitoken.import('acme', 'x', token => $1)}, $stray, 'BEGIN READ ONLY;' ],

	[ 'issue, idempotency key too long', '22023',
		q{SELECT apitoken.issue('acme', 'x', idempotency_key => repeat($1, 30))}, $stray ],
	[ 'issue, scope unknown to the realm', '22023',
		q{SELECT apitoken.issue('known', 'x', ARRAY[$1])}, $stray ],
	[ 'update, name too long', '22023',
		q{SELECT apitoken.update(id, repeat($1, 30)) FROM apitoken._token WHERE name = 'native'}, $native ],
	[ 'update, malformed scope', '22P02',
		q{SELECT apitoken.update(id, scopes => ARRAY[$1 || ' ']) FROM apitoken._token WHERE name = 'native'}, $native ],
	[ 'update, nothing to clear', '22023',
		q{SELECT apitoken.update(id, clear => ARRAY[$1]) FROM apitoken._token WHERE name = 'native'}, $native ],
	[ 'revoke_all, malformed scope', '22P02',
		q{SELECT apitoken.revoke_all('acme', scope => $1 || '"')}, $stray ],
	[ 'revoke_all, no such principal', '00000',
		q{SELECT apitoken.revoke_all('acme', $1, $1, $1)}, $stray ],
	[ 'revoke_self, unknown', '28000',
		q{SELECT apitoken.revoke_self($1)}, $stray ],
	[ 'revoke_self, malformed', '28000',
		q{SELECT apitoken.revoke_self($1 || ' ')}, $stray ],
	[ 'revoke_self, READ ONLY', '25006',
		q{SELECT apitoken.revoke_self($1)}, $native, 'BEGIN READ ONLY;' ],
	[ 'rotate', '00000',
		q{SELECT apitoken.rotate(apitoken.import('acme', 'rotated', token => $1 || gen_random_uuid()), '1 hour') IS NOT NULL}, $stray ],
	[ 'revoke_self', '00000',
		q{SELECT CASE WHEN apitoken.import('acme', 'self', token => t) IS NOT NULL THEN apitoken.revoke_self(t) END
			FROM (SELECT $1 || gen_random_uuid() OFFSET 0) AS made(t)}, $stray ],

	[ 'verify', '00000', q{SELECT apitoken.verify($1, 'a')}, $native ],
	[ 'verify, foreign', '00000',
		q{SELECT * FROM apitoken.verify($1)}, $foreign ],
	[ 'verify, unknown', '00000', q{SELECT apitoken.verify($1)}, $stray ],
	[ 'verify, malformed', '00000',
		q{SELECT apitoken.verify($1 || ' ')}, $stray ],
	[ 'verify, bad scope', '22P02',
		q{SELECT apitoken.verify($1, $1 || '"')}, $stray ],
	[ 'verify, blank scope', '22023',
		q{SELECT apitoken.verify($1, ' ')}, $native ],
	[ 'verify, cancelled in a loop', '57014',
		q{SELECT apitoken.verify($1) FROM generate_series(1, 100000000)}, $native,
		q{SET statement_timeout = '200ms';} ],
	[ 'verify_sha256', '00000',
		q{SELECT apitoken.verify_sha256(sha256($1::bytea))}, $hashed ],
	[ 'verify_sha256, wrong length', '00000',
		q{SELECT apitoken.verify_sha256($1::bytea)}, $hashed ],
	[ 'verify_sha256, bad scope', '22P02',
		q{SELECT apitoken.verify_sha256(sha256($1::bytea), '*.*')}, $hashed ],
	[ 'verified_id', '00000', q{SELECT apitoken.verified_id($1)}, $foreign ],
	[ 'verified_id, bad scope', '22P02',
		q{SELECT apitoken.verified_id($1, '"')}, $foreign ],
	[ 'authenticate', '00000', q{SELECT apitoken.authenticate($1)}, $native ],
	[ 'authenticate, unknown', '28000', q{SELECT apitoken.authenticate($1)}, $stray ],
	[ 'authenticate, malformed', '28000',
		q{SELECT apitoken.authenticate($1 || ' ')}, $stray ],
	[ 'authenticate, scope denied', '28000',
		q{SELECT apitoken.authenticate($1, 'nobody.has.this')}, $foreign ],
	[ 'authenticate, bad scope', '22P02',
		q{SELECT apitoken.authenticate($1, $1 || '"')}, $stray ],
	[ 'has_scope', '22P02', q{SELECT apitoken.has_scope($1 || '"')}, $stray ],
	[ 'issue, scope that the current token lacks', '42501',
		q{SELECT CASE WHEN apitoken.authenticate(token) IS NOT NULL
			THEN apitoken.issue('acme', 'x', ARRAY[$1]) IS NOT NULL END
			FROM apitoken.issue('acme', 'limited', '{apitoken.write}')}, $stray ],
	[ 'lookup', '00000', q{SELECT apitoken.lookup($1)}, $native ],
	[ 'lookup, unknown', '00000', q{SELECT apitoken.lookup($1)}, $stray ],
	[ 'details', '00000', q{SELECT apitoken.details($1)}, $native ],
	[ 'details, secret included', '00000',
		q{SELECT apitoken.details($1, true)}, $foreign ],
	[ 'details, unknown', '00000',
		q{SELECT apitoken.details($1, true)}, $stray ],
	[ 'check_token', '00000', q{SELECT apitoken.check_token($1)}, $native ],
	[ 'token_digest', '00000',
		q{SELECT apitoken.token_digest($1) IS NULL}, $native ],

	# A secret where something else belongs.
	[ 'digest', '22P02', q{SELECT $1::text::apitoken.digest}, $stray ],
	[ 'digest of bytea', '22023',
		q{SELECT $1::bytea::apitoken.digest}, $stray ],
	[ 'scopes', '22P02', q{SELECT ($1 || '\\')::apitoken.scopes}, $stray ],
	[ 'scopes of text[]', '22P02',
		q{SELECT ARRAY['a', $1 || ' ']::apitoken.scopes}, $stray ],
	[ 'issue, realm', '42704', q{SELECT apitoken.issue($1, 'x')}, $stray ],
	[ 'issue, name', '22023',
		q{SELECT apitoken.issue('acme', repeat($1, 30))}, $stray ],
	[ 'issue, scopes', '22P02',
		q{SELECT apitoken.issue('acme', 'x', ARRAY[$1 || '*'])}, $stray ],
	[ 'issue, kind', '22023',
		q{SELECT apitoken.issue('acme', 'x', kind => $1)}, $stray ],
	[ 'issue, principal', '22023',
		q{SELECT apitoken.issue('acme', 'x', principal => repeat($1, 30))}, $stray ],
	[ 'issue, allowed_scopes', '22023',
		q{SELECT apitoken.issue('acme', 'x', allowed_scopes => to_jsonb($1))}, $stray ],
	[ '_public_id', '22023',
		qq{SELECT apitoken._public_id(\$1, '$id')}, $stray ],

	# Through other languages, whose CONTEXT lines quote statements.
	[ 'in PL/pgSQL', '22023', q{SELECT in_plpgsql($1)}, $native ],
	[ 'in SQL', '22023', q{SELECT in_sql($1)}, $native ],
	[ 'behind a missing index', '55000',
		q{SELECT apitoken.verify($1)}, $native,
		'BEGIN; DROP INDEX apitoken._token_digest_idx;' ],
	[ 'in a row that a constraint refuses', '23514',
		q{SELECT apitoken.import('acme', 'x', token => $1)}, $stray,
		q{BEGIN; ALTER TABLE apitoken._token ADD CHECK (name <> 'x');} ]);

$node->safe_psql(
	'postgres', q{
	CREATE FUNCTION in_plpgsql(secret text) RETURNS uuid LANGUAGE plpgsql AS $$
	DECLARE
		id uuid;
	BEGIN
		SELECT v.id INTO STRICT id FROM apitoken.verify(secret, '') v;
		RETURN id;
	END $$;
	CREATE FUNCTION in_sql(secret text) RETURNS uuid LANGUAGE sql AS $$
		SELECT id FROM apitoken.verify($1, '') $$;
});

# Makes all the calls; the answers must be the expected ones, and no message,
# detail, hint or context may tell.  Errors are shown to the client in full.
sub make_calls
{
	my ($how) = @_;
	my (@wrong, @telling);

	foreach my $call (@calls)
	{
		my ($name, $expected, $sql, $secret, $before) = @$call;
		my $types = $sql =~ /\$1/ ? '(text)' : '';
		my ($status, $out, $err) = $node->psql(
			'postgres',
			($before // '')
			  . "PREPARE call (text) AS $sql;\nEXECUTE call('$secret');",
			on_error_stop => 1,
			extra_params  => [ '-v', 'VERBOSITY=verbose' ]);
		my ($state) = $err =~ /ERROR:\s+(\w{5}):/;

		push @wrong, "$name: $err" if ($state // '00000') ne $expected;
		push @telling, "$name: $err" if tells($err);
	}
	is(join("\n", @wrong), '', "$how: every call ends as expected");
	is(join("\n", @telling), '', '... and no message tells the secret');
	return;
}

# The records of the log that have been written since the last time.
my $log_offset = 0;

sub log_records
{
	my $path = $node->data_dir . '/log/server.json';
	my $log;

	# Everything before this has then arrived.
	my $end = 'end of part ' . time . rand;
	$node->safe_psql('postgres',
		"SET log_min_messages = log; DO \$\$ BEGIN RAISE LOG '$end'; END \$\$");
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$log = substr slurp($path), $log_offset;
		last if $log =~ /\Q$end\E/;
		select undef, undef, undef, 0.1;
	}
	$log =~ s/[^\n]*\z//;
	$log_offset += length $log;
	return map { decode_json($_) } split /\n/, $log;
}

# The fields of a record that tell, but for what the server logs as statement.
sub telling_fields
{
	my ($record, $statements_too) = @_;
	my %record = %$record;

	if (!$statements_too)
	{
		delete $record{statement};
		delete @record{qw(message detail)}
		  if $record{message} =~
		  /^(duration: [\d.]+ ms  )?(statement|plan|(parse|bind|execute) [^:]*):/;
	}
	return grep { tells($record{$_}) } grep { defined $record{$_} } keys %record;
}

sub check_log
{
	my ($how, $statements_too) = @_;
	my @records = log_records();
	my @telling = map {
		my $record = $_;
		map { "$_: $record->{$_}" } telling_fields($record, $statements_too)
	} @records;

	is(join("\n", @telling), '',
		"$how: nothing in " . @records . ' records of the log');
	return @records;
}

sub configure
{
	my (%settings) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET $_ = '$settings{$_}'")
	  foreach sort keys %settings;
	$node->reload;
	# A new session has them once the postmaster has.
	foreach my $name (sort keys %settings)
	{
		$node->poll_query_until('postgres',
			"SELECT current_setting('$name') = '$settings{$name}'")
		  or die "$name is not set";
	}
	return;
}

# --- the server logs no statements at all ---

log_records();
configure(log_min_error_statement => 'panic');
make_calls('no statements logged');
check_log('no statements logged', 1);

# --- as it comes: the STATEMENT of an error ---

configure(log_min_error_statement => 'error');
make_calls('as it comes');
my @records = check_log('as it comes', 0);
cmp_ok(scalar(grep { telling_fields($_, 1) } @records),
	'>', 20, '... but the server puts the statement beside an error');

# --- every statement, with its parameters and its plan ---

configure(
	log_statement                     => 'all',
	log_duration                      => 'on',
	log_min_duration_statement        => '0',
	log_parameter_max_length_on_error => '-1',
	log_min_messages                  => 'debug1');
$node->append_conf('postgresql.conf',
	"auto_explain.log_min_duration = 0\nauto_explain.log_nested_statements = on\n")
  if $modules =~ /auto_explain/;
$node->reload;
make_calls('all statements logged');
@records = check_log('all statements logged', 0);
cmp_ok(scalar(grep { telling_fields($_, 1) } @records),
	'>', scalar @calls, '... but the server logs them');

# --- bound parameters: the statement itself is clean ---

# What others see of a session, recorded while it is verifying.
$node->safe_psql('postgres', 'CREATE TABLE seen (activity text, id uuid)');
my $script = "$dir/verify.sql";
open my $file, '>', $script or die "$script: $!";
print $file q{
	INSERT INTO seen SELECT activity::text, apitoken.verified_id(:secret)
	FROM pg_stat_activity AS activity WHERE pid = pg_backend_pid();
	SELECT apitoken.lookup(:secret);
	SELECT apitoken.verify_sha256(sha256((:secret)::text::bytea));
};
close $file;
configure(
	log_statement              => 'none',
	log_duration               => 'off',
	log_min_duration_statement => '-1',
	log_min_messages           => 'warning');
$node->append_conf('postgresql.conf', "auto_explain.log_min_duration = -1\n")
  if $modules =~ /auto_explain/;
$node->reload;
log_records();
foreach my $protocol (qw(extended prepared))
{
	$node->command_ok(
		[
			'pgbench', '-n', '-M', $protocol, '-t', '1', '-D',
			"secret=$native", '-f', $script, 'postgres'
		],
		"parameters bound, $protocol protocol");
}
check_log('bound', 1);
is($node->safe_psql('postgres', qq{
	SELECT count(*) FILTER (WHERE id = '$id'), count(*) FROM seen}),
	'2|2', 'they were verified');
is($node->safe_psql('postgres',
		"SELECT count(*) FROM seen WHERE activity ~ '$mark'"),
	'0', '... and pg_stat_activity does not tell');

# --- issued tokens: their secrets are in the answer alone ---

my @issued = split /\n/, $node->safe_psql(
	'postgres', q{
	SELECT token FROM generate_series(1, 20) n, apitoken.issue('acme', 'issued ' || n)});
$node->safe_psql('postgres',
	"SELECT apitoken.$_(id) FROM apitoken.tokens WHERE name ~ '^issued'")
  foreach qw(suspend activate revoke);
$node->safe_psql('postgres',
	join "\n", map { "SELECT apitoken.verify('$_');" } @issued);

# --- all that is stored ---

$node->safe_psql('postgres', 'ANALYZE; CHECKPOINT');

# What must not be found anywhere, and one thing that must be: a digest.
my @hidden = ($mark, lc $mark, 'CANARY' x 2);
foreach my $text ($native, $foreign, $hashed, @issued)
{
	push @hidden, sha256($text), sha256_hex($text);
	push @hidden, (split /\./, $text)[2] if $text =~ /\..*\./;
}

sub hides
{
	my ($text) = @_;

	return !grep { index($text, $_) >= 0 } @hidden;
}

my $digest = $node->safe_psql('postgres',
	"SELECT digest FROM apitoken._token WHERE id = '$id'");

# Every table, view and materialised view as text, in a file each.  Some views
# want a configuration that is not here.
my $copies = "$dir/copies";
mkdir $copies;
$node->safe_psql(
	'postgres', qq{
	DO \$\$
	DECLARE
		relation regclass;
	BEGIN
		FOR relation IN SELECT oid FROM pg_class
			WHERE relkind IN ('r', 'v', 'm') AND relpersistence <> 't'
				AND relnamespace <> 'pg_toast'::regnamespace
		LOOP
			BEGIN
				EXECUTE format('COPY (SELECT r FROM %s r) TO %L', relation,
					'$copies/' || relation::text);
			EXCEPTION WHEN OTHERS THEN
				RAISE NOTICE '%: %', relation, SQLERRM;
			END;
		END LOOP;
	END \$\$});
my @relations = map { basename($_) } glob "'$copies'/*";
my @telling   = grep { !hides(slurp("$copies/$_")) } @relations;
my @known =
  grep { index(slurp("$copies/$_"), $digest) >= 0 } @relations;
is("@telling", '', 'nothing in ' . @relations . ' tables and views');
cmp_ok(scalar @relations, '>', 150, '... statistics and catalogs among them');
is("@known", 'apitoken._token', '... while a digest is found in one of them');
is( $node->safe_psql(
		'postgres', q{
		SELECT count(*) FROM pg_stats WHERE schemaname = 'apitoken'
			AND attname ~ 'digest'}),
	'0',
	'no statistics of digests at all');

# --- EXPLAIN ---

foreach my $options (
	'', '(ANALYZE, BUFFERS, WAL, SETTINGS)',
	'(ANALYZE, FORMAT JSON)')
{
	my $plan = $node->safe_psql(
		'postgres', qq{
		PREPARE one (text) AS SELECT * FROM apitoken.verify(\$1);
		PREPARE two (text) AS SELECT apitoken.verified_id(\$1), apitoken.lookup(\$1);
		EXPLAIN $options EXECUTE one('$native');
		EXPLAIN $options EXECUTE two('$native');
		SET plan_cache_mode = force_generic_plan;
		EXPLAIN ${\($options =~ s/^\(/(VERBOSE, /r)} EXECUTE one('$native');
		EXPLAIN ${\($options =~ s/^\(/(VERBOSE, /r)} EXECUTE two('$native')});

	ok(!tells($plan), "EXPLAIN $options does not tell") or diag($plan);
}

# EXPLAIN is a utility statement: this module keeps it as it was written.
$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()')
  if $modules =~ /pg_stat_statements/;

# --- a dump, and the files: tables, WAL, statistics, temporary files ---

$node->command_ok([ 'pg_dump', '--file', "$dir/secrets.sql", 'postgres' ],
	'pg_dump');
my $dump = slurp("$dir/secrets.sql");
ok(hides($dump), '... without a secret');
ok($dump =~ /$digest/, '... while the digest is there');

my $files = 0;
my $bytes = pack 'H*', $digest;
@telling = ();
@known   = ();
$node->stop;
find(
	{
		no_chdir => 1,
		wanted   => sub {
			return if !-f $_ || m{/log/server\.json$};
			my $content = slurp($_);
			$files++;
			push @telling, $_ if !hides($content);
			push @known,   $_ if index($content, $bytes) >= 0;
		}
	},
	$node->data_dir);
is("@telling", '', "nothing in $files files of the data directory");
ok( scalar(grep { m{/base/} } @known) && scalar(grep { m{/pg_wal/} } @known),
	'... while the digest is in a table and in WAL');

done_testing();
