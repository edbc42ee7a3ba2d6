#!/bin/sh
# Run every check, also after one has failed: one round shows everything there is to repair.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=$PWD/.venv/bin
failed=

step() {
    name=$1
    shift
    echo "== $name"
    "$@" || failed="$failed $name,"
}

step "ruff check" "$bin/ruff" check .
step "ruff format" "$bin/ruff" format --check .
step "mypy" "$bin/mypy"
step "import contracts" "$bin/lint-imports" --no-logo
step "console" sh tools/console.sh check

[ -z "$failed" ] && exit 0
echo "check: failed:${failed%,} (\`make fix\` repairs lint, format and the map where a tool can)" >&2
exit 1
