# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# verify.sh: verification against nothing at all (SELECT $1) and against SQL by
# hand.
#
# Clients present "one token", all the same, or spread over the tokens in use,
# at random.  The texts of fill.sql differ in ten digits at their end: a script
# chooses those, and the statement puts the rest before them, on both sides.
#
# By hand, the digest is SHA-256 of the text and has the better of a hash
# index and a unique btree; expiry and status are checked, nothing is written.

# present NAME HOW TYPE: a script out of a template with @token@, HOW being
# "one", or "spread", or "simple", which is spread for statements without
# parameters
present()
{
	local text before

	before=$(token 1)
	before=${before:0:-10}
	case $2 in
	one) text=:token ;;
	spread) text="('$before'::$3 || :i)" ;;
	simple) text="'$before:i'" ;;
	esac
	{
		[[ $2 == one ]] ||
			printf '\\set i 1000000000 + 200 * random(1, %d)\n' "$in_use"
		sed "s/@token@/$text/"
	} | write "$1"
}

present_verified_id() { present verified_id "$1" text <<<'SELECT apitoken.verified_id(@token@)'; }
present_verify() { present verify "$1" text <<<'SELECT * FROM apitoken.verify(@token@)'; }
present_hand() { present hand "$2" bytea <"$here/hand/$1.sql"; }

# check NAME HOW: does it answer as SQL by hand does?
check()
{
	"present_$1" "$2"
	present_hand "$1" "$2"
	case $2 in
	spread) same_rows "$1" hand "i=$(number 1)" "i=$(number $((in_use / 2)))" "i=$(number "$in_use")" ;;
	one) same_rows "$1" hand "token=$(token 200)" ;;
	esac
}

# one_token COMMAND...: with the token that all clients present
one_token() { "$@" -D token="$(token 200)"; }

# --- the index by hand ---

# use_index NAME: of the two on hand.token.digest
use_index()
{
	sql -d big -c "UPDATE pg_index SET indisvalid = (indexrelid = 'hand.$1'::regclass)
		WHERE indexrelid IN ('hand.token_digest_hash'::regclass, 'hand.token_digest_unique'::regclass)"
}

with_index()
{
	use_index "$1"
	"${@:2}"
}

# choose_index: the faster of the two, once a run; set best_index
choose_index()
{
	if [[ ! -s $dir/best_index ]]; then
		as_quiet -d big -c 'CREATE UNIQUE INDEX IF NOT EXISTS token_digest_unique ON hand.token (digest)'
		check verified_id spread
		compare with_index token_digest_hash rate hand \
			-- with_index token_digest_unique rate hand
		best_index=token_digest_hash
		is_true "$ratio >= 1" || best_index=token_digest_unique
		printf '\nBy hand: a hash index on digest lets %s a second be looked up, a unique btree %s.\n' \
			"$(calc "$median_ours" 0)" "$(calc "$median_other" 0)"
		printf '%s\n' "$best_index" >"$dir/best_index"
	fi
	best_index=$(<"$dir/best_index")
	use_index "$best_index"
}

# --- the parts ---

part_verify()
{
	choose_index
	flush_each_round
	rate_heading 'Verification, 8 clients, prepared statements'
	check verified_id one
	present nothing one text <<<'SELECT @token@'
	compare tracked one_token rate verified_id -- one_token rate nothing
	rate_row 'verified_id, one token' "SELECT \$1" 0.75
	compare tracked one_token rate verified_id -- one_token rate hand
	rate_row 'verified_id, one token' 'SQL by hand' 1.15
	check verify one
	compare tracked one_token rate verify -- one_token rate hand
	rate_row 'verify, one token' 'SQL by hand' 1
	set_server
}

part_spread()
{
	choose_index
	flush_each_round
	rate_heading 'Verification of many tokens, 8 clients, prepared statements'
	check verified_id spread
	present nothing spread text <<<'SELECT @token@'
	compare tracked rate verified_id -- rate nothing
	rate_row "verified_id, $spread" "SELECT \$1"
	compare tracked rate verified_id -- rate hand
	rate_row "verified_id, $spread" 'SQL by hand' 1.15
	check verify spread
	compare tracked rate verify -- rate hand
	rate_row "verify, $spread" 'SQL by hand' 1
	set_server
}

part_unprepared()
{
	local name

	choose_index
	flush_each_round
	rate_heading 'Verification, 8 clients, not prepared'
	for name in verified_id verify; do
		check "$name" simple
		compare tracked in_mode simple rate "$name" -- in_mode simple rate hand
		rate_row "$name, $spread, -M simple" 'SQL by hand' 1.6
		check "$name" one
		compare tracked one_token in_mode extended rate "$name" \
			-- one_token in_mode extended rate hand
		rate_row "$name, one token, -M extended" 'SQL by hand' 1.6
	done
	set_server
}

part_many()
{
	local tokens

	choose_index
	flush_each_round
	rate_heading 'Verification of 1000 tokens a call, 8 clients, prepared statements'
	tokens=$(sql -d big -c "SELECT array_agg(bench.token(200 * (1 + n % $in_use)))
		FROM generate_series(1, 1000) AS n")
	write verify_many <<<'SELECT * FROM apitoken.verify_many(:tokens)'
	write hand <"$here/hand/verify_many.sql"
	same_rows verify_many hand "tokens=$tokens"
	compare tracked rate verify_many -D tokens="$tokens" -- rate hand -D tokens="$tokens"
	rate_row 'verify_many, tokens' 'one join by hand' 1.5 1000
	set_server
}
