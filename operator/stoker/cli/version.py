"""`stoker version`."""

import argparse

from stoker.cli import answer_options


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("version", help="print the version of this program and of the API that it speaks")
    answer_options.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import json  # noqa: PLC0415 - start-up must be quick
    from importlib.metadata import version  # noqa: PLC0415

    from stoker.api.v1alpha1.modeldeployment import GROUP, VERSION  # noqa: PLC0415

    if options.output == "json":
        print(json.dumps({"version": version("stoker"), "api": f"{GROUP}/{VERSION}"}))
        return 0
    print(f"stoker {version('stoker')}, API {GROUP}/{VERSION}")
    return 0
