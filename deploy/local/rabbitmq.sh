# shellcheck shell=bash
# The private RabbitMQ: its folder, its start and its end. It runs as whoever calls, from the
# broker's own scripts (Debian's wrappers allow only root and the user rabbitmq), and touches
# nothing outside its folder: own node name, cookie, epmd, configuration and plugins (none).

RMQ_HOME=$LOCAL/rabbitmq
RMQ_NODE=rb_ocr_$CHECKOUT@localhost
RMQ_CTL_LOG=$RMQ_HOME/log/ctl.log

# The folder of the newest installed broker, 3.10 or later.
rabbitmq_sbin() {
    local folder version
    folder=$(printf '%s\n' /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin | sort -V | tail -n 1)
    version=${folder#*rabbitmq_server-}
    [[ -x $folder/rabbitmq-server ]] || return 1
    printf '3.10\n%s\n' "${version%/sbin}" | sort -VC || return 1
    say "$folder"
}

# The environment of our node, with nothing of the caller's, into RMQ_ENV.
rabbitmq_env() {
    RMQ_ENV=(
        PATH="$PATH" LC_ALL=C.UTF-8 HOME="$RMQ_HOME"
        ERL_EPMD_PORT="$RB_OCR_EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1
        RABBITMQ_CONF_ENV_FILE="$RMQ_HOME/none"
        RABBITMQ_NODENAME="$RMQ_NODE"
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
        RABBITMQ_NODE_PORT="$RB_OCR_AMQP_PORT"
        RABBITMQ_DIST_PORT="$RB_OCR_DIST_PORT"
        RABBITMQ_CONFIG_FILE="$RMQ_HOME/rabbitmq.conf"
        RABBITMQ_CONFIG_FILES="$RMQ_HOME/none"
        RABBITMQ_ADVANCED_CONFIG_FILE="$RMQ_HOME/none"
        RABBITMQ_ENABLED_PLUGINS_FILE="$RMQ_HOME/enabled_plugins"
        RABBITMQ_FEATURE_FLAGS_FILE="$RMQ_HOME/feature_flags"
        RABBITMQ_GENERATED_CONFIG_DIR="$RMQ_HOME/generated"
        RABBITMQ_SCHEMA_DIR="$RMQ_HOME/schema"
        RABBITMQ_MNESIA_BASE="$RMQ_HOME/data"
        RABBITMQ_MNESIA_DIR="$RMQ_HOME/data/node"
        RABBITMQ_LOG_BASE="$RMQ_HOME/log"
        RABBITMQ_LOGS="$RMQ_HOME/log/broker.log"
        RABBITMQ_UPGRADE_LOG="$RMQ_HOME/log/upgrade.log"
        # Erlang's schedulers wait for work in a busy loop unless told; that CPU is others' here.
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none'
        RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
        # Erlang leaves flags that it does not know alone; this one tells our broker from others.
        RABBITMQ_SERVER_START_ARGS="-rb_ocr $RMQ_NODE"
        # The script then becomes the broker instead of waiting beside it, so that its process id is
        # the broker's.
        RUNNING_UNDER_SYSTEMD=true
    )
}

# Runs rabbitmqctl against our node; its output goes to a log.
rabbitmq_ctl() {
    rabbitmq_env
    env -i "${RMQ_ENV[@]}" "$(rabbitmq_sbin)/rabbitmqctl" --quiet "$@" >"$RMQ_CTL_LOG" 2>&1
}

rabbitmq_pid() { cat "$RMQ_HOME/pid" 2>/dev/null || true; }

# Whether our broker runs and answers on its port.
rabbitmq_up() {
    runs_as "$(rabbitmq_pid)" "$RMQ_NODE" && listening "$RB_OCR_AMQP_PORT"
}

rabbitmq_configure() {
    mkdir -p "$RMQ_HOME/log" "$RMQ_HOME/data" || die "cannot create $RMQ_HOME."
    chmod 0700 "$RMQ_HOME"
    [[ -s $RMQ_HOME/.erlang.cookie ]] || random_hex >"$RMQ_HOME/.erlang.cookie"
    chmod 0400 "$RMQ_HOME/.erlang.cookie"
    [[ -s $LOCAL/rabbitmq.password ]] || random_hex >"$LOCAL/rabbitmq.password"
    chmod 0600 "$LOCAL/rabbitmq.password"
    say '[].' >"$RMQ_HOME/enabled_plugins"
    cat >"$RMQ_HOME/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$RB_OCR_AMQP_PORT
default_user = rb_ocr
default_pass = $(cat "$LOCAL/rabbitmq.password")
disk_free_limit.absolute = 100MB
log.file.level = warning
CONF
}

rabbitmq_start() {
    local sbin
    sbin=$(rabbitmq_sbin) || die "RabbitMQ 3.10 or newer is not installed: run deploy/local/install.sh."
    rabbitmq_configure
    need_space "$RMQ_HOME"
    rabbitmq_env
    # A session of its own: Ctrl-C in the caller's terminal is not for the broker.
    setsid env -i "${RMQ_ENV[@]}" "$sbin/rabbitmq-server" </dev/null >"$RMQ_HOME/log/start.log" 2>&1 9>&- &
    say $! >"$RMQ_HOME/pid"
    wait_until 90 rabbitmq_settled || die "RabbitMQ does not listen after 90 s: $(rabbitmq_reason)"
    rabbitmq_up || die "RabbitMQ did not start: $(rabbitmq_reason)"
    rabbitmq_ctl --timeout 60 await_startup ||
        die "RabbitMQ started but is not ready: $(tail -n 1 "$RMQ_CTL_LOG")"
    rabbitmq_ctl import_definitions "$ROOT/deploy/rabbitmq/definitions.json" ||
        die "the policies of deploy/rabbitmq/definitions.json were refused: $(tail -n 1 "$RMQ_CTL_LOG")"
}

# Whether the start has come to an end, good or bad.
rabbitmq_settled() { listening "$RB_OCR_AMQP_PORT" || gone "$(rabbitmq_pid)"; }

# rabbitmq_stop orderly|crash: ends the broker in order, or as a crash would.
rabbitmq_stop() {
    local pid signal=TERM
    [[ $1 != crash ]] || signal=KILL
    pid=$(rabbitmq_pid)
    runs_as "$pid" "$RMQ_NODE" || pid=$(find_process beam.smp cmdline "$RMQ_NODE")
    if [[ -n $pid ]]; then
        # The broker closes its queues in order on SIGTERM.
        kill "-$signal" "$pid"
        if ! wait_until 30 gone "$pid"; then
            kill -KILL "$pid"
            wait_until 10 gone "$pid" || die "RabbitMQ (process $pid) does not end."
        fi
    fi
    rm -f "$RMQ_HOME/pid"
    epmd_stop
}

# Erlang starts its port mapper by itself and leaves it behind. Ours is the one with our home.
epmd_stop() {
    local pid
    pid=$(find_process epmd environ "HOME=$RMQ_HOME")
    [[ -n $pid ]] || return 0
    kill -TERM "$pid"
    wait_until 10 gone "$pid" || kill -KILL "$pid"
}

# The last line of the broker's output that says something.
rabbitmq_reason() {
    local line
    line=$(cat "$RMQ_HOME/log/start.log" "$RMQ_HOME/log/broker.log" 2>/dev/null |
        grep -iE 'error|fail|denied|in use|enospc|eaddrinuse' | tail -n 1)
    say "${line:-no reason given} (see $RMQ_HOME/log)."
}
