"""Policy variables and a request context to text: what a value or a resource pattern says for one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.engine.request import UNKNOWN, Unknown
from clew.policy.variables import MULTIVALUED, Literal, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.engine.request import Context
    from clew.policy.pattern import Run
    from clew.policy.variables import Piece


def resolve(pieces: Sequence[Piece], context: Context) -> list[Run] | Unknown | None:
    """The pattern for this context: written text keeps its wildcards, what variables bring in is literal.

    None when a variable has no usable value: the key is one of AWS's multivalued ones, has a list of other than one
    value, or is absent and there is no default. UNKNOWN when one depends on a key that is not known and no other is
    without a value.
    """
    runs: list[Run] = []
    unknown = False
    for piece in pieces:
        if isinstance(piece, str):
            runs.append((piece, True))
        elif isinstance(piece, Literal):
            runs.append((piece.text, False))
        else:
            value = _value(piece, context)
            if value is None:
                return None
            if value is UNKNOWN:
                unknown = True
            else:
                runs.append((value, False))
    return UNKNOWN if unknown else runs


def _value(variable: Variable, context: Context) -> str | Unknown | None:
    key = variable.key.lower()
    if key in MULTIVALUED:
        return None
    value = context.get(key)
    if value is None:
        return variable.default
    if isinstance(value, tuple):
        # Of several values none is usable (docs/decisions/0007-iam-questions.md, Q21).
        return value[0] if len(value) == 1 else None
    return value
