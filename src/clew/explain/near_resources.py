"""What is wrong with the resources of a statement that is about the action: a kind, a slip, a part of something else.

AWS: IAM user guide, "IAM JSON policy elements: Resource", and the pages named beside the rows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from clew.aws import catalog, glob
from clew.aws.arn_doctor import examine, mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.aws.arn_doctor import Diagnosis
    from clew.engine import Request


_VARIABLE = re.compile(r"\$\{[^}]{1,200}\}")


class Hint(NamedTuple):
    """What is wrong in words, and the ARN to write in the place of `slip`.

    `beside` says that the one written is right for something else, so that both must stand.
    """

    words: str
    meant: str = ""
    beside: bool = False
    slip: str = ""


NO_HINT = Hint("")


def hint(written: tuple[str, ...], request: Request, *, is_named: bool = False) -> Hint:
    """What is wrong with the resources of a statement; no words where they are about something else altogether.

    `is_named` says that the statement names just this action, so that its resources are meant for it.
    """
    if catalog.current().is_wildcard_only(request.action):
        return Hint(f"`{request.action}` works on no resource: only `*` matches")
    asked = request.resource
    looks = (*_LOOKS, _kind) if is_named else _LOOKS
    return next(
        (
            found._replace(slip=text)
            for text in written
            if text != "*"
            for look in looks
            for found in look(text, asked, request.action)
        ),
        NO_HINT,
    )


def _bucket(text: str, asked: str, _: str) -> Iterator[Hint]:
    if text.startswith("arn:aws:s3:::") and "/" not in text and asked.startswith(f"{text}/"):
        yield Hint(f"`{text}` is the bucket; its objects are `{text}/*`", f"{text}/*", beside=True)
    if text.startswith("arn:aws:s3:::") and text.endswith("/*") and text.removesuffix("/*") == asked:
        yield Hint(f"`{text}` are the objects; the bucket is `{asked}`", asked, beside=True)


def _slip(text: str, asked: str, _: str) -> Iterator[Hint]:
    if text.lower() == asked.lower():
        yield Hint(f"`{text}` differs from `{asked}` in case", asked)
    elif text.replace("//", "/") == asked:
        yield Hint(f"`{text}` has a slash too many", asked)


def _below(text: str, asked: str, _: str) -> Iterator[Hint]:
    """A thing where a part of it is asked for, and its parts where the thing is: tables, functions, log groups."""
    part = next((sep for sep in "/:" if asked.startswith(f"{text}{sep}")), None)
    if part is not None and _has_name(text):
        rest = asked.removeprefix(f"{text}{part}").partition("/")
        kind = f"{rest[0]}/" if part == "/" and rest[2] else ""
        meant = f"{text}{part}{kind}*"
        yield Hint(f"`{text}` does not cover what belongs to it: `{meant}` does", meant, beside=True)
    whole = next((sep for sep in "/:" if text == f"{asked}{sep}*"), None)
    if whole is not None:
        yield Hint(f"`{text}` is what belongs to `{asked}`, not that itself", asked, beside=True)


def _has_name(arn: str) -> bool:
    """Whether the ARN goes as far as a name: `…:table/orders`, `…:function:resize`."""
    return any(sep in arn.split(":", 5)[-1] for sep in "/:")


_FIELDS = ("", "partition", "service", "region", "account")


def _field(text: str, asked: str, _: str) -> Iterator[Hint]:
    """The one field of the ARN that differs, where all else is as asked."""
    ours, theirs = text.split(":", 5), asked.split(":", 5)
    if len(ours) != len(theirs) or len(ours) < len(_FIELDS) + 1:
        return
    unlike = [
        number
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True))
        if not glob.matches(one, other)
    ]
    if len(unlike) != 1 or unlike[0] >= len(_FIELDS):
        return
    number = unlike[0]
    if not theirs[number]:
        # AWS: IAM user guide, "IAM identifiers": some resources have no region or account in their ARN.
        meant = ":".join([*ours[:number], "", *ours[number + 1 :]])
        words = f"`{asked}` has no {_FIELDS[number]}: `{text}` does not match it, `{meant}` does"
        yield Hint(words, asked, beside=True)
        return
    meant = ":".join([*ours[:number], theirs[number], *ours[number + 1 :]])
    words = f"the {_FIELDS[number]} is `{ours[number]}`, that of the resource is `{theirs[number]}`"
    yield Hint(words, meant)


def _path(text: str, asked: str, _: str) -> Iterator[Hint]:
    """A role, user or policy under another path."""
    ours, theirs = text.rpartition("/"), asked.rpartition("/")
    kinds = [each[0].split(":", 5)[-1].partition("/")[0] for each in (ours, theirs)]
    is_name = "*" not in text and glob.matches(_VARIABLE.sub("*", ours[2]), theirs[2])
    same = text.split(":")[:5] == asked.split(":")[:5] and kinds[0] == kinds[1] and is_name
    if same and ":iam:" in text and ours[0] != theirs[0]:
        yield Hint(f"`{text}` has another path than `{asked}`", f"{theirs[0]}/{ours[2]}", beside=True)


def _ancestor(text: str, asked: str, _: str) -> Iterator[Hint]:
    """AWS: Glue developer guide, "Specifying AWS Glue resource ARNs": a table takes its database and the catalog, too.

    https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    """
    ours, theirs = text.split(":", 5), asked.split(":", 5)
    if ours[:5] != theirs[:5] or ours[2:3] != ["glue"]:
        return
    kind, _, name = ours[-1].partition("/")
    database = f"database/{name.partition('/')[0]}"
    above = {"table": {"catalog", database}, "database": {"catalog"}}.get(kind, set())
    if theirs[-1] in above:
        yield Hint(f"Glue asks for what is above `{ours[-1]}`, too: `{asked}`", asked, beside=True)


def _secret(text: str, asked: str, _: str) -> Iterator[Hint]:
    """A secret without the six characters at the end of its ARN.

    AWS: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples.html
    """
    if ":secretsmanager:" in text and glob.matches(f"{text}-??????", asked):
        words = f"`{text}` lacks the six characters that end the ARN of a secret: `{text}-??????` matches `{asked}`"
        yield Hint(words, f"{text}-??????")


def _address(text: str, _: str, __: str) -> Iterator[Hint]:
    """An address where an ARN is meant."""
    bucket, slash, key = text.removeprefix("s3://").partition("/")
    if text.startswith("s3://") and bucket:
        meant = f"arn:aws:s3:::{bucket}{slash}{key}"
        yield Hint(f"`{text}` is an address; the ARN is `{meant}`", meant)


def unread_variable(written: tuple[str, ...], asked: str) -> Hint:
    """A variable in a policy that reads none. AWS: "IAM JSON policy elements: Version"."""
    text = next((each for each in written if glob.matches(_VARIABLE.sub("*", each), asked)), "")
    names = ", ".join(f"`{name}`" for name in _VARIABLE.findall(text))
    if not names:
        return NO_HINT
    return Hint(f"{names} is only text there: variables count in policies of Version 2012-10-17")


def _doctor(text: str, asked: str, action: str) -> Iterator[Hint]:
    """What is wrong with an ARN in itself which, set right, would match what was asked."""
    if not text.startswith("arn:"):
        return
    for fault in _diagnoses(text, action):
        if fault.corrected and glob.matches(fault.corrected, asked):
            said = str(fault).rstrip("?")
            yield Hint(said if f"`{text}`" in said else f"of `{text}`: {said}", fault.corrected)


def _kind(text: str, asked: str, action: str) -> Iterator[Hint]:
    """A resource of a kind on which the action never works, where the one asked for lies: an alias for a key."""
    ours, theirs = text.split(":", 5), asked.split(":", 5)
    if len(ours) != len(theirs) or not all(map(glob.matches, ours[:5], theirs[:5])):
        return
    found = mismatch(text, action, catalog.current())
    if found is not None:
        yield Hint(f"{found}: `{text}`")


# 10,000 refusals ask the same of the same few hundred policies: 4 ms each time without it (benchmarks/explain.py).
@lru_cache(maxsize=10_000)
def _diagnoses(text: str, action: str) -> tuple[Diagnosis, ...]:
    """What is wrong with an ARN in itself, and as a resource of the action."""
    known = catalog.current()
    found = mismatch(text, action, known)
    return (*examine(text, catalog=known), *(() if found is None else (found,)))


_LOOKS: tuple[Callable[[str, str, str], Iterator[Hint]], ...] = (
    _bucket,
    _slip,
    _field,
    _path,
    _ancestor,
    _address,
    _secret,
    _doctor,
    _below,
)
