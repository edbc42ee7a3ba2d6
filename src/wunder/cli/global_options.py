"""The options that every command takes, wherever they stand on the line."""

from collections.abc import Sequence
from typing import NamedTuple

from wunder.cli.failure import bad_usage

#: Option -> what its value is called in help; "" for a switch.
GLOBAL_OPTIONS = {
    "--data-dir": "DIR",
    "--config": "FILE",
    "--url": "URL",
    "--token-file": "FILE",
    "--lang": "LANG",
    "--json": "",
}
LANGUAGES = ("zh-CN", "en")


class GlobalOptions(NamedTuple):
    """Which gateway, whose token, in which form. "" where not given."""

    data_dir: str = ""
    config: str = ""
    url: str = ""
    token_file: str = ""
    lang: str = ""
    json: bool = False

    @property
    def overrides(self) -> dict[str, str]:
        """What the line says about settings: variable to value, for `load_config`."""
        return {"WUNDER_DATA_DIR": self.data_dir} if self.data_dir else {}


def split_global_options(arguments: Sequence[str]) -> tuple[GlobalOptions, list[str]]:
    """Take the global options out of a command line; what stands behind `--` is left alone.

    Raises: CommandFailed, when a value is missing or the language is unknown.
    """
    found: dict[str, str] = {}
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
            break
        name, has_value, value = argument.partition("=")
        metavar = GLOBAL_OPTIONS.get(name)
        if metavar is None or (not metavar and has_value):
            rest.append(argument)
        elif not metavar:
            found[name] = "yes"
        else:
            found[name] = value if has_value else next(waiting, "")
            if not found[name]:
                raise bad_usage(f"{name} needs a value: {name} {metavar}")
    language = found.get("--lang", "")
    if language and language not in LANGUAGES:
        raise bad_usage(f"--lang takes one of {', '.join(LANGUAGES)}")
    named = {name[2:].replace("-", "_"): value for name, value in found.items() if name != "--json"}
    return GlobalOptions(**named, json="--json" in found), rest
