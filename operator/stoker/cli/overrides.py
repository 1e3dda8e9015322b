"""Keys of the configuration that environment variables and --set give, and what is wrong with those that give none."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from stoker.api.configuration import Configuration
from stoker.api.fields import fields_of
from stoker.api.schema.settings import Setting, settings, variable_of
from stoker.cli.yaml_document import value_of

_FLAG = "--set"
_LINK_PORT = re.compile(r"(_SERVICE_(HOST|PORT(_.*)?)|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$")


@dataclass(frozen=True)
class Override:
    """One key that was set apart from the file."""

    path: str
    value: Any
    origin: str


# Overrides, and sentences about what is no override.
Overrides = tuple[list[Override], list[str]]


def from_environment(environment: Mapping[str, str]) -> Overrides:
    """Only names that begin with one of the configuration's own keys: STOKER_CACHE and the like are somebody else's."""
    by_name = {setting.variable: setting for setting in settings().values()}
    overrides, problems = [], []
    for name in _names_of_keys(environment):
        setting, text = by_name.get(name), environment[name]
        if setting is None:
            problems.append(f"{name}: {_no_such_variable(name, by_name)}")
        elif not setting.scalar:
            problems.append(
                f"{name}: stands for {setting.path}, which is no single value:"
                f" write it in the configuration file, or give {_FLAG} '{setting.path}=…' in YAML"
            )
        elif not text:
            problems.append(f"{name}: is empty: unset it, or give {setting.path} a value")
        else:
            overrides.append(Override(setting.path, _typed(text, setting), name))
    return overrides, problems


def _names_of_keys(environment: Mapping[str, str]) -> Iterable[str]:
    sections = tuple(variable_of(field.alias) for field in fields_of(Configuration))
    for name in sorted(environment):
        if any(name == section or name.startswith(f"{section}_") for section in sections) and not _is_service_link(
            name, environment
        ):
            yield name


def _is_service_link(name: str, environment: Mapping[str, str]) -> bool:
    """A Service named stoker-probes makes the kubelet set STOKER_PROBES_PORT=tcp://10.0.0.1:80 in every pod."""
    service = _LINK_PORT.sub("", name)
    if service == name or f"{service}_SERVICE_HOST" not in environment:
        return False
    return name != f"{service}_PORT" or "://" in environment[name]


def _no_such_variable(name: str, by_name: Mapping[str, Setting]) -> str:
    scalars = [variable for variable, setting in by_name.items() if setting.scalar]
    close = difflib.get_close_matches(name, scalars, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]}?" if close else "unset it; `stoker config` lists the keys"
    return f"stands for no key of the configuration: {meant}"


def from_flags(flags: Iterable[str]) -> Overrides:
    overrides: list[Override] = []
    problems: list[str] = []
    for flag in flags:
        path, equals, text = flag.partition("=")
        setting = settings().get(path)
        if not equals:
            problems.append(f"{_FLAG} {flag}: has no value: write {_FLAG} {flag or 'log.level'}=VALUE")
        elif setting is None:
            problems.append(f"{_FLAG} {flag}: {_no_such_path(path)}")
        else:
            try:
                value = _typed(text, setting) if setting.scalar else value_of(text)
            except yaml.YAMLError:
                example = "[a, b]" if setting.field.shape.kind == "list" else "{a: b}"
                problems.append(f"{_FLAG} {flag}: {text} is no YAML: write {_FLAG} '{path}={example}'")
            else:
                overrides.append(Override(path, value, f"{_FLAG} {path}"))
    return overrides, problems


def _no_such_path(path: str) -> str:
    below = [known for known in settings() if known.startswith(f"{path}.")]
    if below:
        return f"{path} holds further keys: set one of them, such as {below[0]}"
    close = difflib.get_close_matches(path, settings(), n=1, cutoff=0.6)
    meant = f"did you mean {close[0]}?" if close else "`stoker config` lists the keys"
    return f"{path} is not a key of the configuration: {meant}"


def _typed(text: str, setting: Setting) -> Any:
    """What does not have the type of the field stays a text, and is refused as one with everything else."""
    kind = setting.field.shape.kind
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
