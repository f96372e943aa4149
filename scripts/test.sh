#!/usr/bin/env bash
# The tests, step by step: scripts/test.sh [lint] [unit] [interop]; without arguments all of them.
# Each step says how long it took, and what to do when it fails.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    local name=$1 hint=$2 started=$SECONDS
    shift 2
    printf '\n==> %s\n' "$name"
    if ! "$@"; then
        printf '\n!!! %s failed after %d s.\n    %s\n' "$name" $((SECONDS - started)) "$hint" >&2
        exit 1
    fi
    printf '    %s: %d s\n' "$name" $((SECONDS - started))
}

unit_tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --no-fail-fast
    else
        echo "cargo-nextest is not installed; cargo test does the same, only slower"
        cargo test --workspace --lib --bins --tests --no-fail-fast
    fi
}

lint() {
    step "formatting" "Run: cargo fmt" cargo fmt --all --check
    step "clippy" "Mend what it names; a lint that is wrong here is silenced with #[expect(.., reason = ..)]." \
        cargo clippy --workspace --all-targets --quiet -- -D warnings
    if cargo deny --version >/dev/null 2>&1; then
        step "dependencies" "deny.toml says what may be used, and why." \
            cargo deny --log-level error check bans licenses sources
    else
        echo "cargo-deny is not installed; what dependencies may be is not checked"
    fi
}

unit() {
    step "a database for the tests" \
        "Without PostgreSQL, leave it out: HAVRE_TEST_POSTGRES=skip make test" start_postgres
    if [ "${HAVRE_TEST_SMPP:-}" != skip ]; then
        step "a message centre for the tests" \
            "Without Node, leave it out: HAVRE_TEST_SMPP=skip make test" scripts/install-clients.sh centre
    fi
    step "tests of the crates" "Run one again alone: cargo nextest run -p CRATE NAME" unit_tests
    step "examples in the documentation" "Run again: cargo test --workspace --doc" \
        cargo test --workspace --doc --quiet
}

# The store's suite runs on PostgreSQL too: on the one that HAVRE_TEST_POSTGRES names, else on one of its own.
start_postgres() {
    if [ -n "${HAVRE_TEST_POSTGRES:-}" ]; then return; fi
    postgres=$(mktemp -d)
    trap 'scripts/test-postgres.sh stop "$postgres" && rmdir "$postgres"' EXIT
    HAVRE_TEST_POSTGRES=$(scripts/test-postgres.sh start "$postgres") || return
    export HAVRE_TEST_POSTGRES
}

interop() {
    step "client libraries" "Installing them failed: are the package registries within reach?" \
        scripts/install-clients.sh
    step "server" "It must build: cargo build -p havre-server" \
        cargo build --quiet --package havre-server --bin havre
    step "interoperation" \
        "A scenario that passed before fails now. The logs' folder is named above; interop/README.md explains." \
        interop/run --havre target/debug/havre
    step "a database for interoperation" \
        "Without PostgreSQL, leave it out: HAVRE_TEST_POSTGRES=skip make test" start_postgres
    if [ "$HAVRE_TEST_POSTGRES" != skip ]; then
        step "interoperation over PostgreSQL" "As above, with store = \"postgres\"." \
            env HAVRE_STORE=postgres HAVRE_POSTGRES_URL="$HAVRE_TEST_POSTGRES" \
            interop/run --havre target/debug/havre --pair telethon+mtcute
    fi
}

if [ $# -eq 0 ]; then
    set -- lint unit interop
fi
for part in "$@"; do
    case $part in
        lint | unit | interop) "$part" ;;
        *) echo "there is no part $part: lint, unit, interop" >&2; exit 2 ;;
    esac
done
printf '\nall passed in %d s\n' "$SECONDS"
