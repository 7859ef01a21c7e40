#!/usr/bin/env bash
# A benchmark, of release builds against the private services: bench (of the whole) or bench_record; the other arguments
# go to it.
set -euo pipefail
. "$(dirname "$0")/place.sh"
need_cargo
"$ROOT/deploy/local/install.sh"
"$ROOT/deploy/local/up.sh"
cd "$ROOT"
SQLX_OFFLINE=true cargo build --release --locked --workspace --bins
exec "$ROOT/deploy/local/with_env.sh" "$CARGO_TARGET_DIR/release/${1:?bench or bench_record}" "${@:2}"
