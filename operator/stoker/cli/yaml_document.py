"""A YAML file with the line of everything in it, so that a problem can be found where it was written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_MERGE, _TIMESTAMP = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:timestamp"

# What the parser says → what to do about it.
_ADVICE = {
    "'\\t'": "indent with spaces",
    "mapping values are not allowed": "put a value that contains ': ' in quotes, and align the keys",
    "expected a single document": "keep one of them, without ---",
    "could not find expected ':'": "write KEY: VALUE",
    "cannot start any token": "put the value in quotes",
    "undefined alias": "define the anchor above, or put a value that starts with * in quotes",
    "could not determine a constructor": "remove the tag, or put a value that starts with ! in quotes",
}


class _Loader(yaml.SafeLoader):
    """YAML without dates."""


# No field holds a date, so 2026-01-31 is the text that it looks like.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document:
    """The mapping at the top of a file, the line of each path in it, and what keeps it from being read."""

    value: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_document(file: Path) -> Document:
    try:
        return parsed(file.read_text(encoding="utf-8"), str(file))
    except FileNotFoundError:
        return Document(problems=(f"{file}: there is no such file: give the path of the configuration",))
    except IsADirectoryError:
        return Document(problems=(f"{file}: is a folder: give the path of a file in it",))
    except UnicodeDecodeError as broken:
        return Document(problems=(f"{file}: is not UTF-8 from byte {broken.start} on: save it as UTF-8",))
    except OSError as failed:
        return Document(problems=(f"{file}: cannot be read, {failed.strerror}: make it readable for this user",))


def parsed(text: str, name: str) -> Document:
    """Problems start with the name of the file and the line."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None or node.tag == _NULL:
            return Document()
        if not isinstance(node, yaml.MappingNode):
            return Document(problems=(f"{name}: {_no_mapping(node)}",))
        lines: dict[str, int] = {}
        problems = tuple(f"{name}, line {line}: {sentence}" for line, sentence in _walk(node, "", lines, ()))
        if problems:
            return Document(lines=lines, problems=problems)
        return Document(_built(node), lines)
    except yaml.MarkedYAMLError as broken:
        return Document(problems=(syntax_problem(broken, name),))
    except yaml.YAMLError as broken:  # a character that YAML does not allow has no line
        return Document(problems=(f"{name}: is no YAML, {' '.join(str(broken).split())}: remove the character",))


def value_of(text: str) -> Any:
    """A value as the right side of a YAML key has it; yaml.YAMLError where it is none."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader


def _built(node: yaml.Node) -> dict[str, Any]:
    loader = _Loader("")
    try:
        value: dict[str, Any] = loader.construct_document(node)
        return value
    finally:
        loader.dispose()


def _no_mapping(node: yaml.Node) -> str:
    found = "a list" if isinstance(node, yaml.SequenceNode) else f"the value {node.value!r}"
    return f"holds {found}, not keys and their values: write lines such as `log: {{level: debug}}`"


def _walk(node: yaml.Node, path: str, lines: dict[str, int], above: tuple[yaml.Node, ...]) -> Iterator[tuple[int, str]]:
    """Notes the line of everything below, and yields what is wrong with the keys."""
    if node in above:
        yield _line(node), f"{path}: contains itself by an alias: write it out"
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[f"{path}[{index}]"] = _line(item)
            yield from _walk(item, f"{path}[{index}]", lines, (*above, node))
    elif isinstance(node, yaml.MappingNode):
        yield from _walk_mapping(node, path, lines, (*above, node))


def _walk_mapping(
    node: yaml.MappingNode, path: str, lines: dict[str, int], above: tuple[yaml.Node, ...]
) -> Iterator[tuple[int, str]]:
    own = [(key, value) for key, value in node.value if key.tag != _MERGE]
    # What is merged in comes first, since the mapping's own keys win.
    for _, merged in (pair for pair in node.value if pair[0].tag == _MERGE):
        for source in merged.value if isinstance(merged, yaml.SequenceNode) else (merged,):
            yield from _walk(source, path, lines, above)
    first: dict[str, int] = {}
    for key, value in own:
        line = _line(key)
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
        inner = f"{path}.{name}" if path else name
        if key.tag != _TEXT:
            yield line, f"{inner}: YAML does not read this key as a text: put a text in quotes"
        elif name in first:
            yield line, f"{inner}: stands on line {first[name]} too: keep one of them"
        first.setdefault(name, line)
        lines[inner] = line
        yield from _walk(value, inner, lines, above)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def syntax_problem(broken: yaml.MarkedYAMLError, name: str) -> str:
    mark = broken.problem_mark or broken.context_mark
    line = f", line {mark.line + 1}" if mark else ""
    said = str(broken.problem or broken.context)
    advice = next((advice for sign, advice in _ADVICE.items() if sign in f"{broken.context} {said}"), None)
    advice = advice or "look at this line and the one above"
    return f"{name}{line}: is no YAML, {said}: {advice}"
