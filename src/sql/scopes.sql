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
