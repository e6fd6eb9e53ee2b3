/* apitoken: update script, joined from src/sql/ by make */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION apitoken UPDATE" to load this file. \quit

