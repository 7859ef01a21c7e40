#!/usr/bin/env bash
# The whole system on this machine with sample documents going through it. DOCS=folder takes other
# documents (with a truth.jsonl), STAY=0 ends after the table, JUDGE_AS_OF=date sets today.
# Ctrl-C stops api and workers; PostgreSQL and RabbitMQ stay for a quick next time until `make down`.
set -euo pipefail
# The folder of documents is named from where the caller stands.
if [[ -n ${DOCS:-} ]]; then DOCS=$(realpath -m -- "$DOCS"); fi
export DOCS
. "$(dirname "$0")/place.sh"
# What can be told at once is told before anything is installed, started or built.
[[ -z ${DOCS:-} || -f $DOCS/truth.jsonl ]] ||
    die "$DOCS has no truth.jsonl (tests/documents/README.md says what is in it)."
need_cargo
"$ROOT/deploy/local/install.sh"
"$ROOT/deploy/local/up.sh"
cd "$ROOT"
say "Building (the first time takes minutes)"
SQLX_OFFLINE=true cargo build --workspace --bins --locked --quiet
exec "$ROOT/deploy/local/with_env.sh" "$ROOT/target/debug/demo"
