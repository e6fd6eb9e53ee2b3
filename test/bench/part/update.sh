# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# update.sh: verification against the usual way of recording use, an UPDATE of
# last_used_at at each request.  The table by hand is made for it: half the
# tokens, two indexes, none on last_used_at, and room in each page, so that an
# update touches no index.

# make_tracked: hand.tracked, once
make_tracked()
{
	local digest='UNIQUE INDEX ON hand.tracked (digest)'

	[[ $best_index != *_hash ]] || digest='INDEX ON hand.tracked USING hash (digest)'
	[[ -z $(sql -d big -c "SELECT to_regclass('hand.tracked')") ]] || return 0
	as_quiet -d big -c 'CREATE TABLE hand.tracked (LIKE hand.token, last_used_at timestamptz) WITH (fillfactor = 80)' \
		-c "INSERT INTO hand.tracked SELECT *, NULL FROM hand.token WHERE realm = 'big'" \
		-c 'ALTER TABLE hand.tracked ADD PRIMARY KEY (id)' \
		-c "CREATE $digest" -c 'VACUUM ANALYZE hand.tracked' -c CHECKPOINT
}

unsynchronized() { with_option synchronous_commit=off "$@"; }

# against_update OURS OTHER MIN_RATIO [COMMAND]: the two scripts are there
against_update()
{
	compare tracked "${@:4}" rate verified_id -- "${@:4}" rate hand
	rate_row "$1" "$2" "$3"
	compare tracked "${@:4}" rate verified_id -- unsynchronized "${@:4}" rate hand
	rate_row "$1" "$2, synchronous_commit = off"
}

part_update()
{
	local update="UPDATE ... RETURNING id"

	choose_index
	make_tracked
	flush_each_round
	rate_heading 'Recording use, 8 clients, prepared statements'
	present_verified_id spread
	present_hand update spread
	same_rows verified_id hand "i=$(number 1)"
	against_update "verified_id, $spread" "$update" 4
	present_verified_id one
	present_hand update one
	against_update 'verified_id, one token' "$update" 20 one_token
	set_server
}
