/*
 * spill.h
 *		A file of fixed-size records, from one run of the server to the next.
 *
 * What is pending in shared memory when the last process leaves it goes to
 * pg_stat/apitoken.usage, and whoever makes the memory anew takes it from
 * there.  The file is written under another name, synced and renamed; it is
 * removed, durably, before what it has is used or can go anywhere else, so
 * nothing is taken twice.
 *
 * What is lost all the same: the file, where the library that reads it has
 * another layout of records, and in a copy of the data directory: after a
 * base backup the original writes these uses, and the inode tells a copy;
 * pg_upgrade does not take the file along.
 */
#ifndef ATK_SPILL_H
#define ATK_SPILL_H

/* The next record, or NULL; place is 0 at first, and the callee's to move. */
typedef const void *(*AtkSpillNext) (uint32 *place);

typedef void (*AtkSpillTake) (const void *record);

/* Failures are logged and no errors. */
extern void atk_spill_write(AtkSpillNext next, Size size);

/* Removes the file and hands its records out, all of them or none. */
extern void atk_spill_read(AtkSpillTake take, Size size);

/* Removes the file, if there is one. */
extern void atk_spill_remove(void);

#endif							/* ATK_SPILL_H */
