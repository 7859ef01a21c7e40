#!/usr/bin/env bash
# Attacks the whole system and proves that it keeps its promises; arguments go to the program (--seconds, --seed, --nodes).
set -euo pipefail
. "$(dirname "$0")/place.sh"
"$ROOT/deploy/local/install.sh" --tests
cd "$ROOT"
SQLX_OFFLINE=true cargo build --workspace --bins --locked --quiet
exec "$ROOT/target/debug/chaos" "$@"
