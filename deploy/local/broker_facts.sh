#!/usr/bin/env bash
# broker_facts.sh PREFIX: what the private broker says of itself and of the queues of a prefix, a line each:
# `version V`, `queue NAME TYPE`, and its counters since its start, `messages_received_total N` and others.
set -euo pipefail
. "$(dirname "$0")/place.sh"
. "$ROOT/deploy/local/ports.sh"
. "$ROOT/deploy/local/rabbitmq_node.sh"

prefix=${1:-}
[[ $prefix =~ ^[a-z0-9-]+$ ]] || die "usage: broker_facts.sh PREFIX"
read_ports || die "the private services were never started: run 'make up'."
RMQ_CTL_LOG=$(mktemp)
trap 'rm -f "$RMQ_CTL_LOG"' EXIT

# ask ARGUMENTS…: a command of rabbitmqctl, its answer on our output.
ask() {
    rabbitmq_ctl "$@" || die "the broker does not answer: $(tail -n 1 "$RMQ_CTL_LOG")"
    cat "$RMQ_CTL_LOG"
}

say "version $(ask eval 'rabbit_misc:version().' | tr -d '"[:space:]')"
ask list_queues name type | awk -v prefix="$prefix." 'index($1, prefix) == 1 { print "queue", $1, $2 }'
# Over all protocols and kinds of queues; `… => N` stands between the words.
ask eval 'rabbit_global_counters:overview().' | tr -c 'a-z_0-9' '\n' | awk '
    NF && $1 ~ /^[0-9]+$/ && name ~ /_total$/ { total[name] += $1 }
    NF { name = $1 }
    END { for (name in total) print name, total[name] }' | sort
