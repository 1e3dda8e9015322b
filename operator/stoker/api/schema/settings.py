"""Every key of the configuration by its path, and the environment variable that stands for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from stoker.api.configuration import Configuration
from stoker.api.declaration import ApiModel
from stoker.api.fields import DeclaredField, fields_of

PREFIX = "STOKER_"
_SCALARS = ("text", "quantity", "integer", "boolean")


@dataclass(frozen=True)
class Setting:
    """One key that holds a value, rather than further keys."""

    path: str
    field: DeclaredField

    @property
    def scalar(self) -> bool:
        return self.field.shape.kind in _SCALARS

    @property
    def variable(self) -> str:
        return variable_of(self.path)


def variable_of(path: str) -> str:
    """reconciling.resyncSeconds → STOKER_RECONCILING_RESYNC_SECONDS."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path)
    return PREFIX + words.replace(".", "_").upper()


@cache
def settings() -> dict[str, Setting]:
    return {setting.path: setting for setting in _below(Configuration, "")}


def _below(model: type[ApiModel], path: str) -> Iterator[Setting]:
    for field in fields_of(model):
        inner = f"{path}.{field.alias}" if path else field.alias
        if field.shape.model:
            yield from _below(field.shape.model, inner)
        else:
            yield Setting(inner, field)
