/*
 * guc.c
 *		Registers the settings apitoken.*.
 *
 * The library is usually loaded by the first call of one of its functions,
 * so no setting may be PGC_POSTMASTER: that would be FATAL after startup.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/guc.h"

#include "guc.h"

char	   *atk_guc_actor;
char	   *atk_guc_actor_name;

void
atk_guc_init(void)
{
	DefineCustomStringVariable("apitoken.actor",
							   "Identifier of the person or service on whose behalf tokens are changed.",
							   "Stored as the author of a change; the session's role is used when it is empty.",
							   &atk_guc_actor,
							   "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("apitoken.actor_name",
							   "Display name of the person or service on whose behalf tokens are changed.",
							   "Stored beside apitoken.actor.",
							   &atk_guc_actor_name,
							   "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("apitoken");
}
