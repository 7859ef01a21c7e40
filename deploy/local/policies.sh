#!/usr/bin/env bash
# policies.sh PREFIX: loads the policies of deploy/rabbitmq into the private broker once more, for the
# queues and the dead-letter exchange of another prefix than rb-ocr, above the general ones. A policy
# names one exchange, so a test of dead letters needs its own. `policies.sh PREFIX --clear` ends that.
set -euo pipefail
. "$(dirname "$0")/place.sh"
. "$ROOT/deploy/local/ports.sh"
. "$ROOT/deploy/local/rabbitmq_node.sh"

prefix=${1:-}
[[ $prefix =~ ^[a-z0-9-]+$ ]] || die "usage: policies.sh PREFIX [--clear]"
read_ports || die "the private services were never started: run 'make up'."
RMQ_CTL_LOG=$RMQ_HOME/log/ctl-$prefix.log
trap 'rm -f "$RMQ_CTL_LOG" "$RMQ_HOME/$prefix.json"' EXIT
case ${2:-} in
    --clear)
        rabbitmq_ctl clear_policy "$prefix" || die "the policy $prefix stays: $(tail -n 1 "$RMQ_CTL_LOG")"
        ;;
    *)
        sed -e "s/\"rb-ocr\.dead\"/\"$prefix.dead\"/; s/\"name\": \"rb-ocr\"/\"name\": \"$prefix\"/" \
            -e "s/\"priority\": [0-9]*/\"priority\": 100/; s/\"pattern\": \"^\.\*/\"pattern\": \"^$prefix/" \
            "$ROOT/deploy/rabbitmq/definitions.json" >"$RMQ_HOME/$prefix.json"
        rabbitmq_ctl import_definitions "$RMQ_HOME/$prefix.json" || die "the policies were refused: $(tail -n 1 "$RMQ_CTL_LOG")"
        ;;
esac
