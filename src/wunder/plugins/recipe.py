"""What goes into a package: a plugin's folder as it is, or what its pack.toml says."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wunder.errors import FieldFault, Invalid

RECIPE_NAME, LOCK_NAME = "pack.toml", "vendor.lock"
#: Never part of a package, wherever they occur.
ALWAYS_LEFT_OUT = frozenset({"__pycache__", "tests", "fixtures", RECIPE_NAME, LOCK_NAME})
_KEYS = frozenset({"include", "exclude", "vendor"})


@dataclass(frozen=True, slots=True)
class Recipe:
    """`include` maps a path in the zip to a file or folder on disk; `vendor` lists requirements."""

    folder: Path
    include: dict[str, Path]
    exclude: frozenset[str]
    vendor: tuple[str, ...] = ()


def read_recipe(folder: Path) -> Recipe:
    """Read a plugin folder's recipe; without one the folder is packed as it is.

    Raises: Invalid, with faults by their place in pack.toml.
    """
    if not (folder / "plugin.json").is_file() and not (folder / RECIPE_NAME).is_file():
        raise Invalid(f"{folder} has neither plugin.json nor {RECIPE_NAME}: name a plugin's folder")
    try:
        raw = tomllib.loads((folder / RECIPE_NAME).read_text("utf-8"))
    except FileNotFoundError:
        return Recipe(folder, {"": folder}, ALWAYS_LEFT_OUT)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{RECIPE_NAME} is not TOML: {error}") from error
    faults = list(_shape_faults(raw))
    if not faults:
        include = {name: (folder / source) for name, source in raw.get("include", {}).items()}
        for name, source in include.items():
            if not source.exists():
                message = "its source does not exist"
                faults.append(FieldFault(f"/include/{name}", "source_missing", message))
        if not faults:
            left_out = ALWAYS_LEFT_OUT.union(raw.get("exclude", ()))
            return Recipe(folder, include, left_out, tuple(raw.get("vendor", ())))
    raise Invalid(f"{RECIPE_NAME} has faults", faults)


def gather(recipe: Recipe) -> dict[str, bytes]:
    """Return path in the zip -> content, without what is left out. Blocking.

    Raises: Invalid for a link, or two sources for one path.
    """
    found: dict[str, bytes] = {}
    for name, source in recipe.include.items():
        for path, file in _files(name, source, recipe.exclude):
            if path in found:
                raise Invalid(f"two sources for {path} in the package: correct {RECIPE_NAME}")
            found[path] = file.read_bytes()
    return found


def _files(name: str, source: Path, left_out: frozenset[str]) -> list[tuple[str, Path]]:
    if source.is_symlink():
        raise Invalid(f"{source} is a link: pack what it points to")
    if source.is_file():
        return [(name, source)]
    found: list[tuple[str, Path]] = []
    for child in sorted(source.iterdir()):
        if child.name in left_out or child.name.startswith(".") or child.suffix == ".pyc":
            continue
        found += _files(f"{name}/{child.name}" if name else child.name, child, left_out)
    return found


def _shape_faults(raw: dict[str, Any]) -> list[FieldFault]:
    faults = [
        FieldFault(f"/{key}", "unknown_field", f"a recipe has {', '.join(sorted(_KEYS))}")
        for key in raw
        if key not in _KEYS
    ]
    include = raw.get("include")
    if not isinstance(include, dict) or not all(isinstance(one, str) for one in include.values()):
        faults.append(FieldFault("/include", "type", 'a table of "path in the zip" = "source"'))
    for key in ("exclude", "vendor"):
        items = raw.get(key, [])
        if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
            faults.append(FieldFault(f"/{key}", "type", "an array of texts"))
    return faults
