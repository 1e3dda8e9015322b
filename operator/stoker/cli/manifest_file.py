"""The objects of a file of manifests, or of standard input."""

import sys
from pathlib import Path
from typing import Any

import yaml

from stoker.cli.input_error import InputError
from stoker.cli.yaml_document import syntax_problem


def documents(name: str) -> list[Any]:
    """Those that are not empty, whatever they hold; - is standard input."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return [document for document in yaml.safe_load_all(text) if document is not None]
    except OSError as failed:
        raise InputError([f"{name}: {failed.strerror}: give the path of a manifest"]) from failed
    except yaml.MarkedYAMLError as broken:
        raise InputError([syntax_problem(broken, name)]) from broken
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise InputError([f"{name}: is no YAML: {' '.join(str(broken).split())}"]) from broken
