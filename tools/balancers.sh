#!/bin/sh
# Find nginx and HAProxy for the tests, or fetch Debian's programs into .balancers/; say so where neither goes.
# They are unpacked, not installed: no service starts, and nothing of this machine changes.
set -u
cd "$(dirname "$0")/.." || exit 1

found() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x ".balancers/$1" ]; }

# What of a program no Debian has by itself: its libraries.
packages() { case $1 in haproxy) echo haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 ;; *) echo "$1" ;; esac; }

fetch() {
    (
        mkdir -p ".balancers/$1.d" && cd ".balancers/$1.d" || exit 1
        # shellcheck disable=SC2046 # several packages
        apt-get download -qq $(packages "$1") || exit 1
        for package in *.deb; do dpkg-deb -x "$package" . && rm "$package" || exit 1; done
    ) >/dev/null 2>&1
}

# Beside the unpacked program: one that finds its libraries.
entrance() {
    cat >".balancers/$1" <<-END
	#!/bin/sh
	here=\$(dirname "\$0")/$1.d
	LD_LIBRARY_PATH=\$(echo "\$here"/usr/lib/*-linux-gnu) exec "\$here/usr/sbin/$1" "\$@"
	END
    chmod +x ".balancers/$1"
}

for program in nginx haproxy; do
    found $program && continue
    if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
        echo "$program: fetching the program for the tests"
        fetch $program || { apt-get update -qq >/dev/null 2>&1 && fetch $program; }
        entrance $program
        .balancers/$program -v >/dev/null 2>&1 && continue
        rm -rf .balancers/$program .balancers/$program.d
    fi
    echo "$program: none on this machine; tests behind it are skipped (they fail where CI=true)" >&2
    echo "  Debian, Ubuntu:  sudo apt install $program      macOS:  brew install $program" >&2
done
exit 0
