# A session may remember what it found: tables, indexes, realms, where a token's
# row was.  Whatever happens to all that, each of its verifications gives each
# token's own answer, or a clear error where nothing can be looked up; never
# "unknown" or "valid" wrongly, and never another token's name.
#
# Sessions that stay verify all tokens before and after each change; others do
# so all the time, and note what is not as it should be.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $node = new_node('main', allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
apitoken.usage_flush_interval = '1h'
allow_in_place_tablespaces = on
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION apitoken;
	CREATE EXTENSION pageinspect;
	CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
	INSERT INTO apitoken.realm (id) VALUES ('acme'), ('other'), ('closed')});
$node->safe_psql('postgres', q{CREATE TABLESPACE elsewhere LOCATION ''});

# --- tokens of every kind, and what shall be said of each ---

$node->safe_psql('postgres', q{
	CREATE TABLE expected (secret text PRIMARY KEY, outcome text NOT NULL, id uuid);

	-- What is wrong: a line each.  Four functions are asked.
	CREATE FUNCTION wrong() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		e record;
		v record;
		wrong text := '';
	BEGIN
		FOR e IN SELECT x.*, CASE x.outcome WHEN 'valid' THEN x.id END AS valid_id FROM expected x LOOP
			SELECT * INTO v FROM apitoken.verify(e.secret);
			IF (v.outcome, v.id) IS DISTINCT FROM (e.outcome, e.id) THEN
				wrong := wrong || format(E'verify %s: %s %s, not %s %s\n', e.secret, v.outcome, v.id, e.outcome, e.id);
			END IF;
			SELECT * INTO v FROM apitoken.verify_sha256(sha256(e.secret::bytea));
			IF (v.outcome, v.id) IS DISTINCT FROM (e.outcome, e.id) THEN
				wrong := wrong || format(E'verify_sha256 %s: %s %s, not %s %s\n', e.secret, v.outcome, v.id, e.outcome, e.id);
			END IF;
			IF apitoken.verified_id(e.secret) IS DISTINCT FROM e.valid_id THEN
				wrong := wrong || format(E'verified_id %s\n', e.secret);
			END IF;
		END LOOP;
		FOR e IN SELECT x.*, m.outcome AS said, m.id AS said_id
			FROM (SELECT array_agg(t.secret ORDER BY t.secret) AS secrets FROM expected t) a
				CROSS JOIN LATERAL apitoken.verify_many(a.secrets) m JOIN expected x ON x.secret = a.secrets[m.ordinality]
		LOOP
			IF (e.said, e.said_id) IS DISTINCT FROM (e.outcome, e.id) THEN
				wrong := wrong || format(E'verify_many %s: %s %s\n', e.secret, e.said, e.said_id);
			END IF;
		END LOOP;
		RETURN rtrim(wrong, E'\n');
	END $$;

	-- A token, imported by this secret.
	CREATE FUNCTION add(secret text, realm text DEFAULT 'acme') RETURNS uuid LANGUAGE plpgsql AS $$
	DECLARE
		made uuid := apitoken.import(realm, secret, token => secret);
	BEGIN
		INSERT INTO expected VALUES (secret, 'valid', made)
		ON CONFLICT ON CONSTRAINT expected_pkey DO UPDATE SET outcome = 'valid', id = made;
		RETURN made;
	END $$;
	CREATE FUNCTION remove(VARIADIC secrets text[]) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM apitoken.revoke(id) FROM expected WHERE secret = ANY (secrets);
		PERFORM apitoken.delete(id) FROM expected WHERE secret = ANY (secrets);
		UPDATE expected SET outcome = 'unknown', id = NULL WHERE secret = ANY (secrets);
	END $$;
	-- Where its row is.
	CREATE FUNCTION place(of text) RETURNS tid LANGUAGE sql AS
		$$ SELECT t.ctid FROM apitoken._token t JOIN expected e USING (id) WHERE e.secret = of $$;

	-- All of the table, in another order: each row where another one was.
	CREATE FUNCTION permute(how text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE apitoken._token;
		EXECUTE how;
		INSERT INTO apitoken._token SELECT * FROM kept ORDER BY md5(id::text || clock_timestamp()::text);
	END $$});
my $make = q{
	SELECT add('secret-' || n) FROM generate_series(1, 60) n;
	SELECT add('closed-' || n, 'closed') FROM generate_series(1, 3) n;
	SELECT add('suspended-' || n), add('revoked-' || n), add('expired-' || n), add('rotated-' || n), add('superseded-' || n)
	FROM generate_series(1, 3) n;
	SELECT apitoken.suspend(id) FROM expected WHERE secret ~ '^suspended';
	SELECT apitoken.revoke(id) FROM expected WHERE secret ~ '^revoked';
	UPDATE apitoken._token SET expires_at = now() - interval '1 s' WHERE name ~ '^expired';
	INSERT INTO expected SELECT r.token, 'valid', e.id FROM expected e, apitoken.rotate(e.id, '1 day') r WHERE secret ~ '^rotated';
	INSERT INTO expected SELECT r.token, 'valid', e.id FROM expected e, apitoken.rotate(e.id) r WHERE secret ~ '^superseded';
	UPDATE apitoken.realm SET enabled = false WHERE id = 'closed';
	UPDATE expected SET outcome = (regexp_match(secret, '^[a-z]+'))[1] WHERE secret ~ '^(suspended|revoked|expired|superseded)';
	UPDATE expected SET outcome = 'realm_disabled' WHERE secret ~ '^closed';
	INSERT INTO expected SELECT 'unknown-' || n, 'unknown' FROM generate_series(1, 3) n;
	VACUUM ANALYZE expected};
$node->safe_psql('postgres', $make);

# --- who verifies ---

# A session that plans anew, one that keeps its plans, one that has verified
# more than anybody can remember.
my $warm     = session($node);
my $prepared = session($node);
my $crowded  = session($node);
my %sessions = ('warm' => $warm, 'prepared' => $prepared, 'crowded' => $crowded);
$_->set_query_timer_restart foreach values %sessions;
ask($prepared, 'SET plan_cache_mode = force_generic_plan');
ask($_, 'PREPARE asked (text) AS SELECT outcome, id FROM apitoken.verify($1)') foreach values %sessions;

sub all_right
{
	my ($name) = @_;
	my $wrong = '';

	foreach my $session (sort keys %sessions)
	{
		my $said = ask($sessions{$session}, 'SELECT wrong()');

		$wrong .= "$session: $said\n" if $said ne '';
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($wrong, '', $name);
}

sub change
{
	my ($sql) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $answer = sqlstate($node, $sql);
	unlike($answer, qr/^ERROR/, $sql =~ s/\s+/ /gr);
	return $answer;
}

# One token, by the statement that each session has prepared.
sub asked
{
	my ($session, $secret) = @_;

	return ask($session, "EXECUTE asked ('$secret')");
}

sub id_of
{
	my ($secret) = @_;

	return $node->safe_psql('postgres', "SELECT id FROM expected WHERE secret = '$secret'");
}

is(ask($crowded, q{SELECT count(apitoken.verified_id('unknown-crowd-' || n)) FROM generate_series(1, 3000) n}),
	'0', 'a session that has asked for 3000 tokens');
all_right('to begin with');
all_right('... and once more, from memory');

# --- the traffic ---

# Verifies all the time, a transaction for each round.  What it may say besides
# what is expected: that there is no extension, or no index.
$node->safe_psql('postgres', q{
	CREATE TABLE traffic (rounds bigint, errors bigint, wrong text);
	CREATE TABLE go_on (yes boolean);
	CREATE FUNCTION try() RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN wrong();
	EXCEPTION WHEN SQLSTATE '55000' OR SQLSTATE '3F000' OR SQLSTATE '42883' OR SQLSTATE '42P01' THEN
		RETURN 'error';
	END $$;
	CREATE PROCEDURE traffic(pause float) LANGUAGE plpgsql AS $$
	DECLARE
		rounds bigint := 0;
		errors bigint := 0;
		wrong text;
	BEGIN
		LOOP
			wrong := try();
			rounds := rounds + 1;
			errors := errors + (wrong = 'error')::int;
			EXIT WHEN wrong NOT IN ('', 'error') OR NOT EXISTS (SELECT FROM go_on);
			COMMIT;
			PERFORM pg_sleep(pause);
		END LOOP;
		INSERT INTO traffic VALUES (rounds, errors, wrong);
	END $$});

my @traffic;

sub start_traffic
{
	$node->safe_psql('postgres', 'TRUNCATE traffic; INSERT INTO go_on VALUES (true)');
	foreach my $pause ('0.003', '0.01')
	{
		my $session = session($node);

		$session->set_query_timer_restart;
		$session->{stdin} .= "CALL traffic($pause);\n";
		$session->{run}->pump_nb;
		push @traffic, $session;
	}
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 2 FROM pg_stat_activity WHERE query ~ '^CALL traffic'});
	return;
}

sub stop_traffic
{
	my ($errors_too) = @_;

	$node->safe_psql('postgres', 'TRUNCATE go_on');
	ask($_, 'SELECT 1') foreach @traffic;
	$_->quit foreach @traffic;
	@traffic = ();
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is( $node->safe_psql('postgres', q{
			SELECT count(*), bool_and(rounds > 3), string_agg(nullif(wrong, 'error'), '') FROM traffic}),
		'2|t|', 'the traffic of the meantime heard nothing wrong');
	is($node->safe_psql('postgres', 'SELECT sum(errors) FROM traffic'), '0', '... and no error') unless $errors_too;
	note 'rounds: ' . $node->safe_psql('postgres', 'SELECT sum(rounds), sum(errors) FROM traffic');
	return;
}

# --- tables and indexes are rewritten ---

start_traffic();
my @indexes = split /\n/, $node->safe_psql('postgres', q{
	SELECT indexrelid::regclass FROM pg_index JOIN pg_class c ON c.oid = indrelid
	WHERE relnamespace = 'apitoken'::regnamespace AND relname IN ('_token', 'realm', '_usage')
	ORDER BY indrelid::regclass::text, 1::text});
cmp_ok(scalar @indexes, '>', 10, 'indexes to rebuild');
foreach my $index (@indexes)
{
	change("REINDEX INDEX $_ $index") foreach '', 'CONCURRENTLY';
	all_right('... each token has its answer');
}
foreach my $command (
	'VACUUM FULL apitoken._token',
	'VACUUM FULL apitoken.realm',
	'CLUSTER apitoken._token USING _token_pkey',
	'CLUSTER apitoken._token USING _token_name_idx',
	'CLUSTER apitoken._token USING _token_status_idx',
	'CLUSTER apitoken.realm USING realm_pkey',
	'ALTER TABLE apitoken._token SET TABLESPACE elsewhere',
	'ALTER INDEX apitoken._token_digest_idx SET TABLESPACE elsewhere',
	'ALTER TABLE apitoken.realm SET TABLESPACE elsewhere',
	'ALTER TABLE apitoken._token SET TABLESPACE pg_default',
	'ALTER TABLE apitoken._token SET ACCESS METHOD heap2',
	'ALTER TABLE apitoken._token SET ACCESS METHOD heap',
	'ALTER TABLE apitoken._token SET UNLOGGED',
	'ALTER TABLE apitoken._token SET LOGGED',
	'ALTER TABLE apitoken._token ADD COLUMN added text',
	'ALTER TABLE apitoken._token ADD COLUMN added_too text DEFAULT clock_timestamp()::text',
	'ALTER TABLE apitoken._token DROP COLUMN added, DROP COLUMN added_too',
	'VACUUM FREEZE apitoken._token',
	'REINDEX SCHEMA CONCURRENTLY apitoken',
	q{SELECT permute('TRUNCATE apitoken._token')},
	q{SELECT permute('DELETE FROM apitoken._token')},
	'VACUUM apitoken._token',
	q{SELECT permute('DELETE FROM apitoken._token')},
	'VACUUM FULL',
	q{SELECT permute('TRUNCATE apitoken._token')},
	q{ANALYZE apitoken._token})
{
	change($command);
	all_right('... each token has its answer');
}

# --- rolled back ---

foreach my $command (
	'TRUNCATE apitoken._token',
	'DELETE FROM apitoken._token',
	q{SELECT permute('TRUNCATE apitoken._token')},
	q{UPDATE apitoken._token SET status = 'r'},
	'CLUSTER apitoken._token USING _token_created_idx',
	'ALTER TABLE apitoken._token ADD COLUMN added text DEFAULT clock_timestamp()::text',
	'DROP EXTENSION apitoken')
{
	change("BEGIN; $command; ROLLBACK");
	all_right('... each token has its answer');
}
stop_traffic();

# In the session itself: what it sees, and what it sees again afterwards.
foreach my $end ('ROLLBACK', 'SAVEPOINT')
{
	my ($begin, $back, $commit) = $end eq 'ROLLBACK' ? ('BEGIN', 'ROLLBACK', '')
	  : ('BEGIN; SAVEPOINT s', 'ROLLBACK TO s', 'COMMIT');

	foreach my $command ('TRUNCATE apitoken._token', 'DELETE FROM apitoken._token')
	{
		ask($warm, $begin);
		ask($warm, $command);
		is(asked($warm, 'secret-1'), 'unknown|', "$command by the session itself: gone");
		is(ask($warm, q{SELECT add('in-its-place') IS NOT NULL}), 't', '... another token instead');
		like(asked($warm, 'in-its-place'), qr/^valid/, '... is valid');
		ask($warm, $back);
		is(asked($warm, 'in-its-place'), 'unknown|', '... and is not after the rollback');
		is(ask($warm, 'SELECT wrong()'), '', '... where all is as it was');
		ask($warm, $commit) if $commit;
	}
	ask($warm, $begin);
	ask($warm, q{SELECT permute('TRUNCATE apitoken._token')});
	is(ask($warm, 'SELECT wrong()'), '', 'all in another order, in the session itself');
	ask($warm, $back);
	is(ask($warm, 'SELECT wrong()'), '', '... and in the old one after the rollback');
	ask($warm, $commit) if $commit;
}
all_right('the others, too');

# --- another token where one was ---

# The places of tokens that were deleted are free after VACUUM, and are taken
# by others: those that were there are unknown, these are themselves.
foreach my $round (1 .. 3)
{
	my $old = $node->safe_psql('postgres', q{SELECT array_agg(place('secret-' || n)) FROM generate_series(1, 20) n});

	all_right("round $round: known to all sessions");
	change(q{SELECT remove(VARIADIC array_agg('secret-' || n)) FROM generate_series(1, 20) n});
	all_right('... deleted');
	change('VACUUM apitoken._token');
	all_right('... and vacuumed');
	change(qq{SELECT add('another-$round-' || n) FROM generate_series(1, 60) n});
	cmp_ok($node->safe_psql('postgres',
			qq{SELECT count(*) FROM generate_series(1, 60) n WHERE place('another-$round-' || n) = ANY ('$old')}),
		'>', 3, '... others are where they were');
	all_right('... and each has its answer');
	change(q{SELECT add('secret-' || n, 'other') FROM generate_series(1, 20) n});
	all_right('... imported again, elsewhere and with another id');
}

# The end of the table is cut off, and grows again with others.
change('VACUUM FULL apitoken._token');
change(q{SELECT add('behind-end-' || n) FROM generate_series(1, 400) n});
all_right('many tokens at the end of the table');
my $size = $node->safe_psql('postgres', q{SELECT pg_relation_size('apitoken._token')});
my $cut_off = q{
	DELETE FROM apitoken._usage USING apitoken._token t WHERE t.id = token_id AND name ~ '^behind';
	DELETE FROM apitoken._token WHERE name ~ '^behind';
	UPDATE expected SET outcome = 'unknown', id = NULL WHERE secret ~ '^behind';
	VACUUM (TRUNCATE) apitoken._token};
change($cut_off);
cmp_ok($node->safe_psql('postgres', q{SELECT pg_relation_size('apitoken._token')}), '<', $size - 8192, '... the table has become smaller');
all_right('... tokens that were behind its end are unknown');
change(q{SELECT add('behind-new-end-' || n) FROM generate_series(1, 400) n});
all_right('... and others are where they were');
change($cut_off);
change(q{DELETE FROM expected WHERE secret ~ '^behind'});

# TRUNCATE, and other tokens from the beginning.
change('BEGIN; TRUNCATE apitoken._token, apitoken._usage; UPDATE expected SET outcome = $$unknown$$, id = NULL; COMMIT');
all_right('after TRUNCATE all are unknown');
change(q{SELECT add('instead-' || n) FROM generate_series(1, 100) n});
all_right('... while others in their place are not');
change('TRUNCATE apitoken._token, apitoken._usage, expected; UPDATE apitoken.realm SET enabled = true');
$node->safe_psql('postgres', $make);
all_right('all made anew');

# --- chains of versions ---

# Updated within its page (HOT) and out of it, the chain pruned at times, and
# its beginning reused.
my $id = id_of('secret-1');
change(q{ALTER TABLE apitoken._token SET (fillfactor = 50)});
change('VACUUM FULL apitoken._token');
all_right('with room in the pages');
foreach my $round (1 .. 14)
{
	my $what = $round % 3 ? "description => 'd$round'" : "name => 'n$round'";

	$node->safe_psql('postgres', "SELECT apitoken.update('$id', $what)");
	like(asked($_, 'secret-1'), qr/^valid\|$id$/, "version $round, $what") foreach $warm, $crowded;
	$node->safe_psql('postgres', 'VACUUM apitoken._token') if $round % 4 == 0;
	$node->safe_psql('postgres', "SELECT add('in-chain-$round')");
	is(ask($prepared, 'SELECT wrong()'), '', '... and all others') if $round % 4 < 2;
}
cmp_ok($node->safe_psql('postgres', q{
		SELECT count(*) FROM generate_series(0, (pg_relation_size('apitoken._token') / 8192 - 1)::int) b,
			heap_page_items(get_raw_page('apitoken._token', b)) WHERE lp_flags = 2 OR (t_infomask2 & 32768) <> 0}),
	'>', 0, 'there were chains of versions within a page');

# An update that is rolled back; one that is not committed yet; one that then is.
my $writer = session($node);
ask($writer, 'PREPARE asked (text) AS SELECT outcome, id FROM apitoken.verify($1)');
foreach my $end ('ROLLBACK', 'COMMIT')
{
	foreach my $action ([ 'suspend', 'suspended' ], [ 'activate', 'valid' ], [ 'suspend', 'suspended' ],
		[ 'revoke', 'revoked' ], [ 'delete', 'unknown' ])
	{
		my ($function, $outcome) = @$action;
		my $secret = 'secret-2';
		my $before = asked($warm, $secret);
		my $of = id_of($secret);

		# (Where the one before was rolled back, this one cannot be done.)
		ask($writer, 'BEGIN');
		my $done = ask($writer, "SELECT status FROM apitoken.$function('$of')");
		if ($done =~ /ERROR/)
		{
			ask($writer, 'ROLLBACK');
			next;
		}
		like(asked($writer, $secret), qr/^$outcome\|/, "$function, $end: seen by its own transaction");
		is(asked($_, $secret), $before, '... by nobody else') foreach $warm, $prepared;
		ask($writer, $end);
		my $expected = $end eq 'COMMIT' ? $outcome : ($before =~ /^(\w+)/)[0];
		like(asked($_, $secret), qr/^$expected\|/, "... $expected then") foreach $warm, $prepared, $writer;
	}
}
change(q{SELECT add('secret-2')});
all_right('the same secret imported anew');

# In one statement.
is(ask($warm, q{
		DO $$
		DECLARE
			of uuid := id FROM expected WHERE secret = 'secret-3';
			said text := '';
		BEGIN
			said := said || (apitoken.verify('secret-3')).outcome;
			PERFORM apitoken.suspend(of);
			said := said || ' ' || (apitoken.verify('secret-3')).outcome;
			BEGIN
				PERFORM apitoken.revoke(of), apitoken.delete(of);
				said := said || ' ' || (apitoken.verify('secret-3')).outcome;
				RAISE division_by_zero;
			EXCEPTION WHEN division_by_zero THEN
				said := said || ' ' || (apitoken.verify('secret-3')).outcome;
			END;
			PERFORM apitoken.activate(of);
			said := said || ' ' || (apitoken.verify('secret-3')).outcome;
			IF said <> 'valid suspended unknown suspended valid' THEN
				RAISE EXCEPTION '%', said;
			END IF;
		END $$}), '', 'state by state, in one statement');
all_right('... and afterwards');

# --- secrets move ---

my ($rotated, $second) = (id_of('secret-4'));
is(asked($warm, 'secret-4'), "valid|$rotated", 'a secret that will be rotated away');
$second = change("SELECT token FROM apitoken.rotate('$rotated', '1 day')");
is(asked($_, 'secret-4'), "valid|$rotated", '... is valid for its grace') foreach values %sessions;
is(asked($_, $second), "valid|$rotated", '... and so is the new one') foreach values %sessions;
change("SELECT apitoken.end_grace('$rotated')");
is(asked($_, 'secret-4'), "superseded|$rotated", '... is superseded') foreach values %sessions;
my $third = change("SELECT token FROM apitoken.rotate('$rotated', '1 day')");
is(join(' ', map { asked($warm, $_) =~ /^(\w+)/ } 'secret-4', $second, $third), 'unknown valid valid', '... is unknown after the next rotation');
change("UPDATE expected SET outcome = 'unknown', id = NULL WHERE secret = 'secret-4'");

# By an administrator's hand: digests change places, within the page (the rows
# stay) and in one statement.
change(q{
	UPDATE apitoken._token t SET digest = o.digest
	FROM apitoken._token o WHERE (t.name, o.name) IN (('secret-5', 'secret-6'), ('secret-6', 'secret-5'));
	UPDATE expected e SET id = o.id FROM expected o
	WHERE (e.secret, o.secret) IN (('secret-5', 'secret-6'), ('secret-6', 'secret-5'))});
all_right('digests that have changed places');
change(q{
	UPDATE apitoken._token SET digest = apitoken.token_digest('made-by-hand') WHERE name = 'secret-5';
	UPDATE expected SET secret = 'made-by-hand' WHERE secret = 'secret-6';
	INSERT INTO expected VALUES ('secret-6', 'unknown')});
all_right('a digest that was written by hand');

# --- old snapshots ---

# The transaction's snapshot is old, and sees nothing of it; verification sees
# all.  The rows that it saw are kept for it meanwhile.
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $old = session($node);
	my ($one, $two, $three) = map { "old-$level-$_" =~ s/ /-/gr } 1 .. 3;

	$node->safe_psql('postgres', "SELECT add('$_')") foreach $one, $two, $three;
	my $one_id = id_of($one);
	ask($old, 'PREPARE asked (text) AS SELECT outcome, id FROM apitoken.verify($1)');
	asked($old, $_) foreach $one, $two, $three;
	is(asked($old, $one), "valid|$one_id", "$level: warm");
	ask($old, "BEGIN ISOLATION LEVEL $level");
	is(ask($old, 'SELECT count(*) > 0 FROM expected'), 't', '... its snapshot is taken');
	# Before it has locked the table, that can be rewritten.
	change('VACUUM FULL apitoken._token');
	is(asked($old, $one), "valid|$one_id", '... after VACUUM FULL');
	change("SELECT apitoken.suspend('$one_id')");
	is(asked($old, $one), "suspended|$one_id", '... after its suspension');
	change("SELECT apitoken.activate('$one_id')");
	change("SELECT remove('$two'); VACUUM apitoken._token");
	is(asked($old, $two), 'unknown|', '... deleted');
	change("SELECT add('$two', 'other'); VACUUM apitoken._token");
	is(asked($old, $two), 'valid|' . id_of($two), '... imported again');
	is(asked($old, $one), "valid|$one_id", '... activated again');
	cmp_ok(ask($old, q{SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'SIReadLock'
			AND relation IN ('apitoken._token'::regclass, 'apitoken._token_digest_idx'::regclass)}),
		'>', 0, '... its reading is known to others')
	  if $level eq 'SERIALIZABLE';
	ask($old, 'COMMIT');
	is(ask($old, 'SELECT wrong()'), '', '... and each has its answer');
	$old->quit;
}

# Two serializable transactions, each of which goes by what the other changes,
# cannot both commit, however their rows are found.
my ($left, $right) = (session($node), session($node));
foreach my $session ($left, $right)
{
	ask($session, 'PREPARE asked (text) AS SELECT outcome, id FROM apitoken.verify($1)');
	asked($session, $_) foreach 'secret-7', 'secret-8', 'secret-7', 'secret-8';
	ask($session, 'BEGIN ISOLATION LEVEL SERIALIZABLE');
}
my ($seven, $eight) = map { id_of("secret-$_") } 7, 8;
like(asked($left, 'secret-7'), qr/^valid/, 'who goes by one token ...');
like(asked($right, 'secret-8'), qr/^valid/, '... and by another');
my @ends = (
	ask($left, "SELECT status FROM apitoken.suspend('$eight')"),
	ask($right, "SELECT status FROM apitoken.suspend('$seven')"),
	ask($left, 'COMMIT'), ask($right, 'COMMIT'));
like("@ends", qr/ERROR 40001/, '... cannot both take the other away');
$_->quit foreach $left, $right;
change(q{UPDATE expected e SET outcome = CASE status WHEN 'a' THEN 'valid' ELSE 'suspended' END
	FROM apitoken._token t WHERE t.id = e.id AND secret IN ('secret-7', 'secret-8')});
all_right('each has its answer');

# --- policy ---

change(q{UPDATE apitoken.realm SET enabled = false WHERE id = 'acme'});
is(join(' ', map { asked($_, 'secret-1') } values %sessions), join(' ', ("realm_disabled|$id") x 3), '... is heard at once');
change(q{UPDATE apitoken.realm SET enabled = true WHERE id = 'acme'});
all_right('... and as it was before');

# --- indexes that are not there, or of no use ---

# The right answer or a clear error, for each token, also for those that are
# new, changed and gone since the index failed.
$node->safe_psql('postgres', q{
	CREATE FUNCTION wrong_or_error() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		e record;
		v record;
		wrong text := '';
	BEGIN
		FOR e IN SELECT * FROM expected LOOP
			BEGIN
				SELECT * INTO v FROM apitoken.verify(e.secret);
				IF (v.outcome, v.id) IS DISTINCT FROM (e.outcome, e.id) THEN
					wrong := wrong || format(E'%s: %s %s, not %s %s\n', e.secret, v.outcome, v.id, e.outcome, e.id);
				END IF;
			EXCEPTION WHEN SQLSTATE '55000' THEN
				NULL;
			END;
		END LOOP;
		RETURN wrong;
	END $$});
foreach my $index (
	[ '_token_digest_idx', '_token USING hash (digest)' ],
	[ '_token_previous_digest_idx', '_token USING hash (previous_digest) WHERE previous_digest IS NOT NULL' ],
	[ 'realm_pkey', undef ])
{
	my ($name, $definition) = @$index;
	my @failures = ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'apitoken.$name'::regclass; UPDATE apitoken.realm SET enabled = enabled");

	push @failures, "DROP INDEX apitoken.$name" if $definition;
	foreach my $failure (@failures)
	{
		change(q{UPDATE apitoken.realm SET enabled = enabled});
		all_right("$name is there");
		change($failure);
		is(ask($sessions{$_}, 'SELECT wrong_or_error()'), '', "... an error, or right: $_") foreach sort keys %sessions;
		change(q{UPDATE apitoken._token SET status = 's' WHERE name ~ '^secret-2.';
			UPDATE expected e SET outcome = 'suspended' FROM apitoken._token t WHERE t.name ~ '^secret-2.' AND t.id = e.id;
			DELETE FROM apitoken._usage USING apitoken._token t WHERE t.id = token_id AND name ~ '^secret-3.';
			DELETE FROM apitoken._token WHERE name ~ '^secret-3.';
			UPDATE expected SET outcome = 'unknown', id = NULL WHERE secret ~ '^secret-3.';
			VACUUM apitoken._token});
		is(ask($sessions{$_}, 'SELECT wrong_or_error()'), '', "... after changes, too: $_") foreach sort keys %sessions;
		change($failure =~ /^DROP/ ? "CREATE INDEX $name ON apitoken.$definition"
			: "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'apitoken.$name'::regclass; UPDATE apitoken.realm SET enabled = enabled");
		change(q{
			UPDATE apitoken._token SET status = 'a' WHERE name ~ '^secret-2.';
			UPDATE expected e SET outcome = 'valid' FROM apitoken._token t WHERE t.name ~ '^secret-2.' AND t.id = e.id;
			SELECT add('secret-' || n) FROM generate_series(30, 39) n});
		all_right("... $name is there again");
	}
}

# --- another table, another extension ---

is(sqlstate($node, 'ALTER EXTENSION apitoken SET SCHEMA public'), 'ERROR 0A000', 'the extension stays in its schema');
all_right('... and nothing has changed');

start_traffic();
change(q{BEGIN;
	LOCK TABLE apitoken._token IN ACCESS EXCLUSIVE MODE;
	CREATE TABLE apitoken.copy (LIKE apitoken._token INCLUDING ALL);
	INSERT INTO apitoken.copy SELECT * FROM apitoken._token ORDER BY md5(id::text);
	ALTER TABLE apitoken._token RENAME TO away;
	ALTER TABLE apitoken.copy RENAME TO _token;
	COMMIT});
all_right('a copy of the table, in another order and by the same name');
change(q{BEGIN;
	LOCK TABLE apitoken._token, apitoken.away IN ACCESS EXCLUSIVE MODE;
	ALTER TABLE apitoken._token RENAME TO copy;
	ALTER TABLE apitoken.away RENAME TO _token;
	DROP TABLE apitoken.copy;
	COMMIT});
all_right('the old one again');

# Dropped, created and filled in one transaction: nobody may see the middle.
# The table of tokens is locked first, as a verification does it.
foreach my $round (1 .. 3)
{
	change(q{BEGIN;
		LOCK TABLE apitoken._token IN ACCESS EXCLUSIVE MODE;
		CREATE TEMP TABLE kept ON COMMIT DROP AS
			SELECT 'realm' AS name, to_jsonb(t) AS row FROM apitoken.realm t
			UNION ALL SELECT '_token', to_jsonb(t) FROM apitoken._token t
			UNION ALL SELECT '_usage', to_jsonb(t) FROM apitoken._usage t;
		DROP EXTENSION apitoken;
		CREATE EXTENSION apitoken;
		SELECT apitoken.verify('secret-1');
		INSERT INTO apitoken.realm SELECT r.* FROM kept, jsonb_populate_record(NULL::apitoken.realm, row) r WHERE kept.name = 'realm';
		INSERT INTO apitoken._token SELECT r.* FROM kept, jsonb_populate_record(NULL::apitoken._token, row) r WHERE kept.name = '_token'
			ORDER BY md5(r.id::text || clock_timestamp()::text);
		INSERT INTO apitoken._usage SELECT r.* FROM kept, jsonb_populate_record(NULL::apitoken._usage, row) r WHERE kept.name = '_usage';
		COMMIT});
	all_right("a new extension with the old rows, time $round");
}
stop_traffic(1);

# Without it: an error.  With a new one that has nothing: unknown.
$node->safe_psql('postgres', q{
	CREATE TABLE kept AS SELECT to_jsonb(t) AS row FROM apitoken._token t;
	CREATE TABLE kept_expected AS TABLE expected;
	DROP EXTENSION apitoken});
like(asked($sessions{$_}, 'secret-1'), qr/^ERROR (3F000|42883|42P01|55000)$/, "no extension: an error, $_") foreach sort keys %sessions;
change('CREATE EXTENSION apitoken');
change(q{UPDATE expected SET outcome = 'unknown', id = NULL});
all_right('a new and empty one: nothing is known');
change(q{
	INSERT INTO apitoken.realm (id) VALUES ('acme'), ('other'), ('closed');
	INSERT INTO apitoken._token SELECT r.* FROM kept, jsonb_populate_record(NULL::apitoken._token, row) r ORDER BY r.id DESC;
	INSERT INTO apitoken._usage SELECT id, realm, NULL, NULL, 0 FROM apitoken._token;
	UPDATE apitoken.realm SET enabled = false WHERE id = 'closed';
	TRUNCATE expected;
	INSERT INTO expected TABLE kept_expected});
all_right('... and the old rows: known again');

# --- a restore ---

# What pg_dump writes: COPY, into tables that are empty.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/cached.sql';
$node->command_ok([ 'pg_dump', '--data-only', '--table=apitoken.*', '--file', $dump, $node->connstr('postgres') ], 'pg_dump');
change('DELETE FROM apitoken._token; DELETE FROM apitoken._usage; DELETE FROM apitoken.realm; VACUUM apitoken._token; TRUNCATE apitoken._event, apitoken._event_unsealed, apitoken._event_seal, apitoken._idempotency');
is((asked($warm, 'secret-1') =~ /^(\w+)/)[0], 'unknown', 'all is removed');
change(q{INSERT INTO apitoken.realm (id) VALUES ('filler');
	SELECT apitoken.import('filler', 'filler', 'filler-' || n) FROM generate_series(1, 7) n});
is(asked($_, 'filler-1') =~ /^valid/ ? 't' : 'f', 't', '... others come in between') foreach values %sessions;
change(q{DELETE FROM apitoken._token; DELETE FROM apitoken._usage; TRUNCATE apitoken.realm; TRUNCATE apitoken._event, apitoken._event_unsealed, apitoken._event_seal});
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('postgres') ], 'restored');
all_right('each has its answer after a restore');

# --- a standby ---

# Its session has all this replayed under it.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->start;
my $reader = session($standby);
$reader->set_query_timer_restart;

sub standby_right
{
	my ($name) = @_;

	catch_up($node, 'standby');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(ask($reader, 'SELECT wrong()'), '', "standby: $name");
}

standby_right('to begin with');
foreach my $command (
	q{SELECT permute('DELETE FROM apitoken._token')},
	q{SELECT remove(VARIADIC array_agg('secret-' || n)) FROM generate_series(10, 20) n; VACUUM apitoken._token},
	q{SELECT add('standby-' || n) FROM generate_series(1, 60) n},
	'VACUUM FULL apitoken._token',
	'CLUSTER apitoken._token USING _token_name_idx',
	'REINDEX TABLE CONCURRENTLY apitoken._token',
	q{SELECT permute('TRUNCATE apitoken._token')},
	q{SELECT remove(VARIADIC array_agg('standby-' || n)) FROM generate_series(1, 60) n; VACUUM apitoken._token},
	q{SELECT add('secret-' || n) FROM generate_series(10, 20) n})
{
	change($command);
	standby_right($command);
}
$standby->promote;
change(q{SELECT add('primary-' || n) FROM generate_series(1, 30) n});
$standby->safe_psql('postgres', q{SELECT remove(VARIADIC array_agg('secret-' || n)) FROM generate_series(10, 20) n; SELECT permute('DELETE FROM apitoken._token')});
is(ask($reader, 'SELECT wrong()'), '', 'promoted: each has its answer');

$_->quit foreach $reader, $writer, values %sessions;
$standby->stop;
$node->stop;
done_testing();
