/*
 * fuzz.h
 *		What the fuzz targets share: checks, calls, jsonb.
 *
 * A target is a C program that libFuzzer drives: it is linked with sources
 * that need no server, with test/unit/server.c, which stands in for it, and
 * with what is declared here.  It must hold for every input what the target
 * CHECKs; what AddressSanitizer and UBSan see is caught besides.
 *
 * test/fuzz/run runs one of them.
 */
#ifndef ATK_TEST_FUZZ_H
#define ATK_TEST_FUZZ_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "unit.h"

/* libFuzzer's interface */
extern PGDLLEXPORT int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHECK(condition) \
	((condition) ? (void) 0 : fuzz_broken(#condition, __FILE__, __LINE__))

extern pg_noreturn void fuzz_broken(const char *condition, const char *file,
									int line);

/* A copy of exactly so many bytes, so that a read beyond them is seen. */
extern char *fuzz_copy(const void *data, size_t len);

/* The same as a varlena, and as a terminated text that ends at the first NUL. */
extern text *fuzz_text(const void *data, size_t len);
extern char *fuzz_cstring(const void *data, size_t len);

/* Did the last TRAP() raise this? */
extern bool fuzz_raised(const char *sqlstate);

/* Calls an SQL-callable function; may be trapped. */
extern Datum fuzz_call(PGFunction function, Datum argument, Datum second);

/* Binary input as the server does it: bytes that are left over are 22P03. */
extern Datum fuzz_receive(PGFunction function, const void *data, size_t len);

/* --- jsonb --- */

/*
 * The stand-in's jsonb is a tree; what the sources get is a pointer to its
 * container, and they see only its header.
 */
typedef struct FuzzJson
{
	enum jbvType type;			/* jbvArray, jbvObject or a scalar */
	bool		boolean;
	char	   *string;			/* exactly len bytes */
	int			len;
	int			n;				/* elements, or members */
	int			room;
	struct FuzzJson **elements; /* values of members */
	struct FuzzJson **keys;		/* NULL but in objects */
	struct
	{
		int32		vl_len_;
		uint32		header;
		struct FuzzJson *json;
	}			container;
} FuzzJson;

/*
 * Reads JSON leniently: any input means something.  Strings are valid UTF-8
 * without NUL, keys are unique, as they are in every jsonb.
 */
extern FuzzJson *fuzz_json_read(const uint8_t *data, size_t len);

/* As an argument; a scalar is put into an array as jsonb does it. */
extern Jsonb *fuzz_json_value(FuzzJson *json);

/* NULL if there is none, or it is no object. */
extern FuzzJson *fuzz_json_member(const FuzzJson *object, const char *key);
extern bool fuzz_json_is(const FuzzJson *string, const char *text);

#endif							/* ATK_TEST_FUZZ_H */
