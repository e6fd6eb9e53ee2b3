/*
 * expiry.h
 *		How long a token shall live: what is asked for, what a realm grants.
 *
 *		expires_in	90 days			from now
 *		expires_at	2030-01-01		till then; infinity: for ever
 *		neither						the realm's default_ttl, else for ever
 *
 * max_ttl is counted from the moment of each grant; more than 2000 years of it
 * are no limit.
 */
#ifndef ATK_EXPIRY_H
#define ATK_EXPIRY_H

#include "datatype/timestamp.h"

#include "realm.h"

/* What is asked for: at most one of the two, NULL when not given. */
typedef struct AtkExpiry
{
	const Interval *in;
	const TimestampTz *at;
} AtkExpiry;

typedef struct AtkLife
{
	TimestampTz end;			/* DT_NOEND: never */
	Interval	ttl;			/* as it was said; none where end is never */
} AtkLife;

extern bool atk_expiry_given(const AtkExpiry *expiry);

/*
 * The life that a realm grants now.  Raises 22023 for both at once, for the
 * past, beyond the realm's maximum, and for a life that no timestamp can tell
 * the end of.
 */
extern AtkLife atk_expiry_grant(const AtkExpiry *expiry,
								const AtkRealm *realm, TimestampTz now);

/* 22023 for an end that is farther away than the realm allows. */
extern void atk_expiry_check_max(const AtkRealm *realm, TimestampTz now,
								 TimestampTz end);

/* 22023 for an interval that is not positive. */
extern void atk_expiry_check_positive(const char *argument,
									  const Interval *span);

extern TimestampTz atk_time_add(TimestampTz start, const Interval *span);
extern TimestampTz atk_time_subtract(TimestampTz start, const Interval *span);

/*
 * The moment that a realm's limit leads to.  An interval of millennia could
 * lead out of what timestamps can tell; whoever allows so long allows any
 * time: DT_NOEND, DT_NOBEGIN.  The views say the same number of years.
 */
#define ATK_LIMIT_YEARS	2000

extern TimestampTz atk_limit_after(TimestampTz start, const Interval *limit);
extern TimestampTz atk_limit_before(TimestampTz start, const Interval *limit);

/*
 * The same for a span that an argument gives: 22023 for one that is infinite
 * or, from this start, negative.
 */
extern TimestampTz atk_time_after(const char *argument, const Interval *span,
								  TimestampTz start);
extern TimestampTz atk_time_before(const char *argument, const Interval *span,
								   TimestampTz start);

#endif							/* ATK_EXPIRY_H */
