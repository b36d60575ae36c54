"""What `--output aws` of exposure and unused access writes has the members that Access Analyzer's API has."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

from clew.analyzer.exposure import run
from clew.analyzer.exposure_findings import finding as exposed
from clew.analyzer.exposure_model import Target, Through, WayIn, Zone
from clew.analyzer.unused_advice import Doing, Step
from clew.analyzer.unused_findings import finding as unused
from clew.analyzer.unused_model import Judged, Kind, Unused, Window
from clew.policy.parse import from_document
from clew.report import exposure_json, unused_aws
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from botocore.model import Shape

_OWNER = "111122223333"
_NOW = datetime(2026, 3, 11, tzinfo=UTC)
_BESIDE = {"findingType", "recommendationType", "recommendedSteps"}


@cache
def _shape(name: str) -> Shape:
    return botocore.session.get_session().get_service_model("accessanalyzer").shape_for(name)


def _fits(value: Any, shape: Any) -> None:
    match shape.type_name:
        case "structure":
            assert value.keys() <= shape.members.keys()
            assert set(shape.required_members) <= value.keys()
            for name, inner in value.items():
                _fits(inner, shape.members[name])
        case "list":
            for inner in value:
                _fits(inner, shape.member)
        case "map":
            assert all(isinstance(each, str) for each in value.values())
        case "boolean":
            assert isinstance(value, bool)
        case _:
            assert isinstance(value, str)
            assert not getattr(shape, "enum", None) or value in shape.enum


def _check(text: str) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads(text)["findings"]
    for each in findings:
        _fits(
            {name: said for name, said in each.items() if name not in _BESIDE}, _shape("GetFindingV2Response")
        )
        _fits(each["findingType"], _shape("FindingType"))
        for step in each.get("recommendedSteps", []):
            _fits(step, _shape("RecommendedStep"))
    return findings


def test_external_access_has_the_shape_of_aws() -> None:
    """Public access, that of another account's access points, and a grant fit the API's model."""
    points = {"StringEquals": {"s3:DataAccessPointAccount": "444455556666"}}
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*",
    }
    document = {"Version": "2012-10-17", "Statement": [statement, statement | {"Condition": points}]}
    way = WayIn(Through.POLICY, "s3:GetBucketPolicy", document=Document("policy", document))
    target = Target("arn:aws:s3:::b", "AWS::S3::Bucket", _OWNER, "eu-west-1", (way,))
    zone = Zone(_OWNER)
    report = run(_OWNER, zone, [target])
    findings = _check(
        exposure_json.render_aws([(each, exposed(each, zone, _NOW)) for each in report.exposures], ())
    )
    sources = [each["findingDetails"][0]["externalAccessDetails"]["sources"] for each in findings]
    assert sources == [
        [{"type": "POLICY"}],
        [{"type": "S3_ACCESS_POINT_ACCOUNT", "detail": {"accessPointAccount": "444455556666"}}],
    ]


def test_unused_access_has_the_shape_of_aws() -> None:
    """Each kind of unused access, and each kind of recommended step, fits the API's model."""
    role = f"arn:aws:iam::{_OWNER}:role/ci"
    smaller = from_document({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    steps = (Step(Doing.DETACH, "Old", "role ci"), Step(Doing.CREATE, "Broad", "role ci", smaller))
    found = tuple(
        Unused(kind, role, _OWNER, "told", "do", "access key 1", last_used=_NOW)
        for kind in (Kind.ROLE, Kind.ACCESS_KEY, Kind.PASSWORD)
    )
    actions = ("s3:putobject", "s3:getobject")
    found += (
        Unused(Kind.PERMISSION, role, _OWNER, "told", "do", services=("sqs",), actions=actions, steps=steps),
    )
    judged = Judged(_OWNER, Window(_NOW, 90), 1, found, ())
    findings = _check(unused_aws.render([(each, unused(each, judged)) for each in found], ()))
    assert [len(each["findingDetails"]) for each in findings] == [1, 1, 1, 2]
    assert len(findings[-1]["recommendedSteps"]) == len(steps)
