/* apitoken: install script, joined from src/sql/ by make */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION apitoken" to load this file. \quit

/*
 * The schema is created here and not named in the control file, where a
 * schema that somebody made beforehand would be adopted, its owner included.
 * Objects are created with plain CREATE: what is there already is an error.
 *
 * PUBLIC may do nothing: a REVOKE stands beneath each CREATE FUNCTION and
 * CREATE TYPE.  Roles are given rights by GRANT; the README has recipes.
 */
CREATE SCHEMA apitoken;
COMMENT ON SCHEMA apitoken IS 'API tokens: issue, verify, look up, report';
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
/* type apitoken.scopes: src/scopes.h */

CREATE TYPE apitoken.scopes;

CREATE FUNCTION apitoken.scopes_in(cstring) RETURNS apitoken.scopes
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_in(cstring) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_in(cstring) IS 'I/O';

CREATE FUNCTION apitoken.scopes_out(apitoken.scopes) RETURNS cstring
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_out(apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_out(apitoken.scopes) IS 'I/O';

CREATE FUNCTION apitoken.scopes_recv(internal) RETURNS apitoken.scopes
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_recv(internal) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_recv(internal) IS 'I/O';

CREATE FUNCTION apitoken.scopes_send(apitoken.scopes) RETURNS bytea
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_send(apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_send(apitoken.scopes) IS 'I/O';

CREATE TYPE apitoken.scopes (
	INPUT = apitoken.scopes_in, OUTPUT = apitoken.scopes_out,
	RECEIVE = apitoken.scopes_recv, SEND = apitoken.scopes_send,
	INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = extended
);
REVOKE ALL ON TYPE apitoken.scopes FROM PUBLIC;
COMMENT ON TYPE apitoken.scopes IS
	'set of OAuth 2 scopes (RFC 6749 section 3.3), sorted, each once; written with spaces between them';

CREATE FUNCTION apitoken.scopes_eq(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_eq(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_eq(apitoken.scopes, apitoken.scopes) IS 'implementation of = operator';

CREATE FUNCTION apitoken.scopes_ne(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_ne(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_ne(apitoken.scopes, apitoken.scopes) IS 'implementation of <> operator';

CREATE FUNCTION apitoken.scopes_lt(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_lt(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_lt(apitoken.scopes, apitoken.scopes) IS 'implementation of < operator';

CREATE FUNCTION apitoken.scopes_le(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_le(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_le(apitoken.scopes, apitoken.scopes) IS 'implementation of <= operator';

CREATE FUNCTION apitoken.scopes_gt(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_gt(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_gt(apitoken.scopes, apitoken.scopes) IS 'implementation of > operator';

CREATE FUNCTION apitoken.scopes_ge(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_ge(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_ge(apitoken.scopes, apitoken.scopes) IS 'implementation of >= operator';

CREATE FUNCTION apitoken.scopes_cmp(apitoken.scopes, apitoken.scopes) RETURNS integer
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_cmp(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_cmp(apitoken.scopes, apitoken.scopes) IS 'less-equal-greater';

CREATE FUNCTION apitoken.scopes_hash(apitoken.scopes) RETURNS integer
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_hash(apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_hash(apitoken.scopes) IS 'hash';

CREATE FUNCTION apitoken.scopes_hash_extended(apitoken.scopes, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_hash_extended(apitoken.scopes, bigint) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_hash_extended(apitoken.scopes, bigint) IS 'hash with a seed';

CREATE OPERATOR apitoken.= (
	FUNCTION = apitoken.scopes_eq, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.=), NEGATOR = OPERATOR(apitoken.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR apitoken.= (apitoken.scopes, apitoken.scopes) IS 'equal';

CREATE OPERATOR apitoken.<> (
	FUNCTION = apitoken.scopes_ne, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.<>), NEGATOR = OPERATOR(apitoken.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR apitoken.<> (apitoken.scopes, apitoken.scopes) IS 'not equal';

CREATE OPERATOR apitoken.< (
	FUNCTION = apitoken.scopes_lt, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.>), NEGATOR = OPERATOR(apitoken.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR apitoken.< (apitoken.scopes, apitoken.scopes) IS 'less than';

CREATE OPERATOR apitoken.<= (
	FUNCTION = apitoken.scopes_le, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.>=), NEGATOR = OPERATOR(apitoken.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR apitoken.<= (apitoken.scopes, apitoken.scopes) IS 'less than or equal';

CREATE OPERATOR apitoken.> (
	FUNCTION = apitoken.scopes_gt, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.<), NEGATOR = OPERATOR(apitoken.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR apitoken.> (apitoken.scopes, apitoken.scopes) IS 'greater than';

CREATE OPERATOR apitoken.>= (
	FUNCTION = apitoken.scopes_ge, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.<=), NEGATOR = OPERATOR(apitoken.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR apitoken.>= (apitoken.scopes, apitoken.scopes) IS 'greater than or equal';

CREATE OPERATOR CLASS apitoken.scopes_ops
	DEFAULT FOR TYPE apitoken.scopes USING btree AS
		OPERATOR 1 apitoken.<,
		OPERATOR 2 apitoken.<=,
		OPERATOR 3 apitoken.=,
		OPERATOR 4 apitoken.>=,
		OPERATOR 5 apitoken.>,
		FUNCTION 1 apitoken.scopes_cmp(apitoken.scopes, apitoken.scopes);
COMMENT ON OPERATOR CLASS apitoken.scopes_ops USING btree IS 'bytewise order';
COMMENT ON OPERATOR FAMILY apitoken.scopes_ops USING btree IS 'bytewise order';

CREATE OPERATOR CLASS apitoken.scopes_ops
	DEFAULT FOR TYPE apitoken.scopes USING hash AS
		OPERATOR 1 apitoken.=,
		FUNCTION 1 apitoken.scopes_hash(apitoken.scopes),
		FUNCTION 2 apitoken.scopes_hash_extended(apitoken.scopes, bigint);
COMMENT ON OPERATOR CLASS apitoken.scopes_ops USING hash IS 'equality';
COMMENT ON OPERATOR FAMILY apitoken.scopes_ops USING hash IS 'equality';

CREATE FUNCTION apitoken.scopes_grant(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_grant'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_grant(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_grant(apitoken.scopes, apitoken.scopes) IS 'implementation of @> operator';

CREATE OPERATOR apitoken.@> (
	FUNCTION = apitoken.scopes_grant, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.<@),
	RESTRICT = pg_catalog.matchingsel, JOIN = pg_catalog.matchingjoinsel
);
COMMENT ON OPERATOR apitoken.@> (apitoken.scopes, apitoken.scopes) IS 'grants: every scope on the right is granted by one on the left, wildcards included';

CREATE FUNCTION apitoken.scopes_granted_by(apitoken.scopes, apitoken.scopes) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_granted_by'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_granted_by(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_granted_by(apitoken.scopes, apitoken.scopes) IS 'implementation of <@ operator';

CREATE OPERATOR apitoken.<@ (
	FUNCTION = apitoken.scopes_granted_by, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes,
	COMMUTATOR = OPERATOR(apitoken.@>),
	RESTRICT = pg_catalog.matchingsel, JOIN = pg_catalog.matchingjoinsel
);
COMMENT ON OPERATOR apitoken.<@ (apitoken.scopes, apitoken.scopes) IS 'is granted by';

CREATE FUNCTION apitoken.scopes_union(apitoken.scopes, apitoken.scopes) RETURNS apitoken.scopes
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_union'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_union(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_union(apitoken.scopes, apitoken.scopes) IS 'implementation of + operator';

CREATE OPERATOR apitoken.+ (
	COMMUTATOR = OPERATOR(apitoken.+),
	FUNCTION = apitoken.scopes_union, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes
);
COMMENT ON OPERATOR apitoken.+ (apitoken.scopes, apitoken.scopes) IS 'union';

CREATE FUNCTION apitoken.scopes_difference(apitoken.scopes, apitoken.scopes) RETURNS apitoken.scopes
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_difference'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_difference(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_difference(apitoken.scopes, apitoken.scopes) IS 'implementation of - operator';

CREATE OPERATOR apitoken.- (
	FUNCTION = apitoken.scopes_difference, LEFTARG = apitoken.scopes, RIGHTARG = apitoken.scopes
);
COMMENT ON OPERATOR apitoken.- (apitoken.scopes, apitoken.scopes) IS 'the scopes on the left that are not on the right';

CREATE FUNCTION apitoken.scope_count(scopes apitoken.scopes) RETURNS integer
	AS 'MODULE_PATHNAME', 'atk_sql_scope_count'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scope_count(apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scope_count(apitoken.scopes) IS 'how many scopes the set has';

CREATE FUNCTION apitoken.scopes_from_array(text[]) RETURNS apitoken.scopes
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_from_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_from_array(text[]) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_from_array(text[]) IS 'the set of these scopes';

CREATE CAST (text[] AS apitoken.scopes) WITH FUNCTION apitoken.scopes_from_array(text[]) AS ASSIGNMENT;
COMMENT ON CAST (text[] AS apitoken.scopes) IS 'the set of these scopes';

CREATE FUNCTION apitoken.scopes_to_array(apitoken.scopes) RETURNS text[]
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_to_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_to_array(apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_to_array(apitoken.scopes) IS 'the scopes in order';

CREATE CAST (apitoken.scopes AS text[]) WITH FUNCTION apitoken.scopes_to_array(apitoken.scopes) AS ASSIGNMENT;
COMMENT ON CAST (apitoken.scopes AS text[]) IS 'the scopes in order';

/* GIN: which sets grant X; src/scopes_gin.h */

CREATE FUNCTION apitoken.scopes_gin_extract(apitoken.scopes, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_gin_extract'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_gin_extract(apitoken.scopes, internal) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_gin_extract(apitoken.scopes, internal) IS 'GIN support';

CREATE FUNCTION apitoken.scopes_gin_extract_query(apitoken.scopes, internal, smallint, internal, internal, internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_gin_extract_query'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_gin_extract_query(apitoken.scopes, internal, smallint, internal, internal, internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_gin_extract_query(apitoken.scopes, internal, smallint, internal, internal, internal, internal) IS 'GIN support';

CREATE FUNCTION apitoken.scopes_gin_consistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal, internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_gin_consistent'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_gin_consistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_gin_consistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal, internal) IS 'GIN support';

CREATE FUNCTION apitoken.scopes_gin_triconsistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal) RETURNS "char"
	AS 'MODULE_PATHNAME', 'atk_sql_scopes_gin_triconsistent'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.scopes_gin_triconsistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.scopes_gin_triconsistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal) IS 'GIN support';

CREATE OPERATOR CLASS apitoken.scopes_ops
	DEFAULT FOR TYPE apitoken.scopes USING gin AS
		OPERATOR 1 apitoken.@>,
		FUNCTION 1 pg_catalog.byteacmp(bytea, bytea),
		FUNCTION 2 apitoken.scopes_gin_extract(apitoken.scopes, internal),
		FUNCTION 3 apitoken.scopes_gin_extract_query(apitoken.scopes, internal, smallint, internal, internal, internal, internal),
		FUNCTION 4 apitoken.scopes_gin_consistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal, internal),
		FUNCTION 6 apitoken.scopes_gin_triconsistent(internal, smallint, apitoken.scopes, integer, internal, internal, internal),
		STORAGE bytea;
COMMENT ON OPERATOR CLASS apitoken.scopes_ops USING gin IS 'which sets grant these scopes';
COMMENT ON OPERATOR FAMILY apitoken.scopes_ops USING gin IS 'which sets grant these scopes';
/* apitoken.realm: what the administrator edits; src/realm.h */

CREATE TABLE apitoken.realm (
	id text COLLATE "C" PRIMARY KEY
		CONSTRAINT realm_id_check CHECK (char_length(id) BETWEEN 1 AND 255 AND id ~ '[^[:space:]]'),
	name text COLLATE "C"
		CONSTRAINT realm_name_check CHECK (char_length(name) BETWEEN 1 AND 255 AND name ~ '[^[:space:]]'),
	prefix text COLLATE "C" NOT NULL DEFAULT 'tok'
		CONSTRAINT realm_prefix_check CHECK (prefix ~ '^[A-Za-z0-9_]{1,16}$'),
	enabled boolean NOT NULL DEFAULT true,
	default_ttl interval
		CONSTRAINT realm_default_ttl_check CHECK (default_ttl > interval '0' AND isfinite(default_ttl)),
	max_ttl interval
		CONSTRAINT realm_max_ttl_check CHECK (max_ttl > interval '0' AND isfinite(max_ttl)),
	max_idle interval
		CONSTRAINT realm_max_idle_check CHECK (max_idle >= interval '1 hour' AND isfinite(max_idle)),
	max_active_per_principal integer
		CONSTRAINT realm_max_active_per_principal_check CHECK (max_active_per_principal > 0),
	known_scopes apitoken.scopes,
	access_token_ttl interval
		CONSTRAINT realm_access_token_ttl_check CHECK (access_token_ttl > interval '0' AND isfinite(access_token_ttl)),
	token_endpoint_url text
		CONSTRAINT realm_token_endpoint_url_check CHECK (token_endpoint_url ~ '^https?://[^[:space:]]+$' AND char_length(token_endpoint_url) <= 2048),
	oidc_issuer_url text
		CONSTRAINT realm_oidc_issuer_url_check CHECK (oidc_issuer_url ~ '^https?://[^[:space:]]+$' AND char_length(oidc_issuer_url) <= 2048),
	idp_id text
		CONSTRAINT realm_idp_id_check CHECK (char_length(idp_id) BETWEEN 1 AND 255 AND idp_id ~ '[^[:space:]]'),
	idp_domain text
		CONSTRAINT realm_idp_domain_check CHECK (char_length(idp_domain) BETWEEN 1 AND 255 AND idp_domain ~ '[^[:space:]]'),
	notify boolean NOT NULL DEFAULT false,
	revoke_on_reuse boolean NOT NULL DEFAULT false,
	metadata jsonb
		CONSTRAINT realm_metadata_check CHECK (jsonb_typeof(metadata) = 'object'),
	created_at timestamptz NOT NULL DEFAULT clock_timestamp()
		CONSTRAINT realm_created_at_check CHECK (isfinite(created_at)),
	CONSTRAINT realm_ttl_check CHECK (default_ttl <= max_ttl)
);
REVOKE ALL ON TABLE apitoken.realm FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.realm FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken.realm', '');

COMMENT ON TABLE apitoken.realm IS
	'tenants and their policy: an organisation, an account, an SSO realm; edited with plain SQL';
COMMENT ON INDEX apitoken.realm_pkey IS 'finds a realm by its id';
COMMENT ON COLUMN apitoken.realm.id IS 'identifier, 1 to 255 characters';
COMMENT ON COLUMN apitoken.realm.name IS 'display name, 1 to 255 characters';
COMMENT ON COLUMN apitoken.realm.prefix IS
	'first part of the tokens issued from now on, 1 to 16 of A-Z, a-z, 0-9 and _';
COMMENT ON COLUMN apitoken.realm.enabled IS
	'where false, no token of the realm is valid and none is issued';
COMMENT ON COLUMN apitoken.realm.default_ttl IS
	'life of a token for which no expiry is asked; null: it never expires';
COMMENT ON COLUMN apitoken.realm.max_ttl IS
	'longest life that can be asked for; null, or more than 2000 years: any';
COMMENT ON COLUMN apitoken.realm.max_idle IS
	'a token unused for longer is refused, an hour or more; null, or more than 2000 years: never';
COMMENT ON COLUMN apitoken.realm.max_active_per_principal IS
	'how many active and unexpired tokens a principal may have; null: any number';
COMMENT ON COLUMN apitoken.realm.known_scopes IS
	'the scopes that tokens may have; null: anything';
COMMENT ON COLUMN apitoken.realm.access_token_ttl IS
	'life of access tokens that others exchange a token for; copied to tokens that do not say';
COMMENT ON COLUMN apitoken.realm.token_endpoint_url IS
	'where tokens are exchanged for access tokens; shown, not used';
COMMENT ON COLUMN apitoken.realm.oidc_issuer_url IS
	'OpenID Connect issuer of the realm; shown, not used';
COMMENT ON COLUMN apitoken.realm.idp_id IS
	'identity provider of the realm''s users; shown where a token does not say';
COMMENT ON COLUMN apitoken.realm.idp_domain IS
	'domain of the identity provider; shown where a token does not say';
COMMENT ON COLUMN apitoken.realm.notify IS
	'whether each change of a token sends NOTIFY apitoken; serialises commits';
COMMENT ON COLUMN apitoken.realm.revoke_on_reuse IS
	'whether a token is revoked when a secret that was rotated away is used';
COMMENT ON COLUMN apitoken.realm.metadata IS 'JSON object for the application''s own use';
COMMENT ON COLUMN apitoken.realm.created_at IS 'when the row was made';
/* apitoken._token: private, read through views; src/columns.h */

/*
 * What verification reads stands first and has a fixed width.  Digests are
 * unique by construction and by the import's locks, not by an index: a hash
 * index, which cannot be unique, is half the size of a btree and a third
 * faster to probe.
 */
CREATE TABLE apitoken._token (
	id uuid PRIMARY KEY,
	digest apitoken.digest NOT NULL,
	previous_digest apitoken.digest,
	created_at timestamptz NOT NULL,
	not_before timestamptz,
	expires_at timestamptz,
	previous_expires_at timestamptz,
	status "char" NOT NULL CONSTRAINT _token_status_check CHECK (status IN ('a', 's', 'r')),
	kind "char" NOT NULL CONSTRAINT _token_kind_check CHECK (kind IN ('u', 'c')),
	key_id integer NOT NULL,
	realm text COLLATE "C" NOT NULL,
	prefix text COLLATE "C" NOT NULL,
	scopes apitoken.scopes NOT NULL,
	allowed_addresses inet[],
	name text COLLATE "C" NOT NULL,
	description text,
	principal text COLLATE "C",
	principal_id text COLLATE "C",
	client_id text COLLATE "C",
	environment_id text COLLATE "C",
	idp_id text COLLATE "C",
	idp_domain text COLLATE "C",
	allowed_scopes jsonb,
	metadata jsonb,
	granted_ttl interval,
	access_token_ttl interval,
	last_chars text COLLATE "C",
	version bigint NOT NULL,
	created_by text,
	created_by_name text,
	updated_at timestamptz NOT NULL,
	updated_by text,
	updated_by_name text,
	status_changed_at timestamptz,
	status_changed_by text,
	status_reason text,
	rotated_at timestamptz,
	CONSTRAINT _token_previous_check
		CHECK ((previous_digest IS NULL) = (previous_expires_at IS NULL))
);
REVOKE ALL ON TABLE apitoken._token FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._token FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._token', '');

/* Statistics would keep copies of digests in pg_statistic. */
ALTER TABLE apitoken._token
	ALTER COLUMN digest SET STATISTICS 0,
	ALTER COLUMN previous_digest SET STATISTICS 0;

CREATE INDEX _token_digest_idx ON apitoken._token USING hash (digest);
CREATE INDEX _token_previous_digest_idx ON apitoken._token USING hash (previous_digest)
	WHERE previous_digest IS NOT NULL;
CREATE INDEX _token_realm_idx ON apitoken._token (realm, id);
CREATE INDEX _token_name_idx ON apitoken._token (realm, name, id);
CREATE INDEX _token_status_idx ON apitoken._token (realm, status, id);
CREATE INDEX _token_created_idx ON apitoken._token (realm, created_at, id);
CREATE INDEX _token_expires_idx ON apitoken._token (realm, expires_at, id);
CREATE INDEX _token_access_token_ttl_idx ON apitoken._token (realm, access_token_ttl, id);
CREATE INDEX _token_status_changed_idx ON apitoken._token (status, status_changed_at)
	WHERE status_changed_at IS NOT NULL;
CREATE INDEX _token_principal_idx ON apitoken._token (principal, realm, status, expires_at)
	WHERE principal IS NOT NULL;
CREATE INDEX _token_scopes_idx ON apitoken._token USING gin (scopes);

COMMENT ON TABLE apitoken._token IS
	'tokens, without their secrets; private: read view apitoken.tokens, change by functions';
COMMENT ON INDEX apitoken._token_pkey IS 'finds a token by its id';
COMMENT ON INDEX apitoken._token_digest_idx IS 'finds a token by its secret';
COMMENT ON INDEX apitoken._token_previous_digest_idx IS 'finds a token by the secret before';
COMMENT ON INDEX apitoken._token_realm_idx IS 'the tokens of a realm, by id';
COMMENT ON INDEX apitoken._token_name_idx IS 'the tokens of a realm, by name';
COMMENT ON INDEX apitoken._token_status_idx IS 'the tokens of a realm, by status';
COMMENT ON INDEX apitoken._token_created_idx IS 'the tokens of a realm, by creation';
COMMENT ON INDEX apitoken._token_expires_idx IS 'the tokens of a realm, by expiry';
COMMENT ON INDEX apitoken._token_access_token_ttl_idx IS 'the tokens of a realm, by life of access tokens';
COMMENT ON INDEX apitoken._token_status_changed_idx IS 'finds tokens that were revoked long ago';
COMMENT ON INDEX apitoken._token_principal_idx IS 'the tokens of a principal, those that live longest last';
COMMENT ON INDEX apitoken._token_scopes_idx IS 'the tokens that grant a scope';
COMMENT ON COLUMN apitoken._token.id IS 'UUIDv7; its 120 free bits are the public part of the token';
COMMENT ON COLUMN apitoken._token.digest IS 'BLAKE2b-256 of the SHA-256 of the token text';
COMMENT ON COLUMN apitoken._token.previous_digest IS 'the same of the secret before the last rotation';
COMMENT ON COLUMN apitoken._token.created_at IS 'when it was issued, or as given at import';
COMMENT ON COLUMN apitoken._token.not_before IS 'it is not valid before; null: at once';
COMMENT ON COLUMN apitoken._token.expires_at IS 'it is not valid from then on; null: never expires';
COMMENT ON COLUMN apitoken._token.previous_expires_at IS 'end of the grace of the previous secret';
COMMENT ON COLUMN apitoken._token.status IS 'a active, s suspended, r revoked; expired is computed';
COMMENT ON COLUMN apitoken._token.kind IS 'who it acts for: u a user, c an API client';
COMMENT ON COLUMN apitoken._token.key_id IS 'key that the digest was made with; 0: none';
COMMENT ON COLUMN apitoken._token.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken._token.prefix IS 'first part of the token text';
COMMENT ON COLUMN apitoken._token.scopes IS 'what it may be used for';
COMMENT ON COLUMN apitoken._token.allowed_addresses IS 'networks it may be used from; null or empty: any';
COMMENT ON COLUMN apitoken._token.name IS 'name, 1 to 255 characters';
COMMENT ON COLUMN apitoken._token.description IS 'description';
COMMENT ON COLUMN apitoken._token.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken._token.principal_id IS 'identifier of who it acts for';
COMMENT ON COLUMN apitoken._token.client_id IS 'identifier of the API client';
COMMENT ON COLUMN apitoken._token.environment_id IS 'environment that it is confined to; null: the whole account';
COMMENT ON COLUMN apitoken._token.idp_id IS 'identity provider of its user';
COMMENT ON COLUMN apitoken._token.idp_domain IS 'domain of the identity provider';
COMMENT ON COLUMN apitoken._token.allowed_scopes IS 'general, organization and service scopes as JSON';
COMMENT ON COLUMN apitoken._token.metadata IS 'JSON object for the application''s own use';
COMMENT ON COLUMN apitoken._token.granted_ttl IS 'life that it was last given; null: never expires';
COMMENT ON COLUMN apitoken._token.access_token_ttl IS 'life of access tokens that others exchange it for';
COMMENT ON COLUMN apitoken._token.last_chars IS 'last characters of the token text, five at the most';
COMMENT ON COLUMN apitoken._token.version IS 'counts modifications, from 1';
COMMENT ON COLUMN apitoken._token.created_by IS 'identifier of who issued it';
COMMENT ON COLUMN apitoken._token.created_by_name IS 'name of who issued it';
COMMENT ON COLUMN apitoken._token.updated_at IS 'last modification; a change of state is none';
COMMENT ON COLUMN apitoken._token.updated_by IS 'identifier of who modified it last';
COMMENT ON COLUMN apitoken._token.updated_by_name IS 'name of who modified it last';
COMMENT ON COLUMN apitoken._token.status_changed_at IS 'last change of state; null: none yet';
COMMENT ON COLUMN apitoken._token.status_changed_by IS 'identifier of who changed its state last';
COMMENT ON COLUMN apitoken._token.status_reason IS 'reason of the last change of state';
COMMENT ON COLUMN apitoken._token.rotated_at IS 'when it was given its secret; null: at creation';

/*
 * Guards on realm.  The first is what a foreign key would do, without its
 * lock on the realm's row at every token issued.  The second has all sessions
 * drop what they keep of realms; ALWAYS and FOR EACH ROW, because the apply
 * of logical replication fires only such triggers.
 */
CREATE FUNCTION apitoken._realm_guard() RETURNS trigger
	AS 'MODULE_PATHNAME', 'atk_sql_realm_guard'
	LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION apitoken._realm_guard() FROM PUBLIC;
COMMENT ON FUNCTION apitoken._realm_guard() IS
	'refuses to remove or rename a realm that has tokens';

CREATE FUNCTION apitoken._realm_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'atk_sql_realm_changed'
	LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION apitoken._realm_changed() FROM PUBLIC;
COMMENT ON FUNCTION apitoken._realm_changed() IS
	'has all sessions forget the policy of realms at commit';

CREATE TRIGGER realm_guard BEFORE DELETE OR UPDATE OF id ON apitoken.realm
	FOR EACH ROW EXECUTE FUNCTION apitoken._realm_guard();
CREATE TRIGGER realm_guard_truncate BEFORE TRUNCATE ON apitoken.realm
	FOR EACH STATEMENT EXECUTE FUNCTION apitoken._realm_guard();
CREATE TRIGGER realm_changed AFTER INSERT OR UPDATE OR DELETE ON apitoken.realm
	FOR EACH ROW EXECUTE FUNCTION apitoken._realm_changed();
CREATE TRIGGER realm_truncated AFTER TRUNCATE ON apitoken.realm
	FOR EACH STATEMENT EXECUTE FUNCTION apitoken._realm_changed();
ALTER TABLE apitoken.realm
	ENABLE ALWAYS TRIGGER realm_changed,
	ENABLE ALWAYS TRIGGER realm_truncated;
COMMENT ON TRIGGER realm_guard ON apitoken.realm IS 'a realm that has tokens stays';
COMMENT ON TRIGGER realm_guard_truncate ON apitoken.realm IS 'a realm that has tokens stays';
COMMENT ON TRIGGER realm_changed ON apitoken.realm IS 'sessions forget what they keep of realms';
COMMENT ON TRIGGER realm_truncated ON apitoken.realm IS 'sessions forget what they keep of realms';

/*
 * Changes of realms leave events.  Not ALWAYS: a change that replication
 * brings has its event already, which replication brings as well.
 */
CREATE FUNCTION apitoken._realm_event() RETURNS trigger
	AS 'MODULE_PATHNAME', 'atk_sql_realm_event'
	LANGUAGE C VOLATILE;
REVOKE ALL ON FUNCTION apitoken._realm_event() FROM PUBLIC;
COMMENT ON FUNCTION apitoken._realm_event() IS 'writes an event for a change of a realm';

CREATE TRIGGER realm_event AFTER INSERT OR UPDATE OR DELETE ON apitoken.realm
	FOR EACH ROW EXECUTE FUNCTION apitoken._realm_event();
CREATE TRIGGER realm_event_truncate AFTER TRUNCATE ON apitoken.realm
	FOR EACH STATEMENT EXECUTE FUNCTION apitoken._realm_event();
COMMENT ON TRIGGER realm_event ON apitoken.realm IS 'changes of realms leave events';
COMMENT ON TRIGGER realm_event_truncate ON apitoken.realm IS 'changes of realms leave events';

CREATE FUNCTION apitoken.check_token(token text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_check_token'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.check_token(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.check_token(text) IS
	'whether a text has the form and the check sum of a token issued here; asks no table';

CREATE FUNCTION apitoken._public_id(prefix text, id uuid) RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_public_id'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._public_id(text, uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._public_id(text, uuid) IS 'public id of a token, for views';
/*
 * apitoken._usage and _usage_hourly: private, read through views; written by
 * the background worker and flush_usage(); src/flush.h
 */

/*
 * Apart from _token, so that recording a use never rewrites or locks a token.
 * Each token has a row from its beginning, so that one index lists tokens by
 * last use, the never used ones first.
 *
 * The fill factor leaves room for the next version of a row in its page: a
 * flush then touches one page of the table for it, not two, and of an hour
 * none of the index (HOT).
 */
CREATE TABLE apitoken._usage (
	token_id uuid PRIMARY KEY,
	realm text COLLATE "C" NOT NULL,
	last_used_at timestamptz,
	last_used_ip inet,
	use_count bigint NOT NULL
) WITH (fillfactor = 80);
REVOKE ALL ON TABLE apitoken._usage FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._usage FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._usage', '');

CREATE INDEX _usage_last_used_idx ON apitoken._usage (realm, last_used_at NULLS FIRST, token_id);

COMMENT ON TABLE apitoken._usage IS
	'last use of each token; private: read view apitoken.tokens';
COMMENT ON INDEX apitoken._usage_pkey IS 'finds the use of a token';
COMMENT ON INDEX apitoken._usage_last_used_idx IS 'the tokens of a realm, by last use';
COMMENT ON COLUMN apitoken._usage.token_id IS 'id of the token';
COMMENT ON COLUMN apitoken._usage.realm IS 'id of the token''s realm';
COMMENT ON COLUMN apitoken._usage.last_used_at IS 'when it was verified last; null: never';
COMMENT ON COLUMN apitoken._usage.last_used_ip IS 'address it came from; null: not given';
COMMENT ON COLUMN apitoken._usage.use_count IS 'how often it was verified';

/* Verifications by hour and outcome, denied ones included. */
CREATE TABLE apitoken._usage_hourly (
	token_id uuid NOT NULL,
	hour timestamptz NOT NULL,
	outcome text COLLATE "C" NOT NULL,
	uses bigint NOT NULL,
	PRIMARY KEY (token_id, hour, outcome)
) WITH (fillfactor = 80);
REVOKE ALL ON TABLE apitoken._usage_hourly FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._usage_hourly FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._usage_hourly', '');

COMMENT ON TABLE apitoken._usage_hourly IS
	'verifications by token, hour and outcome; private: read views usage_hourly and usage_daily';
COMMENT ON INDEX apitoken._usage_hourly_pkey IS 'finds the count of an hour';
COMMENT ON COLUMN apitoken._usage_hourly.token_id IS 'id of the token; all zero: of no token';
COMMENT ON COLUMN apitoken._usage_hourly.hour IS 'beginning of the hour, UTC';
COMMENT ON COLUMN apitoken._usage_hourly.outcome IS 'outcome of the verifications';
COMMENT ON COLUMN apitoken._usage_hourly.uses IS 'number of verifications';

CREATE FUNCTION apitoken.flush_usage() RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_flush_usage'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.flush_usage() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.flush_usage() IS
	'writes recorded use now; returns the number of entries written';

/* For views: what is in the tables and what is still in memory, together. */
CREATE FUNCTION apitoken._last_used_at(id uuid, stored timestamptz) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'atk_sql_last_used_at'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken._last_used_at(uuid, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._last_used_at(uuid, timestamptz) IS 'last use of a token, for views';

CREATE FUNCTION apitoken._last_used_ip(id uuid, stored_at timestamptz, stored inet) RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_last_used_ip'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken._last_used_ip(uuid, timestamptz, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._last_used_ip(uuid, timestamptz, inet) IS 'address of the last use, for views';

CREATE FUNCTION apitoken._use_count(id uuid, stored bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_use_count'
	LANGUAGE C STABLE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken._use_count(uuid, bigint) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._use_count(uuid, bigint) IS 'number of uses, for views';
/*
 * apitoken._event and what belongs to it: the history of tokens and realms,
 * private, read through view apitoken.events; src/event.h, src/seal.h
 */

/* Made explicitly, for the library takes its values itself. */
CREATE SEQUENCE apitoken._event_id_seq AS bigint;
REVOKE ALL ON SEQUENCE apitoken._event_id_seq FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event_id_seq', '');
COMMENT ON SEQUENCE apitoken._event_id_seq IS 'ids of events';

CREATE TABLE apitoken._event (
	id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	realm text COLLATE "C",
	token_id uuid,
	event text COLLATE "C" NOT NULL,
	actor text NOT NULL,
	actor_name text NOT NULL,
	session_role text NOT NULL,
	client_addr inet,
	application_name text,
	reason text,
	old jsonb,
	new jsonb
);
REVOKE ALL ON TABLE apitoken._event FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._event FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event', '');
ALTER SEQUENCE apitoken._event_id_seq OWNED BY apitoken._event.id;

CREATE INDEX _event_token_idx ON apitoken._event (token_id, id);
CREATE INDEX _event_realm_idx ON apitoken._event (realm, id);

COMMENT ON TABLE apitoken._event IS
	'what happened to tokens and realms; private: read view apitoken.events';
COMMENT ON INDEX apitoken._event_pkey IS 'finds an event by its id';
COMMENT ON INDEX apitoken._event_token_idx IS 'the events of a token, in their order';
COMMENT ON INDEX apitoken._event_realm_idx IS 'the events of a realm, in their order';
COMMENT ON COLUMN apitoken._event.id IS 'number; in the order in which the events of one token happened';
COMMENT ON COLUMN apitoken._event.at IS 'when it happened';
COMMENT ON COLUMN apitoken._event.realm IS 'id of the realm';
COMMENT ON COLUMN apitoken._event.token_id IS 'id of the token; null: it is about a realm or the history itself';
COMMENT ON COLUMN apitoken._event.event IS 'what happened';
COMMENT ON COLUMN apitoken._event.actor IS 'identifier of who did it, as the application says';
COMMENT ON COLUMN apitoken._event.actor_name IS 'name of who did it, as the application says';
COMMENT ON COLUMN apitoken._event.session_role IS 'role that the session logged in with';
COMMENT ON COLUMN apitoken._event.client_addr IS 'address of the client; null: a Unix socket or the server itself';
COMMENT ON COLUMN apitoken._event.application_name IS 'what the client calls itself';
COMMENT ON COLUMN apitoken._event.reason IS 'reason that was given';
COMMENT ON COLUMN apitoken._event.old IS 'values before, of what changed';
COMMENT ON COLUMN apitoken._event.new IS 'values after, of what changed';

/*
 * Ids of events that no seal covers yet.  An event joins in its own
 * transaction and leaves in that of its seal, so nobody has to search the
 * history for events that committed late; one that is in neither was put
 * into the table behind our back.
 */
CREATE TABLE apitoken._event_unsealed (
	event_id bigint PRIMARY KEY
);
REVOKE ALL ON TABLE apitoken._event_unsealed FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._event_unsealed FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event_unsealed', '');
COMMENT ON TABLE apitoken._event_unsealed IS 'events that no seal covers yet; private';
COMMENT ON INDEX apitoken._event_unsealed_pkey IS 'finds an event that is not sealed';
COMMENT ON COLUMN apitoken._event_unsealed.event_id IS 'id of the event';

CREATE TABLE apitoken._event_seal (
	id bigint PRIMARY KEY,
	sealed_at timestamptz NOT NULL,
	last_event_at timestamptz NOT NULL,
	events bigint[] NOT NULL,
	event_digests bytea NOT NULL,
	key_id integer NOT NULL,
	digest apitoken.digest NOT NULL,
	purged boolean NOT NULL
);
REVOKE ALL ON TABLE apitoken._event_seal FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._event_seal FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._event_seal', '');

/* Nobody searches by digests; pg_statistic needs no copies of them. */
ALTER TABLE apitoken._event_seal
	ALTER COLUMN event_digests SET STATISTICS 0,
	ALTER COLUMN digest SET STATISTICS 0;

COMMENT ON TABLE apitoken._event_seal IS
	'digests over events and the seal before: what is altered later shows in apitoken.check_events(); private';
COMMENT ON INDEX apitoken._event_seal_pkey IS 'finds a seal';
COMMENT ON COLUMN apitoken._event_seal.id IS 'number, without gaps';
COMMENT ON COLUMN apitoken._event_seal.sealed_at IS 'when it was made';
COMMENT ON COLUMN apitoken._event_seal.last_event_at IS 'the latest of its events';
COMMENT ON COLUMN apitoken._event_seal.events IS 'ids of its events, ascending';
COMMENT ON COLUMN apitoken._event_seal.event_digests IS 'BLAKE2b-256 of each, 32 bytes an event';
COMMENT ON COLUMN apitoken._event_seal.key_id IS 'key that the digest was made with; 0: none';
COMMENT ON COLUMN apitoken._event_seal.digest IS 'BLAKE2b-256 over the seal before and all of the above';
COMMENT ON COLUMN apitoken._event_seal.purged IS 'its events and all seals before it were purged: the chain begins here';
/*
 * apitoken._idempotency: keys of apitoken.issue(), so that a repeated call
 * makes no second token; src/idempotency.h
 */

CREATE TABLE apitoken._idempotency (
	realm text COLLATE "C" NOT NULL,
	key text COLLATE "C" NOT NULL,
	token_id uuid NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (realm, key)
);
REVOKE ALL ON TABLE apitoken._idempotency FROM PUBLIC;
REVOKE ALL ON TYPE apitoken._idempotency FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('apitoken._idempotency', '');
CREATE INDEX _idempotency_created_idx ON apitoken._idempotency (created_at);
COMMENT ON TABLE apitoken._idempotency IS 'idempotency keys of a day; private';
COMMENT ON INDEX apitoken._idempotency_pkey IS 'finds a key of a realm';
COMMENT ON INDEX apitoken._idempotency_created_idx IS 'finds keys that have served';
COMMENT ON COLUMN apitoken._idempotency.realm IS 'id of the realm';
COMMENT ON COLUMN apitoken._idempotency.key IS 'key that the client gave';
COMMENT ON COLUMN apitoken._idempotency.token_id IS 'id of the token that was issued for it';
COMMENT ON COLUMN apitoken._idempotency.created_at IS 'when that was';
/*
 * Verification: src/verify.h.
 *
 * VOLATILE and PARALLEL UNSAFE, because each call reads with a snapshot of
 * its own, which a parallel plan cannot have.
 */

CREATE FUNCTION apitoken.verify(
	token text,
	scope text DEFAULT NULL,
	address inet DEFAULT NULL,
	OUT valid boolean,
	OUT outcome text,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT kind text,
	OUT principal text,
	OUT principal_id text,
	OUT client_id text,
	OUT environment_id text,
	OUT scopes text[],
	OUT expires_at timestamptz,
	OUT metadata jsonb)
	AS 'MODULE_PATHNAME', 'atk_sql_verify'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.verify(text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verify(text, text, inet) IS
	'whether this use of a token is allowed, the reason if not, and who it is; one row, never an error for a bad token';

CREATE FUNCTION apitoken.verify_sha256(
	sha256 bytea,
	scope text DEFAULT NULL,
	address inet DEFAULT NULL,
	OUT valid boolean,
	OUT outcome text,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT kind text,
	OUT principal text,
	OUT principal_id text,
	OUT client_id text,
	OUT environment_id text,
	OUT scopes text[],
	OUT expires_at timestamptz,
	OUT metadata jsonb)
	AS 'MODULE_PATHNAME', 'atk_sql_verify_sha256'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.verify_sha256(bytea, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verify_sha256(bytea, text, inet) IS
	'the same by the SHA-256 of the token text, so that the secret is never sent';

CREATE FUNCTION apitoken.verify_many(
	tokens text[],
	scope text DEFAULT NULL,
	address inet DEFAULT NULL)
	RETURNS TABLE (
	ordinality bigint,
	valid boolean,
	outcome text,
	id uuid,
	realm text,
	name text,
	kind text,
	principal text,
	principal_id text,
	client_id text,
	environment_id text,
	scopes text[],
	expires_at timestamptz,
	metadata jsonb)
	AS 'MODULE_PATHNAME', 'atk_sql_verify_many'
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
REVOKE ALL ON FUNCTION apitoken.verify_many(text[], text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verify_many(text[], text, inet) IS
	'the same for each of many tokens, in their order';

CREATE FUNCTION apitoken.verified_id(
	token text,
	scope text DEFAULT NULL,
	address inet DEFAULT NULL)
	RETURNS uuid
	AS 'MODULE_PATHNAME', 'atk_sql_verified_id'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.verified_id(text, text, inet) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.verified_id(text, text, inet) IS
	'id of a token whose use is allowed, else null: the cheapest form';
/*
 * Issuing, importing, changing and removing tokens: src/issue.h, src/import.h,
 * src/rotation.h, src/modification.h, src/state.h, src/selection.h,
 * src/removal.h.
 *
 * None is STRICT: a null where a value is needed is an error, not silence.
 */

CREATE FUNCTION apitoken.issue(
	realm text,
	name text,
	scopes text[] DEFAULT '{}',
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	not_before timestamptz DEFAULT NULL,
	kind text DEFAULT 'user',
	principal text DEFAULT NULL,
	principal_id text DEFAULT NULL,
	client_id text DEFAULT NULL,
	environment_id text DEFAULT NULL,
	description text DEFAULT NULL,
	allowed_addresses inet[] DEFAULT NULL,
	allowed_scopes jsonb DEFAULT NULL,
	idp_id text DEFAULT NULL,
	idp_domain text DEFAULT NULL,
	access_token_ttl interval DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	idempotency_key text DEFAULT NULL,
	OUT id uuid,
	OUT token text,
	OUT public_id text,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_issue'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.issue(text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.issue(text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text) IS
	'new token; its text is in the answer and cannot be had again';

CREATE FUNCTION apitoken.import(
	realm text,
	name text,
	token text DEFAULT NULL,
	sha256 bytea DEFAULT NULL,
	scopes text[] DEFAULT '{}',
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	not_before timestamptz DEFAULT NULL,
	public_id text DEFAULT NULL,
	last_chars text DEFAULT NULL,
	created_at timestamptz DEFAULT NULL,
	kind text DEFAULT 'user',
	principal text DEFAULT NULL,
	principal_id text DEFAULT NULL,
	client_id text DEFAULT NULL,
	environment_id text DEFAULT NULL,
	description text DEFAULT NULL,
	allowed_addresses inet[] DEFAULT NULL,
	allowed_scopes jsonb DEFAULT NULL,
	idp_id text DEFAULT NULL,
	idp_domain text DEFAULT NULL,
	access_token_ttl interval DEFAULT NULL,
	metadata jsonb DEFAULT NULL)
	RETURNS uuid
	AS 'MODULE_PATHNAME', 'atk_sql_import'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.import(text, text, text, bytea, text[], interval, timestamptz, timestamptz, text, text, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.import(text, text, text, bytea, text[], interval, timestamptz, timestamptz, text, text, timestamptz, text, text, text, text, text, text, inet[], jsonb, text, text, interval, jsonb) IS
	'takes over a token made elsewhere, from its text or its SHA-256; the same token again is a no-op';

CREATE FUNCTION apitoken.rotate(
	id uuid,
	grace interval DEFAULT '0',
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	OUT id uuid,
	OUT token text,
	OUT public_id text,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_rotate'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.rotate(uuid, interval, interval, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.rotate(uuid, interval, interval, timestamptz) IS
	'gives a token a new secret, which is in the answer and cannot be had again; the old one works for a grace';

CREATE FUNCTION apitoken.end_grace(
	id uuid,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_end_grace'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.end_grace(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.end_grace(uuid) IS 'ends the grace of a rotated token''s previous secret now';

CREATE FUNCTION apitoken.update(
	id uuid,
	name text DEFAULT NULL,
	description text DEFAULT NULL,
	scopes text[] DEFAULT NULL,
	expires_in interval DEFAULT NULL,
	expires_at timestamptz DEFAULT NULL,
	not_before timestamptz DEFAULT NULL,
	principal text DEFAULT NULL,
	principal_id text DEFAULT NULL,
	client_id text DEFAULT NULL,
	environment_id text DEFAULT NULL,
	allowed_addresses inet[] DEFAULT NULL,
	allowed_scopes jsonb DEFAULT NULL,
	idp_id text DEFAULT NULL,
	idp_domain text DEFAULT NULL,
	access_token_ttl interval DEFAULT NULL,
	metadata jsonb DEFAULT NULL,
	clear text[] DEFAULT NULL,
	version bigint DEFAULT NULL,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_update'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.update(uuid, text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text[], bigint) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.update(uuid, text, text, text[], interval, timestamptz, timestamptz, text, text, text, text, inet[], jsonb, text, text, interval, jsonb, text[], bigint) IS
	'changes what is given and empties what clear names; with a version, only if it is still that';

CREATE FUNCTION apitoken.suspend(
	id uuid,
	reason text DEFAULT NULL,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_suspend'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.suspend(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.suspend(uuid, text) IS 'switches an active token off';

CREATE FUNCTION apitoken.activate(
	id uuid,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_activate'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.activate(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.activate(uuid) IS 'switches a suspended token on again';

CREATE FUNCTION apitoken.revoke(
	id uuid,
	reason text DEFAULT NULL,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_revoke'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.revoke(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.revoke(uuid, text) IS 'ends a token for good';

CREATE FUNCTION apitoken.revoke_self(token text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_revoke_self'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.revoke_self(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.revoke_self(text) IS
	'revokes the token whose secret this is; false if it was revoked before';

CREATE FUNCTION apitoken.revoke_all(
	realm text,
	principal text DEFAULT NULL,
	client_id text DEFAULT NULL,
	scope text DEFAULT NULL,
	reason text DEFAULT NULL,
	dry_run boolean DEFAULT false)
	RETURNS TABLE (
	id uuid,
	name text)
	AS 'MODULE_PATHNAME', 'atk_sql_revoke_all'
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
REVOKE ALL ON FUNCTION apitoken.revoke_all(text, text, text, text, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.revoke_all(text, text, text, text, text, boolean) IS
	'revokes the tokens of a realm that match what is given, and names them; a dry run names them only';

CREATE FUNCTION apitoken.delete(
	id uuid,
	OUT id uuid,
	OUT realm text,
	OUT name text,
	OUT status text,
	OUT version bigint,
	OUT expires_at timestamptz)
	AS 'MODULE_PATHNAME', 'atk_sql_delete'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.delete(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.delete(uuid) IS 'removes a revoked token; its events stay';

CREATE FUNCTION apitoken.purge(
	older_than interval DEFAULT '30 days',
	batch_size integer DEFAULT 1000)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_purge'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.purge(interval, integer) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.purge(interval, integer) IS
	'removes a batch of tokens that were revoked or expired longer ago; returns how many, or else of idempotency keys; repeat until 0';
/* The sealed history, and what is kept how long: src/seal_sql.c */

CREATE FUNCTION apitoken.seal_events() RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_seal_events'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.seal_events() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.seal_events() IS
	'seals all committed events now; returns their number';

CREATE FUNCTION apitoken.check_events(
	OUT seal_id bigint,
	OUT sealed_at timestamptz,
	OUT event_id bigint,
	OUT problem text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'atk_sql_check_events'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.check_events() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.check_events() IS
	'looks for altered history: a row a bad seal, with its first bad event; none: all is well';

CREATE FUNCTION apitoken.purge_events(older_than interval) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_purge_events'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.purge_events(interval) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.purge_events(interval) IS
	'removes sealed events older than this, from the beginning; returns their number';

CREATE FUNCTION apitoken.purge_usage(older_than interval) RETURNS bigint
	AS 'MODULE_PATHNAME', 'atk_sql_purge_usage'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.purge_usage(interval) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.purge_usage(interval) IS
	'removes hourly counts of use older than this; returns their number';
/* Operations of published token APIs on one token: src/represent.h */

CREATE FUNCTION apitoken.details(token text, include_token boolean DEFAULT false)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_details'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.details(text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.details(text, boolean) IS
	'a token by its text, as ApiTokenDetailsDto of "Get API Token Details"; null if there is none or it has expired';

CREATE FUNCTION apitoken.lookup(token text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_lookup'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.lookup(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.lookup(text) IS
	'a token by its text, as the ApiToken object of "POST token lookup"; null if there is none';

CREATE FUNCTION apitoken.read(id uuid) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_read'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.read(uuid) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.read(uuid) IS
	'a token by its id, as the record of "Read API Token"; null if there is none';
/*
 * Listing and searching: src/query.h.  STABLE: they read what the statement
 * that calls them sees.
 */

CREATE FUNCTION apitoken.list(
	account_id text DEFAULT NULL,
	sort_field text DEFAULT 'id',
	sort_direction text DEFAULT 'asc',
	page_offset bigint DEFAULT 0,
	page_size integer DEFAULT 10,
	environment_id text DEFAULT NULL,
	cursor text DEFAULT NULL)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_list'
	LANGUAGE C STABLE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.list(text, text, text, bigint, integer, text, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.list(text, text, text, bigint, integer, text, text) IS
	'a page of the tokens of an account, as "List API tokens"';

CREATE FUNCTION apitoken.query(
	realm text DEFAULT NULL,
	page bigint DEFAULT 0,
	page_size integer DEFAULT 10,
	sort_by text DEFAULT 'creationDate',
	sort_order text DEFAULT 'desc',
	body jsonb DEFAULT NULL,
	cursor text DEFAULT NULL)
	RETURNS jsonb
	AS 'MODULE_PATHNAME', 'atk_sql_query'
	LANGUAGE C STABLE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.query(text, bigint, integer, text, text, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.query(text, bigint, integer, text, text, jsonb, text) IS
	'a page of the tokens of a realm that match search terms and filters, as "Query API Tokens"';
/*
 * Views for people and reports.
 *
 * The cross join with one row keeps a view from being updatable at no cost to
 * its plan: HTTP front ends and ORMs offer writing through updatable ones.
 * A reader needs SELECT on the view and EXECUTE on the functions inside it.
 */

CREATE VIEW apitoken.tokens WITH (security_barrier) AS
SELECT t.id,
	apitoken._public_id(t.prefix, t.id) AS public_id,
	t.realm,
	t.name,
	t.description,
	CASE
		WHEN t.status OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" THEN 'revoked'
		WHEN t.status OPERATOR(pg_catalog.=) 's'::pg_catalog."char" THEN 'suspended'
		WHEN t.expires_at OPERATOR(pg_catalog.<=) pg_catalog.statement_timestamp() THEN 'expired'
		ELSE 'active'
	END AS status,
	CASE t.kind WHEN 'u'::pg_catalog."char" THEN 'user' ELSE 'client' END AS kind,
	t.principal,
	t.principal_id,
	t.client_id,
	t.environment_id,
	t.scopes::pg_catalog.text AS scopes,
	pg_catalog.array_to_string(t.allowed_addresses, ' ') AS allowed_addresses,
	pg_catalog.concat(apitoken._public_id(t.prefix, t.id), '...', t.last_chars) AS partial,
	t.created_at,
	t.created_by,
	t.created_by_name,
	t.not_before,
	t.expires_at,
	t.updated_at,
	t.updated_by,
	t.updated_by_name,
	t.status_changed_at,
	t.status_changed_by,
	t.status_reason,
	apitoken._last_used_at(t.id, u.last_used_at) AS last_used_at,
	apitoken._last_used_ip(t.id, u.last_used_at, u.last_used_ip) AS last_used_ip,
	apitoken._use_count(t.id, u.use_count) AS use_count,
	t.version
FROM apitoken._token t
	LEFT JOIN apitoken._usage u ON u.token_id OPERATOR(pg_catalog.=) t.id
	CROSS JOIN (SELECT) one;
REVOKE ALL ON TABLE apitoken.tokens FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.tokens FROM PUBLIC;

COMMENT ON VIEW apitoken.tokens IS 'all tokens, without anything secret';
COMMENT ON COLUMN apitoken.tokens.id IS 'identifier';
COMMENT ON COLUMN apitoken.tokens.public_id IS 'prefix and public part of the token text';
COMMENT ON COLUMN apitoken.tokens.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.tokens.name IS 'name';
COMMENT ON COLUMN apitoken.tokens.description IS 'description';
COMMENT ON COLUMN apitoken.tokens.status IS 'active, suspended, revoked or expired';
COMMENT ON COLUMN apitoken.tokens.kind IS 'who it acts for: user or client';
COMMENT ON COLUMN apitoken.tokens.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken.tokens.principal_id IS 'identifier of who it acts for';
COMMENT ON COLUMN apitoken.tokens.client_id IS 'identifier of the API client';
COMMENT ON COLUMN apitoken.tokens.environment_id IS 'environment that it is confined to; null: the whole account';
COMMENT ON COLUMN apitoken.tokens.scopes IS 'what it may be used for, with spaces between the scopes';
COMMENT ON COLUMN apitoken.tokens.allowed_addresses IS 'networks it may be used from, with spaces between them; null or empty: any';
COMMENT ON COLUMN apitoken.tokens.partial IS 'public id and last characters, to tell it by';
COMMENT ON COLUMN apitoken.tokens.created_at IS 'when it was issued';
COMMENT ON COLUMN apitoken.tokens.created_by IS 'identifier of who issued it';
COMMENT ON COLUMN apitoken.tokens.created_by_name IS 'name of who issued it';
COMMENT ON COLUMN apitoken.tokens.not_before IS 'it is not valid before; null: at once';
COMMENT ON COLUMN apitoken.tokens.expires_at IS 'it is not valid from then on; null: never expires';
COMMENT ON COLUMN apitoken.tokens.updated_at IS 'last modification; a change of state is none';
COMMENT ON COLUMN apitoken.tokens.updated_by IS 'identifier of who modified it last';
COMMENT ON COLUMN apitoken.tokens.updated_by_name IS 'name of who modified it last';
COMMENT ON COLUMN apitoken.tokens.status_changed_at IS 'last change of state; null: none yet';
COMMENT ON COLUMN apitoken.tokens.status_changed_by IS 'identifier of who changed its state last';
COMMENT ON COLUMN apitoken.tokens.status_reason IS 'reason of the last change of state';
COMMENT ON COLUMN apitoken.tokens.last_used_at IS 'last use; null: never used';
COMMENT ON COLUMN apitoken.tokens.last_used_ip IS 'address of the last use; null: not given';
COMMENT ON COLUMN apitoken.tokens.use_count IS 'number of uses';
COMMENT ON COLUMN apitoken.tokens.version IS 'counts modifications, from 1';

CREATE VIEW apitoken.idle_tokens WITH (security_barrier) AS
SELECT t.id, t.realm, t.name, t.principal, t.created_at, use.last_used_at, r.max_idle::pg_catalog.text AS max_idle
FROM apitoken._token t
	JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
	LEFT JOIN apitoken._usage u ON u.token_id OPERATOR(pg_catalog.=) t.id
	CROSS JOIN LATERAL (SELECT apitoken._last_used_at(t.id, u.last_used_at) AS last_used_at OFFSET 0) use
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp())
	AND CASE WHEN r.max_idle OPERATOR(pg_catalog.<=) '2000 years'::pg_catalog.interval
		THEN GREATEST(t.created_at, t.status_changed_at, t.rotated_at, use.last_used_at)
			OPERATOR(pg_catalog.<) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-) r.max_idle)
		END;
REVOKE ALL ON TABLE apitoken.idle_tokens FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.idle_tokens FROM PUBLIC;
COMMENT ON VIEW apitoken.idle_tokens IS 'active tokens that were not used for longer than their realm''s max_idle';
COMMENT ON COLUMN apitoken.idle_tokens.id IS 'identifier of the token';
COMMENT ON COLUMN apitoken.idle_tokens.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.idle_tokens.name IS 'name';
COMMENT ON COLUMN apitoken.idle_tokens.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken.idle_tokens.created_at IS 'when it was issued';
COMMENT ON COLUMN apitoken.idle_tokens.last_used_at IS 'last use; null: never used';
COMMENT ON COLUMN apitoken.idle_tokens.max_idle IS 'what the realm allows';

CREATE VIEW apitoken.usage_hourly WITH (security_barrier) AS
SELECT NULLIF(h.token_id, '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid) AS token_id,
	t.realm, t.name, h.hour, h.outcome, h.uses
FROM apitoken._usage_hourly h
	LEFT JOIN apitoken._token t ON t.id OPERATOR(pg_catalog.=) h.token_id
	CROSS JOIN (SELECT) one;
REVOKE ALL ON TABLE apitoken.usage_hourly FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.usage_hourly FROM PUBLIC;
COMMENT ON VIEW apitoken.usage_hourly IS 'verifications by hour and outcome, as far as they are written';
COMMENT ON COLUMN apitoken.usage_hourly.token_id IS 'id of the token; null: of no token (malformed, unknown)';
COMMENT ON COLUMN apitoken.usage_hourly.realm IS 'id of its realm; null: there is no such token';
COMMENT ON COLUMN apitoken.usage_hourly.name IS 'its name';
COMMENT ON COLUMN apitoken.usage_hourly.hour IS 'beginning of the hour, UTC';
COMMENT ON COLUMN apitoken.usage_hourly.outcome IS 'outcome of the verifications';
COMMENT ON COLUMN apitoken.usage_hourly.uses IS 'number of verifications';

CREATE VIEW apitoken.usage_daily WITH (security_barrier) AS
SELECT NULLIF(h.token_id, '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid) AS token_id,
	t.realm, t.name,
	pg_catalog.date(pg_catalog.timezone('UTC', h.hour)) AS day,
	h.outcome, pg_catalog.sum(h.uses)::pg_catalog.int8 AS uses
FROM apitoken._usage_hourly h
	LEFT JOIN apitoken._token t ON t.id OPERATOR(pg_catalog.=) h.token_id
GROUP BY h.token_id, t.realm, t.name, pg_catalog.date(pg_catalog.timezone('UTC', h.hour)), h.outcome;
REVOKE ALL ON TABLE apitoken.usage_daily FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.usage_daily FROM PUBLIC;
COMMENT ON VIEW apitoken.usage_daily IS 'verifications by UTC day and outcome, as far as they are written';
COMMENT ON COLUMN apitoken.usage_daily.token_id IS 'id of the token; null: of no token (malformed, unknown)';
COMMENT ON COLUMN apitoken.usage_daily.realm IS 'id of its realm; null: there is no such token';
COMMENT ON COLUMN apitoken.usage_daily.name IS 'its name';
COMMENT ON COLUMN apitoken.usage_daily.day IS 'day, UTC';
COMMENT ON COLUMN apitoken.usage_daily.outcome IS 'outcome of the verifications';
COMMENT ON COLUMN apitoken.usage_daily.uses IS 'number of verifications';
/*
 * Reports: what tokens may do, what ends soon, what breaks the policy of its
 * realm, what happened, and what was valid when.
 *
 * Views as in view.sql.  Where a view can do without a function of ours it
 * does, so that its readers need no right but SELECT.
 */

/* In order by itself: through a barrier no order of an index is seen. */
CREATE VIEW apitoken.events WITH (security_barrier) AS
SELECT e.id, e.at, e.realm, e.token_id, e.event, e.actor, e.actor_name, e.session_role,
	pg_catalog.host(e.client_addr) AS client_addr,
	e.application_name, e.reason,
	e.old::pg_catalog.text AS old,
	e.new::pg_catalog.text AS new
FROM apitoken._event e
	CROSS JOIN (SELECT) one
ORDER BY e.id DESC;
REVOKE ALL ON TABLE apitoken.events FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.events FROM PUBLIC;
COMMENT ON VIEW apitoken.events IS 'what happened to tokens and realms, and who did it, the newest first';
COMMENT ON COLUMN apitoken.events.id IS 'number; in the order in which the events of one token happened';
COMMENT ON COLUMN apitoken.events.at IS 'when it happened';
COMMENT ON COLUMN apitoken.events.realm IS 'id of the realm; null: it is about the history or the counts of use';
COMMENT ON COLUMN apitoken.events.token_id IS 'id of the token; null: it is about no token';
COMMENT ON COLUMN apitoken.events.event IS 'what happened: issued, rotated, revoked and so on';
COMMENT ON COLUMN apitoken.events.actor IS 'identifier of who did it, as the application says';
COMMENT ON COLUMN apitoken.events.actor_name IS 'name of who did it, as the application says';
COMMENT ON COLUMN apitoken.events.session_role IS 'role that the session logged in with';
COMMENT ON COLUMN apitoken.events.client_addr IS 'address of the client; null: a Unix socket or the server itself';
COMMENT ON COLUMN apitoken.events.application_name IS 'what the client calls itself';
COMMENT ON COLUMN apitoken.events.reason IS 'reason that was given';
COMMENT ON COLUMN apitoken.events.old IS 'values before, of what changed: a JSON object';
COMMENT ON COLUMN apitoken.events.new IS 'values after, of what changed: a JSON object';

CREATE VIEW apitoken.token_scopes WITH (security_barrier) AS
SELECT t.id AS token_id, t.realm, t.name, s.scope
FROM apitoken._token t
	CROSS JOIN LATERAL pg_catalog.string_to_table(t.scopes::pg_catalog.text, ' ') s(scope);
REVOKE ALL ON TABLE apitoken.token_scopes FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.token_scopes FROM PUBLIC;
COMMENT ON VIEW apitoken.token_scopes IS 'a row for each scope of each token, whatever its state';
COMMENT ON COLUMN apitoken.token_scopes.token_id IS 'id of the token';
COMMENT ON COLUMN apitoken.token_scopes.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.token_scopes.name IS 'name';
COMMENT ON COLUMN apitoken.token_scopes.scope IS 'one of its scopes, perhaps a wildcard';

/* How soon is for the reader to say: no span would fit all realms. */
CREATE VIEW apitoken.expiring_tokens WITH (security_barrier) AS
SELECT t.id, t.realm, t.name, t.principal, t.client_id, t.expires_at,
	pg_catalog.date_part('day', t.expires_at OPERATOR(pg_catalog.-) pg_catalog.statement_timestamp())::pg_catalog.int4 AS days_left
FROM apitoken._token t
	CROSS JOIN (SELECT) one
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp()
ORDER BY t.expires_at, t.id;
REVOKE ALL ON TABLE apitoken.expiring_tokens FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.expiring_tokens FROM PUBLIC;
COMMENT ON VIEW apitoken.expiring_tokens IS 'active tokens that will expire, the soonest first';
COMMENT ON COLUMN apitoken.expiring_tokens.id IS 'identifier of the token';
COMMENT ON COLUMN apitoken.expiring_tokens.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.expiring_tokens.name IS 'name';
COMMENT ON COLUMN apitoken.expiring_tokens.principal IS 'name of who it acts for';
COMMENT ON COLUMN apitoken.expiring_tokens.client_id IS 'identifier of the API client';
COMMENT ON COLUMN apitoken.expiring_tokens.expires_at IS 'it is not valid from then on';
COMMENT ON COLUMN apitoken.expiring_tokens.days_left IS 'whole days until then';

CREATE FUNCTION apitoken._unknown_scopes(scopes apitoken.scopes, known apitoken.scopes) RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_unknown_scopes'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._unknown_scopes(apitoken.scopes, apitoken.scopes) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._unknown_scopes(apitoken.scopes, apitoken.scopes) IS
	'scopes that a realm does not know, for views; null: it knows all';

/*
 * The policy of a realm binds what is granted after it was set; these are the
 * tokens of before.  What counts as a violation is what would be refused now.
 *
 * A life was granted granted_ttl before its end, but the calendar is no
 * plain arithmetic: a year that was granted is at the same time longer than
 * 360 days and no longer than 12 months.  So it must be longer both as an
 * interval and on the calendar.  The interval comes first: then the sum
 * cannot leave the range of timestamps.
 */
CREATE VIEW apitoken.policy_violations WITH (security_barrier) AS
SELECT t.id, t.realm, t.name, 'max_ttl'::pg_catalog.text AS policy,
	pg_catalog.concat(
		CASE WHEN t.expires_at IS NULL THEN 'never expires' ELSE pg_catalog.concat('lives ', t.granted_ttl) END,
		'; allowed: ', r.max_ttl) AS detail
FROM apitoken._token t
	JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND CASE
		WHEN r.max_ttl IS NULL OR r.max_ttl OPERATOR(pg_catalog.>) '2000 years'::pg_catalog.interval THEN false
		WHEN t.expires_at IS NULL THEN true
		WHEN t.expires_at OPERATOR(pg_catalog.<=) pg_catalog.statement_timestamp() THEN false
		WHEN t.granted_ttl OPERATOR(pg_catalog.<=) r.max_ttl THEN false
		ELSE t.expires_at OPERATOR(pg_catalog.-) t.granted_ttl OPERATOR(pg_catalog.+) r.max_ttl
			OPERATOR(pg_catalog.<) t.expires_at
	END
UNION ALL
SELECT t.id, t.realm, t.name, 'known_scopes', pg_catalog.concat('unknown: ', u.scopes)
FROM apitoken._token t
	JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
	CROSS JOIN LATERAL (SELECT apitoken._unknown_scopes(t.scopes, r.known_scopes) AS scopes OFFSET 0) u
WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
	AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp())
	AND u.scopes IS NOT NULL
UNION ALL
SELECT c.id, c.realm, c.name, 'max_active_per_principal',
	pg_catalog.concat('active tokens of the principal: ', c.n, '; allowed: ', c.allowed)
FROM (
	SELECT t.id, t.realm, t.name, r.max_active_per_principal AS allowed,
		pg_catalog.count(*) OVER (PARTITION BY t.realm, t.principal) AS n
	FROM apitoken._token t
		JOIN apitoken.realm r ON r.id OPERATOR(pg_catalog.=) t.realm
	WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
		AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp())
		AND t.principal IS NOT NULL
		AND r.max_active_per_principal IS NOT NULL) c
WHERE c.n OPERATOR(pg_catalog.>) c.allowed
UNION ALL
SELECT i.id, i.realm, i.name, 'max_idle', pg_catalog.concat('unused for longer than allowed: ', i.max_idle)
FROM apitoken.idle_tokens i;
REVOKE ALL ON TABLE apitoken.policy_violations FROM PUBLIC;
REVOKE ALL ON TYPE apitoken.policy_violations FROM PUBLIC;
COMMENT ON VIEW apitoken.policy_violations IS
	'active tokens that their realm''s policy, made stricter since, would refuse now; a row for each rule broken';
COMMENT ON COLUMN apitoken.policy_violations.id IS 'identifier of the token';
COMMENT ON COLUMN apitoken.policy_violations.realm IS 'id of its realm';
COMMENT ON COLUMN apitoken.policy_violations.name IS 'name';
COMMENT ON COLUMN apitoken.policy_violations.policy IS
	'column of the realm that has the rule: max_ttl, known_scopes, max_active_per_principal or max_idle';
COMMENT ON COLUMN apitoken.policy_violations.detail IS 'what is so, and what is allowed';

CREATE FUNCTION apitoken._required_scopes(scope text) RETURNS apitoken.scopes
	AS 'MODULE_PATHNAME', 'atk_sql_required_scopes'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._required_scopes(text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._required_scopes(text) IS
	'the scopes of an argument, which must not be null or blank';

/*
 * With the owner's rights: EXECUTE is the gate.  The subselect has the
 * argument read once, also where there is no token, and stands on the outer
 * side of a join whose inner side is a scan of the GIN index.
 */
CREATE FUNCTION apitoken.tokens_granting(scope text, realm text DEFAULT NULL)
	RETURNS TABLE (id uuid)
	LANGUAGE SQL STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
	SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT t.id
	FROM (SELECT apitoken._required_scopes(tokens_granting.scope) AS scopes OFFSET 0) required
		JOIN apitoken._token t ON t.scopes OPERATOR(apitoken.@>) required.scopes
	WHERE t.status OPERATOR(pg_catalog.=) 'a'::pg_catalog."char"
		AND (t.expires_at IS NULL OR t.expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp())
		AND (tokens_granting.realm IS NULL OR t.realm OPERATOR(pg_catalog.=) tokens_granting.realm);
END;
REVOKE ALL ON FUNCTION apitoken.tokens_granting(text, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.tokens_granting(text, text) IS
	'active tokens that grant all of these scopes, of one realm or of all';

CREATE FUNCTION apitoken._required_time(at timestamptz) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'atk_sql_required_time'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken._required_time(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION apitoken._required_time(timestamptz) IS 'an argument that must not be null';

/*
 * What the events say of a time.
 *
 * Of each value the last event until then counts: what it says it became.
 * Where there is none the next event does: what it says it was.  An event
 * that makes a token says all of it, also that there was none before; so the
 * table itself is asked only where purge_events() has removed the beginning
 * of a token's history, and what no event has changed since is still so.
 *
 * A realm that changes its id has no tokens: then it does not matter whether
 * it was enabled, and if it was not, another event says when it became so.
 *
 * The events are asked for in two ways, of which one comes into effect: so an
 * index serves where one realm is asked for.
 *
 * jsonb_object_agg() keeps the last value of a key.  So the events after the
 * time come first, the latest of them before all, then those until then.
 */
CREATE FUNCTION apitoken.tokens_at(at timestamptz, realm text DEFAULT NULL)
	RETURNS TABLE (id uuid, scopes text[])
	LANGUAGE SQL STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1000
	SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH said AS (
		SELECT e.realm, e.token_id, e.event, p.past,
			CASE WHEN p.past THEN e.id ELSE OPERATOR(pg_catalog.-) e.id END AS place,
			CASE WHEN p.past THEN e.new ELSE e.old END AS row
		FROM (SELECT apitoken._required_time(tokens_at.at) AS at OFFSET 0) required
			CROSS JOIN (
				SELECT * FROM apitoken._event e WHERE tokens_at.realm IS NULL
				UNION ALL
				SELECT * FROM apitoken._event e WHERE e.realm OPERATOR(pg_catalog.=) tokens_at.realm) e
			CROSS JOIN LATERAL (SELECT e.at OPERATOR(pg_catalog.<=) required.at AS past) p
		UNION ALL
		SELECT t.realm, t.id, 'kept', false, -9223372036854775808,
			pg_catalog.jsonb_build_object(
				'status', CASE t.status WHEN 'a'::pg_catalog."char" THEN 'active' END,
				'scopes', pg_catalog.string_to_array(t.scopes::pg_catalog.text, ' '),
				'not_before', t.not_before, 'expires_at', t.expires_at)
		FROM apitoken._token t
		WHERE (tokens_at.realm IS NULL OR t.realm OPERATOR(pg_catalog.=) tokens_at.realm)
			AND EXISTS (SELECT FROM apitoken._event_seal s WHERE s.purged)
		UNION ALL
		SELECT r.id, NULL, 'kept', false, -9223372036854775808, pg_catalog.jsonb_build_object('enabled', r.enabled)
		FROM apitoken.realm r
		WHERE (tokens_at.realm IS NULL OR r.id OPERATOR(pg_catalog.=) tokens_at.realm)
			AND EXISTS (SELECT FROM apitoken._event_seal s WHERE s.purged)
	), value AS (
		SELECT s.realm, s.token_id, s.past, s.place, c.name, s.row OPERATOR(pg_catalog.->) c.name AS value
		FROM said s
			CROSS JOIN LATERAL pg_catalog.unnest('{status,scopes,not_before,expires_at}'::pg_catalog.text[]) c(name)
		WHERE s.token_id IS NOT NULL
			AND (s.event OPERATOR(pg_catalog.=) ANY ('{issued,imported}'::pg_catalog.text[])
				OR s.row OPERATOR(pg_catalog.?) c.name)
		UNION ALL
		SELECT s.realm, NULL, s.past, s.place, 'enabled',
			CASE WHEN s.past AND s.event OPERATOR(pg_catalog.=) 'realm_deleted' THEN 'false'
			ELSE COALESCE(s.row OPERATOR(pg_catalog.->) 'enabled', 'true') END
		FROM said s
		WHERE s.token_id IS NULL
			AND s.realm IS NOT NULL
			AND (s.event OPERATOR(pg_catalog.=) 'realm_deleted'
				OR s.row OPERATOR(pg_catalog.?|) '{enabled,id}'::pg_catalog.text[])
	), state AS (
		SELECT v.realm, v.token_id, pg_catalog.jsonb_object_agg(v.name, v.value ORDER BY v.past, v.place) AS was
		FROM value v
		GROUP BY v.realm, v.token_id
	)
	SELECT t.token_id, ARRAY(SELECT s FROM pg_catalog.jsonb_array_elements_text(t.was OPERATOR(pg_catalog.->) 'scopes') s)
	FROM state t
	WHERE t.was OPERATOR(pg_catalog.->>) 'status' OPERATOR(pg_catalog.=) 'active'
		AND COALESCE((t.was OPERATOR(pg_catalog.->>) 'not_before')::pg_catalog.timestamptz OPERATOR(pg_catalog.<=) tokens_at.at, true)
		AND COALESCE((t.was OPERATOR(pg_catalog.->>) 'expires_at')::pg_catalog.timestamptz OPERATOR(pg_catalog.>) tokens_at.at, true)
		AND NOT (t.realm OPERATOR(pg_catalog.=) ANY (
			SELECT r.realm FROM state r
			WHERE r.token_id IS NULL AND r.was OPERATOR(pg_catalog.->>) 'enabled' OPERATOR(pg_catalog.<>) 'true'));
END;
REVOKE ALL ON FUNCTION apitoken.tokens_at(timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION apitoken.tokens_at(timestamptz, text) IS
	'tokens that were valid at a time, and their scopes then, as the events say; of one realm or of all';
/* The service itself: src/service_sql.c */

CREATE FUNCTION apitoken.version() RETURNS text
	AS 'MODULE_PATHNAME', 'atk_sql_version'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION apitoken.version() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.version() IS
	'version of the loaded library; pg_extension has that of the SQL objects';

CREATE FUNCTION apitoken.stats(
	OUT library_version text,
	OUT search_index boolean,
	OUT usage_tracked boolean,
	OUT usage_capacity bigint,
	OUT usage_pending bigint,
	OUT usage_dropped bigint,
	OUT worker_running boolean,
	OUT worker_failures bigint,
	OUT last_flush_at timestamptz,
	OUT last_flush_error text,
	OUT oldest_unsealed_event timestamptz,
	OUT last_seal bigint,
	OUT last_seal_error text,
	OUT key_id integer,
	OUT key_problem text,
	OUT key_remaining bigint)
	AS 'MODULE_PATHNAME', 'atk_sql_stats'
	LANGUAGE C VOLATILE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION apitoken.stats() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.stats() IS
	'state of the service: library, search index, recorded use of all databases, its worker, last flush and seal of this one, keys';

/* As invoker: who makes the index must own the table. */
CREATE FUNCTION apitoken.enable_search() RETURNS boolean
	AS 'MODULE_PATHNAME', 'atk_sql_enable_search'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION apitoken.enable_search() FROM PUBLIC;
COMMENT ON FUNCTION apitoken.enable_search() IS
	'makes the index that serves LIKE searches, and pg_trgm for it; false if all is there; again after a restore';
