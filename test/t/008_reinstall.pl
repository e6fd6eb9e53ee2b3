# DROP and CREATE EXTENSION while other sessions have warm caches and prepared
# statements: right answers or a clear error, never a wrong one.  Nothing of
# somebody else is adopted at installation, and nothing of somebody else runs,
# however the search_path is set.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $node = new_node('main');
$node->start;

my $realm = q{INSERT INTO apitoken.realm (id, prefix) VALUES ('acme', 'dt0c01')};
$node->safe_psql('postgres', "CREATE EXTENSION apitoken; $realm");
my ($id, $token) = issue($node, q{'acme', 'first', '{a}'});

# --- warm sessions ---

# One that has called everything, one with a generic plan prepared.
my $warm     = session($node);
my $prepared = session($node);
my $answers  = join ' ', split /\n\s*/, qq{
	SELECT v.outcome, apitoken.verified_id('$token') IS NOT NULL,
		s.outcome, apitoken.lookup('$token') ->> 'name',
		(SELECT count(*) FROM apitoken.tokens)
	FROM apitoken.verify('$token', 'a') v,
		apitoken.verify_sha256(sha256('$token'), 'a') s};
ask($prepared, 'SET plan_cache_mode = force_generic_plan');
ask($prepared, "PREPARE answers AS $answers");

sub both_answer
{
	my ($expected, $name) = @_;

	is(ask($warm,     $answers),          $expected, "$name: warm session");
	is(ask($prepared, 'EXECUTE answers'), $expected, '... prepared statement');
	return;
}

# What may be said while the extension is not there.
my $gone = qr/^ERROR (3F000|42883|42P01|55000)$/;

both_answer('valid|t|valid|first|1', 'to begin with');

foreach my $round (1 .. 2)
{
	$node->safe_psql('postgres', 'DROP EXTENSION apitoken');
	like(ask($warm, $answers), $gone, "dropped, time $round: an error");
	like(ask($prepared, 'EXECUTE answers'), $gone, '... prepared as well');

	$node->safe_psql('postgres', 'CREATE EXTENSION apitoken');
	both_answer('unknown|f|unknown||0', 'created anew');
	is(ask($warm, q{SELECT apitoken.issue('acme', 'x')}),
		'ERROR 42704', '... no realm is remembered');

	$node->safe_psql('postgres',
		"$realm; SELECT apitoken.import('acme', 'again', '$token', scopes => '{a}')");
	both_answer('valid|t|valid|again|1', 'imported into the new one');
	$node->safe_psql('postgres', 'UPDATE apitoken.realm SET enabled = false');
	both_answer('realm_disabled|f|realm_disabled|again|1', 'realm switched off');
	$node->safe_psql('postgres', 'UPDATE apitoken.realm SET enabled = true');
}

# Who is verifying holds the extension.
ask($warm, 'BEGIN');
ask($warm, $answers);
is(sqlstate($node, "SET lock_timeout = '100ms'; DROP EXTENSION apitoken"),
	'ERROR 55P03', 'a transaction that has verified keeps it from being dropped');
is(ask($warm, $answers), 'valid|t|valid|again|1', '... and goes on');
ask($warm, 'COMMIT');

# Dropped and created anew in one transaction, and that rolled back.
$node->safe_psql('postgres',
	'BEGIN; DROP EXTENSION apitoken; CREATE EXTENSION apitoken; ROLLBACK');
both_answer('valid|t|valid|again|1', 'a reinstallation that was rolled back');
$node->safe_psql(
	'postgres', "BEGIN; DROP EXTENSION apitoken; CREATE EXTENSION apitoken;
	$realm; SELECT apitoken.import('acme', 'third', '$token', scopes => '{a}'); COMMIT");
both_answer('valid|t|valid|third|1', 'one that was committed at once');

# In the session itself.
ask($warm, "BEGIN; DROP EXTENSION apitoken; CREATE EXTENSION apitoken; $realm");
is(ask($warm, $answers), 'unknown|f|unknown||0', 'inside the transaction');
ask($warm, 'ROLLBACK');
is(ask($warm, $answers), 'valid|t|valid|third|1', '... and after its rollback');

# The table's storage changes under them.
foreach my $command (
	'VACUUM FULL apitoken._token',
	'CLUSTER apitoken._token USING _token_pkey',
	'REINDEX TABLE apitoken._token',
	'REINDEX TABLE CONCURRENTLY apitoken._token',
	'REINDEX TABLE CONCURRENTLY apitoken.realm',
	'VACUUM FULL apitoken.realm',
	'ALTER TABLE apitoken._token ADD COLUMN added text DEFAULT clock_timestamp()::text',
	'ALTER TABLE apitoken._token DROP COLUMN added',
	'ALTER TABLE apitoken._token SET LOGGED',
	'ALTER TABLE apitoken._token SET TABLESPACE pg_default')
{
	$node->safe_psql('postgres', $command);
	both_answer('valid|t|valid|third|1', $command);
}
$node->safe_psql('postgres',
	'BEGIN; TRUNCATE apitoken._token; ROLLBACK');
both_answer('valid|t|valid|third|1', 'a TRUNCATE that was rolled back');

# An index that is missing or not valid is an error and not an answer.
foreach my $index (
	[ '_token_digest_idx', '_token USING hash (digest)', 'verify' ],
	[ '_token_previous_digest_idx', '_token USING hash (previous_digest)', 'verify' ],
	[ 'realm_pkey', undef, 'verify' ],
	[ '_usage_pkey', undef, 'lookup' ])
{
	my ($name, $definition, $function) = @$index;
	my $call = "SELECT apitoken.$function('"
	  . ($name =~ /previous/ ? 'unknown-token' : $token) . q{')};

	ask($warm, $call);
	$node->safe_psql('postgres',
		"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'apitoken.$name'::regclass;
		UPDATE apitoken.realm SET enabled = enabled");
	is(sqlstate($node, $call), 'ERROR 55000',
		"$function: $name not valid is an error");
	is(ask($warm, $call), 'ERROR 55000', '... in a warm session too');
	$node->safe_psql('postgres',
		"UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'apitoken.$name'::regclass");
	next unless $definition;
	is( sqlstate($node, "BEGIN; DROP INDEX apitoken.$name; $call; ROLLBACK"),
		'ERROR 55000',
		'... dropped in the same transaction as well');
	$node->safe_psql('postgres', "DROP INDEX apitoken.$name");
	is(ask($warm, $call), 'ERROR 55000', '... dropped by another session');
	$node->safe_psql('postgres', "CREATE INDEX $name ON apitoken.$definition");
	unlike(ask($warm, $call), qr/ERROR/, '... and created anew');
}
both_answer('valid|t|valid|third|1', 'with all indexes again');

# A session that looks for the index of realms has taken its snapshot already.
# Who holds it up there and switches the realm off must be heard afterwards:
# what was read with that snapshot must not be remembered.
my $late   = session($node);
my $holder = session($node);
ask($holder, 'BEGIN; ALTER INDEX apitoken.realm_pkey SET TABLESPACE pg_default');
$late->query_until(qr/started/,
	"\\echo started\nSELECT outcome FROM apitoken.verify('$token');\n");
$node->poll_query_until('postgres',
	q{SELECT count(*) = 1 FROM pg_locks
	WHERE NOT granted AND relation = 'apitoken.realm_pkey'::regclass})
  or die 'nobody waits for the index';
ask($holder, q{UPDATE apitoken.realm SET enabled = false; COMMIT});
like(ask($late, 'SELECT 1'), qr/^(valid|realm_disabled)\n1$/,
	'a verification that began before a realm was switched off');
is(ask($late, "SELECT outcome FROM apitoken.verify('$token')"),
	'realm_disabled', '... and the next one, which began after');
ask($holder, 'UPDATE apitoken.realm SET enabled = true');
$_->quit foreach $late, $holder;

# A partial index that leaves tokens out is no index for this.
is( sqlstate(
		$node, qq{
		BEGIN;
		DROP INDEX apitoken._token_digest_idx;
		CREATE INDEX ON apitoken._token USING hash (digest) WHERE status = 'a';
		SELECT outcome FROM apitoken.verify('$token')}),
	'ERROR 55000',
	'a partial index is not taken for a whole one');
$warm->quit;
$prepared->quit;

# --- what DROP leaves ---

$node->safe_psql('postgres', 'DROP EXTENSION apitoken');
is( $node->safe_psql(
		'postgres', q{
		SELECT to_regnamespace('apitoken') IS NULL,
			(SELECT count(*) FROM pg_proc WHERE probin ~ 'apitoken'),
			(SELECT count(*) FROM pg_cast c JOIN pg_type t ON t.oid = c.castsource
				WHERE t.typname IN ('digest', 'scopes'))}),
	't|0|0',
	'nothing is left of a dropped extension');

# --- somebody else was there first ---

$node->safe_psql(
	'postgres', q{
	CREATE ROLE mallory;
	GRANT CREATE ON DATABASE postgres TO mallory;
	SET SESSION AUTHORIZATION mallory;
	CREATE SCHEMA apitoken;
	CREATE FUNCTION apitoken.version() RETURNS text LANGUAGE sql AS 'SELECT ''mine''';
});
is(sqlstate($node, 'CREATE EXTENSION apitoken'),
	'ERROR 42P06', 'a schema that was there before is not adopted');
is($node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_extension WHERE extname = 'apitoken'}),
	'0', '... and nothing is installed');
is(sqlstate($node, 'CREATE EXTENSION apitoken SCHEMA apitoken'),
	'ERROR 0A000', '... nor when it is asked for');
$node->safe_psql('postgres', 'DROP SCHEMA apitoken CASCADE');
is( sqlstate($node,
		'SET SESSION AUTHORIZATION mallory; CREATE EXTENSION apitoken'),
	'ERROR 42501', 'who is no superuser cannot install it');

# The script itself is not to be run by hand.
my $script = $node->safe_psql(
	'postgres', q{
	SELECT setting FROM pg_config WHERE name = 'SHAREDIR'}) . '/extension';
my ($version) =
  slurp("$root/apitoken.control") =~ /^default_version\s*=\s*'([^']+)'/m;
SKIP:
{
	my ($path) = grep { -e $_ } "$root/apitoken--$version.sql",
	  "$script/apitoken--$version.sql";
	skip 'the install script is elsewhere', 2 if !defined $path;

	my ($out, $err) =
	  run_command([ 'psql', '-X', '-d', $node->connstr('postgres'), '-f', $path ]);
	like($out, qr/^Use "CREATE EXTENSION apitoken"/,
		'the install script refuses psql');
	is($node->safe_psql('postgres', q{SELECT to_regnamespace('apitoken')}),
		'', '... and does nothing');
}

# --- look-alikes first in the search_path ---

# Functions and operators with the names of all that core has and the extension
# may call, for the argument types that it uses them with; any of them raises.
# As nobody knows which are called, take those that the sources name, and all
# operators of these types.
my $evil = q{
	CREATE SCHEMA evil;
	GRANT ALL ON SCHEMA evil TO PUBLIC;
	DO $do$
	DECLARE
		f record;
		n int := 0;
	BEGIN
		-- exact twins, which come first when their schema does
		FOR f IN
			SELECT p.oid, proname, pg_get_function_identity_arguments(p.oid) AS args,
				prorettype::regtype AS result, proretset
			FROM pg_proc p
			WHERE pronamespace IN ('pg_catalog'::regnamespace)
				AND prokind = 'f' AND prorettype <> 'trigger'::regtype
				AND proname IN ('char_length', 'isfinite', 'jsonb_typeof',
					'clock_timestamp', 'statement_timestamp', 'now',
					'unnest', 'date', 'timezone', 'timestamptz_mi_interval',
					'array_to_string', 'concat', 'host', 'text', 'lower', 'coalesce',
					'length', 'textregexeq', 'texteq', 'uuid_eq', 'chareq',
					'timestamptz_le', 'interval_gt', 'interval_ge', 'interval_le',
					'int4gt', 'byteacmp', 'timestamptz_pl_interval')
				AND NOT 'internal'::regtype = ANY (proargtypes)
				AND NOT 'cstring'::regtype = ANY (proargtypes)
		LOOP
			EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS '
				|| '$f$ BEGIN RAISE EXCEPTION ''evil ran: %s''; END $f$',
				f.proname, regexp_replace(f.args, 'VARIADIC "any"', 'VARIADIC text[]'),
				CASE WHEN f.proretset THEN 'SETOF ' ELSE '' END, f.result, f.proname);
			n := n + 1;
		END LOOP;
		FOR f IN
			SELECT DISTINCT oprname, oprleft::regtype AS l, oprright::regtype AS r
			FROM pg_operator
			WHERE oprleft <> 0 AND oprleft = oprright
				AND oprname IN ('=', '<>', '<', '<=', '>', '>=', '~', '+', '-', '@>', '||')
				AND oprleft::regtype::text IN ('text', 'uuid', '"char"', 'inet', 'bytea',
					'timestamp with time zone', 'interval', 'integer', 'bigint', 'boolean',
					'jsonb', 'name', 'oid')
		LOOP
			n := n + 1;
			EXECUTE format('CREATE FUNCTION evil.op%s(%s, %s) RETURNS boolean LANGUAGE plpgsql AS '
				|| '$f$ BEGIN RAISE EXCEPTION ''evil ran: operator''; END $f$', n, f.l, f.r);
			EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.op%s, LEFTARG = %s, RIGHTARG = %s)',
				f.oprname, n, f.l, f.r);
		END LOOP;
		IF n < 60 THEN
			RAISE EXCEPTION 'only % look-alikes', n;
		END IF;
	END $do$;
	-- the extension's own names
	CREATE FUNCTION evil.verify(token text, scope text DEFAULT NULL, address inet DEFAULT NULL)
		RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'evil ran: verify'; END $f$;
	CREATE FUNCTION evil._public_id(prefix text, id uuid)
		RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'evil ran: _public_id'; END $f$;
	CREATE FUNCTION evil._realm_changed() RETURNS trigger LANGUAGE plpgsql AS
		$f$ BEGIN RAISE EXCEPTION 'evil ran: trigger'; END $f$;
	CREATE FUNCTION evil._realm_guard() RETURNS trigger LANGUAGE plpgsql AS
		$f$ BEGIN RAISE EXCEPTION 'evil ran: trigger'; END $f$;
	CREATE TABLE evil.realm (id text PRIMARY KEY, enabled boolean);
	CREATE TABLE evil._token (id uuid PRIMARY KEY, digest bytea);
	CREATE TABLE evil._usage (token_id uuid PRIMARY KEY);
	CREATE VIEW evil.tokens AS SELECT 1 AS id;
	CREATE DOMAIN evil.digest AS bytea CHECK (false);
	CREATE DOMAIN evil.scopes AS pg_catalog.text CHECK (false);
	CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false);
	CREATE DOMAIN evil.uuid AS pg_catalog.uuid CHECK (false);
	CREATE DOMAIN evil."char" AS pg_catalog."char" CHECK (false);
	CREATE DOMAIN evil.timestamptz AS pg_catalog.timestamptz CHECK (false);
	CREATE DOMAIN evil."interval" AS pg_catalog."interval" CHECK (false);
	CREATE DOMAIN evil.inet AS pg_catalog.inet CHECK (false);
	CREATE DOMAIN evil.jsonb AS pg_catalog.jsonb CHECK (false);
	CREATE DOMAIN evil.int8 AS pg_catalog.int8 CHECK (false);
};

# The same as temporary objects: types and tables are looked for there before
# anything else.
my $temporary = q{
	SET client_min_messages = error;
	CREATE TEMP TABLE realm (id pg_catalog.text PRIMARY KEY, enabled boolean);
	CREATE TEMP TABLE _token (id pg_catalog.uuid PRIMARY KEY, digest bytea);
	CREATE TEMP TABLE _usage (token_id pg_catalog.uuid PRIMARY KEY);
	CREATE TEMP TABLE tokens (id pg_catalog.uuid);
	CREATE TEMP TABLE pg_class (oid pg_catalog.oid);
	CREATE TEMP TABLE pg_namespace (oid pg_catalog.oid);
	CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (false);
	CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid CHECK (false);
	CREATE DOMAIN pg_temp.scopes AS pg_catalog.text CHECK (false);
	CREATE DOMAIN pg_temp.digest AS bytea CHECK (false);
	SET search_path = pg_temp, evil, pg_catalog;
};

$node->safe_psql('postgres', 'CREATE DATABASE attacked');
$node->safe_psql('attacked', $evil);

# It is there: who does not qualify runs into it.
my ($status, $out, $err) =
  $node->psql('attacked', q{SET search_path = evil, pg_catalog; SELECT now() IS NULL});
like($err, qr/evil ran/, 'the trap works: a function');
($status, $out, $err) = $node->psql('attacked',
	q{SET search_path = evil, pg_catalog; SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text});
like($err, qr/evil ran/, '... an operator');

is(sqlstate($node, "$temporary CREATE EXTENSION apitoken",
		database => 'attacked'),
	'', 'installed with look-alikes first in the path');
my $members = q{
	SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'apitoken')
	ORDER BY 1};
$node->safe_psql('postgres', 'CREATE EXTENSION apitoken');
is($node->safe_psql('attacked', $members),
	$node->safe_psql('postgres', $members),
	'... it has the same objects as elsewhere');

# Everything, in one session that sees the look-alikes first; any of them that
# ran would raise.  Literals are of no type until a function has been chosen.
my $everything = qq{
	INSERT INTO apitoken.realm (id, name, prefix, default_ttl, max_ttl, max_idle,
		max_active_per_principal, known_scopes, access_token_ttl,
		token_endpoint_url, oidc_issuer_url, idp_id, idp_domain, metadata)
	VALUES ('acme', 'Acme', 'dt0c01', '1 day', '2 days', '1 day', 3, 'a b', '1 hour',
		'https://a.b/c', 'https://a.b/d', 'i', 'd', '{}');
	INSERT INTO apitoken.realm (id) VALUES ('second');
	UPDATE apitoken.realm SET id = 'third' WHERE id OPERATOR(pg_catalog.=) 'second';
	DELETE FROM apitoken.realm WHERE id OPERATOR(pg_catalog.=) 'third';
	SELECT id AS new_id, token AS new_token FROM apitoken.issue('acme', 'one', '{a}',
		allowed_addresses => '{10.0.0.0/8}', metadata => '{}') \\gset
	SELECT apitoken.import('acme', 'two', '$Apitoken::sample', principal => 'p') AS sample_id \\gset
	SELECT outcome FROM apitoken.verify(:'new_token', 'a', '10.0.0.1');
	SELECT outcome FROM apitoken.verify(:'new_token', 'b', '10.0.0.1');
	SELECT outcome FROM apitoken.verify_sha256(pg_catalog.sha256('nothing'));
	SELECT pg_catalog.count(apitoken.verified_id(:'new_token', 'a', '::ffff:10.0.0.1'));
	SELECT apitoken.lookup('$Apitoken::sample') OPERATOR(pg_catalog.->>) 'name';
	BEGIN;
	SELECT pg_catalog.count(apitoken.authenticate(:'new_token', 'a', '10.0.0.1'));
	SELECT apitoken.current_realm(), apitoken.current_principal(), apitoken.has_scope('a'),
		apitoken.current_token() OPERATOR(pg_catalog.=) :'new_id';
	ROLLBACK;
	SELECT status FROM apitoken.suspend(:'new_id');
	SELECT status FROM apitoken.activate(:'new_id');
	SELECT status FROM apitoken.revoke(:'new_id', 'because');
	SELECT apitoken.check_token(:'new_token');
	SELECT pg_catalog.count(apitoken.token_digest(:'new_token'));
	SELECT apitoken.version() OPERATOR(pg_catalog.~) '.';
	SELECT name, status, scopes, allowed_addresses, last_used_at IS NULL, use_count
	FROM apitoken.tokens ORDER BY name COLLATE pg_catalog."C" USING OPERATOR(pg_catalog.<);
	SELECT outcome FROM apitoken.verify_many(ARRAY[:'new_token', 'x']);
	SELECT apitoken.flush_usage() OPERATOR(pg_catalog.>) 0;
	SELECT pg_catalog.count(*) FROM apitoken.usage_hourly WHERE outcome OPERATOR(pg_catalog.=) 'valid';
	SELECT pg_catalog.count(*) FROM apitoken.usage_daily WHERE outcome OPERATOR(pg_catalog.=) 'revoked';
	UPDATE apitoken.realm SET max_idle = '1 hour';
	UPDATE apitoken._token SET created_at = '2020-01-01' WHERE name OPERATOR(pg_catalog.=) 'two';
	SELECT name FROM apitoken.idle_tokens;
	SELECT outcome FROM apitoken.verify('$Apitoken::sample');
	UPDATE apitoken.realm SET max_idle = NULL;
	SELECT usage_tracked, last_flush_error FROM apitoken.stats();
	SELECT 'b a'::apitoken.scopes OPERATOR(apitoken.@>) 'a',
		'a'::apitoken.scopes OPERATOR(apitoken.+) 'b',
		'a b'::apitoken.scopes OPERATOR(apitoken.-) 'b',
		apitoken.scope_count('a b');
	SELECT pg_catalog.count(*) FROM apitoken._token
	WHERE scopes OPERATOR(apitoken.@>) 'a' AND digest OPERATOR(apitoken.=) digest;
};
my $expected = join "\n", 'valid', 'scope_denied', 'unknown', '1', 'two',
  '1', 'acme||t|t', 'suspended', 'active', 'revoked', 't', '1', 't',
  'one|revoked|a|10.0.0.0/8|f|3', 'two|active|||t|0', 'revoked', 'malformed',
  't', '1', '1', 'two', 'idle', 't|', 't|a b|a|2', '1';
is(sqlstate($node, "$temporary $everything", database => 'attacked'),
	$expected, 'everything works beside them, as superuser');

# The whole life of tokens, of which revoke_all() runs SQL.
is( sqlstate(
		$node, qq{
		$temporary
		INSERT INTO apitoken.realm (id, max_active_per_principal, known_scopes, notify)
		VALUES ('life', 2, 'a b', true);
		SELECT id AS life_id, token AS first FROM apitoken.issue('life', 'one', '{a}',
			principal => 'p', client_id => 'c', idempotency_key => 'k') \\gset
		SELECT token AS second FROM apitoken.rotate(:'life_id', '1 hour', '1 day') \\gset
		SELECT outcome FROM apitoken.verify(:'first');
		SELECT status FROM apitoken.end_grace(:'life_id');
		SELECT version FROM apitoken.update(:'life_id', name => 'two', scopes => '{b}', clear => '{client_id}', version => 2);
		SELECT name FROM apitoken.revoke_all('life', 'p', scope => 'b', dry_run => true);
		SELECT name FROM apitoken.revoke_all('life', 'p', scope => 'b');
		SELECT apitoken.revoke_self(:'second');
		SELECT status FROM apitoken.delete(:'life_id');
		SELECT id AS third_id, token AS third FROM apitoken.issue('life', 'three') \\gset
		SELECT apitoken.revoke_self(:'third');
		SELECT status FROM apitoken.delete(:'third_id');
		SELECT apitoken.purge('1 day');
		UPDATE apitoken.realm SET notify = false WHERE id OPERATOR(pg_catalog.=) 'life';
		DELETE FROM apitoken.realm WHERE id OPERATOR(pg_catalog.=) 'life';
		SELECT pg_catalog.count(*) FROM apitoken._event WHERE realm OPERATOR(pg_catalog.=) 'life'},
		database => 'attacked'),
	"valid\nactive\n3\ntwo\ntwo\nf\ndeleted\nt\ndeleted\n0\n12",
	'... and for the whole life of a token');

# As a role with its own temporary objects, by GRANT.
$node->safe_psql(
	'attacked', q{
	GRANT USAGE ON SCHEMA apitoken TO mallory;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA apitoken TO mallory;
	GRANT SELECT ON apitoken.tokens TO mallory;
});
is( sqlstate(
		$node, qq{
		SET SESSION AUTHORIZATION mallory;
		$temporary
		SELECT outcome FROM apitoken.verify('$Apitoken::sample');
		SELECT pg_catalog.count(*) FROM apitoken.tokens;
		SELECT status FROM apitoken.revoke('$Apitoken::sample_id');
		SELECT outcome FROM apitoken.verify('$Apitoken::sample');
		SELECT token AS new_token FROM apitoken.issue('acme', 'x') \\gset
		SELECT outcome FROM apitoken.verify(:'new_token')},
		database => 'attacked'),
	"valid\n2\nrevoked\nrevoked\nvalid",
	'... and as a role with temporary objects of its own');

# Nothing of the extension leans on them.
is(sqlstate($node, 'DROP SCHEMA evil CASCADE', database => 'attacked'),
	'', 'the look-alikes are dropped');
is($node->safe_psql('attacked', $members),
	$node->safe_psql('postgres', $members),
	'... and take nothing of the extension with them');
is( sqlstate($node,
		"SELECT outcome FROM apitoken.verify('$Apitoken::sample')",
		database => 'attacked'),
	'revoked', '... it works as before');

$node->stop;
done_testing();
