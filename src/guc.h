/*
 * guc.h
 *		The settings apitoken.*: their storage and their registration.
 *
 * All are defined in guc.c's one table of calls, when the library is loaded.
 */
#ifndef ATK_GUC_H
#define ATK_GUC_H

/*
 * Who is at work, as the application claims it: id and display name.  Empty
 * when not set.  A claim and no proof: any role may set both.
 */
extern char *atk_guc_actor;
extern char *atk_guc_actor_name;

/* Is use recorded? */
extern bool atk_guc_track_usage;

/* Milliseconds between flushes of recorded use. */
extern int	atk_guc_usage_flush_interval;

/* Tokens whose use can be pending; read when the memory is made. */
extern int	atk_guc_usage_max_entries;

/* May only a current token read and change tokens?  Superusers set it. */
extern bool atk_guc_require_token;

/* Files with keys, or empty; read by pepper.c.  The previous may be "none". */
extern char *atk_guc_pepper_file;
extern char *atk_guc_previous_pepper_file;

/* Changes with either of them, and whenever the configuration is read. */
extern uint64 atk_guc_pepper_generation;

extern void atk_guc_init(void);

#endif							/* ATK_GUC_H */
