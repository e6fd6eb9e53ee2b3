/*
 * policy.h
 *		What a realm demands of a token when it is made or changed.
 *
 * Its expiry is in expiry.h.  Tokens that are older than a policy are left
 * alone; view apitoken.policy_violations shows them.
 */
#ifndef ATK_POLICY_H
#define ATK_POLICY_H

#include "draft.h"
#include "realm.h"

/*
 * 22023 for a scope that the realm does not know.  A scope is known if a
 * known one grants it; a wildcard also if it grants a known one.
 */
extern void atk_policy_check_scopes(const AtkDraft *draft,
									const AtkRealm *realm);

/*
 * 55000 where the principal of this row has as many active and unexpired
 * tokens as its realm allows.  The row is not stored yet; old is what stands
 * in its place, NULL for a new one: nothing is asked where that was counted
 * already.  Exact: waits for whoever else is about to give the principal one.
 */
extern void atk_policy_admit(const AtkDraft *draft, const AtkDraft *old,
							 const AtkRealm *realm, TimestampTz now);

#endif							/* ATK_POLICY_H */
