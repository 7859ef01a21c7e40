#!/usr/bin/env bash
# Starts the private PostgreSQL and RabbitMQ of this checkout, or finds them running, and writes the
# settings that point at them to .local/env. Overrides: RB_OCR_PG_PORT, RB_OCR_AMQP_PORT,
# RB_OCR_EPMD_PORT, RB_OCR_DIST_PORT; RB_OCR_NODES=3 makes the broker a cluster of three.
set -euo pipefail
cd "$(dirname "$0")"
. ./place.sh
. ./ports.sh
. ./postgres.sh
. ./rabbitmq.sh

write_env() {
    local file=$ENV_FILE.new
    mkdir -p "$LOCAL/documents"
    chmod 0700 "$LOCAL/documents"
    cat >"$file" <<ENV
DATABASE_URL='postgres://rb_ocr:$1@127.0.0.1:$RB_OCR_PG_PORT/rb_ocr'
AMQP_URL='amqp://rb_ocr:$2@127.0.0.1:$RB_OCR_AMQP_PORT/%2f'
STORAGE_URL='file://$(url_path "$LOCAL/documents")'
SECRETS_KEY='$3'
ENV
    chmod 0600 "$file"
    mv "$file" "$ENV_FILE"
}

# A secret kept in a file of .local, made when it is first asked for.
kept_secret() {
    [[ -s $LOCAL/$1 ]] || (umask 077 && "$2" >"$LOCAL/$1")
    cat "$LOCAL/$1"
}
random_key() { head -c 32 /dev/urandom | base64 -w0; }

make_local
# Two that start at once wait for each other; the servers do not inherit the lock.
exec 9>"$LOCAL/lock"
flock -w 300 9 || die "another up or down of this checkout has not finished in 300 s."
postgres_place

ports_asked
[[ ${RB_OCR_NODES:-$NODES} == "$NODES" ]] ||
    die "the broker has $NODES node(s) and not $RB_OCR_NODES: remove its data first (make down WIPE=1)."
read_ports || true
if [[ -f $ENV_FILE ]] && ports_kept && postgres_up && rabbitmq_all_up; then
    exit 0
fi

asked_ports_free
need_space "$LOCAL"
# What of the two still runs, after a crash of the other or for another port, ends first: ports are
# chosen anew.
rabbitmq_stop orderly
postgres_stop orderly
choose_ports
say "PostgreSQL: starting on 127.0.0.1:$RB_OCR_PG_PORT"
postgres_start
password=$(kept_secret rb_ocr.password random_hex)
postgres_role "$password"
say "RabbitMQ: starting on 127.0.0.1:$RB_OCR_AMQP_PORT"
rabbitmq_start
write_env "$password" "$(cat "$LOCAL/rabbitmq.password")" "$(kept_secret secrets.key random_key)"
