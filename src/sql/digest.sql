/* type apitoken.digest: src/digest.h */

CREATE TYPE apitoken.digest;

CREATE FUNCTION apitoken.digest_in(cstring) RETURNS apitoken.digest
	AS 'MODULE_PATHNAME', 'atk_sql_digest_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_in(cstring) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_in(cstring) IS 'I/O';

CREATE FUNCTION apitoken.digest_out(apitoken.digest) RETURNS cstring
	AS 'MODULE_PATHNAME', 'atk_sql_digest_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_out(apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_out(apitoken.digest) IS 'I/O';

CREATE FUNCTION apitoken.digest_recv(internal) RETURNS apitoken.digest
	AS 'MODULE_PATHNAME', 'atk_sql_digest_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_recv(internal) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_recv(internal) IS 'I/O';

CREATE FUNCTION apitoken.digest_send(apitoken.digest) RETURNS bytea
	AS 'MODULE_PATHNAME', 'atk_sql_digest_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_send(apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_send(apitoken.digest) IS 'I/O';

CREATE TYPE apitoken.digest (
	INPUT = apitoken.digest_in, OUTPUT = apitoken.digest_out,
	RECEIVE = apitoken.digest_recv, SEND = apitoken.digest_send,
	INTERNALLENGTH = 32, ALIGNMENT = char, STORAGE = plain
);
REVOKE ALL ON TYPE apitoken.digest FROM PUBLIC;
COMMENT ON TYPE apitoken.digest IS
	'what is stored instead of a token: 32 bytes, written as 64 hexadecimal digits';

CREATE FUNCTION apitoken.digest_eq(apitoken.digest, apitoken.digest) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_digest_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_eq(apitoken.digest, apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_eq(apitoken.digest, apitoken.digest) IS 'implementation of = operator';

CREATE FUNCTION apitoken.digest_ne(apitoken.digest, apitoken.digest) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_digest_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_ne(apitoken.digest, apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_ne(apitoken.digest, apitoken.digest) IS 'implementation of <> operator';

CREATE FUNCTION apitoken.digest_lt(apitoken.digest, apitoken.digest) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_digest_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_lt(apitoken.digest, apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_lt(apitoken.digest, apitoken.digest) IS 'implementation of < operator';

CREATE FUNCTION apitoken.digest_le(apitoken.digest, apitoken.digest) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_digest_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_le(apitoken.digest, apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_le(apitoken.digest, apitoken.digest) IS 'implementation of <= operator';

CREATE FUNCTION apitoken.digest_gt(apitoken.digest, apitoken.digest) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_digest_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_gt(apitoken.digest, apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_gt(apitoken.digest, apitoken.digest) IS 'implementation of > operator';

CREATE FUNCTION apitoken.digest_ge(apitoken.digest, apitoken.digest) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_digest_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_ge(apitoken.digest, apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_ge(apitoken.digest, apitoken.digest) IS 'implementation of >= operator';

CREATE FUNCTION apitoken.digest_cmp(apitoken.digest, apitoken.digest) RETURNS integer
	AS 'MODULE_PATHNAME', 'atk_sql_digest_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_cmp(apitoken.digest, apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_cmp(apitoken.digest, apitoken.digest) IS 'less-equal-greater';

CREATE FUNCTION apitoken.digest_hash(apitoken.digest) RETURNS integer
	AS 'MODULE_PATHNAME', 'atk_sql_digest_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_hash(apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_hash(apitoken.digest) IS 'hash';

CREATE FUNCTION apitoken.digest_hash_extended(apitoken.digest, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_digest_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_hash_extended(apitoken.digest, bigint) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_hash_extended(apitoken.digest, bigint) IS 'hash with a seed';

CREATE OPERATOR apitoken.= (
	FUNCTION = apitoken.digest_eq, LEFTARG = apitoken.digest, RIGHTARG = apitoken.digest,
	COMMUTATOR = OPERATOR(apitoken.=), NEGATOR = OPERATOR(apitoken.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR apitoken.= (apitoken.digest, apitoken.digest) IS 'equal';

CREATE OPERATOR apitoken.<> (
	FUNCTION = apitoken.digest_ne, LEFTARG = apitoken.digest, RIGHTARG = apitoken.digest,
	COMMUTATOR = OPERATOR(apitoken.<>), NEGATOR = OPERATOR(apitoken.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR apitoken.<> (apitoken.digest, apitoken.digest) IS 'not equal';

CREATE OPERATOR apitoken.< (
	FUNCTION = apitoken.digest_lt, LEFTARG = apitoken.digest, RIGHTARG = apitoken.digest,
	COMMUTATOR = OPERATOR(apitoken.>), NEGATOR = OPERATOR(apitoken.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR apitoken.< (apitoken.digest, apitoken.digest) IS 'less than';

CREATE OPERATOR apitoken.<= (
	FUNCTION = apitoken.digest_le, LEFTARG = apitoken.digest, RIGHTARG = apitoken.digest,
	COMMUTATOR = OPERATOR(apitoken.>=), NEGATOR = OPERATOR(apitoken.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR apitoken.<= (apitoken.digest, apitoken.digest) IS 'less than or equal';

CREATE OPERATOR apitoken.> (
	FUNCTION = apitoken.digest_gt, LEFTARG = apitoken.digest, RIGHTARG = apitoken.digest,
	COMMUTATOR = OPERATOR(apitoken.<), NEGATOR = OPERATOR(apitoken.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR apitoken.> (apitoken.digest, apitoken.digest) IS 'greater than';

CREATE OPERATOR apitoken.>= (
	FUNCTION = apitoken.digest_ge, LEFTARG = apitoken.digest, RIGHTARG = apitoken.digest,
	COMMUTATOR = OPERATOR(apitoken.<=), NEGATOR = OPERATOR(apitoken.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR apitoken.>= (apitoken.digest, apitoken.digest) IS 'greater than or equal';

CREATE OPERATOR CLASS apitoken.digest_ops
	DEFAULT FOR TYPE apitoken.digest USING btree AS
		OPERATOR 1 apitoken.<,
		OPERATOR 2 apitoken.<=,
		OPERATOR 3 apitoken.=,
		OPERATOR 4 apitoken.>=,
		OPERATOR 5 apitoken.>,
		FUNCTION 1 apitoken.digest_cmp(apitoken.digest, apitoken.digest);
COMMENT ON OPERATOR CLASS apitoken.digest_ops USING btree IS 'bytewise order';
COMMENT ON OPERATOR FAMILY apitoken.digest_ops USING btree IS 'bytewise order';

CREATE OPERATOR CLASS apitoken.digest_ops
	DEFAULT FOR TYPE apitoken.digest USING hash AS
		OPERATOR 1 apitoken.=,
		FUNCTION 1 apitoken.digest_hash(apitoken.digest),
		FUNCTION 2 apitoken.digest_hash_extended(apitoken.digest, bigint);
COMMENT ON OPERATOR CLASS apitoken.digest_ops USING hash IS 'equality';
COMMENT ON OPERATOR FAMILY apitoken.digest_ops USING hash IS 'equality';

CREATE FUNCTION apitoken.digest_from_bytea(bytea) RETURNS apitoken.digest
	AS 'MODULE_PATHNAME', 'atk_sql_digest_from_bytea'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_from_bytea(bytea) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_from_bytea(bytea) IS '32 bytes as a digest';

CREATE CAST (bytea AS apitoken.digest) WITH FUNCTION apitoken.digest_from_bytea(bytea);
COMMENT ON CAST (bytea AS apitoken.digest) IS '32 bytes as a digest';

CREATE FUNCTION apitoken.digest_to_bytea(apitoken.digest) RETURNS bytea
	AS 'MODULE_PATHNAME', 'atk_sql_digest_to_bytea'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.digest_to_bytea(apitoken.digest) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.digest_to_bytea(apitoken.digest) IS 'the bytes of a digest';

CREATE CAST (apitoken.digest AS bytea) WITH FUNCTION apitoken.digest_to_bytea(apitoken.digest);
COMMENT ON CAST (apitoken.digest AS bytea) IS 'the bytes of a digest';

/* STABLE, for the key that a digest may be made with is a setting */
CREATE FUNCTION apitoken.token_digest(token text) RETURNS apitoken.digest
	AS 'MODULE_PATHNAME', 'atk_sql_token_digest'
	LANGUAGE C STABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.token_digest(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.token_digest(text) IS
	'the digest that is stored for a token text; for the administrator alone';
