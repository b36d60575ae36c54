"""Checks of every resource of a kind: each answer of each region, and what is unknown because one is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from clew.audit.model import NOT_ASKED, Judgement, Verdict, not_collected, why_unknown
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer, Call


_Found = Judgement | Iterable[Judgement] | None
_Thing = TypeVar("_Thing")


def each_resource(
    state: State,
    call: str,
    path: str,
    judge: Callable[[Mapping[str, object], Answer], _Found],
    *,
    none: str,
) -> Iterator[Judgement]:
    """What `judge` says of each object at `path` in the answers to `call` (`service:Operation`).

    Unknown for each region that was refused or not asked; not applicable, with the sentence `none`, where all were
    asked and nothing was there to judge.
    """
    return _each(state, call, lambda answer: items(answer.body, path), judge, none)


def each_name(
    state: State, call: str, path: str, judge: Callable[[str, Answer], _Found], *, none: str
) -> Iterator[Judgement]:
    """As `each_resource`, where the answers list names or ARNs instead of objects."""
    return _each(state, call, lambda answer: texts(answer.body, path), judge, none)


def _each(
    state: State,
    call: str,
    things: Callable[[Answer], Iterable[_Thing]],
    judge: Callable[[_Thing, Answer], _Found],
    none: str,
) -> Iterator[Judgement]:
    judged = False
    for answer in answers(state, call):
        if not answer.status.is_known:
            judged = True
            yield unanswered(state.account_arn, answer)
        for thing in things(answer):
            found = judge(thing, answer)
            for judgement in (found,) if isinstance(found, Judgement) else found or ():
                judged = True
                yield judgement
    for judgement in regions_left_out(state, call):
        judged = True
        yield judgement
    if not judged:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, none)


def together(state: State, *parts: Iterable[Judgement], none: str) -> Iterator[Judgement]:
    """The judgements of several kinds of resources as one check's: nothing to judge only where none of them had any."""
    judged = False
    for judgement in chain(*parts):
        if judgement.verdict is not Verdict.NOT_APPLICABLE or judgement.resource != state.account_arn:
            judged = True
            yield judgement
    if not judged:
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, none)


def each_region(
    state: State, call: str, judge: Callable[[Answer], Judgement | Iterable[Judgement] | None]
) -> Iterator[Judgement]:
    """What `judge` says of the answer of each region to `call`; unknown where a region was refused or not asked."""
    for answer in answers(state, call):
        found = judge(answer) if answer.status.is_known else unanswered(region_arn(state, answer), answer)
        yield from (found,) if isinstance(found, Judgement) else found or ()
    yield from regions_left_out(state, call)


def answers(state: State, call: str) -> tuple[Answer, ...]:
    """Every answer of the account to `call` (`service:Operation`), as `State.each`."""
    service, _, operation = call.partition(":")
    return state.each(service, operation)


def regions_left_out(state: State, call: str) -> Iterator[Judgement]:
    """One unknown for the enabled regions that were not asked, or for not knowing which are enabled.

    Where nobody asked for the list of regions, what was given is taken for all there is.
    """
    found = answers(state, call)
    asked = {answer.call.region for answer in found}
    if GLOBAL in asked:
        return
    listed = state.each("ec2", "DescribeRegions")[0]
    if not_collected(listed):
        return
    if state.regions is None:
        message = f"which regions the account has is not known: {why_unknown(listed)}"
        yield Judgement(Verdict.UNKNOWN, state.account_arn, message, missing=("ec2:DescribeRegions",))
        return
    left_out = [region for region in state.regions if region not in asked]
    if left_out:
        message = f"`{call}` was not asked in {listing(left_out)}"
        seen = ((NOT_ASKED, ", ".join(left_out)),)
        yield Judgement(Verdict.UNKNOWN, state.account_arn, message, seen, (call,))


def unanswered(resource: str, *needed: Answer, evidence: tuple[tuple[str, str], ...] = ()) -> Judgement:
    """The judgement that nobody can tell, with the first of the answers that cannot be built on, and where."""
    answer = next(each for each in needed if not each.status.is_known)
    region = "" if answer.call.region == GLOBAL else f" in {answer.call.region}"
    missing = f"{answer.call.service}:{answer.call.operation}"
    return Judgement(Verdict.UNKNOWN, resource, f"{why_unknown(answer)}{region}", evidence, (missing,))


class Index:
    """The objects of answers by a key of theirs: each answer is gone through once, however many keys are asked for."""

    __slots__ = ("_found", "_keys", "_path")

    def __init__(self, path: str, keys: Callable[[Mapping[str, object]], Iterable[str]]) -> None:
        """Look at the objects at `path`, of which `keys` gives the keys."""
        self._path, self._keys = path, keys
        self._found: dict[Call, dict[str, list[Mapping[str, object]]]] = {}

    def of(self, answer: Answer, key: str) -> list[Mapping[str, object]]:
        """The objects of the answer that have the key, in AWS's order."""
        found = self._found.get(answer.call)
        if found is None:
            found = self._found.setdefault(answer.call, {})
            for item in items(answer.body, self._path):
                for name in self._keys(item):
                    found.setdefault(name, []).append(item)
        return found.get(key, [])


def items(body: object, path: str) -> Iterator[Mapping[str, object]]:
    """The objects at a path of member names; lists on the way are entered.

    >>> list(items({"Reservations": [{"Instances": [{"InstanceId": "i-1"}]}]}, "Reservations.Instances"))
    [{'InstanceId': 'i-1'}]
    """
    found = _objects([body])
    for name in path.split(".") if path else ():
        found = _objects([item.get(name) for item in found])
    return iter(found)


def _objects(values: list[object]) -> list[Mapping[str, object]]:
    """The objects among the values, and in the lists among them."""
    found: list[Mapping[str, object]] = []
    for value in values:
        if isinstance(value, dict):
            found.append(value)
        elif isinstance(value, list):
            found += _objects(value)
    return found


def member(item: object, path: str) -> object:
    """The value at a path of member names; None where AWS left a part of it out.

    >>> member({"MetadataOptions": {"HttpTokens": "required"}}, "MetadataOptions.HttpTokens")
    'required'
    """
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item


def text(item: object, path: str) -> str:
    """The value at a path as text; empty where there is none."""
    value = member(item, path)
    return "" if value is None else str(value)


def texts(item: object, path: str) -> tuple[str, ...]:
    """The texts of the list at a path; empty where there is none."""
    value = member(item, path)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def facts(item: object, *paths: str) -> tuple[tuple[str, str], ...]:
    """These members with their values as AWS writes them, for evidence; `not given` for what AWS left out.

    >>> facts({"Encrypted": False}, "Encrypted", "KmsKeyId")
    (('Encrypted', 'false'), ('KmsKeyId', 'not given'))
    """
    return tuple((path, written(member(item, path))) for path in paths)


def written(value: object) -> str:
    """A value of an answer as people read it."""
    match value:
        case None:
            return "not given"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(written, value)) or "none"
        case _:
            return str(value)


def moment(said: str) -> datetime | None:
    """The time that an answer writes; None where it writes none, or one without zone."""
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found if found.tzinfo else None


def tags(item: object) -> Mapping[str, str]:
    """The tags of a resource by their keys."""
    return {text(tag, "Key"): text(tag, "Value") for tag in items(item, "Tags")}


def arn(state: State, answer: Answer, resource: str, service: str = "") -> str:
    """The ARN of a resource of the account, in the region of the answer; `service` where it is not the answer's."""
    call = answer.call
    region = "" if call.region == GLOBAL else call.region
    return f"arn:{partition(state)}:{service or call.service}:{region}:{call.account}:{resource}"


def region_arn(state: State, answer: Answer) -> str:
    """The name under which a setting of a whole region is judged; the account's for answers without region."""
    if answer.call.region == GLOBAL:
        return state.account_arn
    return arn(state, answer, f"region/{answer.call.region}")


def partition(state: State) -> str:
    """The partition of the account: `aws`, `aws-cn`, `aws-us-gov`."""
    caller = text(state.each("sts", "GetCallerIdentity")[0].body, "Arn")
    return (caller or state.root_arn).split(":")[1]


def chosen(written_: str) -> frozenset[str]:
    """The values of a parameter that is a list with commas; spaces around them do not count.

    >>> sorted(chosen("b, a,"))
    ['a', 'b']
    """
    return frozenset(part for each in written_.split(",") if (part := each.strip()))


def listing(names: Iterable[str], most: int = 5) -> str:
    """The names with commas, shortened when there are many.

    >>> listing(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    found = list(names)
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest
