#!/bin/sh
# Build the console where its sources changed; `check` and `schema` as tools/console.py says.
cd "$(dirname "$0")/.." || exit 1
python=.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" tools/console.py "$@"
