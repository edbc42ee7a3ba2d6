"""Words of which a command knows all: another one is refused before anything is asked."""

from collections.abc import Iterable

from wunder.cli.failure import bad_usage


def one_of(option: str, given: str, known: Iterable[str]) -> str:
    """Return what was given to an option; "" stands for nothing. Raises: CommandFailed."""
    words = list(known)
    if given and given not in words:
        raise bad_usage(f"{option} does not take {given}", f"it takes: {', '.join(words)}")
    return given
