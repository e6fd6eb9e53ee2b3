/*
 * pepper.h
 *		The keys of digests and seals.
 *
 *		AtkPresented presented;
 *
 *		atk_pepper_require();
 *		... read the token's text ...
 *		atk_present_text(text, len, &presented);
 *
 * There is a current key, or none, for all that is stored, and while it
 * replaces another, that one, or none, works as well.  A key has a number,
 * 0 being that of none (digest.h).
 *
 * They are read when first needed and again when the configuration was
 * read, into memory that is locked, left out of core dumps and wiped.  Where
 * a file cannot be used, everything here raises F0000, at each call anew, so
 * that mending the file is enough: digests made without the key would turn
 * every token into an unknown one.
 */
#ifndef ATK_PEPPER_H
#define ATK_PEPPER_H

#include "digest.h"

#define ATK_PEPPER_MIN	32		/* bytes */
#define ATK_PEPPER_MAX	64
#define ATK_PEPPERS		2		/* current and previous */

/* What was presented as a token: its digest under each key in use. */
typedef struct AtkPresented
{
	int			n;
	int32		key_ids[ATK_PEPPERS];	/* the current key's first */
	AtkDigest	digests[ATK_PEPPERS];
} AtkPresented;

/*
 * Raises where keys cannot be had, and reads them if need be.  Call it before
 * there is a copy of a secret that an error would leave behind.
 */
extern void atk_pepper_require(void);

extern void atk_present_sha256(const uint8 *sha256, AtkPresented *presented);

/* false: it cannot be the text of a token. */
extern bool atk_present_text(const char *text, size_t len,
							 AtkPresented *presented);

/* The same for an argument of type text.  No copy of it stays. */
extern bool atk_present_argument(Datum argument, AtkPresented *presented);

/* Under the current key alone: of a token that is to be stored. */
extern void atk_pepper_digest(const char *text, size_t len,
							  AtkDigest *digest);
extern int32 atk_pepper_id(void);

/*
 * The key of a number, 0 included, which stays till the next call of anything
 * here; false: it is not in use.
 */
extern bool atk_pepper_find(int32 id, const uint8 **key, size_t *len);

/* The numbers of what is in use, the current one first; returns how many. */
extern int	atk_pepper_ids(int32 ids[ATK_PEPPERS]);

/* Is any key in use, current or previous? */
extern bool atk_pepper_any(void);

/* For those who are asked how it stands; raises nothing. */
typedef struct AtkPepperState
{
	bool		set;			/* does the setting name anything? */
	bool		known;
	int32		id;				/* if it is known */
	char	   *problem;		/* NULL: none */
} AtkPepperState;

extern void atk_pepper_state(AtkPepperState states[ATK_PEPPERS]);

#endif							/* ATK_PEPPER_H */
