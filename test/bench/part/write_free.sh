# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# write_free.sh: what verifications write.  A thousand tokens are verified a
# million times within one flush interval; then the flush writes a row for
# each to two tables, as two UPDATE statements by hand do.  All rows are there
# before, and each side comes right behind a checkpoint, so that both log the
# pages that they touch first as a whole.

many_tokens=$((in_use < 1000 ? in_use : 1000))

# no_new_hour: uses of two hours are rows of two hours
no_new_hour()
{
	local left=$((3600 - $(date +%s) % 3600))

	((left > 300)) || sleep $((left + 1))
}

# prepare_uses: both sides have their rows in the same order; what was dead is
# gone from the tables, and from the statistics of sessions that have ended
prepare_uses()
{
	as_quiet -d big -c 'DROP TABLE IF EXISTS bench.used, hand.usage_hourly' \
		-c "CREATE TABLE bench.used AS
			SELECT id, bench.token(200 * n) AS token
			FROM generate_series(1, $many_tokens) AS n
				JOIN hand.token ON digest = sha256(bench.token(200 * n)::bytea)" \
		-c 'SELECT apitoken.verified_id(token) FROM bench.used' \
		-c 'SELECT apitoken.flush_usage()' \
		-c 'CREATE TABLE hand.usage_hourly (LIKE apitoken._usage_hourly INCLUDING ALL) WITH (fillfactor = 80)' \
		-c 'INSERT INTO hand.usage_hourly TABLE apitoken._usage_hourly' \
		-c 'CLUSTER apitoken._usage USING _usage_pkey' \
		-c 'CLUSTER apitoken._usage_hourly USING _usage_hourly_pkey' \
		-c 'CLUSTER hand.usage USING usage_pkey' \
		-c 'CLUSTER hand.usage_hourly USING usage_hourly_pkey'
	as_quiet -d big -c 'SELECT pg_stat_force_next_flush()' \
		-c 'VACUUM ANALYZE apitoken._usage, apitoken._usage_hourly, hand.usage, hand.usage_hourly, bench.used' \
		-c CHECKPOINT
}

place() { sql -d big -c 'SELECT pg_current_wal_insert_lsn()'; }
bytes_between() { sql -d big -c "SELECT pg_wal_lsn_diff('$2', '$1')"; }

# dead TABLE: rows that are dead since the table was vacuumed
dead()
{
	sql -d big -c "SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = '$1'::regclass"
}

# and_report STATEMENT...: what the session did is in the statistics behind it
and_report()
{
	local statements=() statement

	for statement in "$@"; do statements+=(-c "$statement"); done
	sql -d big "${statements[@]}" -c 'SELECT pg_stat_force_next_flush()' |
		sed '/^$/d'
}

part_write_free()
{
	local a b c verified update

	set_server apitoken.usage_flush_interval=1h
	no_new_hour
	prepare_uses
	a=$(place)
	verified=$(and_report "SELECT count(apitoken.verified_id(token))
		FROM bench.used, generate_series(1, 1000000 / $many_tokens)")
	b=$(place)
	and_report 'SELECT apitoken.flush_usage()' >/dev/null
	c=$(place)
	((verified == 1000000 / many_tokens * many_tokens)) || die "Only $verified were valid."
	table "$verified verifications of $many_tokens tokens within one flush interval" \
		' measure' figure target ' '
	measure_row 'dead rows in _usage' "$(dead apitoken._usage)" "$many_tokens"
	measure_row 'dead rows in _usage_hourly' "$(dead apitoken._usage_hourly)" "$many_tokens"
	measure_row 'WAL bytes until the flush' "$(bytes_between "$a" "$b")"

	sql -d big -c CHECKPOINT
	update=$(place)
	and_report "UPDATE hand.usage SET last_used_at = now(), use_count = use_count + 1000
			FROM bench.used WHERE token_id = id" \
		"UPDATE hand.usage_hourly SET uses = uses + 1000
			FROM bench.used WHERE token_id = id AND outcome = 'valid'
			AND hour = date_trunc('hour', now())" >/dev/null
	update=$(bytes_between "$update" "$(place)")
	measure_row "WAL bytes, the flush included; target: updates of $many_tokens rows by hand, and a tenth" \
		"$(bytes_between "$a" "$c")" "$(calc "$update * 1.1" 0)"
	set_server
}
