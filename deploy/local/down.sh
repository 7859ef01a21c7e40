#!/usr/bin/env bash
# Stops everything of this checkout that runs: the demo's api and workers, a test's model, RabbitMQ
# with its port mapper, PostgreSQL. Data stays; `--wipe` removes it.
set -euo pipefail
cd "$(dirname "$0")"
. ./place.sh
. ./ports.sh
. ./postgres.sh
. ./rabbitmq.sh

wipe=''
case ${1:-} in
    '') ;;
    --wipe) wipe=1 ;;
    *) die "usage: down.sh [--wipe]" ;;
esac

make_local
exec 9>"$LOCAL/lock"
flock -w 300 9 || die "another up or down of this checkout has not finished in 300 s."
postgres_place
read_ports || true

# Binaries of this checkout, whoever started them.
binaries() {
    local link target
    for link in /proc/[0-9]*/exe; do
        target=$(readlink "$link" 2>/dev/null) || continue
        case ${target% (deleted)} in
            "$ROOT"/target/*/rb-ocr-api | "$ROOT"/target/*/rb-ocr-worker | "$ROOT"/target/*/demo)
                link=${link#/proc/}
                say "${link%/exe}"
                ;;
        esac
    done
}
no_binaries() { [[ -z $(binaries) ]]; }
signal_binaries() {
    local id
    for id in $(binaries); do kill "-$1" "$id" 2>/dev/null || true; done
}

if [[ -z ${RB_OCR_LOCAL:-} ]]; then
    signal_binaries TERM
    wait_until 35 no_binaries || signal_binaries KILL
fi
# What a test that was killed has left of its model's server.
model=$(find_process python cmdline "$LOCAL/model/")
[[ -z $model ]] || kill -TERM "$model" 2>/dev/null || true
rabbitmq_stop orderly
postgres_stop orderly
if [[ -n $wipe ]]; then
    rm -rf "$PG_HOME" "$LOCAL"
    [[ $PG_HOME == "$LOCAL"/* ]] || rmdir "$(dirname "$PG_HOME")" 2>/dev/null || true
fi
