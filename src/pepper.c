/*
 * pepper.c
 *		The keys of digests and seals; see pepper.h.
 *
 * Keys lie in memory of sodium_malloc(): between pages that nobody can
 * touch, not swapped out as far as the limit of locked memory allows, left out
 * of core dumps, and read-only but while they are read.  They are read with
 * read(2) straight into it, so no buffer has a copy.
 */
#include "postgres.h"
#include "compat.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

#include "guc.h"
#include "memo.h"
#include "pepper.h"
#include "secret.h"
#include "token_text.h"

StaticAssertDecl(ATK_PEPPER_MIN >= crypto_generichash_KEYBYTES_MIN &&
				 ATK_PEPPER_MAX <= crypto_generichash_KEYBYTES_MAX,
				 "BLAKE2b takes keys of this length");

typedef struct Key
{
	int32		id;
	uint32		len;
	uint8		bytes[ATK_PEPPER_MAX];
} Key;

/* What is wrong with a file. */
typedef struct Fault
{
	char	   *message;		/* NULL: nothing */
	const char *hint;
} Fault;

static const Key no_key;
static Key *memory;				/* for each setting one; NULL: not needed yet */
static const Key *in_use[ATK_PEPPERS];	/* the current one first */
static int	nkeys;
static uint64 generation;		/* of the settings that it is according to */

/* --- a file --- */

static Fault
fault(const char *hint, char *message)
{
	return (Fault) {message, hint};
}

/* What the server demands of the file with its own key. */
static bool
is_private(const struct stat *st)
{
	mode_t		others = st->st_uid == 0
		? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;

	return (st->st_mode & others) == 0;
}

static Fault
check_file(const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return fault("It has to be a file of 32 to 64 random bytes.",
					 psprintf("pepper file \"%s\" is not a regular file", path));
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return fault("File must be owned by the database user or root.",
					 psprintf("pepper file \"%s\" belongs to another user", path));
	if (!is_private(st))
		return fault("File must have permissions u=rw (0600) or less if owned by the database user, or permissions u=rw,g=r (0640) or less if owned by root.",
					 psprintf("pepper file \"%s\" has group or world access", path));
	if (st->st_size < ATK_PEPPER_MIN || st->st_size > ATK_PEPPER_MAX)
		return fault("A key has 32 to 64 random bytes, without an end of line.",
					 psprintf("pepper file \"%s\" has %lld bytes", path,
							  (long long) st->st_size));
	return (Fault) {NULL};
}

static Fault
read_open_file(const char *path, int fd, Key *key)
{
	struct stat st;
	Fault		found;

	if (fstat(fd, &st) != 0)
		return fault(NULL, psprintf("could not stat pepper file \"%s\": %m",
									path));
	found = check_file(path, &st);
	if (found.message != NULL)
		return found;
	errno = EIO;				/* where fewer bytes come than it has */
	if (read(fd, key->bytes, st.st_size) != st.st_size)
		return fault(NULL, psprintf("could not read pepper file \"%s\": %m",
									path));
	key->len = (uint32) st.st_size;
	key->id = atk_digest_key_id(key->bytes, key->len);
	return (Fault) {NULL};
}

/* O_NONBLOCK: a pipe in its place must not keep us waiting for a writer. */
static Fault
read_file(const char *path, Key *key)
{
	int			fd = OpenTransientFile(path,
									   O_RDONLY | PG_BINARY | O_NONBLOCK);
	Fault		found;

	if (fd < 0)
		return fault("The file named by apitoken.pepper_file and apitoken.previous_pepper_file must be there on each server, standbys included, and belongs in the backup.",
					 psprintf("could not open pepper file \"%s\": %m", path));
	found = read_open_file(path, fd, key);
	(void) CloseTransientFile(fd);
	return found;
}

/* --- what the settings name --- */

static void
forget(void)
{
	generation = 0;
	nkeys = 0;
	if (memory != NULL)
	{
		(void) sodium_mprotect_readwrite(memory);
		sodium_memzero(memory, ATK_PEPPERS * sizeof(Key));
	}
}

static void
make_memory(void)
{
	if (memory == NULL)
		memory = sodium_malloc(ATK_PEPPERS * sizeof(Key));
	if (memory == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("No protected memory could be had for keys.")));
}

/* The same key twice is one. */
static void
use(const Key *key)
{
	for (int i = 0; i < nkeys; i++)
	{
		if (in_use[i]->len == key->len &&
			sodium_memcmp(in_use[i]->bytes, key->bytes, key->len) == 0)
			return;
	}
	in_use[nkeys++] = key;
}

static Fault
take_file(const char *path, Key *key)
{
	Fault		found = read_file(path, key);

	if (found.message == NULL)
		use(key);
	return found;
}

static Fault
take_current(void)
{
	if (atk_guc_pepper_file[0] != '\0')
		return take_file(atk_guc_pepper_file, &memory[0]);
	use(&no_key);
	return (Fault) {NULL};
}

static Fault
take_previous(void)
{
	if (strcmp(atk_guc_previous_pepper_file, "none") == 0)
		use(&no_key);
	else if (atk_guc_previous_pepper_file[0] != '\0')
		return take_file(atk_guc_previous_pepper_file, &memory[1]);
	return (Fault) {NULL};
}

static void
read_keys(Fault faults[ATK_PEPPERS])
{
	uint64		settings = atk_guc_pepper_generation;

	forget();
	atk_memo_forget();
	if (atk_guc_pepper_file[0] != '\0' ||
		atk_guc_previous_pepper_file[0] != '\0')
	{
		make_memory();
		(void) sodium_mprotect_readwrite(memory);
		sodium_memzero(memory, ATK_PEPPERS * sizeof(Key));
	}
	faults[0] = take_current();
	faults[1] = take_previous();
	if (memory != NULL)
		(void) sodium_mprotect_readonly(memory);
	if (faults[0].message == NULL && faults[1].message == NULL)
		generation = settings;
}

static void
read_keys_or_raise(void)
{
	Fault		faults[ATK_PEPPERS];

	read_keys(faults);
	for (int i = 0; i < ATK_PEPPERS; i++)
	{
		if (faults[i].message != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("%s", faults[i].message),
					 faults[i].hint ? errhint("%s", faults[i].hint) : 0));
	}
}

static inline void
require(void)
{
	if (unlikely(generation != atk_guc_pepper_generation))
		read_keys_or_raise();
}

void
atk_pepper_require(void)
{
	require();
}

/* --- digests --- */

static inline void
digest_under(const Key *key, const uint8 *sha256, AtkDigest *digest)
{
	atk_digest_of_sha256(sha256, key->len == 0 ? NULL : key->bytes, key->len,
						 digest);
}

void
atk_present_sha256(const uint8 *sha256, AtkPresented *presented)
{
	require();
	presented->n = nkeys;
	for (int i = 0; i < nkeys; i++)
	{
		presented->key_ids[i] = in_use[i]->id;
		digest_under(in_use[i], sha256, &presented->digests[i]);
	}
}

static void
hash_text(const char *text, size_t len, AtkPresented *presented)
{
	uint8		sha256[ATK_SHA256_LEN];

	atk_sha256(text, len, sha256);
	atk_present_sha256(sha256, presented);
	sodium_memzero(sha256, sizeof(sha256));
}

/*
 * While a key is being replaced, which is not for long, all are hashed.  What
 * is remembered could be a token: nothing else is ever hashed.
 */
ATK_HOT bool
atk_present_text(const char *text, size_t len, AtkPresented *presented)
{
	AtkMemoCode code;

	require();
	if (!atk_text_length_possible(len))
		return false;
	if (nkeys == 1 && atk_memo_find(text, len, &code, &presented->digests[0]))
	{
		presented->n = 1;
		presented->key_ids[0] = in_use[0]->id;
		return true;
	}
	if (!atk_text_printable(text, len))
		return false;
	hash_text(text, len, presented);
	if (nkeys == 1)
		atk_memo_keep(&code, &presented->digests[0]);
	return true;
}

/* Nothing can raise between the copy here and its wiping. */
ATK_HOT bool
atk_present_argument(Datum argument, AtkPresented *presented)
{
	text	   *token;
	bool		possible;

	require();
	token = DatumGetTextPP(argument);
	possible = atk_present_text(VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token),
								presented);
	atk_wipe_copy(token, argument);
	return possible;
}

void
atk_pepper_digest(const char *text, size_t len, AtkDigest *digest)
{
	uint8		sha256[ATK_SHA256_LEN];

	require();
	atk_sha256(text, len, sha256);
	digest_under(in_use[0], sha256, digest);
	sodium_memzero(sha256, sizeof(sha256));
}

/* --- keys by number --- */

int32
atk_pepper_id(void)
{
	require();
	return in_use[0]->id;
}

int
atk_pepper_ids(int32 ids[ATK_PEPPERS])
{
	require();
	for (int i = 0; i < nkeys; i++)
		ids[i] = in_use[i]->id;
	return nkeys;
}

bool
atk_pepper_any(void)
{
	require();
	return nkeys > 1 || in_use[0]->id != 0;
}

bool
atk_pepper_find(int32 id, const uint8 **key, size_t *len)
{
	require();
	*key = NULL;
	*len = 0;
	if (id == 0)
		return true;
	for (int i = 0; i < nkeys; i++)
	{
		if (in_use[i]->id == id)
		{
			*key = in_use[i]->bytes;
			*len = in_use[i]->len;
			return true;
		}
	}
	return false;
}

/* Reads the files anew, as somebody may be mending them. */
void
atk_pepper_state(AtkPepperState states[ATK_PEPPERS])
{
	const char *paths[] = {atk_guc_pepper_file, atk_guc_previous_pepper_file};
	Fault		faults[ATK_PEPPERS];

	read_keys(faults);
	for (int i = 0; i < ATK_PEPPERS; i++)
	{
		states[i].set = paths[i][0] != '\0';
		states[i].problem = faults[i].message;
		states[i].known = faults[i].message == NULL;
		states[i].id = memory != NULL ? memory[i].id : 0;
	}
}
