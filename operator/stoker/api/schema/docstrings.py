"""The documentation of the models, read from their source: the class docstring, and the string below each field."""

import ast
import inspect
import textwrap
from functools import cache

from stoker.api.declaration import ApiModel


def of_model(model: type[ApiModel]) -> str:
    return _one_line(inspect.getdoc(model) or "")


@cache
def of_fields(model: type[ApiModel]) -> dict[str, str]:
    """Field name → the string that stands below it."""
    (class_node,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    if not isinstance(class_node, ast.ClassDef):
        raise TypeError(f"the source of {model.__name__} is not a class")
    found = {}
    for node, following in zip(class_node.body, class_node.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(following, ast.Expr):
            text = ast.literal_eval(following.value) if isinstance(following.value, ast.Constant) else ""
            found[node.target.id] = _one_line(str(text))
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())
