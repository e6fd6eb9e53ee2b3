# Random operations against the extension and against a plain model (Model.pm),
# compared after each: the answer or its SQLSTATE, all tokens, the outcome of
# every secret that was ever seen, the events, and what follows from them.
#
# The clock stands still and is moved between operations (Clock.pm), so that
# every time is exact, also the last second of a life; skipped where there is
# no C compiler.  No worker can be had: nothing happens that was not asked for.
#
#	APITOKEN_TEST_SEED         the first of the seeds, one a run
#	APITOKEN_MODEL_RUNS        so many runs
#	APITOKEN_MODEL_OPERATIONS  so many operations in each

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use Digest::SHA qw(sha256_hex);
use IO::Handle;
use IPC::Open3;
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;
use Clock;
use Model;
use Operations;

plan skip_all => 'no C compiler' unless make_clock();

my $START = 1_900_000_000;
my $DEAD_SECRETS = 20;
my $operations = $ENV{APITOKEN_MODEL_OPERATIONS} // 1000;
my $runs = $ENV{APITOKEN_MODEL_RUNS} // 3;
my $first_seed = random_seed();

my $node = new_node('main');
$node->append_conf('postgresql.conf', "max_worker_processes = 0\n");
stop_clock($START);
on_clock { $node->start };

# --- what the extension has, and what the model has ---

sub epoch { return map { "extract(epoch FROM $_)::bigint" } @_ }
sub line { my ($tag, @columns) = @_; return join '|', $tag, map { $_ // '' } @columns }

my $TOKENS = "SELECT 'token', " . join(', ',
	map({ "v.$_" } qw(id public_id realm name description status kind principal client_id scopes allowed_addresses partial)),
	epoch(map { "v.$_" } qw(created_at not_before expires_at updated_at status_changed_at)),
	'v.status_reason', 'v.version', 'v.use_count',
	epoch(qw(v.last_used_at t.previous_expires_at t.rotated_at t.granted_ttl)))
  . ' FROM apitoken.tokens v JOIN apitoken._token t ON t.id = v.id ORDER BY v.id';

sub token_lines
{
	return map {
		my $token = $_;
		my $status = $token->{status} eq 'active' && $model->expired($token) ? 'expired' : $token->{status};

		line('token', $token->{id}, Model::public_id($token), @$token{qw(realm name description)}, $status,
			@$token{qw(kind principal client_id scopes allowed_addresses)},
			Model::public_id($token) . '...' . ($token->{last_chars} // ''),
			@$token{qw(created_at not_before expires_at updated_at status_changed_at status_reason version)},
			$model->used($token->{id}), @$token{qw(previous_expires_at rotated_at granted_ttl)})
	} sort { $a->{id} cmp $b->{id} } $model->tokens;
}

my $VERIFIED = "valid::integer, outcome, id, realm, name, kind, principal, client_id, array_to_string(scopes, ' '), "
  . join '', epoch('expires_at');

# All secrets in one call, one by its SHA-256, one by the cheapest form.
sub check_verification
{
	my ($outcomes) = @_;
	my ($scope, $address) = (one_of(@REQUIRED), one_of(@ADDRESSES));
	my $use = literal($scope) . ', ' . literal($address);
	my ($by_hash) = grep { Model::possible($_) } shuffle(@secrets);
	my $cheap = one_of(@secrets);
	my $known = $model->secrets;
	my ($sql, @expected, $answer);

	return ('', []) unless defined $by_hash;
	$sql = "SELECT 'verify', $VERIFIED FROM apitoken.verify_many(" . list(\@secrets, 'text') . ", $use) ORDER BY ordinality;\n"
	  . "SELECT 'sha256', $VERIFIED FROM apitoken.verify_sha256('\\x" . sha256_hex($by_hash) . "', $use);\n"
	  . "SELECT 'id', apitoken.verified_id(" . literal($cheap) . ", $use);\n";
	foreach my $secret (@secrets)
	{
		$answer = $model->verify($known, $secret, $scope, $address);
		$outcomes->{ $answer->[1] }++;
		push @expected, line('verify', @$answer);
	}
	push @expected, line('sha256', @{ $model->verify($known, $by_hash, $scope, $address) });
	$answer = $model->verify($known, $cheap, $scope, $address);
	push @expected, line('id', $answer->[0] ? $answer->[2] : undef);
	return ($sql, \@expected);
}

# What is derived from the history and by index: now and then, and the history
# also for a moment that has passed.
sub check_reports
{
	my $realm = one_of(sort keys %REALMS);
	my $scope = one_of('api.read', 'api.write', 'metrics.build', 'api.*', 'other');
	my $everywhere = rand() < 0.3;
	my $then = one_of(@{ $model->{state}{history} });
	my $sql = "SELECT 'granting', id FROM apitoken.tokens_granting("
	  . literal($scope) . ', ' . literal($everywhere ? undef : $realm) . ") ORDER BY id;\n"
	  . "SELECT 'now', id, array_to_string(scopes, ' ') FROM apitoken.tokens_at(" . at($model->{now}) . ", '$realm') ORDER BY id;\n";
	my @expected = (
		map({ line('granting', $_) } sort $model->granting($scope, $everywhere ? undef : $realm)),
		map({ line('now', $_) } $model->valid_at_now($realm)));

	if ($then)
	{
		$sql .= "SELECT 'then', id, array_to_string(scopes, ' ') FROM apitoken.tokens_at("
		  . at($then->{at}) . ", '$then->{realm}') ORDER BY id;\n";
		push @expected, map { line('then', $_) } @{ $then->{valid} };
	}
	return ($sql, \@expected);
}

sub check_events
{
	my $state = $model->{state};
	my $sql = "SELECT 'event', event, token_id, realm, id FROM apitoken._event WHERE id > $last_event ORDER BY id;\n"
	  . "SELECT 'count', (SELECT count(*) FROM apitoken._event), (SELECT count(*) FROM apitoken._event_unsealed), "
	  . "(SELECT count(*) FROM apitoken._idempotency), (SELECT count(*) FROM apitoken._usage)";
	my @expected = (
		map({ "event|$_" } @{ $state->{events} }),
		line('count', $state->{event_count}, $state->{unsealed},
			scalar keys %{ $state->{keys} }, scalar $model->tokens));

	$state->{events} = [];
	return ($sql, \@expected);
}

# --- a run ---

my ($session, @log, %done);

# A psql that is read line by line, errors among the rest: there are thousands
# of questions, and each is answered at once.
sub start_psql
{
	my ($database) = @_;

	$session = { marks => 0 };
	$session->{pid} = open3($session->{in}, $session->{out}, undef, 'psql', '-XAtq',
		'-v', 'VERBOSITY=sqlstate', '-d', $node->connstr($database), '-f', '-');
	return;
}

sub stop_psql
{
	close $session->{in};
	waitpid $session->{pid}, 0;
	return;
}

# What SQL prints, or "ERROR <SQLSTATE>".
sub question
{
	my ($sql) = @_;
	my $mark = 'answered ' . ++$session->{marks};
	my ($in, $out) = @$session{qw(in out)};
	my $answer = '';

	print $in "$sql;\n\\echo $mark\n";
	$in->flush;
	while (1)
	{
		my $line = readline($out) // die "psql has ended: $answer";

		last if $line eq "$mark\n";
		$answer .= $line;
	}
	return $answer =~ /(?:ERROR|FATAL):\s+(\w+)/ ? "ERROR $1" : $answer =~ s/\n\z//r;
}

sub command
{
	my ($sql) = @_;

	push @log, ($model->{now} - $START) . " s: $sql";
	return question($sql);
}

sub deviation
{
	my ($what, @lines) = @_;

	diag(map { "$_\n" } @log);
	diag(map { "$_\n" } "$what:", @lines);
	return 0;
}

# The first lines that differ.
sub compare_lines
{
	my ($got, $expected) = @_;

	for my $i (0 .. ($#$got > $#$expected ? $#$got : $#$expected))
	{
		my ($is, $shall) = ($got->[$i] // '(nothing)', $expected->[$i] // '(nothing)');

		next if $is eq $shall;
		return deviation('the state is not that of the model', "extension: $is", "model:     $shall");
	}
	return 1;
}

# Everything, or after the model has been brought back.
sub compare_state
{
	my ($reports) = @_;
	my @expected = token_lines();
	my $sql = "$TOKENS;\n";
	my @got;

	foreach my $check (check_verification(\%done), $reports ? check_reports() : (), check_events())
	{
		if (ref $check) { push @expected, @$check }
		else { $sql .= $check }
	}
	@got = split /\n/, question($sql);
	foreach (@got)
	{
		$last_event = $2 if s/\A(event\|.*)\|(\d+)\z/$1/;
	}
	return compare_lines(\@got, \@expected);
}

# The answer as columns, one list a row.
sub columns { my ($answer) = @_; return map { [ split /\|/, $_, -1 ] } split /\n/, $answer }

# What the model makes of a successful answer, against that answer.
sub compare_answer
{
	my ($method, $apply, $answer) = @_;
	my @rows = columns($answer);
	my ($got, $expected);

	if ($method eq 'purge')
	{
		my ($count, @ids) = map { $_->[0] } @rows;

		$expected = [ $apply->($count, @ids) ];
		@rows = [ $count, sort @ids ];
	}
	else
	{
		$expected = $apply->(@{ $rows[0] // [] });
		$expected = [$expected] unless $method eq 'revoke_all';
	}
	$got = join "\n", map { line('', @$_) } @rows;
	$expected = join "\n", map { line('', @$_) } @$expected;
	return $got eq $expected
	  || deviation('the answer is not that of the model', "extension: $got", "model:     $expected");
}

# An error where there must be one, and one of those that it may be.
sub compare_error
{
	my ($answer, $errors) = @_;
	my ($state) = $answer =~ /\AERROR (\w+)/;
	my $expected = join ' or ', @$errors;

	$state //= 'none';
	return 1 if grep { $_ eq $state } @$errors ? @$errors : 'none';
	return deviation('the error is not that of the model', "extension: $state", 'model:     ' . ($expected || 'none'));
}

# After an error the transaction goes back to its last savepoint, or is over.
sub recover
{
	return unless $model->in_transaction;
	if ($model->in_transaction > 1)
	{
		command('ROLLBACK TO s' . $model->in_transaction);
		$model->rollback_to;
	}
	else
	{
		command('ROLLBACK');
		$model->rollback;
	}
	return;
}

sub do_operation
{
	my ($sql, $method, $a) = choose_operation()->();
	my ($errors, $apply) = $method ? $model->$method($a) : ([]);
	my $answer = command($sql);

	return 0 unless compare_error($answer, $errors);
	if (@$errors)
	{
		$done{"$method fails"}++;
		recover();
		return 1;
	}
	$done{ $method // 'realm' }++;
	if ($method)
	{
		compare_answer($method, $apply, $answer) or return 0;
		push @secrets, (columns($answer))[0][1] if $method =~ /\A(?:issue|rotate)\z/;
	}
	else
	{
		my $realm = delete $a->{id};

		$model->change_realm($realm, %$a);
	}
	$model->commit unless $model->in_transaction;
	return 1;
}

# Begins or ends a transaction or a savepoint, or does not.
sub do_transaction
{
	my $depth = $model->in_transaction;
	my $chance = rand;
	my $what =
	    !$depth ? ($chance < 0.1 ? 'BEGIN' : undef)
	  : $chance < 0.10 || $depth == 1 && $chance > 0.5 ? 'SAVEPOINT s' . ($depth + 1)
	  : $chance < 0.18 ? 'COMMIT'
	  : $chance < 0.24 ? 'ROLLBACK'
	  : $depth == 1 ? undef
	  : $chance < 0.32 ? "ROLLBACK TO s$depth"
	  : $chance < 0.38 ? "RELEASE s$depth"
	  : undef;

	return unless $what;
	command($what);
	my ($method) = lc($what) =~ /\A(rollback to|\w+)/;
	$method =~ tr/ /_/;
	$model->$method;
	$done{$method}++;
	return;
}

# Not at all, a while, or exactly to the next moment that matters, or a second
# before it.  What was true then, the history must still say later.
sub move_clock
{
	my $now = $model->{now};
	my $realm = one_of(sort keys %REALMS);
	my @moments = sort { $a <=> $b } grep { defined && $_ > $now }
	  map { @$_{qw(not_before expires_at previous_expires_at)} } $model->tokens;
	my $history = $model->{state}{history};

	return if rand() < 0.6;
	push @$history, { at => $now, realm => $realm, valid => [ $model->valid_at_now($realm) ] };
	splice @$history, int rand @$history, 1 if @$history > 20;
	$model->{now} =
		@moments && rand() < 0.4 ? $moments[0] - int rand 1.5
	  : $now + one_of(1, 60, 600, 600, $HOUR, int rand 3 * $HOUR);
	$model->{now} = $now + 1 if $model->{now} <= $now;
	stop_clock($model->{now});
	return;
}

# Secrets that nobody knows any more are tried for a while.
sub forget_secrets
{
	my $known = $model->secrets;
	my (%seen, @dead, %drop);

	@secrets = grep { !$seen{$_}++ } @secrets;
	@dead = grep { !$known->{$_} } @secrets;
	%drop = map { $_ => 1 } splice @dead, 0, @dead - $DEAD_SECRETS if @dead > $DEAD_SECRETS;
	@secrets = grep { !$drop{$_} } @secrets;
	return;
}

# Use is written, and events are sealed: neither changes what is seen.
sub do_upkeep
{
	my $chance = rand;

	if ($chance < 0.02)
	{
		command('SELECT apitoken.flush_usage()');
		$model->flush;
		$done{flush}++;
	}
	elsif ($chance < 0.03)
	{
		my $sealed = command('SELECT apitoken.seal_events()');

		return deviation('not all was sealed', "extension: $sealed", "model:     $model->{state}{unsealed}")
		  if $sealed ne $model->{state}{unsealed};
		$model->{state}{unsealed} = 0;
		$done{seal}++;
	}
	$model->commit unless $model->in_transaction;
	return 1;
}

sub run
{
	my ($seed) = @_;
	my $database = "run$seed";
	my $listener;

	srand($seed);
	stop_clock($START);
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION apitoken');
	start_psql($database);
	$listener = session($node, $database);
	$model = Model->new($START);
	@log = ("seed $seed");
	@secrets = ('short', 'nobody-has-this-one');
	$last_event = 0;
	$listener->query('LISTEN apitoken');
	command($_) foreach new_realms();
	$model->commit;
	return 0 unless compare_state(1);

	foreach my $n (1 .. $operations)
	{
		do_transaction();
		return 0 unless do_upkeep() && do_operation() && compare_state($n % 8 == 0);
		forget_secrets();
		move_clock();
	}
	if ($model->in_transaction)
	{
		command('COMMIT');
		$model->commit;
	}
	return compare_end($database, $listener);
}

# What has been announced, and that nothing tells a secret.
sub compare_end
{
	my ($database, $listener) = @_;
	my @announced = $listener->query('SELECT') =~ /payload "(.*)" received/g;
	my @told = sort map { my $n = decode_json($_); "$n->{event} $n->{id}" } @announced;
	my $history = $node->safe_psql($database, 'SELECT e FROM apitoken._event e');

	$listener->quit;
	stop_psql();
	foreach my $secret (grep { length > 8 } @secrets)
	{
		my ($part) = $secret =~ /([^.]+)\z/;

		return deviation('an event tells a secret', $part) if index($history, $part) >= 0;
	}
	return deviation('the history does not agree with its seals')
	  if $node->safe_psql($database, 'SELECT FROM apitoken.check_events()') ne '';
	return compare_lines(\@told, [ sort @{ $model->{notified} } ]);
}

foreach my $seed ($first_seed .. $first_seed + $runs - 1)
{
	ok(run($seed), "seed $seed: $operations operations, as the model does");
}
note map { "$_: $done{$_}\n" } sort keys %done;

# What never happened was not compared.
my @outcomes = qw(malformed unknown superseded revoked suspended realm_disabled
  not_yet_valid expired idle address_denied scope_denied valid);
my @methods = qw(issue import_token rotate end_grace update suspend activate
  revoke revoke_self delete_token purge);
my @others = qw(revoke_all realm flush seal begin savepoint rollback_to release
  rollback commit);
is(join(' ', grep { !$done{$_} } @outcomes, @methods, map({ "$_ fails" } @methods), @others),
	'', 'everything has happened');

$node->stop;
done_testing();
