#!/usr/bin/env bash
# Runs a command with the settings of the private services (.local/env).
set -euo pipefail
. "$(dirname "$0")/place.sh"
[[ -f $ENV_FILE ]] || die "the private services were never started: run 'make up'."
set -a
# shellcheck source=/dev/null
. "$ENV_FILE"
set +a
# sqlx checks queries against .sqlx, not against whatever DATABASE_URL holds.
export SQLX_OFFLINE=true
cd "$ROOT"
exec "$@"
