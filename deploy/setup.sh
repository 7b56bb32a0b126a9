#!/bin/sh
# Makes .venv and installs this package into it: deploy/setup.sh run | dev | bench | train
#
# run: what a node needs. dev: that and the tools of `make test` and `make check`. bench: that and what `make bench`
# compares with. train: that and PyTorch, for `make models`.
# llama.cpp has no wheels on PyPI. It is compiled once per kind of processor and kept outside the checkout, so that a
# second checkout or a new .venv takes seconds.
#
# PYTHON      the Python to use; otherwise python3, or any other from 3.11 that can make virtual environments
# CMAKE_ARGS  options for llama.cpp, such as -DGGML_CUDA=on; each set is compiled and kept on its own (make clean first)
# TORCH       what to install for `train` (default: torch from PyTorch's index of CPU builds)
set -eu

SIGN_OF_LIFE_S=15
LOG_TAIL_LINES=30

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

# --- Python -------------------------------------------------------------------

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() { # prints the command
    bare=
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        is_new_enough "$candidate" || continue
        if makes_environments "$candidate"; then
            echo "$candidate"
            return
        fi
        bare=${bare:-$candidate}
    done
    if [ -n "$bare" ]; then
        die "$bare cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv; then run this again."
    fi
    die "Python 3.11 or newer is needed${PYTHON:+, and $PYTHON is not}. On Debian 12 or Ubuntu 24.04:" \
        "apt install python3 python3-venv; then run this again, or name one: make PYTHON=/path/to/python3 ..."
}

make_environment() {
    if is_new_enough .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null; then
        return # else it was not finished, or its Python is gone
    fi
    base=$(find_python)
    say "making .venv with $("$base" --version)"
    "$base" -m venv --clear .venv
}

# Runs a command with its output in a log; says every few seconds that it is still at work; shows the log's end on failure.
logged() { # log, what it is, command...
    log=$1 what=$2
    shift 2
    : >"$log"
    signs_of_life "$log" "$what" &
    signs=$!
    status=0
    "$@" >"$log" 2>&1 || status=$?
    kill $signs
    wait $signs 2>/dev/null || :
    if [ "$status" -ne 0 ]; then
        tail -n "$LOG_TAIL_LINES" "$log" >&2
        die "$what failed; the lines above are the end of $log"
    fi
}

signs_of_life() { # log, what it is
    seconds=0
    while sleep 1 && kill -0 $$ 2>/dev/null; do
        seconds=$((seconds + 1))
        if [ $((seconds % SIGN_OF_LIFE_S)) -eq 0 ]; then
            # Ninja writes [done/all] before each file that it compiles.
            say "$2: $seconds s $(grep -o '\[[0-9]*/[0-9]*\]' "$1" | tail -n 1)"
        fi
    done
}

# --- llama.cpp ----------------------------------------------------------------

processor() { # A wheel compiled for this very processor can die of an illegal instruction on another.
    uname -sm
    case $(uname -s) in
    Darwin) sysctl -n machdep.cpu.brand_string ;;
    *) grep -m 1 -E '^(flags|Features)' /proc/cpuinfo | tr -s ' \t' '\n\n' | sort ;;
    esac
}

llama_requirement() { # The bounds stand in pyproject.toml and nowhere else.
    .venv/bin/python - <<'PYTHON'
import tomllib

with open("pyproject.toml", "rb") as file:
    requirements = tomllib.load(file)["project"]["dependencies"]
print(next(line for line in requirements if line.startswith("llama-cpp-python")))
PYTHON
}

has_llama() { # A wheel in hand, in the cache or on an index that the user's pip is set to, or one that is installed already
    .venv/bin/python -m pip install --dry-run --no-deps --only-binary llama-cpp-python --find-links "$1" "$2" >/dev/null 2>&1
}

compile_llama() { # directory to keep the wheel in, requirement
    for tool in cc c++; do
        command -v $tool >/dev/null ||
            die "a C and a C++ compiler are needed. On Debian or Ubuntu: apt install build-essential; then run this again."
    done
    say "compiling llama.cpp, about 4 minutes on 2 cores; once per machine: the wheel is kept in $1"
    new=$(mktemp -d "$1/new.XXXXXX")
    # pip's own cache of compiled wheels does not tell one processor from another.
    logged "$1/compile.log" "compiling llama.cpp" \
        .venv/bin/python -m pip wheel -v --no-cache-dir --no-deps --wheel-dir "$new" "$2"
    mv "$new"/*.whl "$1"/
    rmdir "$new"
}

install() { # extras in brackets or nothing
    export CMAKE_ARGS="${CMAKE_ARGS:--DLLAVA_BUILD=OFF}" # no pictures in questions
    key=$({ processor; echo "$CMAKE_ARGS"; } | cksum | cut -d ' ' -f 1)
    wheels=${XDG_CACHE_HOME:-$HOME/.cache}/moot/wheels/$(uname -m)-$key
    mkdir -p "$wheels"
    requirement=$(llama_requirement)
    has_llama "$wheels" "$requirement" || compile_llama "$wheels" "$requirement"
    say "installing moot$1 into .venv"
    logged .venv/install.log "installing moot$1" .venv/bin/python -m pip install \
        --only-binary llama-cpp-python --find-links "$wheels" --editable ".$1"
    .venv/bin/python -c 'import llama_cpp; llama_cpp.llama_backend_init()' ||
        die "llama.cpp does not run on this machine. Remove $wheels and .venv, then run this again."
}

# On Linux the default torch brings several gigabytes of CUDA libraries; the reference models train on the processor.
install_torch() {
    if [ -z "${TORCH:-}" ] && .venv/bin/python -c 'import torch' 2>/dev/null; then
        return
    fi
    if [ -n "${TORCH:-}" ]; then
        logged .venv/torch.log "installing $TORCH" .venv/bin/python -m pip install "$TORCH"
    else
        say "installing PyTorch's CPU build, about 200 MB; another one: make models TORCH=torch==2.13.0"
        logged .venv/torch.log "installing PyTorch" .venv/bin/python -m pip install \
            --index-url https://download.pytorch.org/whl/cpu torch
    fi
}

export PIP_DISABLE_PIP_VERSION_CHECK=1
cd "$(dirname "$0")/.."
case ${1:-} in
run)
    make_environment
    install ""
    ;;
dev)
    make_environment
    install "[dev]"
    touch .venv/.installed-run
    ;;
bench)
    make_environment
    install "[bench]"
    touch .venv/.installed-run
    ;;
train)
    make_environment
    install_torch
    install "[train]"
    touch .venv/.installed-run
    ;;
*)
    die "usage: deploy/setup.sh run | dev | bench | train"
    ;;
esac
touch ".venv/.installed-$1"
say "done: .venv/bin/moot"
