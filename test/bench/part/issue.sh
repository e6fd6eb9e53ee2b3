# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# issue.sh: issuing tokens, with an event for each.

# issuing NAME: milliseconds for each of what eight clients issue
issuing() { calc "1000 / $(rate "$1")" 4; }

part_issue()
{
	heading Issuing
	as_quiet -d big -c 'DROP INDEX IF EXISTS apitoken._token_search_idx, hand.search'
	audit big
	write issue <"$here/issue.sql"
	write hand <"$here/hand/issue.sql"
	compare issuing issue -- issuing hand
	row "one a transaction, 8 clients: $(calc "1000 / $median_ours" 0) against $(calc "1000 / $median_other" 0) a second" "$EQUAL"

	write issue <"$here/issue_many.sql"
	write hand <"$here/hand/issue_many.sql"
	compare latency 1 big issue -- latency 1 big hand
	row "100,000 in one statement: $(calc "1e8 / $median_ours" 0) against $(calc "1e8 / $median_other" 0) a second" "$(calc '1 / 0.7')"
	as_quiet -d big -c 'DROP TRIGGER audit ON hand.token'
}

# load: a million a transaction
part_load()
{
	local done=0 many started begun

	((BENCH_LOAD > 0)) || return 0
	create load
	sql -d load -c "INSERT INTO apitoken.realm (id) VALUES ('issue')"
	table "Issuing $BENCH_LOAD tokens into an empty database, one client" \
		tokens seconds 'a second, the last of them'
	started=$EPOCHREALTIME
	while ((done < BENCH_LOAD)); do
		many=$((BENCH_LOAD - done < 1000000 ? BENCH_LOAD - done : 1000000))
		begun=$EPOCHREALTIME
		sed "s/100000/$many/" "$here/issue_many.sql" | sql -d load >/dev/null
		done=$((done + many))
		printf '| %s | %s | %s |\n' "$done" "$(calc "$EPOCHREALTIME - $started" 0)" \
			"$(calc "$many / ($EPOCHREALTIME - $begun)" 0)"
	done
	[[ $(sql -d load -c 'SELECT count(*) FROM apitoken._token') == "$BENCH_LOAD" ]] ||
		die 'Not all were stored.'
	sql -d postgres -c 'DROP DATABASE load'
}
