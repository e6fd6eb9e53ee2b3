# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# walks.sh: pages of a walk by cursor, the first and one deep inside.

first_page()
{
	write_walk "$@"
	same first hand
	compare_within 300 big first hand
	row "$1 by $2 $3" 1.3 2
}

deep_page()
{
	local cursor

	write_walk "$@"
	walk big "$BENCH_TOKENS" "$@"
	compare_within 300 big deep first -D cursor="$cursor"
	row "$1 by $2 $3" 1.5
}

part_first()
{
	heading 'First page of a walk, 10 rows'
	for_each_sort first_page asc desc
}

part_deep()
{
	heading "Page by cursor at row $((BENCH_TOKENS * 9 / 10))" 'first page'
	for_each_sort deep_page asc desc
}
