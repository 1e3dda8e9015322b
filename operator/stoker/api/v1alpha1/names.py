"""Names and short texts that several parts of the API share."""

from typing import Annotated

from pydantic import Field

from stoker.api.declaration import matching

_DNS_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"

# The name of another object in the same namespace.
ObjectName = Annotated[
    str,
    Field(min_length=1, max_length=253),
    matching(
        rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*",
        "{self} cannot be the name of an object: use lowercase letters, digits, '-' and '.',"
        " with a letter or digit at both ends",
    ),
]
# What a user types into a list: a file pattern, a command's word.
ShortText = Annotated[str, Field(min_length=1, max_length=256)]
LabelValue = Annotated[
    str,
    Field(min_length=1, max_length=63),
    matching(
        "[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?",
        "{self} cannot be the value of a label: use letters, digits, '-', '_' and '.',"
        " with a letter or digit at both ends",
    ),
]
# Ten hexadecimal digits of the hash over what makes a revision.
RevisionName = Annotated[
    str,
    Field(min_length=1, max_length=64),
    matching(
        "[0-9a-f]{10}",
        "{self} is not the name of a revision: copy one of ten hexadecimal digits from status.revisions",
    ),
]
