#!/usr/bin/env bash
# chaos_mutants.sh [NAME…]: shows that what guards the machinery does guard it. Each patch of tests/chaos/mutants (or of
# those that are named) breaks one promise in a copy of the committed tree, and the catchers that it names must fail
# there: the tests `model`, `jobs` and `cancel`, or an attack as of `make chaos`. The copy without a patch must pass them.
# What does not build, cannot be run or is caught by others than it says is a failure. CHAOS_SECONDS is how long an
# attack goes on.
set -euo pipefail
. "$(dirname "$0")/place.sh"
. "$ROOT/deploy/local/postgres.sh"
. "$ROOT/deploy/local/schema.sh"
. "$ROOT/deploy/local/mutant_copy.sh"

QUICK=(model jobs cancel)
SEED=20261122
# Interleavings that the model tries: more than for every change, so that none is missed by chance.
CASES=128
attack=${CHAOS_SECONDS:-120}
files=("$ROOT"/tests/chaos/mutants/*.patch)
if (($#)); then
    files=("${@/#/$ROOT/tests/chaos/mutants/}")
    files=("${files[@]/%/.patch}")
fi
for file in "${files[@]}"; do [[ -f $file ]] || die "there is no $file."; done

need_cargo
"$ROOT/deploy/local/install.sh" --tests
"$ROOT/deploy/local/up.sh"
# shellcheck source=/dev/null
. "$ENV_FILE"
postgres_place
copy_open
trap copy_close EXIT
copy_update

# claims FILE: the catchers that a patch names.
claims() { sed -n 's/^Caught by: //p;/^diff /q' "$1" | tr -d ','; }

# executable NAME: a test program of the last build.
executable() { sed -n "s|^ *Executable tests/$1[./].*(\(.*\))\$|\1|p" "$COPY/build.log"; }

# first NAME: what a catcher said first, short. The names of tests are sentences.
first() {
    local said
    case $1 in
        model) said=$(sed -n 's/^MODEL_SEED=[0-9]*: Test failed: //p' "$COPY/$1.log") ;;
        chaos) said=$(sed -n 's/^BROKEN //p' "$COPY/$1.log") ;;
        *) said=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$COPY/$1.log" | tr '_' ' ') ;;
    esac
    said=${said%%$'\n'*}
    say "${said:0:110}"
}

# run_quick NAME PROGRAM: 0: a test of it failed; 1: all passed; 2: it could not be run to its end.
run_quick() {
    local log=$COPY/$1.log status=0
    # That it fails is enough; the shortest way to it is not looked for.
    child env MODEL_SEED="$SEED" PROPTEST_CASES="$CASES" PROPTEST_MAX_SHRINK_ITERS=0 \
        timeout 600 "$ROOT/deploy/local/with_env.sh" "$2" >"$log" 2>&1 || status=$?
    ((status != 0)) || return 1
    # A test that failed says so by its name; whatever else ended the program is no test's doing.
    ((status == 101)) && grep -q '^test .* FAILED$' "$log" || return 2
}

# run_chaos: the same of an attack.
run_chaos() {
    local log=$COPY/chaos.log status=0
    child env TMPDIR="$COPY/tmp" timeout 900 "$COPY/target/debug/chaos" --seed "$SEED" --seconds "$attack" \
        >"$log" 2>&1 || status=$?
    ((status != 0)) || return 1
    ((status == 1)) && grep -q '^BROKEN ' "$log" || return 2
}

# catch NAME: runs a catcher of the last build; 3: what it needs does not build.
catch() {
    if [[ $1 != chaos ]]; then
        run_quick "$1" "$(executable "$1")"
    else
        build build --workspace --bins || return 3
        run_chaos
    fi
}

# What a failure means is known only where the same fails without the patch as little as before.
still_sound() {
    local result=0
    run_quick control "$COPY/control" || result=$?
    ((result == 1))
}

# tried NAME FILE: sets `caught`, `words` and `trouble`.
tried() {
    local name result
    caught='' words='' trouble=''
    build test --workspace --no-run "${QUICK[@]/#/--test=}" || { trouble='does not build' && return; }
    for name in "${QUICK[@]}" chaos; do
        # An attack takes minutes: only where nothing quicker has failed.
        [[ $name != chaos || -z $caught || " $(claims "$2") " == *' chaos '* ]] || continue
        result=0
        catch "$name" || result=$?
        ((result != 3)) || { trouble='does not build' && return; }
        ((result != 2)) || { trouble="$name could not be run (see $COPY/$name.log)" && return; }
        ((result == 0)) || continue
        caught+=${caught:+, }$name
        [[ -n $words ]] || words=$(first "$name")
    done
    [[ -z $caught ]] || still_sound || { trouble='fails without the patch too' && return; }
    # What catches it unasked is either a guard to be named or one that fails by itself.
    [[ -n $trouble || ${caught//,/} == "$(claims "$2")" ]] || trouble="to be caught by $(claims "$2")"
}

row() { printf '%-38s %-20s %5s  %s\n' "$@" | tee -a "$COPY/table"; }

control() {
    local name started=$SECONDS wanted
    build test --workspace --no-run "${QUICK[@]/#/--test=}" || die "the tree does not build (see $COPY/build.log)."
    cp "$(executable cancel)" "$COPY/control"
    wanted=" $(for file in "${files[@]}"; do claims "$file"; done | tr '\n' ' ') "
    for name in "${QUICK[@]}" chaos; do
        [[ $name != chaos || $wanted == *' chaos '* ]] || continue
        catch "$name" &&
            die "without a patch $name fails: $(first "$name") (see $COPY/$name.log)."
        (($? == 1)) || die "$name could not be run (see $COPY/$name.log, $COPY/build.log)."
    done
    row '(no patch)' nothing "$((SECONDS - started))" ''
}

: >"$COPY/table"
say "${#files[@]} mutants of $(git -C "$COPY/tree" rev-parse --short HEAD), seed $SEED, attacks of $attack s"
row mutant 'caught by' s 'what was said first'
control
bad=0
for file in "${files[@]}"; do
    started=$SECONDS
    if git -C "$COPY/tree" apply "$file" 2>"$COPY/apply.log"; then
        tried "$(basename "$file" .patch)" "$file"
    else
        caught='' words='' trouble='does not apply'
    fi
    copy_reset
    rm -rf "$COPY"/tmp/.[!.]*
    [[ -z $trouble ]] || bad=$((bad + 1))
    row "$(basename "$file" .patch)" "${caught:-NOT CAUGHT}" "$((SECONDS - started))" "${trouble:+PROBLEM: $trouble }$words"
done
((bad == 0)) || die "$bad of ${#files[@]} mutants are not caught as they must be."
