"""The request that a message tells of: who, what, and on which resource, as far as it names that one.

Messages name some resources by name only: IAM's own, secrets. API Gateway leaves out most of an account's number.
AWS: IAM user guide, "IAM identifiers" (unique names within an account), "Troubleshoot access denied error messages".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.aws.catalog import is_wildcard_only
from clew.engine import Context, Request
from clew.engine.derive import derived
from clew.engine.principal import PrincipalError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.explain.denial import Denial
    from clew.snapshot.model import Snapshot

_KIND = re.compile(
    r"(?P<kind>role|user|group|policy|instance profile|server certificate) (?P<name>\S+)", re.IGNORECASE
)
_MASKED = re.compile(r":\*+(\d+):")
_SECRET_SUFFIX = 7


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller of Clew says besides the text: who asked, and on which resource; empty where nothing."""

    principal: str = ""
    resource: str = ""


def completed(denial: Denial, told: Told) -> Denial:
    """The refusal with what the text leaves out; what the text says stays."""
    return replace(
        denial,
        principal=denial.principal or told.principal or None,
        resource=denial.resource if _is_arn(denial.resource) else told.resource or denial.resource,
    )


def _is_arn(text: str | None) -> bool:
    return text is not None and text.startswith("arn:")


def request(denial: Denial, snapshot: Snapshot | None = None) -> Request | None:
    """The request that a message tells of; None where it does not say who asked, or for what.

    Of its context nothing is known. Where it does not say on which resource, that is `*`: ask `names_resource`.
    """
    if denial.principal is None or denial.action is None:
        return None
    principal = "*" if denial.principal == "anonymous" else denial.principal
    resource = _resource(denial, principal, snapshot) or "*"
    known = catalog.current().action(denial.action)
    action = known.full_name if known is not None and denial.action.islower() else denial.action
    try:
        return derived(Request(principal, action, resource, context=Context(unknown=None)))
    except PrincipalError:
        return None


def names_resource(denial: Denial, asked: Request) -> bool:
    """Whether it is known what the request is about: the message says so, or the action works on no resource."""
    return asked.resource != "*" or denial.resource == "*" or is_wildcard_only(asked.action)


def _resource(denial: Denial, principal: str, snapshot: Snapshot | None) -> str | None:
    given = denial.resource
    if given is None or not given:
        return None
    fields = principal.split(":", 5)
    partition, account = (fields[1], fields[4]) if len(fields) > 5 else ("aws", "")  # noqa: PLR2004  # an ARN has six parts
    if given.startswith("arn:"):
        return _unmasked(given, account)
    kind = _KIND.fullmatch(given)
    if kind is not None and account.isdigit():
        return _of_iam(kind["kind"].lower(), kind["name"], f"arn:{partition}:iam::{account}:", snapshot)
    if (denial.action or "").lower().startswith("secretsmanager:"):
        return _secret(given, snapshot.resources if snapshot is not None else ())
    return None


def _unmasked(arn: str, account: str) -> str | None:
    """The ARN with the account's number in full, where its last digits are those of the caller's account.

    >>> _unmasked("arn:aws:execute-api:eu-west-1:********3333:api/prod/GET/pets", "111122223333")
    'arn:aws:execute-api:eu-west-1:111122223333:api/prod/GET/pets'
    """
    masked = _MASKED.search(arn)
    if masked is None:
        return arn
    return arn.replace(masked[0], f":{account}:", 1) if account.endswith(masked[1]) else None


def _of_iam(kind: str, name: str, begin: str, snapshot: Snapshot | None) -> str:
    """The ARN of a principal or policy by its name; with its path, where the snapshot has it."""
    word = kind.replace(" ", "-")
    held = snapshot.accounts.get(begin.split(":")[4]) if snapshot is not None else None
    known: Iterable[str] = ()
    if held is not None:
        known = {"role": held.roles, "user": held.users, "policy": held.policies}.get(word, {})
    return next((arn for arn in known if arn.rpartition("/")[2] == name), f"{begin}{word}/{name}")


def _secret(name: str, known: Iterable[str]) -> str | None:
    """The secret of that name among those known: its ARN ends with six more characters."""
    found = [
        arn
        for arn in known
        if ":secretsmanager:" in arn and arn.partition(":secret:")[2][:-_SECRET_SUFFIX] == name
    ]
    return found[0] if len(found) == 1 else None
