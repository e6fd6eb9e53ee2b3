-- memory.sql: what the system says about the memory of the backend.

DROP FUNCTION IF EXISTS bench.dynamic_shared_memory(), bench.memory();

-- Bytes of dynamic shared memory that this process has mapped.
CREATE FUNCTION bench.dynamic_shared_memory() RETURNS bigint
	LANGUAGE sql
	RETURN (SELECT coalesce(sum(('x' || lpad(part[2], 16, '0'))::bit(64)::bigint -
			('x' || lpad(part[1], 16, '0'))::bit(64)::bigint), 0)
		FROM regexp_matches(pg_read_file('/proc/self/maps'),
			'^([0-9a-f]+)-([0-9a-f]+) [^\n]*/dev/shm/PostgreSQL[^\n]*$', 'gn') AS part);

-- Bytes of memory contexts; kilobytes of memory that is this process's own.
CREATE FUNCTION bench.memory(OUT contexts bigint, OUT own bigint)
	LANGUAGE sql
AS $$
	SELECT sum(total_bytes)::bigint,
		substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s+(\d+)')::bigint
	FROM pg_backend_memory_contexts
$$;
