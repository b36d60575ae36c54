"""Public access: may a stranger do something under this resource policy?

A stranger is anonymous, or a principal of an account that the policy does not name, or somebody whom a shared identity
provider vouches for. Keys that say who calls or from where never hold a value that the policy names as known; all other
keys are the stranger's choice.
AWS: IAM User Guide, "IAM Access Analyzer custom policy checks"; S3 User Guide, "Blocking public access to your Amazon
S3 storage", The meaning of "public".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier
from clew.engine.conditions import read as read_operator
from clew.engine.known_callers import ADDRESSES, KEYS, SHARED_PROVIDERS, is_known
from clew.engine.principal import Kind, Named
from clew.symbolic import boxes, callers
from clew.symbolic.keys import ANY_KEY, KeyTest
from clew.symbolic.operators import arn_pattern, set_of
from clew.symbolic.search import Is, Not, all_of
from clew.symbolic.space import ACTION, CALLER
from clew.symbolic.texts import Texts, glob, globs
from clew.symbolic.values import Values, of_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.policy.model import Condition, Policy
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space

SERVICES: Final = {
    "AWS::ApiGateway::RestApi": ("execute-api",),
    "AWS::Backup::BackupVault": ("backup", "backup-storage"),
    "AWS::CloudTrail::Dashboard": ("cloudtrail",),
    "AWS::CloudTrail::EventDataStore": ("cloudtrail",),
    "AWS::CodeArtifact::Domain": ("codeartifact",),
    "AWS::DynamoDB::Stream": ("dynamodb",),
    "AWS::DynamoDB::Table": ("dynamodb",),
    "AWS::EFS::FileSystem": ("elasticfilesystem",),
    "AWS::IAM::AssumeRolePolicyDocument": ("sts",),
    "AWS::KMS::Key": ("kms",),
    "AWS::Kinesis::Stream": ("kinesis",),
    "AWS::Kinesis::StreamConsumer": ("kinesis",),
    "AWS::Lambda::Function": ("lambda",),
    "AWS::OpenSearchService::Domain": ("es",),
    "AWS::S3::AccessPoint": ("s3",),
    "AWS::S3::Bucket": ("s3",),
    "AWS::S3::Glacier": ("glacier",),
    "AWS::S3Express::AccessPoint": ("s3express",),
    "AWS::S3Express::DirectoryBucket": ("s3express",),
    "AWS::S3Outposts::AccessPoint": ("s3-outposts",),
    "AWS::S3Outposts::Bucket": ("s3-outposts",),
    "AWS::S3Tables::Table": ("s3tables",),
    "AWS::S3Tables::TableBucket": ("s3tables",),
    "AWS::SNS::Topic": ("sns",),
    "AWS::SQS::Queue": ("sqs",),
    "AWS::SecretsManager::Secret": ("secretsmanager",),
}
"""The resource types of CheckNoPublicAccess, each with the prefixes of the actions that its policies are about."""

_OIDC: Final = ":oidc-provider/"


def strangers(policies: Sequence[Policy], space: Space, services: Sequence[str] = ()) -> Formula:
    """The requests that strangers can make; only for actions with these prefixes where there are some."""
    kind = space.caller.kind
    if kind in {Kind.SERVICE, Kind.SESSION, Kind.CANONICAL}:
        return False
    parts: list[Formula] = [Not((each,)) for each in _known(policies, space)]
    if kind is Kind.PROVIDER:
        providers = [*SHARED_PROVIDERS, *(f"arn:*{_OIDC}{name}*" for name in sorted(SHARED_PROVIDERS))]
        parts.append(Is((space.literal(CALLER, globs(providers)),)))
    elif kind is not Kind.ANONYMOUS:
        named = [callers.named_by(each, space.caller) for each in _named(policies)]
        parts += [Not((space.literal(CALLER, each),)) for each in named if isinstance(each, Texts)]
    if services:
        parts.append(Is((space.literal(ACTION, globs([f"{name}:*" for name in services])),)))
    return all_of(parts)


def _named(policies: Sequence[Policy]) -> Iterator[Named]:
    for policy in policies:
        for statement in policy.statements:
            yield Named(statement.principals or statement.not_principals or ())


def _known(policies: Sequence[Policy], space: Space) -> Iterator[int]:
    """What a stranger's keys do not hold: each value that a condition names as known."""
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                literal = _known_values(condition, space)
                if literal is not None:
                    yield literal


def _known_values(condition: Condition, space: Space) -> int | None:
    qualified = read_operator(condition.operator)
    key = condition.key.lower()
    if qualified is None or qualified.operator.tests_presence or not _is_knowing(key):
        return None
    values = [value for value in condition.values if is_known(key, value)]
    if not values:
        return None
    quantifier = Quantifier.ANY if space.kinds.get(key, ANY_KEY).multivalued else Quantifier.PLAIN
    made = boxes.presented(space, key, KeyTest(_set(key, qualified.operator.name, values), quantifier))
    return None if isinstance(made, bool) else made


def _set(key: str, operator: str, values: Sequence[str]) -> Values:
    if key in ADDRESSES or operator in {"Bool", "BinaryEquals"}:
        return set_of("Bool" if operator == "Bool" else "IpAddress", values, None)
    if operator.startswith("Arn"):
        return of_texts(Texts(atom for atom in map(arn_pattern, values) if atom is not None))
    return of_texts(Texts(map(glob, values)))


def _is_knowing(key: str) -> bool:
    provider, _, claim = key.partition(":")
    return key in KEYS or (bool(claim) and provider in SHARED_PROVIDERS)
