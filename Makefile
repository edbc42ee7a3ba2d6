# Each target is one line; what needs more lives in tools/. Nothing here relies on an active venv.
#
#   PYTHON=python3.12   the interpreter that setup builds .venv with (else the newest found)
#   ARGS="-k lane -x"   passed on: to pytest (test), to wunder (run), to the program (demo, bench)

# A PYTHONPATH or a foreign venv in the caller's shell must not change what runs here.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup run demo test check fix bench chaos map lock clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name what; do printf '  make %-7s %s\n' "$$name" "$$what"; done

setup:  ## make or refresh .venv and the console (does nothing when nothing changed)
	@PYTHON='$(PYTHON)' sh tools/setup.sh
	@sh tools/console.sh || [ "$$CI" != true ]

run: setup  ## start the gateway with its console, show the link that signs you in
	@[ -t 1 ] && level=warning || level=info; WUNDER_LOG_JSON=$${WUNDER_LOG_JSON:-false} WUNDER_LOG_LEVEL=$${WUNDER_LOG_LEVEL:-$$level} .venv/bin/wunder serve $(ARGS)

demo: setup  ## play the main job from end to end on this machine
	@.venv/bin/python demo/main_job.py $(ARGS)

test: setup  ## everything that must be green: check, then all tests
	@sh tools/check.sh
	@sh tools/test.sh $(ARGS)

check: setup  ## lint, format, types, import contracts, the console's types and tests
	@sh tools/check.sh

fix: setup  ## what a tool can repair by itself: lint, format, the map, the console's types
	@.venv/bin/python -m ruff check --fix . ; .venv/bin/python -m ruff format . && .venv/bin/python tools/map.py && sh tools/console.sh schema

bench: setup  ## run the benchmarks
	@.venv/bin/python -m benchmarks $(ARGS)

chaos: setup  ## break everything on purpose, the long form: twenty minutes, as root
	@sh tools/postgres.sh && .venv/bin/python -m tests.chaos $(ARGS)

map: setup  ## write ARCHITECTURE.md again
	@.venv/bin/python tools/map.py

lock: setup  ## solve the dependencies again (UPGRADE=1: take the newest)
	@UPGRADE='$(UPGRADE)' sh tools/lock.sh

clean:  ## remove .venv, caches and build output (never data/)
	@sh tools/clean.sh
