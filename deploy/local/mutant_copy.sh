# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # some names are used by the script that sources this, `running` is set by `child`
# The copy of the committed tree that chaos_mutants.sh breaks: a repository of its own under .local with a target folder
# and a database of its own, so that nothing of the checkout is ever built from broken code. Both stay for the next time.

COPY=$LOCAL/mutants
COPY_DATABASE=rb_ocr_mutants
running=''

# child COMMAND…: runs it so that Ctrl-C is heard at once, and its end is seen to.
child() {
    local status=0
    "$@" &
    running=$!
    wait "$running" || status=$?
    running=''
    return "$status"
}

copy_open() {
    mkdir -p "$COPY"
    exec 8>"$COPY/lock"
    flock -n 8 || die "another run of the mutants of this checkout has not ended."
    copy_sweep
    rm -rf "$COPY/tmp"
    mkdir -p "$COPY/tmp"
    schema_drop "$COPY_DATABASE"
    schema_make "$COPY_DATABASE" "$ROOT/migrations"
}

# The tree as it is committed. What has not changed since the last time keeps its time and is not built anew.
copy_update() {
    local tree=$COPY/tree
    [[ -d $tree/.git ]] || git init -q "$tree"
    git -C "$tree" fetch -q --depth=1 "$ROOT" HEAD
    git -C "$tree" reset -q --hard FETCH_HEAD
    copy_reset
    [[ -z $(git -C "$ROOT" status --porcelain --untracked-files=no) ]] ||
        say 'What is changed and not committed is not in the copy; patches are taken as they are.'
    copy_seed
}

copy_reset() {
    git -C "$COPY/tree" reset -q --hard
    git -C "$COPY/tree" clean -q -fd
}

# What the checkout has built of other people's packages need not be built again.
copy_seed() {
    local from=$ROOT/target/debug to=$COPY/target/debug
    [[ ! -d $to/.fingerprint && -d $from/.fingerprint ]] || return 0
    mkdir -p "$to/deps"
    cp -a --reflink=auto "$from/.fingerprint" "$from/build" "$to"
    find "$from/deps" -maxdepth 1 \( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' -o -name '*.d' \) \
        ! -name '*rb_ocr*' ! -name '*rb-ocr*' ! -name '*harness*' -exec cp -a --reflink=auto -t "$to/deps" {} +
}

# build CARGO-COMMAND…: queries are checked against the database, since a patch that changes one brings no .sqlx.
build() {
    (cd "$COPY/tree" && CARGO_TARGET_DIR=$COPY/target CARGO_TERM_COLOR=never SQLX_OFFLINE=false \
        DATABASE_URL=$(schema_url "$COPY_DATABASE") cargo "$@" --locked) >"$COPY/build.log" 2>&1
}

# What an attack that was cut off has left: its processes, its services, its small disk.
copy_sweep() {
    local link folder
    for link in /proc/[0-9]*/exe; do
        [[ $(readlink "$link" 2>/dev/null) == "$COPY"/target/debug/rb-ocr-* ]] || continue
        link=${link#/proc/}
        kill -KILL "${link%/exe}" 2>/dev/null || true
    done
    for folder in "$COPY"/tmp/.tmp*/local; do
        [[ -d $folder ]] || continue
        RB_OCR_LOCAL=$folder "$ROOT/deploy/local/down.sh" --wipe || true
    done
    for folder in $(awk -v below="$COPY/tmp/" 'index($2, below) == 1 {print $2}' /proc/mounts); do
        umount -l "$folder" || true
    done
}

copy_close() {
    if [[ -n $running ]]; then
        kill "$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
    fi
    copy_sweep
    schema_drop "$COPY_DATABASE" || true
}
