/*
 * fuzz.c
 *		Checks and calls for the fuzz targets, and what test/unit/server.c does
 *		not have of the server: texts that grow, messages, multibyte.
 */
#include "postgres.h"
#include "compat.h"

/* Ours are those of the C library: nothing of libpgport is linked. */
#undef vsnprintf
#undef fprintf

#include <stdio.h>
#include <stdlib.h>

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "fuzz.h"

void
fuzz_broken(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	if (error_raised)
		fprintf(stderr, "last error: %s: %s\n", last_error.sqlstate,
				last_error.message);
	abort();
}

char *
fuzz_copy(const void *data, size_t len)
{
	char	   *copy = palloc(len);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

text *
fuzz_text(const void *data, size_t len)
{
	return cstring_to_text_with_len(data, len);
}

char *
fuzz_cstring(const void *data, size_t len)
{
	return pnstrdup(data, len);
}

bool
fuzz_raised(const char *sqlstate)
{
	return error_raised && strcmp(last_error.sqlstate, sqlstate) == 0;
}

Datum
fuzz_call(PGFunction function, Datum argument, Datum second)
{
	LOCAL_FCINFO(fcinfo, 2);

	InitFunctionCallInfoData(*fcinfo, NULL, 2, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = argument;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = second;
	fcinfo->args[1].isnull = false;
	return function(fcinfo);
}

Datum
fuzz_receive(PGFunction function, const void *data, size_t len)
{
	StringInfoData buf = {.data = fuzz_copy(data, len), .len = (int) len,
	.maxlen = (int) len};
	Datum		value = fuzz_call(function, PointerGetDatum(&buf), 0);

	CHECK(buf.cursor <= buf.len);
	if (buf.cursor != buf.len)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("incorrect binary data format")));
	return value;
}

/* --- the server: memory --- */

char *
pnstrdup(const char *in, Size len)
{
	char	   *copy;

	len = strnlen(in, len);
	copy = palloc(len + 1);
	memcpy(copy, in, len);
	copy[len] = '\0';
	return copy;
}

/*
 * Newer servers take void pointers where older ones take char pointers.  The
 * machine does not care, hence these by other names.
 */
static void append(StringInfo str, const void *data, int len);
extern void stub_append(StringInfo str, const void *data, int len)
			__asm__("appendBinaryStringInfo");
extern void stub_sendbytes(StringInfo buf, const void *data, int len)
			__asm__("pq_sendbytes");
extern void stub_copymsgbytes(StringInfo msg, void *buf, int len)
			__asm__("pq_copymsgbytes");

/* --- the server: texts that grow, always in a piece that just fits --- */

void
initStringInfo(StringInfo str)
{
	str->data = palloc(1);
	str->data[0] = '\0';
	str->len = str->cursor = 0;
	str->maxlen = 1;
}

static void
append(StringInfo str, const void *data, int len)
{
	str->maxlen = str->len + len + 1;
	str->data = repalloc(str->data, str->maxlen);
	memcpy(str->data + str->len, data, len);
	str->data[str->len += len] = '\0';
}

void
stub_append(StringInfo str, const void *data, int len)
{
	append(str, data, len);
}

void
appendStringInfoString(StringInfo str, const char *s)
{
	append(str, s, (int) strlen(s));
}

void
appendStringInfoChar(StringInfo str, char ch)
{
	append(str, &ch, 1);
}

static char *
print(const char *fmt, va_list args)
{
	va_list		again;
	int			len;
	char	   *result;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	result = palloc(len + 1);
	vsnprintf(result, len + 1, fmt, args);
	return result;
}

void
appendStringInfo(StringInfo str, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	appendStringInfoString(str, print(fmt, args));
	va_end(args);
}

char *
psprintf(const char *fmt,...)
{
	va_list		args;
	char	   *result;

	va_start(args, fmt);
	result = print(fmt, args);
	va_end(args);
	return result;
}

/* --- the server: messages of the protocol --- */

const char *
pq_getmsgbytes(StringInfo msg, int datalen)
{
	const char *result = msg->data + msg->cursor;

	CHECK(datalen >= 0 && datalen <= msg->len - msg->cursor);
	msg->cursor += datalen;
	return result;
}

void
stub_copymsgbytes(StringInfo msg, void *buf, int len)
{
	memcpy(buf, pq_getmsgbytes(msg, len), len);
}

void
pq_begintypsend(StringInfo buf)
{
	initStringInfo(buf);
	append(buf, "\0\0\0\0", 4);
}

void
stub_sendbytes(StringInfo buf, const void *data, int len)
{
	append(buf, data, len);
}

bytea *
pq_endtypsend(StringInfo buf)
{
	bytea	   *result = (bytea *) buf->data;

	SET_VARSIZE(result, buf->len);
	return result;
}

/* --- the server: UTF-8, known to be valid --- */

int
pg_mblen(const char *mbstr)
{
	unsigned char c = *mbstr;

	return c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

int
pg_mbcliplen(const char *mbstr, int len, int limit)
{
	int			clipped = 0;

	while (clipped < len && clipped + pg_mblen(mbstr + clipped) <= limit)
		clipped += pg_mblen(mbstr + clipped);
	return clipped;
}
