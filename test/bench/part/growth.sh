# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# growth.sh: pages in a small database and in a big one.

# growth_row OPERATION SMALL -- BIG
growth_row()
{
	compare "${@:2}"
	printf '| %s | %s | %s | %s |\n' "$1" "$median_ours" "$median_other" \
		"$(calc "1 / $ratio")"
}

growth_first()
{
	write_walk "$@"
	growth_row "first page, $1 by $2" latency 300 small first -- latency 300 big first
}

growth_deep()
{
	local cursor small

	write_walk "$@"
	walk small "$BENCH_SMALL" "$@"
	small=$cursor
	walk big "$BENCH_TOKENS" "$@"
	growth_row "by cursor, nine tenths down, $1 by $2" \
		latency 300 small deep -D cursor="$small" -- latency 300 big deep -D cursor="$cursor"
}

part_growth()
{
	fill small "$BENCH_SMALL"
	table Growth ' operation' "$BENCH_SMALL tokens, ms" "$BENCH_TOKENS tokens, ms" ratio
	for_each_sort growth_first asc
	for_each_sort growth_deep asc
	ours list name asc 'page_offset => :offset' | write page
	growth_row 'first page with total, list by name' \
		latency 5 small page -D offset=0 -- latency 5 big page -D offset=0
	growth_row 'by offset, nine tenths down, with total, list by name' \
		latency 5 small page -D offset=$((BENCH_SMALL * 9 / 10)) -- \
		latency 5 big page -D offset=$((BENCH_TOKENS * 9 / 10))
}
