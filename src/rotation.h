/*
 * rotation.h
 *		A new secret for a token, and a grace for the old one.
 *
 *		rotate		grace			rotate again
 *		|--- new secret ------------|--- newest ...
 *		|- old one -|  superseded   |   unknown
 *
 * The token keeps its id, and the old secret works until the grace ends, but
 * never past its own expiry.  After that its use is superseded: a sign of
 * theft.  The secret before that is forgotten.
 */
#ifndef ATK_ROTATION_H
#define ATK_ROTATION_H

#include "change.h"
#include "issue.h"

/*
 * 55000 for a revoked token, in a disabled realm, and where another
 * transaction has rotated the token while this one was waiting for it: of two
 * rotations at once one wins, and nobody's new secret is lost unseen.  No
 * expiry given: the realm's default, else the token's own stays.
 */
extern void atk_rotate(const pg_uuid_t *id, const Interval *grace,
					   const AtkExpiry *expiry, AtkIssued *issued);

/* 55000 where no grace is running. */
extern void atk_end_grace(const pg_uuid_t *id, AtkChanged *changed);

#endif							/* ATK_ROTATION_H */
