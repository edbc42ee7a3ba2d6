"""Start a Python plugin: `python -I -S -B boot.py <app folder> [module[:attribute]]`.

The module sees the standard library, its own folder, `vendor/` in it, and from the gateway's
environment only the names in host_modules.toml. The wire is safe before it is imported.
"""

import importlib
import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

DEFAULT_MODULE = "plugin"
EXIT_USAGE = 64

_HERE = os.path.dirname(os.path.abspath(__file__))


def host_modules() -> frozenset[str]:
    """Return the names a plugin may import from the gateway's environment.

    Reads the quoted strings of host_modules.toml: tomllib would cost memory in every plugin.
    """
    with open(os.path.join(_HERE, "host_modules.toml"), encoding="utf-8") as file:
        rows = [line.partition("#")[0] for line in file]
    return frozenset(word for row in rows for word in row.split('"')[1::2])


def host_folders() -> list[str]:
    """Return where the gateway's packages live, ours first."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefixes = [os.path.dirname(os.path.dirname(sys.executable)), sys.prefix]
    folders = [os.path.dirname(_HERE), *os.environ.get("WUNDER_HOST_PATH", "").split(os.pathsep)]
    folders += [os.path.join(prefix, "lib", version, "site-packages") for prefix in prefixes]
    return [folder for folder in dict.fromkeys(folders) if folder and os.path.isdir(folder)]


class HostModules:
    """Finds the allowed names, and only those, in the gateway's environment."""

    def __init__(self, names: frozenset[str], folders: list[str]) -> None:
        self._names = names
        self._folders = folders

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the spec of an allowed top-level name (part of the import protocol)."""
        if path is not None or name not in self._names:
            return None
        return PathFinder.find_spec(name, self._folders)


class LateSsl:
    """Lets asyncio start without ssl (1.4 MB) and gives it back when anybody imports it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Find the real ssl once, and tell asyncio about it after it is loaded."""
        if name != "ssl":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_tell(module: object) -> None:
                load(module)  # type: ignore[arg-type]  # the module being made
                give_ssl_to_asyncio(module)

            spec.loader.exec_module = load_and_tell  # type: ignore[method-assign]  # once
        return spec


def give_ssl_to_asyncio(ssl: object) -> None:
    """Repair the modules of asyncio that were imported while there was no ssl."""
    sys.modules["ssl"] = ssl  # type: ignore[assignment]  # it is a module
    for name in ("base_events", "selector_events", "unix_events", "sslproto"):
        module = sys.modules.get(f"asyncio.{name}")
        if module is not None and getattr(module, "ssl", ssl) is None:
            module.ssl = ssl  # type: ignore[attr-defined]  # asyncio's own global
    sslproto = sys.modules.get("asyncio.sslproto")
    if sslproto is not None:
        errors = (ssl.SSLWantReadError, ssl.SSLSyscallError)  # type: ignore[attr-defined]  # ssl
        sslproto.SSLAgainErrors = errors  # type: ignore[attr-defined]  # as asyncio defines it


def prepare(app: str) -> None:
    """Make the wire safe, then the import path what a plugin may see."""
    sys.path[:] = [folder for folder in sys.path if folder and "-packages" not in folder]
    sys.meta_path.append(HostModules(host_modules(), host_folders()))
    if "ssl" not in sys.modules:
        sys.modules["ssl"] = None  # type: ignore[assignment]  # makes `import ssl` fail for now
        importlib.import_module("asyncio")
        del sys.modules["ssl"]
        sys.meta_path.insert(0, LateSsl())
    stdio = importlib.import_module("wunder_sdk.stdio")
    stdio.take()
    sys.path += [app, os.path.join(app, "vendor")]


def identity(app: str) -> tuple[str, str]:
    """Return id and version from the package's plugin.json, "" and "" if there is none."""
    try:
        with open(os.path.join(os.path.dirname(app), "plugin.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        return str(manifest["plugin_id"]), str(manifest["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def find_channel(module: object, attribute: str) -> object:
    """Return the channel class of a plugin's module: the named one, or the only one."""
    if attribute:
        return getattr(module, attribute)
    channel = importlib.import_module("wunder_sdk.channel").Channel
    found = {
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, channel) and value is not channel
    }
    outermost = [
        one
        for one in found
        if not any(other is not one and issubclass(other, one) for other in found)
    ]
    if len(outermost) != 1:
        names = ", ".join(sorted(one.__name__ for one in outermost)) or "none"
        raise SystemExit(f"expected one Channel class in {module}, found {names}: name it")
    return outermost[0]


def main(arguments: list[str]) -> None:
    """Run the plugin in the folder `arguments[0]`."""
    if not 1 <= len(arguments) <= 2 or not os.path.isdir(arguments[0]):
        sys.stderr.write(f"{(__doc__ or '').strip()}\n")
        raise SystemExit(EXIT_USAGE)
    app = os.path.abspath(arguments[0])
    name, _, attribute = (arguments[1:] or [DEFAULT_MODULE])[0].partition(":")
    prepare(app)
    serving = importlib.import_module("wunder_sdk.serve")
    serving.hold_on()  # the module's own import may hang
    module = importlib.import_module(name)
    serving.serve(find_channel(module, attribute), *identity(app))


if __name__ == "__main__":
    main(sys.argv[1:])
