#!/usr/bin/env bash
# Refreshes .sqlx, what sqlx's macros know of each query, against a fresh database with the
# migrations applied; with --check compares instead and fails where they differ. It does what
# `cargo sqlx prepare` does, without that program: has the compiler expand the macros anew.
set -euo pipefail
. "$(dirname "$0")/place.sh"
. "$ROOT/deploy/local/postgres.sh"
. "$ROOT/deploy/local/schema.sh"

check=''
case ${1:-} in
    '') ;;
    --check) check=1 ;;
    *) die "usage: sqlx.sh [--check]" ;;
esac
[[ -f $ENV_FILE ]] || die "the private services were never started: run 'make up'."
# shellcheck source=/dev/null
. "$ENV_FILE"
postgres_place

fresh=rb_ocr_sqlx_$$
made=$(mktemp -d)
touched=()
restore() {
    local file
    # The compiler has seen the files by now; their old times keep other builds from starting over.
    for file in "${touched[@]}"; do
        [[ ! -e $made/time/$file ]] || touch -r "$made/time/$file" "$ROOT/$file"
    done
    schema_drop "$fresh" || true
    rm -rf "$made"
}
trap restore EXIT
trap 'exit 130' INT TERM HUP

schema_make "$fresh" "$ROOT/migrations"

cd "$ROOT"
mkdir -p "$made/sqlx" "$made/time"
crates=()
for crate in shared api worker cli tests; do
    grep -rqE '\bquery(_as|_scalar|_file|_file_as|_file_scalar)?(_unchecked)?!' --include='*.rs' "$crate/src" || continue
    crates+=(-p "rb-ocr-$crate")
    for file in "$crate"/src/lib.rs "$crate"/src/main.rs; do
        [[ -f $file ]] || continue
        mkdir -p "$made/time/$(dirname "$file")"
        touch -r "$file" "$made/time/$file"
        touched+=("$file")
        touch "$file"
    done
done
if ((${#crates[@]})); then
    DATABASE_URL=$(schema_url "$fresh") SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$made/sqlx \
        cargo check --quiet --locked --all-targets "${crates[@]}"
fi

if [[ -n $check ]]; then
    mkdir -p .sqlx
    diff -r .sqlx "$made/sqlx" >/dev/null ||
        die ".sqlx is not current: run 'make sqlx' and commit what changes."
else
    rm -rf .sqlx
    cp -r "$made/sqlx" .sqlx
    say ".sqlx holds $(find .sqlx -name '*.json' | wc -l) queries."
fi
