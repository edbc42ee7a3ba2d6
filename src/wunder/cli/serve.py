"""`wunder serve`: start the gateway; loads nothing that only other commands need."""

import errno
import os
import socket
import sys
from collections.abc import Sequence

from wunder.cli.failure import BAD_USAGE, FAILED, OK
from wunder.cli.global_options import GlobalOptions

USAGE = "usage: wunder serve [--data-dir DIR] [--config FILE] [--host HOST] [--port PORT]"
HELP = f"""{USAGE}

Start the gateway. Everything it keeps lies in the data directory (default: ./data).

  --data-dir DIR   where it keeps everything (WUNDER_DATA_DIR)
  --config FILE    a TOML file with settings (WUNDER_CONFIG)
  --host HOST      the address to listen on, default 127.0.0.1 (WUNDER_SERVER_HOST)
  --port PORT      the port to listen on, default 8080; 0 takes a free one (WUNDER_SERVER_PORT)
  --help           show this

Stop it with Ctrl-C or SIGTERM: running turns and sends end first, new ones are refused.
"""
_CANNOT_LISTEN = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, socket.EAI_NONAME)
_OPTIONS = {"--host": "WUNDER_SERVER_HOST", "--port": "WUNDER_SERVER_PORT"}


def serve_command(options: GlobalOptions, arguments: Sequence[str]) -> int:
    """Run the gateway until it is stopped; return the exit code."""
    if "--help" in arguments or "-h" in arguments:
        sys.stdout.write(HELP)
        return OK
    overrides, wrong = _parsed(arguments)
    if wrong:
        sys.stderr.write(f"wunder: {wrong}\n{USAGE}\n")
        return BAD_USAGE
    from wunder.app.life import serve
    from wunder.cli.gateway import config_path
    from wunder.config import load_config
    from wunder.errors import ConfigInvalid, WunderError

    try:
        config = load_config(config_path(options), os.environ, {**options.overrides, **overrides})
    except ConfigInvalid as error:
        sys.stderr.write(f"wunder: {error.detail}\n")
        return BAD_USAGE
    try:
        serve(config)
    except ConfigInvalid as error:  # found out late, and as little cured by another start
        sys.stderr.write(f"wunder: {error.detail}\n")
        return BAD_USAGE
    except WunderError as error:
        sys.stderr.write(f"wunder: {error.detail}\n")
        return FAILED
    except OSError as error:
        if error.errno not in _CANNOT_LISTEN:
            raise
        place = f"{config.server.host}:{config.server.port}"
        sys.stderr.write(
            f"wunder: it cannot listen on {place}: {(error.strerror or '').lower()}\n"
            "  -> see what does (ss -ltnp), or choose another with --host and --port\n"
        )
        return FAILED
    return OK


def _parsed(arguments: Sequence[str]) -> tuple[dict[str, str], str]:
    """Return the settings that the line names, and what is wrong with it."""
    found: dict[str, str] = {}
    waiting = iter(arguments)
    for argument in waiting:
        name, has_value, value = argument.partition("=")
        variable = _OPTIONS.get(name)
        if variable is None:
            return {}, f"serve does not take {argument!r}"
        found[variable] = value if has_value else next(waiting, "")
        if not found[variable]:
            return {}, f"{name} needs a value"
        if name == "--port" and not found[variable].isdecimal():
            return {}, f"--port takes a number from 0 to 65535, not {found[variable]!r}"
    return found, ""
