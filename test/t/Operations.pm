# Random operations for the model's test: what can be asked for, as SQL and as
# a method of the model with its arguments.  Most of it is possible where it is
# asked, some is not.

package Operations;

use strict;
use warnings;

use Exporter 'import';
use Digest::SHA qw(sha256_hex);
use List::Util qw(sum);
use Model;

our @EXPORT = qw(%REALMS @REQUIRED @ADDRESSES $HOUR $model @secrets
  $last_event one_of literal list at new_realms choose_operation);

our $HOUR = 3600;
my $TOKENS_MAX = 40;

# The run that is at work: its model, every secret that is tried, and the last
# event that was compared.
our ($model, @secrets, $last_event);

# --- realms with all policies, and what can become of them ---

our %REALMS = (
	open => {},
	ttl => { default_ttl => 10 * $HOUR, max_ttl => 48 * $HOUR },
	max => { max_ttl => 24 * $HOUR, prefix => 'dt0c01' },
	known => { known_scopes => [ 'api.read', 'api.write', 'metrics.build' ], notify => 1 },
	few => { max_active_per_principal => 2, default_ttl => 6 * $HOUR, notify => 1 },
	idle => { max_idle => 3 * $HOUR });

# A column, what it may become, and how that is written.
my $seconds = sub { defined $_[0] ? "interval '$_[0] seconds'" : 'NULL' };
my $boolean = sub { $_[0] ? 'true' : 'false' };
my @CHANGES = (
	[ enabled => [ 0, 1, 1 ], $boolean ],
	[ notify => [ 0, 1 ], $boolean ],
	[ prefix => [ 'tok', 'dt0c01' ], sub { "'$_[0]'" } ],
	[ max_ttl => [ undef, 48 * $HOUR, 24 * $HOUR ], $seconds ],
	[ max_idle => [ undef, undef, $HOUR, 20 * $HOUR ], $seconds ],
	[ max_active_per_principal => [ undef, 1, 2, 5 ], sub { $_[0] // 'NULL' } ],
	[ known_scopes => [ undef, undef, ['api.read'], [ 'api.read', 'metrics.build' ] ],
		sub { $_[0] ? "'@{$_[0]}'" : 'NULL' } ]);

# The statements that make the realms, here and in the model.
sub new_realms
{
	my %written = (default_ttl => $seconds, map { $_->[0] => $_->[2] } @CHANGES);
	my @statements;

	foreach my $id (sort keys %REALMS)
	{
		my %policy = %{ $REALMS{$id} };
		my @columns = sort keys %policy;

		push @statements, 'INSERT INTO apitoken.realm (' . join(', ', 'id', @columns)
		  . ') VALUES (' . join(', ', "'$id'", map { $written{$_}->($policy{$_}) } @columns) . ')';
		$model->new_realm($id, %policy);
	}
	return @statements;
}

# --- choosing ---

sub one_of { return $_[ int rand @_ ] }
sub perhaps { my ($chance, $value) = @_; return rand() < $chance ? $value->() : undef }

my @SCOPES = qw(api.read api.write api.* metrics.build metrics.* metrics:run *);
our @REQUIRED = (undef, undef, 'api.read', 'api.write api.read', 'metrics.build', 'api.*', 'other');
my @NETWORKS = ([], ['10.0.0.0/8'], ['192.168.1.5'], [ '2001:db8::/32', '10.0.0.0/8' ], ['::ffff:10.1.0.0/112']);
our @ADDRESSES = (undef, '10.0.0.1', '::ffff:10.1.2.3', '192.168.1.5', '2001:db8::1', '172.16.0.1');
my @PRINCIPALS = (undef, 'alice', 'bob', 'carol');

sub some_scopes { return [ map { one_of(@SCOPES) } 1 .. rand 4 ] }

# Mostly good ones.
sub some_name { return rand() < 0.02 ? one_of('', '  ', 'x' x 256) : one_of('laptop', 'Büro "1"', "o'neil", 'x' x 255) . '' }

# expires_in or expires_at, or neither; sometimes both.
sub some_life
{
	my ($now) = @_;
	my %life;

	$life{expires_in} = rand() < 0.05 ? one_of(0, -$HOUR)
	  : one_of(1, 60, $HOUR, 5 * $HOUR, 24 * $HOUR, 48 * $HOUR, 90 * $HOUR)
	  if rand() < 0.4;
	$life{expires_at} = rand() < 0.05 ? one_of($now, $now - $HOUR)
	  : one_of($now + $HOUR, $now + 7 * $HOUR, $now + 30 * $HOUR, $Model::INFINITY)
	  if rand() < (defined $life{expires_in} ? 0.03 : 0.3);
	return %life;
}

sub some_attributes
{
	my ($now) = @_;

	return (
		description => perhaps(0.2, sub { one_of('made by a test', '') }),
		kind => perhaps(0.3, sub { one_of('user', 'client', 'client', rand() < 0.1 ? 'robot' : 'user') }),
		principal => one_of(@PRINCIPALS),
		client_id => perhaps(0.3, sub { one_of('c1', 'c2') }),
		scopes => perhaps(0.9, sub { [ @{ some_scopes() }, rand() < 0.02 ? 'a*b' : () ] }),
		allowed_addresses => perhaps(0.3, sub { one_of(@NETWORKS) }),
		not_before => perhaps(0.15, sub { $now + one_of(-$HOUR, 60, 3 * $HOUR) }));
}

# --- SQL ---

sub literal { my ($text) = @_; return defined $text ? "'" . ($text =~ s/'/''/gr) . "'" : 'NULL' }
sub list { my ($list, $type) = @_; return 'ARRAY[' . join(', ', map { literal($_) } @$list) . "]::${type}[]" }
sub at { my ($time) = @_; return $time eq $Model::INFINITY ? "'infinity'" : "to_timestamp($time)" }

my %WRITTEN = (
	scopes => sub { list($_[0], 'text') },
	clear => sub { list($_[0], 'text') },
	allowed_addresses => sub { list($_[0], 'inet') },
	not_before => \&at,
	expires_at => \&at,
	created_at => \&at,
	expires_in => $seconds,
	grace => $seconds,
	older_than => $seconds,
	dry_run => $boolean,
	version => sub { $_[0] },
	batch_size => sub { $_[0] });

# apitoken.name(argument => value, ...), without the arguments that are undef
# and can be left out.
sub call
{
	my ($function, $a) = @_;
	my @arguments;

	foreach my $argument (sort keys %$a)
	{
		my $value = $a->{$argument};

		push @arguments, "$argument => "
		  . (defined $value ? ($WRITTEN{$argument} // \&literal)->($value) : 'NULL')
		  if defined $value || $argument =~ /\A(?:realm|name|id)\z/;
	}
	return "apitoken.$function(" . join(', ', @arguments) . ')';
}

my $ISSUED = 'id, token, public_id, extract(epoch FROM expires_at)::bigint';
my $CHANGED = 'id, realm, name, status, version, extract(epoch FROM expires_at)::bigint';

# --- the operations: how often, and what they are ---
#
# Each returns the SQL, the method of the model, and its arguments.

sub some_token
{
	my @tokens = $model->in_order;

	return undef if rand() < 0.01;
	return @tokens && rand() < 0.98 ? one_of(@tokens)->{id} : '01234567-89ab-7cde-8f01-23456789abcd';
}

# Rather one of those that are in this state.
sub token_that
{
	my ($wanted) = @_;
	my @tokens = grep { $wanted->($_) } $model->in_order;

	return @tokens && rand() < 0.7 ? one_of(@tokens)->{id} : some_token();
}

sub some_realm { return rand() < 0.01 ? one_of(undef, 'nowhere') : one_of(sort keys %REALMS) }

sub op_issue
{
	my %a = (realm => some_realm(), name => some_name(), some_life($model->{now}),
		some_attributes($model->{now}), idempotency_key => perhaps(0.15, sub { 'key' . int rand 4 }));

	return ("SELECT $ISSUED FROM " . call('issue', \%a), 'issue', \%a);
}

my @BASE32 = ('A' .. 'Z', 2 .. 7);
sub base32 { my ($length) = @_; return join '', map { one_of(@BASE32) } 1 .. $length }

sub foreign_secret
{
	return one_of(
		sub { join '.', one_of('tok', 'dt0c01', 'gone'), base32(24), base32(64) },
		sub { 'foreign-' . base32(one_of(1, 8, 20)) },
		sub { 'short' })->() if rand() < 0.6 || !@secrets;
	return one_of(@secrets);
}

sub op_import
{
	my $secret = foreign_secret();
	my $by_sha256 = rand() < 0.4;
	my %a = (realm => some_realm(), name => some_name(), some_life($model->{now}),
		some_attributes($model->{now}), created_at => perhaps(0.2, sub { $model->{now} - 20 * $HOUR }));
	my %given = (%a, $by_sha256 ? () : (token => $secret));
	my $sql = call('import', \%given);

	$sql =~ s/\)\z/, sha256 => '\\x@{[sha256_hex($secret)]}')/ if $by_sha256;
	push @secrets, $secret;
	return ("SELECT $sql", 'import_token', { %a, secret => $secret, by_sha256 => $by_sha256 });
}

sub op_rotate
{
	my %a = (id => token_that(sub { $_[0]{status} ne 'revoked' }), some_life($model->{now}),
		grace => perhaps(0.7, sub { one_of(0, 60, $HOUR, 5 * $HOUR, 5 * $HOUR, 100 * $HOUR, -1) }));

	return ("SELECT $ISSUED FROM " . call('rotate', \%a), 'rotate', \%a);
}

sub by_id
{
	my ($function, $method, $wanted, %more) = @_;
	my %a = (id => token_that($wanted), %more);

	return ("SELECT $CHANGED FROM " . call($function, \%a), $method, \%a);
}

sub status_is { my ($status) = @_; return sub { $_[0]{status} eq $status } }
sub some_reason { return (reason => perhaps(0.5, sub { one_of('lost', 'left the company') })) }

sub op_end_grace
{
	return by_id('end_grace', 'end_grace',
		sub { defined $_[0]{previous} && $_[0]{previous_expires_at} > $model->{now} });
}
sub op_suspend { return by_id('suspend', 'suspend', status_is('active'), some_reason()) }
sub op_activate { return by_id('activate', 'activate', status_is('suspended')) }
sub op_revoke { return by_id('revoke', 'revoke', status_is('active'), some_reason()) }
sub op_delete { return by_id('delete', 'delete_token', status_is('revoked')) }

sub op_update
{
	my %attributes = some_attributes($model->{now});
	my @given = grep { rand() < 0.3 } sort keys %attributes;
	my %a = (id => token_that(sub { $_[0]{status} ne 'revoked' }),
		(map { $_ => $attributes{$_} } grep { $_ ne 'kind' } @given),
		name => perhaps(0.2, \&some_name), rand() < 0.3 ? some_life($model->{now}) : (),
		clear => perhaps(0.25, sub { [ map { one_of(@Model::CLEARABLE, rand() < 0.1 ? ('name', 'nonsense') : ()) } 1 .. 1 + rand 2 ] }));
	my $token = $model->token($a{id});

	$a{version} = $token->{version} - (rand() < 0.3) if $token && rand() < 0.3;
	return ("SELECT $CHANGED FROM " . call('update', \%a), 'update', \%a);
}

sub op_revoke_self
{
	my $secret = @secrets && rand() < 0.95 ? one_of(@secrets) : one_of('short', 'nobody-knows-me');

	return ('SELECT apitoken.revoke_self(' . literal($secret) . ')', 'revoke_self', { secret => $secret });
}

sub op_revoke_all
{
	my %a = (realm => some_realm(), principal => one_of(@PRINCIPALS),
		client_id => perhaps(0.2, sub { one_of('c1', 'c2') }),
		scope => perhaps(0.4, sub { one_of('api.read', 'metrics.build', 'api.*') }), some_reason(),
		dry_run => perhaps(0.7, sub { 1 }));

	return ('SELECT id, name FROM ' . call('revoke_all', \%a), 'revoke_all', \%a);
}

# Also says which tokens it took: that is its choice.
sub op_purge
{
	my %a = (older_than => one_of(0, 60, $HOUR, 10 * $HOUR, 10 * $HOUR, -1), batch_size => one_of(1, 2, 3, 100, 0));
	my $sql = 'SELECT ' . call('purge', \%a) . ";\n"
	  . "SELECT token_id FROM apitoken._event WHERE event = 'purged' AND id > $last_event ORDER BY id";

	return ($sql, 'purge', \%a);
}

sub op_realm
{
	my $realm = one_of(sort keys %REALMS);
	my ($column, $values, $written) = @{ one_of(@CHANGES) };
	my $value = one_of(@$values);
	my %a = (id => $realm, $column => $value);

	return ("UPDATE apitoken.realm SET $column = " . $written->($value) . " WHERE id = '$realm'", undef, \%a);
}

my @OPERATIONS = (
	[ 24, \&op_issue ], [ 12, \&op_import ], [ 14, \&op_rotate ], [ 6, \&op_end_grace ],
	[ 14, \&op_update ], [ 7, \&op_suspend ], [ 7, \&op_activate ], [ 6, \&op_revoke ],
	[ 4, \&op_revoke_self ], [ 3, \&op_revoke_all ], [ 6, \&op_delete ], [ 3, \&op_purge ],
	[ 5, \&op_realm ]);

# Fewer tokens are made where there are many.
sub choose_operation
{
	my $crowded = $model->tokens > $TOKENS_MAX;
	my @weights = map { $crowded && $_->[0] > 10 ? 2 : $_->[0] } @OPERATIONS;
	my $at = rand sum(@weights);

	foreach my $operation (@OPERATIONS)
	{
		$at -= shift @weights;
		return $operation->[1] if $at < 0;
	}
	die 'no operation was chosen';
}

1;
