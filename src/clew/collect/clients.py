"""Clients for the services of one account, made once for each region and shared by threads."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.collect.session import FATAL_CODES, Account, credential_failure, error_code, sdk_failure
from clew.errors import InputError, MissingExtraError
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto3.session import Session
    from botocore.awsrequest import AWSRequest
    from botocore.loaders import Loader
    from botocore.session import Session as BaseSession

_HOME_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
}
"""Where each partition's services for whole accounts are asked."""
_OF_AWS = re.compile(r"\.amazonaws\.com(\.cn)?$|\.api\.aws$")
_ACCOUNT_IN_HOST = re.compile(r"^(https?://)\d{12}\.")
_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account's id, the partition, and the ARN of the principal."""

    account: str
    partition: str
    arn: str

    @property
    def home_region(self) -> str:
        """The region where the partition answers for whole accounts."""
        return _HOME_REGIONS.get(self.partition, _HOME_REGIONS["aws"])


class Clients:
    """The clients of one set of credentials."""

    def __init__(
        self, session: Session, home_region: str, connections: int, models: Loader | None = None
    ) -> None:
        """Use the session's credentials; `home_region` answers for whole accounts, `models` describe services."""
        self.session = session
        self.models = models
        self.home_region = home_region
        self.connections = connections
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    def of(self, service: str, region: str) -> Any:
        """The client of a service in a region, or for the whole account where that is `global`."""
        place = self.home_region if region == GLOBAL else region
        # A session of boto3 is not made for threads, its clients are.
        with self._lock:
            key = service, place
            if key not in self._made:
                self._made[key] = self._client(service, place)
            return self._made[key]

    def reaches(self, region: str) -> bool:
        """Whether the region is of the partition of these credentials."""
        with self._lock:
            partition = self.session.get_partition_for_region
            return partition(region) == partition(self.home_region)

    def has_endpoint(self, service: str, region: str) -> bool:
        """Whether the SDK knows of the service in the region; services that it places nowhere are everywhere."""
        with self._lock:
            partition = self.session.get_partition_for_region(region)
            known = self.session.get_available_regions(service, partition)
        return not known or region in known

    def with_role(self, credentials: Mapping[str, str]) -> Clients:
        """The clients of a role that was assumed."""
        import boto3

        session = boto3.session.Session(
            botocore_session=_sharing(self.models),
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=self.home_region,
        )
        return Clients(session, self.home_region, self.connections, self.models)

    def _client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        custom = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        attempts = os.environ.get("AWS_MAX_ATTEMPTS", "")
        settings = Config(
            retries={
                "mode": "adaptive",
                "total_max_attempts": int(attempts) if attempts.isdecimal() else _ATTEMPTS,
            },
            max_pool_connections=self.connections,
            user_agent_extra="clew",
            connect_timeout=10,
            read_timeout=60,
            s3={"addressing_style": "path" if custom else "auto"},
        )
        # boto3's stubs know services by their literal names only.
        client: Any = self.session.client(service, region_name=region, config=settings)  # type: ignore[call-overload]
        if service == "s3control" and not _is_aws(client.meta.endpoint_url):
            client.meta.events.register("before-sign.s3-control", _without_account)
        return client


def _sharing(models: Loader | None) -> BaseSession:
    """A session of the SDK that uses these models: reading them again takes 0.5 s for each account."""
    import botocore.session

    inner = botocore.session.Session()
    if models is not None:
        inner.register_component("data_loader", models)
    return inner


def _is_aws(endpoint: str) -> bool:
    return bool(_OF_AWS.search(endpoint.rstrip("/").partition(":443")[0]))


def _without_account(request: AWSRequest, **_: object) -> None:
    """Take the account's id off the host: S3 Control puts it there, and a private endpoint's name has none such."""
    request.url = _ACCOUNT_IN_HOST.sub(r"\1", request.url or "")


def start(account: Account, *, connections: int) -> tuple[Clients, Caller]:
    """The clients of the user's own credentials, and who that is. Errors: `InputError`, `MissingExtraError`."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ModuleNotFoundError as error:
        raise MissingExtraError("aws", "boto3") from error
    try:
        inner = _sharing(None)
        session = boto3.session.Session(
            botocore_session=inner, profile_name=account.profile, region_name=account.region
        )
        # The first question goes to the region that is set, since the partition is not known before.
        first = Clients(session, session.region_name or _HOME_REGIONS["aws"], connections)
        found = first.of("sts", GLOBAL).get_caller_identity()
    except BotoCoreError as error:
        raise sdk_failure("sts:GetCallerIdentity", error) from error
    except ClientError as error:
        if error_code(error) in FATAL_CODES:
            raise credential_failure("sts:GetCallerIdentity", error) from error
        raise InputError(f"sts:GetCallerIdentity: {error_code(error)}; check the credentials") from error
    except (ResponseParserError, ValueError) as error:
        raise InputError(f"AWS session: {' '.join(str(error).split())[:300]}") from error
    caller = Caller(found["Account"], found["Arn"].split(":")[1], found["Arn"])
    return Clients(session, caller.home_region, connections, inner.get_component("data_loader")), caller
