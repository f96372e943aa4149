#!/usr/bin/env bash
# Installs the client libraries of interop/ into ignored folders there; what is there already stays.
set -euo pipefail
cd "$(dirname "$0")/.."

# Makes sure of a command, by the system's packages where we may install them.
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "$command is missing; install: $*" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"
}

# The folder counts as installed only for the list that it was installed from.
fresh() {
    cmp -s "$1" "$2/.installed-from"
}

echo "Telethon"
need python3 python3 python3-venv
if ! fresh interop/requirements.txt interop/.venv; then
    rm -rf interop/.venv
    python3 -m venv interop/.venv
    interop/.venv/bin/pip install --quiet --disable-pip-version-check --requirement interop/requirements.txt
    cp interop/requirements.txt interop/.venv/.installed-from
fi

echo "mtcute"
need node nodejs
need npm npm
if ! fresh interop/mtcute/package-lock.json interop/mtcute/node_modules; then
    # The one install script builds a database that the driver does not use.
    npm ci --prefix interop/mtcute --ignore-scripts --no-audit --no-fund --loglevel=error
    cp interop/mtcute/package-lock.json interop/mtcute/node_modules/.installed-from
fi

echo "grammers"
interop/grammers/vendor.py
cargo build --quiet --locked --manifest-path interop/grammers/Cargo.toml --target-dir interop/target
