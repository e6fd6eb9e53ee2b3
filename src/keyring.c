/*
 * keyring.c
 *		Whether the keys in use are those of this database; see keyring.h.
 *
 * A partial index has the tokens that were stored with a key; where there are
 * none it is empty, and a look at it is what an unknown token costs more.
 */
#include "postgres.h"
#include "compat.h"

#include "utils/fmgroids.h"

#include "guc.h"
#include "keyring.h"
#include "pepper.h"

/*
 * The settings whose keys have been found to be those of tokens, and the
 * generation of the table in which they were found; 0: none.
 */
static uint64 good_settings;
static uint64 good_table;

static void
raise_wrong_key(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("tokens of this database were stored with a key that is not in use"),
			 errdetail("Without it none of them can be recognized."),
			 errhint("Set apitoken.pepper_file to the file that has the key; apitoken.key_state() tells its number.")));
}

static bool
any_token_has(AtkProbe *probe, int32 key_id)
{
	return key_id != 0 && atk_probe_find(probe, Int32GetDatum(key_id));
}

/* Somebody may have made an index that has the others, too. */
static bool
any_token_is_keyed(AtkProbe *probe)
{
	ScanKeyData above_zero;

	ScanKeyInit(&above_zero, 1, BTGreaterStrategyNumber, F_INT4GT,
				Int32GetDatum(0));
	atk_probe_scan(probe, &above_zero, 1);
	return atk_probe_next(probe, ForwardScanDirection);
}

void
atk_keyring_check(const AtkProbe *of_token)
{
	int32		ids[ATK_PEPPERS];
	int			n = atk_pepper_ids(ids);
	uint64		table = atk_table_generation(ATK_TABLE_TOKEN);
	bool		good = false;
	AtkProbe	probe;

	if (good_settings == atk_guc_pepper_generation && good_table == table)
		return;
	atk_probe_begin_beside(&probe, ATK_KEY_TOKEN_KEY_ID, of_token);
	for (int i = 0; i < n && !good; i++)
		good = any_token_has(&probe, ids[i]);
	if (!good && any_token_is_keyed(&probe))
		raise_wrong_key();
	good_settings = good ? atk_guc_pepper_generation : 0;
	good_table = table;
	atk_probe_end(&probe);
}

/*
 * Asked once, and again when something was done to the table or the
 * configuration was read: a restore brings tokens with a key to a server
 * without one, and a mistake takes the key from one that had it.
 */
void
atk_keyring_require(void)
{
	static uint64 clean_settings;	/* with which there was none; 0: never */
	static uint64 clean_table;
	AtkProbe	probe;

	if (atk_pepper_any() ||
		(clean_settings == atk_guc_pepper_generation &&
		 clean_table == atk_table_generation(ATK_TABLE_TOKEN)))
		return;
	atk_probe_begin(&probe, ATK_KEY_TOKEN_KEY_ID, AccessShareLock);
	clean_settings = 0;
	clean_table = atk_table_generation(ATK_TABLE_TOKEN);
	if (any_token_is_keyed(&probe))
		raise_wrong_key();
	clean_settings = atk_guc_pepper_generation;
	atk_probe_end(&probe);
}
