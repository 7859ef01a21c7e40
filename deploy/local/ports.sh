# shellcheck shell=bash
# The ports of the private services. They follow from the checkout's path, so that checkouts run
# side by side, and stay below the range from which the system takes ports of outgoing connections.

PORTS_FILE=$LOCAL/ports
PORT_NAMES=(RB_OCR_PG_PORT RB_OCR_AMQP_PORT RB_OCR_EPMD_PORT RB_OCR_DIST_PORT)

# Reads the ports in use into PORT_NAMES, leaving alone what the environment sets.
read_ports() {
    [[ -f $PORTS_FILE ]] || return 1
    local name value
    while IFS='=' read -r name value; do
        [[ " ${PORT_NAMES[*]} " == *" $name "* ]] || continue
        [[ -n ${!name:-} ]] || printf -v "$name" '%s' "$value"
    done <"$PORTS_FILE"
}

# Chooses four free ports: those of the environment (a taken one is an error), else the last ones,
# else the first free four from the checkout's own place on.
choose_ports() {
    local name fixed=() first i try port
    for name in "${PORT_NAMES[@]}"; do
        if [[ -n ${!name:-} ]]; then
            if [[ ! ${!name} =~ ^[1-9][0-9]{0,4}$ ]]; then die "$name is '${!name}', not a port number."; fi
            ! listening "${!name}" ||
                die "port ${!name} ($name) is taken by another program: stop that program or set $name to a free port."
            fixed+=("$name")
        fi
    done
    if [[ -f $PORTS_FILE && ${#fixed[@]} == 0 ]]; then
        read_ports
        if ports_free; then return; fi
    fi
    first=$((16#${CHECKOUT:0:6} % 1500))
    for ((try = 0; try < 50; try++)); do
        for i in 0 1 2 3; do
            name=${PORT_NAMES[i]}
            port=$((20000 + (first + try) % 1500 * 8 + i))
            [[ " ${fixed[*]:-} " == *" $name "* ]] || printf -v "$name" '%s' "$port"
        done
        if ports_free; then
            for name in "${PORT_NAMES[@]}"; do say "$name=${!name}"; done >"$PORTS_FILE"
            return
        fi
    done
    die "found no four free ports between 20000 and 32000: set ${PORT_NAMES[*]} to free ones."
}

ports_free() {
    local name
    for name in "${PORT_NAMES[@]}"; do
        ! listening "${!name}" || return 1
    done
}
