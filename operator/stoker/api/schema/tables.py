"""The tables of the reference, and what stands in their cells."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from stoker.api.declaration import ApiModel
from stoker.api.fields import DeclaredField, Shape
from stoker.api.problems import union_sentence
from stoker.api.schema.structural import default_of

GENERATED = "<!-- Generated from {source} by `make generate`. Do not edit. -->\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    written = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join((written[0], "|" + "---|" * len(head), *written[1:])) + "\n"


def meaning(field: DeclaredField, text: str) -> str:
    for example in field.examples[:1]:
        if example != []:
            written = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
            text += f" Example: `{written}`"
    return text.replace("|", "\\|")


def type_of(field: DeclaredField) -> str:
    text = _type(field.shape)
    return f"{text}, {field.unit}" if field.unit else text


def _type(shape: Shape) -> str:
    if shape.kind == "list" and shape.item:
        return f"list of {_type(shape.item)}, at most {shape.at_most}"
    if shape.kind == "map" and shape.item:
        return f"map of {_type(shape.item)}"
    if shape.choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in shape.choices)
    if shape.kind == "integer":
        return _bounded_integer(shape)
    return {"json": "object, free-form"}.get(shape.kind, shape.kind)


def _bounded_integer(shape: Shape) -> str:
    if shape.at_least is not None and shape.at_most is not None:
        return f"integer {shape.at_least} to {shape.at_most}"
    return "integer"


def default_cell(field: DeclaredField) -> str:
    if field.required:
        return "**required**"
    default: Any = default_of(field)
    if default is None or field.model:
        return ""  # the tables below have the defaults of what is inside
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def refusals(model: type[ApiModel]) -> str:
    """What refuses an object, with the found values left open; empty where nothing does."""
    sentences = [re.sub(r"\{(?:self\.)?([a-zA-Z.]+)\}", r"*\1*", rule.says) for rule in model.rules]
    if model.exactly_one_of:
        aliases = tuple(model.model_fields[name].alias or name for name in model.exactly_one_of)
        sentences.append(union_sentence(aliases))
    sentences += [rule.says for rule in model.transition_rules]
    if not sentences:
        return ""
    return "Refused with a sentence:\n\n" + "\n".join(f"- {sentence}" for sentence in dict.fromkeys(sentences)) + "\n"
