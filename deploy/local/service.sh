#!/usr/bin/env bash
# service.sh postgres|rabbitmq start|stop|crash: one of the private services alone, on the ports that it
# had; `service.sh rabbitmq … NUMBER` does it to one node of a broker that has several. For tests of what
# happens while it is away; `up.sh` brings both.
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
node=${3:-}
if [[ -n $node ]]; then
    [[ $1 == rabbitmq && $node =~ ^[1-9]$ ]] && ((node <= NODES)) || die "there is no node $node of $1."
    rabbitmq_node "$node"
fi
case "${1:-} ${2:-}${node:+ node}" in
    'postgres start') postgres_up || postgres_start ;;
    'postgres stop') postgres_stop orderly ;;
    'postgres crash') postgres_stop crash ;;
    'rabbitmq start') rabbitmq_all_up || rabbitmq_start ;;
    'rabbitmq stop') rabbitmq_stop orderly ;;
    'rabbitmq crash') rabbitmq_stop crash ;;
    'rabbitmq start node')
        ! rabbitmq_up || exit 0
        rabbitmq_launch
        rabbitmq_await
        ;;
    'rabbitmq stop node' | 'rabbitmq crash node')
        action=orderly
        [[ $2 == stop ]] || action=crash
        rabbitmq_signal "$action"
        rabbitmq_end
        ;;
    *) die "usage: service.sh postgres|rabbitmq start|stop|crash [NODE]" ;;
esac
