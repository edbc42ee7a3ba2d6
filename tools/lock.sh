#!/bin/sh
# Solve pyproject.toml again and write both lock files, with the sha256 of every file on offer.
#
#   make lock              keep the versions that still fit
#   make lock UPGRADE=1    take the newest of everything
#
# The solver (uv) is no part of the project: it is installed, by hash, into a throw-away venv. It
# solves once for every Python we support and every platform, which pip-compile cannot.
set -eu
cd "$(dirname "$0")/.."

python=.venv/bin/python
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT INT TERM

"$python" -m venv "$tool/venv"
"$tool/venv/bin/python" -m pip install -qq --disable-pip-version-check \
    --require-hashes -r tools/lock-tool.txt

solve() {
    target=$1
    shift
    # --no-config and no index in the output: a lock must not know on which machine it was made.
    "$tool/venv/bin/uv" pip compile --quiet --no-config --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
        ${UPGRADE:+--upgrade} --output-file "$target" "$@" pyproject.toml
    {
        echo "# Written by \`make lock\` from pyproject.toml: every version and hash, for Python >= 3.11."
        sed '/^# Written by /d' "$target"
    } > "$tool/lock"
    cat "$tool/lock" > "$target"
}

solve requirements.lock
# What runs in production is what was tested: the second solve may not move the first.
solve requirements-dev.lock --extra dev --constraints requirements.lock

if grep -nE 'https?://|file:|--(extra-)?index-url|--find-links|^/' requirements.lock requirements-dev.lock; then
    echo "lock: a lock file names a host or a path of this machine (above)" >&2
    exit 1
fi
