#!/bin/sh
# A throw-away PostgreSQL for the tests.
#
#   test-postgres.sh start DIR   makes and starts one in DIR, prints its URL
#   test-postgres.sh stop DIR    stops it and removes what start made
#
# It listens on a free port of 127.0.0.1 and on no socket file. PostgreSQL refuses to run as root, so root
# runs it as the user `postgres`, who must be able to reach DIR.
set -eu

fail() {
    echo "test-postgres: $*" >&2
    exit 1
}

programs() {
    for candidate in /usr/lib/postgresql/*/bin; do
        if [ -x "$candidate/initdb" ]; then bin=$candidate; fi
    done
    if [ -z "${bin:-}" ] && command -v initdb >/dev/null; then bin=$(dirname "$(command -v initdb)"); fi
    [ -n "${bin:-}" ]
}

install() {
    sudo=
    if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
    $sudo apt-get install --yes --no-install-recommends postgresql >&2 ||
        fail "postgresql is missing and cannot be installed"
    programs || fail "postgresql was installed but its initdb was not found"
}

as_owner() {
    if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

running() {
    [ -f "$dir/data/postmaster.pid" ] && kill -0 "$(head -n 1 "$dir/data/postmaster.pid")" 2>/dev/null
}

# Prints the URL once the server answers; fails if the port was taken.
start_on() {
    as_owner "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/log" --wait --silent \
        --options="-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400 \
            -c fsync=off -c full_page_writes=off -c shared_buffers=64MB" start >&2 || return 1
    echo "postgres://havre@127.0.0.1:$1/postgres" >"$dir/url"
    cat "$dir/url"
}

start() {
    if running; then
        cat "$dir/url"
        return
    fi
    programs || install
    mkdir -p "$dir"
    if [ "$(id -u)" -eq 0 ]; then chown postgres "$dir"; fi
    as_owner test -w "$dir" || fail "$dir cannot be reached by the user postgres; choose another folder"
    rm -rf "$dir/data"
    as_owner "$bin/initdb" --pgdata="$dir/data" --username=havre --auth=trust --encoding=UTF8 \
        --locale=C --no-sync >"$dir/initdb.log" || fail "initdb failed, see $dir/initdb.log"
    attempt=0
    port=$((20000 + $$ % 20000))
    until start_on "$port"; do
        attempt=$((attempt + 1))
        [ "$attempt" -lt 5 ] || fail "the server does not start, see $dir/log"
        port=$((port + 101))
    done
}

stop() {
    if running; then
        pid=$(head -n 1 "$dir/data/postmaster.pid")
        kill -INT "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    fi
    rm -rf "$dir/data" "$dir/log" "$dir/url" "$dir/initdb.log"
}

[ $# -eq 2 ] || fail "usage: $0 start|stop DIR"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
case $1 in
    start) start ;;
    stop) stop ;;
    *) fail "usage: $0 start|stop DIR" ;;
esac
