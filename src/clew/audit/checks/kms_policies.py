"""Checks of who may do what with KMS keys: key policies, grants, deletion and imported material."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.kms_keys import each_key
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import chosen, facts, items, listing, member, moment, text, unanswered
from clew.aws import catalog
from clew.errors import PolicyError
from clew.findings import Severity
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.audit.kms_keys import Key
    from clew.audit.model import State
    from clew.policy.model import Policy, Statement

_POLICY = "kms:GetKeyPolicy"
_NONE = "there are no customer managed keys"
_ADMINISTRATION = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")
_USE = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:Sign", "kms:GenerateMac")
_LIMITS = frozenset({"kms:viaservice", "aws:sourcevpce", "aws:sourcevpc"})
_SOON_DAYS = 7


def _each_policy(
    state: State, judge: Callable[[Key, Policy], Judgement], *, none: str = _NONE
) -> Iterator[Judgement]:
    """What `judge` says of the policy of each key that the customer manages and that is not pending deletion."""

    def judged(key: Key) -> Judgement | None:
        if not key.is_own or text(key.metadata, "KeyState") == "PendingDeletion":
            return None
        answer = state.about(key.listed, "GetKeyPolicy", KeyId=key.id, PolicyName="default")
        if not answer.status.is_known:
            return unanswered(key.arn, answer)
        try:
            return judge(key, Document("key policy", member(answer.body, "Policy")).meaning)
        except PolicyError as error:
            message = f"its policy cannot be read: {error}"
            return Judgement(Verdict.UNKNOWN, key.arn, message, missing=(_POLICY,))

    yield from each_key(state, judged, none=none)


def _allows(statement: Statement, actions: tuple[str, ...]) -> bool:
    """Whether an Allow is about one of these actions."""
    aws = catalog.current()
    wanted = aws.actions_matching(*actions).mask
    if not statement.allows:
        return False
    if statement.actions is not None:
        return bool(aws.actions_matching(*statement.actions).mask & wanted)
    return bool(wanted & ~aws.actions_matching(*(statement.not_actions or ())).mask)


def _principals(statement: Statement) -> tuple[str, ...]:
    return tuple(each.value for each in statement.principals or () if each.kind in {"AWS", "*"})


def _is_root(principal: str, account: str) -> bool:
    return principal == account or principal.endswith(f":iam::{account}:root")


@check(
    "kms-admins-not-users",
    "Who manages a key does not use it",
    "Somebody manages a key and uses it as well",
    Severity.LOW,
)
def admins_not_users(state: State) -> Iterator[Judgement]:
    """Principals whom a key policy lets both manage the key and use it.

    Finds. A key policy that lets one principal, other than the account itself, both change the policy, disable or
    delete the key, and encrypt, decrypt or sign with it. Only the key policy is looked at, not identity policies.
    Why it matters. Whoever manages a key can give others access; whoever reads the data should not be able to.
    False positives. A pipeline that makes the key and its data in one go.
    Fix. Split the statement: administrators without `kms:Decrypt`, users without `kms:PutKeyPolicy`.
    References. AWS KMS developer guide, Key policies in AWS KMS · AWS KMS developer guide, Default key policy
    """

    def judge(key: Key, policy: Policy) -> Judgement:
        admins = {p for s in policy.statements if _allows(s, _ADMINISTRATION) for p in _principals(s)}
        users = {p for s in policy.statements if _allows(s, _USE) for p in _principals(s)}
        both = sorted(p for p in admins & users if not _is_root(p, state.account))
        seen = (("administrators", listing(sorted(admins))), ("users", listing(sorted(users))))
        if both:
            return Judgement(Verdict.FAIL, key.arn, f"manages and uses it: {listing(both)}", seen)
        return Judgement(Verdict.PASS, key.arn, "nobody does both by the key policy", seen)

    yield from _each_policy(state, judge)


@check(
    "kms-account-delegation",
    "The account can always manage its keys",
    "A key policy does not let the account manage the key",
    Severity.LOW,
)
def account_delegation(state: State) -> Iterator[Judgement]:
    """Key policies without the statement that lets the account's IAM policies count.

    Finds. A key policy in which no Allow without condition gives the account `kms:*`, or at least `kms:PutKeyPolicy`.
    Why it matters. When the principals of such a policy are deleted nobody can manage the key, and its data may be
    lost.
    False positives. A key that is kept away from the account's administrators on purpose.
    Fix. Add the statement of the default key policy, with the account's root as principal.
    References. AWS KMS developer guide, Default key policy, Allows access to the AWS account and enables IAM policies
    """

    def judge(key: Key, policy: Policy) -> Judgement:
        found = [
            each
            for each in policy.statements
            if _allows(each, ("kms:PutKeyPolicy",))
            and not each.conditions
            and any(_is_root(p, state.account) for p in _principals(each))
        ]
        if found:
            return Judgement(Verdict.PASS, key.arn, f"statement {_name(found[0])} lets the account manage it")
        return Judgement(Verdict.FAIL, key.arn, "no statement lets the account manage it")

    yield from _each_policy(state, judge)


@check(
    "kms-use-limited",
    "Use of keys is limited to services or networks",
    "A key can be used from anywhere",
    Severity.INFORMATIONAL,
)
def use_limited(state: State) -> Iterator[Judgement]:
    """Key policies whose users may call KMS from anywhere, not by a service or an endpoint alone.

    Finds. A key policy with an Allow to encrypt, decrypt or sign, for others than the account itself, without a
    condition on kms:ViaService, aws:SourceVpce or aws:SourceVpc.
    Why it matters. With the condition, stolen credentials decrypt nothing outside the service or network.
    False positives. Programs that call KMS themselves from changing places.
    Fix. Add a condition on kms:ViaService, for example `s3.eu-west-1.amazonaws.com`, or on aws:SourceVpce.
    References. AWS KMS developer guide, AWS KMS condition keys, kms:ViaService · AWS KMS developer guide, Connect to
    AWS KMS through a VPC endpoint
    """

    def judge(key: Key, policy: Policy) -> Judgement:
        using = [
            each
            for each in policy.statements
            if _allows(each, _USE) and any(not _is_root(p, state.account) for p in _principals(each))
        ]
        free = [each for each in using if not {c.key.lower() for c in each.conditions} & _LIMITS]
        if not using:
            return Judgement(Verdict.PASS, key.arn, "only identity policies let somebody use it")
        if free:
            return Judgement(Verdict.FAIL, key.arn, f"used from anywhere by statement {_name(free[0])}")
        return Judgement(Verdict.PASS, key.arn, "every use is limited to a service or network")

    yield from _each_policy(state, judge)


def _name(statement: Statement) -> str:
    return f"`{statement.sid}`" if statement.sid else str(statement.index + 1)


@check("kms-grants", "Grants are narrow", "A grant reaches outside", Severity.MEDIUM)
def grants(state: State) -> Iterator[Judgement]:
    """Live grants on keys, and to whom they give them.

    Finds. A grant on a customer managed key whose grantee belongs to another account, or to nobody that can be told.
    The evidence lists every grant with its operations.
    Why it matters. Grants hold until somebody retires them, and no policy shows them.
    False positives. A grant to a partner that is meant to be there.
    Fix. `aws kms revoke-grant`
    References. AWS KMS developer guide, Grants in AWS KMS
    """

    def judge(key: Key) -> Judgement | None:
        if not key.is_own:
            return None
        answer = state.about(key.listed, "ListGrants", KeyId=key.id)
        if not answer.status.is_known:
            return unanswered(key.arn, answer)
        found = tuple(items(answer.body, "Grants"))
        seen = tuple(
            (
                f"grant {text(g, 'GrantId')[:12]}",
                f"{text(g, 'GranteePrincipal')}: {', '.join(_operations(g))}",
            )
            for g in found
        )
        outside = [
            text(g, "GranteePrincipal")
            for g in found
            if _is_outside(text(g, "GranteePrincipal"), state.account)
        ]
        if outside:
            return Judgement(Verdict.FAIL, key.arn, f"granted to {listing(outside)}", seen)
        return Judgement(Verdict.PASS, key.arn, f"{len(found)} grants, all inside the account", seen)

    yield from each_key(state, judge, none=_NONE)


def _operations(grant: object) -> tuple[str, ...]:
    value = member(grant, "Operations")
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _is_outside(principal: str, account: str) -> bool:
    """Whether a grantee belongs to another account; a service is written as `rds.amazonaws.com`."""
    if principal.startswith("arn:"):
        return principal.split(":")[4] != account
    return ".amazonaws.com" not in principal


@check("kms-deletion", "No key is about to be deleted", "A key is about to be deleted", Severity.MEDIUM)
def deletion(state: State, *, keys: str = "") -> Iterator[Judgement]:
    """Keys that wait for their deletion, and how long they still do.

    Finds. A customer managed key whose deletion is scheduled; it weighs much where less than seven days are left.
    `keys` chooses keys by their ids or ARNs, with commas; all where it is empty.
    Why it matters. What the key encrypted is lost with it, for everybody and for good.
    False positives. A key that encrypts nothing any more.
    Fix. `aws kms cancel-key-deletion`, then look in CloudTrail for who scheduled it and who used the key since.
    References. AWS KMS developer guide, Delete AWS KMS keys · AWS Config developer guide,
    kms-cmk-not-scheduled-for-deletion
    """
    wanted = chosen(keys)

    def judge(key: Key) -> Judgement | None:
        if not key.is_own or (wanted and not wanted & {key.id, key.arn}):
            return None
        state_ = text(key.metadata, "KeyState")
        if state_ not in {"PendingDeletion", "PendingReplicaDeletion"}:
            return Judgement(Verdict.PASS, key.arn, f"is {state_ or 'not being deleted'}")
        seen = facts(key.metadata, "KeyState", "DeletionDate", "PendingDeletionWindowInDays")
        date = moment(text(key.metadata, "DeletionDate"))
        soon = date is not None and (date - state.as_of).days < _SOON_DAYS
        when = f"on {date:%Y-%m-%d}" if date else "at a time that is not told"
        severity = Severity.HIGH if soon else None
        return Judgement(Verdict.FAIL, key.arn, f"is deleted {when}", seen, severity=severity)

    yield from each_key(state, judge, none=_NONE)


@check(
    "kms-imported-material",
    "Imported key material does not expire",
    "Imported material expires",
    Severity.MEDIUM,
)
def imported_material(state: State, *, days: int = 30) -> Iterator[Judgement]:
    """When the material expires that customers brought to their keys.

    Finds. A key whose imported material has expired or was never brought, or expires within `days`.
    Why it matters. Without its material the key decrypts nothing until somebody brings the same material again.
    False positives. Material that is meant to vanish.
    Fix. Import the same material again, with a later date or without one.
    References. AWS KMS developer guide, Importing key material for AWS KMS keys
    """

    def judge(key: Key) -> Judgement | None:
        if text(key.metadata, "Origin") != "EXTERNAL":
            return None
        seen = facts(key.metadata, "KeyState", "ExpirationModel", "ValidTo")
        if text(key.metadata, "KeyState") == "PendingImport":
            return Judgement(Verdict.FAIL, key.arn, "has no material", seen)
        until = moment(text(key.metadata, "ValidTo"))
        if text(key.metadata, "ExpirationModel") == "KEY_MATERIAL_EXPIRES" and until is None:
            message = "its material expires, and the answer does not say when"
            return Judgement(Verdict.UNKNOWN, key.arn, message, seen, ("kms:DescribeKey",))
        if until is not None and (until - state.as_of).days < days:
            return Judgement(Verdict.FAIL, key.arn, f"its material expires {until:%Y-%m-%d}", seen)
        return Judgement(Verdict.PASS, key.arn, "its material does not expire soon", seen)

    yield from each_key(state, judge, none="no key has imported material")
