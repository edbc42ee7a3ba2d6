#!/bin/sh
# Run every test: the quick majority on two processors; those in a browser; then, alone, those that kill
# and starve.
# Arguments are for pytest; with any, one plain run of what they choose.
set -u
cd "$(dirname "$0")/.." || exit 1
python=$PWD/.venv/bin/python
sh tools/postgres.sh
sh tools/browser.sh
sh tools/nginx.sh

[ $# -gt 0 ] && exec "$python" -m pytest "$@"

"$python" -m pytest -q -n 2 -m "not chaos and not e2e" || exit $?
[ ! -f tools/console.sh ] || sh tools/console.sh || exit $?
"$python" -m pytest -q -n 2 -m e2e || exit $?
exec "$python" -m pytest -q -m chaos
