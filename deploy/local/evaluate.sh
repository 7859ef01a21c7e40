#!/usr/bin/env bash
# evaluate.sh DOCS NAMES: what the pipeline says of a folder of labelled documents (with truth.jsonl)
# and of a file of labelled pairs of names, held against the labels. Either may be empty. The answers
# stay in .local/evaluation; the figures go into the README unless README=0.
set -euo pipefail
docs=${1:-} names=${2:-}
[[ -z $docs ]] || docs=$(realpath -- "$docs")
[[ -z $names ]] || names=$(realpath -- "$names")
. "$(dirname "$0")/place.sh"
[[ -n $docs$names ]] || die "usage: make evaluate DOCS=folder-with-truth.jsonl NAMES=pairs.tsv (one of them, or both)"
[[ -z $docs || -f $docs/truth.jsonl ]] || die "$docs has no truth.jsonl."
[[ -z $names || -f $names ]] || die "$names is not there."
need_cargo
"$ROOT/deploy/local/install.sh"
make_local
answers=$LOCAL/evaluation
mkdir -p "$answers"
cd "$ROOT"
SQLX_OFFLINE=true cargo build --quiet --locked --workspace --bins

page=()
if [[ ${README:-1} != 0 ]]; then
    page=(--page "$ROOT/README.md")
    # The README itself is what this writes; any other change is one that was measured too.
    if commit=$(git rev-parse --short HEAD 2>/dev/null); then
        [[ -z $(git status --porcelain -- . ':!README.md') ]] || commit+=' with changes'
        page+=(--commit "$commit")
    fi
fi

if [[ -n $docs ]]; then
    target/debug/rb-ocr evaluate "$docs/truth.jsonl" --as-of "${AS_OF:-2026-11-22}" --out "$answers/predictions.jsonl"
    target/debug/rb-ocr score documents "$docs/truth.jsonl" "$answers/predictions.jsonl" "${page[@]}"
fi
if [[ -n $names ]]; then
    target/debug/rb-ocr names "$names" >"$answers/names.tsv"
    target/debug/rb-ocr score names "$names" "$answers/names.tsv" "${page[@]}"
fi
if ((${#page[@]})); then say "The README's figures are written anew; README=0 leaves them."; fi
