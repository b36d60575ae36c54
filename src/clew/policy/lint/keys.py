"""Checks of condition keys: several values or one, keys that do not go together, and keys that prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws.catalog import key_template
from clew.policy.lint import curated
from clew.policy.lint.registry import IDENTITY, RCP, SCP, TRUST, Told, of_line
from clew.policy.model import FindingType, PolicyKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_OLD_ARN: Final = "aws:arn"
_AGAINST_PRINCIPALS: Final = IDENTITY | SCP | RCP | TRUST | {PolicyKind.ENDPOINT}


@of_line("MISSING_QUALIFIER")
def no_qualifier(line: Line, _: Clause, subject: Subject) -> Iterator[Told]:
    """A key of several values without ForAllValues or ForAnyValue."""
    known = subject.key(line.key)
    if (
        known is not None
        and known.multivalued
        and not line.operator.qualifier
        and line.operator.name != "Null"
    ):
        message = f"`{line.written}` has several values; write `ForAnyValue:{line.operator_written}` or `ForAllValues:`"
        yield Told(message, (line.name,))


@of_line("FORALLVALUES_WITH_SINGLE_VALUED_KEY")
def for_all_of_one(line: Line, _: Clause, subject: Subject) -> Iterator[Told]:
    """ForAllValues before a key of one value."""
    known = subject.key(line.key)
    if line.operator.qualifier != "ForAllValues" or known is None or known.multivalued:
        return
    if line.is_audience:  # which may have several values: CONFIRM_AUDIENCE_CLAIM_TYPE tells it
        return
    message = f"`{line.written}` has one value: `ForAllValues` only lets requests without it pass; remove it"
    yield Told(message, (line.name,))


@of_line("UNSUPPORTED_GLOBAL_CONDITION_KEY", _AGAINST_PRINCIPALS)
def unsupported_arn_key(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """The key aws:ARN in a policy about principals."""
    if line.key == _OLD_ARN:
        yield Told("requests carry no `aws:ARN`; use `aws:PrincipalArn` or `aws:SourceArn`", (line.name,))


@of_line("DEPRECATED_GLOBAL_CONDITION_KEY", frozenset(PolicyKind) - _AGAINST_PRINCIPALS)
def deprecated_arn_key(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """The key aws:ARN in a policy of a resource."""
    if line.key == _OLD_ARN:
        yield Told("`aws:ARN` has been replaced; use `aws:SourceArn` or `aws:PrincipalArn`", (line.name,))


@of_line("MISSING_PAIRED_CONDITION_KEYS")
def alone(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A key that says little without another one."""
    others = curated.PAIRED.get(line.key)
    if others and line.operator.name != "Null" and clause.lacks(frozenset(map(str.lower, others))):
        named = ", ".join(f"`{other}`" for other in others)
        yield Told(f"`{line.written}` may be the same elsewhere; add one of {named}", (line.name,))


# AWS: "AWS global condition context keys", aws:MultiFactorAuthPresent: requests signed with long-term access keys do
# not carry it, so that "Deny", "Bool" and "false" let them pass.
@of_line("DENY_WITHOUT_MFA_KEY")
def absent_mfa(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A Deny that is meant for requests without MFA and misses those that do not say."""
    is_false = any(word.text.lower() == "false" for word in line.values)
    if line.key != "aws:multifactorauthpresent" or clause.effect != "Deny" or line.operator.name != "Bool":
        return
    if is_false and not line.operator.if_exists:
        message = f"requests by long-term access keys carry no `{line.written}` and are not denied"
        yield Told(f"{message}; write `BoolIfExists`", (line.name,))


@of_line("UNTRUSTWORTHY_CONDITION_KEY")
def spoofed(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A key that the caller chooses."""
    if line.key in curated.UNTRUSTWORTHY and not _stands_for_a_source(line, clause):
        yield Told(f"the caller chooses `{line.written}` freely; access must not depend on it", (line.name,))


def _stands_for_a_source(line: Line, clause: Clause) -> bool:
    """Whether the key restricts a service principal, which RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL tells."""
    return line.key in curated.CALL_SUBSTITUTES and any(kind == "Service" for kind, _ in clause.principals)


@of_line("STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS")
def text_for_arn(line: Line, _: Clause, subject: Subject) -> Iterator[Told]:
    """StringLike and StringNotLike for a key that holds an ARN."""
    known = subject.key(line.key)
    if (
        line.operator.name not in {"StringLike", "StringNotLike"}
        or known is None
        or known.value_types != ("ARN",)
    ):
        return
    meant = line.operator_written.replace("String", "Arn").replace("string", "Arn")
    message = (
        f"`{line.written}` holds an ARN, of which `{line.operator_written}` ignores the parts; use `{meant}`"
    )
    yield Told(message, (line.name,))


@of_line("UNSUPPORTED_ACTION_FOR_CONDITION_KEY")
def not_of_action(line: Line, clause: Clause, subject: Subject) -> Iterator[Told]:
    """Listed actions that never carry the key."""
    known = subject.key(line.key)
    if known is None or line.holds_without_key:
        return
    provider, service = line.key.rpartition(":")[0], line.key.partition(":")[0]
    is_claim = provider in curated.BUILT_IN_PROVIDERS
    name = line.key if is_claim else known.name
    if name == known.name and not _is_of_one_service(line.key, known.is_global):
        return
    wrong = tuple(word for word in clause.actions if not _carries(word, name, subject))
    is_listed = is_claim or name.lower() in subject.keys_of(service)
    if wrong and is_listed:  # of other keys the catalogue does not say to which actions they belong
        named = ", ".join(f"`{word.text}`" for word in wrong[:5]) + (" and others" if len(wrong) > 5 else "")  # noqa: PLR2004  # enough to see
        message = f"requests of {named} carry no `{line.written}`"
        is_sure = is_claim or service in curated.JUDGED_BY_ACTION
        weight = None if is_sure else FindingType.WARNING
        advice = "move the actions to a statement without it"
        yield Told(f"{message}; {advice}", (*wrong, line.name), weight=weight)


def _is_of_one_service(key: str, is_global: bool) -> bool:  # as the catalogue says
    """Whether the key belongs to actions of a service, and not to the session of whoever calls."""
    return not is_global and not key.startswith(("aws:", "saml:"))


def _carries(word: Word, key: str, subject: Subject) -> bool:
    """Whether the catalogue lists the key for the action; True for patterns and for what it does not know."""
    if "*" in word.text or "?" in word.text or subject.catalog.action(word.text) is None:
        return True
    if key.lower() in curated.DOCUMENTED.get(word.text.lower(), ()):
        return True
    listed = subject.catalog.condition_keys_of(word.text)
    return key_template(key).lower() in {key_template(each).lower() for each in listed}


@of_line("USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES")
def owner_of_endpoint(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """aws:VpceAccount and its like with services that do not supply them."""
    if line.key not in curated.OWNER_KEYS or line.operator.name == "Null":
        return
    known = curated.services_with_owner(line.key)
    wrong = tuple(word for word in clause.actions if not _supplies(word.text, known))
    wrong += clause.not_actions[:1]
    if wrong:
        message = (
            f"`{line.written}` is not supplied for `{wrong[0].text}`; name actions of services that supply it"
        )
        yield Told(message, (line.name, *wrong))


def _supplies(action: str, services: frozenset[str]) -> bool:
    return action.partition(":")[0].lower() in services and action.lower() != "iam:passrole"


@of_line("DYNAMODB_ATTRIBUTES_WITHOUT_SELECT")
def attributes_alone(line: Line, clause: Clause, subject: Subject) -> Iterator[Told]:
    """dynamodb:Attributes in an Allow of reads without dynamodb:Select."""
    if line.key != "dynamodb:attributes" or not clause.allows or not _reads(clause, subject):
        return
    if clause.are_keys_open or any(map(_selects, clause.lines)):
        return
    message = (
        "a read that names no attribute returns all of them; add `dynamodb:Select` = `SPECIFIC_ATTRIBUTES`"
    )
    yield Told(message, (line.name,))


def _selects(line: Line) -> bool:
    values = {word.text for word in line.values}
    is_equal = line.operator.name in {"StringEquals", "StringLike", "StringEqualsIgnoreCase"}
    return line.key == "dynamodb:select" and is_equal and (line.is_open or values == {"SPECIFIC_ATTRIBUTES"})


def _reads(clause: Clause, subject: Subject) -> bool:
    """Whether an action may be one that returns items."""
    reads = subject.catalog.actions_matching(
        "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"
    )
    listed = any(reads.mask & subject.catalog.mask(word.text) for word in clause.actions)
    return listed or bool(clause.not_actions)


@of_line("S3_PREFIX_IN_NEGATIVE_CONTEXT")
def forbidden_prefix(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """s3:prefix in a Deny by a match, or in an Allow by a mismatch."""
    if line.key == "s3:prefix" and line.family == "String" and line.is_negated is clause.allows:
        message = "a shorter prefix lists the same objects; allow by `StringLike`, or deny by `StringNotLike`"
        yield Told(message, (line.name,))
