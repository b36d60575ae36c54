"""Checks of EC2 instances and volumes' defaults: roles, the metadata service, encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import arn, chosen, each_region, each_resource, facts, member, region_arn, text
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

INSTANCES = "ec2:DescribeInstances"
PATH = "Reservations.Instances"
_GONE = frozenset({"shutting-down", "terminated"})
_RUNNING = frozenset({"pending", "running"})


@check("ec2-instance-role", "Instances use roles", "A running instance has no role", Severity.LOW)
def instance_role(state: State, *, profiles: str = "") -> Iterator[Judgement]:
    """Running instances without an instance profile.

    Finds. A running instance without an instance profile, or, with `profiles` (ARNs, with commas), with another one.
    Those that are stopped or gone are not judged.
    Why it matters. Software that needs AWS and has no role gets long-lived keys instead, which leak.
    False positives. An instance whose software never calls AWS.
    Fix. Attach an instance profile with a role that allows what the software needs.
    References. Amazon EC2 API reference, DescribeInstances · IAM user guide, Using an IAM role to grant permissions to
    applications running on Amazon EC2 instances · AWS Config developer guide, ec2-instance-profile-attached
    """
    allowed = chosen(profiles)

    def judge(instance: Mapping[str, object], answer: Answer) -> Judgement | None:
        if instance_state(instance) not in _RUNNING:
            return None
        name = instance_arn(state, instance, answer)
        profile = text(instance, "IamInstanceProfile.Arn")
        seen = (("State", instance_state(instance)), *facts(instance, "IamInstanceProfile.Arn"))
        if profile and allowed and profile not in allowed:
            message = f"has {profile.rpartition(':')[2]}, which is not allowed"
            return Judgement(Verdict.FAIL, name, message, seen)
        if profile:
            return Judgement(Verdict.PASS, name, f"has {profile.rpartition(':')[2]}", seen)
        return Judgement(Verdict.FAIL, name, "runs without an instance profile", seen)

    yield from each_resource(state, INSTANCES, PATH, judge, none="no instance is running")


@check("ec2-imdsv2", "Instances demand IMDSv2", "An instance answers to IMDSv1", Severity.HIGH)
def imdsv2(state: State) -> Iterator[Judgement]:
    """Whether the metadata service of each instance demands a session token.

    Finds. An instance, running or stopped, whose metadata service is on and takes requests without a token.
    Why it matters. Whoever makes software on the instance fetch an address of their choice gets the role's credentials.
    False positives. None known; software that needs IMDSv1 can be updated, and its calls counted by MetadataNoToken.
    Fix. Set HttpTokens to `required` on the instance, in the launch template, and as the account's default.
    References. Amazon EC2 user guide, Use the Instance Metadata Service to access instance metadata · AWS Config
    developer guide, ec2-imdsv2-check
    """

    def judge(instance: Mapping[str, object], answer: Answer) -> Judgement | None:
        if instance_state(instance) in _GONE:
            return None
        name = instance_arn(state, instance, answer)
        seen = facts(instance, "State.Name", "MetadataOptions.HttpTokens", "MetadataOptions.HttpEndpoint")
        tokens, endpoint = (
            member(instance, "MetadataOptions.HttpTokens"),
            text(instance, "MetadataOptions.HttpEndpoint"),
        )
        if endpoint == "disabled":
            return Judgement(Verdict.PASS, name, "the metadata service is off", seen)
        if tokens == "required":
            return Judgement(Verdict.PASS, name, "every request needs a token", seen)
        if tokens is None:
            message = "the answer does not say whether tokens are required"
            return Judgement(Verdict.UNKNOWN, name, message, seen, (INSTANCES,))
        return Judgement(Verdict.FAIL, name, "takes requests without a token", seen)

    yield from each_resource(state, INSTANCES, PATH, judge, none="there are no instances")


@check(
    "ec2-ebs-default-encryption",
    "New EBS volumes are encrypted",
    "New EBS volumes are not encrypted",
    Severity.MEDIUM,
)
def ebs_default_encryption(state: State) -> Iterator[Judgement]:
    """Whether each region encrypts new volumes and copies of snapshots whatever the caller says.

    Finds. A region where encryption by default is off.
    Why it matters. Whoever forgets the option otherwise makes volumes that can be read from a shared snapshot.
    False positives. A region that the organisation refuses to use.
    Fix. `aws ec2 enable-ebs-encryption-by-default` in the region; volumes that exist stay as they are.
    References. Amazon EBS user guide, Enable Amazon EBS encryption by default
    """

    def judge(answer: Answer) -> Judgement:
        name, seen = region_arn(state, answer), facts(answer.body, "EbsEncryptionByDefault")
        if answer.body and answer.body.get("EbsEncryptionByDefault") is True:
            return Judgement(Verdict.PASS, name, "new volumes are encrypted", seen)
        return Judgement(Verdict.FAIL, name, f"new volumes in {answer.call.region} are not encrypted", seen)

    yield from each_region(state, "ec2:GetEbsEncryptionByDefault", judge)


def instance_state(instance: Mapping[str, object]) -> str:
    """The state of an instance, such as `running`, `stopped` or `terminated`."""
    return text(instance, "State.Name")


def instance_arn(state: State, instance: Mapping[str, object], answer: Answer) -> str:
    """The ARN of an instance."""
    return arn(state, answer, f"instance/{text(instance, 'InstanceId')}")
