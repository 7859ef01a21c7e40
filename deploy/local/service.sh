#!/usr/bin/env bash
# service.sh postgres|rabbitmq start|stop|crash: one of the private services alone, on the ports that it
# had. For tests of what happens while it is away; `up.sh` brings both.
set -euo pipefail
cd "$(dirname "$0")"
. ./place.sh
. ./ports.sh
. ./postgres.sh
. ./rabbitmq.sh

make_local
exec 9>"$LOCAL/lock"
flock -w 300 9 || die "another up or down of this checkout has not finished in 300 s."
postgres_place
read_ports || die "the private services were never started: run 'make up'."
case "${1:-} ${2:-}" in
    'postgres start') postgres_up || postgres_start ;;
    'postgres stop') postgres_stop orderly ;;
    'postgres crash') postgres_stop crash ;;
    'rabbitmq start') rabbitmq_up || rabbitmq_start ;;
    'rabbitmq stop') rabbitmq_stop orderly ;;
    'rabbitmq crash') rabbitmq_stop crash ;;
    *) die "usage: service.sh postgres|rabbitmq start|stop|crash" ;;
esac
