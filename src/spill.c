/*
 * spill.c
 *		A file of fixed-size records; see spill.h.
 *
 * A header, then the records.  The header is written last, when count and
 * check sum are known.
 */
#include "postgres.h"
#include "compat.h"

#include <sys/stat.h>
#include <unistd.h>

#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"

#include "spill.h"

#define SPILL_FILE	PGSTAT_STAT_PERMANENT_DIRECTORY "/apitoken.usage"
#define SPILL_NEW	SPILL_FILE ".new"

/* The version is that of the records, too. */
#define SPILL_MAGIC "apitoken uses 1"

#define RECORD_MAX	256

typedef struct Header
{
	char		magic[16];
	uint64		inode;			/* of this very file */
	uint32		size;			/* of a record */
	uint32		n;
	pg_crc32c	crc;			/* of the records, then of the above */
} Header;

static void
finish_crc(Header *header)
{
	COMP_CRC32C(header->crc, header, offsetof(Header, crc));
	FIN_CRC32C(header->crc);
}

static bool
write_file(FILE *file, AtkSpillNext next, Size size)
{
	Header		header = {SPILL_MAGIC};
	struct stat st;
	const void *record;
	uint32		place = 0;

	if (fstat(fileno(file), &st) != 0 ||
		fwrite(&header, sizeof(header), 1, file) != 1)
		return false;
	INIT_CRC32C(header.crc);
	while ((record = next(&place)) != NULL)
	{
		COMP_CRC32C(header.crc, record, size);
		header.n++;
		if (fwrite(record, size, 1, file) != 1)
			return false;
	}
	header.inode = st.st_ino;
	header.size = size;
	finish_crc(&header);
	rewind(file);
	return fwrite(&header, sizeof(header), 1, file) == 1;
}

void
atk_spill_write(AtkSpillNext next, Size size)
{
	FILE	   *file = AllocateFile(SPILL_NEW, PG_BINARY_W);
	bool		written = file != NULL && write_file(file, next, size);

	if (file != NULL && FreeFile(file) != 0)
		written = false;
	if (written)
		(void) durable_rename(SPILL_NEW, SPILL_FILE, LOG);
	else
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", SPILL_NEW)));
}

/* Reads all records, and hands them out if take is not NULL. */
static bool
read_records(FILE *file, Header *header, AtkSpillTake take)
{
	char		record[RECORD_MAX] pg_attribute_aligned(8);

	INIT_CRC32C(header->crc);
	for (uint32 i = 0; i < header->n; i++)
	{
		if (fread(record, header->size, 1, file) != 1)
			return false;
		COMP_CRC32C(header->crc, record, header->size);
		if (take != NULL)
			take(record);
	}
	finish_crc(header);
	return true;
}

/* Twice, for nothing may be handed out of a file that turns out damaged. */
static bool
read_file(FILE *file, AtkSpillTake take, Size size)
{
	Header		header;
	Header		found;
	struct stat st;

	if (fread(&header, sizeof(header), 1, file) != 1 ||
		fstat(fileno(file), &st) != 0)
		return false;
	found = header;
	if (memcmp(header.magic, SPILL_MAGIC, sizeof(header.magic)) != 0 ||
		header.inode != st.st_ino || header.size != size ||
		!read_records(file, &found, NULL) || !EQ_CRC32C(found.crc, header.crc))
		return false;
	return fseek(file, sizeof(header), SEEK_SET) == 0 &&
		read_records(file, &found, take);
}

void
atk_spill_read(AtkSpillTake take, Size size)
{
	FILE	   *file = AllocateFile(SPILL_FILE, PG_BINARY_R);

	Assert(size <= RECORD_MAX);
	if (file == NULL)
		return;
	if (durable_unlink(SPILL_FILE, LOG) == 0 && !read_file(file, take, size))
		ereport(LOG,
				(errmsg("file \"%s\" is damaged, of another version or of another data directory: uses of tokens in it are lost",
						SPILL_FILE)));
	(void) FreeFile(file);
}

void
atk_spill_remove(void)
{
	if (access(SPILL_FILE, F_OK) == 0)
		(void) durable_unlink(SPILL_FILE, LOG);
}
