"""Actions and their resources as statements with Sids, in documents within the quota of a managed policy."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from clew.policy import format as layout
from clew.policy.model import Effect, Policy, Statement
from clew.policy.variables import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

QUOTA: Final = 6144
"""Characters of a managed policy, white space not counted. AWS: "IAM and AWS STS quotas"."""

_ODD: Final = re.compile(r"[^A-Za-z0-9]+")
_NAMED: Final = 2


def documents(grants: Mapping[str, Sequence[str]], quota: int = QUOTA) -> tuple[Policy, ...]:
    """The policies that allow each action on its resources and nothing else.

    >>> [made] = documents({"s3:GetObject": ["arn:aws:s3:::logs/*"], "s3:ListAllMyBuckets": ["*"]})
    >>> [(each.sid, each.actions) for each in made.statements]
    [('S3ListAllMyBuckets', ('s3:ListAllMyBuckets',)), ('S3GetObject', ('s3:GetObject',))]
    """
    statements = [part for each in _statements(grants) for part in _fitting(each, quota)]
    return tuple(_policy(group) for group in _packed(_named(statements), quota))


def size(policy: Policy) -> int:
    """The characters that count against the quota; at most too many, as blanks within texts are counted."""
    return len(json.dumps(layout.document(policy), separators=(",", ":"), ensure_ascii=False))


def _statements(grants: Mapping[str, Sequence[str]]) -> list[Statement]:
    """One statement for the actions of a service on the same resources; `*` first, then in order of service."""
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for action, resources in grants.items():
        key = action.partition(":")[0], tuple(sorted(resources))
        together.setdefault(key, []).append(action)
    made = [
        Statement(Effect.ALLOW, actions=tuple(sorted(actions)), resources=resources)
        for (_, resources), actions in together.items()
    ]
    return sorted(made, key=lambda each: (_service(each), each.resources != ("*",), each.resources or ()))


def _service(statement: Statement) -> str:
    return (statement.actions or ("",))[0].partition(":")[0]


def _fitting(statement: Statement, quota: int) -> Iterator[Statement]:
    """The statement, halved by resources, then by actions, until it fits a document of its own."""
    if size(_policy([statement._replace(sid="S" * 64)])) <= quota:
        yield statement
        return
    resources, actions = statement.resources or (), statement.actions or ()
    if len(resources) > 1:
        middle = len(resources) // 2
        halves = [statement._replace(resources=part) for part in (resources[:middle], resources[middle:])]
    elif len(actions) > 1:
        middle = len(actions) // 2
        halves = [statement._replace(actions=part) for part in (actions[:middle], actions[middle:])]
    else:
        yield statement
        return
    for half in halves:
        yield from _fitting(half, quota)


def _named(statements: Iterable[Statement]) -> list[Statement]:
    """The statements with Sids of their own: the action where it is one or two, else the service; then a number."""
    taken: set[str] = set()
    named = []
    for statement in statements:
        word = _word(statement)
        sid, number = word, 2
        while sid in taken:
            sid, number = f"{word}{number}", number + 1
        taken.add(sid)
        named.append(statement._replace(sid=sid))
    return named


def _word(statement: Statement) -> str:
    actions = statement.actions or ()
    service = _ODD.sub("", _service(statement).title())
    names = [each.partition(":")[2] for each in actions]
    return service + ("And".join(names) if len(names) <= _NAMED else f"{names[0]}AndMore")


def _packed(statements: Iterable[Statement], quota: int) -> Iterator[list[Statement]]:
    group: list[Statement] = []
    for statement in statements:
        if group and size(_policy([*group, statement])) > quota:
            yield group
            group = []
        group.append(statement)
    if group:
        yield group


def _policy(statements: Sequence[Statement]) -> Policy:
    placed = tuple(each._replace(index=number) for number, each in enumerate(statements))
    return Policy(placed, version=VERSION)
