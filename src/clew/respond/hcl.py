"""Resources in Terraform's language; every text is quoted so that nothing in it is an expression."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.respond.model import Value


def resource(kind: str, name: str, arguments: Mapping[str, Value]) -> str:
    """One resource block, ending with a line break; a list of one object is a nested block.

    >>> print(resource("aws_s3_bucket_versioning", "pay", {"bucket": "${x}"}), end="")
    resource "aws_s3_bucket_versioning" "pay" {
      bucket = "$${x}"
    }
    """
    return f'resource "{kind}" "{name}" {{\n' + "".join(_body(arguments, "  ")) + "}\n"


def _body(arguments: Mapping[str, Value], indent: str) -> Iterator[str]:
    for name, value in arguments.items():
        if isinstance(value, list):
            yield f"{indent}{name} {{\n" + "".join(_body(value[0], f"{indent}  ")) + f"{indent}}}\n"
        else:
            yield f"{indent}{name} = {_literal(value)}\n"


def _literal(value: Value) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    # Terraform: "Strings and Templates", escape sequences: a doubled sign is the sign itself.
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")
