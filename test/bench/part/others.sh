# shellcheck shell=bash
# shellcheck disable=SC2154 # test/bench/run and the parts share names
#
# others.sh: figures beside those of other software, without a target: they do
# different work.  It is fetched by apt-get and npm into the benchmark's own
# directory, of versions named below, and talked to over Unix sockets.
#
# Redis looks up the id by a digest that the client makes: no expiry, no
# scopes, no revocation but by deleting, no use recorded.
# better-auth's api-key plugin keeps keys in PostgreSQL and records use there.

node_packages=(
	pg@8.23.1 redis@6.3.1
	better-auth@1.7.5 @better-auth/core@1.7.5 @better-auth/utils@0.4.2
	better-call@1.4.0 @better-auth/api-key@1.7.5
)

# not_measured WHY
not_measured() { say '' "Part $part is not measured: $*"; }

# get_node: set others, where client.mjs and what it needs stand; 1: set why
get_node()
{
	others=$dir/others
	[[ ! -d $others/node_modules ]] || return 0
	mkdir -p "$others"
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		why='there is no node, or no npm.'
		return 1
	fi
	printf '{"private": true, "type": "module"}\n' >"$others/package.json"
	cp "$here/client.mjs" "$others"
	timeout 600 npm install --prefix "$others" --no-audit --no-fund \
		--ignore-scripts --loglevel=error "${node_packages[@]}" >"$others/npm.log" 2>&1 || {
		why="npm: $(grep -v '^npm warn' "$others/npm.log" | head -n 1)"
		rm -rf "$others/node_modules"
		return 1
	}
	sql -d big -c "SELECT bench.token(200 * n) FROM generate_series(1, $in_use) AS n" >"$others/tokens"
}

# node_rate WHAT: verifications a second, one process of node, eight at once
node_rate()
{
	(cd "$others" && PGHOST=$socket PGUSER=postgres REDIS_SOCKET=$socket/redis \
		node client.mjs "$1" "$BENCH_SECONDS" 8)
}

# --- Redis ---

# get_redis: set redis, a directory with Debian's packages unpacked; 1: set why
get_redis()
{
	local package packages log=$dir/apt.log

	redis=$dir/redis
	[[ ! -x $redis/usr/bin/redis-server ]] || return 0
	mkdir -p "$redis"
	if ! command -v apt-get >/dev/null; then
		why='there is no apt-get.'
		return 1
	fi
	packages=$(apt-get -s --no-install-recommends install redis-server redis-tools 2>"$log" |
		sed -n 's/^Inst \([^ ]*\).*/\1/p') || true
	# What is installed already is fetched all the same, to have one way.
	packages=$(printf '%s\n' "$packages" redis-server redis-tools | sed '/^$/d' | sort -u)
	# shellcheck disable=SC2086
	(cd "$redis" && timeout 600 apt-get -q download $packages) >>"$log" 2>&1 || {
		why="apt-get: $(grep '^E:' "$log" | head -n 1)"
		return 1
	}
	for package in "$redis"/*.deb; do dpkg-deb -x "$package" "$redis"; done
}

with_redis()
{
	env LD_LIBRARY_PATH="$(find "$redis" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)" \
		"$redis/usr/bin/$1" "${@:2}"
}

redis_cli() { with_redis redis-cli -s "$socket/redis" "$@"; }

stop_redis() { redis_cli shutdown nosave >/dev/null 2>&1 || true; }

# start_redis: nothing is kept on disk, as a cache is run
start_redis()
{
	trap stop_redis EXIT
	detached with_redis redis-server --port 0 --unixsocket "$socket/redis" \
		--save '' --appendonly no --daemonize yes --dir "$redis" \
		--logfile "$dir/redis.log" </dev/null >/dev/null
	for _ in {1..50}; do
		[[ $(redis_cli ping 2>/dev/null) != PONG ]] || return 0
		sleep 0.1
	done
	tail -n 5 "$dir/redis.log" >&2 || true
	return 1
}

redis_rate()
{
	with_redis redis-benchmark -s "$socket/redis" -c 8 --csv \
		-n $((BENCH_SECONDS * 50000)) GET "$1" |
		awk -F '"' 'END { if ($4 <= 0) exit 1; print $4 }'
}

part_redis()
{
	local digest why

	if ! get_redis || ! get_node; then
		not_measured "$why"
		return
	fi
	start_redis || die 'Redis does not start.'
	sql -d big -c "SELECT format(E'SET %s %s\\r', encode(digest, 'hex'), id)
		FROM hand.token WHERE realm = 'big'" | redis_cli --pipe >/dev/null
	digest=$(sql -d big -c 'SELECT encode(sha256(bench.token(200)::bytea), '"'hex')")
	[[ $(redis_cli get "$digest") == "$(sql -d big -c 'SELECT apitoken.verified_id(bench.token(200))')" ]] ||
		die 'Redis does not know the token.'

	rate_heading "Redis $(redis_cli info server | tr -d '\r' | sed -n 's/^redis_version://p'), GET of the digest, 8 clients"
	present_verified_id one
	compare tracked rate verified_id -D token="$(token 200)" -- redis_rate "$digest"
	rate_row 'verified_id, one token, pgbench' 'redis-benchmark'
	compare tracked node_rate verified_id -- node_rate redis
	rate_row "verified_id, $spread, node" 'SHA-256 and GET, node'
	stop_redis
}

# --- better-auth ---

part_better_auth()
{
	local why

	if ! get_node; then
		not_measured "$why"
		return
	fi
	as_quiet -d postgres -c 'DROP DATABASE IF EXISTS better_auth' -c 'CREATE DATABASE better_auth'
	(cd "$others" && PGHOST=$socket PGUSER=postgres node client.mjs make_keys "$in_use") ||
		die 'better-auth made no keys.'
	rate_heading "better-auth 1.7.5 with keys in PostgreSQL, node, 8 at once"
	compare tracked node_rate verify -- node_rate better_auth
	rate_row "verify, $spread" "verifyApiKey, spread over $in_use keys"
	sql -d postgres -c 'DROP DATABASE better_auth'
}
