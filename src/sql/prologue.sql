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
