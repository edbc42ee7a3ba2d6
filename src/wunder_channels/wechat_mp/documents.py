"""Read a small XML or JSON document that nobody promised to be well meant, and write XML."""

import re
from collections.abc import Mapping
from typing import NoReturn
from xml.parsers import expat

from wunder_sdk import MalformedEvent
from wunder_sdk.loose_json import JsonObject, read_object

#: WeChat's documents are flat; menus with a scan or a place have one more level (choice).
_MOST_DEPTH, _MOST_ELEMENTS = 8, 256
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOM = b"\xef\xbb\xbf"
_NUMBER_CHARS = 32


def is_json(body: bytes) -> bool:
    """Say whether a body means to be JSON; everything else is read as XML."""
    return body.removeprefix(_BOM).lstrip()[:1] == b"{"


def read_document(body: bytes) -> JsonObject:
    """Return the fields of a document: texts, or objects of texts.

    Raises:
        MalformedEvent: Neither XML as WeChat writes it nor a JSON object.
    """
    body = body.removeprefix(_BOM)
    return read_object(body) if is_json(body) else _XmlReader().read(body)


def write_xml(fields: Mapping[str, object], root: str = "xml") -> str:
    """Write fields as WeChat does: texts in CDATA, numbers bare, a list repeats its element."""
    inner = "".join(_element(name, value) for name, value in fields.items())
    return f"<{root}>{inner}</{root}>"


def clean(text: str) -> str:
    """Drop characters that XML 1.0 cannot hold, lone halves of surrogates among them."""
    return _NOT_XML.sub("", text)


# --- fields ---------------------------------------------------------------------------------------


def string(fields: JsonObject, name: str) -> str:
    """Return a text, or a number as text, empty for anything else."""
    value = fields.get(name)
    if type(value) in (int, float):
        return str(value)
    return value if isinstance(value, str) else ""


def whole(fields: JsonObject, name: str) -> int | None:
    """Return a number of seconds or pieces, None where there is none."""
    text = string(fields, name)
    is_number = text.isascii() and text.isdecimal() and len(text) <= 15
    return int(text) if is_number else None


def decimal(fields: JsonObject, name: str, most: float) -> float | None:
    """Return a number in [-most, most], None where there is none."""
    text = string(fields, name).strip()
    if not re.fullmatch(r"[-+]?[0-9]{1,12}(?:\.[0-9]{0,18})?", text[:_NUMBER_CHARS]):
        return None
    value = float(text[:_NUMBER_CHARS])
    return value if abs(value) <= most else None


# --- XML ------------------------------------------------------------------------------------------


class _XmlReader:
    """An expat parser that refuses whatever WeChat never sends: DTDs, entities, depth, repeats."""

    def __init__(self) -> None:
        self._stack: list[JsonObject] = []
        self._names: list[str] = []
        self._texts: list[list[str]] = []
        self._seen = 0
        self._root: JsonObject = {}

    def read(self, body: bytes) -> JsonObject:
        """Return the fields of `<xml>..</xml>`. Raises: MalformedEvent."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.UnparsedEntityDeclHandler = _refuse
        parser.ExternalEntityRefHandler = _refuse
        parser.SkippedEntityHandler = _refuse
        try:
            parser.Parse(body, True)
        except expat.ExpatError:
            raise MalformedEvent("the document is not XML") from None
        return self._root

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._seen += 1
        if len(self._names) >= _MOST_DEPTH or self._seen > _MOST_ELEMENTS:
            raise MalformedEvent("the document is too deep or has too many elements")
        if not self._names and name != "xml":
            raise MalformedEvent("the document is not an <xml>")
        self._names.append(name)
        self._stack.append({})
        self._texts.append([])

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)

    def _end(self, name: str) -> None:
        self._names.pop()
        children, text = self._stack.pop(), "".join(self._texts.pop())
        if not self._stack:
            self._root = children
            return
        parent = self._stack[-1]
        if name in parent and len(self._stack) == 1:
            raise MalformedEvent("an element is repeated")
        parent.setdefault(name, children or text)


def _refuse(*_declaration: object) -> NoReturn:
    raise MalformedEvent("a document type or an entity is declared")


def _element(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return write_xml(value, name)
    if isinstance(value, list):
        return f"<{name}>" + "".join(write_xml(one, "item") for one in value) + f"</{name}>"
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    text = clean(str(value)).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{text}]]></{name}>"
