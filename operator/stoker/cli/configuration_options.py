"""--config and --set, for every command that needs the operator's configuration."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stoker.cli.configuration_file import LoadedConfiguration

FILE_VARIABLE = "STOKER_CONFIG"


def add_to(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "configuration", "the file, then environment variables such as STOKER_LOG_LEVEL, then --set; the last one wins"
    )
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"the operator's configuration file (default: ${FILE_VARIABLE}, else every key has its default)",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="PATH=VALUE",
        help="one key, such as log.level=debug or 'watch.namespaces=[team-a, team-b]'; may be repeated",
    )


def loaded(options: argparse.Namespace) -> "LoadedConfiguration":
    """The effective configuration, or InputError with all that is wrong with it."""
    from stoker.cli.configuration_file import load  # noqa: PLC0415 - start-up must be quick

    named = os.environ.get(FILE_VARIABLE)
    file: Path | None = options.config or (Path(named) if named else None)
    return load(file, os.environ, options.settings)
