# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# search.sh: searches by a part of the name.

# enable_search: the index for searches, and the same by hand
enable_search()
{
	as_quiet -d big -c 'SELECT apitoken.enable_search()' \
		-c 'CREATE INDEX IF NOT EXISTS search ON hand.token USING gin (
			name COLLATE "default" gin_trgm_ops,
			client_id COLLATE "default" gin_trgm_ops,
			principal COLLATE "default" gin_trgm_ops)' \
		-c 'VACUUM ANALYZE'
}

# search OPERATION TERM TRANSACTIONS MAX_RATIO [MAX_MS [PREFIX OF THE OTHER]]
search()
{
	local condition="{\"field\":\"TOKEN_NAME\",\"operator\":\"LIKE\",\"terms\":[\"$2\"]}"
	local body="{\"searchTerms\":{\"allOf\":[$condition]}}"

	ours query creationDate desc 'body => :body' | write search
	write hand <"$here/hand/search.sql"
	same search hand "body=$body" "pattern=%$2%"
	compare latency "$3" big search -D body="$body" \
		-- ${6-} latency "$3" big hand -D pattern="%$2%"
	row "$1" "$4" "${5-}"
}

# scanning COMMAND...: without what would serve instead of a sequential scan
scanning() { PGOPTIONS='-c enable_bitmapscan=off -c enable_indexonlyscan=off' "$@"; }

# scan_search OPERATION TERM: the other side scans the table
scan_search()
{
	local plan

	plan=$(sed "s/:realm/'big'/g; s/:pattern/'%$2%'/g; 1s/^/EXPLAIN /" \
		"$here/hand/search.sql" | scanning sql -d big)
	[[ $plan == *'Seq Scan on token t'* ]] || die 'There is no sequential scan.'
	search "$1" "$2" 3 "$EQUAL" '' scanning
}

part_search()
{
	enable_search
	heading 'Search by name, first page with total'
	search 'LIKE, a word in 20 names' zebrafish 50 '' 20
	search 'LIKE, digits in about 20 names' 97630 50 '' 20
	heading 'Search by name, first page with total' 'sequential scan'
	scan_search 'LIKE, two letters in 4 of 10 names' er
	scan_search 'LIKE, two letters in 20 names' ze
	scan_search 'LIKE, one letter in most names' a
	scan_search 'LIKE, one character in none' '#'
}
