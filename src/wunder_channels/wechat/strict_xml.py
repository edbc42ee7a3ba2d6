"""Read the small XML of callbacks: elements and text, no DTD, no entities of their own, no depth."""

import re
from xml.parsers import expat

from wunder_sdk import MalformedEvent

#: WeCom's deepest event (contacts, cards with selections) nests five elements (choice).
_MOST_DEPTH = 12
_MOST_ELEMENTS = 2_000
#: Characters that XML 1.0 forbids but people type, and half characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Element:
    """One element: the text directly inside it, and its children in order."""

    __slots__ = ("_first", "children", "content", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.content = ""
        self.children: list[Element] = []
        self._first: dict[str, Element] | None = None

    def find(self, name: str) -> "Element | None":
        """Return the first child of this name."""
        if self._first is None:
            self._first = {child.name: child for child in reversed(self.children)}
        return self._first.get(name)

    def text(self, *path: str) -> str:
        """Return the text of the child at `path`, empty where there is none."""
        found = self
        for name in path:
            child = found.find(name)
            if child is None:
                return ""
            found = child
        return found.content

    def all(self, name: str) -> "list[Element]":
        """Return every element of this name below this one."""
        here = [child for child in self.children if child.name == name]
        return here + [found for child in self.children for found in child.all(name)]


def read_xml(document: bytes) -> Element:
    """Return the root `xml` of a callback's XML; broken characters become U+FFFD.

    Raises:
        MalformedEvent: Not well formed, a DTD or entity, too deep, another root.
    """
    text = _FORBIDDEN.sub("\ufffd", document.decode("utf-8", "replace")).lstrip("\ufeff")
    reading = _Reading()
    try:
        reading.new_parser().Parse(text.encode(), True)
    except expat.ExpatError:
        raise MalformedEvent("the body is not well-formed XML") from None
    if reading.root is None or reading.root.name != "xml":
        raise MalformedEvent("the body is not a callback's XML")
    return reading.root


class _Reading:
    """Builds the tree while expat reads; refuses a DTD before anything in it is looked at."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def new_parser(self) -> expat.XMLParserType:
        """Return a parser that fills this; kept nowhere, so both are freed at once."""
        # The declared encoding does not count: the text was decoded before.
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        return parser

    def _start(self, name: str, _attributes: object) -> None:
        self._count += 1
        if len(self._open) >= _MOST_DEPTH or self._count > _MOST_ELEMENTS:
            raise MalformedEvent("the XML is too deep or has too many elements")
        element = Element(name)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, chunk: str) -> None:
        # buffer_text: one chunk an element but for very long ones.
        self._open[-1].content += chunk

    def _refuse(self, *_declaration: object) -> None:
        raise MalformedEvent("the XML declares a document type or entities")
