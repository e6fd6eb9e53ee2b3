# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# instructions.sh: what the server executes for one verification when all is
# warm, counted by callgrind.  A server in single-user mode verifies a token so
# many times, and then 1000 times more; the difference is divided by 1000.  It
# is the same number every time, whatever else the machine does.  The loop
# around it (a row of generate_series, a count) is counted, too.

CALLS=1000

make_single()
{
	local at

	rm -rf "$dir/single"
	server_dir "$dir/single"
	server_dir "$socket/single"
	init_cluster "$dir/single/data"
	start_cluster "$dir/single/data" "$socket/single" "$dir/single/server.log"
	at=(-h "$socket/single" -d postgres)
	sql "${at[@]}" -c 'CREATE EXTENSION apitoken' \
		-c "INSERT INTO apitoken.realm (id) VALUES ('issue')"
	sed "s/100000/10000/" "$here/issue_many.sql" | sql "${at[@]}" >/dev/null
	single_token=$(sql "${at[@]}" -c "SELECT token FROM apitoken.issue('issue', 'one',
		'{api.deploy.write,api.status.read,metrics.build}')")
	sql "${at[@]}" -c 'VACUUM ANALYZE'
	stop_servers_under "$dir/single" fast
}

# executed CALLS [OPTION]...: instructions from start to end.  No worker can be
# started in this mode; the server shall try once, not again and again.
executed()
{
	local log=$dir/single/callgrind.log statement

	statement="SELECT count(apitoken.verified_id('$single_token')) FROM generate_series(1, $1)"
	printf '%s\n' "$statement" 'SELECT usage_pending FROM apitoken.stats()' |
		(cd "$dir/single" && as_server valgrind --tool=callgrind --callgrind-out-file=/dev/null \
			"$BINDIR/postgres" --single -D "$dir/single/data" \
			-c apitoken.usage_flush_interval=1h -c fsync=off "${@:2}" postgres) >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		return 1
	}
	grep -q "count = \"$1\"" "$log" || die 'single-user mode: the token was not valid.'
	case "$*" in
	*track_usage=off) ;;
	*) grep -q 'usage_pending = "1"' "$log" || die 'single-user mode: the use was not tracked.' ;;
	esac
	awk '/Collected : / { print $NF; n++ } END { exit n != 1 }' "$log"
}

# count_instructions MEASURE MAX [OPTION]...: the first run makes what the
# others find
count_instructions()
{
	local few many

	executed 20 "${@:3}" >/dev/null || die 'callgrind counted nothing.'
	few=$(executed 20 "${@:3}")
	many=$(executed $((20 + CALLS)) "${@:3}")
	measure_row "$1" "$(calc "($many - $few) / $CALLS" 0)" "$2"
}

part_instructions()
{
	if ! command -v valgrind >/dev/null; then
		say '' 'Instructions: not counted, there is no valgrind.'
		return
	fi
	make_single
	table 'Instructions inside the server, warm' ' measure' instructions target ' '
	count_instructions 'verified_id, tracking on' 20000
	count_instructions 'verified_id, tracking off' '' -c apitoken.track_usage=off
	rm -rf "$dir/single"
}
