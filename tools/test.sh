#!/bin/sh
# Run every test, in phases (tools/phases.py): all of them, also after one has failed.
# Arguments are for pytest; with any, one plain run of what they choose.
set -u
cd "$(dirname "$0")/.." || exit 1
python=$PWD/.venv/bin/python
# Else each of the processes rewrites the asserts of 300 files anew: ten seconds apiece.
unset PYTHONDONTWRITEBYTECODE
sh tools/postgres.sh
sh tools/browser.sh
sh tools/balancers.sh

[ $# -gt 0 ] && exec "$python" -m pytest "$@"

[ ! -f tools/console.sh ] || sh tools/console.sh || exit $?
exec "$python" tools/phases.py
