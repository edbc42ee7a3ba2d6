#!/bin/sh
# Find nginx for the tests, or fetch Debian's program into .nginx/; say so where neither goes.
# It is unpacked, not installed: no service starts, and nothing of this machine changes.
set -u
cd "$(dirname "$0")/.." || exit 1

found() { command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || [ -x .nginx/usr/sbin/nginx ]; }
fetch() { (mkdir -p .nginx && cd .nginx && apt-get download -qq nginx && dpkg-deb -x nginx_*.deb . && rm nginx_*.deb) >/dev/null 2>&1; }

found && exit 0
if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
    echo "nginx: fetching the program for the tests"
    fetch || { apt-get update -qq >/dev/null 2>&1 && fetch; }
    found && .nginx/usr/sbin/nginx -v >/dev/null 2>&1 && exit 0
    rm -rf .nginx
fi
echo "nginx: none on this machine; tests behind a balancer are skipped (they fail where CI=true)" >&2
echo "  Debian, Ubuntu:  sudo apt install nginx      macOS:  brew install nginx" >&2
exit 0
