#!/usr/bin/env bash
# Create the virtual environment $1 with $PYTHON, or say in one sentence why not.
set -euo pipefail

venv=$1
python=${PYTHON:-python3}

fail() {
    echo "qjax: $*" >&2
    exit 1
}

new_enough() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# `python3` may be older than a `python3.11` that lies beside it.
if ! new_enough "$python"; then
    if [ "$python" = python3 ] && new_enough python3.11; then
        python=python3.11
    else
        fail "Python 3.11 or newer must be on the path as python3, but '$python' is not:" \
            "install it, or run make with PYTHON=<path to python>."
    fi
fi

# Debian ships the module venv without pip's wheels unless python3-venv is installed.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null ||
            fail "the Debian package python3-venv must be installed, but apt-get failed."
    else
        fail "the module venv must be complete, but '$python' lacks ensurepip:" \
            "install the package python3-venv."
    fi
fi

rm -rf "$venv"
"$python" -m venv "$venv" || { rm -rf "$venv"; fail "'$python -m venv $venv' failed."; }
