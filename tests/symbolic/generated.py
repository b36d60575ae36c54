"""Generated policies and requests from one small vocabulary, so that statements nearly match, overlap and cover.

Everything comes out of a `Random`, which Hypothesis hands in and shrinks. Requests are of the kind that AWS makes: keys
that follow from the caller say what follows, a key with one value has one, and a number is a number.
"""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING, Any

from clew.engine.derive import derived
from clew.engine.request import Context, Request
from clew.policy.model import PolicyKind
from clew.policy.parse import from_document

if TYPE_CHECKING:
    from clew.policy.model import Policy

Document = dict[str, Any]

HOME, OTHER = "111122223333", "444455556666"
PROVIDER = f"arn:aws:iam::{HOME}:saml-provider/P"
CANONICAL = "b" * 64

ACTIONS = (
    "s3:GetObject",
    "s3:Get*",
    "s3:*",
    "*",
    "s3:Put?bject",
    "s3:*Object",
    "iam:PassRole",
    "*:*",
    "S3:getobject",
)
RESOURCES = (
    "*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::*/b",
    "arn:aws:s3:::?/b",
    "arn:aws:s3:::a/b",
    "arn:aws:s3:::a/${*}",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3:::a/${aws:PrincipalTag/t}",
    "arn:aws:s3:::a/${aws:PrincipalTag/t}/*",
    "arn:aws:s3:::a/${aws:PrincipalTag/t, 'b'}",
)
PRINCIPALS: tuple[object, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": HOME},
    {"AWS": f"arn:aws:iam::{HOME}:root"},
    {"AWS": f"arn:aws:iam::{HOME}:role/x"},
    {"AWS": f"arn:aws:iam::{HOME}:user/ana"},
    {"AWS": [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{HOME}:role/p/x"]},
    {"AWS": f"arn:aws:sts::{HOME}:assumed-role/x/s"},
    {"Service": "sns.amazonaws.com"},
    {"Federated": "accounts.google.com"},
    {"Federated": PROVIDER},
    {"CanonicalUser": CANONICAL},
)
_TEXTS = ("a", "b", "a*", "*", "?", "", "A")
_TAG = ("aws:PrincipalTag/t", "aws:RequestTag/t")
# operators, keys, values
CONDITIONS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("IpAddress", "NotIpAddress"),
        ("aws:SourceIp",),
        ("10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.1.2.3"),
    ),
    (
        ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"),
        ("aws:TagKeys", "x:multi", "aws:SourceVpc"),
        _TEXTS,
    ),
    (
        ("ForAnyValue:StringEquals", "ForAnyValue:StringNotEquals", "ForAllValues:StringLike"),
        ("aws:TagKeys", "x:multi", "aws:SourceVpc"),
        _TEXTS,
    ),
    (
        ("ForAllValues:StringEquals", "ForAllValues:StringNotEquals", "ForAnyValue:StringNotLike"),
        ("aws:TagKeys", "x:multi"),
        _TEXTS,
    ),
    (
        (
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
        ),
        ("s3:max-keys", "x:number"),
        ("5", "10", "5.5"),
    ),
    (
        ("DateLessThan", "DateGreaterThanEquals", "DateEquals", "DateNotEquals"),
        ("aws:CurrentTime",),
        ("2020-01-01T00:00:00Z", "2021-01-01", "1577836800"),
    ),
    (("Bool",), ("aws:SecureTransport",), ("true", "false")),
    (
        ("Null",),
        ("aws:SourceIp", "aws:TagKeys", "aws:PrincipalTag/t", "aws:SourceVpc", "aws:SecureTransport"),
        ("true", "false"),
    ),
    (
        ("ArnLike", "ArnNotLike", "ArnEquals", "StringLike", "StringEquals", "StringNotLike"),
        ("aws:PrincipalArn", "aws:SourceArn"),
        (
            f"arn:aws:iam::{HOME}:role/*",
            "arn:aws:iam::*:role/x",
            f"arn:aws:iam::{HOME}:*",
            f"arn:aws:iam::{HOME}:role/x",
            f"arn:aws:iam::{HOME}:user/${{aws:PrincipalTag/t}}",
        ),
    ),
    (
        ("StringEquals", "StringNotEquals", "StringLike"),
        ("aws:PrincipalAccount", "aws:username", "aws:PrincipalType", "aws:PrincipalOrgID"),
        (HOME, "ana", "a*", "User", "o-1", "AssumedRole", "1111*"),
    ),
    (
        ("StringEquals", "StringNotEquals", "StringLike", "StringEqualsIgnoreCase"),
        _TAG,
        ("${aws:RequestTag/t}", "${aws:PrincipalTag/t}", "a", "b", "ab", "a*", "${aws:username}"),
    ),
    (
        ("StringEquals", "StringNotEquals", "StringLike"),
        ("aws:ResourceAccount", "aws:PrincipalAccount"),
        ("${aws:PrincipalAccount}", "${aws:ResourceAccount}", HOME, "1111*", "${aws:PrincipalTag/t}"),
    ),
)


def pair(random: Random, kind: PolicyKind) -> tuple[Policy, Policy]:
    """Two policies, most of them one with a change, in either order."""
    left, right = documents(random, kind)
    return from_document(left), from_document(right)


def documents(random: Random, kind: PolicyKind) -> tuple[Document, Document]:
    """As `pair`, the documents."""
    one = document(random, kind)
    two = document(random, kind) if random.random() < 0.4 else _changed(random, one, kind)
    return (one, two) if random.random() < 0.5 else (two, one)


def document(random: Random, kind: PolicyKind) -> Document:
    """A policy document of one to three statements."""
    statements = [_statement(random, kind) for _ in range(random.randint(1, 3))]
    return {"Version": "2012-10-17", "Statement": statements}


def _changed(random: Random, before: Document, kind: PolicyKind) -> Document:
    found = deepcopy(before)
    listed = found["Statement"]
    match random.randrange(3):
        case 0:
            listed.append(_statement(random, kind))
        case 1:
            listed[random.randrange(len(listed))] = _statement(random, kind)
        case _:
            for each in listed:
                for element, known in (("Resource", RESOURCES), ("Action", ACTIONS)):
                    if element in each:
                        each[element].append(random.choice(known))
    return found


def _statement(random: Random, kind: PolicyKind) -> Document:
    found: Document = {
        "Effect": random.choice(("Allow", "Allow", "Deny")),
        random.choice(("Action",) * 4 + ("NotAction",)): random.sample(ACTIONS, random.randint(1, 2)),
        random.choice(("Resource",) * 4 + ("NotResource",)): random.sample(RESOURCES, random.randint(1, 2)),
    }
    if kind is PolicyKind.RESOURCE:
        found[random.choice(("Principal",) * 4 + ("NotPrincipal",))] = random.choice(PRINCIPALS)
    conditions: dict[str, dict[str, list[str]]] = {}
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        operators, keys, values = random.choice(CONDITIONS)
        operator = random.choice(operators)
        if operator != "Null":
            operator += random.choice(("", "", "IfExists"))
        conditions.setdefault(operator, {})[random.choice(keys)] = random.sample(values, random.randint(1, 2))
    return {**found, "Condition": conditions} if conditions else found


_PERSONS = (
    f"arn:aws:iam::{HOME}:role/x",
    f"arn:aws:iam::{HOME}:user/ana",
    f"arn:aws:iam::{OTHER}:user/a",
    f"arn:aws:iam::{OTHER}:role/x",
)
_ANYBODY = (
    *_PERSONS,
    "*",
    "sns.amazonaws.com",
    "other.amazonaws.com",
    f"arn:aws:iam::{HOME}:root",
    f"arn:aws:sts::{HOME}:assumed-role/x/s",
    f"arn:aws:sts::{HOME}:federated-user/ana",
    CANONICAL,
    PROVIDER,
    f"arn:aws:iam::{HOME}:role/p/x",
)
_ASKED = (
    "s3:GetObject",
    "s3:GetX",
    "s3:PutObject",
    "iam:PassRole",
    "x:newa",
    "sts:AssumeRoleWithWebIdentity",
)
_ON = ("a/b", "a", "b/b", "ana/b", "a/x/y", "a/*", "q", "a/ab", "a/")
_LISTS = (("a",), ("b",), ("a", "b"), (), ("",), ("a", "a"), ("", "c"), ("c",))
_GIVEN: tuple[tuple[str, tuple[str | tuple[str, ...], ...]], ...] = (
    ("aws:SourceIp", ("10.1.2.3", "10.200.0.1", "8.8.8.8", "2001:db8::1", "::1")),
    ("aws:TagKeys", _LISTS),
    ("x:multi", (*_LISTS, "a", "b")),
    ("aws:SourceVpc", ("a", "b", "ab", "", "A")),
    ("s3:max-keys", ("5", "5.2", "7", "10", "11", "1")),
    ("x:number", ("5", "5.2", "7", "10", "foo")),
    ("aws:CurrentTime", ("2019-01-01", "2020-01-01", "2020-06-01", "2021-01-01T00:00:00Z", "2022")),
    ("aws:SecureTransport", ("true", "false")),
    ("aws:RequestTag/t", ("a", "b", "ab", "", "A", "ana")),
    ("aws:ResourceAccount", (HOME, OTHER)),
    ("aws:SourceArn", (f"arn:aws:iam::{HOME}:role/x", "arn:aws:s3:::q")),
)
_OF_MEMBERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("aws:PrincipalTag/t", ("a", "b", "ab", "", "A", "x", "alice")),
    ("aws:PrincipalOrgID", ("o-1", "o-2")),
)


def searcher(random: Random) -> Random:
    """A generator of its own for many requests, of which Hypothesis need not know every choice."""
    return Random(random.getrandbits(64))  # noqa: S311  # no secret depends on it


def request(random: Random, kind: PolicyKind) -> Request:
    """A request as AWS could make it."""
    principal = random.choice(_ANYBODY if kind is PolicyKind.RESOURCE else _PERSONS)
    resource = "*" if random.random() < 0.1 else f"arn:aws:s3:::{random.choice(_ON)}"
    is_member = principal.startswith("arn:") or principal == CANONICAL
    given = (*_GIVEN, *_OF_MEMBERS) if is_member else _GIVEN
    context = {key: random.choice(values) for key, values in given if random.random() < 0.5}
    if ":assumed-role/" in principal:
        context["aws:PrincipalArn"] = f"arn:aws:iam::{HOME}:role/{random.choice(('x', 'p/x'))}"
    asked = Request(principal, random.choice(_ASKED), resource, context=Context(context))
    values = derived(asked).context.values
    return Request(principal, asked.action, resource, context=Context(values))


def is_possible(asked: Request, *policies: Policy) -> bool:
    """Whether the request can be while the policies' principals are there: a role's name is unique in its account.

    A session's ARN leaves out the path of its role, so that the engine takes it for a session of each role of the name.
    """
    account, _, rest = asked.principal.removeprefix("arn:aws:sts::").partition(":assumed-role/")
    own = asked.context.values.get("aws:principalarn")
    named = {
        principal.value
        for policy in policies
        for statement in policy.statements
        for principal in (*(statement.principals or ()), *(statement.not_principals or ()))
    }
    begin, end = f"arn:aws:iam::{account}:role/", "/" + rest.partition("/")[0]
    return not rest or all(
        each == own or not (each.startswith(begin) and f"/{each.removeprefix(begin)}".endswith(end))
        for each in named
    )
