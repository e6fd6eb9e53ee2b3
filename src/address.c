/*
 * address.c
 *		The addresses that a token may be used from; see address.h.
 */
#include "postgres.h"
#include "compat.h"

#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/inet.h"

#include "address.h"

AtkNetwork
atk_address_network(const inet *value)
{
	static const unsigned char mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF
	};
	AtkNetwork	network = {
		ip_family(value), ip_bits(value), ip_addr(value)
	};

	if (network.family == PGSQL_AF_INET6 && network.bits >= 96 &&
		memcmp(network.bytes, mapped, sizeof(mapped)) == 0)
	{
		network.family = PGSQL_AF_INET;
		network.bits -= 96;
		network.bytes += sizeof(mapped);
	}
	return network;
}

static bool
inside(AtkNetwork address, AtkNetwork network)
{
	return address.family == network.family &&
		address.bits >= network.bits &&
		bitncmp(address.bytes, network.bytes, network.bits) == 0;
}

bool
atk_address_allowed(ArrayType *networks, const inet *address)
{
	ArrayIterator iterator;
	Datum		element;
	bool		isnull;
	bool		found = false;

	if (ArrayGetNItems(ARR_NDIM(networks), ARR_DIMS(networks)) == 0)
		return true;
	if (address == NULL)
		return false;

	iterator = array_create_iterator(networks, 0, NULL);
	while (!found && array_iterate(iterator, &element, &isnull))
	{
		CHECK_FOR_INTERRUPTS();
		if (!isnull)
			found = inside(atk_address_network(address),
						   atk_address_network(DatumGetInetPP(element)));
	}
	array_free_iterator(iterator);
	return found;
}

bool
atk_address_has_host_bits(const inet *network)
{
	int			bits = ip_bits(network);
	const unsigned char *bytes = ip_addr(network);

	for (int i = bits; i < ip_maxbits(network); i++)
	{
		if (bytes[i / 8] & (0x80 >> (i % 8)))
			return true;
	}
	return false;
}
