"""docs/reference/configuration.md: every key of the operator's configuration."""

from collections.abc import Iterator

from stoker.api.configuration import Configuration
from stoker.api.declaration import ApiModel
from stoker.api.fields import DeclaredField, fields_of
from stoker.api.schema import docstrings
from stoker.api.schema.settings import settings
from stoker.api.schema.structural import default_of
from stoker.api.schema.tables import GENERATED, default_cell, meaning, refusals, table, type_of

_LONGEST_IN_A_CELL = 120

_INTRODUCTION = f"""\
{GENERATED.format(source="operator/stoker/api")}# The operator's configuration

One YAML file, which `stoker operator --config FILE` reads; `STOKER_CONFIG` names it too. Every key has a default, so an
empty file is a valid one:

```yaml
log:
  format: json
watch:
  namespaces: [team-a, team-b]
engines:
- name: vllm
  image: registry.example.com/stoker/vllm:0.1.0
```

Environment variables win over the file, and `--set` wins over both: `--set log.level=debug`,
`--set 'watch.namespaces=[team-a, team-b]'`. A variable sets a single value; lists and maps are for the file and for
`--set`, which takes them as YAML. A key that does not exist is refused wherever it stands, and so is a variable that
begins like a key and names none.

`stoker config` prints the effective configuration, and what set each value.
"""


def configuration_reference() -> str:
    head = [_INTRODUCTION, refusals(Configuration)]
    for field in fields_of(Configuration):
        head += _section(field.alias, field)
    return "\n".join(head)


def _section(path: str, field: DeclaredField) -> Iterator[str]:
    """The table of one object, then those of the objects in it."""
    model = field.model
    if model is None:
        return
    yield f"## {path}{'[]' if field.shape.item else ''}\n\n{docstrings.of_model(model)}\n"
    yield _table(path, model)
    if sentences := refusals(model):
        yield sentences
    for inner in fields_of(model):
        if long := _long_default(inner):
            yield f"Default of `{inner.alias}`:\n\n" + "\n".join(f"- `{entry}`" for entry in long) + "\n"
    for inner in fields_of(model):
        yield from _section(f"{path}.{inner.alias}", inner)


def _table(path: str, model: type[ApiModel]) -> str:
    variables = {setting.path: setting.variable for setting in settings().values() if setting.scalar}
    texts = docstrings.of_fields(model)
    rows = []
    for field in fields_of(model):
        default = "below" if _long_default(field) else default_cell(field)
        variable = variables.get(f"{path}.{field.alias}")
        text = meaning(field, texts[field.name])
        rows.append([f"`{field.alias}`", type_of(field), default, f"`{variable}`" if variable else "", text])
    return table(("key", "type", "default", "variable", "meaning"), rows)


def _long_default(field: DeclaredField) -> list[str]:
    default = default_of(field)
    return default if isinstance(default, list) and len(str(default)) > _LONGEST_IN_A_CELL else []
