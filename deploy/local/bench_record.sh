#!/usr/bin/env bash
# The benchmark of the record, of a release build against the private PostgreSQL; arguments go to it.
set -euo pipefail
. "$(dirname "$0")/place.sh"
need_cargo
"$ROOT/deploy/local/install.sh"
"$ROOT/deploy/local/up.sh"
cd "$ROOT"
SQLX_OFFLINE=true cargo build --release --locked --workspace --bins
exec "$ROOT/deploy/local/with_env.sh" "$CARGO_TARGET_DIR/release/bench_record" "$@"
