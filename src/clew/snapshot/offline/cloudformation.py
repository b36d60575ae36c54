"""CloudFormation templates to declared resources.

AWS: CloudFormation template reference, "Template sections"; the return values of `Ref` and `Fn::GetAtt` on the page of
each resource type.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.offline import declared_iam
from clew.snapshot.offline.declared import Resource, Stack, Unresolved
from clew.snapshot.offline.declared_services import queue_url
from clew.snapshot.offline.intrinsics import NO_VALUE, Scope
from clew.snapshot.offline.template_text import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.model import Source
    from clew.snapshot.offline.declared import Place
    from clew.snapshot.offline.template_text import Template

# The property with the physical name of each type; where it is not given, AWS makes a name.
_NAMES = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::CloudTrail::Trail": "TrailName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::RDS::DBCluster": "DBClusterIdentifier",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Logs::MetricFilter": "FilterName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::SecretsManager::Secret": "Name",
}
# ARNs: service, form of the resource, and whether the region stands in it.
_ARNS = {
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::CloudTrail::Trail": "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{name}",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::CloudWatch::Alarm": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::SecretsManager::Secret": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}",
}
_REF_IS_ARN = frozenset({"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy", "AWS::SecretsManager::Secret"})
_NAME_ATTRIBUTES = frozenset({"QueueName", "TopicName", "GroupId", "VpcId", "KeyId"})


def is_template(source: Source) -> bool:
    """Whether the text looks like a template: `Resources`, and types of AWS."""
    return "Resources" in source.text and "AWS::" in source.text and '"configurationItems"' not in source.text


def resources(source: Source, place: Place) -> list[Resource]:
    """Every resource that may be there, its properties resolved. Errors: `InputError`, located."""
    template = parse(source.text, source.file)
    try:
        return list(_Reader(template, source.file, place).resources())
    except RecursionError as error:
        raise InputError(f"{source.file}: names or functions that refer to each other in a circle") from error


class _Reader:
    """One template with what its names mean."""

    def __init__(self, template: Template, file: str, place: Place) -> None:
        self._template, self._file, self._place = template, file, place
        given = template.content.get("Resources")
        self._declared: Mapping[str, object] = given if isinstance(given, dict) else {}
        self._scope = Scope(
            place=place,
            stack_name=PurePath(file).name.split(".")[0],
            parameters={name: _default(name, each) for name, each in self._section("Parameters").items()},
            mappings=self._section("Mappings"),
            conditions=self._section("Conditions"),
            reference=self._reference,
            attribute=self._attribute,
        )

    def _section(self, name: str) -> Mapping[str, object]:
        found = self._template.content.get(name)
        return found if isinstance(found, dict) else {}

    def resources(self) -> Iterator[Resource]:
        for name in self._declared:
            found = self._resource(name)
            if found is not None:
                yield found

    def _resource(self, identity: str) -> Resource | None:
        """The resource of a logical id; None where its condition does not hold, or where it is no resource."""
        given = self._declared.get(identity)
        if not isinstance(given, dict) or not isinstance(given.get("Type"), str):
            return None
        holds = self._scope.holds(given["Condition"]) if "Condition" in given else True
        if holds is False:
            return None
        properties = self._scope.resolve(given.get("Properties") or {})
        doubt = str(holds) if isinstance(holds, Unresolved) else ""
        if isinstance(properties, Unresolved):
            doubt, properties = str(properties), {}
        return Resource(
            type=given["Type"],
            id=identity,
            name=self._name(identity),
            properties=properties if isinstance(properties, dict) else {},
            source=f"{self._file}:{self._template.line('Resources', identity)}",
            doubt=doubt,
        )

    def _part(self, identity: str, name: str) -> object:
        given = self._declared.get(identity)
        return given.get(name) if isinstance(given, dict) else None

    def _name(self, identity: str) -> str:
        """The physical name; the logical id where AWS makes one, or where it is open."""
        properties = self._part(identity, "Properties")
        member = _NAMES.get(str(self._part(identity, "Type")), "")
        if not isinstance(properties, dict) or member not in properties:
            return identity
        found = self._scope.text(properties[member])
        return identity if isinstance(found, Unresolved) or found == str(NO_VALUE) else found

    def _reference(self, identity: str) -> object:
        if identity not in self._declared:
            return Unresolved(f"`{identity}` is neither parameter nor resource")
        type_ = str(self._part(identity, "Type"))
        if type_ in _REF_IS_ARN:
            return self._attribute(identity, "Arn")
        name = self._name(identity)
        return queue_url(self._stack, name) if type_ == "AWS::SQS::Queue" else name

    @property
    def _stack(self) -> Stack:
        return Stack(self._place, ())

    def _attribute(self, identity: str, name: str) -> object:
        type_ = str(self._part(identity, "Type"))
        physical = self._name(identity)
        if name in {"Arn", "TopicArn", "TrailArn", "PolicyArn", "Id"} and type_ in _ARNS:
            place = self._place
            return _ARNS[type_].format(
                partition=place.partition, region=place.region, account=place.account, name=physical
            )
        if name in {"Arn", "PolicyArn"} and type_ in declared_iam.TELLERS:
            properties = self._part(identity, "Properties")
            path = self._scope.resolve(properties.get("Path")) if isinstance(properties, dict) else None
            kept = {} if path is None else {"Path": path}
            return declared_iam.arn(
                self._stack, type_.rpartition("::")[2], Resource(type_, identity, physical, kept, "")
            )
        if name in _NAME_ATTRIBUTES:
            return physical
        return Unresolved(f"`{identity}.{name}` is known after deployment")


def _default(name: str, given: object) -> object:
    """A parameter's default. Open without one, and where the value lies elsewhere or is a secret."""
    declared = given if isinstance(given, dict) else {}
    type_ = str(declared.get("Type", "String"))
    if "Default" not in declared:
        return Unresolved(f"parameter `{name}` has no default")
    if type_.startswith("AWS::SSM::Parameter::Value") or str(declared.get("NoEcho")).lower() == "true":
        return Unresolved(f"parameter `{name}` is kept elsewhere")
    value = declared["Default"]
    if type_ == "CommaDelimitedList" or type_.startswith("List<"):
        return [part.strip() for part in str(value).split(",")] if str(value) else []
    return str(value).lower() if isinstance(value, bool) else value
