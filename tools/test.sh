#!/bin/sh
# Run every test: the quick majority on two processors, then, alone, those that kill and starve.
# Arguments are for pytest; with any, one plain run of what they choose.
set -u
cd "$(dirname "$0")/.." || exit 1
python=$PWD/.venv/bin/python
sh tools/postgres.sh

[ $# -gt 0 ] && exec "$python" -m pytest "$@"

"$python" -m pytest -q -n 2 -m "not chaos" || exit $?
exec "$python" -m pytest -q -m chaos
