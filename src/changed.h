/*
 * changed.h
 *		The row that a change of a token answers.
 */
#ifndef ATK_CHANGED_H
#define ATK_CHANGED_H

#include "change.h"

/* id, realm, name, status, version, expires_at */
extern Datum atk_changed_row(const AtkChanged *changed);

#endif							/* ATK_CHANGED_H */
