"""What the texts of records and of people name: ARNs, ids and names read out of each other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from clew.aws import arn as arns
from clew.lake.history.fields import strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")
_NESTED_DOCUMENTS = 2
_HAS_SECOND_NAME = frozenset({"assumed-role", "table", "service", "task", "container-instance", "stack"})
# AWS: "Service Authorization Reference", resource types of Elastic Load Balancing v2 and ELB.
_BALANCED = re.compile(r"(?:(?:loadbalancer|listener(?:-rule)?)/(?:app|net|gwy)|targetgroup)/([^/]+)/(.+)")
_PART_OF_ARN = re.compile(r"(?:\d{12}:)?function:([^:]+)(?::[^:]+)?")
_ROUTE_53_ID = re.compile(r"/(?:hostedzone|change|delegationset)/(\w+)")
_DOMAIN_NAME = re.compile(r"(?:[A-Za-z0-9_*-]+\.)+")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
# AWS: Amazon S3 user guide, "Virtual hosting of buckets" and "Path-style access".
_HOSTED = re.compile(
    r"https?://([a-z0-9.-]+)\.s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?(?:/([^?#]*))?(?:[?#].*)?"
)
_BY_PATH = re.compile(r"https?://s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?/([^?#]+)(?:[?#].*)?")


def as_asked(wanted: str) -> str:
    """The text as records have it: objects by `bucket/key`, a log group's ARN without the `:*` of its streams.

    >>> as_asked("s3://payroll/a b"), as_asked("https://payroll.s3.us-east-1.amazonaws.com/a%20b")
    ('payroll/a b', 'payroll/a b')
    """
    if wanted.startswith("s3://"):
        return wanted.removeprefix("s3://").rstrip("/")
    if hosted := _HOSTED.fullmatch(wanted):
        return "/".join(part for part in (hosted[1], unquote(hosted[2] or "")) if part)
    if by_path := _BY_PATH.fullmatch(wanted):
        return unquote(by_path[1]).rstrip("/")
    found = arns.read(wanted)
    return wanted.removesuffix(":*") if found and found.service == "logs" else wanted


def bare_names(found: arns.Arn) -> frozenset[str]:
    """The names without an ARN under which calls to its service may name the resource.

    >>> sorted(bare_names(arns.parse("arn:aws:ssm:us-east-1:111122223333:parameter/db/token")))
    ['/db/token', 'db/token']
    """
    if found.service == "s3":
        bucket, _, key = found.resource.partition("/")
        return frozenset() if key else frozenset({bucket})
    rest = found.resource_id
    of_service = _BARE.get(found.service)
    return (of_service(found, rest) if of_service else _last_too(found, rest)) - {""}


def _last_too(found: arns.Arn, rest: str) -> frozenset[str]:
    del found
    return frozenset({rest, re.split(r"[/:]", rest)[-1]})


def _of_parameter(found: arns.Arn, rest: str) -> frozenset[str]:
    # The ARN of `/db/token` and that of `db/token` are the same.
    return frozenset({rest, f"/{rest}"}) if found.resource_type == "parameter" else frozenset({rest})


def _of_function(found: arns.Arn, rest: str) -> frozenset[str]:
    # A call names the function, and beside it the alias: `prod` alone is anybody's.
    return (
        frozenset({rest, rest.partition(":")[0]}) if found.resource_type == "function" else frozenset({rest})
    )


def _of_key(found: arns.Arn, rest: str) -> frozenset[str]:
    return frozenset({found.resource if found.resource_type == "alias" else rest})


def _of_stack(found: arns.Arn, rest: str) -> frozenset[str]:
    del found
    return frozenset(re.split(r"[/:]", rest)) | {rest}


def _of_balancer(found: arns.Arn, rest: str) -> frozenset[str]:
    balanced = _BALANCED.fullmatch(found.resource)
    named = {balanced[1]} if balanced and not found.resource.startswith("listener") else set()
    return _last_too(found, rest) | named


_BARE: Final[dict[str, Callable[[arns.Arn, str], frozenset[str]]]] = {
    "secretsmanager": lambda _, rest: frozenset({rest, SECRET_SUFFIX.sub("", rest)}),
    "ssm": _of_parameter,
    "lambda": _of_function,
    "kms": _of_key,
    "cloudformation": _of_stack,
    "elasticloadbalancing": _of_balancer,
    # Paths are parts of these names: `team/app` is not `app`.
    "ecr": lambda _, rest: frozenset({rest}),
    "logs": lambda _, rest: frozenset({rest.removesuffix(":*")}),
}


def bare_values(value: str, account: str) -> Iterator[str]:
    """What a text that is no ARN names, for comparing with bare names: an account in a URL must be the one given."""
    if value.startswith(("https://", "http://")):
        path = value.split("?", maxsplit=1)[0].rstrip("/").split("/")
        if not account or not _ACCOUNT.fullmatch(path[-2]) or path[-2] == account:
            yield path[-1]
    elif not value.startswith("arn:"):
        yield value
        yield from _short_forms(value)


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
    else:
        yield from _short_forms(value)


def _short_forms(value: str) -> Iterator[str]:
    """`/hostedzone/Z1` for Z1, `example.com.` for example.com, `111122223333:function:f` for f."""
    for pattern in (_ROUTE_53_ID, _PART_OF_ARN):
        if short := pattern.fullmatch(value):
            yield short[1]
    if _DOMAIN_NAME.fullmatch(value):
        yield value.removesuffix(".")


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
        yield from (SECRET_SUFFIX.sub("", str(found)), SECRET_SUFFIX.sub("", rest))
    yield from _owner_names(found, rest)


def _owner_names(found: arns.Arn, rest: str) -> Iterator[str]:
    """What the ARN of a part says of the whole: a function's alias, a topic's subscription, a balancer's listener."""
    if found.service == "lambda" and found.resource_type == "function" and ":" in rest:
        yield str(found).rpartition(":")[0]
    if found.service == "sns" and found.resource_type:
        yield from (found.resource_type, str(found).rpartition(":")[0])
    if balanced := _BALANCED.fullmatch(found.resource):
        yield balanced[1]
        yield from balanced[2].split("/")


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
