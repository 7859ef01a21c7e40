#!/usr/bin/env bash
# Builds everything and runs the tests against the private services; `--long` runs instead what
# takes too long for every change (compiled with the tests' feature `long` only), one after the other,
# since they measure, and with what they say.
set -euo pipefail
. "$(dirname "$0")/place.sh"
need_cargo
"$ROOT/deploy/local/install.sh" --tests
"$ROOT/deploy/local/up.sh"
tests=(--workspace)
if [[ ${1:-} == --long ]]; then
    "$ROOT/deploy/local/model.sh" install
    # The workspace also here: for one package alone cargo would compile everything with other features.
    tests=(--workspace --features rb-ocr-tests/long --test long -- --nocapture --test-threads=1)
fi
cd "$ROOT"
SQLX_OFFLINE=true cargo build --workspace --bins --locked
exec "$ROOT/deploy/local/with_env.sh" cargo test --locked "${tests[@]}"
