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
bool		atk_guc_require_token = false;
bool		atk_guc_track_usage = true;
int			atk_guc_usage_flush_interval = 10000;
int			atk_guc_usage_max_entries = 65536;
char	   *atk_guc_pepper_file;
char	   *atk_guc_previous_pepper_file;
uint64		atk_guc_pepper_generation = 1;

/* At each reload, too: the file may be another by now. */
static void
pepper_assigned(const char *newval, void *extra)
{
	atk_guc_pepper_generation++;
}

/* Has apitoken.require_token been given a value by who may? */
static bool require_token_given = false;

static bool
note_require_token(bool *newval, void **extra, GucSource source)
{
	if (source > PGC_S_DEFAULT)
		require_token_given = true;
	return true;
}

/*
 * Before the library is loaded anybody may set what is not known yet, and a
 * client that does so when it connects displaces what ALTER ROLE says for it.
 * Such a value is refused once the setting is known; but then the default
 * would be left, and the displaced value is lost.  So who tried is under it.
 */
static void
define_require_token(void)
{
	bool		claimed = GetConfigOption("apitoken.require_token", true,
										  false) != NULL;

	DefineCustomBoolVariable("apitoken.require_token",
							 "Refuses to read or change tokens without a current token.",
							 "Meant for ALTER ROLE; verification and authenticate() are always allowed.",
							 &atk_guc_require_token,
							 false,
							 PGC_SUSET, 0, note_require_token, NULL, NULL);
	if (claimed && !require_token_given)
		SetConfigOption("apitoken.require_token", "on", PGC_SUSET,
						PGC_S_OVERRIDE);
}

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
	define_require_token();
	DefineCustomBoolVariable("apitoken.track_usage",
							 "Records the use of tokens.",
							 "While it is off, tokens do not become idle.",
							 &atk_guc_track_usage,
							 true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("apitoken.usage_flush_interval",
							"Time between writes of recorded use to the tables.",
							"A crash loses what was recorded since the last one.",
							&atk_guc_usage_flush_interval,
							10000, 100, 3600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("apitoken.usage_max_entries",
							"Number of tokens whose use can be pending.",
							"Read when the shared memory is first made; an entry takes 136 bytes.",
							&atk_guc_usage_max_entries,
							65536, 4, 10000000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("apitoken.pepper_file",
							   "File with the key of digests and seals.",
							   "32 to 64 bytes; empty: there is no key.",
							   &atk_guc_pepper_file,
							   "",
							   PGC_SIGHUP, 0, NULL, pepper_assigned, NULL);
	DefineCustomStringVariable("apitoken.previous_pepper_file",
							   "File with the key that is being replaced, which works as well.",
							   "\"none\": there was no key; empty: no key is being replaced.",
							   &atk_guc_previous_pepper_file,
							   "",
							   PGC_SIGHUP, 0, NULL, pepper_assigned, NULL);
	MarkGUCPrefixReserved("apitoken");
}
