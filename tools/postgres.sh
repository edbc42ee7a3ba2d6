#!/bin/sh
# Find a PostgreSQL server for the tests, or install one where this user may; say so where neither goes.
# The tests start a private server from its programs; nothing of it runs or is changed otherwise.
set -u

found() {
    for bin in "$(dirname "$(readlink -f "$(command -v postgres 2>/dev/null || echo /nowhere/x)")")" \
        /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
        [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && return 0
    done
    return 1
}

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "postgres: installing the server for the tests"
    # No cluster is wanted: the tests make their own.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >/dev/null 2>&1 ||
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql; } >/dev/null 2>&1
    found && exit 0
fi
echo "postgres: no server on this machine; tests of that engine are skipped (they fail where CI=true)" >&2
echo "  Debian, Ubuntu:  sudo apt install postgresql      macOS:  brew install postgresql@16" >&2
exit 0
