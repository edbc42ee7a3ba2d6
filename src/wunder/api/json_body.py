"""Request bodies: strict JSON (rule 5), decoded into a wanted type, faults by pointer."""

import re
from typing import Any

import msgspec

from wunder.errors import FieldFault, Invalid, RequestRefused
from wunder.plugins.strict_json import read_document

MAX_DEPTH = 64
_AT = re.compile(r"(?P<words>.*?)(?: - at `(?:key in )?\$(?P<place>.*)`)?\Z", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[\]`]+)|\[(?P<index>\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`\Z", re.DOTALL)
_TYPES = re.compile(r"Expected `[\w |]+`, got `[\w |]+`\Z")
_BOUNDS = re.compile(r"Expected `[\w |]+` (?:of length )?[<>=]+ [\d.]+\Z")


def decode_body(body: bytes, wanted: Any) -> Any:
    """Return `body` as the type `wanted`.

    Raises: RequestRefused 400 for what is no strict JSON; Invalid for wrong fields.
    """
    _, faults = read_document(body, max_bytes=len(body), max_depth=MAX_DEPTH)
    if faults:
        if faults[0].code != "duplicate_key":
            raise RequestRefused(400, "not_json")
        raise Invalid("A key stands twice in the request.", faults)
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise Invalid("The request holds wrong fields.", [fault_of(str(error))]) from None
    except (msgspec.DecodeError, RecursionError):
        raise RequestRefused(400, "not_json") from None


def fault_of(words: str, place: str = "") -> FieldFault:
    """Say a decoder's complaint by pointer and code, without the value that it may quote.

    Args:
        words: as msgspec says it, such as "Expected `int`, got `str` - at `$.peer.id`".
        place: a pointer to put in front.
    """
    match = _AT.match(words)
    said = match["words"] if match else words
    pointer = place + "".join(
        f"/{(step['name'] or step['index']).replace('~', '~0').replace('/', '~1')}"
        for step in _STEP.finditer((match and match["place"]) or "")
    )
    if unknown := _UNKNOWN.match(said):
        return FieldFault(f"{pointer}/{unknown['name'][:64]}", "unknown_field", "no such field")
    if missing := _MISSING.match(said):
        return FieldFault(f"{pointer}/{missing['name']}", "required", "this field is required")
    if _TYPES.match(said):
        return FieldFault(pointer, "type", said.replace("`", ""))
    if _BOUNDS.match(said):
        return FieldFault(pointer, "bounds", said.replace("`", ""))
    return FieldFault(pointer, "value", "this value is not allowed here")
