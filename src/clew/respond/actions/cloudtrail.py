"""Trails: started, validated, in every region, with the data events of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.errors import ChangeError
from clew.respond.aspects.cloudtrail import TRAIL_EVENT_SELECTORS, TRAIL_LOGGING, TRAIL_SETTINGS
from clew.respond.model import Action, Options, State, Step, Target

if TYPE_CHECKING:
    from clew.respond.model import Value

_EVENTS = {"All": None, "ReadOnly": ["true"], "WriteOnly": ["false"]}
# AWS: "PutEventSelectors": what a trail logs that nobody set selectors for.
_DEFAULT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
_MOST_SELECTORS = 5
_OBJECTS = "AWS::S3::Object"


def _start(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    return state.to(TRAIL_LOGGING, target.place, wanted=True)


def _validate(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    found = state.of(TRAIL_SETTINGS, target.place)
    return state.to(TRAIL_SETTINGS, target.place, {**found, "LogFileValidationEnabled": True})


def _everywhere(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    # AWS: "UpdateTrail": a trail of all regions must include events of global services.
    both = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True}
    return state.to(TRAIL_SETTINGS, target.place, {**state.of(TRAIL_SETTINGS, target.place), **both})


def _log_objects(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    events = options.get("events", "All")
    if events not in _EVENTS:
        raise ChangeError(f"option `events`: expected one of {', '.join(_EVENTS)}, found `{events[:40]}`")
    found = state.of(TRAIL_EVENT_SELECTORS, target.place)
    arn = f"arn:{target.place.partition}:s3"
    bucket = f"{arn}:::{options['bucket']}/" if options.get("bucket") else arn
    added = _advanced if "AdvancedEventSelectors" in found else _basic
    return state.to(TRAIL_EVENT_SELECTORS, target.place, added(found, bucket, events))


def _basic(found: Value, bucket: str, events: str) -> Value:
    """The selectors with the bucket in one that is about these events, or in one of its own."""
    selectors = found["EventSelectors"] or [_DEFAULT]
    for index, selector in enumerate(selectors):
        if selector["ReadWriteType"] not in {"All", events}:
            continue
        others = [r for r in selector.get("DataResources", ()) if r["Type"] != _OBJECTS]
        values = [
            value for r in selector.get("DataResources", ()) if r["Type"] == _OBJECTS for value in r["Values"]
        ]
        if bucket in values:
            return found
        objects = {"Type": _OBJECTS, "Values": [*values, bucket]}
        changed = {**selector, "DataResources": [*others, objects]}
        return {"EventSelectors": [*selectors[:index], changed, *selectors[index + 1 :]]}
    if len(selectors) >= _MOST_SELECTORS:
        raise ChangeError(
            f"the trail has {len(selectors)} selectors already, which is the most that AWS takes"
        )
    own = {
        "ReadWriteType": events,
        "IncludeManagementEvents": False,
        "DataResources": [{"Type": _OBJECTS, "Values": [bucket]}],
    }
    return {"EventSelectors": [*selectors, own]}


def _advanced(found: Value, bucket: str, events: str) -> Value:
    fields: list[Value] = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": [_OBJECTS]},
    ]
    if bucket.endswith("/"):
        fields.append({"Field": "resources.ARN", "StartsWith": [bucket]})
    only = _EVENTS[events]
    if only:
        fields.append({"Field": "readOnly", "Equals": only})
    if any(
        _fields(selector) == _fields({"FieldSelectors": fields})
        for selector in found["AdvancedEventSelectors"]
    ):
        return found
    named = {"Name": f"Objects of {bucket}"[:1000], "FieldSelectors": fields}
    return {"AdvancedEventSelectors": [*found["AdvancedEventSelectors"], named]}


def _fields(selector: Value) -> Value:
    return sorted(map(str, selector["FieldSelectors"]))


START_TRAIL = Action(
    "start-trail",
    "Start a trail's logging",
    "trail",
    "log files are stored and paid for",
    lambda target, _: ((TRAIL_LOGGING, target.place),),
    _start,
)
VALIDATE_TRAIL = Action(
    "validate-trail",
    "Sign a trail's log files",
    "trail",
    "none known: digest files are written beside the logs; undoing it ends the chain of digests",
    lambda target, _: ((TRAIL_SETTINGS, target.place),),
    _validate,
)
MAKE_TRAIL_MULTI_REGION = Action(
    "make-trail-multi-region",
    "Log every region with a trail",
    "trail",
    "events of more regions are stored and paid for; undoing it removes the trail from the other regions",
    lambda target, _: ((TRAIL_SETTINGS, target.place),),
    _everywhere,
)
LOG_OBJECT_EVENTS = Action(
    "log-object-events",
    "Log data events of a bucket's objects with a trail",
    "trail",
    "data events are paid for by their number, which may be large",
    lambda target, _: ((TRAIL_EVENT_SELECTORS, target.place),),
    _log_objects,
    {"bucket": "the bucket; every bucket by default", "events": "All, ReadOnly or WriteOnly; All by default"},
)
