/*
 * worker.h
 *		The background worker: writes recorded use, acts on the use of stolen
 *		secrets, seals events.
 *
 * There is one in the cluster while something is pending.  It is connected
 * to no database while it waits, so that none is kept from being dropped,
 * renamed or copied; then it connects to one, writes, and exits, and where
 * more is pending another takes over from it.  What fails at one of its jobs
 * is logged, shown by stats(), and holds up neither the others nor other
 * databases.
 */
#ifndef ATK_WORKER_H
#define ATK_WORKER_H

extern PGDLLEXPORT void atk_worker_main(Datum arg);

#endif							/* ATK_WORKER_H */
