#!/usr/bin/env bash
# Installs what the tests talk to into ignored folders; what is there already stays.
#   scripts/install-clients.sh [telethon] [mtcute] [grammers] [desktop] [centre]
# Without arguments: the client libraries of interop/; TDLib comes with Telethon. `centre` is the message centre of the tests of login codes.
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

# npm's packages as the lock file in the folder lists them. The one install script among them builds a database that no
# driver uses.
node_modules() {
    need node nodejs
    need npm npm
    if ! fresh "$1/package-lock.json" "$1/node_modules"; then
        npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --loglevel=error
        cp "$1/package-lock.json" "$1/node_modules/.installed-from"
    fi
}

telethon() {
    need python3 python3 python3-venv
    if ! fresh interop/requirements.txt interop/.venv; then
        rm -rf interop/.venv
        python3 -m venv interop/.venv
        interop/.venv/bin/pip install --quiet --disable-pip-version-check --requirement interop/requirements.txt
        cp interop/requirements.txt interop/.venv/.installed-from
    fi
}

mtcute() {
    node_modules interop/mtcute
}

grammers() {
    interop/grammers/vendor.py
    cargo build --quiet --locked --manifest-path interop/grammers/Cargo.toml --target-dir interop/target
}

# Telegram Desktop and what shows it a screen, for interop/desktop/run; only the system's packages have them.
desktop() {
    need telegram-desktop telegram-desktop
    need Xvfb xvfb
    need xdotool xdotool
    need import imagemagick
    need openbox openbox
    need curl curl
}

centre() {
    node_modules crates/codes/tests/centre
}

if [ $# -eq 0 ]; then
    set -- telethon mtcute grammers
fi
for part in "$@"; do
    case $part in
        telethon | mtcute | grammers | desktop | centre) echo "$part"; "$part" ;;
        *) echo "there is no part $part: telethon, mtcute, grammers, desktop, centre" >&2; exit 2 ;;
    esac
done
