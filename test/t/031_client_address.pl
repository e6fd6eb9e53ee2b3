# An event says from where its author was connected: the address over TCP, none
# over a socket, and the same for all of a session.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Apitoken;

my $node = new_node('main');
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION apitoken; INSERT INTO apitoken.realm (id) VALUES ('acme')});

my $change = q{
	SELECT id FROM apitoken.issue('acme', 'token') \gset
	SELECT FROM apitoken.suspend(:'id');
	UPDATE apitoken.realm SET name = current_timestamp::text};
my $tcp = sprintf 'host=127.0.0.1 port=%d dbname=postgres', $node->port;

is($node->safe_psql('postgres', 'SELECT host(inet_client_addr())', connstr => $tcp), '127.0.0.1', 'a client over TCP');
foreach my $case ([ 'over TCP', '127.0.0.1', $tcp ], [ 'over a socket', '', $node->connstr('postgres') ])
{
	my ($name, $address, $connstr) = @$case;
	my $before = $node->safe_psql('postgres', 'SELECT max(id) FROM apitoken._event');

	$node->safe_psql('postgres', $change, connstr => $connstr);
	foreach my $from ('apitoken._event', 'apitoken.events')
	{
		is( $node->safe_psql('postgres', "SELECT event, host(client_addr::inet) FROM $from WHERE id > $before ORDER BY id"),
			"issued|$address\nsuspended|$address\nrealm_updated|$address", "$name: $from");
	}
}
$node->safe_psql('postgres', 'SELECT apitoken.seal_events()', connstr => $tcp);
is($node->safe_psql('postgres', 'SELECT count(*) FROM apitoken.check_events()'), '0', 'sealed, it is whole');
$node->safe_psql('postgres', q{UPDATE apitoken._event SET client_addr = '192.0.2.1' WHERE id = (SELECT max(id) FROM apitoken._event WHERE client_addr IS NOT NULL)});
is($node->safe_psql('postgres', 'SELECT count(*) FROM apitoken.check_events()'), '1', '... and an address that was changed is found out');

$node->stop;
done_testing();
