"""CloudTrail trails as checks need them: each trail once, whether it logs, and what its selectors record.

A trail of all regions shows in each region, and an organisation's in each member account; it is asked about once,
where it lives. AWS CloudTrail user guide: "Logging management events", "Logging data events".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.model import Judgement, Verdict
from clew.audit.resources import answers, facts, items, member, regions_left_out, text, texts, unanswered
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

TRAILS: Final = "cloudtrail:DescribeTrails"
READ, WRITE = "read", "write"
BOTH: Final = frozenset({READ, WRITE})
_KINDS: Final = {"All": BOTH, "ReadOnly": frozenset({READ}), "WriteOnly": frozenset({WRITE})}
_OBJECTS: Final = "AWS::S3::Object"
_EVERY_OBJECT: Final = frozenset({"arn:aws:s3", "arn:aws:s3:::"})


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail; `data` is AWS's description of it, `listed` the answer that holds it."""

    data: Mapping[str, object]
    listed: Answer
    state: State

    @property
    def arn(self) -> str:
        """Its ARN."""
        return text(self.data, "TrailARN")

    @property
    def home(self) -> str:
        """The region in which it was made."""
        return text(self.data, "HomeRegion")

    @property
    def bucket(self) -> str:
        """The name of the bucket that gets its files."""
        return text(self.data, "S3BucketName")

    @property
    def is_of_all_regions(self) -> bool:
        """Whether it records every region."""
        return member(self.data, "IsMultiRegionTrail") is True

    @property
    def status(self) -> Answer:
        """What CloudTrail said of its status."""
        return self._said("GetTrailStatus", Name=self.arn)

    @property
    def selectors(self) -> Answer:
        """What CloudTrail said of its event selectors."""
        return self._said("GetEventSelectors", TrailName=self.arn)

    @property
    def is_logging(self) -> bool | None:
        """Whether it records now; None where nobody could say."""
        value = member(self.status.body, "IsLogging")
        return value if isinstance(value, bool) else None

    def facts(self, *paths: str) -> tuple[tuple[str, str], ...]:
        """Its ARN, these members of its description, and when AWS described it."""
        return (("TrailARN", self.arn), *facts(self.data, *paths), *asked(self.listed))

    def _said(self, operation: str, **parameters: str) -> Answer:
        call = self.listed.call
        return self.state.answers.get(call.account, self.home, "cloudtrail", operation, **parameters)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Which events of a category a trail records: reads, writes, and which event sources are left out."""

    kinds: frozenset[str]
    left_out: tuple[str, ...] = ()


def trails(state: State) -> tuple[Trail, ...]:
    """Every trail that the account sees, each once, by its ARN."""
    found: dict[str, Trail] = {}
    for answer in answers(state, TRAILS):
        for item in answer.list("trailList"):
            trail = Trail(item, answer, state)
            # INVARIANT: of several copies the one that its home region lists is kept.
            if trail.arn not in found or trail.home == answer.call.region:
                found[trail.arn] = trail
    return tuple(found[arn] for arn in sorted(found))


def unlisted(state: State, *, of_all_regions: bool = False) -> Iterator[Judgement]:
    """One unknown for each region whose trails nobody knows; of trails of all regions any one region tells.

    AWS CloudTrail API reference, DescribeTrails: unless asked otherwise, each region also lists the shadow trails,
    which replicate trails of all regions, and an organisation's trails in member accounts.
    """
    found = answers(state, TRAILS)
    if of_all_regions and any(answer.status is Status.OK and not answer.source for answer in found):
        return
    for answer in found:
        if not answer.status.is_known:
            yield unanswered(state.account_arn, answer)
    yield from regions_left_out(state, TRAILS)


def each_trail(
    state: State, judge: Callable[[Trail], Judgement | None], *, none: str = "the account has no trail"
) -> Iterator[Judgement]:
    """What `judge` says of each trail; a failure where there is none, unknown for regions that were not asked."""
    found = trails(state)
    unknown = tuple(unlisted(state))
    yield from (judgement for trail in found if (judgement := judge(trail)) is not None)
    yield from unknown
    if not found and not unknown:
        yield Judgement(Verdict.FAIL, state.account_arn, none, asked(*answers(state, TRAILS)))


def some_trail(
    state: State,
    judge: Callable[[Trail], Judgement],
    *,
    wanted: str,
    none: str = "the account has no trail",
    of_all_regions: bool = False,
) -> Iterator[Judgement]:
    """One judgement on the account: passes when one trail does; else says for each why not, as mild as the mildest.

    `judge` says pass, fail or unknown of one trail, and passes none but trails of all regions where `of_all_regions`
    says so. `wanted` completes "no trail …".
    """
    found = [judge(trail) for trail in trails(state)]
    passing = next((each for each in found if each.verdict is Verdict.PASS), None)
    if passing is not None:
        yield passing
        return
    unlisted_ = unlisted(state, of_all_regions=of_all_regions)
    unknown = [*(each for each in found if each.verdict is Verdict.UNKNOWN), *unlisted_]
    if unknown:
        yield from unknown
        return
    why = "; ".join(f"{_name(each.resource)}: {each.message}" for each in found)
    is_all = next(unlisted(state), None) is None
    message = f"no trail {wanted}: {why}" if found else none if is_all else f"no trail {wanted}"
    evidence = tuple(fact for each in found for fact in each.evidence)
    weights = [each.severity for each in found if each.severity is not None]
    mildest = min(weights, key=lambda severity: severity.rank, default=None)
    seen = evidence or asked(*answers(state, TRAILS))
    yield Judgement(Verdict.FAIL, state.account_arn, message, seen, severity=mildest)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def active(trail: Trail) -> Judgement | None:
    """Why the trail does not record, or that nobody could say; None where it does."""
    seen = (*trail.facts(), *facts(trail.status.body, "IsLogging"), *asked(trail.status))
    if trail.is_logging is None:
        if trail.status.status.is_known:
            return Judgement(Verdict.FAIL, trail.arn, "is gone", seen)
        return unanswered(trail.arn, trail.status, evidence=seen)
    return None if trail.is_logging else Judgement(Verdict.FAIL, trail.arn, "is stopped", seen)


def management(trail: Trail) -> Recorded | None:
    """Which management events the trail records; None where nobody could say."""
    answer = trail.selectors
    if answer.body is None:
        return None
    if not any(list(items(answer.body, name)) for name in ("EventSelectors", "AdvancedEventSelectors")):
        # AWS CloudTrail API reference, PutEventSelectors: without selectors, all management events.
        return Recorded(BOTH)
    basic = [
        s for s in items(answer.body, "EventSelectors") if member(s, "IncludeManagementEvents") is not False
    ]
    kinds = [_KINDS.get(text(selector, "ReadWriteType"), BOTH) for selector in basic]
    left_out = [set(texts(selector, "ExcludeManagementEventSources")) for selector in basic]
    for selector in items(answer.body, "AdvancedEventSelectors"):
        fields = _fields(selector)
        if _equals(fields, "eventCategory") == {"Management"}:
            limits = _limits(fields, {"eventCategory", "readOnly", "eventSource"})
            if not limits:
                kinds.append(_read_only(fields))
                left_out.append(set(texts(fields.get("eventSource"), "NotEquals")))
    full = [out for out, kind in zip(left_out, kinds, strict=True) if kind]
    everywhere = set.intersection(*full) if full else set()
    return Recorded(frozenset().union(*kinds), tuple(sorted(everywhere)))


def objects(trail: Trail, buckets: Iterable[str] = ()) -> Recorded | None:
    """Which S3 data events of all buckets, or of those named, the trail records; None where nobody could say."""
    answer = trail.selectors
    if answer.body is None:
        return None
    wanted = {f"arn:aws:s3:::{name}/" for name in buckets}
    kinds: list[frozenset[str]] = []
    for selector in items(answer.body, "EventSelectors"):
        values = {
            value
            for resource in items(selector, "DataResources")
            if text(resource, "Type") == _OBJECTS
            for value in texts(resource, "Values")
        }
        if values & _EVERY_OBJECT or (wanted and wanted <= values):
            kinds.append(_KINDS.get(text(selector, "ReadWriteType"), BOTH))
    advanced = map(_fields, items(answer.body, "AdvancedEventSelectors"))
    kinds += [_read_only(fields) for fields in advanced if _records_objects(fields, wanted)]
    return Recorded(frozenset().union(*kinds))


def _records_objects(fields: Mapping[str, Mapping[str, object]], wanted: set[str]) -> bool:
    known = {"eventCategory", "resources.type", "readOnly", "resources.ARN"}
    if _equals(fields, "eventCategory") != {"Data"} or _equals(fields, "resources.type") != {_OBJECTS}:
        return False
    if _limits(fields, known):
        return False
    place = fields.get("resources.ARN")
    if place is None:
        return True
    named = set(texts(place, "StartsWith"))
    return set(place) == {"Field", "StartsWith"} and bool(wanted) and wanted <= named


def has_data_events(trail: Trail) -> bool | None:
    """Whether the trail records data events of anything; None where nobody could say."""
    answer = trail.selectors
    if answer.body is None:
        return None
    basic = any(list(items(selector, "DataResources")) for selector in items(answer.body, "EventSelectors"))
    return basic or any(
        _equals(_fields(selector), "eventCategory") == {"Data"}
        for selector in items(answer.body, "AdvancedEventSelectors")
    )


def _fields(selector: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    """The conditions of an advanced selector by field, without operators that AWS left empty."""
    return {
        text(field, "Field"): {name: value for name, value in field.items() if value}
        for field in items(selector, "FieldSelectors")
    }


def _equals(fields: Mapping[str, Mapping[str, object]], name: str) -> set[str]:
    return set(texts(fields.get(name), "Equals"))


def _limits(fields: Mapping[str, Mapping[str, object]], harmless: set[str]) -> set[str]:
    """The conditions that narrow a selector in ways that are not looked at."""
    found = set(fields) - harmless
    source = fields.get("eventSource")
    if source is not None and set(source) != {"Field", "NotEquals"}:
        found.add("eventSource")
    return found


def _read_only(fields: Mapping[str, Mapping[str, object]]) -> frozenset[str]:
    said = fields.get("readOnly")
    if said is None:
        return BOTH
    values = _equals(fields, "readOnly") or {
        "true" if value == "false" else "false" for value in texts(said, "NotEquals")
    }
    return frozenset({READ if value == "true" else WRITE for value in values})
