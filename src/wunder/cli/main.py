"""The console script `wunder`: starts the gateway at once, or loads the commands and runs one."""

import os
import sys
from collections.abc import Sequence

from wunder.cli.failure import BAD_USAGE, OK, CommandFailed
from wunder.cli.global_options import split_global_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 ok, 1 failed, 2 bad usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options, rest = split_global_options(given)
    except CommandFailed as failure:
        sys.stderr.write(f"wunder: {failure.what}\nusage: wunder [OPTIONS] COMMAND ...\n")
        return BAD_USAGE
    if rest[:1] == ["serve"]:
        # `serve` must be up in a fraction of a second: it never loads the command line's libraries.
        from wunder.cli.serve import serve_command

        return serve_command(options, rest[1:])
    if rest == ["--version"]:
        from wunder import __version__

        sys.stdout.write(f"wunder {__version__}\n")
        return OK
    from wunder.cli.run import run_command

    try:
        return run_command(options, rest)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); Python must not fail again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


if __name__ == "__main__":
    sys.exit(main())
