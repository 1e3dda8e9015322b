"""`stoker preflight`: whether a cluster is ready for the first model."""

import argparse


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("preflight", help="check a cluster before the first model")
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    raise NotImplementedError
