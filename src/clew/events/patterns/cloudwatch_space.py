"""The space-delimited form of CloudWatch Logs filter patterns: `[ip, user, ..., status = 4* && status != 403]`.

A line is cut at spaces; `[…]` and `"…"` are one field each, and `...` stands for any number of fields. A line with
another number of fields does not match. Amazon CloudWatch Logs user guide: "Using filter patterns to match terms in
space-delimited log events".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.errors import RuleError
from clew.events.patterns.cloudwatch_json import read_json
from clew.events.predicate_tree import TRUE, And, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
_NAME: Final = re.compile(r"\s*\$?(\w+)")
_REST: Final = "..."
_PLACE: Final = re.compile(r"(?<![\w.$\"%])\$?(\w+)(?=\s*(?:!=|<=|>=|=|<|>))")


@dataclass(frozen=True, slots=True)
class SpaceDelimited:
    """The names of the fields in order, with `...` where any number may stand, and the predicate over them.

    Fields are texts; the predicate's numbers look for texts that are numbers.
    """

    names: tuple[str, ...]
    tree: Node

    def event(self, line: str) -> Mapping[str, object] | None:
        """The fields of a line by name; None where the line has another number of fields.

        >>> read_space("[ip, ..., status = 4*]").event('203.0.113.7 - [10/Oct] "GET /" 404')
        {'ip': '203.0.113.7', 'status': '404'}
        """
        fields = [
            next(part for part in found if part or found == ("", "", "")) for found in _FIELD.findall(line)
        ]
        if _REST not in self.names:
            cut = fields if len(fields) == len(self.names) else None
            names = self.names
        else:
            at = self.names.index(_REST)
            behind = len(self.names) - at - 1
            names = self.names[:at] + self.names[at + 1 :]
            enough = len(fields) >= len(names)
            cut = [*fields[:at], *fields[len(fields) - behind :]] if enough else None
        return None if cut is None else dict(zip(names, cut, strict=True))


def read_space(text: str) -> SpaceDelimited:
    """The names and the predicate. Errors: RuleError with the field that cannot be read."""
    inside = text.strip()
    if not inside.endswith("]"):
        raise RuleError("filter pattern: expected `]` at the end")
    names: list[str] = []
    parts: list[Node] = []
    for number, field in enumerate(inside[1:-1].split(","), start=1):
        if field.strip() == _REST:
            names.append(_REST)
            continue
        name = _NAME.match(field)
        if name is None:
            raise RuleError(f"filter pattern, field {number}: expected a name, found `{field.strip()[:40]}`")
        names.append(name[1])
        if field[name.end() :].strip():
            parts.append(_condition(field))
    if names.count(_REST) > 1:
        raise RuleError("filter pattern: expected `...` at most once")
    return SpaceDelimited(tuple(names), And(tuple(parts)) if parts else TRUE)


def _condition(field: str) -> Node:
    """The condition on a field: the JSON form's comparisons, with the name for a selector."""
    return read_json("{" + _PLACE.sub(r"$.\1", field) + "}")
