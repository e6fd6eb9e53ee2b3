/*
 * allowed_scopes.h
 *		The general, organization and service scopes of a token, as JSON.
 *
 * The form is that of ApiTokenDetailsDto.allowedScopes ("Get API Token
 * Details"): {generalScopes[], organizationScopes{}, servicesScopes[{}]}.
 */
#ifndef ATK_ALLOWED_SCOPES_H
#define ATK_ALLOWED_SCOPES_H

#include "utils/jsonb.h"

/* Raises 22023 with the path of what is wrong; argument begins the path. */
extern void atk_allowed_scopes_check(Jsonb *json, const char *argument);

#endif							/* ATK_ALLOWED_SCOPES_H */
