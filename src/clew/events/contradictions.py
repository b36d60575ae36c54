"""Where a record contradicts itself: the same thing said twice, differently. Shown with both values, never corrected.

CloudTrail does not write such records; who edits or forges one leaves them behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clew.aws import arn as arns
from clew.aws.partitions import partition_of
from clew.events.json_text import repeated_keys
from clew.events.paths import text_at
from clew.events.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two fields of one record that cannot both be right, with their values."""

    field_a: str
    value_a: str
    field_b: str
    value_b: str

    def __str__(self) -> str:
        return f"{self.field_a} is `{self.value_a}` but {self.field_b} is `{self.value_b}`"


def contradictions(event: Event, text: str = "") -> tuple[Contradiction, ...]:
    """Every contradiction inside one CloudTrail event; with its text, repeated keys too.

    >>> user = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Alice", "userName": "Jane"}
    >>> [str(c) for c in contradictions({"userIdentity": user})]
    ['userIdentity.userName is `Jane` but userIdentity.arn is `arn:aws:iam::111122223333:user/Alice`']
    """
    return tuple(found for check in _CHECKS for found in check(event)) + tuple(_repeated(text))


_IDENTITY: Final = ("userIdentity",)
_ISSUER: Final = ("userIdentity", "sessionContext", "sessionIssuer")
_ARN_KINDS: Final = {
    "IAMUser": "user",
    "AssumedRole": "assumed-role",
    "FederatedUser": "federated-user",
    "Root": "",
}
# A session can begin while the clocks of two services differ a little.
_CLOCK_SKEW: Final = timedelta(minutes=5)


def _name_and_arn(event: Event) -> Iterator[Contradiction]:
    for path, kinds in ((_IDENTITY, {"IAMUser"}), (_ISSUER, {"Role", "IAMUser"})):
        name, arn = text_at(event, *path, "userName"), text_at(event, *path, "arn")
        named = arns.read(arn)
        if named and name and text_at(event, *path, "type") in kinds and named.name != name:
            yield _between((*path, "userName"), name, (*path, "arn"), arn)


def _account_and_arn(event: Event) -> Iterator[Contradiction]:
    for path in (_IDENTITY, _ISSUER):
        account, arn = text_at(event, *path, "accountId"), text_at(event, *path, "arn")
        named = arns.read(arn)
        if named and account and named.account and named.account != account:
            yield _between((*path, "accountId"), account, (*path, "arn"), arn)


def _space_in_arn(event: Event) -> Iterator[Contradiction]:
    for path in (_IDENTITY, _ISSUER):
        raw = text_at(event, *path, "arn")
        named = arns.read(raw)
        if named and str(named) != raw:
            yield _between((*path, "arn"), raw, (*path, "arn without white space"), str(named))


def _type_and_arn(event: Event) -> Iterator[Contradiction]:
    kind, arn = text_at(event, "userIdentity", "type"), text_at(event, "userIdentity", "arn")
    named = arns.read(arn)
    expected = _ARN_KINDS.get(kind)
    if named is None or expected is None:
        return
    fits = named.resource == "root" if kind == "Root" else named.resource_type == expected
    if not fits:
        yield _between(("userIdentity", "type"), kind, ("userIdentity", "arn"), arn)


def _role_and_issuer(event: Event) -> Iterator[Contradiction]:
    arn = text_at(event, "userIdentity", "arn")
    named = arns.read(arn)
    issuer = text_at(event, *_ISSUER, "userName")
    if (
        named
        and issuer
        and named.resource_type == "assumed-role"
        and named.resource_id.split("/")[0] != issuer
    ):
        yield _between((*_ISSUER, "userName"), issuer, ("userIdentity", "arn"), arn)


def _session_and_principal(event: Event) -> Iterator[Contradiction]:
    arn, principal_id = text_at(event, "userIdentity", "arn"), text_at(event, "userIdentity", "principalId")
    named = arns.read(arn)
    _, colon, session = principal_id.partition(":")
    if (
        named
        and colon
        and named.resource_type == "assumed-role"
        and "/" in named.resource_id
        and named.name != session
    ):
        yield _between(("userIdentity", "principalId"), principal_id, ("userIdentity", "arn"), arn)


def _key_and_type(event: Event) -> Iterator[Contradiction]:
    kind, key = text_at(event, "userIdentity", "type"), text_at(event, "userIdentity", "accessKeyId")
    # AKIA marks a long-term key (AWS: "IAM identifiers", unique id prefixes): a role has none.
    if key.startswith("AKIA") and kind in {"AssumedRole", "FederatedUser"}:
        yield _between(("userIdentity", "accessKeyId"), key, ("userIdentity", "type"), kind)


def _time_and_session(event: Event) -> Iterator[Contradiction]:
    attributes = ("userIdentity", "sessionContext", "attributes", "creationDate")
    moment, begun = parse_time(text_at(event, "eventTime")), parse_time(text_at(event, *attributes))
    if moment and begun and moment < begun - _CLOCK_SKEW:
        yield _between(("eventTime",), text_at(event, "eventTime"), attributes, text_at(event, *attributes))


def _partition_and_region(event: Event) -> Iterator[Contradiction]:
    region, arn = text_at(event, "awsRegion"), text_at(event, "userIdentity", "arn")
    named, partition = arns.read(arn), partition_of(region)
    if named and partition and named.partition != partition:
        yield _between(("awsRegion",), region, ("userIdentity", "arn"), arn)


def _listed_accounts(event: Event) -> Iterator[Contradiction]:
    listed = event.get("resources")
    for index, item in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(item, dict):
            account, arn = text_at(item, "accountId"), text_at(item, "ARN")
            named = arns.read(arn)
            if named and named.account.isdecimal() and account and account != named.account:
                yield _between(
                    (f"resources[{index}]", "accountId"), account, (f"resources[{index}]", "ARN"), arn
                )


def _repeated(text: str) -> Iterator[Contradiction]:
    for key in repeated_keys(text) if text else ():
        yield Contradiction(key, "the first value, which counts", key, "another value")


def _between(path_a: tuple[str, ...], a: str, path_b: tuple[str, ...], b: str) -> Contradiction:
    return Contradiction(".".join(path_a), a, ".".join(path_b), b)


_CHECKS: Final = (
    _name_and_arn,
    _account_and_arn,
    _space_in_arn,
    _type_and_arn,
    _role_and_issuer,
    _session_and_principal,
    _key_and_type,
    _time_and_session,
    _partition_and_region,
    _listed_accounts,
)
