# shellcheck shell=bash
# The private RabbitMQ: its start and its end. It runs as whoever calls, from the broker's own scripts
# (Debian's wrappers allow only root and the user rabbitmq), and touches nothing outside its folders: own
# node names, cookie, epmd, configuration and plugins (none).

# shellcheck source=deploy/local/rabbitmq_node.sh
. "$ROOT/deploy/local/rabbitmq_node.sh"

rabbitmq_configure() {
    mkdir -p "$RMQ_HOME/log" "$RMQ_HOME/data" || die "cannot create $RMQ_HOME."
    chmod 0700 "$RMQ_HOME"
    [[ -s $RMQ_BASE/.erlang.cookie ]] || random_hex >"$RMQ_BASE/.erlang.cookie"
    chmod 0400 "$RMQ_BASE/.erlang.cookie"
    [[ -s $LOCAL/rabbitmq.password ]] || random_hex >"$LOCAL/rabbitmq.password"
    chmod 0600 "$LOCAL/rabbitmq.password"
    say '[].' >"$RMQ_HOME/enabled_plugins"
    cat >"$RMQ_HOME/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$(rabbitmq_port)
default_user = rb_ocr
default_pass = $(cat "$LOCAL/rabbitmq.password")
disk_free_limit.absolute = 100MB
log.file.level = warning
CONF
    ((NODES > 1)) || return 0
    # Whoever has no data yet joins the first node, which is alone at first and waits for nobody.
    cat >>"$RMQ_HOME/rabbitmq.conf" <<CONF
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = rb_ocr_$CHECKOUT@localhost
cluster_partition_handling = pause_minority
CONF
}

# Starts every node that does not run. They wait for each other where all had ended: none is waited for
# before all were launched, unless the first has to be there for the others to join.
rabbitmq_start() {
    each_node rabbitmq_launch_one
    each_node rabbitmq_await
    rabbitmq_node 1
    rabbitmq_ctl import_definitions "$ROOT/deploy/rabbitmq/definitions.json" ||
        die "the policies of deploy/rabbitmq/definitions.json were refused: $(tail -n 1 "$RMQ_CTL_LOG")"
}

rabbitmq_launch_one() {
    # Also one that runs and does not listen, since it is alone, is only waited for.
    [[ -z $(rabbitmq_find) ]] || return 0
    local new=''
    [[ -d $RMQ_HOME/data/node ]] || new=1
    rabbitmq_launch
    [[ -z $new || -n $RMQ_MARK ]] || rabbitmq_await
}

# Starts the node and does not wait.
rabbitmq_launch() {
    local sbin
    sbin=$(rabbitmq_sbin) || die "RabbitMQ 3.10 or newer is not installed: run deploy/local/install.sh."
    rabbitmq_configure
    need_space "$RMQ_HOME"
    rabbitmq_env
    # A session of its own: Ctrl-C in the caller's terminal is not for the broker.
    setsid env -i "${RMQ_ENV[@]}" "$sbin/rabbitmq-server" </dev/null >"$RMQ_HOME/log/start.log" 2>&1 9>&- &
    say $! >"$RMQ_HOME/pid"
}

# Waits until the node is ready.
rabbitmq_await() {
    wait_until 90 rabbitmq_settled || die "RabbitMQ does not listen after 90 s: $(rabbitmq_reason)"
    rabbitmq_up || die "RabbitMQ did not start: $(rabbitmq_reason)"
    rabbitmq_ctl --timeout 60 await_startup ||
        die "RabbitMQ started but is not ready: $(tail -n 1 "$RMQ_CTL_LOG")"
}

# Whether the start has come to an end, good or bad.
rabbitmq_settled() { listening "$(rabbitmq_port)" || gone "$(rabbitmq_pid)"; }

# rabbitmq_stop orderly|crash: ends every node in order, or as a crash would. All are told before one is
# waited for: they would otherwise take over from each other.
rabbitmq_stop() {
    each_node rabbitmq_signal "$1"
    each_node rabbitmq_end
    epmd_stop
}

# The node's process, also where its own files are gone.
rabbitmq_find() {
    local pid
    pid=$(rabbitmq_pid)
    runs_as "$pid" "$RMQ_NODE" || pid=$(find_process beam.smp cmdline "$RMQ_NODE")
    say "$pid"
}

# rabbitmq_signal orderly|crash: tells the node to end. On SIGTERM it closes its queues in order.
rabbitmq_signal() {
    local pid signal=TERM
    [[ $1 != crash ]] || signal=KILL
    pid=$(rabbitmq_find)
    [[ -z $pid ]] || kill "-$signal" "$pid" 2>/dev/null || true
}

# Waits until the node has ended, and then sees to it.
rabbitmq_end() {
    local pid
    pid=$(rabbitmq_find)
    if [[ -n $pid ]] && ! wait_until 30 gone "$pid"; then
        kill -KILL "$pid"
        wait_until 10 gone "$pid" || die "RabbitMQ (process $pid) does not end."
    fi
    rm -f "$RMQ_HOME/pid"
}

# Erlang starts its port mapper by itself and leaves it behind. Ours is the one with our home.
epmd_stop() {
    local pid
    pid=$(find_process epmd environ "HOME=$RMQ_BASE")
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
