#!/usr/bin/env bash
# Breaks the machinery in the ways of tests/chaos/mutants, one patch at a time in a copy of the tree, and shows that the
# tests of the jobs' states or the chaos checker notice each. mutants.sh [NAME…] takes those only. Takes minutes each.
set -euo pipefail
. "$(dirname "$0")/place.sh"
"$ROOT/deploy/local/install.sh" --tests
"$ROOT/deploy/local/up.sh"
export RB_OCR_LOCAL=$LOCAL SQLX_OFFLINE=true
tree=$LOCAL/mutants/tree
logs=$LOCAL/mutants
mkdir -p "$tree"
cd "$ROOT"
wanted=("$@")
((${#wanted[@]})) || for file in tests/chaos/mutants/*.patch; do wanted+=("$(basename "$file" .patch)"); done

# The tree as it is here, with one patch. What cargo has built in it stays, so that only what differs is compiled.
copy() {
    git ls-files -z | tar --null --files-from=- -cf - | tar -xf - -C "$tree"
    patch --quiet --strip=1 --directory="$tree" <"tests/chaos/mutants/$1.patch"
}

# Whether anything notices the mutant; says what did.
noticed() {
    local in_tree=(env -C "$tree" "CARGO_TARGET_DIR=$tree/target")
    "${in_tree[@]}" deploy/local/sqlx.sh >"$logs/$1.log" 2>&1 || die "the mutant $1 has no valid queries (see $logs/$1.log)."
    "${in_tree[@]}" cargo build --workspace --bins --locked >>"$logs/$1.log" 2>&1 ||
        die "the mutant $1 does not compile (see $logs/$1.log)."
    if ! "${in_tree[@]}" deploy/local/with_env.sh cargo test --workspace --locked --test model --test jobs >>"$logs/$1.log" 2>&1; then
        say 'the states of jobs'
    elif ! env -u RB_OCR_LOCAL "$tree/target/debug/chaos" --seconds 150 --seed 1 >>"$logs/$1.log" 2>&1; then
        say 'chaos'
    else
        return 1
    fi
}

survivors=0
for name in "${wanted[@]}"; do
    copy "$name"
    if by=$(noticed "$name"); then
        printf '%-60s noticed by %s\n' "$name" "$by"
    else
        printf '%-60s SURVIVES\n' "$name"
        survivors=$((survivors + 1))
    fi
done
((survivors == 0)) || die "$survivors mutants survive."
