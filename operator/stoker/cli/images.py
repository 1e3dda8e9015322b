"""`stoker images`: what has to be mirrored for a cluster that does not reach the internet."""

import argparse
from typing import TYPE_CHECKING, Any

from stoker.cli import configuration_options
from stoker.cli.input_error import InputError

if TYPE_CHECKING:
    from stoker.api.configuration import Configuration
    from stoker.cli.image_list import ImageList


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "images",
        help="list the images to mirror",
        description="Lists every image that a fleet may pull: of the configuration, of engines, and of manifests. With"
        " `helm template stoker charts/stoker … | stoker images -f -` that is the operator's own, too, and the"
        " configuration is the one that the chart renders. Reads no cluster.",
    )
    parser.add_argument(
        "-f",
        "--filename",
        action="append",
        default=[],
        metavar="FILE",
        help="manifests, such as ModelDeployments or what helm renders; - for standard input; may be repeated",
    )
    parser.add_argument(
        "--engines",
        metavar="NAME,NAME,…",
        help="engines that are used (default: those of the configuration and manifests; none there: vllm)",
    )
    parser.add_argument("-o", "--output", choices=("text", "json", "name"), default="text", help="(default: text)")
    configuration_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from stoker.cli.image_list import images  # noqa: PLC0415 - start-up must be quick
    from stoker.engines import PROFILES  # noqa: PLC0415

    manifests = [document for name in options.filename for document in _documents(name)]
    configuration = _configuration(options, manifests)
    found = images(configuration, PROFILES, _engines(options, configuration, manifests), manifests)
    print(_text(found, options.output))
    return 0


def _engines(
    options: argparse.Namespace, configuration: "Configuration", manifests: list[dict[str, Any]]
) -> tuple[str, ...]:
    from stoker.api.v1alpha1.engine import EngineName  # noqa: PLC0415

    known = [name.value for name in EngineName]
    if options.engines is not None:
        named = [name.strip() for name in options.engines.split(",")]
        if wrong := [name for name in named if name not in known]:
            raise InputError([f"--engines {name}: there is none: choose of {', '.join(known)}" for name in wrong])
        return tuple(dict.fromkeys(named))
    used = {engine.name.value for engine in configuration.engines}
    for manifest in manifests:
        if manifest.get("kind") == "ModelDeployment":
            spec = manifest.get("spec")
            engine = spec.get("engine") if isinstance(spec, dict) else None
            if not (isinstance(engine, dict) and engine.get("image")):
                used.add(str(engine.get("name") or "vllm") if isinstance(engine, dict) else "vllm")
    return tuple(name for name in known if name in (used or {"vllm"}))


def _configuration(options: argparse.Namespace, manifests: list[dict[str, Any]]) -> "Configuration":
    """The chart's where it is among the manifests and none is named."""
    import json  # noqa: PLC0415

    import yaml  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

    from stoker.api.configuration import Configuration  # noqa: PLC0415
    from stoker.cli.image_list import configurations_in  # noqa: PLC0415

    rendered = list(configurations_in(manifests))
    if options.config or not rendered:
        return configuration_options.loaded(options).configuration
    if len(rendered) > 1:
        raise InputError([f"--filename: holds {len(rendered)} configurations of an operator: name one with --config"])
    try:
        value = yaml.safe_load(rendered[0])
        return Configuration.model_validate_json(json.dumps(value, default=str), by_name=False)
    except (yaml.YAMLError, ValidationError) as wrong:
        sentence = " ".join(str(wrong).split())
        raise InputError([f"--filename: the operator's configuration in it cannot be used: {sentence}"]) from wrong


def _documents(name: str) -> list[dict[str, Any]]:
    from stoker.cli.manifest_file import documents  # noqa: PLC0415

    found = documents(name)
    if not all(isinstance(document, dict) for document in found):
        raise InputError([f"{name}: holds what is no Kubernetes object: give manifests"])
    return found


def _text(found: "ImageList", output: str) -> str:
    import json  # noqa: PLC0415
    from dataclasses import asdict  # noqa: PLC0415

    from stoker.cli.fleet.columns import Cell, Column, table  # noqa: PLC0415
    from stoker.cli.live_screen import width  # noqa: PLC0415
    from stoker.cli.paint import paint_for  # noqa: PLC0415

    if output == "json":
        return json.dumps(asdict(found), indent=2, ensure_ascii=False)
    if output == "name":
        return "\n".join(one.image for one in found.wanted)
    rows = [[Cell(one.image), Cell("; ".join(one.uses))] for one in found.wanted]
    lines = table([Column("IMAGE"), Column("WHAT FOR")], rows, width(), paint_for())
    for engine in found.without:
        lines.append(f"engine {engine}: no image is known: set one in the configuration or in spec.engine.image")
    return "\n".join(lines)
