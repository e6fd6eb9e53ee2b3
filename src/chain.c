/*
 * chain.c
 *		The chain of seals; see chain.h.
 */
#include "postgres.h"
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "canon.h"
#include "chain.h"
#include "columns.h"
#include "pepper.h"
#include "row.h"

const AtkDigest atk_digest_of_nothing = {{0}};

/* --- events --- */

static const Oid event_types[Natts_event] = {
	INT8OID, TIMESTAMPTZOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID,
	TEXTOID, INETOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID
};

static void
put_column(AtkCanon *canon, Oid type, Datum value)
{
	switch (type)
	{
		case INT8OID:
			atk_canon_int64(canon, DatumGetInt64(value));
			break;
		case TIMESTAMPTZOID:
			atk_canon_int64(canon, DatumGetTimestampTz(value));
			break;
		case TEXTOID:
			atk_canon_text(canon, DatumGetTextPP(value));
			break;
		case UUIDOID:
			atk_canon_bytes(canon, DatumGetUUIDP(value), UUID_LEN);
			break;
		case INETOID:
			atk_canon_inet(canon, DatumGetInetPP(value));
			break;
		case JSONBOID:
			atk_canon_jsonb(canon, DatumGetJsonbP(value));
			break;
		default:
			elog(ERROR, "unexpected type %u of a column", type);
	}
}

void
atk_event_digest(HeapTuple row, TupleDesc desc, AtkDigest *digest)
{
	AtkCanon	canon;

	atk_canon_begin(&canon, "apitoken event", NULL, 0);
	for (int i = 0; i < Natts_event; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(row, desc, i + 1, &isnull);

		if (isnull)
			atk_canon_null(&canon);
		else
			put_column(&canon, event_types[i], value);
	}
	atk_canon_end(&canon, digest);
}

/* --- seals --- */

/*
 * Key 0 is none: then whoever can write to the table can make the chain anew,
 * and only a digest that was kept elsewhere tells.
 */
bool
atk_seal_digest(const AtkSeal *seal, const AtkDigest *before,
				AtkDigest *digest)
{
	AtkCanon	canon;
	const uint8 *key;
	size_t		key_len;

	if (!atk_pepper_find(seal->key_id, &key, &key_len))
		return false;
	atk_canon_begin(&canon, "apitoken seal", key, key_len);
	atk_canon_bytes(&canon, before->bytes, ATK_DIGEST_LEN);
	atk_canon_int64(&canon, seal->id);
	atk_canon_int64(&canon, seal->sealed_at);
	atk_canon_int64(&canon, seal->last_event_at);
	atk_canon_int64(&canon, seal->key_id);
	atk_canon_int64(&canon, seal->nevents);
	for (int i = 0; i < seal->nevents; i++)
		atk_canon_int64(&canon, seal->events[i]);
	atk_canon_bytes(&canon, seal->event_digests,
					(size_t) seal->nevents * ATK_DIGEST_LEN);
	atk_canon_end(&canon, digest);
	return true;
}

/* --- its row --- */

/* NULL and *n -1: it is no list of bigint. */
static int64 *
read_ids(Datum value, int *n)
{
	ArrayType  *array = DatumGetArrayTypePCopy(value);

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array))
		*n = -1;
	return *n < 0 ? NULL : (int64 *) ARR_DATA_PTR(array);
}

static bool
are_ascending(const int64 *ids, int n)
{
	for (int i = 1; i < n; i++)
	{
		if (ids[i] <= ids[i - 1])
			return false;
	}
	return true;
}

bool
atk_seal_read(HeapTuple row, TupleDesc desc, AtkSeal *seal)
{
	Datum		values[Natts_event_seal];
	bool		nulls[Natts_event_seal];
	bytea	   *digests;

	heap_deform_tuple(row, desc, values, nulls);
	seal->id = DatumGetInt64(values[Anum_event_seal_id - 1]);
	seal->sealed_at =
		DatumGetTimestampTz(values[Anum_event_seal_sealed_at - 1]);
	seal->last_event_at =
		DatumGetTimestampTz(values[Anum_event_seal_last_event_at - 1]);
	seal->events = read_ids(values[Anum_event_seal_events - 1],
							&seal->nevents);
	digests = DatumGetByteaP(values[Anum_event_seal_event_digests - 1]);
	seal->event_digests = (AtkDigest *) VARDATA(digests);
	seal->key_id = DatumGetInt32(values[Anum_event_seal_key_id - 1]);
	seal->digest = *DatumGetAtkDigestP(values[Anum_event_seal_digest - 1]);
	seal->purged = DatumGetBool(values[Anum_event_seal_purged - 1]);
	return seal->nevents >= 0 && are_ascending(seal->events, seal->nevents) &&
		VARSIZE(digests) - VARHDRSZ == (size_t) seal->nevents * ATK_DIGEST_LEN;
}

Datum
atk_seal_events(const AtkSeal *seal)
{
	Datum	   *ids = palloc(seal->nevents * sizeof(Datum));

	for (int i = 0; i < seal->nevents; i++)
		ids[i] = Int64GetDatum(seal->events[i]);
	return PointerGetDatum(construct_array(ids, seal->nevents, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

void
atk_seal_store(const AtkSeal *seal)
{
	Datum		values[Natts_event_seal];
	bool		nulls[Natts_event_seal] = {false};
	size_t		size = VARHDRSZ + (size_t) seal->nevents * ATK_DIGEST_LEN;
	bytea	   *digests = palloc(size);

	SET_VARSIZE(digests, size);
	memcpy(VARDATA(digests), seal->event_digests, size - VARHDRSZ);
	values[Anum_event_seal_id - 1] = Int64GetDatum(seal->id);
	values[Anum_event_seal_sealed_at - 1] =
		TimestampTzGetDatum(seal->sealed_at);
	values[Anum_event_seal_last_event_at - 1] =
		TimestampTzGetDatum(seal->last_event_at);
	values[Anum_event_seal_events - 1] = atk_seal_events(seal);
	values[Anum_event_seal_event_digests - 1] = PointerGetDatum(digests);
	values[Anum_event_seal_key_id - 1] = Int32GetDatum(seal->key_id);
	values[Anum_event_seal_digest - 1] = AtkDigestPGetDatum(&seal->digest);
	values[Anum_event_seal_purged - 1] = BoolGetDatum(seal->purged);
	atk_row_insert(ATK_TABLE_EVENT_SEAL, values, nulls);
}
