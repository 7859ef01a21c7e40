# shellcheck shell=bash
# A database with the migrations applied, for the compiler to check queries against. Sourced after place.sh and
# postgres.sh, with the settings of .local/env read and `postgres_place` called.

# Runs psql quietly.
ask() { "$(postgres_bin)/psql" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --output=/dev/null "$@"; }

# The connection string of a database beside ours.
schema_url() { say "${DATABASE_URL%/*}/$1"; }

schema_drop() { ask "$DATABASE_URL" -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" 2>/dev/null; }

# schema_make NAME FOLDER: makes it by the migrations of a folder.
schema_make() {
    local file
    ask "$DATABASE_URL" -c "CREATE DATABASE $1"
    for file in "$2"/*.sql; do
        PGOPTIONS='-c client_min_messages=warning' ask "$(schema_url "$1")" --file="$file" ||
            die "$(basename "$file") does not apply."
    done
}
