"""The case tables of `tests/cases/` that state IAM decisions: read, and written out as batch lines.

A file is a mapping: `page` (of every row that names none), `defaults` (merged into each row's line), `documents` (for
anchors) and `rows`. A row is one fact: `name`, `page`, `line`, `expect` and, where they are part of the fact, `rule`,
`blocked_by`, `determined_by`, `missing_context`, `unknown_context`, `example`, `notes`. A row that is `open` is what
the documentation says and we do not do yet; a test says when the mark can go.

A policy may be written as one statement, a list of statements, or in words:

>>> statement("Allow s3:GetObject, s3:PutObject on arn:aws:s3:::b/* to 123456789012, * as Read") == {
...     "Sid": "Read",
...     "Effect": "Allow",
...     "Action": ["s3:GetObject", "s3:PutObject"],
...     "Resource": "arn:aws:s3:::b/*",
...     "Principal": {"AWS": ["123456789012", "*"]},
... }
True
>>> statement("Deny not iam:* on *") == {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}
True

A row of `conditions/` says instead what one condition does: `key`, `values` (the policy's), `context` (the request's),
`with` (the operator as written; the file's own otherwise) and `matches`: yes, no or unknown. It becomes two requests:
one that only this condition can allow, and one that only this condition can deny.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASES: Final = Path(__file__).parent.parent / "cases"
AREAS: Final = ("conditions", "variables", "principals", "gates", "services", "source")
FEDERATED: Final = (
    ":saml-provider/",
    ":oidc-provider/",
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "accounts.google.com",
    "www.amazon.com",
)
IN_WORDS: Final = re.compile(
    r"(?P<effect>Allow|Deny) (?P<action>.+?)(?: on (?P<resource>.+?))?(?: to (?P<principal>.+?))?(?: as (?P<sid>\S+))?"
)
POLICY_LISTS: Final = (
    "identity_policies",
    "permissions_boundaries",
    "session_policies",
    "vpc_endpoint_policies",
)
ABOUT: Final = {"name", "page", "rule", "choice", "question", "example", "notes", "open"}
DECIDED: Final = {"line", "expect", "blocked_by", "determined_by", "missing_context", "unknown_context"}
TESTED: Final = {"key", "values", "context", "with", "matches"}
ROW_KEYS: Final = ABOUT | DECIDED | TESTED
REQUEST: Final = {
    "principal": "arn:aws:iam::123456789012:user/Nikki",
    "action": "s3:GetObject",
    "resource": "arn:aws:s3:::amzn-s3-demo-bucket/plan.txt",
}
VERDICTS: Final = {
    True: ("allow", "explicit_deny"),
    False: ("implicit_deny", "allow"),
    "unknown": ("undetermined",) * 2,
}


@dataclass(frozen=True)
class Case:
    """One batch line and what the documentation says of it."""

    file: str
    name: str
    page: str
    line: dict
    expect: str
    blocked_by: tuple[str, ...] | None = None
    determined_by: tuple[str, ...] | None = None
    missing_context: tuple[str, ...] | None = None
    unknown_context: bool = False
    row: Mapping[str, object] = field(default_factory=dict)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML without times: a date in a policy is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def files(*areas: str) -> list[str]:
    """The case files of the areas, as `area/name`, in order."""
    return [
        f"{area}/{path.stem}" for area in areas or AREAS for path in sorted((CASES / area).glob("*.yaml"))
    ]


@cache
def read(file: str) -> dict:
    """The file as it is written."""
    return yaml.load((CASES / f"{file}.yaml").read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader


def rows(file: str) -> Iterator[dict]:
    """Every row of the file, each with a page."""
    content = read(file)
    for row in content["rows"]:
        unknown = set(row) - ROW_KEYS
        assert not unknown, f"{file}: {row.get('name')}: no such field {sorted(unknown)}"
        yield {"page": content.get("page"), **row}


@cache
def cases(file: str) -> tuple[Case, ...]:
    """Every case of the file: one for each row, two for each row of a condition."""
    content = read(file)
    defaults = content.get("defaults", {})
    return tuple(
        case
        for row in rows(file)
        for case in (
            _condition_cases(file, content, row)
            if "matches" in row
            else (_case(file, row, _line(defaults, row["line"]), row["expect"]),)
        )
    )


def _case(file: str, row: dict, line: dict, expect: str) -> Case:
    unknown = row.get("unknown_context", False)
    facts = {key: _texts(row.get(key)) for key in ("blocked_by", "determined_by", "missing_context")}
    return Case(file, row["name"], row["page"], line, expect, unknown_context=unknown, row=row, **facts)


def _texts(value: object) -> tuple[str, ...] | None:
    return None if value is None else tuple(value if isinstance(value, list) else [value])


def _condition_cases(file: str, content: dict, row: dict) -> Iterator[Case]:
    condition = {row.get("with", content["operator"]): {row.get("key", content.get("key")): row["values"]}}
    allow = {"Sid": "Tested", "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    deny = {**allow, "Effect": "Deny"}
    when_allowing, when_denying = VERDICTS[row["matches"]]
    request = {**REQUEST, "context": row.get("context", {})}
    for statements, expect in (([allow], when_allowing), (["Allow * on *", deny], when_denying)):
        yield _case(file, row, _line({}, {"request": request, "identity_policies": [statements]}), expect)


def _line(defaults: dict, line: dict) -> dict:
    merged = _merged(defaults, line)
    for key in POLICY_LISTS:
        if key in merged:
            merged[key] = [policy(each) for each in _listed(merged[key])]
    for key in ("scps", "rcps"):
        if key in merged:
            merged[key] = [[policy(each) for each in _listed(level)] for level in _listed(merged[key])]
    if merged.get("resource_policy") is not None:
        merged["resource_policy"] = policy(merged["resource_policy"])
    return {"id": "case", **merged}


def _merged(defaults: dict, line: dict) -> dict:
    """The line over the defaults: mappings of requests are joined, `null` takes a default away."""
    joined = copy.deepcopy(defaults)
    for key, value in line.items():
        if key in {"request", "context"} and isinstance(value, dict):
            joined[key] = _merged(joined.get(key, {}), value)
        elif value is None:
            joined.pop(key, None)
        else:
            joined[key] = copy.deepcopy(value)
    return joined


def _listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


def policy(written: object) -> object:
    """The policy document: as it is where it has a `Statement`, else around the statements."""
    if isinstance(written, dict) and not {"Effect", "statement"} & written.keys():
        return written
    return {"Version": "2012-10-17", "Statement": [statement(each) for each in _flat(written)]}


def _flat(written: object) -> list:
    return [inner for each in written for inner in _flat(each)] if isinstance(written, list) else [written]


def statement(written: object) -> dict:
    """The statement: as it is, or from its words (with further elements beside `statement`)."""
    if isinstance(written, dict):
        rest = {key: value for key, value in written.items() if key != "statement"}
        return {**statement(written["statement"]), **rest} if "statement" in written else rest
    match = IN_WORDS.fullmatch(written)
    assert match, f"not a statement in words: {written}"
    sid, principal = match["sid"], match["principal"]
    return {
        **({"Sid": sid} if sid else {}),
        "Effect": match["effect"],
        **_element("Action", match["action"]),
        **_element("Resource", match["resource"]),
        **({} if principal is None else _principal(principal)),
    }


def _element(name: str, words: str | None) -> dict:
    if words is None:
        return {}
    negated = words.startswith("not ")
    values = words.removeprefix("not ").split(", ")
    return {f"Not{name}" if negated else name: values[0] if len(values) == 1 else values}


def _principal(words: str) -> dict:
    ((name, value),) = _element("Principal", words).items()
    if value == "*":
        return {name: "*"}
    kinds: dict[str, list[str]] = {}
    for each in _listed(value):
        kinds.setdefault(_kind(each), []).append(each)
    return {name: {kind: each[0] if len(each) == 1 else each for kind, each in kinds.items()}}


def _kind(principal: str) -> str:
    if any(mark in principal for mark in FEDERATED):
        return "Federated"
    if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return "Service"
    return "CanonicalUser" if re.fullmatch(r"[0-9a-f]{64}", principal) else "AWS"
