"""Prepare a process for a plugin, then become it: `python -I -S -B launch.py <orders> <target>..`.

Standard library only and as little of it as possible: this is part of every plugin's start.
Orders are `name=number` words ended by `--`; the target is an executable with arguments or, after
`python`, the SDK's starter with arguments, which then runs in this same interpreter.
"""

import _ctypes  # ctypes would add 3.5 ms to each start, signal 4 ms; see docs/adr/0020
import _signal  # type: ignore[import-not-found]  # typeshed knows only signal
import os
import resource
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
EXIT_NOT_PREPARED = 71  # EX_OSERR
EXIT_NOT_RUNNABLE = 126
EXIT_NOT_FOUND = 127


def main(arguments: list[str]) -> None:
    """Obey the orders, then become the target; exits 71, 126 or 127 where that fails."""
    end = arguments.index("--")
    words = (one.partition("=") for one in arguments[:end])
    orders = {name: int(value) for name, _, value in words}
    target = arguments[end + 1 :]
    try:
        _prepare(orders)
    except OSError as error:
        sys.stderr.write(f"wunder: cannot prepare the process: {error}\n")
        raise SystemExit(EXIT_NOT_PREPARED) from None
    if target[0] == "python":
        _become_python(target[1:])
        return
    # The interpreter ignores SIGPIPE; what it becomes should not inherit that. SIGXFSZ stays
    # ignored: a file at its limit is then an error that can be handled.
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
    try:
        os.execv(target[0], target)  # noqa: S606  # no shell is the point
    except OSError as error:
        sys.stderr.write(f"wunder: cannot run {target[0]}: {error.strerror}\n")
        is_missing = isinstance(error, FileNotFoundError)
        raise SystemExit(EXIT_NOT_FOUND if is_missing else EXIT_NOT_RUNNABLE) from None


def _prepare(orders: dict[str, int]) -> None:
    os.umask(orders["umask"])
    for name, limit in (
        ("core", resource.RLIMIT_CORE),
        ("nofile", resource.RLIMIT_NOFILE),
        ("fsize", resource.RLIMIT_FSIZE),
        ("as", resource.RLIMIT_AS),
    ):
        if name in orders:
            _lower(limit, orders[name])
    if sys.platform != "linux":
        return
    # A plugin goes before the gateway when memory runs out; raising the score needs no privilege.
    with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
        file.write(str(orders["oom"]))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    if orders["parent"]:
        _prctl(PR_SET_PDEATHSIG, _signal.SIGKILL)
        if os.getppid() != orders["parent"]:  # it died before the order was in force
            os.kill(os.getpid(), _signal.SIGKILL)


def _lower(limit: int, wanted: int) -> None:
    hard = resource.getrlimit(limit)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(limit, (value, value))


def _prctl(option: int, value: int) -> None:
    function = _ctypes.dlsym(_ctypes.dlopen("", 0), "prctl")
    if _ctypes.call_function(function, (option, int(value), 0, 0, 0)) != 0:
        raise OSError(f"prctl({option}) was refused")


def _become_python(target: list[str]) -> None:
    sys.argv[:] = target
    with open(target[0], "rb") as file:
        code = compile(file.read(), target[0], "exec")
    names = {"__name__": "__main__", "__file__": target[0], "__builtins__": __builtins__}
    exec(code, names)  # noqa: S102  # a second interpreter would add 8 ms to each start


if __name__ == "__main__":
    main(sys.argv[1:])
