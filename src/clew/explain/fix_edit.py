"""One policy document as it is and as it should be: where it is kept, the difference, and what the engine makes of it.

RFC 6902, "JavaScript Object Notation (JSON) Patch"; RFC 6901, "JavaScript Object Notation (JSON) Pointer".
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from clew.policy.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Policies
    from clew.policy.model import Policy

Document = dict[str, Any]
"""A policy document as decoded JSON."""


class Kind(StrEnum):
    """The places where AWS keeps a policy, each with its own calls."""

    USER = "user-policy"
    GROUP = "group-policy"
    ROLE = "role-policy"
    MANAGED = "managed-policy"
    TRUST = "role-trust"
    BUCKET = "bucket-policy"
    KEY = "key-policy"
    TOPIC = "topic-policy"
    QUEUE = "queue-policy"
    FUNCTION = "function-policy"
    SECRET = "secret-policy"  # noqa: S105  # a kind of policy
    SCP = "service-control-policy"
    RCP = "resource-control-policy"
    ENDPOINT = "endpoint-policy"
    SESSION = "session-policy"
    OTHER = "resource-policy"


@dataclass(frozen=True, slots=True)
class Where:
    """Where a document is kept: `name` is what the API of its kind asks for, `detail` the policy's own name in it.

    `words` is the place for a reader. `region` is empty for what belongs to the whole account.
    """

    kind: Kind
    words: str
    name: str = ""
    detail: str = ""
    account: str = ""
    region: str = ""
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class Edit:
    """A document from `before` (None: there is none yet) to `after`; `path` is its name in a decision.

    Not `is_at_hand`: nobody has given what stands there, so that `after` holds only what is to be added.
    """

    where: Where
    path: str
    before: Document | None
    after: Document
    is_at_hand: bool = True

    @property
    def difference(self) -> tuple[str, ...]:
        """Both documents as a unified diff, the place as its heading."""
        old = _lines(self.before) if self.is_at_hand else []
        new = _lines(self.after)
        name = self.where.words
        first = "/dev/null" if self.before is None and self.is_at_hand else name
        return tuple(difflib.unified_diff(old, new, first, name, lineterm="", n=1))

    @property
    def patch(self) -> tuple[Document, ...]:
        """The operations of a JSON Patch that make the change; a new document is one `add` of the whole."""
        if not self.is_at_hand:
            return tuple(
                {"op": "add", "path": "/Statement/-", "value": statement}
                for statement in statements(self.after)
            )
        if self.before is None:
            return ({"op": "add", "path": "", "value": self.after},)
        return tuple(_operations(self.before, self.after, ""))

    @property
    def added(self) -> tuple[Document, ...]:
        """The statements that stand only afterwards."""
        old = statements(self.before) if self.before is not None else []
        return tuple(each for each in statements(self.after) if each not in old)


def statements(document: Document) -> list[Document]:
    """The statements of a document, also of one that has a single one without a list."""
    found = document.get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


_WIDTH = 90


def _lines(document: Document | None) -> list[str]:
    return [] if document is None else laid_out(document).splitlines()


def laid_out(value: object, indent: str = "") -> str:
    """The value as JSON text in which whatever fits on a line is one.

    >>> print(laid_out({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}))
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Deny", "Action": "*", "Resource": "*"}
      ]
    }
    """
    short = json.dumps(value)
    is_whole = isinstance(value, dict) and "Statement" in value
    holds_objects = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    if not isinstance(value, dict | list) or not value:
        return short
    if len(indent) + len(short) <= _WIDTH and not is_whole and not holds_objects:
        return short
    deeper = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(name)}: {laid_out(each, deeper)}" for name, each in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{deeper}{laid_out(each, deeper)}" for each in value) + f"\n{indent}]"


def _operations(old: object, new: object, path: str) -> Iterator[Document]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(each for each in new if each not in old)]:
            yield from _of_member(old, new, name, f"{path}/{_escaped(name)}")
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_list(old, new, path)
    else:
        yield {"op": "replace", "path": path, "value": new}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _of_member(old: Document, new: Document, name: str, path: str) -> Iterator[Document]:
    if name not in new:
        yield {"op": "remove", "path": path}
    elif name not in old:
        yield {"op": "add", "path": path, "value": new[name]}
    else:
        yield from _operations(old[name], new[name], path)


def _of_list(old: list[object], new: list[object], path: str) -> Iterator[Document]:
    """Items changed in their places; then those too many removed, the last first, or those missing added at the end."""
    for number, (one, other) in enumerate(zip(old, new, strict=False)):
        yield from _operations(one, other, f"{path}/{number}")
    for number in range(len(old) - 1, len(new) - 1, -1):
        yield {"op": "remove", "path": f"{path}/{number}"}
    for item in new[len(old) :]:
        yield {"op": "add", "path": f"{path}/-", "value": item}


def patched(document: object, operations: tuple[Document, ...]) -> object:
    """The document after the operations, which are those that `Edit.patch` makes.

    >>> patched({"a": [1, 2]}, ({"op": "remove", "path": "/a/1"}, {"op": "add", "path": "/a/-", "value": 3}))
    {'a': [1, 3]}
    """
    found: Any = json.loads(json.dumps(document))
    for operation in operations:
        *parents, last = [_plain(each) for each in operation["path"].split("/")]
        if not parents:
            found = operation["value"]
            continue
        holder = found
        for step in parents[1:]:
            holder = holder[int(step) if isinstance(holder, list) else step]
        _carry_out(holder, last, operation)
    return found


def _plain(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _carry_out(holder: Any, last: str, operation: Document) -> None:
    key: Any = int(last) if isinstance(holder, list) and last != "-" else last
    if operation["op"] == "remove":
        del holder[key]
    elif key == "-":
        holder.append(operation["value"])
    else:
        holder[key] = operation["value"]


def changed(policies: Policies, edit: Edit) -> Policies:
    """The policies with the edit made: at its path, or added to the gate that the path begins with."""
    gate, _, rest = edit.path.partition("/")
    made = policy_of(edit.after)
    match gate:
        case "resource_policy":
            there = policies.resource
            if edit.is_at_hand or there is None:
                return replace(policies, resource=made)
            return replace(
                policies, resource=there._replace(statements=(*there.statements, *made.statements))
            )
        case "identity_policies":
            return replace(policies, identity=_placed(policies.identity, rest, made))
        case "permissions_boundaries":
            return replace(policies, boundaries=_placed(policies.boundaries, rest, made))
        case "session_policies":
            return replace(policies, session=_placed(policies.session, rest, made))
        case "vpc_endpoint_policies":
            return replace(policies, endpoint=_placed(policies.endpoint, rest, made))
        case "scps":
            return replace(policies, scps=_levels(policies.scps, rest, made))
    return replace(policies, rcps=_levels(policies.rcps, rest, made))


def policy_of(document: Document) -> Policy:
    """The document as the engine reads it."""
    return parse(json.dumps(document))


def _placed(listed: tuple[Policy, ...], place: str, made: Policy) -> tuple[Policy, ...]:
    if not place:
        return (*listed, made)
    return tuple(made if number == int(place) else each for number, each in enumerate(listed))


def _levels(
    levels: tuple[tuple[Policy, ...], ...], place: str, made: Policy
) -> tuple[tuple[Policy, ...], ...]:
    level, _, rest = place.partition("/")
    return tuple(
        _placed(each, rest, made) if number == int(level) else each for number, each in enumerate(levels)
    )
