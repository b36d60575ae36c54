"""Does a record concern a resource? Names, ids and ARNs are compared whole, never as parts of longer words.

A term matches where it equals a string in `resources`, `requestParameters`, `responseElements` or
`serviceEventDetails`, or what such a string names:

| the record says | it names |
|---|---|
| `arn:aws:ec2:us-east-1:111122223333:security-group/sg-1` | the ARN, `security-group/sg-1`, `sg-1` |
| `arn:aws:s3:::bucket/a/key` or `bucketName` with `key` | the object, `bucket/a/key`, `a/key`, and its bucket |
| `arn:aws:lambda:…:function:name:alias` | `name:alias`, `name`, `alias` |
| `arn:aws:secretsmanager:…:secret:prod/db-a1B2c3` | also `prod/db` |
| `sg-1,sg-2` · a URL · a JSON document as a string | each part · its last segment · each string inside |

An ARN also matches by its bare id or name: an id that AWS made (`sg-…`, `i-…`) anywhere, another name only in calls
to the ARN's service, in its account and region. `*` in a term stands for any characters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from clew.aws import arn as arns
from clew.aws.glob import matcher
from clew.aws.partitions import partition_of
from clew.aws.services import service_label
from clew.lake.history.conditions import TRUE, Condition, all_of, any_of
from clew.lake.history.fields import strings, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COLUMNS = ("requestparameters", "responseelements", "serviceeventdetails")
_PARTS = ("requestParameters", "responseElements", "serviceEventDetails")
# Characters that stand for themselves in JSON text whatever wrote it (`/` may be `\/`, `+` may be an escape).
_SAFE_RUN = re.compile(r"[A-Za-z0-9_.-]+")
_AWS_ID = re.compile(
    r"[a-z]{1,12}-(?:[0-9a-f]{8}|[0-9a-f]{17})|(?:AKIA|ASIA|AIDA|AROA|AGPA|ANPA)[A-Z0-9]{12,}"
)
_SECRET_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
_NESTED_DOCUMENTS = 2
# ARN services whose calls carry another event source. AWS: "CloudTrail record contents", eventSource.
_EVENT_SERVICE = {"cloudwatch": "monitoring", "execute-api": "apigateway"}
_HAS_SECOND_NAME = frozenset({"assumed-role", "table", "service", "task", "container-instance"})


@dataclass(frozen=True, slots=True)
class Term:
    """What to look for: its text, the ARN if it is one, and the bare names under which an ARN may appear."""

    text: str
    arn: arns.Arn | None
    bare: frozenset[str]
    is_match: Callable[[str], bool]


def term(wanted: str) -> Term:
    """The term that the user's text stands for."""
    found = arns.read(wanted)
    whole = str(found) if found else wanted
    is_match = matcher(whole, single="") if "*" in whole else whole.__eq__
    return Term(whole, found, _bare_names(found) if found and "*" not in whole else frozenset(), is_match)


def _bare_names(found: arns.Arn) -> frozenset[str]:
    if found.service == "s3":
        bucket, _, key = found.resource.partition("/")
        return frozenset() if key else frozenset({bucket})
    rest = found.resource_id.removesuffix(":*")
    if found.service == "secretsmanager":
        return frozenset({rest, _SECRET_SUFFIX.sub("", rest)})
    return frozenset({rest, re.split(r"[/:]", rest)[-1]} - {""})


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
        bucket, _, key = wanted.arn.resource.partition("/")
        runs = tuple(run for run in (_longest_run(bucket), _longest_run(key)) if run)
        return (runs,) if runs else ()
    names = wanted.bare or {wanted.text}
    shortest = [name for name in names if not any(other != name and other in name for other in names)]
    found = [_longest_run(name) for name in sorted(shortest)]
    return tuple((run,) for run in found) if all(found) else ()


def _longest_run(name: str) -> str:
    return max(_SAFE_RUN.findall(name), key=len, default="")


# What may stand around a name in JSON text: another character, a percent-encoding, an escape, a secret's own ending.
_BEFORE = r"(?:^|[^A-Za-z0-9_.-]|%[0-9A-Fa-f]{2}|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
_AFTER = r"(?:-[A-Za-z0-9]{6})?(?:$|[^A-Za-z0-9_.-])"


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
    return value in wanted.bare and _may_be_bare(wanted, value, event)


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


def names(value: str, depth: int = 0) -> Iterator[str]:
    """The value and everything that it names.

    >>> sorted(set(names("arn:aws:iam::111122223333:user/dev/Bob")))
    ['Bob', 'arn:aws:iam::111122223333:user/dev/Bob', 'dev/Bob', 'user/dev/Bob']
    """
    yield value
    found = arns.read(value)
    if found:
        yield from _arn_names(found)
    elif value.startswith(("https://", "http://")):
        yield from _url_names(value)
    elif depth < _NESTED_DOCUMENTS and value[:1] in {"{", "[", "%"}:
        yield from _document_names(value, depth)
    elif "," in value or " " in value:
        for piece in re.split(r"[,\s]+", value):
            if piece != value:
                yield from names(piece, depth)


def _arn_names(found: arns.Arn) -> Iterator[str]:
    yield str(found)
    yield found.resource
    if found.service == "s3":
        bucket, _, key = found.resource.partition("/")
        yield from (bucket, f"arn:{found.partition}:s3:::{bucket}")
        yield from (key,) if key else ()
        return
    rest = found.resource_id
    yield from (rest, re.split(r"[/:]", rest)[-1], rest.partition(":")[0])
    if found.resource_type in _HAS_SECOND_NAME:
        yield rest.partition("/")[0]
    if found.service == "secretsmanager":
        yield from (_SECRET_SUFFIX.sub("", str(found)), _SECRET_SUFFIX.sub("", rest))


def _url_names(value: str) -> Iterator[str]:
    try:
        path = urlsplit(value).path
    except ValueError:
        return
    yield path.rstrip("/").rpartition("/")[2]


def _document_names(value: str, depth: int) -> Iterator[str]:
    try:
        document = json.loads(unquote(value) if value.startswith("%") else value)
    except (ValueError, RecursionError):
        return
    for _, inner in strings(document):
        yield from names(inner, depth + 1)
