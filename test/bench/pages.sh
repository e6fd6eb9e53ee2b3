# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # test/bench/run and the parts share names
#
# pages.sh: the calls that pages are asked for with, ours and by hand, and how
# to get deep inside.  Sourced by test/bench/run.

sorts=(
	'list id' 'list name' 'list status' 'list last_seen' 'list timestamp'
	'query creationDate' 'query expirationDate' 'query lastUsedDate'
	'query accessTokenTtl' 'query tokenName'
)

# for_each_sort COMMAND DIRECTION...: COMMAND FUNCTION FIELD DIRECTION
for_each_sort()
{
	local sort direction

	for sort in "${sorts[@]}"; do
		for direction in "${@:2}"; do
			# shellcheck disable=SC2086
			"$1" $sort "$direction"
		done
	done
}

# ours FUNCTION FIELD DIRECTION MORE: a call
ours()
{
	case $1 in
	list) printf "SELECT apitoken.list(:realm, sort_field => '%s', sort_direction => '%s', %s)\n" "${@:2}" ;;
	query) printf "SELECT apitoken.query(:realm, sort_by => '%s', sort_order => '%s', %s)\n" "${@:2}" ;;
	esac
}

# by_hand TEMPLATE FIELD DIRECTION: a template of hand/ with its blanks filled
by_hand()
{
	local table=t id=t.id key order nulls=
	local from='hand.token t LEFT JOIN hand.usage u ON u.token_id = t.id'

	case $2 in
	id) key= ;;
	name | tokenName) key=t.name ;;
	status) key=t.status ;;
	timestamp | creationDate) key=t.created_at ;;
	expirationDate) key=t.expires_at ;;
	accessTokenTtl) key=t.access_token_ttl ;;
	last_seen | lastUsedDate)
		table=u id=u.token_id key=u.last_used_at
		from='hand.usage u JOIN hand.token t ON t.id = u.token_id'
		nulls=' NULLS FIRST'
		[[ $3 == asc ]] || nulls=' NULLS LAST'
		;;
	esac
	order="${key:+$key $3$nulls, }$id $3"
	sed -e "s/@field@/$2/g; s/@direction@/$3/g; s/@order@/$order/g" \
		-e "s/@key@/${key:-\'\'}/g; s/@id@/$id/g; s/@realm@/$table.realm/g" \
		-e "s/@from@/$from/g; s/@source@/hand.${from:5:5} $table/g" \
		"$here/hand/$1.sql"
}

# write_walk FUNCTION FIELD DIRECTION
write_walk()
{
	ours "$@" "cursor => ''" | write first
	ours "$@" 'cursor => :cursor' | write deep
	by_hand "$@" | write hand
}

# walk DATABASE TOKENS FUNCTION FIELD DIRECTION: set cursor, nine tenths down
walk()
{
	local call known="$dir/cursors/$1.$3.$4.$5"

	if [[ ! -s $known ]]; then
		call=$(ours "${@:3}" "page_size => 1000, cursor => \$1")
		call="SELECT (${call//:realm/\'big\'}) ->> 'next_cursor'"
		sql -d "$1" -v call="$call" -v pages=$(($2 * 9 / 10 / 1000)) \
			<<<"SELECT bench.walk(:'call', :pages)" >"$known"
	fi
	cursor=$(<"$known")
}
