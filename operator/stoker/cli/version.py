"""`stoker version`."""

import argparse


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("version", help="print the version of this program and of the API that it speaks")
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    from importlib.metadata import version  # noqa: PLC0415 - start-up must be quick

    from stoker.api.v1alpha1.modeldeployment import GROUP, VERSION  # noqa: PLC0415

    print(f"stoker {version('stoker')}, API {GROUP}/{VERSION}")
    return 0
