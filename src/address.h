/*
 * address.h
 *		The addresses that a token may be used from.
 *
 * An IPv4 client that arrives as ::ffff:10.0.0.7 is the client 10.0.0.7, and
 * an allowed network written that way is the IPv4 network: both are compared
 * as IPv4 (RFC 4291 section 2.5.5.2).  Pure: no catalog.
 */
#ifndef ATK_ADDRESS_H
#define ATK_ADDRESS_H

#include "utils/array.h"
#include "utils/inet.h"

/* An address or network with IPv4-mapped IPv6 already taken as IPv4. */
typedef struct AtkNetwork
{
	int			family;			/* PGSQL_AF_... */
	int			bits;
	const unsigned char *bytes; /* of the value that it was made of */
} AtkNetwork;

extern AtkNetwork atk_address_network(const inet *value);

/*
 * Is the address inside one of the networks?  An empty list allows any
 * address; a list denies when there is no address (NULL).
 */
extern bool atk_address_allowed(ArrayType *networks, const inet *address);

/* Has the network host bits set behind its mask, as in 10.0.0.7/8? */
extern bool atk_address_has_host_bits(const inet *network);

#endif							/* ATK_ADDRESS_H */
