/*
 * summon.c
 *		Having the worker come; see summon.h.
 */
#include "postgres.h"
#include "compat.h"

#include <dlfcn.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/timestamp.h"

#include "duty.h"
#include "ending.h"
#include "guc.h"
#include "summon.h"
#include "tally.h"

/*
 * The file that this library was loaded from: the worker must load the same
 * one, wherever dynamic_library_path finds another.
 */
static void
name_library(BackgroundWorker *worker)
{
	Dl_info		info;

	if (dladdr((void *) atk_summon_start, &info) != 0 &&
		strlen(info.dli_fname) < sizeof(worker->bgw_library_name))
		strlcpy(worker->bgw_library_name, info.dli_fname,
				sizeof(worker->bgw_library_name));
	else
		strlcpy(worker->bgw_library_name, "$libdir/apitoken",
				sizeof(worker->bgw_library_name));
}

/*
 * It is started on a standby, too: it writes nothing there, but is at hand
 * when the standby is promoted.  Where it fails, to connect to a database that
 * is gone for example, the postmaster starts it again soon.
 */
bool
atk_summon_start(uint64 claim)
{
	BackgroundWorker worker = {
		.bgw_name = "apitoken worker",
		.bgw_type = "apitoken worker",
		.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_ConsistentState,
		.bgw_restart_time = 1,
		.bgw_function_name = "atk_worker_main",
	};

	memcpy(worker.bgw_extra, &claim, sizeof(claim));
	name_library(&worker);
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

ATK_HOT void
atk_summon(TimestampTz now)
{
	uint64		claim = IsBinaryUpgrade ? 0 : atk_duty_claim(now);

	if (claim != 0 && !atk_summon_start(claim))
		atk_duty_failed(now +
						atk_guc_usage_flush_interval * INT64CONST(1000));
}

/* --- events --- */

void
atk_summon_to_seal(void)
{
	static const pg_uuid_t nil = {{0}};
	TimestampTz now = GetCurrentTimestamp();

	atk_tally_mark(&nil, ATK_MARK_EVENTS, now, NULL);
	atk_summon(now);
}

/*
 * Of a prepared transaction nobody is told when it commits: the worker that
 * comes now looks after it (worker.c).
 */
static void
summon_unless_aborted(XactEvent event)
{
	if (event != XACT_EVENT_ABORT)
		atk_summon_to_seal();
}

/* Attaches to the memory now: at commit nothing may fail. */
void
atk_summon_for_events(void)
{
	(void) atk_tally_attach();
	atk_at_end(summon_unless_aborted);
}
