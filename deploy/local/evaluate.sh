#!/usr/bin/env bash
# evaluate.sh DOCS NAMES: what the pipeline says of a folder of labelled documents (with truth.jsonl)
# and of a file of labelled pairs of names, scored by the programs beside them (score.py and
# score_names.py, Python 3). Either may be empty. The answers stay in .local/evaluation.
set -euo pipefail
docs=${1:-} names=${2:-}
[[ -z $docs ]] || docs=$(realpath -- "$docs")
[[ -z $names ]] || names=$(realpath -- "$names")
. "$(dirname "$0")/place.sh"
[[ -n $docs$names ]] || die "usage: make evaluate DOCS=folder-with-truth.jsonl NAMES=pairs.tsv (one of them, or both)"
[[ -z $docs || -f $docs/truth.jsonl ]] || die "$docs has no truth.jsonl."
need_cargo
"$ROOT/deploy/local/install.sh"
make_local
answers=$LOCAL/evaluation
mkdir -p "$answers"
cd "$ROOT"
SQLX_OFFLINE=true cargo build --quiet --locked --workspace --bins

# score PROGRAM LABELS ANSWERS: the table, where the program and Python are there.
score() {
    if [[ -f $1 ]] && command -v python3 >/dev/null; then
        python3 "$1" "$2" "$3"
    else
        say "The answers are in $3; $(basename "$1") and Python 3 score them."
    fi
}

if [[ -n $docs ]]; then
    started=$SECONDS
    target/debug/rb-ocr evaluate "$docs/truth.jsonl" --as-of "${AS_OF:-2026-11-22}" --out "$answers/predictions.jsonl"
    say "$(wc -l <"$answers/predictions.jsonl") documents in $((SECONDS - started)) s"
    score "$docs/score.py" "$docs/truth.jsonl" "$answers/predictions.jsonl"
fi
if [[ -n $names ]]; then
    target/debug/rb-ocr names "$names" >"$answers/names.tsv"
    score "$(dirname "$names")/score_names.py" "$names" "$answers/names.tsv"
fi
