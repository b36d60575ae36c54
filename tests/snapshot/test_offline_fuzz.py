"""Files that say nonsense: an answer, or one clear error, and never a fault of the program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from clew.errors import InputError
from clew.snapshot import collected_items, config_files
from clew.snapshot.model import Source
from clew.snapshot.offline import cloudformation, config_answers, folder, terraform, terraform_types
from clew.snapshot.offline.declared import Place, Stack
from clew.snapshot.offline.told import Told

if TYPE_CHECKING:
    from clew.snapshot.answers import Answers

PLACE = Place("111122223333", "us-east-1")
_WORDS = """
    Ref Fn::GetAtt Fn::Sub Fn::If Fn::Join Condition Bucket BucketName PolicyDocument Statement Rules Policies Tags Key
    SecurityGroupIngress CidrIp IpProtocol GroupId Roles Users FunctionName Principal EventSelectors KeyPolicy Topics
    PublicAccessBlockConfiguration BlockPublicAcls VersioningConfiguration Status LoggingConfiguration bucket policy
    values ingress cidr_blocks rule acl user role policy_arn event_selector inline_policy AccessControl
"""
_NAMES = st.sampled_from(_WORDS.split())
_TEXTS = st.sampled_from(
    ["", "A", "B", "${A}", "${A.Arn}", "AWS::NoValue", "*", "true", "22", "arn:aws:s3:::b"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 70000) | _TEXTS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(_NAMES, part, max_size=4),
    max_leaves=14,
)
_CFN = st.sampled_from([*folder._TELLERS, *folder._PARTS, "AWS::S3::BucketPolicy", "AWS::X::Y"])
_TF = st.sampled_from([*terraform_types._PLAIN, *terraform_types._FOLDED])
_OBJECTS = st.dictionaries(_NAMES, _JSON, max_size=5)


def _tell(resources: list) -> Answers:
    told, stack = Told("2026-03-10T06:00:00Z"), Stack(PLACE, resources)
    for each in resources:
        if each.type in folder._TELLERS:
            folder._TELLERS[each.type](told, stack, each)
    answers = told.answers()
    json.dumps([answer.body for answer in answers])
    collected_items.look(answers)
    return answers


@given(st.dictionaries(st.sampled_from("ABC"), st.tuples(_CFN, _JSON), max_size=3), _JSON)
def test_templates_of_nonsense(declared: dict[str, tuple[str, object]], more: object) -> None:
    """Whatever properties hold, a template gives answers that can be written and read, or an error."""
    resources = {name: {"Type": type_, "Properties": given} for name, (type_, given) in declared.items()}
    text = json.dumps({"Resources": resources, "Parameters": more, "Conditions": more, "Mappings": more})
    try:
        _tell(cloudformation.resources(Source("t.json", text), PLACE))
    except InputError:
        return


@given(st.lists(st.tuples(_TF, _OBJECTS, _JSON), max_size=4), _JSON)
def test_plans_of_nonsense(planned: list[tuple[str, dict, object]], more: object) -> None:
    """Whatever values hold, a plan gives answers that can be written and read, or an error."""
    found = [
        {"address": f"{type_}.r{number}", "mode": "managed", "type": type_, "name": "r", "values": values}
        for number, (type_, values, _) in enumerate(planned)
    ]
    changed = [
        {"address": f"{type_}.r{number}", "change": {"after_unknown": unknown}}
        for number, (type_, _, unknown) in enumerate(planned)
    ]
    plan = {"planned_values": {"root_module": {"resources": found}}, "resource_changes": changed}
    text = json.dumps({**plan, "terraform_version": "1", "configuration": {"root_module": more}})
    try:
        resources, _ = terraform_types.resources(terraform.planned(Source("plan.json", text)), PLACE)
        _tell(resources)
    except InputError:
        return


_ITEMS = st.fixed_dictionaries(
    {
        "awsAccountId": st.just("111122223333"),
        "awsRegion": st.just("eu-west-1"),
        "resourceType": st.sampled_from(["AWS::S3::Bucket", *config_answers._LISTS]),
        "resourceId": st.sampled_from(["a", "b"]),
        "configurationItemCaptureTime": st.just("2026-03-10T06:00:00Z"),
    },
    optional={
        "configuration": _JSON,
        "supplementaryConfiguration": st.dictionaries(
            st.sampled_from(["BucketPolicy", "AccessControlList", "BucketVersioningConfiguration"]), _JSON
        ),
        "relationships": _JSON,
        "tags": _JSON,
        "relatedEvents": _JSON,
    },
)


@given(st.lists(_ITEMS, max_size=3))
def test_configuration_items_of_nonsense(given: list[dict[str, object]]) -> None:
    """Whatever an item holds, it is read, or an error is said."""
    told = Told("2026-03-10T06:00:00Z")
    config_answers.tell(told, config_files.items(Source("c.json", json.dumps({"configurationItems": given}))))
    collected_items.look(told.answers())
