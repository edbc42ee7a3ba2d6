#!/bin/sh
# Make .venv what the lock files say, with hashes; do nothing when nothing has changed.
# Needs no root and no active venv. PYTHON= names an interpreter; else the newest found is taken.
set -eu
cd "$(dirname "$0")/.."

# A venv is none of: the user's site, a chosen target, a foreign path. Mirrors and proxies stay as set.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV 2>/dev/null || true
export PIP_DISABLE_PIP_VERSION_CHECK=1
venv=.venv
built_from=$venv/built-from       # what the packages were installed from
linked_from=$venv/linked-from     # what the editable install was made from

give_up() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# The tests a candidate has to pass: it starts at all (a pyenv shim may not), it is new enough, it can make a venv.
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
can_make_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

no_venv_help() {
    version=$(version_of "$1")
    give_up "$1 is Python $version, but it comes without the venv module (ensurepip)." \
        "  Debian, Ubuntu:  sudo apt install python$version-venv   (or python3-venv)" \
        "  without root:    pyenv install $version, or uv python install $version" \
        "  Then run make again, or name another interpreter: make setup PYTHON=/path/to/python3"
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || give_up "PYTHON=$PYTHON: no such command."
        is_new_enough "$PYTHON" || give_up "PYTHON=$PYTHON does not start or is older than Python 3.11."
        can_make_venv "$PYTHON" || no_venv_help "$PYTHON"
        echo "$PYTHON"
        return
    fi
    without_venv=
    for candidate in python3.13 python3.12 python3.11 python3; do
        # Every one on the PATH: a shim may stand before the interpreter that works.
        for path in $(which -a "$candidate" 2>/dev/null || command -v "$candidate" || true); do
            is_new_enough "$path" || continue
            if can_make_venv "$path"; then
                echo "$path"
                return
            fi
            without_venv=${without_venv:-$path}
        done
    done
    [ -z "$without_venv" ] || no_venv_help "$without_venv"
    give_up "no Python 3.11 or newer was found (looked for python3.13, python3.12, python3.11, python3)." \
        "  Debian 12, Ubuntu 24.04:  sudo apt install python3 python3-venv" \
        "  macOS:                    brew install python@3.13" \
        "  without root:             pyenv install 3.13, or uv python install 3.13" \
        "  Installed elsewhere?      make setup PYTHON=/path/to/python3"
}

# The folder is part of the record: a venv that was moved or copied has wrong paths in its scripts.
packages_record() { pwd; cat requirements-dev.lock; }
link_record() { pwd; cat pyproject.toml; }

venv_works() {
    [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' >/dev/null 2>&1 || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$venv/bin/python")" = "$(version_of "$PYTHON" 2>/dev/null)" ]
}

if ! venv_works || ! packages_record | cmp -s - "$built_from"; then
    # From scratch, so that a package that left the lock leaves the venv too.
    python=$(find_python)
    echo "setup: building $venv with $python (Python $(version_of "$python")); about half a minute"
    "$python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install -qq --require-hashes -r requirements-dev.lock
    packages_record > "$built_from"
fi
if ! link_record | cmp -s - "$linked_from"; then
    # No isolation: the build backend comes from the lock, not from whatever is newest today.
    "$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable .
    link_record > "$linked_from"
fi

# As an installation has them: without, a shell that forbids bytecode compiles 400 modules at each start.
"$venv/bin/python" -m compileall -q src
