# What the tests of faults share: an operation of each kind, what all tables
# have, and what must agree between them whatever has happened.

package LifeCycle;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

our @EXPORT = qw(life_cycle_node lasting_session watch unwatch add_realm operations
  everything agrees differs grown);

# What looks at the tables, and makes tokens: a session of its own, for all of
# this is done very often.
my $watcher;

# A running cluster with the extension; no worker comes between.
sub life_cycle_node
{
	my ($name, @lines) = @_;
	my $node = new_node($name);

	$node->append_conf('postgresql.conf', join "\n",
		"apitoken.usage_flush_interval = '1h'", @lines, '');
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION apitoken');
	watch($node);
	return $node;
}

# The test modules give a session three minutes in all; this one has them for
# each query.
sub lasting_session
{
	my ($node, $database) = @_;
	my $session = session($node, $database);

	$session->set_query_timer_restart;
	return $session;
}

# From now on, and after the server has started again.
sub watch
{
	my ($node, $database) = @_;

	$watcher = lasting_session($node, $database);
	return;
}

sub unwatch
{
	$watcher->quit;
	return;
}

sub look
{
	my ($sql) = @_;

	return ask($watcher, $sql);
}

sub add_realm
{
	my ($node, $realm, %policy) = @_;
	my @columns = sort keys %policy;

	$node->safe_psql('postgres', 'INSERT INTO apitoken.realm ('
		. join(', ', 'id', @columns) . ') VALUES ('
		. join(', ', map { "'$_'" } $realm, @policy{@columns}) . ')');
	return;
}

# Brings tokens that were just made into a state.
my %PREPARED = (
	active => 'SELECT',
	suspended => 'SELECT apitoken.suspend(id) FROM made',
	revoked => 'SELECT apitoken.revoke(id) FROM made',
	rotated => q{SELECT apitoken.rotate(id, grace => '1 hour') FROM made});

sub make_tokens
{
	my ($realm, $principal, $many, $state) = @_;

	look(qq{
		DROP TABLE IF EXISTS pg_temp.made;
		CREATE TEMP TABLE made AS SELECT i.* FROM generate_series(1, $many) n,
			apitoken.issue('$realm', 'token ' || n, principal => '$principal') i;
		$PREPARED{$state}});
	return;
}

sub import_tokens
{
	my ($realm, $principal, $many) = @_;

	look("SELECT apitoken.import('$realm', 'foreign', 'foreign-$principal-' || n) FROM generate_series(1, $many) n");
	return;
}

# name, the state that its tokens must have, and the statement.  @target@ are
# the rows of _token it is for, @realm@ and @many@ what was asked for; @tag@ is
# another text each time.
my @OPERATIONS = (
	[ 'issue', 'active', q{SELECT count(i.id) FROM generate_series(1, @many@) n,
		apitoken.issue('@realm@', 'issued', '{api.read}', expires_in => '1 day', principal => '@tag@',
			idempotency_key => '@tag@' || n) i} ],
	[ 'import', 'active', q{SELECT count(apitoken.import('@realm@', 'imported', 'a-token-@tag@-' || n))
		FROM generate_series(1, @many@) n} ],
	[ 'rotate', 'active', q{SELECT count(r.id) FROM @target@, apitoken.rotate(t.id, '1 hour', expires_in => '2 days') r} ],
	[ 'end_grace', 'rotated', q{SELECT count(r.id) FROM @target@, apitoken.end_grace(t.id) r} ],
	[ 'update', 'active', q{SELECT count(r.id) FROM @target@, apitoken.update(t.id, name => '@tag@', scopes => '{api.write}') r} ],
	[ 'suspend', 'active', q{SELECT count(r.id) FROM @target@, apitoken.suspend(t.id, 'a reason') r} ],
	[ 'activate', 'suspended', q{SELECT count(r.id) FROM @target@, apitoken.activate(t.id) r} ],
	[ 'revoke', 'active', q{SELECT count(r.id) FROM @target@, apitoken.revoke(t.id, 'a reason') r} ],
	[ 'revoke_self', 'foreign', q{SELECT count(*) FROM generate_series(1, @many@) n,
		apitoken.revoke_self('foreign-@principal@-' || n)} ],
	[ 'revoke_all', 'active', q{SELECT count(*) FROM apitoken.revoke_all('@realm@', principal => '@principal@')} ],
	[ 'delete', 'revoked', q{SELECT count(r.id) FROM @target@, apitoken.delete(t.id) r} ],
	[ 'purge', 'revoked', q{SELECT apitoken.purge('0', @many@)} ],
	[ 'a realm', 'active', q{UPDATE apitoken.realm SET name = '@tag@' WHERE id = '@realm@'} ]);

my $tag = 0;

# Makes the tokens for each operation and hands its name and statement to the
# code.
sub operations
{
	my ($realm, $many, $code) = @_;

	foreach my $operation (@OPERATIONS)
	{
		my ($name, $state, $sql) = @$operation;
		my $principal = 'principal' . ++$tag;
		my %blank = (
			realm => $realm, many => $many, tag => "tag$tag", principal => $principal,
			target => "(SELECT id FROM apitoken._token WHERE principal = '$principal') t");

		# What others have left is not to be purged in its place.
		look(q{SELECT apitoken.purge('0', 10000)});
		if ($state eq 'foreign') { import_tokens($realm, $principal, $many) }
		else { make_tokens($realm, $principal, $many, $state) }
		$sql =~ s/\@(\w+)\@/$blank{$1}/g;
		$code->($name, $sql);
	}
	return;
}

# All tables: of each its name, number of rows and a digest of them.
sub everything
{
	return look(join ' UNION ALL ',
		map { qq{SELECT '$_', count(*), md5(string_agg(t::text, ' ' ORDER BY t::text COLLATE "C")) FROM apitoken.$_ t} }
		  qw(realm _token _usage _event _event_unsealed _event_seal _idempotency));
}

# What is half done: a row each.  A token has its use, its first event, and the
# values that its events say; an event is sealed or waits for it; a key has its
# token's event; what was removed is gone.
my $HALF_DONE = q{
	SELECT 'token without its use', t.id::text FROM apitoken._token t
		WHERE NOT EXISTS (SELECT FROM apitoken._usage u WHERE u.token_id = t.id)
	UNION ALL
	SELECT 'use without its token', u.token_id::text FROM apitoken._usage u
		WHERE NOT EXISTS (SELECT FROM apitoken._token t WHERE u.token_id = t.id)
	UNION ALL
	SELECT 'token with another number of first events than one', t.id::text FROM apitoken._token t
		WHERE (SELECT count(*) FROM apitoken._event e WHERE e.token_id = t.id AND event IN ('issued', 'imported')) <> 1
	UNION ALL
	SELECT 'token that is removed', t.id::text FROM apitoken._token t
		WHERE EXISTS (SELECT FROM apitoken._event e WHERE e.token_id = t.id AND event IN ('deleted', 'purged'))
	UNION ALL
	SELECT 'token that its events do not tell', t.id::text
	FROM apitoken._token t,
		LATERAL (SELECT jsonb_object_agg(k, v ORDER BY e.id) AS row
			FROM apitoken._event e, jsonb_each(e.new) AS j (k, v) WHERE e.token_id = t.id) told
	WHERE (row ->> 'status', (row ->> 'version')::bigint, row ->> 'last_chars', row ->> 'name', (row ->> 'expires_at')::timestamptz,
			(row ->> 'previous_expires_at')::timestamptz, (SELECT array_agg(s ORDER BY s COLLATE "C") FROM jsonb_array_elements_text(row -> 'scopes') s))
		IS DISTINCT FROM
		(CASE status WHEN 'a' THEN 'active' WHEN 's' THEN 'suspended' ELSE 'revoked' END, version, last_chars, name, expires_at,
			previous_expires_at, nullif(t.scopes::text[], '{}'))
	UNION ALL
	SELECT 'event that is in no seal or in two', e.id::text FROM apitoken._event e
		WHERE (SELECT count(*) FROM apitoken._event_unsealed u WHERE u.event_id = e.id)
			+ (SELECT count(*) FROM apitoken._event_seal s WHERE e.id = ANY (s.events)) <> 1
	UNION ALL
	SELECT 'event that is not there', u.event_id::text FROM apitoken._event_unsealed u
		WHERE NOT EXISTS (SELECT FROM apitoken._event e WHERE e.id = u.event_id)
	UNION ALL
	SELECT 'key without a token that was issued', i.key FROM apitoken._idempotency i
		WHERE NOT EXISTS (SELECT FROM apitoken._event e WHERE e.token_id = i.token_id AND e.event = 'issued')
	LIMIT 20};

sub agrees
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(look($HALF_DONE), '', $name);
}

# The tables that two of everything() have not in common.
sub differs
{
	my ($before, $after) = @_;
	my %before = map { $_ => 1 } split /\n/, $before;

	return join ' ', map { /^(\w+)/ } grep { !$before{$_} } split /\n/, $after;
}

# How many rows more each table has.
sub grown
{
	my ($before, $after) = @_;
	my %before = $before =~ /^(\w+)\|(\d+)/mg;
	my %after = $after =~ /^(\w+)\|(\d+)/mg;

	return join ' ', map { "$_ " . ($after{$_} - $before{$_}) }
	  grep { $after{$_} != $before{$_} } sort keys %after;
}

1;
