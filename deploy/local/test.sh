#!/usr/bin/env bash
# Builds everything and runs the tests against the private services; `--long` runs instead what
# takes too long for every change (compiled with the tests' feature `long` only).
set -euo pipefail
. "$(dirname "$0")/place.sh"
need_cargo
"$ROOT/deploy/local/install.sh"
"$ROOT/deploy/local/up.sh"
tests=(--workspace)
[[ ${1:-} != --long ]] || tests=(-p rb-ocr-tests --features long --test long)
cd "$ROOT"
SQLX_OFFLINE=true cargo build --workspace --bins --locked
exec "$ROOT/deploy/local/with_env.sh" cargo test --locked "${tests[@]}"
