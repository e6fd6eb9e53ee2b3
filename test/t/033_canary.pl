# Where a secret can be seen: the table of docs/security.md, place by place.  Marked
# secrets are sent as literals and as bound parameters; where the table says
# "yes" the mark must be found, where it says "no" it must not.  Digests are
# looked for wherever no secret may be, and in every error that could tell one.
#
# 007 takes secrets through all functions; this is about the places.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Digest::SHA qw(sha256 sha256_hex);
use File::Find;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('main');
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'pg_stat_statements,auto_explain'
log_statement = none
log_error_verbosity = verbose
apitoken.usage_flush_interval = '1h'
wal_level = logical
max_worker_processes = 0
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION apitoken;
	CREATE EXTENSION pg_stat_statements;
	INSERT INTO apitoken.realm (id, notify) VALUES ('acme', true)});

# --- secrets: one for each way, known and unknown ---

my %secrets = map { $_ => "CANARY$_" . 'x' x 20 . 'CANARY' } qw(literal bound);
my $mark = qr/CANARY(?:literal|bound)/;
$node->safe_psql('postgres', "SELECT apitoken.import('acme', '$_', sha256 => '\\x" . sha256_hex($secrets{$_}) . "', scopes => '{a}')")
  foreach keys %secrets;

# As the server would show them: hexadecimal and raw.
my @digests = split /\n/, $node->safe_psql('postgres', 'SELECT digest FROM apitoken._token');
my @hidden = ($mark, map({ (sha256_hex($_), quotemeta sha256($_)) } values %secrets));

sub tells
{
	my ($text, @besides) = @_;

	return grep { $text =~ /$_/ } @hidden, @besides;
}

# --- sending a statement in either way ---

# :secret stands for it.
sub send_it
{
	my ($way, $sql, @options) = @_;

	if ($way eq 'literal')
	{
		my ($status, $out, $err) = $node->psql('postgres', $sql =~ s/:secret/'$secrets{literal}'/gr,
			extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		return ($out // '') . ($err // '');
	}
	my $script = "$dir/script.sql";
	open my $file, '>', $script or die "$script: $!";
	print $file "$sql;\n";
	close $file;
	my ($stdout, $stderr);
	IPC::Run::run [ 'pgbench', '-n', '-M', 'extended', '-t', '1', '-D', "secret=$secrets{bound}", '-f', $script, $node->connstr('postgres') ],
	  '>', \$stdout, '2>', \$stderr;
	return $stdout . $stderr;
}

sub configure
{
	my (%settings) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET $_ = '$settings{$_}'") foreach sort keys %settings;
	$node->reload;
	foreach my $name (sort keys %settings)
	{
		$node->poll_query_until('postgres', "SELECT current_setting('$name') = '$settings{$name}'") or die "$name is not set";
	}
	return;
}

sub reset_settings
{
	my (@names) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM RESET $_") foreach @names;
	$node->reload;
	$node->poll_query_until('postgres', "SELECT setting = reset_val FROM pg_settings WHERE name = '$_'") foreach @names;
	return;
}

# What the log has of these statements under these settings.
sub logged
{
	my ($way, $settings, @statements) = @_;

	# (The settings themselves take statements, which have no secret.)
	configure(%$settings);
	my $offset = -s $node->logfile;
	send_it($way, $_) foreach @statements;
	my $log = slurp_file($node->logfile, $offset);
	reset_settings(keys %$settings);
	return $log;
}

my @good = ('SELECT outcome FROM apitoken.verify(:secret)', q{SELECT apitoken.verified_id(:secret, 'a')},
	'SELECT apitoken.lookup(:secret)', q{SELECT outcome FROM apitoken.verify_many(ARRAY[:secret])});
my @bad = (q{SELECT apitoken.verify(:secret, '"')});

sub in_log
{
	my ($settings, @statements) = @_;

	return sub { my ($way) = @_; return logged($way, $settings, @statements) };
}

my %none = (log_min_error_statement => 'error');

# --- the places ---

my %places = (
	'`pg_stat_activity.query`' => sub {
		my ($way) = @_;

		# (What is looked for must not stand in the statement, and what is found
		# not be stored.)
		my ($first) = (unpack 'H*', "CANARY$way");
		$node->safe_psql('postgres', 'CREATE TABLE seen (it boolean)');
		send_it($way, qq{INSERT INTO seen SELECT position(convert_from('\\x$first', 'UTF8') IN query) > 0
			FROM pg_stat_activity, apitoken.verified_id(:secret) v WHERE pid = pg_backend_pid()} =~ s/\s+/ /gr);
		my $seen = $node->safe_psql('postgres', 'SELECT it FROM seen');
		$node->safe_psql('postgres', 'DROP TABLE seen');
		like($seen, qr/^[tf]$/, "$way: pg_stat_activity was looked at");
		return $seen eq 't' ? "CANARY$way" : '';
	},
	'log, `log_statement = all`' => in_log({ log_statement => 'all' }, @good),
	'log, `log_min_duration_statement = 0`' => in_log({ log_min_duration_statement => '0' }, @good),
	'log, an error, as the server comes' => in_log(\%none, @bad),
	'log, an error, `log_min_error_statement = panic`' => in_log({ log_min_error_statement => 'panic' }, @bad),
	'log, an error, `log_parameter_max_length_on_error = -1`' => in_log({ log_parameter_max_length_on_error => '-1' }, @bad),
	'log, `auto_explain` with `log_verbose`' =>
	  in_log({ 'auto_explain.log_min_duration' => '0', 'auto_explain.log_verbose' => 'on', 'auto_explain.log_nested_statements' => 'on' }, @good),
	'log, `debug_print_plan`, as numbers' => sub { my ($way) = @_; return constants($way, 'debug_print_plan') },
	'log, `debug_print_parse` and `debug_print_rewritten`, as numbers' =>
	  sub { my ($way) = @_; return join "\n", map { constants($way, $_) } qw(debug_print_parse debug_print_rewritten) },
	'log, detail of a deadlock, whatever `log_min_error_statement`' => sub { my ($way) = @_; return deadlock($way) },
	'`pg_prepared_statements`, `pg_cursors`: who uses the same connection later' => sub {
		my ($way) = @_;

		return $node->safe_psql('postgres', $way eq 'literal'
			? "PREPARE it AS SELECT apitoken.verified_id('$secrets{literal}'); SELECT statement FROM pg_prepared_statements"
			: "PREPARE it (text) AS SELECT apitoken.verified_id(\$1); EXECUTE it ('$secrets{bound}'); SELECT statement FROM pg_prepared_statements")
		  . $node->safe_psql('postgres', $way eq 'literal'
			? "BEGIN; DECLARE it CURSOR FOR SELECT apitoken.verified_id('$secrets{literal}'); SELECT statement FROM pg_cursors; COMMIT"
			: "BEGIN; PREPARE it (text) AS SELECT apitoken.verified_id(\$1); EXECUTE it ('$secrets{bound}'); SELECT statement FROM pg_cursors; COMMIT")
		  . $node->safe_psql('postgres', 'SELECT pg_stat_statements_reset() IS NULL');
	},
	'log, as the server comes, without an error' => in_log(\%none, @good),
	'`pg_stat_statements`, queries' => sub {
		my ($way) = @_;

		$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
		send_it($way, $_) foreach @good, @bad;
		return $node->safe_psql('postgres', 'SELECT query FROM pg_stat_statements');
	},
	'`pg_stat_statements`, utility statements (`EXPLAIN`, `DO`, `CALL`, `SET`)' => sub {
		my ($way) = @_;

		$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
		send_it($way, 'EXPLAIN SELECT outcome FROM apitoken.verify(:secret)');
		my $queries = $node->safe_psql('postgres', 'SELECT query FROM pg_stat_statements');
		$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
		return $queries;
	},
	'`EXPLAIN VERBOSE`, to who asks' => sub {
		my ($way) = @_;

		return send_it($way, 'EXPLAIN VERBOSE SELECT apitoken.verified_id(:secret)') if $way eq 'literal';
		# As a session with a plan for these parameters has it.
		return $node->safe_psql('postgres', qq{
			PREPARE it (text) AS SELECT apitoken.verified_id(\$1);
			EXPLAIN (VERBOSE) EXECUTE it ('$secrets{bound}')}) . $node->safe_psql('postgres', 'SELECT pg_stat_statements_reset() IS NULL');
	},
	'messages of errors' => sub { my ($way) = @_; return messages($way) },
	'tables, views, events, statistics' => sub { return relations() },
	'WAL, data files, file of recorded use' => sub { return files() },
	'`pg_dump`' => sub {
		my ($stdout, $stderr);

		IPC::Run::run [ 'pg_dump', $node->connstr('postgres') ], '>', \$stdout, '2>', \$stderr;
		like($stdout, qr/$digests[0]/, 'the dump has the digests');
		return $stdout . $stderr;
	});

# What a tree in the log has, in which each byte of a constant is a number.
sub constants
{
	my ($way, $setting) = @_;
	my $log = logged($way, { $setting => 'on' }, $good[1]);

	$log =~ s/\s+/ /g;
	$log =~ s/((?:-?\b\d{1,3} ){10,})/join '', map { chr } grep { $_ > 0 } split ' ', $1/ge;
	return $log;
}

# Two clients wait for each other, each in a statement that has the secret.
sub deadlock
{
	my ($way) = @_;
	my $secret = $way eq 'literal' ? "'$secrets{literal}'" : ':secret';
	my (@runs, @out);

	configure(log_min_error_statement => 'panic', deadlock_timeout => '100ms');
	my $offset = -s $node->logfile;
	foreach my $own (1, 2)
	{
		my $script = "$dir/deadlock$own.sql";

		PostgreSQL::Test::Utils::append_to_file($script, join ";\n", 'BEGIN', "SELECT pg_advisory_xact_lock($own)", 'SELECT pg_sleep(1)',
			"SELECT apitoken.verified_id($secret), pg_advisory_xact_lock(" . (3 - $own) . ')', "COMMIT;\n");
		push @runs, IPC::Run::start(
			[ 'pgbench', '-n', '-M', $way eq 'literal' ? 'simple' : 'extended', '-t', '1', '-D', "secret=$secrets{bound}", '-f', $script, $node->connstr('postgres') ],
			'>', \$out[$own], '2>&1');
	}
	$_->finish foreach @runs;
	unlink "$dir/deadlock1.sql", "$dir/deadlock2.sql";
	my $log = slurp_file($node->logfile, $offset);
	like($log, qr/deadlock detected/, "$way: a deadlock");
	reset_settings(qw(log_min_error_statement deadlock_timeout));
	return $log;
}

# Every error of a call that has a secret in its row: what the server says of
# constraints, of keys, of triggers, of conflicts.
sub messages
{
	my ($way) = @_;
	my $all = '';
	my $secret = $way eq 'literal' ? 'new-CANARYliteral-secret' : 'new-CANARYbound-secret';
	my %attached = (
		'ALTER TABLE apitoken._token ADD CONSTRAINT x CHECK (name <> \'refused\')' => 'ALTER TABLE apitoken._token DROP CONSTRAINT x',
		'ALTER TABLE apitoken._token ALTER COLUMN description SET NOT NULL' => 'ALTER TABLE apitoken._token ALTER COLUMN description DROP NOT NULL',
		# (A key that the token of "bound" has as well.)
		q{CREATE UNIQUE INDEX x ON apitoken._token ((octet_length(digest::bytea)), (CASE WHEN digest IS NOT NULL THEN realm END))
			WHERE name IN ('bound', 'refused')} => 'DROP INDEX apitoken.x',
		q{CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', NEW.name; END $$;
			CREATE TRIGGER x BEFORE INSERT OR UPDATE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION x()} => 'DROP TRIGGER x ON apitoken._token; DROP FUNCTION x()');
	my $call = $way eq 'literal' ? "SELECT apitoken.import('acme', 'refused', '$secret')" : "PREPARE it (text) AS SELECT apitoken.import('acme', 'refused', \$1); EXECUTE it ('$secret')";
	my $digest = $node->safe_psql('postgres', "SELECT apitoken.token_digest('$secret')");
	my $offset = -s $node->logfile;

	push @digests, $digest if !grep { $_ eq $digest } @digests;
	configure(log_min_error_statement => 'panic');
	$node->safe_psql('postgres', "UPDATE apitoken._token SET description = 'x'");
	foreach my $attach (sort keys %attached)
	{
		$node->safe_psql('postgres', $attach);
		my ($status, $out, $err) = $node->psql('postgres', $call, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		$all .= $out . $err;
		isnt($err, '', "$way: " . ($attach =~ s/\s+/ /gr =~ s/^(.{60}).*/$1/r) . ': refused');
		$node->safe_psql('postgres', $attached{$attach});
	}
	# Two serializable transactions, and what is malformed, or somebody else's.
	foreach my $sql ("SELECT apitoken.verify('$secrets{$way}', ' ')", "SELECT apitoken.revoke_self('$secret')",
		"SELECT apitoken.import('nowhere', 'x', '$secret')", "SELECT apitoken.import('acme', '', '$secret')",
		"SELECT ('$secret' || '')::text::apitoken.digest", "SET statement_timeout = '50ms'; SELECT apitoken.verified_id('$secret') FROM generate_series(1, 1e9)")
	{
		my ($status, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-v', 'VERBOSITY=verbose' ]);

		isnt($err, '', "$way: refused") or diag($sql);
		$all .= $err;
	}
	my ($left, $right) = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 2;
	foreach my $session ($left, $right)
	{
		$session->query("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT outcome FROM apitoken.verify('$secrets{$way}')");
	}
	$_->query(q{UPDATE apitoken._token SET description = 'y' WHERE name = 'literal'; COMMIT}) foreach $left, $right;
	$all .= $left->{stderr} . $right->{stderr};
	like($all, qr/could not serialize/, "$way: two transactions are in each other's way");
	$_->quit foreach $left, $right;
	$all .= slurp_file($node->logfile, $offset);
	reset_settings('log_min_error_statement');
	is(join(' ', grep { $all =~ /$_/ } @digests), '', "$way: no error tells a digest");
	return $all;
}

sub relations
{
	my $all = '';

	$node->safe_psql('postgres', 'SELECT apitoken.flush_usage(); SELECT apitoken.seal_events(); ANALYZE');
	foreach my $relation (split /\n/, $node->safe_psql('postgres', q{
		SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'v', 'm')
			AND (relnamespace = 'apitoken'::regnamespace OR relname IN ('pg_statistic', 'pg_stats', 'pg_stats_ext', 'pg_statistic_ext_data', 'pg_locks', 'pg_proc', 'pg_settings'))}))
	{
		my $rows = $node->safe_psql('postgres', "SELECT r FROM $relation r");

		is(join(' ', grep { $rows =~ /$_/ } @digests), '', "no digest in $relation") if $relation ne 'apitoken._token';
		$all .= $rows;
	}
	return $all;
}

sub files
{
	my $all = '';

	use_token($node, { database => 'postgres', token => $secrets{bound} }, 1);
	wait_file($node, 1, 'use is recorded in a file');
	my $spilled = slurp(spill_file($node));
	is(join(' ', grep { index($spilled, pack 'H*', $_) >= 0 || index($spilled, $_) >= 0 } @digests), '', '... without digests');
	$node->stop;
	find({ no_chdir => 1, wanted => sub {
				my $content = -f $_ ? slurp($_) : '';
				my @found = tells($content);

				diag("$_: @found") if @found;
				$all .= $content;
			} }, $node->data_dir);
	ok(index($all, pack 'H*', $digests[0]) >= 0, 'digests are in the files');
	$node->start;
	return $all;
}

# --- what the document says, and what is found ---

my ($chapter) = slurp("$root/docs/security.md") =~ /^## Where a secret can be seen\n(.*?)(?=^## |\z)/ms;
my %said = map { /^\| (.+?) \| (yes|no) \| (yes|no) \|$/ ? ($1 => { literal => $2, bound => $3 }) : () } split /\n/, $chapter // '';
is(join("\n", sort keys %said), join("\n", sort keys %places), 'the document has the places that are looked at');

# Where nothing may be comes last: after all that could have left something.
foreach my $place (sort { ($said{$a}{literal} eq 'no') <=> ($said{$b}{literal} eq 'no') || $a cmp $b } keys %places)
{
	foreach my $way (qw(literal bound))
	{
		my $what = $places{$place}->($way);
		my $found = ($said{$place}{$way} // '') eq 'yes' ? $what =~ /CANARY$way/ : tells($what);

		is($found ? 'yes' : 'no', $said{$place}{$way}, "$place: $way")
		  or diag(substr($what, 0, 3000));
	}
}

$node->stop;
done_testing();
