"""How far one principal can get: chains of assumed roles and of the known ways to gain permissions.

A search over principals and groups, from the start outwards; each edge names the statements that make it, and what must
hold besides. Surest paths come first, then the shortest. `ADMIN` stands for every permission.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws import catalog
from clew.engine import Context, Effect, Request, authorize
from clew.errors import UsageError
from clew.reach.alike import matched
from clew.reach.applied import applied
from clew.reach.paths_ask import Made, Powers
from clew.reach.paths_methods import ADMINISTRATOR, ASSUME, Method, Target, methods
from clew.reach.paths_trust import Trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.snapshot.model import Account, Snapshot, User

ADMIN: Final = "admin"
"""Every permission, as a goal."""

_SELF: Final = "self"
_ACCOUNT: Final = 4
_LINKED: Final = ":role/aws-service-role/"
_DENIED: Final = "a Deny of its own does not meet it"
_BOUND: Final = "its permissions boundary still limits it"


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a principal to another, to a group's permissions, or to `ADMIN`.

    `steps` are the allowed actions with their statements. `conditions` must hold of requests, `needs` of what is not in
    the snapshot; the edge is certain where both are empty.
    """

    source: str
    target: str
    method: Method
    steps: tuple[Made, ...]
    conditions: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether nothing has to hold besides."""
        return not self.conditions and not self.needs


@dataclass(frozen=True, slots=True)
class Path:
    """A chain of edges, from the start to what it reaches."""

    edges: tuple[Edge, ...]

    @property
    def target(self) -> str:
        """What the path reaches."""
        return self.edges[-1].target

    @property
    def is_certain(self) -> bool:
        """Whether every edge is."""
        return all(edge.is_certain for edge in self.edges)


@dataclass(frozen=True, slots=True)
class Reach:
    """What the start reaches, one path for each, surest and shortest first; `unknown` is what was not followed."""

    start: str
    goal: str | None
    paths: tuple[Path, ...]
    unknown: tuple[str, ...] = ()


def paths(snapshot: Snapshot, start: str, goal: str | None = None) -> Reach:
    """The paths from the start to the goal, or to everything that it reaches.

    Errors: `UsageError` where the snapshot holds no such principal.
    """
    _check(snapshot, (start, *(() if goal in {None, ADMIN} else (goal,))))
    return _Search(snapshot, goal).reach(start)


def paths_of_all(snapshot: Snapshot, goal: str) -> tuple[Reach, ...]:
    """For each principal that reaches the goal its path, certain ones first; what is not known is told of each.

    Errors: `UsageError` where the snapshot holds no such goal.
    """
    _check(snapshot, () if goal == ADMIN else (goal,))
    search = _Search(snapshot, goal)
    best = search.backwards(goal, [start for start in _principals(snapshot) if start != goal])
    found = [
        Reach(start, goal, (Path(edges),) if edges else (), unknown)
        for start, (edges, unknown) in best.items()
    ]
    return tuple(sorted((each for each in found if each.paths or each.unknown), key=_surest))


def _surest(found: Reach) -> tuple[bool, int, int, str]:
    costs = [_cost(path.edges) for path in found.paths]
    return (not costs, *min(costs, default=(0, 0)), found.start)


def _check(snapshot: Snapshot, names: Iterable[str | None]) -> None:
    known = set(_principals(snapshot))
    for name in names:
        if name not in known:
            raise UsageError(f"`{(name or '')[:200]}` is no user and no role of the snapshot")


def edges(snapshot: Snapshot, principal: str) -> tuple[Edge, ...]:
    """Every edge from a principal, more than one to a target where there are several ways."""
    return _Search(snapshot, None).around(principal).edges


def _principals(snapshot: Snapshot) -> Iterator[str]:
    for account in snapshot.accounts.values():
        yield from account.users
        yield from account.roles


def _cost(edges: tuple[Edge, ...]) -> tuple[int, int]:
    """Open edges first, then length: a long certain path is worth more than a short one that may not exist."""
    return sum(not edge.is_certain for edge in edges), len(edges)


class _Around(NamedTuple):
    """The edges from one node, and what is not known of it."""

    edges: tuple[Edge, ...]
    unknown: tuple[str, ...]


class _Trust(NamedTuple):
    """What must hold for a service to assume a role, empty for nothing, None where it may not; what is not known."""

    needs: str | None
    unknown: tuple[str, ...] = ()


class _Search:
    def __init__(self, snapshot: Snapshot, goal: str | None) -> None:
        self.snapshot = snapshot
        self.goal = goal
        self.unknown: dict[str, None] = {}
        # Whether a role trusts a service does not depend on who asks: one question for each pair.
        self.trusted: dict[tuple[str, str], _Trust] = {}
        # Many starts lead through the same roles: each is asked once.
        self.known: dict[str, _Around] = {}
        self.roles = Trusted(role for each in snapshot.accounts.values() for role in each.roles.values())

    def reach(self, start: str) -> Reach:
        """What the start reaches of the goal, or at all."""
        found, goal = self.run(start), self.goal
        wanted = [
            path for target, path in found.items() if goal in {None, target} and ":group/" not in target
        ]
        wanted.sort(key=lambda path: (*_cost(path.edges), path.target != ADMIN, path.target))
        visited = (start, *found)
        unknown = dict.fromkeys(what for at in visited if at in self.known for what in self.known[at].unknown)
        return Reach(start, goal, tuple(wanted), tuple(unknown))

    def run(self, start: str) -> Mapping[str, Path]:
        """The best path to each thing that is reached."""
        best: dict[str, Path] = {}
        waiting: list[tuple[tuple[int, int], int, str, tuple[Edge, ...]]] = [((0, 0), 0, start, ())]
        number = 0
        settled: set[str] = set()
        while waiting:
            _, _, at, edges = heapq.heappop(waiting)
            if at in settled:
                continue
            settled.add(at)
            if edges:
                best[at] = Path(edges)
            if at == self.goal:
                break
            if at == ADMIN:
                continue
            for edge in self.around(at).edges:
                if edge.target not in settled:
                    number += 1
                    longer = (*edges, edge)
                    heapq.heappush(waiting, (_cost(longer), number, edge.target, longer))
        return best

    def backwards(
        self, goal: str, starts: list[str]
    ) -> Mapping[str, tuple[tuple[Edge, ...], tuple[str, ...]]]:
        """From each start the best path to the goal, empty for none, and what is not known on any way from there."""
        into = self._into(starts)
        towards: dict[str, Edge] = {}
        waiting: list[tuple[tuple[int, int], int, str, Edge | None]] = [((0, 0), 0, goal, None)]
        number = 0
        settled: set[str] = set()
        while waiting:
            (opened, length), _, at, edge = heapq.heappop(waiting)
            if at in settled:
                continue
            settled.add(at)
            if edge is not None:
                towards[at] = edge
            for each in into.get(at, ()):
                number += 1
                cost = (opened + (not each.is_certain), length + 1)
                heapq.heappush(waiting, (cost, number, each.source, each))
        unknown = self._unknown_from(starts, into)
        return {start: (tuple(_followed(start, goal, towards)), unknown[start]) for start in starts}

    def _into(self, starts: Iterable[str]) -> Mapping[str, list[Edge]]:
        """Every edge by its target, from the starts and whatever they reach."""
        into: dict[str, list[Edge]] = {}
        waiting = list(starts)
        seen = set(waiting)
        while waiting:
            for edge in self.around(waiting.pop()).edges:
                into.setdefault(edge.target, []).append(edge)
                if edge.target not in seen and edge.target != ADMIN:
                    seen.add(edge.target)
                    waiting.append(edge.target)
        return into

    def _unknown_from(
        self, starts: Iterable[str], into: Mapping[str, list[Edge]]
    ) -> Mapping[str, tuple[str, ...]]:
        """What is not known of a start or of anything that it reaches: handed back along the edges."""
        said = {node: dict.fromkeys(around.unknown) for node, around in self.known.items()}
        waiting = [node for node, unknown in said.items() if unknown]
        while waiting:
            at = waiting.pop()
            for edge in into.get(at, ()):
                more = said[at].keys() - said[edge.source].keys()
                if more:
                    said[edge.source] |= {what: None for what in said[at] if what in more}
                    waiting.append(edge.source)
        return {start: tuple(said[start]) for start in starts}

    def around(self, source: str) -> _Around:
        """Every edge from a principal, or from a group that the attacker has joined, and what is not known of it."""
        if source not in self.known:
            powers = Powers(self.snapshot, source)
            self.unknown = {}
            edges = tuple(self._edges(source, powers))
            edges += tuple(self._with_every_permission(powers, edges))
            self.known[source] = _Around(edges, (*powers.unknown, *self.unknown))
        return self.known[source]

    def _edges(self, source: str, powers: Powers) -> Iterator[Edge]:
        admin = powers.as_administrator()
        if admin is not None:
            yield self._edge(source, ADMIN, ADMINISTRATOR, (admin,))
        # Whoever has every permission anyway needs no further way, unless one to somebody is asked for.
        if admin is None or admin.condition or self.goal not in {None, ADMIN}:
            yield from self._assumed(powers)
            for method in methods():
                if all(powers.may(step.action) for step in method.steps):
                    yield from self._by(method, powers)

    def _with_every_permission(self, powers: Powers, edges: Iterable[Edge]) -> Iterator[Edge]:
        """The goal, for whoever comes to have every permission: a trust policy, or a new key, is theirs to write."""
        goal = self.goal
        if goal is None or goal in {ADMIN, powers.principal} or _LINKED in goal:
            return
        if powers.account == goal.split(":")[_ACCOUNT]:
            own = powers.policies.identity if powers.policies is not None else ()
            denied = any(
                not each.allows and matched(each) & _taking(goal) for one in own for each in one.statements
            )
            for edge in edges:
                if edge.target == ADMIN and edge.method is not ADMINISTRATOR:
                    needs = (*edge.needs, _DENIED) if denied else edge.needs
                    yield replace(edge, target=goal, needs=needs)

    def _assumed(self, powers: Powers) -> Iterator[Edge]:
        # Most pairs need no question: neither side says anything of the other.
        named = self.roles.by_name(powers.principal)
        wanted = (arn for arn in self.roles.by_account(powers.principal) if arn not in named)
        said = (arn for arn in wanted if powers.says("sts:AssumeRole", arn))
        for arn in (*named, *said):
            made = powers.asks("sts:AssumeRole", arn) if arn != powers.principal else None
            if made is not None:
                yield self._edge(powers.principal, arn, ASSUME, (made,))

    def _by(self, method: Method, powers: Powers) -> Iterator[Edge]:
        """The edges that one method makes."""
        context = {**({"iam:PassedToService": method.service} if method.service else {}), **method.context}
        fixed: list[Made] = []
        for step in method.steps:
            if step.on == "any":
                made = powers.any(step.action)
                if made is None:
                    return
                fixed.append(made)
        for resource, reached, needs in self._targets(method, powers):
            asked = [
                powers.asks(step.action, powers.principal if step.on == _SELF else resource, context)
                for step in method.steps
                if step.on != "any"
            ]
            steps = [each for each in asked if each is not None]
            if len(steps) == len(asked):
                yield self._edge(powers.principal, reached, method, (*steps, *fixed), needs)

    def _edge(
        self, source: str, target: str, method: Method, steps: tuple[Made, ...], needs: tuple[str, ...] = ()
    ) -> Edge:
        conditions = tuple(dict.fromkeys(step.condition for step in steps if step.condition))
        return Edge(source, target, method, steps, conditions, needs)

    def _targets(self, method: Method, powers: Powers) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """What a method is asked on, what it then reaches, and what must hold besides."""
        account = self.snapshot.accounts.get(powers.account)
        if account is None:
            return
        user = account.users.get(powers.principal)
        if method.of and f":{method.of}/" not in powers.principal:
            return
        needs = (method.needs,) if method.needs else ()
        match method.target:
            case Target.USER:
                yield from ((arn, arn, needs) for arn in account.users if arn != powers.principal)
            case Target.ROLE:
                yield from self._roles(method, account, powers.principal, needs)
            case Target.OWN:
                yield powers.principal, ADMIN, (*needs, *_bounded(account, powers.principal))
            case Target.OWN_GROUP:
                yield from (
                    (arn, ADMIN, (*needs, *_bounded(account, powers.principal)))
                    for arn in _groups(account, user)
                )
            case Target.GROUP:
                arns = (
                    group.arn
                    for group in account.groups.values()
                    if user is None or group.name not in user.groups
                )
                yield from ((arn, arn, needs) for arn in arns)
            case Target.OWN_POLICY:
                for arn in _attached(account, powers.principal):
                    yield arn, ADMIN, (*needs, *_bounded(account, powers.principal))

    def _roles(
        self, method: Method, account: Account, source: str, needs: tuple[str, ...]
    ) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        for arn in account.roles:
            # AWS: IAM user guide, "Using service-linked roles": nobody but the service edits them, or hands them on.
            if arn == source or _LINKED in arn:
                continue
            trust = self._trusts(arn, method.service) if method.service else ""
            if trust is not None:
                yield arn, arn, (*needs, *((trust,) if trust else ()))

    def _trusts(self, role: str, service: str) -> str | None:
        """None where the role does not let the service assume it, else what must hold for it: mostly nothing."""
        key = role, service
        if key not in self.trusted:
            self.trusted[key] = self._trust(role, service)
        found = self.trusted[key]
        self.unknown.update(dict.fromkeys(found.unknown))
        return found.needs

    def _trust(self, role: str, service: str) -> _Trust:
        account = role.split(":")[4]
        found = applied(self.snapshot, service, "sts:AssumeRole", role)
        given = Context({"aws:SourceAccount": account}, unknown=None)
        decision = authorize(Request(service, "sts:AssumeRole", role, account, given), found.policies)
        if decision.effect is Effect.ALLOW:
            return _Trust("")
        if decision.allowed is False:
            return _Trust(None)
        if found.missing:
            return _Trust(None, tuple(missing.why for missing in found.missing))
        return _Trust(f"{role} trusts {service} only under a condition")


def _taking(goal: str) -> int:
    """What it takes to become the role or user, for whoever has every permission."""
    names = ("iam:CreateAccessKey",) if ":user/" in goal else ("iam:UpdateAssumeRolePolicy", "sts:AssumeRole")
    return catalog.current().actions_matching(*names).mask


def _followed(start: str, goal: str, towards: Mapping[str, Edge]) -> Iterator[Edge]:
    """The edges from the start to the goal; none where it does not get there."""
    at = start
    while at != goal and at in towards:
        yield towards[at]
        at = towards[at].target


def _bounded(account: Account, principal: str) -> tuple[str, ...]:
    holder = account.users.get(principal) or account.roles.get(principal)
    return (_BOUND,) if holder is not None and holder.boundary else ()


def _groups(account: Account, user: User | None) -> Iterator[str]:
    names = user.groups if user is not None else ()
    yield from (account.groups[name].arn for name in names if name in account.groups)


def _attached(account: Account, principal: str) -> Iterable[str]:
    """The customer managed policies of the principal and of its groups."""
    user = account.users.get(principal)
    holder = user or account.roles.get(principal)
    held = list(holder.attached) if holder is not None else []
    for name in user.groups if user is not None else ():
        held += account.groups[name].attached if name in account.groups else ()
    return dict.fromkeys(each.arn for each in held if ":iam::aws:" not in each.arn)
