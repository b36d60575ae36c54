"""What stands, as a snapshot of `clew collect` says it: plans are made of it without asking AWS.

A setting that the snapshot does not hold, or that was refused, stops the plan; it is no absence. The snapshot's calls
are not always those by which a change reads one setting, so some answers are cut to the shape that the aspect reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.aws import arn as arns
from clew.aws.partitions import partition_of
from clew.errors import ChangeError, UsageError
from clew.respond.aspects.reading import GONE
from clew.respond.model import State
from clew.respond.recorded_rules import rules
from clew.snapshot.answers import GLOBAL, NOT_COLLECTED, Call, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from clew.respond.model import Aspect, Place, Value
    from clew.snapshot.answers import Answers

Body = dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A snapshot to plan with: its answers, its file, and when it was collected (UTC)."""

    answers: Answers
    file: str
    collected_at: datetime

    @property
    def partition(self) -> str:
        """The partition of the regions that were asked; `aws` where none tells."""
        return next(filter(None, map(partition_of, self.answers.regions)), "aws")

    def owner(self, resource: str, account: str = "") -> str:
        """The account of the resource: the one that is named, that of the ARN, the only one, or the bucket's.

        Errors: `UsageError` where several accounts remain.
        """
        found = arns.read(resource)
        said = account or (found.account if found else "")
        held = self.answers.accounts
        if said or len(held) == 1:
            return said or held[0]
        name = found.resource if found else resource
        owners = [each for each in held if name in self._buckets(each)]
        if len(owners) == 1:
            return owners[0]
        raise UsageError(f"which account? `{self.file}` holds {', '.join(held)}; give `--account`")

    def _buckets(self, account: str) -> set[str]:
        listed = self.answers.get(account, GLOBAL, "s3", "ListBuckets")
        return {str(bucket.get("Name")) for bucket in listed.list("Buckets")}

    def state(self, needs: tuple[tuple[Aspect, Place], ...]) -> State:
        """Everything that an action needs, as it was collected. Errors: `ChangeError` for what is not known."""
        return State({(aspect.name, place): self.look(aspect, place) for aspect, place in needs})

    def look(self, aspect: Aspect, place: Place) -> Value:
        """What stood there. Errors: `ChangeError` where the snapshot does not say, or the resource was not there."""
        source = SOURCES.get(aspect.name)
        if source is None:
            raise ChangeError(
                f"`{self.file}` holds no {aspect.name} of `{place}`: collecting does not read them; "
                "plan with credentials"
            )
        region = GLOBAL if source.whole_account else place.region
        call = Call(place.account, region, source.service, source.operation, source.parameters(place))
        answer = self.answers.of(call)
        if answer.error_code == NOT_COLLECTED and not answer.source:
            where = "" if region == GLOBAL else f" in {region}"
            raise ChangeError(f"`{self.file}` does not hold `{call}` of {place.account}{where}")
        if answer.error_code in GONE:
            raise ChangeError(f"`{place}` was not there when the snapshot was collected")
        if not answer.status.is_known:
            raise ChangeError(
                f"`{self.file}`: {call}: {answer.status}: {answer.error_code}; what stood there is not known"
            )
        body = dict(answer.body) if answer.status is Status.OK and answer.body is not None else None
        cut = source.cut(body, place) if body is not None else None
        return aspect.view(cut, place) if cut is not None else None


def _nothing(_: Place) -> tuple[tuple[str, str], ...]:
    return ()


def _whole(body: Body, _: Place) -> Body:
    return body


@dataclass(frozen=True, slots=True)
class _Source:
    """The recorded call that tells a setting, and how its answer is cut to what the aspect reads; None for nothing."""

    call: str
    parameters: Callable[[Place], tuple[tuple[str, str], ...]] = _nothing
    cut: Callable[[Body, Place], Body | None] = _whole
    whole_account: bool = False

    @property
    def service(self) -> str:
        """The service as the SDK names it."""
        return self.call.partition(":")[0]

    @property
    def operation(self) -> str:
        """The operation as AWS spells it."""
        return self.call.partition(":")[2]


def _one(member: str, key: str) -> Callable[[Body, Place], Body]:
    """Only the object of that key; without any the resource itself is not there."""

    def cut(body: Body, place: Place) -> Body:
        found = [each for each in body.get(member) or () if each.get(key) == place.name]
        if not found:
            raise ChangeError(f"`{place}` was not there when the snapshot was collected")
        return {member: found}

    return cut


def _trail(body: Body, place: Place) -> Body:
    return {"Trail": _one("trailList", "TrailARN")(body, place)["trailList"][0]}


def _group_rules(body: Body, place: Place) -> Body:
    group = _one("SecurityGroups", "GroupId")(body, place)["SecurityGroups"][0]
    return {"SecurityGroupRules": rules(group)}


def _role(body: Body, place: Place) -> Body | None:
    found = [role for role in body.get("RoleDetailList") or () if role.get("RoleName") == place.name]
    return {"Role": found[0]} if found else None


def _role_policy(body: Body, place: Place) -> Body | None:
    role = _role(body, place)
    policies = role["Role"].get("RolePolicyList") or () if role else ()
    return next((policy for policy in policies if policy.get("PolicyName") == place.detail), None)


def _bucket(operation: str) -> _Source:
    return _Source(f"s3:{operation}", lambda place: (("Bucket", place.name),), whole_account=True)


def _named(call: str, parameter: str) -> _Source:
    return _Source(call, lambda place: ((parameter, place.name),))


_DETAILS = "iam:GetAccountAuthorizationDetails"
SOURCES: Mapping[str, _Source] = MappingProxyType(
    {
        "bucket-public-access-block": _bucket("GetPublicAccessBlock"),
        "bucket-versioning": _bucket("GetBucketVersioning"),
        "bucket-logging": _bucket("GetBucketLogging"),
        "bucket-policy": _bucket("GetBucketPolicy"),
        "account-public-access-block": _Source(
            "s3control:GetPublicAccessBlock",
            lambda place: (("AccountId", place.account),),
            whole_account=True,
        ),
        "password-policy": _Source("iam:GetAccountPasswordPolicy", whole_account=True),
        "role": _Source(_DETAILS, cut=_role, whole_account=True),
        "role-policy": _Source(_DETAILS, cut=_role_policy, whole_account=True),
        "service-linked-role": _Source(_DETAILS, cut=_role, whole_account=True),
        "trail-logging": _named("cloudtrail:GetTrailStatus", "Name"),
        "trail-settings": _Source("cloudtrail:DescribeTrails", cut=_trail),
        "trail-event-selectors": _named("cloudtrail:GetEventSelectors", "TrailName"),
        "key-rotation": _Source(
            "kms:GetKeyRotationStatus", lambda place: (("KeyId", place.name.rpartition("/")[2]),)
        ),
        "config-recorder": _Source("config:DescribeConfigurationRecorders"),
        "delivery-channel": _Source("config:DescribeDeliveryChannels"),
        "recording": _Source("config:DescribeConfigurationRecorderStatus"),
        "external-access-analyzers": _Source(
            "accessanalyzer:ListAnalyzers", lambda _: (("type", "ACCOUNT"),)
        ),
        "security-group": _Source("ec2:DescribeSecurityGroups", cut=_one("SecurityGroups", "GroupId")),
        "security-group-rules": _Source("ec2:DescribeSecurityGroups", cut=_group_rules),
        "vpc": _Source("ec2:DescribeVpcs", cut=_one("Vpcs", "VpcId")),
        "vpc-flow-logs": _Source("ec2:DescribeFlowLogs"),
        "log-group": _Source("logs:DescribeLogGroups"),
    }
)
"""The recorded call of each aspect that collecting reads; access keys it does not."""
