/*
 * keyring.h
 *		Whether the keys in use are those of this database.
 *
 * Without the key that tokens were stored with, none of them can be found, and
 * all would look unknown: after a restore, on a standby or in a new server
 * whose configuration forgot the setting, or names another file.  These raise
 * 55000 instead.
 */
#ifndef ATK_KEYRING_H
#define ATK_KEYRING_H

#include "probe.h"

/*
 * A token was not found.  Raises where tokens were stored with a key, but
 * none with a key in use.  The probe is on the table of tokens.
 */
extern void atk_keyring_check(const AtkProbe *of_token);

/*
 * A secret is about to be stored.  Raises where it would be without a key
 * although others have one, and no key is in use at all.  A session without
 * keys looks once.
 */
extern void atk_keyring_require(void);

#endif							/* ATK_KEYRING_H */
