# shellcheck shell=bash
# shellcheck disable=SC2154 # `root` and `missing` are install.sh's
# Installs packages without their services. Debian's packages start and enable a service each, and
# PostgreSQL's makes a database cluster; three switches prevent that, and none is left behind.

POLICY=/usr/sbin/policy-rc.d
POLICY_ASIDE=$POLICY.before-rb-ocr
CLUSTERS=/etc/postgresql-common/createcluster.d
NO_CLUSTER=$CLUSTERS/rb-ocr-install.conf
# The units that the packages enable; those that were there before us are left as they were.
UNITS=(postgresql.service rabbitmq-server.service epmd.service epmd.socket)

quiet_install() {
    local unit ours=() log
    log=$(mktemp)
    for unit in "${UNITS[@]}"; do
        unit_file "$unit" || ours+=("$unit")
    done
    trap quiet_restore EXIT
    trap 'exit 130' INT TERM HUP
    quiet_prepare
    if ! { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            -o DPkg::Lock::Timeout=300 "${missing[@]}"; } </dev/null >"$log" 2>&1; then
        die "apt-get could not install ${missing[*]}: $(grep -E '^(E:|dpkg: error)' "$log" | tail -n 1) (see $log)."
    fi
    for unit in "${ours[@]}"; do
        unit_file "$unit" || continue
        # It serves maintainer scripts only, and takes this variable for one.
        "${root[@]}" env DPKG_MAINTSCRIPT_PACKAGE=rb-ocr deb-systemd-helper disable "$unit" >/dev/null 2>&1 || true
        "${root[@]}" update-rc.d "${unit%.*}" disable >/dev/null 2>&1 || true
    done
    rm -f "$log"
}

unit_file() { [[ -e /lib/systemd/system/$1 || -e /usr/lib/systemd/system/$1 ]]; }

# policy-rc.d is what invoke-rc.d and deb-systemd-invoke ask before they start anything; 101 is no.
quiet_prepare() {
    # An installation that was killed may have left the administrator's own policy aside.
    quiet_restore
    if ! policy_refuses; then
        [[ ! -e $POLICY ]] || "${root[@]}" mv "$POLICY" "$POLICY_ASIDE"
        printf '#!/bin/sh\n# rb-ocr-install\nexit 101\n' | "${root[@]}" tee "$POLICY" >/dev/null
        "${root[@]}" chmod 0755 "$POLICY"
    fi
    made_folder=''
    [[ -d $CLUSTERS ]] || made_folder=1
    "${root[@]}" mkdir -p "$CLUSTERS"
    say 'create_main_cluster = false' | "${root[@]}" tee "$NO_CLUSTER" >/dev/null
}

# Whether the administrator's policy says no already, as in most containers.
policy_refuses() {
    local answer=0
    [[ -x $POLICY ]] || return 1
    "$POLICY" rabbitmq-server start >/dev/null 2>&1 || answer=$?
    ((answer == 101))
}

quiet_restore() {
    "${root[@]}" rm -f "$NO_CLUSTER"
    if [[ -n ${made_folder:-} ]]; then "${root[@]}" rmdir -p "$CLUSTERS" 2>/dev/null || true; fi
    if grep -qx '# rb-ocr-install' "$POLICY" 2>/dev/null; then "${root[@]}" rm -f "$POLICY"; fi
    if [[ -e $POLICY_ASIDE ]]; then "${root[@]}" mv "$POLICY_ASIDE" "$POLICY"; fi
}
