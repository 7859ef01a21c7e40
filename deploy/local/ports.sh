# shellcheck shell=bash
# The ports of the private services. They follow from the checkout's path, so that checkouts run
# side by side, and stay below the range from which the system takes ports of outgoing connections.

PORTS_FILE=$LOCAL/ports
PORT_NAMES=(RB_OCR_PG_PORT RB_OCR_AMQP_PORT RB_OCR_EPMD_PORT RB_OCR_DIST_PORT)

# How many nodes the broker has: one, or three where RB_OCR_NODES said so when its data was made. All
# have one port mapper, and each further one two ports of its own.
NODES=${RB_OCR_NODES:-1}
if [[ -f $PORTS_FILE ]]; then
    NODES=$(sed -n 's/^RB_OCR_NODES=//p' "$PORTS_FILE")
    NODES=${NODES:-1}
fi
[[ $NODES == [13] ]] || die "RB_OCR_NODES is '$NODES': a broker has one node or three."
for ((node = 2; node <= NODES; node++)); do PORT_NAMES+=("RB_OCR_AMQP_PORT_$node" "RB_OCR_DIST_PORT_$node"); done

# Reads the ports in use into PORT_NAMES, leaving alone what the environment sets.
read_ports() {
    [[ -f $PORTS_FILE ]] || return 1
    local name value
    while IFS='=' read -r name value; do
        [[ " ${PORT_NAMES[*]} " == *" $name "* ]] || continue
        [[ -n ${!name:-} ]] || printf -v "$name" '%s' "$value"
    done <"$PORTS_FILE"
}

# Notes in PORTS_ASKED which ports the environment asks for; to be called before the last ones are read.
ports_asked() {
    local name
    PORTS_ASKED=()
    for name in "${PORT_NAMES[@]}"; do
        [[ -n ${!name:-} ]] || continue
        [[ ${!name} =~ ^[1-9][0-9]{0,4}$ ]] && ((${!name} <= 65535)) || die "$name is '${!name}', not a port number."
        PORTS_ASKED+=("$name")
    done
}

# Whether the ports in use are those that are asked for.
ports_kept() {
    local name
    for name in ${PORTS_ASKED[@]+"${PORTS_ASKED[@]}"}; do
        grep -qsx "$name=${!name}" "$PORTS_FILE" || return 1
    done
}

# A port that is asked for and is not ours already must be free. Looked at before anything is stopped for it.
asked_ports_free() {
    local name
    for name in ${PORTS_ASKED[@]+"${PORTS_ASKED[@]}"}; do
        ! grep -qsx "$name=${!name}" "$PORTS_FILE" || continue
        ! listening "${!name}" ||
            die "port ${!name} ($name) is taken by another program: stop that program or set $name to a free port."
    done
}

# Chooses free ports, when nothing of ours runs: those that are asked for (a taken one is an error), else the last
# ones, else the first that are free together from the checkout's own place on, eight places a checkout.
choose_ports() {
    local name fixed=(${PORTS_ASKED[@]+"${PORTS_ASKED[@]}"}) first i try port
    for name in ${fixed[@]+"${fixed[@]}"}; do
        ! listening "${!name}" ||
            die "port ${!name} ($name) is taken by another program: stop that program or set $name to a free port."
    done
    if [[ -f $PORTS_FILE ]] && ports_kept && ports_free; then return; fi
    first=$((16#${CHECKOUT:0:6} % 1500))
    for ((try = 0; try < 50; try++)); do
        for i in "${!PORT_NAMES[@]}"; do
            name=${PORT_NAMES[i]}
            port=$((20000 + (first + try) % 1500 * 8 + i))
            [[ " ${fixed[*]:-} " == *" $name "* ]] || printf -v "$name" '%s' "$port"
        done
        if ports_free; then
            {
                say "RB_OCR_NODES=$NODES"
                for name in "${PORT_NAMES[@]}"; do say "$name=${!name}"; done
            } >"$PORTS_FILE"
            return
        fi
    done
    die "found no ${#PORT_NAMES[@]} free ports between 20000 and 32000: set ${PORT_NAMES[*]} to free ones."
}

ports_free() {
    local name
    for name in "${PORT_NAMES[@]}"; do
        ! listening "${!name}" || return 1
    done
}
