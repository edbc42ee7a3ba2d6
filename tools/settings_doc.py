"""Write docs/operate/settings.md from the settings' own structs; `--check` fails when it is stale."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from wunder.config import Config, settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operate" / "settings.md"
HEAD = """# Settings

One TOML file (`wunder --config FILE serve`, or `WUNDER_CONFIG`), then `WUNDER_*` variables, then options of
the command line; the later one wins. Every setting has a default. A list in a variable is separated by
commas. A name ends in its unit: `_s` seconds, `_ms` milliseconds, `_bytes` bytes. Secrets are no settings:
they are stored sealed, never in files or variables.

```toml
[server]
port = 9000

[egress]
allow_hosts = ["127.0.0.1:11434"]
```

Written from the code by `tools/settings_doc.py`; a test keeps it fresh.
"""


def page() -> str:
    """Return the whole page."""
    return HEAD + "".join(_section(Config, ()))


def _section(shape: type[msgspec.Struct], path: tuple[str, ...]) -> Iterator[str]:
    """Write one section: what it is for, its own settings, then the sections in it."""
    if path:
        yield f"\n{'#' * (len(path) + 1)} [{'.'.join(path)}]\n\n{inspect.getdoc(shape)}\n"
    own = [one for one in settings(shape, path) if len(one.path) == len(path) + 1]
    if own:
        yield "\n| setting | variable | takes | default |\n| --- | --- | --- | --- |\n"
    for one in own:
        kind = getattr(one.kind, "__name__", str(one.kind))
        kind = kind.replace("typing.", "").replace("|", "or")
        default = str(one.default).replace("|", "\\|") or '""'
        yield f"| `{one.path[-1]}` | `{one.variable}` | {kind} | `{default}` |\n"
    for field in msgspec.structs.fields(shape):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _section(field.type, (*path, field.name))


def main() -> int:
    """Write the page, or check it."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, "utf-8")
        return 0
    if PAGE.read_text("utf-8") == text:
        return 0
    sys.stderr.write(
        "docs/operate/settings.md is stale: run .venv/bin/python tools/settings_doc.py\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
