"""Amazon Resource Names, read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from clew.aws.partitions import PARTITIONS
from clew.errors import InputError

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_SPACE = re.compile(r"\s")
_FIRST_SEPARATOR = re.compile("[/:]")
_PARTS = 6


class ArnError(InputError):
    """The text is no Amazon Resource Name."""


@dataclass(frozen=True, slots=True)
class Arn:
    """One resource's name: `arn:partition:service:region:account:resource`; region and account may be empty."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def resource_type(self) -> str:
        """What stands before the first `/` or `:` of the resource, empty when there is neither.

        >>> parse("arn:aws:iam::111122223333:user/path/Bob").resource_type
        'user'
        """
        kind, separator, _ = _split(self.resource)
        return kind if separator else ""

    @property
    def resource_id(self) -> str:
        """The resource without its type; the whole resource when it has none.

        >>> parse("arn:aws:lambda:us-east-1:111122223333:function:f").resource_id
        'f'
        """
        first, separator, rest = _split(self.resource)
        return rest if separator else first

    @property
    def name(self) -> str:
        """The last part of the resource's path: the friendly name of users and roles.

        >>> parse("arn:aws:iam::111122223333:user/path/Bob").name
        'Bob'
        """
        return self.resource_id.rpartition("/")[2]


def _split(resource: str) -> tuple[str, str, str]:
    found = _FIRST_SEPARATOR.search(resource)
    return resource.partition(found[0]) if found else (resource, "", "")


def parse(text: str) -> Arn:
    """The ARN that the text spells.

    Raises ArnError with what is wrong: parts missing, an unknown partition, white space, an account that is none.

    >>> parse("arn:aws:s3:::bucket/key").resource
    'bucket/key'
    """
    problem = fault(text)
    if problem:
        raise ArnError(f"`{text[:200]}` is no ARN: {problem}")
    _, partition, service, region, account, resource = text.split(":", _PARTS - 1)
    return Arn(partition, service, region, account, resource)


def read(text: object) -> Arn | None:
    """The ARN that the value spells, white space forgiven; None when it spells none.

    >>> read("arn:aws:iam:: 111122223333:role/R").account
    '111122223333'
    """
    if not isinstance(text, str):
        return None
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _read(text)


def _read(text: str) -> Arn | None:
    tidy = text if fault(text) == "" else _tidy(text)
    return None if fault(tidy) else parse(tidy)


# Records name few ARNs many times: of 12,926 asked for in the words of 71 findings 43 are different.
_LONGEST_REMEMBERED = 2_048
_remembered = lru_cache(maxsize=8_192)(_read)


def _tidy(text: str) -> str:
    *head, resource = text.strip().split(":", _PARTS - 1)
    return ":".join([*(part.strip() for part in head), resource.lstrip()])


def fault(text: str) -> str:
    """What keeps the text from being an ARN; empty when nothing does.

    >>> fault("arn:aws:iam:: 111122223333:role/R")
    'white space before the resource'
    """
    parts = text.split(":", _PARTS - 1)
    if parts[0] != "arn":
        return "does not begin with `arn:`"
    if len(parts) < _PARTS:
        return f"{len(parts)} of {_PARTS} parts separated by colons"
    _, partition, service, _, account, resource = parts
    if _SPACE.search(text, 0, len(text) - len(resource)):
        return "white space before the resource"
    problems = (
        (partition not in PARTITIONS, f"unknown partition `{partition}`"),
        (not service, "no service"),
        (not _is_account(account), f"`{account}` is no account: expected 12 digits, `aws` or nothing"),
        (not resource.strip(), "no resource"),
    )
    return next((problem for wrong, problem in problems if wrong), "")


def _is_account(text: str) -> bool:
    # AWS's own resources, such as managed policies, carry a service's word in place of an account.
    return (
        text in {"", "aws", "aws-managed", "cloudfront", "third-party"}
        or _ACCOUNT.fullmatch(text) is not None
    )
