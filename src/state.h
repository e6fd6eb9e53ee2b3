/*
 * state.h
 *		Switching tokens off and on, and ending them.
 *
 *		active <-> suspended, active or suspended -> revoked (final)
 *
 * A change of state is no modification: the version stays.
 */
#ifndef ATK_STATE_H
#define ATK_STATE_H

#include "change.h"
#include "pepper.h"

typedef enum AtkTransition
{
	ATK_SUSPEND,
	ATK_ACTIVATE,
	ATK_REVOKE
} AtkTransition;

/*
 * 55000 for a transition that the token's state does not allow, or that its
 * principal's limit does not; errors change nothing.  reason may be NULL.
 */
extern void atk_change_status(AtkTransition transition, const pg_uuid_t *id,
							  const text *reason, AtkChanged *changed);

/* The parts of it, for those who hold the token already. */
extern bool atk_transition_allowed(AtkTransition transition,
								   const AtkToken *token);
extern void atk_change_to(AtkChange *change, AtkTransition transition,
						  const text *reason);

/*
 * Revokes the token that has this secret, a previous one in its grace
 * included.  False if it was revoked before; 28000 for any other secret.
 */
extern bool atk_revoke_self(const AtkPresented *presented);

/* The same answer for whatever is not the secret of a token. */
pg_noreturn extern void atk_raise_not_a_secret(void);

#endif							/* ATK_STATE_H */
