"""One compiled account schema; its faults are made from the keyword, never from the value (rule 12)."""

import re
from typing import Any

import jsonschema_rs

from wunder.accounts.pointer import pointer
from wunder.errors import Conflict, FieldFault

#: Bytes a compiled pattern may take. Choice: 256 characters that repeat need less; bombs need more.
PATTERN_BYTES = 1_048_576
MAX_FAULTS = 50

_WORDS = {
    "additionalProperties": "There is no such field here.",
    "anyOf": "It fits none of the allowed forms.",
    "const": "It must be exactly what the form says.",
    "contains": "It lacks an item that is needed.",
    "dependentRequired": "Fields that belong together are missing.",
    "enum": "Choose one of the listed values.",
    "exclusiveMaximum": "It must be below {limit}.",
    "exclusiveMinimum": "It must be above {limit}.",
    "format": "It does not have the expected form.",
    "maxItems": "At most {limit} items fit here.",
    "maxLength": "At most {limit} characters fit here.",
    "maxProperties": "At most {limit} fields fit here.",
    "maximum": "It must be {limit} or less.",
    "minItems": "At least {limit} items are needed.",
    "minLength": "At least {limit} characters are needed.",
    "minProperties": "At least {limit} fields are needed.",
    "minimum": "It must be {limit} or more.",
    "multipleOf": "It must be a multiple of {multiple_of}.",
    "not": "This form is not allowed.",
    "oneOf": "It must fit exactly one of the allowed forms.",
    "pattern": "It does not have the expected form.",
    "required": "It is missing.",
    "type": "It must be {types}.",
    "unevaluatedItems": "There is no such item here.",
    "unevaluatedProperties": "There is no such field here.",
    "uniqueItems": "Each item may stand here once.",
}
_OWN_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)


class CompiledSchema:
    """A schema ready to check documents. Compiling and checking block: use a thread."""

    def __init__(self, schema: dict[str, Any]) -> None:
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                {name: part for name, part in schema.items() if name not in ("$id", "$schema")},
                validate_formats=True,
                retriever=_refuse,
                # The regex crate matches in linear time and knows no look-around.
                pattern_options=jsonschema_rs.RegexOptions(
                    size_limit=PATTERN_BYTES, dfa_size_limit=PATTERN_BYTES
                ),
            )
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            place = pointer(getattr(error, "instance_path", ()))
            raise Conflict(
                f"The channel's account schema cannot be used: {place or 'its root'} is no valid "
                f"JSON Schema 2020-12 (patterns without look-around or back-references).",
                reason="schema_unusable",
            ) from error

    def faults(self, document: Any) -> list[FieldFault]:
        """Return what is wrong with a document, at most 50 faults."""
        found: list[FieldFault] = []
        for error in self._validator.iter_errors(document):
            found += _faults_of(error)
            if len(found) >= MAX_FAULTS:
                break
        return found[:MAX_FAULTS]


def _faults_of(error: jsonschema_rs.ValidationError) -> list[FieldFault]:
    keyword = error.kind.name
    facts = error.kind.as_dict()
    path = list(error.instance_path)
    words = _WORDS.get(keyword, "It does not fit the form.")
    if keyword == "required":
        return [FieldFault(pointer([*path, str(facts.get("property", ""))]), keyword, words)]
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        names = [str(name) for name in facts.get("unexpected", ())][:MAX_FAULTS]
        places = {
            pointer([*path, name]) if _OWN_NAME.fullmatch(name) else pointer(path) for name in names
        }
        return [FieldFault(place, keyword, words) for place in sorted(places)]
    limits = {
        "limit": facts.get("limit"),
        "multiple_of": facts.get("multipleOf", facts.get("multiple_of")),
        "types": " or ".join(str(one) for one in facts.get("types", ())),
    }
    return [FieldFault(pointer(path), keyword, words.format(**limits))]


def _refuse(uri: str) -> Any:
    raise ValueError("References to other documents are not followed.")
