# Keyed digests: which files are keys, and what is raised where one cannot be
# had; what is stored with which key; a key is replaced, in sessions that go on,
# till nothing needs the one before; who writes to the tables without the key
# gains nothing; standby, dump and restore with the key and without.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Usage;

my $dir = PostgreSQL::Test::Utils::tempdir;

# A file under $dir with these bytes and this mode.
sub key_file
{
	my ($name, $bytes, $mode) = @_;
	my $path = "$dir/$name";

	open my $file, '>:raw', $path or die "$path: $!";
	print $file $bytes;
	close $file;
	chmod $mode // 0600, $path or die "$path: $!";
	return $path;
}

sub random_key
{
	my ($name, $length) = @_;

	return key_file($name, join('', map { chr int rand 256 } 1 .. $length // 32));
}

# Sets both settings, has the server read them, and waits until new sessions
# have them; sessions that are there read them before their next command.
sub use_keys
{
	my ($node, $current, $previous) = @_;

	$previous //= '';
	# The library must know them before ALTER SYSTEM does.
	$node->safe_psql('postgres', "SELECT apitoken.version();
		ALTER SYSTEM SET apitoken.pepper_file = '$current';
		ALTER SYSTEM SET apitoken.previous_pepper_file = '$previous'");
	$node->reload;
	return wait_keys($node, $current, $previous);
}

sub wait_keys
{
	my ($node, $current, $previous) = @_;

	$node->poll_query_until('postgres',
		q{SELECT current_setting('apitoken.pepper_file') || ',' || current_setting('apitoken.previous_pepper_file') FROM apitoken.version()},
		"$current,$previous") or die 'settings are not read';
	return;
}

sub outcome
{
	my ($node, $token, $database) = @_;

	return sqlstate($node, "SELECT outcome FROM apitoken.verify('$token')", database => $database);
}

sub key_of
{
	my ($node, $id) = @_;

	return $node->safe_psql('postgres', "SELECT key_id FROM apitoken._token WHERE id = '$id'");
}

sub state
{
	my ($node, $columns) = @_;

	return $node->safe_psql('postgres', "SELECT $columns FROM apitoken.key_state() ORDER BY role");
}

# Uses a token until the worker has stored it with a key: it may find its place
# in memory taken by another.
sub wait_key
{
	my ($node, $token, $key, $name, $column) = @_;
	my ($id, $secret) = @$token;

	$column //= 'key_id';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return wait_query($node, "SELECT outcome FROM apitoken.verify('$secret'); SELECT $column FROM apitoken._token WHERE id = '$id'", "valid\n$key", $name);
}

sub one
{
	my ($node, $sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

random_seed();
my $node = new_node('main', allows_streaming => 1);
$node->append_conf('postgresql.conf', "apitoken.usage_flush_interval = '1h'\n");
$node->start;
install($node, 'postgres');
my @unkeyed = issue($node, q{'acme', 'unkeyed'});
is(key_of($node, $unkeyed[0]), '0', 'without a key a token has key 0');
is(state($node, 'role, key_id, problem, tokens'), 'current|0||1', 'key_state() says so');
is(one($node, 'SELECT apitoken.seal_events() > 0'), 't', 'sealed without a key');

# --- which files are keys ---

mkdir "$dir/directory" or die;
my $good  = random_key('good');
my $long  = random_key('long', 64);
symlink $good, "$dir/link" or die;
my @bad = (
	[ "$dir/missing",              'could not open pepper file .*: No such file or directory' ],
	[ "$dir/directory",            'is not a regular file' ],
	[ '/dev/null',                 'is not a regular file' ],
	[ random_key('short', 31),     'has 31 bytes' ],
	[ random_key('longer', 65),    'has 65 bytes' ],
	[ key_file('empty', ''),       'has 0 bytes' ],
	[ key_file('world', 'k' x 32, 0644), 'has group or world access' ],
	[ key_file('group', 'k' x 32, 0640), 'has group or world access' ],
	[ "$good/below",               'could not open pepper file .*: Not a directory' ]);
if ($> != 0)
{
	push @bad, [ key_file('unreadable', 'k' x 32, 0000), 'could not open pepper file .*: Permission denied' ];
}
my @calls = (
	"SELECT outcome FROM apitoken.verify('$unkeyed[1]')",
	"SELECT outcome FROM apitoken.verify_sha256(sha256('$unkeyed[1]'))",
	"SELECT outcome FROM apitoken.verify_many(ARRAY['$unkeyed[1]'])",
	"SELECT apitoken.verified_id('$unkeyed[1]')",
	"SELECT apitoken.details('$unkeyed[1]')",
	"SELECT apitoken.lookup('$unkeyed[1]')",
	"SELECT apitoken.revoke_self('$unkeyed[1]')",
	"SELECT apitoken.token_digest('$unkeyed[1]')",
	"SELECT id FROM apitoken.issue('acme', 'x')",
	"SELECT id FROM apitoken.rotate('$unkeyed[0]')",
	q{SELECT apitoken.import('acme', 'x', 'some.foreign.token')},
	q{SELECT apitoken.seal_events()},
	q{SELECT * FROM apitoken.check_events()});
my $warm = session($node);
is(ask($warm, "SELECT outcome FROM apitoken.verify('$unkeyed[1]')"), 'valid', 'a session has verified');
$node->safe_psql('postgres', "SELECT apitoken.update('$unkeyed[0]', name => 'unkeyed')"); # something to seal
foreach my $case (@bad)
{
	my ($path, $message) = @$case;
	my ($problem, $err);

	use_keys($node, $path);
	is_deeply([ map { ask($warm, $_) } @calls ], [ map { 'ERROR F0000' } @calls ], "$path: nothing goes on in a session that has verified");
	(undef, undef, $err) = $node->psql('postgres', $calls[0]);
	like($err, qr/^psql:[^\n]*ERROR:  (?:pepper file "\Q$path\E" )?$message/m, '... the message says why');
	like($err, qr/\Q$path\E/, '... and names the file');
	unlike($err, qr/\Q$unkeyed[1]\E/, '... and no secret');
	like(state($node, 'role, key_id, problem'), qr/^current\|\|.*$message/m, '... as does key_state()');
	use_keys($node, '', $path);
	is(ask($warm, $calls[0]), 'ERROR F0000', '... so it is with the previous key');
	like(state($node, q{problem || role}), qr/${message}.*previous$/m, '... in its own row');
}
use_keys($node, '');
is(ask($warm, $calls[0]), 'valid', 'without the setting all goes on');
is(ask($warm, q{SELECT id IS NOT NULL FROM apitoken.issue('acme', 'to be purged')}), 't', '... in that session, too');
one($node, q{DELETE FROM apitoken._token WHERE name = 'to be purged'});

# A file that is mended is read at the next call.
use_keys($node, "$dir/late", 'none');
is(ask($warm, $calls[0]), 'ERROR F0000', 'a file that is not there yet');
random_key('late');
is(ask($warm, $calls[0]), 'valid', '... is read as soon as it is');

# --- a key is introduced ---

use_keys($node, "$dir/link", 'none');
my ($first) = state($node, 'role, key_id') =~ /^current\|(\d+)$/m;
like($first, qr/^[1-9]\d*$/, 'a symbolic link to a key is one; it has a number');
is(ask($warm, $calls[0]), 'valid', 'a token without key verifies while previous_pepper_file is none');
my @keyed = issue($node, q{'acme', 'keyed'});
is(key_of($node, $keyed[0]), $first, 'a new token is stored with the key');
is(ask($warm, "SELECT outcome FROM apitoken.verify('$keyed[1]')"), 'valid', '... and verifies, also in a session that was there before');
is(ask($warm, "SELECT outcome FROM apitoken.verify_sha256(sha256('$keyed[1]'))"), 'valid', '... by its SHA-256');
is(ask($warm, "SELECT string_agg(outcome, ',') FROM apitoken.verify_many(ARRAY['$keyed[1]', '$unkeyed[1]', 'nonsense'])"), 'valid,valid,unknown', '... among others');
is(one($node, "SELECT digest OPERATOR(apitoken.=) apitoken.token_digest('$keyed[1]') FROM apitoken._token WHERE id = '$keyed[0]'"), 't', '... with the digest of token_digest()');
is(one($node, "SELECT count(*) FROM apitoken._token WHERE encode(digest::bytea, 'hex') = encode(sha256('$keyed[1]'), 'hex')"), '0', '... which is not its SHA-256');
is(one($node, "SELECT apitoken.import('acme', 'again', '$unkeyed[1]') = '$unkeyed[0]'"), 't', 'import finds a token without key');
is(one($node, "SELECT apitoken.import('acme', 'again', sha256 => sha256('$keyed[1]')) = '$keyed[0]'"), 't', '... and one with it');
my $imported = one($node, q{SELECT apitoken.import('acme', 'foreign', 'some.foreign.token')});
is(key_of($node, $imported), $first, '... and stores with it');
is(state($node, 'role, key_id, tokens'), "current|$first|2\nprevious|0|1", 'key_state() counts');

# Seen tokens are stored with the new key by the worker.
my $before = one($node, "SELECT to_jsonb(t) - 'digest' - 'key_id' FROM apitoken._token t WHERE id = '$unkeyed[0]'");
my $events = one($node, 'SELECT count(*) FROM apitoken._event');
is(key_of($node, $unkeyed[0]), '0', 'verification has not written');
flush_every($node, $soon);
wait_key($node, \@unkeyed, $first, 'a token is seen: the worker stores it with the key');
is(outcome($node, $unkeyed[1]), 'valid', '... it verifies');
is(ask($warm, $calls[0]), 'valid', '... everywhere');
is(one($node, "SELECT to_jsonb(t) - 'digest' - 'key_id' FROM apitoken._token t WHERE id = '$unkeyed[0]'"), $before, '... nothing else has changed');
is(one($node, 'SELECT count(*) FROM apitoken._event'), $events, '... and there is no event');
is(state($node, 'role, tokens'), "current|3\nprevious|0", 'nothing remains without');

# --- who writes to the table without the key ---

my $forged = 'tok.AAAAAAAAAAAAAAAAAAAAAAAA.' . 'A' x 64;
my $digest_of = sub { "(SELECT digest::bytea FROM apitoken._token WHERE id = '$_[0]')::apitoken.digest" };
use_keys($node, '');
# What the function of an installation without a key says.
my $plain_digest = one($node, "SELECT apitoken.token_digest('$forged')");
is(ask($warm, q{SELECT id FROM apitoken.issue('acme', 'x')}), 'ERROR 55000', 'where the setting is forgotten nothing is stored without the key, also by a session that did before there was one');
use_keys($node, $good);
is(outcome($node, $keyed[1]), 'valid', 'previous_pepper_file is unset');
my @attacks = (
	"UPDATE apitoken._token SET digest = '$plain_digest', key_id = 0 WHERE id = '$keyed[0]'",
	"UPDATE apitoken._token SET digest = '$plain_digest' WHERE id = '$keyed[0]'",
	"UPDATE apitoken._token SET digest = encode(sha256('$forged'), 'hex')::apitoken.digest WHERE id = '$keyed[0]'",
	"UPDATE apitoken._token SET previous_digest = '$plain_digest', previous_expires_at = 'infinity', previous_key_id = $first WHERE id = '$keyed[0]'",
	"UPDATE apitoken._token SET previous_digest = '$plain_digest', previous_expires_at = 'infinity' WHERE id = '$keyed[0]'");
foreach my $attack (@attacks)
{
	is(sqlstate($node, "BEGIN; $attack; SELECT outcome FROM apitoken.verify('$forged'); ROLLBACK"), 'unknown', $attack);
	is(sqlstate($node, "BEGIN; $attack; SELECT outcome FROM apitoken.verify_sha256(decode(substr('$plain_digest', 1), 'hex')); ROLLBACK"), 'unknown', '... nor by the digest itself');
}
is(sqlstate($node, "BEGIN; UPDATE apitoken._token SET key_id = 0 WHERE id = '$keyed[0]'; SELECT outcome FROM apitoken.verify('$keyed[1]'); ROLLBACK"), 'unknown', 'a row that says another key is none');
use_keys($node, $good, "$dir/link");
is(ask($warm, "SELECT outcome FROM apitoken.verify('$keyed[1]')"), 'valid', 'the same key twice is one');
is(state($node, 'role, key_id'), "current|$first\nprevious|$first\nunkeyed|0", '... which key_state() shows');
use_keys($node, $good, 'none');
is(sqlstate($node, "BEGIN; UPDATE apitoken._token SET digest = '$plain_digest' WHERE id = '$keyed[0]'; SELECT outcome FROM apitoken.verify('$forged'); ROLLBACK"), 'unknown', '... also while none works');
is(sqlstate($node, "BEGIN; $attacks[0]; SELECT outcome FROM apitoken.verify('$forged'); ROLLBACK"), 'valid', 'while none works, who writes to the table can do that');
use_keys($node, $good);

# --- a key is replaced by another ---

flush_every($node, '1h');
my @graced = issue($node, q{'acme', 'graced'});
my @unseen = issue($node, q{'acme', 'unseen'});
use_keys($node, $long, $good);
my ($second) = state($node, 'role, key_id') =~ /^current\|(\d+)$/m;
isnt($second, $first, 'another key has another number');
is(ask($warm, "SELECT string_agg(outcome, ',') FROM apitoken.verify_many(ARRAY['$keyed[1]', '$unkeyed[1]', '$graced[1]'])"), 'valid,valid,valid', 'tokens of the key before go on, in a session that was there');
my $fresh = one($node, "SELECT token FROM apitoken.rotate('$graced[0]', '1 day')");
is(one($node, "SELECT key_id, previous_key_id FROM apitoken._token WHERE id = '$graced[0]'"), "$second|$first", 'rotation stores with the new key, and remembers that of the old secret');
is(ask($warm, "SELECT string_agg(outcome, ',') FROM apitoken.verify_many(ARRAY['$fresh', '$graced[1]'])"), 'valid,valid', '... both secrets verify');
is(one($node, "SELECT apitoken.import('acme', 'again', '$unseen[1]') = '$unseen[0]'"), 't', 'import finds what the key before has');
is(sqlstate($node, "SELECT apitoken.import('acme', 'again', '$graced[1]')"), 'ERROR 23505', '... and what was rotated away');
is(sqlstate($node, "BEGIN; SELECT apitoken.revoke_self('$unseen[1]'); ROLLBACK"), 't', 'revoke_self() takes both');
is(one($node, "SELECT apitoken.lookup('$unseen[1]') IS NOT NULL AND apitoken.details('$unseen[1]') IS NOT NULL"), 't', '... and so do lookup() and details()');
is(one($node, q{SELECT apitoken.seal_events() > 0}), 't', 'sealed with the new key');
is(one($node, 'SELECT * FROM apitoken.check_events()'), '', 'the history is whole, with seals of all keys');
is(one($node, q{SELECT string_agg(DISTINCT CASE key_id WHEN 0 THEN 'none' ELSE 'key' END, ',') FROM apitoken._event_seal}), 'key,none', '... there are some');

# A row that is locked is left alone, and so is one that has changed.
my $locker = session($node);
ask($locker, "BEGIN; SELECT id FROM apitoken._token WHERE id = '$unseen[0]' FOR UPDATE");
flush_every($node, $soon);
is(outcome($node, $unseen[1]), 'valid', 'a token whose row is locked');
wait_key($node, $_, $second, 'the worker stores what was seen') foreach \@keyed, \@unkeyed, [ $imported, 'some.foreign.token' ];
wait_key($node, \@graced, $second, '... previous secrets included', 'previous_key_id');
wait_query($node, "SELECT count(*) FROM apitoken._token WHERE key_id <> $second", '1', '... but for a row that is locked');
is(outcome($node, $graced[1]), 'valid', '... the previous secret goes on');
is(key_of($node, $unseen[0]), $first, '... which waits for its next use');
is(state($node, q{role, tokens, previous_secrets}), "current|4|1\nprevious|1|0\nunkeyed|0|0", 'key_state() says what remains (and that seals without a key do)');
ask($locker, 'ROLLBACK');
wait_key($node, \@unseen, $second, 'used again, it is stored, too');
is(state($node, q{role, tokens, previous_secrets}), "current|5|1\nprevious|0|0\nunkeyed|0|0", 'nothing remains');

# The worker refuses as ever where something is attached to the table.
use_keys($node, $good, $long);
one($node, q{CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER x BEFORE UPDATE ON apitoken._token FOR EACH ROW EXECUTE FUNCTION fire();
	ALTER TABLE apitoken._token ENABLE ALWAYS TRIGGER x});
wait_query($node, qq{SELECT outcome FROM apitoken.verify('$unseen[1]'); SELECT problem FROM apitoken.key_state() WHERE role = 'previous'},
	qq{valid\ntokens are not stored with the new key because a trigger that fires on replicas stands on table "_token"}, 'with a trigger on the table the worker refuses, and says so');
one($node, 'DROP TRIGGER x ON apitoken._token');
wait_key($node, \@unseen, $first, 'without it, it does its work');
wait_query($node, q{SELECT problem FROM apitoken.key_state() WHERE role = 'previous'}, '', '... and there is no problem');
use_keys($node, $long, $good);
wait_key($node, \@unseen, $second, 'and back to the second key');

# A rotation that has waited is not taken for one of two when the worker was at
# work meanwhile.
my @waiting = issue($node, q{'acme', 'waiting'});
ask($locker, "BEGIN; UPDATE apitoken._token SET digest = digest WHERE id = '$waiting[0]'; UPDATE apitoken._token SET key_id = key_id, digest = apitoken.token_digest('some.other.token') WHERE id = '$waiting[0]'");
my $rotator = session($node);
$rotator->query_until(qr/started/, "\\echo started\nSELECT 'rotated' FROM apitoken.rotate('$waiting[0]');\n");
wait_query($node, q{SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%rotate(%' AND pid <> pg_backend_pid()}, '1', 'a rotation waits');
ask($locker, 'COMMIT');
is(ask($rotator, 'SELECT 1'), "rotated\n1", '... and goes on where only the digest is another');

# What was left for a database that is gone, or that cannot be reached, takes the
# place of nobody: there are 4096 places, here all taken, or nearly.
use_keys($node, $good, $long);
flush_every($node, '1h');
one($node, 'CREATE DATABASE gone');
install($node, 'gone');
$node->safe_psql('gone', q{CREATE TABLE issued AS SELECT i.token FROM generate_series(1, 16000) n, apitoken.issue('acme', 'n' || n) i});
one($node, q{CREATE TABLE issued AS SELECT i.id, i.token FROM generate_series(1, 40) n, apitoken.issue('acme', 'n' || n) i});
use_keys($node, $long, $good);
is($node->safe_psql('gone', 'SELECT count(apitoken.verified_id(token)) FROM issued'), '16000', 'tokens of another database are seen');
one($node, 'DROP DATABASE gone');
flush_every($node, $soon);
wait_query($node, "SELECT count(apitoken.verified_id(token)) FROM issued; SELECT count(*) FROM issued JOIN apitoken._token USING (id) WHERE key_id <> $second", "40\n0",
	'that is dropped: those of this one are stored');
one($node, 'SELECT count(apitoken.revoke(id)) FROM issued');
one($node, q{SELECT apitoken.delete(id) FROM issued; DROP TABLE issued});

# --- the key before is given up ---

use_keys($node, $long);
is(ask($warm, "SELECT string_agg(outcome, ',') FROM apitoken.verify_many(ARRAY['$keyed[1]', '$unkeyed[1]', '$fresh', '$graced[1]', '$unseen[1]'])"), 'valid,valid,valid,valid,valid', 'all tokens go on without it');
like(state($node, 'role, key_id'), qr/^missing\|$first$/m, 'key_state() knows of the seals of a key that is not there');
is(one($node, q{SELECT string_agg(DISTINCT problem, ',') FROM apitoken.check_events()}), 'seal was made with a key that is not in use', '... check_events() says so');

# --- seals ---

# By nobody but us from here on.
flush_every($node, '1h');
wait_query($node, q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'apitoken worker'}, '0', 'the worker has gone to sleep');
use_keys($node, $long, $good);
one($node, q{SELECT apitoken.update(id, name => name) FROM apitoken.tokens; SELECT apitoken.seal_events()});
is(one($node, 'SELECT * FROM apitoken.check_events()'), '', 'the history is whole');
# A forger who has no key makes a seal without one: what the sealer of another
# installation would have made.
is(one($node, q{
	CREATE TEMP TABLE kept AS TABLE apitoken._event_seal;
	UPDATE apitoken._event_seal SET key_id = 0 WHERE id = (SELECT max(id) FROM apitoken._event_seal);
	SELECT problem FROM apitoken.check_events()}), 'seal was changed', 'a seal is not made unkeyed by saying so');
one($node, q{DELETE FROM apitoken._event_seal WHERE id = (SELECT max(id) FROM apitoken._event_seal)});
one($node, q{INSERT INTO apitoken._event_unsealed SELECT id FROM apitoken._event e WHERE NOT EXISTS (SELECT FROM apitoken._event_seal s WHERE e.id = ANY (s.events)) ON CONFLICT DO NOTHING});
use_keys($node, '', $long);
is(sqlstate($node, 'SELECT apitoken.seal_events()'), 'ERROR 55000', 'no seal without a key behind one with it');
is(one($node, q{BEGIN; UPDATE apitoken._event_seal SET key_id = 0 WHERE id = (SELECT max(id) FROM apitoken._event_seal); SELECT apitoken.seal_events() > 0; COMMIT}), 't', 'unless somebody alters that one');
use_keys($node, $long, $good);
one($node, q{UPDATE apitoken._event_seal s SET key_id = (SELECT key_id FROM apitoken._event_seal WHERE key_id <> 0 ORDER BY id DESC LIMIT 1) WHERE id = (SELECT max(id) - 1 FROM apitoken._event_seal)});
is(one($node, q{SELECT problem FROM apitoken.check_events()}), 'seal has no key, but one before it has', '... check_events() knows a seal that has none');
one($node, q{DELETE FROM apitoken._event_seal WHERE id = (SELECT max(id) FROM apitoken._event_seal)});
one($node, q{INSERT INTO apitoken._event_unsealed SELECT id FROM apitoken._event e WHERE NOT EXISTS (SELECT FROM apitoken._event_seal s WHERE e.id = ANY (s.events)) ON CONFLICT DO NOTHING; SELECT apitoken.seal_events()});
is(one($node, 'SELECT * FROM apitoken.check_events()'), '', 'put back, all is well');

# --- standby ---

my @all = map { $_->[1] } \@keyed, \@unkeyed, \@unseen;
use_keys($node, $long);
{
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$node->backup('backup');
	$standby->init_from_backup($node, 'backup', has_streaming => 1);
	$standby->start;
	catch_up($node, 'standby');
	is(outcome($standby, $_), 'valid', 'a standby that has the file verifies') foreach @all;
	$standby->append_conf('postgresql.auto.conf', "apitoken.pepper_file = '$dir/missing'\n");
	$standby->reload;
	wait_keys($standby, "$dir/missing", '');
	is(outcome($standby, $all[0]), 'ERROR F0000', '... without the file it raises');
	$standby->append_conf('postgresql.auto.conf', "apitoken.pepper_file = ''\n");
	$standby->reload;
	wait_keys($standby, '', '');
	is(outcome($standby, $all[0]), 'ERROR 55000', '... and without the setting');
	$standby->append_conf('postgresql.auto.conf', "apitoken.pepper_file = '$good'\napitoken.previous_pepper_file = '$long'\n");
	$standby->reload;
	wait_keys($standby, $good, $long);
	is(outcome($standby, $all[0]), 'valid', '... it may know the next key before');
	$standby->stop;
}

# --- dump and restore ---

my $dump = "$dir/dump.sql";
command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'dump');
my $restored = usage_node('restored', '1h');
$restored->safe_psql('postgres', 'CREATE DATABASE r');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $restored->connstr('r'), '-f', $dump ], 'restore');
sub restored_outcome { return outcome($restored, $_[0], 'r') }
is(restored_outcome($all[0]), 'ERROR 55000', 'without the setting: an error, not unknown');
is(sqlstate($restored, "SELECT apitoken.lookup('$all[0]')", database => 'r'), 'ERROR 55000', '... everywhere');
is(sqlstate($restored, q{SELECT apitoken.issue('acme', 'x')}, database => 'r'), 'ERROR 55000', '... and no token is stored without the key');
is(sqlstate($restored, "SELECT apitoken.rotate('$keyed[0]')", database => 'r'), 'ERROR 55000', '... nor a new secret');
is(sqlstate($restored, q{SELECT apitoken.import('acme', 'x', 'a.new.foreign.token')}, database => 'r'), 'ERROR 55000', '... nor an imported one');
like($restored->safe_psql('r', 'SELECT role, key_id FROM apitoken.key_state()'), qr/^missing\|$second$/m, '... key_state() says which is missing');
my ($err) = ($restored->psql('r', "SELECT apitoken.verify('$all[0]')"))[2];
like($err, qr/tokens of this database were stored with a key that is not in use.*HINT:.*pepper_file/s, '... the message helps');
use_keys($restored, $good);
is(restored_outcome($all[0]), 'ERROR 55000', 'with another key: the same');
unlink "$dir/late" or die;
use_keys($restored, "$dir/late");
is(restored_outcome($all[0]), 'ERROR F0000', 'without the file: that is said');
use_keys($restored, $long);
is(restored_outcome($_), 'valid', 'with the key they verify') foreach @all;
is(restored_outcome('tok.AAAAAAAAAAAAAAAAAAAAAAAA.' . 'B' x 64), 'unknown', '... and others are unknown');
# A session that has found the key to be the tokens' looks again when others come
# in their place.
my $make = q{CREATE EXTENSION apitoken; INSERT INTO apitoken.realm (id) VALUES ('acme'); SELECT apitoken.issue('acme', 'x')};
$restored->safe_psql('postgres', 'CREATE DATABASE s');
$restored->safe_psql('s', $make);
my $pooled = session($restored, 's');
is(ask($pooled, q{SELECT outcome FROM apitoken.verify('no-such-token')}), 'unknown', 'a session has seen tokens of its key');
$restored->safe_psql('s', "DROP EXTENSION apitoken; $make; UPDATE apitoken._token SET key_id = key_id % 1000 + 1");
is(ask($pooled, q{SELECT outcome FROM apitoken.verify('no-such-token')}), 'ERROR 55000', '... and sees that others have come with another');
# The key is lost: tokens can be given new secrets under another.
my $other = random_key('other');
use_keys($restored, $other);
is(restored_outcome($all[0]), 'ERROR 55000', 'the key is lost');
my $new = $restored->safe_psql('r', "SELECT token FROM apitoken.rotate('$keyed[0]')");
is(restored_outcome($new), 'valid', '... a token is given a new secret under another');
is(restored_outcome($all[1]), 'unknown', '... then the others are unknown');

# --- no key anywhere it must not be ---

my %hex = map { $_ => unpack 'H*', slurp($_) } $good, $long;
foreach my $server ($node, $restored)
{
	my $log = slurp($server->logfile);

	unlike($log, qr/PANIC|TRAP|terminated by signal/, $server->name . ': nothing has crashed');
	is(scalar(grep { index($log, slurp($_)) >= 0 || index(lc $log, $hex{$_}) >= 0 } $good, $long), 0, '... no key is in its log');
}
is(scalar(grep { index(slurp($dump), $hex{$_}) >= 0 } $good, $long), 0, '... nor in the dump');
$_->quit foreach $warm, $locker, $rotator, $pooled;
$_->stop foreach $node, $restored;
done_testing();
