#!/usr/bin/env bash
# broker_members.sh: who keeps the quorum queues of the private broker, a line each: name, the number of the
# node that leads it, the numbers of its members, and of those that are online (`rb-ocr.erase 2 1,2,3 2,3`).
# It asks the first node that is up.
set -euo pipefail
. "$(dirname "$0")/place.sh"
. "$ROOT/deploy/local/ports.sh"
. "$ROOT/deploy/local/rabbitmq_node.sh"

read_ports || die "the private services were never started: run 'make up'."
rabbitmq_any || die "no node of the broker is up."
RMQ_CTL_LOG=$(mktemp)
trap 'rm -f "$RMQ_CTL_LOG"' EXIT
rabbitmq_ctl --no-table-headers list_queues name type leader members online ||
    die "the broker does not answer: $(tail -n 1 "$RMQ_CTL_LOG")"
sed -e "s/rb_ocr_${CHECKOUT}_\([0-9]\)@localhost/\1/g; s/rb_ocr_$CHECKOUT@localhost/1/g; s/[][ ]//g" "$RMQ_CTL_LOG" |
    awk -F '\t' '$2 == "quorum" { print $1, $3, $4, $5 }'
