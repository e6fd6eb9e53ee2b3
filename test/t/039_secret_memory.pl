# A secret does not stay in a server process's memory where a call fails: new
# secrets that could not be stored, and copies that were made of arguments.  The
# memory is read where the system lets us, as it does for one's own processes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

plan skip_all => 'a sanitizer keeps what was freed' if sanitized();

my $node = new_node('main');
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION apitoken;
	INSERT INTO apitoken.realm (id, prefix) VALUES ('acme', 'zq7canary');
	ALTER TABLE apitoken._token ADD CONSTRAINT refused CHECK (name <> 'refused' AND previous_digest IS NULL);
	CREATE TABLE presented (what text, token text, filler text DEFAULT repeat('x', 2100)) WITH (toast_tuple_target = 128);
	ALTER TABLE presented ALTER filler SET STORAGE PLAIN;
	INSERT INTO presented VALUES ('fits', repeat('CANARY', 80)), ('long', repeat('CANARY', 200)), ('malformed', repeat('CANARY', 80) || ' ')});
$node->safe_psql('postgres', 'CREATE TABLE presented_many AS SELECT array_agg(token) AS tokens FROM presented');
is( $node->safe_psql('postgres', 'SELECT bool_and(pg_column_size(token) < 200) AND (SELECT pg_column_size(tokens) < 200 FROM presented_many) FROM presented'),
	't', 'arguments are compressed: to read one is to copy it');

# What is private to a process and can be written.  Shared memory has pages of
# tables, where the arguments come from.
sub memory_of
{
	my ($pid) = @_;
	my $content = '';

	open my $memory, '<:raw', "/proc/$pid/mem" or return;
	foreach my $map (split /\n/, slurp("/proc/$pid/maps"))
	{
		my ($from, $to) = $map =~ /^(\w+)-(\w+) rw-p /;
		next if !defined $from;
		sysseek $memory, hex $from, 0;
		sysread $memory, my $part, hex($to) - hex($from);
		$content .= $part // '';
	}
	close $memory;
	return $content;
}

# Runs statements in a session of their own; says how the last one ended, and
# whether a secret is in the memory of its process then.
my $secret = qr/zq7canary\.[A-Z2-7]{24}\.[A-Z2-7]{64}|(?:CANARY){60}/;

sub left_behind
{
	my (@statements) = @_;
	my $session = session($node);
	my $pid = ask($session, 'SELECT pg_backend_pid()');
	my $answer;

	$answer = ask($session, $_) foreach @statements;
	my $memory = memory_of($pid);
	$session->quit;
	return ($answer, defined $memory ? $memory =~ $secret : undef);
}

my ($answer, $found) = left_behind(q{SELECT token FROM apitoken.issue('acme', 'token')});
plan skip_all => 'the memory of processes cannot be read here' if !defined $found;
like($answer, $secret, 'a secret that is answered');
ok($found, '... is in memory: this test can see one');

my ($id) = issue($node, q{'acme', 'token'});
my $argument = q{(SELECT token FROM presented WHERE what = '%s')};
my @cases = (
	[ 'issue(), a CHECK', '23514', q{SELECT apitoken.issue('acme', 'refused')} ],
	[ 'issue(), no event can be written', '23514', q{SELECT apitoken.issue('acme', 'token')},
		q{ALTER TABLE apitoken._event ADD CONSTRAINT refused CHECK (event <> 'issued') NOT VALID}, 'ALTER TABLE apitoken._event DROP CONSTRAINT refused' ],
	[ 'issue(), canceled while it waits', '57014', q{SET statement_timeout = '300ms'; SELECT apitoken.issue('acme', 'token')}, 'LOCK TABLE apitoken._event' ],
	[ 'rotate(), a CHECK', '23514', "SELECT apitoken.rotate('$id')" ],
	[ 'import(), a CHECK', '23514', qq{SELECT apitoken.import('acme', 'refused', ${\sprintf $argument, 'fits'})} ],
	[ 'import(), too long', '22023', qq{SELECT apitoken.import('acme', 'token', ${\sprintf $argument, 'long'})} ],
	[ 'import(), no such realm', '42704', qq{SELECT apitoken.import('none', 'token', ${\sprintf $argument, 'fits'})} ],
	[ 'revoke_self(), unknown', '28000', qq{SELECT apitoken.revoke_self(${\sprintf $argument, 'fits'})} ],
	[ 'revoke_self(), malformed', '28000', qq{SELECT apitoken.revoke_self(${\sprintf $argument, 'malformed'})} ],
	[ 'details(), its table is locked', '55P03', qq{SET lock_timeout = '100ms'; SELECT apitoken.details(${\sprintf $argument, 'fits'})}, 'LOCK TABLE apitoken._token' ],
	[ 'lookup(), its table is locked', '55P03', qq{SET lock_timeout = '100ms'; SELECT apitoken.lookup(${\sprintf $argument, 'fits'})}, 'LOCK TABLE apitoken._token' ],
	[ 'verify_many(), its table is locked', '55P03',
		q{SET lock_timeout = '100ms'; SELECT outcome FROM apitoken.verify_many((SELECT tokens FROM presented_many))}, 'LOCK TABLE apitoken._token' ],
	[ 'verify(), its table is locked', '55P03', qq{SET lock_timeout = '100ms'; SELECT apitoken.verify(${\sprintf $argument, 'fits'})}, 'LOCK TABLE apitoken._token' ]);
foreach my $case (@cases)
{
	my ($name, $code, $sql, $before, $after) = @$case;
	my $holder = session($node);

	ask($holder, ($after ? '' : 'BEGIN; ') . $before) if $before;
	($answer, $found) = left_behind($sql);
	is($answer, "ERROR $code", "$name: $code");
	ok(!$found, '... and the secret is nowhere');
	ask($holder, $after // 'ROLLBACK') if $before;
	$holder->quit;
}

# Nor where it succeeds.
($answer, $found) = left_behind(q{SELECT string_agg(outcome, ' ') FROM apitoken.verify_many((SELECT tokens FROM presented_many))});
is($answer, 'unknown malformed malformed', 'verify_many() answers');
ok(!$found, '... and the secrets are nowhere');

$node->stop;
done_testing();
