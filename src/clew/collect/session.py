"""How Clew speaks to AWS: one client maker, and AWS failures as one line each with what is missing.

`AWS_ENDPOINT_URL`, `AWS_PROFILE` and the rest of the SDK's own settings are honoured; `--profile` and `--region` win.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_s3 import S3Client

# Codes after which no further call can succeed: what the reader should do about each.
_CREDENTIAL_ADVICE = {
    "ExpiredToken": "the credentials have expired; sign in again (`aws sso login`) or renew them",
    "ExpiredTokenException": "the credentials have expired; sign in again (`aws sso login`) or renew them",
    "RequestExpired": "the credentials have expired; sign in again (`aws sso login`) or renew them",
    "InvalidToken": "the session token is not valid; renew the credentials",
    "TokenRefreshRequired": "the session token must be refreshed; renew the credentials",
    "InvalidAccessKeyId": "AWS does not know this access key; check AWS_ACCESS_KEY_ID or --profile",
    "InvalidClientTokenId": "AWS does not know this access key; check AWS_ACCESS_KEY_ID or --profile",
    "SignatureDoesNotMatch": "the secret access key does not fit the access key; check the credentials",
    "AuthFailure": "the credentials are refused; check AWS_ACCESS_KEY_ID or --profile",
    "AccountProblem": "AWS refuses this account; see the account's billing and support pages",
    "RequestTimeTooSkewed": "the clock of this machine is wrong; set it and try again",
}
FATAL_CODES = frozenset(_CREDENTIAL_ADVICE)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose credentials to use: a named profile and a region, both optional."""

    profile: str | None = None
    region: str | None = None


def s3_client(account: Account, *, connections: int) -> S3Client:
    """An S3 client with adaptive retries; MissingExtraError without boto3, InputError for a wrong profile."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError as error:
        raise MissingExtraError("aws", "boto3") from error
    # A private endpoint (an emulator, a gateway) seldom resolves `bucket.host`, so its buckets stay in the path.
    custom = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    settings = Config(
        retries={"mode": "adaptive", "max_attempts": 6},
        max_pool_connections=connections,
        user_agent_extra="clew",
        connect_timeout=10,
        read_timeout=60,
        s3={"addressing_style": "path" if custom else "auto"},
    )
    try:
        session = boto3.session.Session(profile_name=account.profile, region_name=account.region)
        return session.client("s3", config=settings)
    except BotoCoreError as error:
        raise sdk_failure("AWS session", error) from error
    except ValueError as error:
        raise InputError(f"AWS session: {_one_line(str(error))}") from error


def error_code(error: ClientError) -> str:
    """AWS's code of a refused call, `HTTP 500` and the like where the answer carries none."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return f"HTTP {status}" if not code or code.isdecimal() else code


def error_message(error: ClientError) -> str:
    """AWS's own sentence about a refused call, on one line and at most 300 characters."""
    return _one_line(error.response.get("Error", {}).get("Message", ""))


def credential_failure(where: str, error: ClientError) -> InputError:
    """The one line for a refusal that concerns the credentials themselves."""
    code = error_code(error)
    return InputError(f"{where}: {code}: {_CREDENTIAL_ADVICE[code]}")


def sdk_failure(where: str, error: BotoCoreError) -> InputError:
    """The one line for a failure before AWS could answer: no credentials, no connection, no such profile."""
    name = type(error).__name__
    text = _one_line(str(error))
    return InputError(f"{where}: {name}: {text}{_SDK_ADVICE.get(name, '')}")


_SDK_ADVICE = {
    "NoCredentialsError": "; use --profile, or set AWS_PROFILE or AWS_ACCESS_KEY_ID",
    "PartialCredentialsError": "; set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "ProfileNotFound": "; `aws configure list-profiles` names the profiles",
    "EndpointConnectionError": "; check the network, --region and AWS_ENDPOINT_URL",
    "ConnectTimeoutError": "; check the network, --region and AWS_ENDPOINT_URL",
    "SSOTokenLoadError": "; sign in with `aws sso login`",
    "UnauthorizedSSOTokenError": "; sign in with `aws sso login`",
    "TokenRetrievalError": "; sign in with `aws sso login`",
    "NoRegionError": "; use --region or set AWS_REGION",
}


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300].rstrip(".")
