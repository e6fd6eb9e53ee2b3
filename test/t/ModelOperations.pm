# The operations of the model: who may do what when, and what comes of it.
#
# Each is a method that takes named arguments and returns two things: the
# SQLSTATEs that the extension may answer with, because of these arguments in
# this state (an empty list: it must not fail), and what to do once it has
# answered without an error.  That function gets the answer's columns (ids and
# secrets are the extension's choice), changes the model, and returns the columns
# that the model would have answered with.

package Model;

use strict;
use warnings;

use List::Util qw(all any min);

my $UUID = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;
my $DAY = 86400;
our $INFINITY = 'infinity';

# Columns of a token that issue(), import() and update() take as they are.
our @ATTRIBUTES = qw(name description kind principal client_id scopes
  allowed_addresses not_before);

# What update() can empty.
our @CLEARABLE = qw(description principal client_id allowed_addresses
  not_before expires_at);

# --- rules that several operations share ---

sub label_errors
{
	my ($label) = @_;

	return length $label <= 255 && $label =~ /\S/ ? () : '22023';
}

# Of attributes as they were given.
sub attribute_errors
{
	my ($asked) = @_;
	my @errors;

	foreach my $attribute (qw(name principal client_id))
	{
		push @errors, label_errors($asked->{$attribute}) if defined $asked->{$attribute};
	}
	push @errors, '22023' if defined $asked->{kind} && $asked->{kind} !~ /\A(?:user|client)\z/;
	push @errors, '22P02' if $asked->{scopes} && !defined canonical($asked->{scopes});
	return @errors;
}

# Must a realm know these scopes, it knows them all, or covers one by each
# pattern.
sub scope_errors
{
	my ($realm, $scopes) = @_;
	my $known = $realm && $realm->{known_scopes};

	return () unless $known && defined $scopes;
	return (
		all {
			my $scope = $_;
			any { covers($_, $scope) || covers($scope, $_) } @$known
		} split / /, $scopes) ? () : '22023';
}

# The life that is asked for: errors, its end and length (undef: never).
sub life
{
	my ($self, $realm, $asked, $default) = @_;
	my $now = $self->{now};
	my ($in, $at) = @$asked{qw(expires_in expires_at)};
	my @errors;

	push @errors, '22023' if defined $in && defined $at;
	push @errors, '22023' if defined $in && $in <= 0;
	push @errors, '22023' if defined $at && $at ne $INFINITY && $at <= $now;
	return (\@errors) if @errors || !$realm;
	if (!defined $in && !defined $at)
	{
		return ([], $now + $default, $default) if $default;
		$at = $INFINITY;
	}
	my $end = defined $in ? $now + $in : $at eq $INFINITY ? undef : $at;
	push @errors, '22023'
	  if $realm->{max_ttl} && (!defined $end || $end > $now + $realm->{max_ttl});
	return (\@errors, $end, defined $end ? $end - $now : undef);
}

# not_before must come before the end.
sub order_errors
{
	my ($not_before, $end) = @_;

	return defined $not_before && defined $end && $not_before >= $end ? '22023' : ();
}

sub counted
{
	my ($self, $token) = @_;

	return $token->{status} eq 'active' && defined $token->{principal} && !$self->expired($token);
}

# A token as it would be: is there room for it with its principal?
sub room_errors
{
	my ($self, $token, $before) = @_;
	my $limit = $self->realm($token->{realm})->{max_active_per_principal};
	my @others;

	return () unless $limit && $self->counted($token);
	return () if $before && $self->counted($before) && $before->{principal} eq $token->{principal};
	@others = grep { $_->{id} ne $token->{id} && $_->{realm} eq $token->{realm}
		  && $self->counted($_) && $_->{principal} eq $token->{principal} } $self->tokens;
	return @others >= $limit ? '55000' : ();
}

sub realm_errors
{
	my ($self, $id) = @_;

	return '22004' unless defined $id;
	return '42704' unless $self->realm($id);
	return $self->realm($id)->{enabled} ? () : '55000';
}

# The token of an operation by id, and the errors of there being none.
sub target
{
	my ($self, $id) = @_;

	return (undef, defined $id ? '42704' : '22004') unless $self->token($id);
	return ($self->token($id));
}

# --- what operations answer ---

sub changed_row
{
	my ($token, $status) = @_;

	return [ @$token{qw(id realm name)}, $status // $token->{status}, @$token{qw(version expires_at)} ];
}

sub put
{
	my ($self, $token) = @_;

	$self->{state}{tokens}{ $token->{id} } = $token;
	return;
}

sub modified
{
	my ($self, $token) = @_;

	$token->{version}++;
	$token->{updated_at} = $self->{now};
	return;
}

# --- operations ---

# A token's row out of the arguments, without identity and secret.
sub drafted
{
	my ($self, $asked, $end, $ttl) = @_;
	my $realm = $self->realm($asked->{realm});
	my %token = (
		(map { $_ => $asked->{$_} } @ATTRIBUTES),
		id => '', realm => $asked->{realm}, status => 'active', version => 1,
		kind => $asked->{kind} // 'user', prefix => $realm->{prefix},
		scopes => canonical($asked->{scopes} // []) // '',
		expires_at => $end, granted_ttl => $ttl,
		created_at => $asked->{created_at} // $self->{now}, serial => ++$self->{serial});

	$token{allowed_addresses} = join ' ', @{ $asked->{allowed_addresses} // [] };
	$token{updated_at} = $token{created_at};
	return \%token;
}

sub new_token_errors
{
	my ($self, $asked) = @_;
	my $realm = $self->realm($asked->{realm});
	my @errors = ($self->realm_errors($asked->{realm}), attribute_errors($asked));
	my ($life_errors, $end, $ttl) = $self->life($realm, $asked, $realm && $realm->{default_ttl});
	my $token;

	push @errors, '22004' unless defined $asked->{name};
	push @errors, @$life_errors;
	push @errors, order_errors($asked->{not_before}, $end) unless @$life_errors;
	return (\@errors) if !$realm;
	$token = $self->drafted($asked, $end, $ttl);
	push @errors, scope_errors($realm, $token->{scopes}), $self->room_errors($token);
	return (\@errors, $token);
}

sub issue
{
	my ($self, $asked) = @_;
	my ($errors, $token) = $self->new_token_errors($asked);
	my $key = $asked->{idempotency_key};
	my $keys = $self->{state}{keys};

	if (defined $key)
	{
		push @$errors, label_errors($key);
		$key = ($asked->{realm} // '') . " $key";
		push @$errors, '23505' if $keys->{$key} && $self->{now} < $keys->{$key} + $DAY;
	}
	return $errors, sub {
		my ($id, $text) = @_;

		@$token{qw(id secret last_chars)} = ($id, $text, substr $text, -5);
		$self->put($token);
		$self->{state}{keys}{$key} = $self->{now} if defined $key;
		$self->event('issued', $token);
		my ($prefix, $public) = parts($text);
		return [ $id =~ $UUID && defined $public ? id_of_public($public) : 'malformed',
			$text, public_id($token), $token->{expires_at} ];
	};
}

# Which id and prefix a foreign token gets; undef: whatever it was before.
sub foreign_identity
{
	my ($self, $asked) = @_;

	if (!$asked->{by_sha256} and my ($prefix, $public) = parts($asked->{secret}))
	{
		return (id_of_public($public), $prefix);
	}
	return ($self->{derived}{ $asked->{secret} }, undef);
}

sub import_token
{
	my ($self, $asked) = @_;
	my ($known, $by_previous) = @{ $self->secrets->{ $asked->{secret} } // [] };
	my ($id, $prefix) = $self->foreign_identity($asked);
	my ($errors, $token);

	if (!$asked->{by_sha256} && !possible($asked->{secret}))
	{
		return [ '22023', grep { $_ ne '55000' } $self->realm_errors($asked->{realm}) ];
	}
	if ($known && $self->realm($asked->{realm}))
	{
		return ['23505'] if $by_previous || $known->{realm} ne $asked->{realm};
		return [], sub { return [ $known->{id} ] };
	}
	($errors, $token) = $self->new_token_errors($asked);
	push @$errors, '23505' if defined $id && $self->token($id);
	return $errors, sub {
		my ($given) = @_;
		my $length = length $asked->{secret};

		$id //= $self->{derived}{ $asked->{secret} } = $given;
		$token->{id} = $id;
		$token->{secret} = $asked->{secret};
		$token->{prefix} = $prefix if defined $prefix;
		$token->{last_chars} = substr $asked->{secret}, -min(5, int($length / 4))
		  unless $asked->{by_sha256};
		$self->start_unused($id);
		$self->put($token);
		$self->event('imported', $token);
		return [$id];
	};
}

sub rotate
{
	my ($self, $asked) = @_;
	my ($token, @errors) = $self->target($asked->{id});
	my $grace = $asked->{grace} // 0;
	my ($realm, $life_errors, $end, $ttl, %after);

	push @errors, '22023' if $grace < 0;
	if (!$token)
	{
		push @errors, @{ ($self->life(undef, $asked))[0] };
		return \@errors;
	}
	$realm = $self->realm($token->{realm});
	push @errors, '55000' if $token->{status} eq 'revoked' || !$realm->{enabled};
	if (any { defined } @$asked{qw(expires_in expires_at)}, $realm->{default_ttl})
	{
		($life_errors, $end, $ttl) = $self->life($realm, $asked, $realm->{default_ttl});
		push @errors, @$life_errors;
	}
	else
	{
		($end, $ttl) = @$token{qw(expires_at granted_ttl)};
		push @errors, '22023' if $realm->{max_ttl}
		  && (!defined $end || $end > $self->{now} + $realm->{max_ttl});
	}
	push @errors, order_errors($token->{not_before}, $end), scope_errors($realm, $token->{scopes});
	%after = (%$token, expires_at => $end);
	push @errors, $self->room_errors(\%after, $token);
	return \@errors, sub {
		my ($id, $text) = @_;

		$token->{previous_expires_at} = earliest($self->{now} + $grace, $token->{expires_at});
		$token->{previous} = $token->{secret};
		@$token{qw(secret last_chars expires_at granted_ttl rotated_at)} =
		  ($text, substr($text, -5), $end, $ttl, $self->{now});
		$self->modified($token);
		$self->event('rotated', $token);
		my ($prefix, $public) = parts($text);
		return [ defined $public ? id_of_public($public) : 'malformed',
			$text, public_id($token), $end ];
	};
}

sub end_grace
{
	my ($self, $asked) = @_;
	my ($token, @errors) = $self->target($asked->{id});

	push @errors, '55000'
	  if $token && (!defined $token->{previous} || $self->{now} >= $token->{previous_expires_at});
	return \@errors, sub {
		$token->{previous_expires_at} = $self->{now};
		$self->event('grace_ended', $token);
		return changed_row($token);
	};
}

my %TRANSITIONS = (
	suspend => [ 'suspended', qr/^active$/ ],
	activate => [ 'active', qr/^suspended$/, 'activated' ],
	revoke => [ 'revoked', qr/^(?:active|suspended)$/ ]);

sub set_status
{
	my ($self, $token, $status, $reason, $event) = @_;

	@$token{qw(status status_reason status_changed_at)} = ($status, $reason, $self->{now});
	$self->event($event, $token);
	return;
}

sub transition
{
	my ($self, $what, $asked) = @_;
	my ($to, $from, $event) = @{ $TRANSITIONS{$what} };
	my ($token, @errors) = $self->target($asked->{id});

	if ($token)
	{
		push @errors, '55000' unless $token->{status} =~ $from;
		push @errors, $self->room_errors({ %$token, status => $to }, $token);
	}
	return \@errors, sub {
		$self->set_status($token, $to, $asked->{reason}, $event // $to);
		return changed_row($token);
	};
}

sub suspend { my ($self, $asked) = @_; return $self->transition('suspend', $asked) }
sub activate { my ($self, $asked) = @_; return $self->transition('activate', $asked) }
sub revoke { my ($self, $asked) = @_; return $self->transition('revoke', $asked) }

sub revoke_self
{
	my ($self, $asked) = @_;
	my ($token, $by_previous) = @{ $self->secrets->{ $asked->{secret} } // [] };

	return ['28000'] if !$token || !possible($asked->{secret}) || $by_previous && $self->{now} >= $token->{previous_expires_at};
	return [], sub {
		return ['f'] if $token->{status} eq 'revoked';
		$self->set_status($token, 'revoked', undef, 'revoked');
		return ['t'];
	};
}

sub by_id { return $a->{id} cmp $b->{id} }

# Answers with a list of rows.
sub revoke_all
{
	my ($self, $asked) = @_;
	my @errors = defined $asked->{realm} ? () : '22004';
	my @chosen = sort by_id grep { $self->revocable($_, $asked) } $self->tokens;

	return \@errors, sub {
		my @rows = map { [ @$_{qw(id name)} ] } @chosen;

		if (!$asked->{dry_run})
		{
			$self->set_status($_, 'revoked', $asked->{reason}, 'revoked') foreach @chosen;
		}
		return \@rows;
	};
}

sub revocable
{
	my ($self, $token, $asked) = @_;

	return
		 $token->{realm} eq ($asked->{realm} // '')
	  && $token->{status} ne 'revoked'
	  && (!defined $asked->{scope} || grants($token, $asked->{scope}))
	  && all { !defined $asked->{$_} || ($token->{$_} // '') eq $asked->{$_} } qw(principal client_id);
}

# A token's row after an update, without what expiry does to it.
sub updated
{
	my ($token, $asked) = @_;
	my %after = %$token;

	foreach my $attribute (@ATTRIBUTES)
	{
		$after{$attribute} = $asked->{$attribute} if defined $asked->{$attribute};
	}
	$after{scopes} = canonical($asked->{scopes}) // '' if $asked->{scopes};
	$after{allowed_addresses} = join ' ', @{ $asked->{allowed_addresses} } if $asked->{allowed_addresses};
	foreach my $column (@{ $asked->{clear} // [] })
	{
		$after{$column} = $column eq 'allowed_addresses' ? '' : undef;
	}
	return \%after;
}

sub clear_errors
{
	my ($asked) = @_;

	return map {
		my $column = $_;
		((any { $_ eq $column } @CLEARABLE) ? () : '22023',
			defined $asked->{$column} ? '22023' : (),
			$column eq 'expires_at' && defined $asked->{expires_in} ? '22023' : ())
	} @{ $asked->{clear} // [] };
}

sub update
{
	my ($self, $asked) = @_;
	my ($token, @errors) = $self->target($asked->{id});
	my %wanted = %$asked;
	my ($realm, $after);
	my $changes = any { defined $asked->{$_} } @ATTRIBUTES, qw(expires_in expires_at);

	push @errors, attribute_errors($asked), clear_errors($asked);
	$wanted{expires_at} = $INFINITY if any { $_ eq 'expires_at' } @{ $asked->{clear} // [] };
	push @errors, @{ ($self->life(undef, $asked))[0] };
	return \@errors if !$token;
	$realm = $self->realm($token->{realm});
	push @errors, '40001' if defined $asked->{version} && $asked->{version} != $token->{version};
	push @errors, '55000' if $token->{status} eq 'revoked';
	return \@errors if @errors;
	$after = updated($token, $asked);
	if (defined $wanted{expires_in} || defined $wanted{expires_at})
	{
		my ($life_errors, $end, $ttl) = $self->life($realm, \%wanted);

		push @errors, @$life_errors;
		@$after{qw(expires_at granted_ttl)} = ($end, $ttl);
	}
	push @errors, order_errors(@$after{qw(not_before expires_at)})
	  if defined $asked->{not_before} || defined $wanted{expires_in} || defined $wanted{expires_at};
	push @errors, scope_errors($realm, $after->{scopes}) if $asked->{scopes};
	push @errors, $self->room_errors($after, $token);
	return \@errors, sub {
		return changed_row($token) unless $changes || @{ $asked->{clear} // [] };
		%$token = %$after;
		$self->modified($token);
		$self->event('updated', $token);
		return changed_row($token);
	};
}

sub forget
{
	my ($self, $token, $event) = @_;

	delete $self->{state}{$_}{ $token->{id} } foreach qw(tokens used);
	$self->event($event, $token);
	return;
}

sub delete_token
{
	my ($self, $asked) = @_;
	my ($token, @errors) = $self->target($asked->{id});

	push @errors, '55000' if $token && $token->{status} ne 'revoked';
	return \@errors, sub {
		$self->forget($token, 'deleted');
		return changed_row($token, 'deleted');
	};
}

# Which tokens a purge may take.
sub purgeable
{
	my ($self, $older_than) = @_;
	my $limit = $self->{now} - $older_than;

	return grep {
		   $_->{status} eq 'revoked' && $_->{status_changed_at} < $limit
		|| defined $_->{expires_at} && $_->{expires_at} < $limit
	} $self->tokens;
}

# The answer's columns are the number and the ids, which it may choose.
sub purge
{
	my ($self, $asked) = @_;
	my %may = map { $_->{id} => $_ } $self->purgeable($asked->{older_than});
	my @errors;

	push @errors, '22023' if $asked->{older_than} < 0 || $asked->{batch_size} < 1;
	return \@errors, sub {
		my ($count, @ids) = @_;
		my %taken = map { $_ => 1 } grep { $may{$_} } @ids;

		$self->forget($may{$_}, 'purged') foreach grep { $may{$_} } @ids;
		my $keys = $self->forget_keys($asked->{batch_size});
		return [ $keys, sort keys %taken ] if !%may;
		return [ scalar keys %taken, sort keys %taken ] if $self->may_be_number($count, $asked, scalar keys %may);
		return [ min($asked->{batch_size}, scalar keys %may), sort keys %taken ];
	};
}

# At least one, if there are any: one that is both revoked and expired may
# take the place of two.
sub may_be_number
{
	my ($self, $count, $asked, $there) = @_;

	return $count <= min($asked->{batch_size}, $there) && ($count > 0 || !$there);
}

# Says how many; where there was no token it is the answer of purge.
sub forget_keys
{
	my ($self, $batch_size) = @_;
	my $keys = $self->{state}{keys};
	my @old = grep { $keys->{$_} + $DAY <= $self->{now} } keys %$keys;

	@old = sort { $keys->{$a} <=> $keys->{$b} } @old;
	@old = splice @old, 0, $batch_size;
	delete @$keys{@old};
	return scalar @old;
}

# --- realms ---

sub new_realm
{
	my ($self, $id, %policy) = @_;
	my $realm = $self->{state}{realms}{$id} = { enabled => 1, notify => 0, prefix => 'tok', %policy };

	$self->event('realm_created', undef, $id);
	return $realm;
}

sub change_realm
{
	my ($self, $id, %changes) = @_;
	my $realm = $self->realm($id);
	my $flat = sub { ref $_[0] ? join ' ', @{ $_[0] } : $_[0] // '' };

	return if all { $flat->($realm->{$_}) eq $flat->($changes{$_}) } keys %changes;
	%$realm = (%$realm, %changes);
	$self->event('realm_updated', undef, $id);
	return;
}

1;
