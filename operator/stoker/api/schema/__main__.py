"""Writes everything that is generated from the models, from the root of the repository."""

from pathlib import Path

from stoker.api.schema.configuration_reference import configuration_reference
from stoker.api.schema.crd import as_yaml, custom_resource_definition
from stoker.api.schema.permissions_reference import permissions_reference
from stoker.api.schema.reasons_reference import reasons_reference
from stoker.api.schema.reference import reference


def generate(root: Path) -> None:
    files = {
        root / "crds" / "stoker.dev_modeldeployments.yaml": as_yaml(custom_resource_definition()),
        root / "docs" / "reference" / "configuration.md": configuration_reference(),
        root / "docs" / "reference" / "modeldeployment.md": reference(),
        root / "docs" / "reference" / "permissions.md": permissions_reference(),
        root / "docs" / "reference" / "reasons.md": reasons_reference(),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    generate(Path.cwd())
