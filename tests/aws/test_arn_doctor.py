"""The ARN doctor: what is wrong with an ARN, and which one was meant."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.aws.arn_doctor import _ARN_SERVICES, examine
from clew.aws.arn_overlap import overlap
from clew.aws.catalog import current

CASES = Path(__file__).resolve().parents[1] / "cases" / "policy" / "arns.yaml"
ROWS = read_case_file(CASES)
PIECES = st.lists(
    st.sampled_from(
        ["arn", "aws", "s3", "iam", "us-east-1", "111122223333", ":", ":", "/", "*", "?", "role", " ", "é"]
    )
)


@pytest.mark.parametrize("row", ROWS["fine"], ids=lambda row: f"{row['arn']} {row.get('action', '')}")
def test_a_right_arn_is_left_alone(row):
    """The doctor finds nothing in an ARN that is right, also for the action that works on it."""
    assert examine(row["arn"], action=row.get("action"), catalog=current()) == ()


@pytest.mark.parametrize("row", ROWS["wrong"], ids=lambda row: f"{row['name']}: {row['arn']}")
def test_a_wrong_arn_is_told_and_corrected(row):
    """Each fault of an ARN has AWS's code, and the ARN that was meant where it says so."""
    found = examine(row["arn"], action=row.get("action"), catalog=current())
    assert [each.code for each in found] == row["codes"]
    assert {each.corrected for each in found} == {row.get("corrected")}


@pytest.mark.parametrize(
    "row", [row for row in ROWS["wrong"] if "corrected" in row], ids=lambda row: str(row["corrected"])
)
def test_a_corrected_arn_is_well(row):
    """The doctor has nothing to say about an ARN that it offered."""
    assert examine(row["corrected"], action=row.get("action"), catalog=current()) == ()


@given(PIECES.map("".join), st.sampled_from([None, "s3:GetObject", "iam:PassRole", "ec2:DescribeInstances"]))
def test_any_text_is_examined(text, action):
    """Whatever is given, the doctor answers, in one line, and offers nothing that it would refuse itself."""
    for each in examine(text, action=action, catalog=current()):
        assert "\n" not in str(each)
        if each.corrected is not None and each.is_certain:
            assert not any(fault.is_error for fault in examine(each.corrected, catalog=current()))


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:s3:::" + "*a" * 900,
        "arn:aws:s3:::" + "?" * 1_900,
        "arn:aws:s3:::" + "${a}*" * 300,
        "arn:aws:ec2:us-east-1:111122223333:" + "*/" * 800,
        ":" * 100_000,
        "arn:aws:s3:::" + "a" * 1_000_000,
        "arn:" * 500,
        " " * 1_000_000,
    ],
    ids=lambda arn: arn[:20],
)
def test_pathological_arns_take_no_time(arn):
    """Thousands of wildcards, colons or spaces are examined or refused within a second."""
    start = time.process_time()
    examine(arn, action="ec2:RunInstances", catalog=current())
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("template", "pattern", "meets"),
    [
        ("${BucketName}", "logs", True),
        ("${BucketName}", "logs/x", False),
        ("${BucketName}/${ObjectName}", "logs", False),
        ("${BucketName}/${ObjectName}", "logs/", False),
        ("${BucketName}/${ObjectName}", "*", True),
        ("${BucketName}/${ObjectName}", "logs*", True),
        ("role/${RoleNameWithPath}", "role/a/b", True),
        ("role/${RoleNameWithPath}", "r?le/*", True),
        ("role/${RoleNameWithPath}", "user/*", False),
        ("table/${TableName}/index/${IndexName}", "table/x*", True),
        ("table/${TableName}/index/${IndexName}", "table/x/*", True),
        ("table/${TableName}/index/${IndexName}", "table/x/stream/*", False),
        ("a*b", "axxb", True),
    ],
)
def test_patterns_that_share_a_name(template, pattern, meets):
    """A template of the catalogue and a pattern of a policy meet exactly when one text fits both."""
    assert overlap(template, pattern) is meets


def test_services_that_only_arns_name():
    """The services that stand in ARN formats without being an action's prefix are the ones that the doctor knows."""
    catalog = current()
    fields = {
        arn.split(":")[2]
        for service in catalog.services()
        for kind in catalog.resource_types(service.prefix)
        for arn in kind.arns
    }
    assert {field for field in fields if catalog.service(field) is None and "$" not in field} == _ARN_SERVICES
