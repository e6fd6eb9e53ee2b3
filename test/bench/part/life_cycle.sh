# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# life_cycle.sh: changes that leave events, against the same changes by hand
# with a trigger that fills a history (hand.sql), in a copy of the database; and
# verification while expired tokens are purged.

# --- changes ---

# copy_big DATABASE: as it was filled
copy_big()
{
	as_quiet -d postgres -c "DROP DATABASE IF EXISTS $1" \
		-c "CREATE DATABASE $1 TEMPLATE big STRATEGY file_copy"
}

# choose_tokens: each client and round has tokens of its own, and each side the
# same ones; set each, how many a client has, and turn, how many in a round
choose_tokens()
{
	local wanted=$((8 * 2000 * BENCH_ROUNDS)) found

	found=$(sql -d changes -c 'SET client_min_messages = warning' \
		-c 'DROP TABLE IF EXISTS bench.chosen' \
		-c "CREATE TABLE bench.chosen AS
			SELECT row_number() OVER (ORDER BY digest) AS n, id FROM hand.token
			WHERE status = 'a' AND realm <> 'issue' AND expires_at < '2040-01-01' LIMIT $wanted" \
		-c 'ALTER TABLE bench.chosen ADD PRIMARY KEY (n)' \
		-c 'ANALYZE bench.chosen' -c 'SELECT count(*) FROM bench.chosen')
	turn=$((found / 8 / BENCH_ROUNDS))
	each=$((turn * BENCH_ROUNDS))
	((turn > 0)) || die "$found tokens are too few for $BENCH_ROUNDS rounds of 8 clients."
}

# announce yes|no: does a change notify?
announce()
{
	as_quiet -d changes -c "UPDATE apitoken.realm SET notify = '$1'"
	if [[ $1 == yes ]]; then audit changes "'notify'"; else audit changes; fi
}

tps() { awk '/^tps = / { print $3; n++ } END { exit n != 1 || $3 == 0 }' "$dir/pgbench.log"; }

# issued NAME: a second, by eight clients
issued()
{
	run_pgbench -c 8 -j 2 -T "$BENCH_SECONDS" -f "sql/$1" changes && tps
}

# in_turn NAME: changes a second, by eight clients, of the tokens whose turn it
# is in compare's round
in_turn()
{
	run_pgbench -c 8 -j 2 -t "$turn" -D each="$each" -D k=$((round * turn)) \
		-f "sql/$1" changes && tps
}

# as_many EVENT: each side has done it to all that were chosen
as_many()
{
	local table

	for table in apitoken._event hand.event; do
		[[ $(sql -d changes -c "SELECT count(DISTINCT token_id) FROM $table WHERE event = '$1'") == $((8 * each)) ]] ||
			die "Table $table has not an event \"$1\" for each of $((8 * each)) tokens."
	done
}

# changes yes|no HOW
changes()
{
	local each turn operation

	copy_big changes
	announce "$1"
	rate_heading "Changes with their events, $2, 8 clients"
	write issue <"$here/issue.sql"
	write hand <"$here/hand/issue.sql"
	compare issued issue -- issued hand
	rate_row issue 'INSERT and trigger by hand' "$(calc "1 / $EQUAL")"
	choose_tokens
	for operation in rotate revoke; do
		write "$operation" <"$here/$operation.sql"
		write hand <"$here/hand/$operation.sql"
		compare in_turn "$operation" -- in_turn hand
		as_many "${operation%e}ed"
		rate_row "$operation" 'UPDATE and trigger by hand' "$(calc "1 / $EQUAL")"
	done
}

part_changes()
{
	changes no 'no NOTIFY'
	changes yes 'each with a NOTIFY'
	sql -d postgres -c 'DROP DATABASE changes'
}

# --- purge ---

BATCH=1000						# tokens that a call purges
PAUSE=2000						# ms between two calls, where there is one

# make_expired: of fill.sql, all that are not in use
make_expired()
{
	fill purge $((BENCH_PURGE / 2))
	as_quiet -d purge -c "UPDATE apitoken._token SET expires_at = created_at + interval '1 day'
			WHERE expires_at IS NULL OR expires_at < '2040-01-01'" \
		-c "UPDATE bench.filled SET way = 'used up'" \
		-c 'VACUUM FULL ANALYZE apitoken._token' -c 'CHECKPOINT'
}

expired() { sql -d purge -c "SELECT count(*) FROM apitoken._token WHERE expires_at < '2040-01-01'"; }

# verified: a second, by eight clients
verified()
{
	run_pgbench -c 8 -j 2 -T "$BENCH_SECONDS" -f sql/verified_id purge && tps
}

# purging NAME PAUSE OPTION...: one client purges, batch by batch; how long each
# took is added to a file, without the script's pause
purging()
{
	(cd "$dir" && as_server pgbench -n -M prepared -h "$socket" -U postgres -f "sql/$1" \
		-l --log-prefix=purge "${@:3}" purge) >"$dir/purge.log" 2>&1 || {
		cat "$dir/purge.log" >&2
		return 1
	}
	cut -d' ' -f3 "$dir"/purge.[0-9]* | awk -v pause="$2" '{ print $1 - 1000 * pause }' >>"$dir/purge_times"
	rm -f "$dir"/purge.[0-9]*
}

# verified_beside NAME PAUSE: what purges
verified_beside()
{
	local before result purge

	before=$(expired)
	purging "$1" "$2" -T "$BENCH_SECONDS" &
	purge=$!
	result=$(verified)
	wait "$purge"
	((before - $(expired) > BATCH)) || {
		say 'Nothing was left to be purged.' >&2
		return 1
	}
	printf '%s\n' "$result"
}

part_purge()
{
	local in_use=$((BENCH_PURGE / 200)) begun left count

	# Each round takes its share, and something is left for the last ones.
	local BENCH_SECONDS=$((BENCH_SECONDS < 4 ? BENCH_SECONDS : 4))

	make_expired
	count=$(expired)
	rm -f "$dir/purge_times"
	write purge <<<"SELECT apitoken.purge('30 days', $BATCH)"
	write paced <<<"SELECT apitoken.purge('30 days', $BATCH)
\\sleep $PAUSE ms"
	present_verified_id spread
	[[ -n $(sql -d purge -c "SELECT apitoken.verified_id(bench.token(200))") ]] ||
		die 'A token in use is not valid.'
	rate_heading "Verification while $count expired tokens are purged, $BATCH a call, 8 clients"
	compare verified_beside paced "$PAUSE" -- verified
	rate_row "verified_id, spread over $in_use tokens, beside purge, a call each $PAUSE ms" 'the same alone' 0.9
	compare verified_beside purge 0 -- verified
	rate_row "verified_id, spread over $in_use tokens, beside purge without a pause" 'the same alone'

	left=$(expired)
	((left > 0)) || die 'The rounds have left nothing to be purged alone: give more tokens.'
	begun=$EPOCHREALTIME
	while (($(expired) > 0)); do
		purging purge 0 -t $((left / BATCH + 1))
	done
	[[ $(sql -d purge -c "SELECT count(*) FROM apitoken._event WHERE event = 'purged'") == "$count" ]] ||
		die 'Not each purged token has its event.'
	table "Purge of $count expired tokens" ' measure' figure target ' '
	measure_row 'longest statement, ms' "$(sort -n "$dir/purge_times" | tail -n 1 | awk '{ print $1 / 1000 }')" 1000
	measure_row 'median statement, ms' "$(sort -n "$dir/purge_times" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] / 1000 }')"
	measure_row 'tokens purged a second, alone' "$(calc "$left / ($EPOCHREALTIME - $begun)" 0)"
	sql -d postgres -c 'DROP DATABASE purge'
}
