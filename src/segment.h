/*
 * segment.h
 *		A dynamic shared memory segment that every process of the server
 *		finds, without preloading.
 *
 * A small anchor is put into the main shared memory by whoever comes first
 * (there is room to spare for such), and names the segment, which stays until
 * the server stops.  A crash restart makes both anew.
 *
 * Who has attached is counted, and the last to leave saves what the segment
 * has: the server may be about to stop.  Whoever makes the segment anew takes
 * back what was saved; whoever finds it still there, with nobody attached,
 * knows that what was saved is out of date.  A process that is killed does
 * not leave; the memory dies with it.
 *
 *		static AtkSegment segment = {.name = "apitoken things 1", ...};
 *
 *		if (atk_segment_attach(&segment))
 *			... segment.memory ...
 */
#ifndef ATK_SEGMENT_H
#define ATK_SEGMENT_H

typedef struct AtkSegment
{
	/* With the layout's version: no two libraries share an anchor. */
	const char *name;
	const char *failure;		/* what a process without it does not do */

	/* Called with AddinShmemInitLock held: by one process at a time. */
	Size		(*size) (void);
	void		(*create) (void *memory);	/* of zeroed memory */

	/* NULL, all three, where nothing needs to outlive the memory. */
	void		(*restore) (void *memory);	/* what was saved, if anything */
	void		(*forget) (void);	/* that */
	void		(*save) (void);

	/* of this process */
	void	   *memory;			/* NULL: not attached */
	bool		failed;			/* so not tried again */
	struct AtkAnchor *anchor;
} AtkSegment;

/* Attaches, once a process; false and a line in the log: it cannot be had. */
extern bool atk_segment_try(AtkSegment *segment);

/* The same, quick where it has been done. */
static inline bool
atk_segment_attach(AtkSegment *segment)
{
	return likely(segment->memory != NULL) || atk_segment_try(segment);
}

#endif							/* ATK_SEGMENT_H */
