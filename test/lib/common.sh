# shellcheck shell=bash
#
# common.sh: what test/run and test/demo share.  Sourced, not run.
#
# Where things are:
#   ROOT    the checkout, also the current directory
#   WORK    everything that the scripts make: build/ of the checkout.
#             install/  the extension, installed with DESTDIR
#             log/      what each step printed
#             demo/     the cluster of "make demo"
#             test/     clusters of "make test", gone when it ends well
#   TREE    the tree that tests are read from: ROOT, or a copy, see below
#
# Who does what: the server refuses to run as root.  Started by root, the
# scripts build as root and run servers and tests as SERVER_USER, "postgres".
# That user may be unable to reach the checkout (a clone under /root).  Then
# WORK is a directory under /var/tmp, build/ is a symbolic link to it, and
# TREE is a copy of the checkout in it.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$ROOT" || exit 1
umask 022

# The caller's libpq settings (PGHOST, PGPORT, ...) would lead our clients to
# another server, and a locale would translate what we compare.
for name in "${!PG@}"; do
	[[ $name == *_* ]] || unset "$name"
done
unset LANGUAGE
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# find_server: what pg_config says about the server to use.
find_server()
{
	local pg_config=${PG_CONFIG:-pg_config}

	BINDIR=$("$pg_config" --bindir)
	SHAREDIR=$("$pg_config" --sharedir)
	PKGLIBDIR=$("$pg_config" --pkglibdir)
	# shellcheck disable=SC2034 # test/run wants it
	PGXS_SRC=$(cd "$(dirname "$("$pg_config" --pgxs)")/.." && pwd)
	PG_VERSION=$("$pg_config" --version | sed 's/^PostgreSQL \([^ ]*\).*/\1/')
	# Another server's programs may stand first on the caller's PATH.
	PATH=$BINDIR:$PATH
}

# run_as USER COMMAND...
run_as()
{
	if [[ $1 == "$(id -un)" ]]; then
		"${@:2}"
	else
		runuser -u "$1" -- env HOME=/nonexistent "${@:2}"
	fi
}

as_server() { run_as "$SERVER_USER" "$@"; }

# server_dir DIR: make a directory that SERVER_USER can write.
server_dir()
{
	mkdir -p "$1"
	[[ $SERVER_USER == "$(id -un)" ]] || chown "$SERVER_USER" "$1"
}

# Can SERVER_USER read the whole checkout and write below build/?
server_user_reaches_checkout()
{
	# shellcheck disable=SC2016
	run_as "$SERVER_USER" sh -c '
		cd "$1" 2>/dev/null &&
		! find . \( -path ./.git -o -path ./build -o -type l \) -prune \
			-o \( ! -readable -o -type d ! -executable \) -print \
			2>/dev/null | grep -q .' sh "$ROOT" &&
	mkdir -p build &&
	server_dir build/probe 2>/dev/null &&
	run_as "$SERVER_USER" test -w "$ROOT/build/probe" &&
	rmdir build/probe
}

# set_up_work: set SERVER_USER, WORK and TREE.  One make at a time works there.
set_up_work()
{
	SERVER_USER=$(id -un)
	if [[ $(id -u) == 0 ]]; then
		SERVER_USER=postgres
		id "$SERVER_USER" >/dev/null 2>&1 ||
			die "The server cannot run as root: add a user named postgres, or use another user."
	fi

	[[ ! -L build || -d build/ ]] || rm build
	if [[ $SERVER_USER != "$(id -un)" && ! -L build ]] &&
		! server_user_reaches_checkout; then
		[[ ! -d build ]] || stop_servers_under build
		rm -rf build
		ln -s "$(mktemp -d /var/tmp/apitoken.XXXXXX)" build
		chmod 755 build/
	fi
	mkdir -p build/log 2>/dev/null || true
	[[ -w build/log ]] ||
		die "build/ belongs to somebody else: remove it with 'sudo make clean'."
	WORK=$(readlink -f build)
	TREE=$ROOT

	exec {lock}>build/lock
	flock -n "$lock" || die 'Another make is at work in build/.'

	[[ $SERVER_USER == "$(id -un)" || ! -L build ]] || copy_tree
}

# copy_tree: copy the checkout to where SERVER_USER can read it, set TREE.
copy_tree()
{
	TREE=$WORK/tree
	say "User $SERVER_USER, who runs the server, cannot use $ROOT:" \
		"build/ is a link to $WORK, which has a copy of the tree."
	rm -rf "$TREE"
	mkdir "$TREE"
	tar -cf - --exclude=./.git --exclude=./build . | tar -xf - -C "$TREE"
	chmod -R go+rX "$TREE"
}

# our_make ARGUMENT...: make in the checkout.  Without the job server of a
# make that called us: it is not handed down through scripts.
our_make()
{
	MAKEFLAGS=$(sed -E 's/(^| )(--jobserver-[a-z]+=[^ ]*|-j[0-9]*)//g' <<<"${MAKEFLAGS-}") \
		make --no-print-directory "$@"
}

# build_and_install TARGET...: build with warnings as errors, install for our
# clusters only, and set EXTENSION_CONF, the lines of postgresql.conf that make
# a server find it there.
build_and_install()
{
	# DESTDIR is relative, hence safe from characters that PGXS does not quote.
	local log=$WORK/log/build.log destdir=build/install settings
	local install=${WORK//\'/\'\'}/install

	settings=$("$BINDIR/postgres" --describe-config)
	if grep -q '^extension_destdir' <<<"$settings"; then
		# Debian's own
		EXTENSION_CONF="extension_destdir = '$install'"
	elif grep -q '^extension_control_path' <<<"$settings"; then
		# PostgreSQL 18 and later
		EXTENSION_CONF="extension_control_path = '$install$SHAREDIR:\$system'
dynamic_library_path = '$install$PKGLIBDIR:\$libdir'"
	else
		EXTENSION_CONF=
		destdir=
		say "PostgreSQL $PG_VERSION takes extensions from its own directories only: installing into $PKGLIBDIR."
	fi

	rm -rf build/install
	if ! our_make -j"$(nproc)" WERROR=1 "$@" >"$log" 2>&1 ||
		! our_make WERROR=1 install DESTDIR="$destdir" >>"$log" 2>&1; then
		# without the long command lines
		sed '/ -fvisibility=hidden /d' "$log"
		return 1
	fi
}

# init_cluster DIR: a cluster with superuser postgres, encoding UTF8.
init_cluster()
{
	(cd / && as_server "$BINDIR/initdb" -D "$1" -U postgres -A trust -E UTF8 \
		--locale=C.UTF-8 --no-sync) >"$WORK/log/initdb.log" 2>&1 ||
		{ cat "$WORK/log/initdb.log"; return 1; }
	as_server sh -c "echo \"include 'apitoken.conf'\" >>\"\$1/postgresql.conf\"" \
		sh "$1"
}

# detached COMMAND...: a server that inherits a pipe of our caller would keep
# the reader of that pipe waiting for as long as it lives.
detached()
{
	(
		cd / || exit
		for fd in "/proc/$BASHPID/fd"/*; do
			fd=${fd##*/}
			# 255 is bash's own and closed for its children
			[[ $fd != [0-9]* || $fd -le 2 || $fd == 255 ]] || exec {fd}>&-
		done
		"$@"
	)
}

# start_cluster DIR SOCKET_DIR LOG [LINE OF postgresql.conf]...
# SERVER_PROGRAM in the environment is run in the place of postgres.
start_cluster()
{
	local dir=$1 socket_dir=$2 log=$3

	printf '%s\n' "listen_addresses = ''" \
		"unix_socket_directories = '$socket_dir'" \
		"$EXTENSION_CONF" "${@:4}" |
		as_server tee "$dir/apitoken.conf" >/dev/null

	# After a kill -9 the old processes need a moment to notice, hence more
	# than one try.
	for _ in 1 2 3 4 5; do
		if detached as_server "$BINDIR/pg_ctl" -D "$dir" -l "$log" \
			${SERVER_PROGRAM:+-t 300 -p "$SERVER_PROGRAM"} -w start </dev/null >"$WORK/log/pg_ctl.log" 2>&1; then
			return
		fi
		sleep 1
	done
	cat "$WORK/log/pg_ctl.log"
	tail -n 20 "$log"
	return 1
}

# stop_servers_under DIR [MODE]: stop every server with its data below DIR.
stop_servers_under()
{
	local pid_file pid dir owner

	[[ -d $1 ]] || return 0
	while IFS= read -r -d '' pid_file; do
		dir=$(dirname "$(readlink -f "$pid_file")")
		owner=$(stat -c %U "$pid_file")
		pid=$(head -n 1 "$pid_file")
		# The file may be older than the last boot, and its number somebody
		# else's now.  A server's working directory is its data directory.
		[[ $(run_as "$owner" readlink "/proc/$pid/cwd") == "$dir" ]] || continue
		(cd "$dir" && run_as "$owner" \
			"${BINDIR:-$("${PG_CONFIG:-pg_config}" --bindir)}/pg_ctl" \
			-D "$dir" -m "${2:-immediate}" stop >/dev/null) || true
	done < <(find "$1/" -name postmaster.pid -print0 2>/dev/null)
}
