"""What an event touched: every ARN and id in `resources`, request parameters, response elements and event details."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.aws import arn as arns
from clew.aws.partitions import partition_of
from clew.aws.services import service_label
from clew.events.paths import at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its id (the ARN where nothing shorter names it), its type as CloudFormation names it, its ARN.

    Shape: `type` and `arn` are empty where the record does not tell them; no ARN is ever guessed.
    """

    id: str
    type: str = ""
    arn: str = ""


MAX_RESOURCES: Final = 500
"""No event shows more; a request with a thousand ids is cut off here."""

_PARTS: Final = (
    "requestParameters",
    "responseElements",
    "serviceEventDetails",
    "additionalEventData",
    "insightDetails",
)

# EC2-style ids: `<prefix>-<hex>` (8 or 17 digits; examples in documents are shorter).
_ID: Final = re.compile(r"([a-z]{1,12}(?:-[a-z]{3,10})?)-[0-9a-z]{7,17}")
ID_TYPES: Final = {
    "acl": "AWS::EC2::NetworkAcl",
    "ami": "AWS::EC2::Image",
    "cgw": "AWS::EC2::CustomerGateway",
    "dopt": "AWS::EC2::DHCPOptions",
    "eigw": "AWS::EC2::EgressOnlyInternetGateway",
    "eipalloc": "AWS::EC2::EIP",
    "eipassoc": "AWS::EC2::EIPAssociation",
    "eni": "AWS::EC2::NetworkInterface",
    "fl": "AWS::EC2::FlowLog",
    "fs": "AWS::EFS::FileSystem",
    "i": "AWS::EC2::Instance",
    "igw": "AWS::EC2::InternetGateway",
    "key": "AWS::EC2::KeyPair",
    "lt": "AWS::EC2::LaunchTemplate",
    "nat": "AWS::EC2::NatGateway",
    "pcx": "AWS::EC2::VPCPeeringConnection",
    "pl": "AWS::EC2::PrefixList",
    "r": "AWS::EC2::Reservation",
    "rtb": "AWS::EC2::RouteTable",
    "rtbassoc": "AWS::EC2::SubnetRouteTableAssociation",
    "sg": "AWS::EC2::SecurityGroup",
    "sgr": "AWS::EC2::SecurityGroupRule",
    "snap": "AWS::EC2::Snapshot",
    "subnet": "AWS::EC2::Subnet",
    "tgw": "AWS::EC2::TransitGateway",
    "tgw-attach": "AWS::EC2::TransitGatewayAttachment",
    "tgw-rtb": "AWS::EC2::TransitGatewayRouteTable",
    "tmf": "AWS::EC2::TrafficMirrorFilter",
    "tms": "AWS::EC2::TrafficMirrorSession",
    "tmt": "AWS::EC2::TrafficMirrorTarget",
    "vgw": "AWS::EC2::VPNGateway",
    "vol": "AWS::EC2::Volume",
    "vpc": "AWS::EC2::VPC",
    "vpce": "AWS::EC2::VPCEndpoint",
    "vpn": "AWS::EC2::VPNConnection",
    "ws": "AWS::WorkSpaces::Workspace",
}
"""The type that the prefix of an id tells."""

# Key of a parameter, lower case → type. Where a key means different things, the service stands before it.
KEY_TYPES: Final = {
    "accesskeyid": "AWS::IAM::AccessKey",
    "alarmname": "AWS::CloudWatch::Alarm",
    "analyzername": "AWS::AccessAnalyzer::Analyzer",
    "autoscalinggroupname": "AWS::AutoScaling::AutoScalingGroup",
    "backupvaultname": "AWS::Backup::BackupVault",
    "bucketname": "AWS::S3::Bucket",
    "clustername": "AWS::ECS::Cluster",
    "configrulename": "AWS::Config::ConfigRule",
    "configurationrecordername": "AWS::Config::ConfigurationRecorder",
    "dbclusteridentifier": "AWS::RDS::DBCluster",
    "dbinstanceidentifier": "AWS::RDS::DBInstance",
    "dbsnapshotidentifier": "AWS::RDS::DBSnapshot",
    "deliverychannelname": "AWS::Config::DeliveryChannel",
    "detectorid": "AWS::GuardDuty::Detector",
    "distributionid": "AWS::CloudFront::Distribution",
    "documentname": "AWS::SSM::Document",
    "functionname": "AWS::Lambda::Function",
    "hostedzoneid": "AWS::Route53::HostedZone",
    "instanceprofilename": "AWS::IAM::InstanceProfile",
    "keyname": "AWS::EC2::KeyPair",
    "loadbalancername": "AWS::ElasticLoadBalancing::LoadBalancer",
    "loggroupname": "AWS::Logs::LogGroup",
    "logstreamname": "AWS::Logs::LogStream",
    "queuename": "AWS::SQS::Queue",
    "queueurl": "AWS::SQS::Queue",
    "repositoryname": "AWS::ECR::Repository",
    "rolename": "AWS::IAM::Role",
    "secretid": "AWS::SecretsManager::Secret",
    "serialnumber": "AWS::IAM::MFADevice",
    "servicename": "AWS::ECS::Service",
    "stackname": "AWS::CloudFormation::Stack",
    "statemachinearn": "AWS::StepFunctions::StateMachine",
    "streamname": "AWS::Kinesis::Stream",
    "tablename": "AWS::DynamoDB::Table",
    "topicarn": "AWS::SNS::Topic",
    "trailname": "AWS::CloudTrail::Trail",
    "iam:groupname": "AWS::IAM::Group",
    "iam:policyname": "AWS::IAM::Policy",
    "iam:username": "AWS::IAM::User",
    "sts:username": "AWS::IAM::User",
    "ec2:groupname": "AWS::EC2::SecurityGroup",
    "eks:name": "AWS::EKS::Cluster",
    "cloudtrail:name": "AWS::CloudTrail::Trail",
    "cloudtrail:trailnamelist": "AWS::CloudTrail::Trail",
    "ssm:name": "AWS::SSM::Parameter",
    "events:name": "AWS::Events::Rule",
    "events:rule": "AWS::Events::Rule",
    "firehose:deliverystreamname": "AWS::KinesisFirehose::DeliveryStream",
    "kms:keyid": "AWS::KMS::Key",
    "kms:aliasname": "AWS::KMS::Alias",
    "secretsmanager:name": "AWS::SecretsManager::Secret",
    "sns:name": "AWS::SNS::Topic",
    "wafv2:name": "AWS::WAFv2::WebACL",
}
"""The type that the name of a parameter tells."""


def resources(event: Event) -> tuple[Resource, ...]:
    """Every resource that the event names, each once: first what AWS lists itself, then parameters, then the answer.

    >>> found = resources({"requestParameters": {"groupId": "sg-12341234", "bucketName": "logs"}})
    >>> [(r.id, r.type) for r in found]
    [('logs', 'AWS::S3::Bucket'), ('sg-12341234', 'AWS::EC2::SecurityGroup')]
    """
    found: dict[str, Resource] = {}
    for resource in _all(event):
        key = resource.arn or resource.id
        known = found.get(key)
        if known is None or (resource.type and not known.type):
            found[key] = resource
        if len(found) >= MAX_RESOURCES:
            break
    return tuple(found.values())


def _all(event: Event) -> Iterator[Resource]:
    yield from _listed(event)
    service = service_label(text_at(event, "eventSource"))
    for part in _PARTS:
        yield from _bucket_and_object(event, part)
        for key, text in _strings(event.get(part), ""):
            resource = _named(service, key, text)
            if resource:
                yield resource
    endpoint = text_at(event, "vpcEndpointId")
    if endpoint:
        yield Resource(endpoint, "AWS::EC2::VPCEndpoint")


def _listed(event: Event) -> Iterator[Resource]:
    """What stands in `resources`: CloudTrail's own list."""
    listed = event.get("resources")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict):
            arn = text_at(item, "ARN") or text_at(item, "arn") or text_at(item, "ARNPrefix")
            if arn:
                yield Resource(arn, text_at(item, "type"), arn)


def _bucket_and_object(event: Event, part: str) -> Iterator[Resource]:
    """S3's bucket and key make an ARN without a guess: it holds neither region nor account."""
    bucket, key = at(event, part, "bucketName"), at(event, part, "key")
    if isinstance(bucket, str) and bucket and ":" not in bucket:
        partition = partition_of(text_at(event, "awsRegion")) or "aws"
        yield Resource(bucket, "AWS::S3::Bucket", f"arn:{partition}:s3:::{bucket}")
        if isinstance(key, str) and key:
            yield Resource(f"{bucket}/{key}", "AWS::S3::Object", f"arn:{partition}:s3:::{bucket}/{key}")


def _strings(value: object, key: str) -> Iterator[tuple[str, str]]:
    """Every string in a decoded value with the key it stands under, depth first."""
    pending: list[tuple[str, object]] = [(key, value)]
    while pending:
        name, current = pending.pop()
        if isinstance(current, str):
            yield name, current
        elif isinstance(current, dict):
            pending.extend((str(inner), part) for inner, part in reversed(current.items()))
        elif isinstance(current, list):
            pending.extend((name, part) for part in reversed(current))


def _named(service: str, key: str, text: str) -> Resource | None:
    if text.startswith("arn:"):
        arn = arns.read(text)
        return Resource(text, KEY_TYPES.get(key.lower(), ""), str(arn)) if arn else None
    by_id = _ID.fullmatch(text)
    if by_id and by_id[1] in ID_TYPES:
        return Resource(text, ID_TYPES[by_id[1]])
    lower = key.lower()
    kind = KEY_TYPES.get(f"{service}:{lower}") or KEY_TYPES.get(lower)
    # The bucket has its own row, with the ARN.
    return Resource(text, kind) if kind and text and lower != "bucketname" else None
