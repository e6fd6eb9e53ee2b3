# A plain model of the token service, to compare the extension with: hashes,
# lists and whole seconds, no SQL and no server.
# ModelOperations.pm has the operations.
#
# What belongs to the caller's transaction is in {state}, which transactions
# and savepoints copy and bring back; uses are noted in {pending} whatever
# becomes of it.

package Model;

use strict;
use warnings;

use List::Util qw(all any max min);
use Socket qw(AF_INET AF_INET6 inet_pton);
use Storable qw(dclone);

use ModelOperations;

sub new
{
	my ($class, $now) = @_;

	return bless {
		now => $now,
		state => {
			realms => {}, tokens => {}, keys => {},
			events => [], event_count => 0, unsealed => 0,
			notices => {}, history => [], used => {}, flushed => {}
		},
		saved => [],
		pending => {},
		derived => {},
		notified => [],
		serial => 0
	}, $class;
}

# --- transactions ---

sub begin { my ($self) = @_; return push @{ $self->{saved} }, dclone($self->{state}) }
sub savepoint { return begin(@_) }
sub in_transaction { my ($self) = @_; return scalar @{ $self->{saved} } }
sub release { my ($self) = @_; return pop @{ $self->{saved} } }

# To the last savepoint, which stays.
sub rollback_to
{
	my ($self) = @_;

	$self->{state} = dclone($self->{saved}[-1]);
	return;
}

sub rollback
{
	my ($self) = @_;

	$self->{state} = $self->{saved}[0];
	$self->{saved} = [];
	return;
}

sub commit
{
	my ($self) = @_;

	my $state = $self->{state};

	$self->{saved} = [];
	push @{ $self->{notified} }, sort keys %{ $state->{notices} };
	$self->{pending}{$_}{count} -= $state->{flushed}{$_} foreach keys %{ $state->{flushed} };
	@$state{qw(notices flushed)} = ({}, {});
	return;
}

# --- tokens and their secrets ---

sub tokens { my ($self) = @_; return values %{ $self->{state}{tokens} } }
sub realm { my ($self, $id) = @_; return defined $id ? $self->{state}{realms}{$id} : undef }
sub token { my ($self, $id) = @_; return defined $id ? $self->{state}{tokens}{$id} : undef }

# Tokens in the order of their making, so that a seed means the same each time.
sub in_order
{
	my ($self) = @_;

	return sort { $a->{serial} <=> $b->{serial} } $self->tokens;
}

# {secret => [token, is it the previous one]}
sub secrets
{
	my ($self) = @_;
	my %found;

	foreach my $token ($self->tokens)
	{
		$found{ $token->{previous} } = [ $token, 1 ] if defined $token->{previous};
	}
	$found{ $_->{secret} } = [ $_, 0 ] foreach $self->tokens;
	return \%found;
}

my @BASE32 = ('A' .. 'Z', 2 .. 7);
my %BASE32 = map { $BASE32[$_] => $_ } 0 .. 31;

# The 120 free bits of an id, five a character; and back.
sub public_part
{
	my ($id) = @_;
	my $digits = $id =~ s/-//gr;

	substr($digits, 16, 1, '');
	substr($digits, 12, 1, '');
	return join '', map { $BASE32[ oct "0b$_" ] } unpack('B120', pack 'H30', $digits) =~ /(.{5})/g;
}

sub id_of_public
{
	my ($public) = @_;
	my $digits = unpack 'H30', pack 'B120', join '', map { sprintf '%05b', $BASE32{$_} } split //, $public;

	substr($digits, 12, 0, '7');
	substr($digits, 16, 0, '8');
	return join '-', $digits =~ /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;
}

sub possible { my ($text) = @_; return $text =~ /\A[\x21-\x7e]{8,512}\z/ }

# Prefix and public part of a text of our own form.
sub parts
{
	my ($text) = @_;

	return $text =~ /\A([A-Za-z0-9_]{1,16})\.([A-Z2-7]{24})\.[A-Z2-7]{64}\z/;
}

sub public_id { my ($token) = @_; return "$token->{prefix}." . public_part($token->{id}) }

sub expired { my ($self, $token) = @_; return defined $token->{expires_at} && $self->{now} >= $token->{expires_at} }

sub latest { return max(grep { defined } @_) }

sub earliest
{
	my @times = grep { defined } @_;

	return @times ? min(@times) : undef;
}

# --- scopes and addresses ---

# Undef where one of them is malformed.
sub canonical
{
	my ($scopes) = @_;
	my %set = map { $_ => 1 } @$scopes;

	return undef
	  if any { !/\A[\x21\x23-\x5b\x5d-\x7e]{1,255}\z/ || !/\A(?:[^*]*|\*|[^*]*[.:\/]\*)\z/ } keys %set;
	return join ' ', sort keys %set;
}

sub covers
{
	my ($granted, $scope) = @_;

	return 1 if $granted eq $scope || $granted eq '*';
	return 0 unless $granted =~ /\A(.*)\*\z/;
	return index($scope, $1) == 0 && length($scope) > length($1);
}

sub grants
{
	my ($token, $required) = @_;

	return all { my $scope = $_; any { covers($_, $scope) } split / /, $token->{scopes} } split / /, $required;
}

# Family, number of bits, and the bits themselves; IPv4 within IPv6 is IPv4.
sub network
{
	my ($text) = @_;
	my ($address, $bits) = split m{/}, $text;
	my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
	my $bytes = unpack 'B*', inet_pton($family, $address);

	$bits //= length $bytes;
	if ($family == AF_INET6 && $bits >= 96 && $bytes =~ /\A0{80}1{16}/)
	{
		($family, $bits, $bytes) = (AF_INET, $bits - 96, substr $bytes, 96);
	}
	return ($family, $bits, $bytes);
}

sub allowed_from
{
	my ($token, $address) = @_;
	my @networks = split / /, $token->{allowed_addresses} // '';

	return 1 unless @networks;
	return 0 unless defined $address;
	my ($family, $bits, $bytes) = network($address);
	return any {
		my ($f, $n, $b) = network($_);
		$f == $family && $bits >= $n && substr($b, 0, $n) eq substr($bytes, 0, $n)
	} @networks;
}

# --- use ---

# Number and time of uses: what was written, and what is noted but not written.
sub used
{
	my ($self, $id) = @_;
	my $written = $self->{state}{used}{$id} // { count => 0 };
	my $noted = $self->{pending}{$id} // { count => 0 };
	my $left = $noted->{count} - ($self->{state}{flushed}{$id} // 0);

	return ($written->{count} + $left, latest($written->{last}, $left ? $noted->{last} : undef));
}

sub note
{
	my ($self, $token) = @_;
	my $noted = $self->{pending}{ $token->{id} } //= { count => 0 };

	$noted->{count}++;
	$noted->{last} = $self->{now};
	return;
}

# A new token with the id of one that is gone: what was noted of that is none
# of its own.
sub start_unused
{
	my ($self, $id) = @_;
	my $noted = $self->{pending}{$id};

	$self->{state}{flushed}{$id} = $noted->{count} if $noted;
	return;
}

# Uses of tokens that are gone are gone as well.
sub flush
{
	my ($self) = @_;
	my ($pending, $state) = ($self->{pending}, $self->{state});

	foreach my $id (grep { $pending->{$_}{count} > ($state->{flushed}{$_} // 0) } keys %$pending)
	{
		my ($count, $last) = $self->used($id);

		$state->{flushed}{$id} = $pending->{$id}{count};
		$state->{used}{$id} = { count => $count, last => $last } if $self->token($id);
	}
	return;
}

# --- verification ---

sub idle
{
	my ($self, $token, $realm) = @_;

	return 0 unless $realm->{max_idle};
	return $self->{now} - $realm->{max_idle} >
	  latest(@$token{qw(created_at rotated_at status_changed_at)}, ($self->used($token->{id}))[1]);
}

# The numbered list of outcomes; secrets is what secrets() has said.
sub outcome
{
	my ($self, $secrets, $text, $required, $address) = @_;

	return 'malformed' unless possible($text);
	return 'unknown' unless $secrets->{$text};
	my ($token, $by_previous) = @{ $secrets->{$text} };
	my $realm = $self->realm($token->{realm});

	return 'superseded' if $by_previous && $self->{now} >= $token->{previous_expires_at};
	return $token->{status} if $token->{status} ne 'active';
	return 'realm_disabled' unless $realm && $realm->{enabled};
	return 'not_yet_valid' if defined $token->{not_before} && $self->{now} < $token->{not_before};
	return 'expired' if $self->expired($token);
	return 'idle' if $self->idle($token, $realm);
	return 'address_denied' unless allowed_from($token, $address);
	return 'scope_denied' unless grants($token, $required // '');
	return 'valid';
}

# The columns of verify(): valid, outcome, id, realm, name, kind, principal,
# client_id, scopes, expires_at.  A valid use is counted.
sub verify
{
	my ($self, $secrets, $text, $required, $address) = @_;
	my $outcome = $self->outcome($secrets, $text, $required, $address);
	my ($token, $by_previous) = @{ $secrets->{$text} // [] };

	return [ 0, $outcome, (undef) x 8 ] if $outcome eq 'malformed' || $outcome eq 'unknown';
	$self->note($token) if $outcome eq 'valid';
	return [ $outcome eq 'valid' ? 1 : 0, $outcome,
		@$token{qw(id realm name kind principal client_id scopes)},
		$by_previous
		? earliest($token->{previous_expires_at}, $token->{expires_at})
		: $token->{expires_at} ];
}

# Valid at this moment, by what the history has: state and time.
sub valid_at_now
{
	my ($self, $realm) = @_;

	return sort map { "$_->{id}|$_->{scopes}" }
	  grep {
		     $_->{status} eq 'active'
		  && !$self->expired($_)
		  && !(defined $_->{not_before} && $self->{now} < $_->{not_before})
		  && $self->realm($_->{realm})->{enabled}
		  && $_->{realm} eq $realm
	  } $self->tokens;
}

# Ids of active, unexpired tokens that grant a scope.
sub granting
{
	my ($self, $scope, $realm) = @_;

	return map { $_->{id} }
	  grep { $_->{status} eq 'active' && !$self->expired($_) && grants($_, $scope)
		  && (!defined $realm || $_->{realm} eq $realm) } $self->tokens;
}

# --- events ---

sub event
{
	my ($self, $name, $token, $realm) = @_;
	my $state = $self->{state};
	my $id = $token ? $token->{id} : '';

	$realm //= $token->{realm};
	push @{ $state->{events} }, join '|', $name, $id, $realm;
	$state->{event_count}++;
	$state->{unsealed}++;
	$state->{notices}{"$name " . ($id || $realm)} = 1
	  if $self->realm($realm) && $self->realm($realm)->{notify};
	return;
}

1;
