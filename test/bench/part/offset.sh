# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# offset.sh: pages by number, with exact totals.

offset_page()
{
	local row=$((BENCH_TOKENS * 9 / 10)) place

	case $1 in
	list) place=offset=$row; ours "$@" 'page_offset => :offset' | write page ;;
	query) place=page=$((row / 10)); ours "$@" 'page => :page' | write page ;;
	esac
	by_hand "${1}_page" "${@:2}" | write hand
	same page hand "$place"
	compare latency 3 big page -D "$place" -- latency 3 big hand -D "$place"
	row "$1 by $2 $3" "$EQUAL"
}

total()
{
	write page <<<"SELECT apitoken.list(:realm, page_size => 1) #> '{pagination,item_count}'"
	write hand <<<'SELECT to_jsonb(count(*)) FROM hand.token WHERE realm = :realm'
	same page hand
	compare latency 5 big page -- latency 5 big hand
	row 'exact total of the realm, with one row' "$EQUAL"
}

part_offset()
{
	heading "Page by offset at row $((BENCH_TOKENS * 9 / 10)), with total"
	offset_page list id asc
	offset_page list name asc
	offset_page list last_seen desc
	offset_page query creationDate desc
	offset_page query expirationDate asc
	total
}
