"""JSON Schemas of protocol 1, made from the dataclasses: `python -m wunder_wire.schemas`."""

import dataclasses
import json
import re
import sys
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from wunder_wire import errors, ids, manifest, message, methods
from wunder_wire.shapes import is_required

FOLDER = Path(__file__).with_name("v1")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SUFFIX = ".schema.json"

#: What a type cannot say, by class and field.
_FURTHER: dict[tuple[str, str], dict[str, Any]] = {
    ("Manifest", "plugin_id"): {"pattern": "^" + ids.PLUGIN_ID.pattern.replace(r"\Z", "$")},
    ("Manifest", "version"): {"pattern": "^" + ids.SEMVER.pattern.replace(r"\Z", "$")},
}
_WORDS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def all_schemas() -> dict[str, dict[str, Any]]:
    """Return every schema by file name; each stands alone, with references inside itself only."""
    shapes: dict[str, type[Any]] = {
        "ChannelMessage": message.ChannelMessage,
        "OutboundMessage": message.OutboundMessage,
        "Receipt": message.Receipt,
        "Manifest": manifest.Manifest,
        "Error": errors.ErrorObject,
    }
    for name, (params, result) in {**methods.HOST_TO_PLUGIN, **methods.PLUGIN_TO_HOST}.items():
        shapes[f"{name}.params"] = params
        shapes[f"{name}.result"] = result
    for name, params in methods.NOTIFICATIONS.items():
        shapes[f"{name.removeprefix('$/')}.params"] = params
    return {name + SUFFIX: schema_of(shape, name) for name, shape in shapes.items()}


def schema_of(shape: type[Any], title: str) -> dict[str, Any]:
    """Return the schema of a dataclass as a document of its own."""
    definitions: dict[str, Any] = {}
    _define(shape, definitions)
    own = definitions.pop(shape.__name__)
    document = {"$schema": DIALECT, "title": title, **own}
    if definitions:
        document["$defs"] = dict(sorted(definitions.items()))
    return document


def write(folder: Path = FOLDER) -> None:
    """Write all schemas into `folder` and remove those that are no more."""
    wanted = all_schemas()
    for old in folder.glob("*" + SUFFIX):
        if old.name not in wanted:
            old.unlink()
    for name, schema in wanted.items():
        (folder / name).write_text(text_of(schema), "utf-8")


def text_of(schema: dict[str, Any]) -> str:
    """Return a schema as it stands in its file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _define(shape: Any, definitions: dict[str, Any]) -> None:
    if shape.__name__ in definitions:
        return
    entry: dict[str, Any] = {"type": "object", "description": _sentence(shape)}
    definitions[shape.__name__] = entry
    hints = get_type_hints(shape)
    properties: dict[str, Any] = {}
    for field in dataclasses.fields(shape):
        further = _FURTHER.get((shape.__name__, field.name), {})
        properties[field.name] = {
            **_schema(hints[field.name], definitions), **_default(field), **further,
        }  # fmt: skip
    required = [field.name for field in dataclasses.fields(shape) if is_required(field)]
    if properties:
        entry["properties"] = properties
    if required:
        entry["required"] = required


def _schema(shape: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if dataclasses.is_dataclass(shape):
        _define(shape, definitions)
        return {"$ref": f"#/$defs/{shape.__name__}"}  # type: ignore[union-attr]  # it is a class
    if shape is Any:
        return {}
    if shape in _WORDS:
        return {"type": _WORDS[shape]}
    origin, arguments = get_origin(shape), get_args(shape)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is types.UnionType or origin is Union:
        return {"anyOf": [_schema(member, definitions) for member in arguments]}
    if origin is dict:
        value = _schema(arguments[1], definitions)
        return {"type": "object", "additionalProperties": value} if value else {"type": "object"}
    if arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    items = [_schema(argument, definitions) for argument in arguments]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _default(field: "dataclasses.Field[Any]") -> dict[str, Any]:
    if isinstance(field.default, str | int | float | bool):
        return {"default": field.default}
    return {}


def _sentence(shape: Any) -> str:
    first = (shape.__doc__ or "").strip().partition("\n\n")[0]
    return re.sub(r"\s+", " ", first)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
