/*
 * outcome.h
 *		What a verification can end with: a closed list.
 *
 * In the order in which they are decided (verify.h).  Numbers are only used
 * in memory; tables and answers have the names.
 */
#ifndef ATK_OUTCOME_H
#define ATK_OUTCOME_H

typedef enum AtkOutcome
{
	ATK_MALFORMED,
	ATK_UNKNOWN,
	ATK_SUPERSEDED,
	ATK_REVOKED,
	ATK_SUSPENDED,
	ATK_REALM_DISABLED,
	ATK_NOT_YET_VALID,
	ATK_EXPIRED,
	ATK_IDLE,
	ATK_ADDRESS_DENIED,
	ATK_SCOPE_DENIED,
	ATK_VALID
} AtkOutcome;

extern const char *atk_outcome_name(AtkOutcome outcome);

#endif							/* ATK_OUTCOME_H */
