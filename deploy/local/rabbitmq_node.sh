# shellcheck shell=bash
# The nodes of the private RabbitMQ: what each is called and where, and whether it is up. There is one,
# or three in a cluster (NODES, of ports.sh), each with a folder of its own.

# The first node's, and the home of all: there is the cookie.
RMQ_BASE=$LOCAL/rabbitmq

# rabbitmq_node NUMBER: whom the functions below mean from now on.
rabbitmq_node() {
    RMQ_MARK=''
    (($1 == 1)) || RMQ_MARK=_$1
    RMQ_HOME=$RMQ_BASE${RMQ_MARK/_/-}
    RMQ_NODE=rb_ocr_$CHECKOUT$RMQ_MARK@localhost
    RMQ_CTL_LOG=$RMQ_HOME/log/ctl.log
}
rabbitmq_node 1

# each_node COMMAND…: for one node after the other.
each_node() {
    local number
    for ((number = 1; number <= NODES; number++)); do
        rabbitmq_node "$number"
        "$@"
    done
}

# Means the first node that is up; false where none is.
rabbitmq_any() {
    local number
    for ((number = 1; number <= NODES; number++)); do
        rabbitmq_node "$number"
        ! rabbitmq_up || return 0
    done
    return 1
}

# The current node's own ports.
rabbitmq_port() {
    local name=RB_OCR_AMQP_PORT$RMQ_MARK
    say "${!name}"
}
rabbitmq_dist_port() {
    local name=RB_OCR_DIST_PORT$RMQ_MARK
    say "${!name}"
}

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
        PATH="$PATH" LC_ALL=C.UTF-8 HOME="$RMQ_BASE"
        ERL_EPMD_PORT="$RB_OCR_EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1
        RABBITMQ_CONF_ENV_FILE="$RMQ_HOME/none"
        RABBITMQ_NODENAME="$RMQ_NODE"
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
        RABBITMQ_NODE_PORT="$(rabbitmq_port)"
        RABBITMQ_DIST_PORT="$(rabbitmq_dist_port)"
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

# Whether the node runs and answers on its port.
rabbitmq_up() {
    runs_as "$(rabbitmq_pid)" "$RMQ_NODE" && listening "$(rabbitmq_port)"
}

# Whether all nodes do.
rabbitmq_all_up() {
    local number
    for ((number = 1; number <= NODES; number++)); do
        rabbitmq_node "$number"
        rabbitmq_up || return 1
    done
}
