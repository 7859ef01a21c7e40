# shellcheck shell=bash
# The private PostgreSQL: its data folder, its start and its end.

# As root the server runs as another user, who must be able to reach the data folder: a checkout
# under /root is closed to everybody else, so its data goes to /var/tmp then, closed to others too.
postgres_place() {
    PG_USER=$(id -un)
    PG_HOME=$LOCAL/postgres
    if ((EUID == 0)); then
        PG_USER=postgres
        id -u postgres >/dev/null 2>&1 || PG_USER=nobody
        as_postgres test -x "$LOCAL" 2>/dev/null || PG_HOME=/var/tmp/rb-ocr-$CHECKOUT/postgres
    fi
    PG_DATA=$PG_HOME/data
    PG_LOG=$PG_HOME/log
}

# Runs a command as the user who owns the database, without the caller's PG… variables.
as_postgres() {
    local as=()
    ((EUID != 0)) || as=(setpriv --reuid="$PG_USER" --regid="$(id -g "$PG_USER")" --clear-groups --)
    (cd / && exec "${as[@]}" env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME=/ ${PGPASSWORD:+PGPASSWORD="$PGPASSWORD"} "$@")
}

# The folder of the newest installed server of version 15 or later, or of the version that made the
# data there is.
postgres_bin() {
    local folder version wanted=''
    if [[ -n ${PG_DATA:-} ]] && as_postgres test -f "$PG_DATA/PG_VERSION"; then
        wanted=$(as_postgres cat "$PG_DATA/PG_VERSION")
    fi
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5,5nr); do
        version=${folder#/usr/lib/postgresql/}
        version=${version%%/*}
        [[ -x $folder/postgres && $version =~ ^[0-9]+$ ]] || continue
        ((version >= 15)) || continue
        [[ -z $wanted || $wanted == "$version" ]] || continue
        say "$folder"
        return
    done
    if [[ -n $wanted ]]; then
        say "the private database was made by PostgreSQL $wanted, which is not installed: install it, or drop the data with 'make down WIPE=1'."
    else
        say "PostgreSQL 15 or newer is not installed: run deploy/local/install.sh."
    fi
    return 1
}

postgres_pid() { as_postgres head -n 1 "$PG_DATA/postmaster.pid" 2>/dev/null || true; }

# Whether our server runs and answers on its port.
postgres_up() {
    runs_as "$(postgres_pid)" "$PG_DATA" && listening "$RB_OCR_PG_PORT"
}

postgres_make_data() {
    local bin=$1
    mkdir -p "$(dirname "$PG_HOME")" "$PG_HOME" || die "cannot create $PG_HOME: check the permissions of its parents."
    if ((EUID == 0)); then
        # Nobody may have put a folder of theirs in our place under /var/tmp.
        [[ -O $(dirname "$PG_HOME") ]] || die "$(dirname "$PG_HOME") belongs to somebody else: remove it and try again."
        chown "$PG_USER" "$PG_HOME"
    fi
    chmod 0700 "$PG_HOME"
    as_postgres test -f "$PG_DATA/PG_VERSION" && return
    say "PostgreSQL: making a data folder in $PG_DATA"
    # A folder left by an initialisation that was cut off has no PG_VERSION as its last file.
    rm -rf "$PG_DATA" "$PG_DATA.new"
    # It stays with the data, which may outlive .local.
    random_hex | as_postgres tee "$PG_HOME/password" >/dev/null
    as_postgres "$bin/initdb" --pgdata="$PG_DATA.new" --username=postgres --encoding=UTF8 \
        --locale=C.UTF-8 --auth=scram-sha-256 --pwfile="$PG_HOME/password" --no-instructions \
        >"$LOCAL/initdb.log" 2>&1 ||
        die "initdb failed: $(tail -n 1 "$LOCAL/initdb.log")"
    as_postgres mv "$PG_DATA.new" "$PG_DATA"
}

# Normal durability: what is measured and tested here must hold in production.
postgres_configure() {
    as_postgres tee "$PG_DATA/postgresql.auto.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $RB_OCR_PG_PORT
unix_socket_directories = ''
max_connections = 300
shared_buffers = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
log_timezone = 'UTC'
timezone = 'UTC'
cluster_name = 'rb-ocr-$CHECKOUT'
CONF
}

postgres_start() {
    local bin pid
    bin=$(postgres_bin) || die "$bin"
    postgres_make_data "$bin"
    need_space "$PG_HOME"
    postgres_configure
    # A crash leaves postmaster.pid behind; the server judges by itself whether it is stale, save
    # where another program has been given that process id since.
    pid=$(postgres_pid)
    if [[ -n $pid && -d /proc/$pid ]] && ! runs_as "$pid" "$PG_DATA"; then
        as_postgres rm -f "$PG_DATA/postmaster.pid"
    fi
    if as_postgres test -f "$PG_LOG"; then as_postgres mv "$PG_LOG" "$PG_LOG.before"; fi
    as_postgres "$bin/pg_ctl" start --silent --wait --timeout=60 --pgdata="$PG_DATA" --log="$PG_LOG" \
        </dev/null >/dev/null 2>&1 9>&- ||
        die "PostgreSQL did not start: $(as_postgres grep -hE 'FATAL|PANIC|ERROR' "$PG_LOG" 2>/dev/null | tail -n 1 | sed 's/^.*\(FATAL\|PANIC\|ERROR\)/\1/') (see $PG_LOG)."
    wait_until 30 as_postgres "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$RB_OCR_PG_PORT" ||
        die "PostgreSQL does not answer on port $RB_OCR_PG_PORT after 30 s (see $PG_LOG)."
}

# The role and the database of the service; tests make databases of their own, so the role may.
postgres_role() {
    local bin password=$1
    bin=$(postgres_bin)
    PGPASSWORD=$(as_postgres cat "$PG_HOME/password") as_postgres "$bin/psql" --quiet --no-psqlrc --tuples-only \
        --set=ON_ERROR_STOP=1 --set=password="$password" --output=/dev/null \
        --host=127.0.0.1 --port="$RB_OCR_PG_PORT" --username=postgres --dbname=postgres \
        >"$LOCAL/role.log" 2>&1 <<'SQL' || die "the role rb_ocr could not be made: $(tail -n 1 "$LOCAL/role.log")"
SELECT 'CREATE ROLE rb_ocr LOGIN CREATEDB'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rb_ocr') \gexec
ALTER ROLE rb_ocr PASSWORD :'password';
-- Else a vacuum that the server began by itself keeps a test from dropping its own database.
GRANT pg_signal_backend TO rb_ocr;
SELECT 'CREATE DATABASE rb_ocr OWNER rb_ocr'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'rb_ocr') \gexec
SQL
}

# postgres_stop orderly|crash: ends the server in order, or as a crash would.
postgres_stop() {
    local pid signal=INT
    [[ $1 != crash ]] || signal=QUIT
    pid=$(postgres_pid)
    runs_as "$pid" "$PG_DATA" || pid=$(find_process postgres cmdline "$PG_DATA")
    [[ -n $pid ]] || return 0
    # SIGINT ends open sessions first ("fast"), SIGQUIT leaves everything as it is ("immediate").
    as_postgres kill "-$signal" "$pid" 2>/dev/null || true
    if ! wait_until 30 gone "$pid"; then
        as_postgres kill -QUIT "$pid" 2>/dev/null || true
        wait_until 10 gone "$pid" || die "PostgreSQL (process $pid) does not end."
    fi
}
