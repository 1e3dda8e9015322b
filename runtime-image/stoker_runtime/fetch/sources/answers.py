"""Answers of foreign servers, read with suspicion."""

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import Reply


def read_object(reply: Reply, what: str) -> Mapping[str, Any]:
    """A JSON object."""
    value = _read_json(reply, what)
    if not isinstance(value, dict):
        raise nonsense(what, "JSON that is not an object")
    return value


def read_objects(reply: Reply, what: str) -> list[Mapping[str, Any]]:
    """A JSON list of objects."""
    value = _read_json(reply, what)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise nonsense(what, "JSON that is not a list of objects")
    return value


def read_xml(reply: Reply, what: str, root: str) -> ET.Element:
    """An XML document without namespaces. Document types are refused: they can make a small text fill the memory."""
    if b"<!DOCTYPE" in reply.body or b"<!ENTITY" in reply.body:
        raise nonsense(what, "XML with a document type")
    try:
        document = ET.fromstring(reply.body)  # noqa: S314 - entities were refused above
    except ET.ParseError as error:
        raise nonsense(what, f"no XML ({error})") from error
    for element in document.iter():
        element.tag = element.tag.rpartition("}")[2]
    if document.tag != root:
        raise nonsense(what, f"<{document.tag}> and not <{root}>")
    return document


def text_field(value: Mapping[str, Any], name: str, what: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise nonsense(what, f"no text in {name!r}")
    return found


def size_field(value: Mapping[str, Any], name: str, what: str) -> int | None:
    """A number, or a text of digits. None where it is absent."""
    found = value.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, str)):
        raise nonsense(what, f"{found!r} in {name!r}")
    return whole_number(str(found), what)


def whole_number(text: str, what: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 20:
        raise nonsense(what, f"{text[:40]!r} where a number belongs")
    return int(text)


def nonsense(what: str, found: str) -> WeightsError:
    """Mostly the sign-in page of a proxy, or an address that is another service's."""
    return WeightsError(
        Reason.UNREACHABLE, f"{what} answered with {found}: is the address right, and does a proxy answer in its place?"
    )


def _read_json(reply: Reply, what: str) -> object:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise nonsense(what, "no JSON") from error
