# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # test/bench/run and the parts share names
#
# lib.sh: what the parts of the benchmark share: the cluster, the statements,
# measuring.  Sourced by test/bench/run.

# What "not slower" means: equal, but for the noise of measuring.
EQUAL=1.05

# --- the cluster ---

settings=(
	'shared_buffers = 2GB'
	'effective_cache_size = 8GB'
	'work_mem = 64MB'
	'maintenance_work_mem = 1GB'
	'random_page_cost = 1.1'
	'max_wal_size = 32GB'
	'checkpoint_timeout = 1h'
	'fsync = on'
	'synchronous_commit = on'
	'autovacuum = off'
	'jit = off'
)

start()
{
	dir=${WORK:?}/bench
	at_work=1
	stop_servers_under "$dir" fast
	((BENCH_KEEP)) || rm -rf "$dir"
	rm -rf "$dir"/{sql,cursors,short,best_index}
	socket=$(mktemp -d /tmp/apitoken.XXXXXX)
	server_dir "$socket"
	server_dir "$dir"
	server_dir "$dir/sql"
	server_dir "$dir/cursors"
	[[ -s $dir/data/PG_VERSION ]] || init_cluster "$dir/data"
	start_cluster "$dir/data" "$socket" "$dir/server.log" "${settings[@]}"
}

# restart [LINE OF postgresql.conf]...: these lines until the next time
restart()
{
	stop_servers_under "$dir/data" fast
	start_cluster "$dir/data" "$socket" "$dir/server.log" "${settings[@]}" "$@"
}

sql() { "$BINDIR/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$socket" -U postgres "$@"; }
as_quiet() { sql -c 'SET client_min_messages = warning' "$@" >/dev/null; }

# create DATABASE: anew
create()
{
	as_quiet -d postgres -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1"
	sql -d "$1" -c 'CREATE EXTENSION apitoken'
}

# fill DATABASE TOKENS: unless it is filled already, in the same way
fill()
{
	local started=$SECONDS way

	way="$2 $(cat "$here"/{hand,help,fill}.sql "$ROOT"/src/sql/*.sql | md5sum | cut -c1-32)"
	if [[ $(sql -d "$1" -c 'TABLE bench.filled' 2>/dev/null) == "$way" ]]; then
		# what choose_index may have left
		as_quiet -d "$1" -c 'DROP INDEX IF EXISTS hand.token_digest_unique' \
			-c "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'hand.token_digest_hash'::regclass"
		return
	fi
	create "$1"
	sql -d "$1" -v tokens="$2" -f "$here/hand.sql" -f "$here/help.sql" \
		-f "$here/fill.sql"
	sql -d "$1" -c 'CHECKPOINT' -c "CREATE TABLE bench.filled AS SELECT '$way' AS way"
	say "Filled database $1 in $((SECONDS - started)) s: $2 tokens of the realm, $((2 * $2)) in all."
}

# audit DATABASE [ARGUMENT]: changes by hand leave events from now on
audit()
{
	as_quiet -d "$1" -c 'DROP TRIGGER IF EXISTS audit ON hand.token' \
		-c "CREATE TRIGGER audit AFTER INSERT OR UPDATE ON hand.token
			FOR EACH ROW EXECUTE FUNCTION hand.audit(${2-})"
}

# --- the statements ---

# write NAME: a script of pgbench, from standard input
write() { as_server tee "$dir/sql/$1" >/dev/null; }

# differ OURS HAND
differ()
{
	die "build/bench/sql/$1 and $2 answer differently: keep them with BENCH_KEEP=1."
}

# same OURS HAND [NAME=VALUE]...: both must answer the same JSON
same()
{
	local values=(-v realm="'big'") value

	for value in "${@:3}"; do values+=(-v "${value%%=*}='${value#*=}'"); done
	[[ $(printf 'SELECT bench.plain((%s)) = bench.plain((%s))\n' \
		"$(cat "$dir/sql/$1")" "$(cat "$dir/sql/$2")" |
		sql -d big "${values[@]}") == t ]] || differ "$1" "$2"
}

# answer NAME NAME=VALUE: what psql prints of a script
answer() { sed '/^\\set/d; $a;' "$dir/sql/$1" | sql -d big -v "${2%%=*}='${2#*=}'"; }

# same_rows OURS HAND NAME=VALUE...: both must return the same rows, and some,
# with each of the values
same_rows()
{
	local value rows

	for value in "${@:3}"; do
		rows=$(answer "$1" "$value")
		[[ -n $rows && $rows == "$(answer "$2" "$value")" ]] ||
			differ "$1" "$2"
	done
}

# --- tokens in use ---

# Each 200th of fill.sql.
in_use=$((BENCH_TOKENS / 100))
spread="spread over $in_use tokens"

# token I: its text; number N: what it ends in, of the N-th in use
token() { sql -d big -c "SELECT bench.token($1)"; }
number() { printf '%d' $((1000000000 + 200 * $1)); }

# tracked COMMAND...: what the command left in memory is written before the
# other's turn
tracked()
{
	"$@" || return
	sql -d big -c 'SELECT apitoken.flush_usage()' >/dev/null
}

# set_server SETTING=VALUE...: for all sessions, of the library, which must be
# loaded to have them; none: as it was
set_server()
{
	local setting options=(-c 'SELECT apitoken.version()' -c 'ALTER SYSTEM RESET ALL')

	for setting in "$@"; do
		options+=(-c "ALTER SYSTEM SET ${setting%%=*} = '${setting#*=}'")
	done
	as_quiet -d big "${options[@]}" -c 'SELECT pg_reload_conf()'
}

# flush_each_round: use is written in the midst of a round, once
flush_each_round() { set_server "apitoken.usage_flush_interval=$((BENCH_SECONDS * 800))ms"; }

# --- measuring ---

median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
calc() { awk "BEGIN { printf \"%.${2:-2}f\\n\", $1 }"; }
is_true() { awk "BEGIN { exit !($1) }"; }

# Prefixes of what follows: how pgbench sends statements, and settings of the
# sessions.
mode=prepared
in_mode() { local mode=$1; "${@:2}"; }
with_option() { PGOPTIONS="-c $1" "${@:2}"; }

run_pgbench()
{
	(cd "$dir" && as_server pgbench -n -M "$mode" -h "$socket" -U postgres \
		"$@") >"$dir/pgbench.log" 2>&1 ||
		{ cat "$dir/pgbench.log" >&2; return 1; }
}

# latency TRANSACTIONS DATABASE NAME [OPTION]...: the median, in milliseconds
latency()
{
	rm -f "$dir"/times.*
	run_pgbench -D realm=big -t "$1" -f "sql/$3" -l --log-prefix=times "${@:4}" "$2" ||
		return
	cut -d' ' -f3 "$dir"/times.* | sort -n |
		awk '{ v[NR] = $1 } END { if (NR == 0) exit 1
			printf "%.3f\n", v[int((NR + 1) / 2)] / 1000 }'
}

# latencies TRANSACTIONS DATABASE NAME OTHER [OPTION]...: the medians of two
# scripts that one client runs in turn, so many times each, on average
latencies()
{
	rm -f "$dir"/times.*
	run_pgbench -D realm=big -t $((2 * $1)) -f "sql/$3" -f "sql/$4" -l --log-prefix=times "${@:5}" "$2" ||
		return
	sort -n -k3,3 "$dir"/times.* |
		awk '{ v[$4, n[$4]++] = $3 } END { if (!n[0] || !n[1]) exit 1
			printf "%.3f %.3f\n", v[0, int((n[0] - 1) / 2)] / 1000, v[1, int((n[1] - 1) / 2)] / 1000 }'
}

# rate NAME [OPTION]...: what eight clients do in a second
rate()
{
	run_pgbench -c 8 -j 2 -T "$BENCH_SECONDS" -f "sql/$1" "${@:2}" big ||
		return
	awk '/^tps = / { print $3; n++ } END { exit n != 1 || $3 == 0 }' "$dir/pgbench.log"
}

# sum_up: median_ours, median_other and ratio, of the rounds in a and b
sum_up()
{
	local round ratios=()

	for ((round = 0; round < ${#a[@]}; round++)); do
		ratios+=("$(calc "${a[round]} / ${b[round]}" 4)")
	done
	median_ours=$(median "${a[@]}")
	median_other=$(median "${b[@]}")
	ratio=$(calc "$(median "${ratios[@]}")" 3)
}

# compare OURS -- OTHER: both are commands that print a number; set
# median_ours, median_other and ratio
compare()
{
	local round n a=() b=()

	for ((n = 1; n <= $#; n++)); do [[ ${!n} != -- ]] || break; done
	# A round that measured nothing ends the part: no figure stands for it.
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		a+=("$("${@:1:n-1}")") || die "a round of: ${*:1:n-1}, measured nothing."
		b+=("$("${@:n+1}")") || die "a round of: ${*:n+1}, measured nothing."
	done
	sum_up
}

# compare_within TRANSACTIONS DATABASE OURS OTHER [OPTION]...: the same of two
# scripts that share their rounds
compare_within()
{
	local round pair a=() b=()

	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		pair=$(latencies "$@") || die "a round of: $*, measured nothing."
		a+=("${pair% *}")
		b+=("${pair#* }")
	done
	sum_up
}

# --- tables ---

# table TITLE COLUMN...: the head of a table; a column is right-aligned unless
# its name begins with a space
table()
{
	local column line='|'

	printf '\n### %s\n\n|' "$1"
	for column in "${@:2}"; do
		printf ' %s |' "${column# }"
		[[ $column == ' '* ]] && line+='---|' || line+='--:|'
	done
	printf '\n%s\n' "$line"
}

# judge NAME CONDITION...: set verdict; a row is short unless all are true
judge()
{
	local condition

	verdict=ok
	for condition in "${@:2}"; do
		is_true "$condition" || verdict=SHORT
	done
	[[ $verdict == ok ]] || printf '%s\n' "$1" >>"$dir/short"
}

heading() { table "$1" ' operation' 'ours, ms' "${2:-by hand}, ms" ratio ' target' ' '; }

# row OPERATION MAX_RATIO [MAX_MS]: what compare has found of times
row()
{
	local target=${2:+ratio $2}${2:+${3:+, }}${3:+$3 ms}

	judge "$1" ${2:+"$ratio <= $2"} ${3:+"$median_ours <= $3"}
	printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$median_ours" \
		"$median_other" "$ratio" "$target" "${target:+$verdict}"
}

rate_heading() { table "$1" ' ours' ' against' 'ours, a second' 'the other' ratio ' target' ' '; }

# rate_row OURS OTHER [MIN_RATIO [FACTOR]]: what compare has found of rates, a
# transaction counting FACTOR times
rate_row()
{
	judge "$1, against $2" ${3:+"$ratio >= $3"}
	printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$2" \
		"$(calc "$median_ours * ${4:-1}" 0)" "$(calc "$median_other * ${4:-1}" 0)" \
		"$ratio" "${3:+ratio $3}" "${3:+$verdict}"
}

# measure_row MEASURE FIGURE [MAX]
measure_row()
{
	judge "$1" ${3:+"$2 <= $3"}
	printf '| %s | %s | %s | %s |\n' "$1" "$2" "${3:+$3}" "${3:+$verdict}"
}
