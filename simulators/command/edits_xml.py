"""Values set in XML texts: attributes and texts of elements, found by ElementTree paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from simulators.command.texts import TextError


def set_xml(text: str, assignments: Sequence[tuple[str, Any]]) -> str:
    """A text with values set; comments stay.

    Args:
        text: of the file; one that declares entities is refused.
        assignments: (path from the root such as ``a/b[2]/@attribute``, or ``a/b`` for the element's text, value).

    Raises:
        TextError: it is not XML, or a path does not lead to exactly one attribute or element without children.
    """
    root, prolog = parse_xml(text)
    for path, value in assignments:
        _set(root, path, _printed(value))
    return f"{prolog}{ElementTree.tostring(root, encoding='unicode')}\n"


def parse_xml(text: str) -> tuple[ElementTree.Element, str]:
    """The root of an XML text, comments kept, and what stands before it.

    Raises:
        TextError: it is not XML, or declares entities, with which a small text can grow without end or read other files.
    """
    content = text.encode()
    scanner = expat.ParserCreate(encoding="utf-8")

    def refuse(*_: Any) -> NoReturn:
        raise TextError("it declares XML entities, which are not read")

    starts: list[int] = []
    scanner.StartElementHandler = lambda *_: starts.append(scanner.CurrentByteIndex)
    scanner.EntityDeclHandler = refuse
    scanner.ExternalEntityRefHandler = refuse
    try:
        scanner.Parse(content, True)
        builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
        root = ElementTree.fromstring(content, ElementTree.XMLParser(target=builder, encoding="utf-8"))
    except (expat.ExpatError, ElementTree.ParseError) as error:
        raise TextError(f"it is not XML: {error}") from None
    return root, content[: starts[0]].decode()


def _set(root: ElementTree.Element, path: str, value: str) -> None:
    place, at, attribute = (
        path.rpartition("/@") if "/@" in path else ("", "@", path[1:]) if path[:1] == "@" else (path, "", "")
    )
    try:
        found = root.findall(place) if place else [root]
    except (SyntaxError, KeyError, TypeError) as error:
        raise TextError(f"{path!r} is no path: {error}") from None
    if len(found) != 1:
        raise TextError(f"{path} must lead to one element of <{root.tag}>, it leads to {len(found)}")
    (element,) = found
    if not at:
        if len(element):
            raise TextError(f"{path} leads to an element with children; only a text can be set")
        element.text = value
    elif attribute not in element.attrib:
        known = ", ".join(element.attrib) or "none"
        raise TextError(f"{path}: <{element.tag}> has no attribute {attribute!r}, it has {known}")
    else:
        element.set(attribute, value)


def _printed(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
