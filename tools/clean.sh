#!/bin/sh
# Remove what setup, checks and builds made. The data directory is somebody's messages: not ours.
set -eu
cd "$(dirname "$0")/.."
rm -rf console/node_modules console/.node src/wunder/console_build
rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
for tree in src tests tools benchmarks demo plugins; do
    [ -d "$tree" ] || continue
    find "$tree" -type d -name __pycache__ -prune -exec rm -rf {} +
done
