"""The condition keys that say who calls or from where, and which of their values name callers of known places.

A stranger cannot choose the values of these keys; all other keys are the caller's choice.
AWS: S3 User Guide: "Blocking public access to your Amazon S3 storage", The meaning of "public"; EFS User Guide:
"Blocking public access to EFS file systems", The meaning of "public"; the keys of the source's and the caller's
organisation, of KMS and Lambda name callers in the same way. Unlike S3's own word (`services.s3_public`), a wildcard
behind a fixed account number counts as known: all of them are of that account.

>>> is_known("aws:PrincipalArn".lower(), "arn:aws:iam::111122223333:*"), is_known("aws:principalaccount", "*")
(True, False)
"""

from __future__ import annotations

import ipaddress
from typing import Final

KEYS: Final = frozenset(
    {
        "aws:ec2instancesourcevpc",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:userid",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "elasticfilesystem:accessedviamounttarget",
        "elasticfilesystem:accesspointarn",
        "kms:calleraccount",
        "lambda:eventsourcetoken",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
"""The keys, in lower case."""

SHARED_PROVIDERS: Final = frozenset(
    {
        "accounts.google.com",
        "cognito-identity.amazonaws.com",
        "graph.facebook.com",
        "www.amazon.com",
        "token.actions.githubusercontent.com",
        "gitlab.com",
        "app.terraform.io",
        "agent.buildkite.com",
        "oidc.circleci.com",
        "api.bitbucket.org",
    }
)
"""Identity providers with whom everybody can have an account; what tells one user from another are their claims."""

ADDRESSES: Final = frozenset({"aws:sourceip", "aws:vpcsourceip"})
"""The keys whose values are addresses.

AWS: IAM User Guide: "AWS global condition context keys", aws:VpcSourceIp: alone it says nothing of who calls, since
everybody may have a VPC with the same private addresses.
"""

OPEN: Final = ("*", "?", "${")
"""What makes a value stand for more than one."""

_OIDC: Final = ":oidc-provider/"
# What a claim begins with that is true of every user of the provider.
_UNSPECIFIC: Final = ("", "repo:", "project_path:", "organization:", "sts.amazonaws.com")
_MOUNT_TARGET: Final = "elasticfilesystem:accessedviamounttarget"
# AWS: the same page: a range broader than /8 (IPv4) or /32 (IPv6) is public.
_BROADEST: Final = {4: 8, 6: 32}
_ACCOUNT_PART: Final = 4
_USER_ID: Final = "aws:userid"


def is_known(key: str, value: str) -> bool:
    """Whether the value of the key, in lower case, holds for callers of known places only."""
    if key in ADDRESSES:
        return is_narrow(value)
    if key == _USER_ID:
        # AWS: "IAM policy elements: Variables and tags": a role's id comes before the name of its session.
        return _is_fixed(value.partition(":")[0])
    if key.partition(":")[0] in SHARED_PROVIDERS:
        return min((value.split(sign, 1)[0] for sign in OPEN), key=len) not in _UNSPECIFIC
    if key == _MOUNT_TARGET:
        return value.lower() == "true"
    if key.endswith("arn"):
        parts = value.split(":", _ACCOUNT_PART + 1)
        account = parts[_ACCOUNT_PART] if len(parts) > _ACCOUNT_PART else ""
        # A bucket's ARN has no account and is known by its name.
        return _is_fixed(account or value)
    return _is_fixed(value.partition("/")[0] if key.endswith("orgpaths") else value)


def shared_provider(principal: str) -> str:
    """The shared provider that a Federated principal names; empty for any other.

    >>> shared_provider("arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com")
    'token.actions.githubusercontent.com'
    """
    host = principal.partition(_OIDC)[2] or principal
    return host if host in SHARED_PROVIDERS else ""


def is_narrow(value: str) -> bool:
    """Whether the range of addresses is narrow enough to name a known place.

    >>> is_narrow("203.0.113.0/24"), is_narrow("0.0.0.0/1"), is_narrow("2001:db8::/32")
    (True, False, True)
    """
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _BROADEST[network.version]


def _is_fixed(value: str) -> bool:
    return bool(value) and not any(sign in value for sign in OPEN)
