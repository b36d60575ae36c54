"""Planned resources of Terraform in CloudFormation's words.

HashiCorp: the AWS provider's page of each resource. Types that correspond stand in `terraform.toml`; what the provider
splits over several resources (a bucket's settings, attachments of policies, rules of groups) is put together here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING

from clew.snapshot.offline.declared import Resource, Stack, Unresolved, without_none
from clew.snapshot.offline.declared_iam import arn as iam_arn
from clew.snapshot.offline.declared_services import queue_url
from clew.snapshot.offline.terraform import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from clew.snapshot.offline.declared import Place
    from clew.snapshot.offline.terraform import Planned

    Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The CloudFormation type of a Terraform type, the attribute with the physical name, attributes by property."""

    type: str
    name: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def _mapped() -> Mapping[str, Mapped]:
    text = files(__package__).joinpath("terraform.toml").read_text(encoding="utf-8")
    return {name: Mapped(**given) for name, given in tomllib.loads(text).items()}


_PLAIN = _mapped()
# The attribute with the physical name of a resource that others refer to.
_ARN_ATTRIBUTES = frozenset({"arn"})


def resources(found: Sequence[Planned], place: Place) -> tuple[list[Resource], list[Planned]]:
    """The planned resources in CloudFormation's words, and those of types that are not read."""
    reading = _Reading(found, place)
    found = [replace(each, values={k: reading.value(v) for k, v in each.values.items()}) for each in found]
    made = [resource for each in found if (resource := reading.resource(each))]
    rest = [each for each in found if each.type not in _PLAIN and each.type not in _FOLDED]
    for each in found:
        if each.type in _FOLDED:
            made = _FOLDED[each.type](each, made)
    return made, [each for each in rest if each.type.startswith("aws_")]


class _Reading:
    """The planned resources by address, and what links between them give."""

    def __init__(self, found: Sequence[Planned], place: Place) -> None:
        self._by_address = {each.address: each for each in found}
        self.stack = Stack(place, ())

    def name(self, planned: Planned) -> str:
        """The physical name; the address where the provider or AWS makes one."""
        mapped = _PLAIN.get(planned.type)
        value = planned.values.get(mapped.name) if mapped else None
        return value if isinstance(value, str) and value else planned.address

    def value(self, given: object) -> object:
        """The value with links followed."""
        if isinstance(given, list):
            return [self.value(each) for each in given]
        if not isinstance(given, Link):
            return given
        target = self._by_address[given.address]
        return self._arn(target) if given.attribute in _ARN_ATTRIBUTES else self._identity(target)

    def _identity(self, target: Planned) -> object:
        """What other attributes of a resource give: `id`, `name`, `bucket`, `url`."""
        name = self.name(target)
        if target.type in {"aws_sns_topic", "aws_iam_policy", "aws_secretsmanager_secret"}:
            return self._arn(target)
        return queue_url(self.stack, name) if target.type == "aws_sqs_queue" else name

    def _arn(self, target: Planned) -> object:
        name, stack = self.name(target), self.stack
        kind = target.type.removeprefix("aws_iam_")
        if kind in _IAM_KINDS:
            path = target.values.get("path") or "/"
            shown = Resource("", target.address, name, {"Path": path}, "")
            return iam_arn(stack, _IAM_KINDS[kind], shown)
        forms: Mapping[str, Callable[[], str]] = {
            "aws_s3_bucket": lambda: f"arn:{stack.place.partition}:s3:::{name}",
            "aws_sns_topic": lambda: stack.arn("sns", name),
            "aws_sqs_queue": lambda: stack.arn("sqs", name),
            "aws_kms_key": lambda: stack.arn("kms", f"key/{name}"),
            "aws_lambda_function": lambda: stack.arn("lambda", f"function:{name}"),
            "aws_cloudwatch_log_group": lambda: stack.arn("logs", f"log-group:{name}"),
            "aws_secretsmanager_secret": lambda: stack.arn("secretsmanager", f"secret:{name}"),
            "aws_cloudtrail": lambda: stack.arn("cloudtrail", f"trail/{name}"),
        }
        form = forms.get(target.type)
        return form() if form else Unresolved(f"the ARN of `{target.address}` is known after apply")

    def resource(self, planned: Planned) -> Resource | None:
        """The resource, where its type has a CloudFormation type of its own."""
        if planned.type not in _PLAIN:
            return None
        mapped = _PLAIN[planned.type]
        properties = {name: planned.values.get(each) for name, each in mapped.properties.items()}
        if planned.type in _MORE:
            properties |= _MORE[planned.type](planned.values)
        properties["Tags"] = _tags(planned.values)
        return Resource(
            mapped.type, planned.address, self.name(planned), without_none(properties), planned.source
        )


_IAM_KINDS = {"user": "User", "group": "Group", "role": "Role", "policy": "ManagedPolicy"}


def _tags(values: Values) -> list[dict[str, object]]:
    given = values.get("tags_all") or values.get("tags")
    return [{"Key": k, "Value": v} for k, v in given.items()] if isinstance(given, dict) else []


def first(value: object) -> Mapping[str, object]:
    """The one block of a list of blocks; empty where there is none, each member open where the block is."""
    block = value[0] if isinstance(value, list) and value else value
    return block if isinstance(block, dict) else {}


def _canned(value: object) -> object:
    """`public-read` as CloudFormation writes it."""
    return "".join(part.capitalize() for part in value.split("-")) if isinstance(value, str) else value


def _bucket_more(values: Values) -> dict[str, object]:
    """The settings that older providers have inside the bucket."""
    found: dict[str, object] = {}
    if isinstance(values.get("acl"), str):
        found["AccessControl"] = _canned(values["acl"])
    if first(values.get("versioning")).get("enabled") is True:
        found["VersioningConfiguration"] = {"Status": "Enabled"}
    if values.get("object_lock_enabled") is True:
        found["ObjectLockConfiguration"] = {"ObjectLockEnabled": "Enabled"}
    return found


def _trail_more(values: Values) -> dict[str, object]:
    found: dict[str, object] = {}
    basic, advanced = values.get("event_selector"), values.get("advanced_event_selector")
    if isinstance(basic, list) and basic:
        found["EventSelectors"] = [
            {
                "ReadWriteType": each.get("read_write_type") or "All",
                "IncludeManagementEvents": each.get("include_management_events", True),
                "ExcludeManagementEventSources": each.get("exclude_management_event_sources") or [],
                "DataResources": [
                    {"Type": one.get("type"), "Values": one.get("values")}
                    for one in each.get("data_resource") or ()
                ],
            }
            if isinstance(each, dict)
            else each
            for each in basic
        ]
    if advanced:
        found["AdvancedEventSelectors"] = Unresolved("advanced event selectors of a plan are not read")
    # The provider's default is true, as AWS's command has it.
    return (
        {"IncludeGlobalServiceEvents": True, **found}
        if values.get("include_global_service_events") is None
        else found
    )


def _role_more(values: Values) -> dict[str, object]:
    inline = values.get("inline_policy")
    policies = [
        {"PolicyName": each.get("name"), "PolicyDocument": each.get("policy")}
        if isinstance(each, dict)
        else each
        for each in (inline if isinstance(inline, list) else ())
        if each not in ({"name": None, "policy": None}, {})
    ]
    managed = values.get("managed_policy_arns")
    return {"Policies": policies, "ManagedPolicyArns": managed if isinstance(managed, list) else []}


def _filter_more(values: Values) -> dict[str, object]:
    block = first(values.get("metric_transformation"))
    return {
        "MetricTransformations": [
            {
                "MetricName": block.get("name"),
                "MetricNamespace": block.get("namespace"),
                "MetricValue": block.get("value"),
            }
        ]
    }


def _function_more(values: Values) -> dict[str, object]:
    block = first(values.get("vpc_config"))
    if not block:
        return {}
    return {
        "VpcConfig": {
            "SubnetIds": block.get("subnet_ids"),
            "SecurityGroupIds": block.get("security_group_ids"),
        }
    }


def _database_more(values: Values) -> dict[str, object]:
    # The provider's default: not reachable from the internet.
    return {"PubliclyAccessible": False} if values.get("publicly_accessible") is None else {}


def _own_policy(member: str) -> Callable[[Values], dict[str, object]]:
    def more(values: Values) -> dict[str, object]:
        return {member: values["policy"]} if values.get("policy") else {}

    return more


_MORE: Mapping[str, Callable[[Values], dict[str, object]]] = {
    "aws_s3_bucket": _bucket_more,
    "aws_cloudtrail": _trail_more,
    "aws_iam_role": _role_more,
    "aws_cloudwatch_log_metric_filter": _filter_more,
    "aws_lambda_function": _function_more,
    "aws_db_instance": _database_more,
    "aws_sns_topic": _own_policy("OwnPolicy"),
    "aws_sqs_queue": _own_policy("OwnPolicy"),
}


def _is_named(resource: Resource, name: object) -> bool:
    return isinstance(name, str) and name in {resource.name, resource.id}


def _fold(
    made: Iterable[Resource], type_: str, name: object, planned: Planned, properties: Mapping[str, object]
) -> list[Resource]:
    """The resources with these properties set on the one of that name; open on all where it is open which."""
    found = []
    for each in made:
        if each.type == type_ and isinstance(name, Unresolved):
            left = {key: Unresolved(f"`{planned.address}` may set it: {name}") for key in properties}
            found.append(replace(each, properties={**left, **each.properties}))
        elif each.type == type_ and _is_named(each, name):
            found.append(replace(each, properties={**each.properties, **properties}))
        else:
            found.append(each)
    return found


def _of_bucket(
    properties: Callable[[Values], dict[str, object]],
) -> Callable[[Planned, list[Resource]], list[Resource]]:
    def fold(planned: Planned, made: list[Resource]) -> list[Resource]:
        name = planned.values.get("bucket")
        return _fold(made, "AWS::S3::Bucket", name, planned, properties(planned.values))

    return fold


def _blocks(values: Values) -> dict[str, object]:
    names = {
        "BlockPublicAcls": "block_public_acls",
        "IgnorePublicAcls": "ignore_public_acls",
        "BlockPublicPolicy": "block_public_policy",
        "RestrictPublicBuckets": "restrict_public_buckets",
    }
    return {
        "PublicAccessBlockConfiguration": {name: values.get(given) or False for name, given in names.items()}
    }


def _versioning(values: Values) -> dict[str, object]:
    block = first(values.get("versioning_configuration"))
    # `Disabled` is the provider's word for a bucket that was never versioned.
    status = None if block.get("status") == "Disabled" else block.get("status")
    return {"VersioningConfiguration": without_none({"Status": status, "MfaDelete": block.get("mfa_delete")})}


def _logging(values: Values) -> dict[str, object]:
    return {
        "LoggingConfiguration": {
            "DestinationBucketName": values.get("target_bucket"),
            "LogFilePrefix": values.get("target_prefix"),
        }
    }


def _encryption(values: Values) -> dict[str, object]:
    rules = []
    given = values.get("rule")
    for rule in given if isinstance(given, list) else ():
        block = first(rule.get("apply_server_side_encryption_by_default")) if isinstance(rule, dict) else {}
        applied = {
            "SSEAlgorithm": block.get("sse_algorithm"),
            "KMSMasterKeyID": block.get("kms_master_key_id") or None,
        }
        rules.append({"ServerSideEncryptionByDefault": without_none(applied)})
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}


def _ownership(values: Values) -> dict[str, object]:
    return {
        "OwnershipControls": {
            "Rules": [{"ObjectOwnership": first(values.get("rule")).get("object_ownership")}]
        }
    }


def _acl(values: Values) -> dict[str, object]:
    given = values.get("acl")
    return {"AccessControl": _canned(given) if given else Unresolved("grants of a plan are not read")}


def _attachment(kind: str, attribute: str) -> Callable[[Planned, list[Resource]], list[Resource]]:
    """A managed policy attached to users, groups or roles: added to the ones that are named."""

    def fold(planned: Planned, made: list[Resource]) -> list[Resource]:
        names = planned.values.get(attribute)
        policy = planned.values.get("policy_arn")
        for name in names if isinstance(names, list) else [names]:
            held = next((each for each in made if each.type == kind and _is_named(each, name)), None)
            arns = [*held.items("ManagedPolicyArns"), policy] if held else [policy]
            made = _fold(made, kind, name, planned, {"ManagedPolicyArns": arns})
        return made

    return fold


def _attached_to_many(planned: Planned, made: list[Resource]) -> list[Resource]:
    for kind, attribute in (("User", "users"), ("Group", "groups"), ("Role", "roles")):
        if planned.values.get(attribute):
            made = _attachment(f"AWS::IAM::{kind}", attribute)(planned, made)
    return made


def _membership(planned: Planned, made: list[Resource]) -> list[Resource]:
    groups = planned.values.get("groups")
    name = planned.values.get("user")
    return _fold(made, "AWS::IAM::User", name, planned, {"Groups": groups})


def _security_group(planned: Planned, made: list[Resource]) -> list[Resource]:
    """A security group; the provider removes AWS's rule for all outbound traffic where it declares no other."""
    values = planned.values
    name = "default" if planned.type == "aws_default_security_group" else values.get("name")
    properties = {
        "GroupName": name,
        "GroupDescription": values.get("description"),
        "VpcId": values.get("vpc_id"),
        "SecurityGroupIngress": _rules(planned, "ingress"),
        "SecurityGroupEgress": _rules(planned, "egress"),
        "Tags": _tags(values),
    }
    group = Resource(
        "AWS::EC2::SecurityGroup", planned.address, planned.address, without_none(properties), planned.source
    )
    return [*made, group]


def _rules(planned: Planned, name: str) -> list[object]:
    """Each block as one rule for each source. Without blocks in the configuration there are none here."""
    blocks = planned.values.get(name)
    if isinstance(blocks, Unresolved):
        return [blocks] if name in planned.configured else []
    listed = blocks if isinstance(blocks, list) else []
    return [rule for block in listed for rule in _rules_of(block, planned.address)]


_SOURCES = {
    "cidr_blocks": "CidrIp",
    "ipv6_cidr_blocks": "CidrIpv6",
    "prefix_list_ids": "SourcePrefixListId",
    "security_groups": "SourceSecurityGroupId",
    "cidr_ipv4": "CidrIp",
    "cidr_ipv6": "CidrIpv6",
    "prefix_list_id": "SourcePrefixListId",
    "source_security_group_id": "SourceSecurityGroupId",
    "referenced_security_group_id": "SourceSecurityGroupId",
}


def _rules_of(block: object, group: str) -> list[object]:
    if not isinstance(block, dict):
        return [block]
    common = {
        "IpProtocol": block.get("protocol") or block.get("ip_protocol"),
        "FromPort": block.get("from_port"),
        "ToPort": block.get("to_port"),
    }
    found: list[object] = []
    for attribute, member in _SOURCES.items():
        given = block.get(attribute)
        values = given if isinstance(given, list) else [] if given is None else [given]
        found += [{**common, member: value} for value in values]
    if block.get("self") is True:
        found.append({**common, "SourceSecurityGroupId": group})
    return found


def _rule(direction: str) -> Callable[[Planned, list[Resource]], list[Resource]]:
    def fold(planned: Planned, made: list[Resource]) -> list[Resource]:
        values = planned.values
        kind = str(values.get("type") or direction).capitalize()
        group = values.get("security_group_id")
        rules = _rules_of(values, group if isinstance(group, str) else planned.address)
        return made + [
            Resource(
                f"AWS::EC2::SecurityGroup{kind}",
                planned.address,
                planned.address,
                {"GroupId": group, **(rule if isinstance(rule, dict) else {})},
                planned.source,
            )
            for rule in rules
        ]

    return fold


_FOLDED: Mapping[str, Callable[[Planned, list[Resource]], list[Resource]]] = {
    "aws_security_group": _security_group,
    "aws_default_security_group": _security_group,
    "aws_security_group_rule": _rule("ingress"),
    "aws_vpc_security_group_ingress_rule": _rule("ingress"),
    "aws_vpc_security_group_egress_rule": _rule("egress"),
    "aws_s3_bucket_public_access_block": _of_bucket(_blocks),
    "aws_s3_bucket_versioning": _of_bucket(_versioning),
    "aws_s3_bucket_logging": _of_bucket(_logging),
    "aws_s3_bucket_server_side_encryption_configuration": _of_bucket(_encryption),
    "aws_s3_bucket_ownership_controls": _of_bucket(_ownership),
    "aws_s3_bucket_acl": _of_bucket(_acl),
    "aws_iam_user_policy_attachment": _attachment("AWS::IAM::User", "user"),
    "aws_iam_role_policy_attachment": _attachment("AWS::IAM::Role", "role"),
    "aws_iam_group_policy_attachment": _attachment("AWS::IAM::Group", "group"),
    "aws_iam_policy_attachment": _attached_to_many,
    "aws_iam_user_group_membership": _membership,
}
"""What each of these types sets on other resources, or becomes."""
