#!/usr/bin/env bash
# Builds everything and runs the tests against the private services; `--long` runs instead what
# takes too long for every change (tests whose names begin with `long_`, ignored otherwise).
set -euo pipefail
. "$(dirname "$0")/place.sh"
"$ROOT/deploy/local/install.sh"
"$ROOT/deploy/local/up.sh"
run=(--workspace)
[[ ${1:-} != --long ]] || run+=(-- --ignored)
cd "$ROOT"
cargo build --workspace --bins --locked
exec "$ROOT/deploy/local/with_env.sh" cargo test --locked "${run[@]}"
