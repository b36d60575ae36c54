"""Does a record concern a resource? Names, ids and ARNs are compared whole, never as parts of longer words.

A term matches where it equals a string in `resources`, `requestParameters`, `responseElements` or
`serviceEventDetails`, or what such a string names:

| the record says | it names |
|---|---|
| `arn:aws:ec2:us-east-1:111122223333:security-group/sg-1` | the ARN, `security-group/sg-1`, `sg-1` |
| `arn:aws:s3:::bucket/a/key` or `bucketName` with `key` | the object, `bucket/a/key`, `a/key`, and its bucket |
| `arn:aws:lambda:…:function:name:alias` | `name:alias`, `name`, `alias` |
| `arn:aws:secretsmanager:…:secret:prod/db-a1B2c3` | also `prod/db` |
| `…:loadbalancer/app/name/id` · `…:stack/name/id` · `…:topic:id` | also the name |
| `/hostedzone/Z1` · `example.com.` · `111122223333:function:f` | `Z1` · `example.com` · `f` |
| `sg-1,sg-2` · a URL · a JSON document as a string | each part · its last segment · each string inside |

An ARN also matches by its bare id or name: an id that AWS made (`sg-…`, `i-…`) anywhere, another name only in calls
to the ARN's service, in its account and region. `*` in a term stands for any characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from clew.aws import arn as arns
from clew.aws.glob import matcher
from clew.aws.partitions import partition_of
from clew.aws.services import service_label
from clew.lake.history.conditions import TRUE, Condition, all_of, any_of
from clew.lake.history.fields import strings, text
from clew.lake.history.resource_names import as_asked, bare_names, bare_values, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COLUMNS = ("requestparameters", "responseelements", "serviceeventdetails")
_PARTS = ("requestParameters", "responseElements", "serviceEventDetails")
# Characters that stand for themselves in JSON text whatever wrote it (`/` may be `\/`, `+` may be an escape).
_SAFE_RUN = re.compile(r"[A-Za-z0-9_.-]+")
_AWS_ID = re.compile(
    r"[a-z]{1,12}-(?:[0-9a-f]{8}|[0-9a-f]{17})|(?:AKIA|ASIA|AIDA|AROA|AGPA|ANPA)[A-Z0-9]{12,}"
)
# ARN services whose calls carry another event source. AWS: "CloudTrail record contents", eventSource.
_EVENT_SERVICE = {"cloudwatch": "monitoring", "execute-api": "apigateway"}


@dataclass(frozen=True, slots=True)
class Term:
    """What to look for: its text, the ARN if it is one, and the bare names under which an ARN may appear.

    `spellings`: the text, also without its percent-encoding; empty for a pattern.
    """

    text: str
    arn: arns.Arn | None
    bare: frozenset[str]
    is_match: Callable[[str], bool]
    spellings: frozenset[str]


def term(wanted: str) -> Term:
    """The term that the user's text stands for."""
    asked = as_asked(wanted)
    found = arns.read(asked)
    whole = str(found) if found else asked
    if "*" in whole:
        return Term(whole, found, frozenset(), matcher(whole, single=""), frozenset())
    spellings = frozenset({whole, unquote(whole)})
    return Term(whole, found, bare_names(found) if found else frozenset(), spellings.__contains__, spellings)


def prefilter(wanted: Term) -> Condition:
    """A condition that holds for every record the term matches (and for few others)."""
    alternatives = _needles(wanted)
    if not alternatives:
        return TRUE
    is_pattern = "*" in wanted.text
    return any_of(all_of(_mentions(run, is_pattern=is_pattern) for run in runs) for runs in alternatives)


def whole_words(wanted: Term) -> tuple[tuple[str, ...], ...]:
    """Alternatives, each a group of words that a record holds if the term matches it; empty when none is sure."""
    return () if "*" in wanted.text else _needles(wanted)


def _needles(wanted: Term) -> tuple[tuple[str, ...], ...]:
    """Alternatives, each a group of runs of which all must occur; empty when no run is sure to occur."""
    if wanted.arn and wanted.arn.service == "s3":
        groups = {_object_runs(spelling) for spelling in wanted.spellings or {wanted.text}}
        return tuple(sorted(groups)) if all(groups) else ()
    spelled = wanted.bare or wanted.spellings or {wanted.text}
    shortest = [name for name in spelled if not any(other != name and other in name for other in spelled)]
    found = [_longest_run(name) for name in sorted(shortest)]
    return tuple((run,) for run in found) if all(found) else ()


def _object_runs(object_arn: str) -> tuple[str, ...]:
    bucket, _, key = object_arn.split(":", 5)[-1].partition("/")
    return tuple(run for run in (_longest_run(bucket), _longest_run(key)) if run)


def _longest_run(name: str) -> str:
    return max(_SAFE_RUN.findall(name), key=len, default="")


# What may stand around a name in JSON text: another character, a percent-encoding, an escape, a secret's own ending,
# the dot at the end of a domain name.
_BEFORE = r"(?:^|[^A-Za-z0-9_.-]|%[0-9A-Fa-f]{2}|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
_AFTER = r"(?:-[A-Za-z0-9]{6})?\.?(?:$|[^A-Za-z0-9_.-])"


# `contains` alone decides for nearly every row; joining the ARNs and matching words is for the few that are left.
_IN_ANY_ARN = "len(list_filter(resources, lambda r: contains(coalesce(r.arn, r.arnprefix), ?))) > 0"
_ARNS = "array_to_string(list_transform(resources, lambda r: coalesce(r.arn, r.arnprefix)), ' ')"


def _mentions(run: str, *, is_pattern: bool) -> Condition:
    """The run occurs as a whole word; as a part of one where the term is a pattern."""
    places = [*((f"contains({column}, ?)", column) for column in COLUMNS), (_IN_ANY_ARN, _ARNS)]
    if is_pattern:
        return any_of(Condition(occurs, (run,)) for occurs, _ in places)
    word = f"{_BEFORE}{re.escape(run)}{_AFTER}"
    return any_of(
        Condition(f"({occurs} AND regexp_matches({place}, ?))", (run, word)) for occurs, place in places
    )


def matches(wanted: Term, event: Mapping[str, object]) -> bool:
    """Whether the record concerns the resource."""
    return any(_is_named(wanted, value, event) for value in _mentioned(event))


def _is_named(wanted: Term, value: str, event: Mapping[str, object]) -> bool:
    if any(wanted.is_match(name) for name in names(value)):
        return True
    if wanted.arn is None or not wanted.bare:
        return False
    return any(
        bare in wanted.bare and _may_be_bare(wanted, bare, event)
        for bare in bare_values(value, wanted.arn.account)
    )


def _may_be_bare(wanted: Term, value: str, event: Mapping[str, object]) -> bool:
    if _AWS_ID.fullmatch(value) or wanted.arn is None:
        return True
    service = service_label(text(event, "eventSource"))
    accounts = {text(event, "recipientAccountId"), text(event, "userIdentity", "accountId")} - {""}
    region = text(event, "awsRegion")
    return (
        _EVENT_SERVICE.get(wanted.arn.service, wanted.arn.service) == service
        and (not wanted.arn.account or not accounts or wanted.arn.account in accounts)
        and (not wanted.arn.region or not region or wanted.arn.region == region)
    )


def _mentioned(event: Mapping[str, object]) -> Iterator[str]:
    """Every string of the record that may name a resource."""
    for entry in _resource_entries(event):
        yield from (text(entry, key) for key in ("ARN", "arn", "ARNPrefix"))
    for where in _PARTS:
        yield from (value for _, value in strings(event.get(where)))
    object_arn = s3_object(event)
    if object_arn:
        yield object_arn


def _resource_entries(event: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    entries = event.get("resources")
    yield from (entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict))


def s3_object(event: Mapping[str, object]) -> str:
    """The ARN of the object that an S3 call names by bucket and key, "" when it names none."""
    bucket, key = text(event, "requestParameters", "bucketName"), text(event, "requestParameters", "key")
    if not bucket or not key or ":" in bucket:
        return ""
    partition = partition_of(text(event, "awsRegion")) or "aws"
    return f"arn:{partition}:s3:::{bucket}/{key}"
