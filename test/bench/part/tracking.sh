# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # test/bench/run and the parts share names
#
# tracking.sh: verification with use tracking against the same without.
#
# The two differ by a few hundredths, which rounds of their own do not show on
# a machine whose speed changes by a quarter within seconds.  So both share
# connections: tracking is switched each second, in the order on, off, off, on,
# and what counts is the sum of either's transactions.  After ten seconds with
# tracking, the default interval, all that was recorded is written, within two
# with tracking; the worker stays away.

# switch on|off: for all sessions; psql is a coprocess
switch()
{
	local reloaded

	printf 'ALTER SYSTEM SET apitoken.track_usage = %s;\nSELECT pg_reload_conf();\n' "$1" >&"${psql[1]}"
	read -r reloaded <&"${psql[0]}"
	[[ $reloaded == t ]]
}

# each_second SECONDS NAME [OPTION]...: eight clients, of which a line tells
# each second
each_second()
{
	(cd "$dir" && as_server pgbench -n -M prepared -h "$socket" -U postgres -c 8 -j 2 -P 1 -T "$1" \
		-f "sql/$2" "${@:3}" big 2>&1)
}

# next_rate: set rate, when the second is over
next_rate()
{
	local word

	while read -r word _ _ rate _; do [[ $word != progress: ]] || return 0; done
	return 1
}

# write_use: there must be some
write_use() { [[ $(sql -d big -c 'SELECT apitoken.flush_usage() > 0') == t ]]; }

# sum_windows CYCLES: from what each_second prints, while it switches; set on
# and off
sum_windows()
{
	local order=(on off off on) number state rate begin=3 writer=

	on=0 off=0
	for ((number = -begin; number < 20 * $1; number++)); do
		next_rate || return
		if ((number >= 0)); then
			state=${order[number % 4]}
			printf -v "$state" '%s' "$(calc "${!state} + $rate")"
		fi
		switch "${order[(number + 1 + 4) % 4]}" || return
		# In each cycle, at the first of two seconds with tracking.
		if ((number >= 0 && number % 20 == 10)); then
			[[ -z $writer ]] || wait "$writer" || return
			write_use &
			writer=$!
		fi
	done
	cat >/dev/null
	wait "$writer"
}

# compare_switched NAME [OPTION]...: sets median_ours, median_other (which are
# means here) and ratio
compare_switched()
{
	local cycles=$(((BENCH_ROUNDS * BENCH_SECONDS + 9) / 10)) on off

	coproc psql { sql -d big; }
	printf 'SELECT apitoken.version() IS NOT NULL;\n' >&"${psql[1]}"
	read -r _ <&"${psql[0]}"
	switch on
	sum_windows "$cycles" < <(each_second $((20 * cycles + 5)) "$@") || die "the clients of $1 stopped early."
	printf '\\q\n' >&"${psql[1]}"
	wait "$psql_PID"
	median_ours=$(calc "$on / (10 * $cycles)")
	median_other=$(calc "$off / (10 * $cycles)")
	ratio=$(calc "$on / $off" 3)
}

part_tracking()
{
	# What autovacuum would have done, were it on.
	as_quiet -d big -c 'VACUUM ANALYZE apitoken._usage' -c 'VACUUM ANALYZE apitoken._usage_hourly'
	set_server apitoken.usage_flush_interval=1h
	rate_heading 'Use tracking, 8 clients, prepared statements'
	present_verified_id one
	compare_switched verified_id -D token="$(token 200)"
	rate_row 'verified_id, one token' 'tracking off' 0.97
	present_verified_id spread
	compare_switched verified_id
	rate_row "verified_id, $spread" 'tracking off' 0.97
	set_server
}
