# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# memory.sh: the shared memory of use tracking, and whether a backend grows.

# shared: before and behind the first verification since the server's start,
# in one session: bytes of dynamic shared memory that it sees, and then the
# tokens tracked
shared()
{
	sql -d big -c 'SELECT bench.dynamic_shared_memory()' \
		-c 'SELECT apitoken.verified_id(bench.token(200))' \
		-c 'SELECT bench.dynamic_shared_memory()' \
		-c 'SELECT count(apitoken.verified_id(bench.token(n))) FROM generate_series(1, 100000) AS n' \
		-c 'SELECT usage_pending FROM apitoken.stats()'
}

# growth_of_backend CALLS: in one session, transactions of a thousand calls;
# twice what it has, bytes of memory contexts and kilobytes of its own memory:
# behind the first of them and behind the last.  The query for that is the
# same both times, and was run before, for it takes memory, too.
growth_of_backend()
{
	local n call look='SELECT * FROM bench.memory();'

	call="DO \$\$ BEGIN FOR n IN 1 .. 1000 LOOP
		PERFORM apitoken.verified_id(bench.token(200 * (1 + n % $in_use)));
	END LOOP; END \$\$;"
	{
		for ((n = 0; n < 10; n++)); do printf '%s\n' "$call"; done
		printf '%s\n' "$look" "$look"
		for ((n = 0; n < $1 / 1000; n++)); do printf '%s\n' "$call"; done
		printf '%s\n' "$look"
	} | sql -d big -F ' ' | tail -n 2
}

part_memory()
{
	local seen grown contexts own

	as_quiet -d big -f "$here/memory.sql"
	restart 'apitoken.usage_max_entries = 100000' "apitoken.usage_flush_interval = '1h'"
	mapfile -t seen < <(shared)
	((${#seen[@]} == 5 && seen[2] > seen[0])) || die "The shared memory was not seen: ${seen[*]}"
	table 'Memory' ' measure' figure target ' '
	measure_row "bytes shared, for 100000 tracked tokens; ${seen[4]} tracked" \
		"$((seen[2] - seen[0]))" $((16 * 1024 * 1024))
	restart

	grown=$(growth_of_backend 1000000)
	# shellcheck disable=SC2086
	read -r contexts own < <(set -- $grown && say $(($3 - $1)) $(($4 - $2)))
	measure_row "bytes in memory contexts of a backend, growth over 1000000 calls" "$contexts" 0
	# Pages of 4 kB come and go: up to 64 of them are no growth.
	measure_row "kB of private memory of a backend, growth over 1000000 calls" "$own" 256
}
