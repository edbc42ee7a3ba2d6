"""Makes a plugin package of a built-in channel, so that the same code runs in its own process."""

import ast
import hashlib
import json
from pathlib import Path

from wunder.errors import Invalid, NotFound
from wunder.plugins.manifest import MANIFEST_NAME
from wunder.plugins.pack import PackResult, pack_files
from wunder.plugins.recipe import ALWAYS_LEFT_OUT, Recipe, gather

CHANNELS = "wunder_channels"
APP, ENTRY_MODULE = "app", "plugin.py"
RUNTIME = "python>=3.11"
DEFAULT_MODULE = "channel.py"
LABEL_DIGITS = 12
#: Where a built-in keeps a file, and where a package has it.
MOVED = {"account.schema.json": "schemas/account.schema.json"}
SHOWN = ("README.md", "icon.svg", "LICENSE")


def bundle_builtin(builtin_id: str, channels_dir: Path, out_path: Path | None = None) -> PackResult:
    """Pack a built-in channel as a plugin with the same id. Blocking.

    Its version gets the content's digest as build metadata: another gateway's code under the same
    number is another version, and the same code the same package.

    Args:
        builtin_id: The built-in's own id.
        channels_dir: The folder of the built-in channels.
        out_path: Where the zip goes; None only returns it.

    Raises: NotFound, Invalid, PackageRefused.
    """
    folder = _folder_of(builtin_id, channels_dir)
    manifest = json.loads((folder / MANIFEST_NAME).read_text("utf-8"))
    files = {
        name: content
        for one in _needed(folder, channels_dir)
        for name, content in _code_of(one).items()
    }
    for name, place in (*MOVED.items(), *zip(SHOWN, SHOWN, strict=True)):
        if (folder / name).is_file():
            files[place] = (folder / name).read_bytes()
    files[f"{APP}/{ENTRY_MODULE}"] = _entry_module(folder.name, manifest).encode()
    manifest["entry"] = {"any": APP}
    manifest.setdefault("runtime", RUNTIME)
    manifest.pop("serves", None)
    manifest["version"] = f"{manifest['version']}+builtin.{_label(files, manifest)}"
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True)
    files[MANIFEST_NAME] = f"{text}\n".encode()
    return pack_files(files, out_path)


def _folder_of(builtin_id: str, channels_dir: Path) -> Path:
    for path in sorted(channels_dir.glob(f"*/{MANIFEST_NAME}")):
        if json.loads(path.read_text("utf-8")).get("plugin_id") == builtin_id:
            return path.parent
    raise NotFound("no built-in channel has this id; `wunder plugin list` shows them")


def _needed(folder: Path, channels_dir: Path) -> list[Path]:
    """The channel's folder, and those whose code it imports, directly or not."""
    needed, waiting = [folder], [folder]
    while waiting:
        for name in sorted(_imported(waiting.pop())):
            other = channels_dir / name
            if not other.is_dir() and not other.with_suffix(".py").is_file():
                raise Invalid(f"{folder.name} imports {CHANNELS}.{name}, which does not exist")
            other = other if other.is_dir() else other.with_suffix(".py")
            if other not in needed:
                needed.append(other)
                waiting.append(other)
    return needed


def _imported(place: Path) -> set[str]:
    """Names directly below the channels' package that the code of a folder or module imports."""
    found: set[str] = set()
    for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
        if ALWAYS_LEFT_OUT.intersection(file.relative_to(place).parts):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found.update(name.split(".")[1] for name in _modules(node) if "." in name)
    return found


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module == CHANNELS:
        names = [f"{CHANNELS}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    else:
        names = []
    return [name for name in names if name.split(".")[0] == CHANNELS]


def _code_of(place: Path) -> dict[str, bytes]:
    recipe = Recipe(place.parent, {f"{APP}/{CHANNELS}/{place.name}": place}, ALWAYS_LEFT_OUT)
    return gather(recipe)


def _entry_module(folder: str, manifest: dict[str, object]) -> str:
    entry = manifest.get("entry")
    file = entry.get("any", DEFAULT_MODULE) if isinstance(entry, dict) else DEFAULT_MODULE
    module = str(file).removesuffix(".py").replace("/", ".")
    return (
        '"""The entry of a bundled channel: the gateway serves the one channel class it finds."""\n\n'
        f"from {CHANNELS}.{folder}.{module} import *\n"
    )


def _label(files: dict[str, bytes], manifest: dict[str, object]) -> str:
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode())
    for name in sorted(files):
        digest.update(f"{len(name)}:{name}:{len(files[name])}:".encode())
        digest.update(files[name])
    return digest.hexdigest()[:LABEL_DIGITS]
