"""`stoker config`: the effective configuration, and what set each value that is not a default."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stoker.cli import configuration_options

if TYPE_CHECKING:
    from stoker.api.configuration import Configuration


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "config",
        help="print the effective configuration of the operator",
        description="Prints the effective configuration, with a comment on what set each value that has not its"
        " default. What is printed can be used as a configuration file.",
    )
    configuration_options.add_to(parser)
    parser.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml", help="(default: yaml)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import json  # noqa: PLC0415 - start-up must be quick

    from stoker.api.configuration import Configuration  # noqa: PLC0415

    loaded = configuration_options.loaded(options)
    effective, defaults = _written(loaded.configuration), _written(Configuration())
    if options.output == "json":
        print(json.dumps(effective, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(effective, defaults, loaded.origins, "")))
    return 0


def _written(configuration: "Configuration") -> dict[str, Any]:
    manifest: dict[str, Any] = configuration.model_dump(mode="json", by_alias=True, exclude_none=True)
    return manifest


def _lines(section: Mapping[str, Any], defaults: Mapping[str, Any], origins: Mapping[str, str], path: str) -> list[str]:
    """YAML by hand as far as the keys go, since no library here writes comments."""
    import yaml  # noqa: PLC0415

    from stoker.api.schema.settings import settings  # noqa: PLC0415

    lines: list[str] = []
    for key, value in section.items():
        inner = f"{path}.{key}" if path else key
        indent = "  " * inner.count(".")
        if inner not in settings() and value:
            lines += [f"{indent}{key}:", *_lines(value, defaults[key], origins, inner)]
            continue
        first, *more = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=10_000).splitlines()
        comment = "" if value == defaults.get(key) else f"  # {origins[inner]}"
        lines.append(f"{indent}{first}{comment}")
        lines += [f"{indent}{line}" for line in more]
    return lines
