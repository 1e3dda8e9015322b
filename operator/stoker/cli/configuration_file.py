"""The configuration of the operator: the file, then environment variables, then --set, and where each value came from.

A configuration is its author's to mend, so everything that is wrong with it is said at once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stoker.api.configuration import Configuration
from stoker.api.fields import Shape, fields_of
from stoker.api.problems import Problem, broken_rules, problem_from
from stoker.cli.input_error import InputError
from stoker.cli.overrides import Override, from_environment, from_flags
from stoker.cli.yaml_document import Document, read_document

_ROOT = Shape("object", model=Configuration)


@dataclass(frozen=True)
class LoadedConfiguration:
    """The effective configuration, and for each path that was set, by what."""

    configuration: Configuration
    origins: Mapping[str, str]


def load(file: Path | None, environment: Mapping[str, str], flags: Sequence[str] = ()) -> LoadedConfiguration:
    """InputError names all that is wrong."""
    document = read_document(file) if file else Document()
    origins = {path: f"{file}, line {line}" for path, line in document.lines.items()}
    by_variable, unknown_variables = from_environment(environment)
    by_flag, unknown_flags = from_flags(flags)
    problems = [*document.problems, *_nulls_taken_out(document.value, origins), *unknown_variables, *unknown_flags]
    for override in (*by_variable, *by_flag):
        _put(override, document.value, origins)
    try:
        configuration = Configuration.model_validate_json(json.dumps(document.value, default=str), by_name=False)
    except ValidationError as invalid:
        found = [problem_from(error, Configuration) for error in invalid.errors()]
    else:
        found = broken_rules(configuration)
    problems += [_located(problem, origins) for problem in found]
    if problems:
        raise InputError(problems)
    return LoadedConfiguration(configuration, origins)


def _put(override: Override, value: dict[str, Any], origins: dict[str, str]) -> None:
    *sections, key = override.path.split(".")
    section: Any = value
    for name in sections:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            return  # the file has something else in place of this section, and is told so
    section[key] = override.value
    for path in [path for path in origins if path.startswith((f"{override.path}.", f"{override.path}["))]:
        del origins[path]
    origins[override.path] = override.origin


def _nulls_taken_out(value: dict[str, Any], origins: Mapping[str, str]) -> list[str]:
    """`log:` with nothing below it: what its author meant, nobody knows."""
    sentence = "is empty: remove it, or give it a value"
    return [_located(Problem(path, sentence), origins) for path in list(_take_out_nulls(value, _ROOT, ""))]


def _take_out_nulls(value: Any, shape: Shape | None, path: str) -> Iterator[str]:
    if shape and shape.kind == "json":
        return  # null means something there, as in a Toleration
    if isinstance(value, dict):
        for key in list(value):
            inner = f"{path}.{key}" if path else str(key)
            if value[key] is None:
                del value[key]
                yield inner
            else:
                yield from _take_out_nulls(value[key], _shape_below(shape, key), inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _take_out_nulls(item, shape.item if shape else None, f"{path}[{index}]")


def _shape_below(shape: Shape | None, key: str) -> Shape | None:
    if shape and shape.model:
        return next((field.shape for field in fields_of(shape.model) if field.alias == key), None)
    return shape.item if shape else None


def _located(problem: Problem, origins: Mapping[str, str]) -> str:
    path = problem.path
    origin = _origin_of(path, origins)
    sentence = str(Problem(path, problem.sentence))
    if origin.endswith(f" {path}"):  # --set log.level: … names the path already
        return f"{origin}: {problem.sentence}"
    return f"{origin}: {sentence}" if origin else sentence


def _origin_of(path: str, origins: Mapping[str, str]) -> str:
    """By what a path was set. A key that is missing, or that a rule blames though it has its default, was set by
    nothing: then what stands next to it is to blame, or else what it is in."""
    if path in origins:
        return origins[path]
    above = _parent(path)
    beside = [origin for other, origin in origins.items() if above and _parent(other) == above]
    if beside:
        return " and ".join(dict.fromkeys(beside))
    return _origin_of(above, origins) if above else ""


def _parent(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]
