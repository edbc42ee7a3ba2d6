#!/bin/sh
# Find a browser for the tests, or install Debian's where this user may; say so where neither goes.
# No browser is ever downloaded from anywhere else.
set -u

found() {
    [ -n "${WUNDER_TEST_BROWSER:-}" ] && [ -x "$WUNDER_TEST_BROWSER" ] && return 0
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}

install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-noto-cjk >/dev/null 2>&1; }

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "browser: installing Chromium for the tests"
    install || { apt-get update -qq >/dev/null 2>&1 && install; }
    found && exit 0
fi
echo "browser: none on this machine; tests in a browser are skipped (they fail where CI=true)" >&2
echo "  Debian: sudo apt install chromium fonts-noto-cjk    Fedora: sudo dnf install chromium    macOS: brew install --cask google-chrome" >&2
echo "  Installed elsewhere?  WUNDER_TEST_BROWSER=/path/to/chrome" >&2
exit 0
