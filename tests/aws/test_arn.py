"""ARNs, partitions, regions and service names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.aws import arn
from clew.aws.partitions import PARTITIONS, is_region, partition_of
from clew.aws.services import action_prefix, is_service_host, service_name


@pytest.mark.parametrize(
    ("text", "kind", "identity", "name"),
    [
        ("arn:aws:iam::111122223333:root", "", "root", "root"),
        ("arn:aws:iam::111122223333:user/a/b/Bob", "user", "a/b/Bob", "Bob"),
        ("arn:aws:sts::111122223333:assumed-role/Admin/Bob", "assumed-role", "Admin/Bob", "Bob"),
        ("arn:aws:s3:::bucket", "", "bucket", "bucket"),
        ("arn:aws:s3:::bucket/folder/key with space", "bucket", "folder/key with space", "key with space"),
        ("arn:aws:lambda:us-east-1:111122223333:function:f:1", "function", "f:1", "f:1"),
        ("arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-1", "instance", "i-1", "i-1"),
        ("arn:aws-us-gov:sns:us-gov-west-1:111122223333:topic", "", "topic", "topic"),
        (
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "policy",
            "AdministratorAccess",
            "AdministratorAccess",
        ),
    ],
)
def test_parts_of_an_arn(text, kind, identity, name):
    """An ARN is read into its parts, and written back as it was."""
    read = arn.parse(text)
    assert (read.resource_type, read.resource_id, read.name) == (kind, identity, name)
    assert str(read) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not begin with `arn:`"),
        ("bucket", "does not begin with `arn:`"),
        ("arn:aws:s3", "3 of 6 parts separated by colons"),
        ("arn:aws:iam::111122223333", "5 of 6 parts separated by colons"),
        ("arn:moon:s3:::bucket", "unknown partition `moon`"),
        ("arn:aws::::bucket", "no service"),
        ("arn:aws:iam::1234:user/Bob", "`1234` is no account: expected 12 digits, `aws` or nothing"),
        ("arn:aws:iam:: 111122223333:user/Bob", "white space before the resource"),
        ("arn:aws:s3:::", "no resource"),
    ],
)
def test_faults_of_an_arn(text, problem):
    """What is no ARN is refused with what is wrong."""
    assert arn.fault(text) == problem
    with pytest.raises(arn.ArnError, match="is no ARN"):
        arn.parse(text)


@pytest.mark.parametrize("value", [None, 3, "", "text", "arn:aws:s3", ["arn:aws:s3:::b"]])
def test_reading_what_is_no_arn(value):
    """A value that spells no ARN reads as nothing."""
    assert arn.read(value) is None


def test_reading_forgives_white_space():
    """White space around colons, as in pasted documents, does not hide an ARN."""
    assert str(arn.read(" arn:aws:iam:: 111122223333:role/R ")) == "arn:aws:iam::111122223333:role/R"


@given(st.text(), st.sampled_from(sorted(PARTITIONS)))
def test_writing_what_was_read(resource, partition):
    """Whatever reads as an ARN is written as it was read."""
    text = f"arn:{partition}:service:region:111122223333:{resource}"
    assert arn.fault(text) or str(arn.parse(text)) == text


@pytest.mark.parametrize(
    "region", ["us-east-1", "us-gov-east-1", "cn-northwest-1", "me-central-1", "eusc-de-east-1"]
)
def test_regions(region):
    """Regions of every partition are recognised."""
    assert is_region(region)
    assert partition_of(region) in PARTITIONS


@pytest.mark.parametrize("text", ["", "global", "us-east", "us-east-1a", "US-EAST-1", "aws-global"])
def test_no_regions(text):
    """What is no region is not taken for one."""
    assert not is_region(text)
    assert partition_of(text) is None


@pytest.mark.parametrize(
    ("source", "name", "prefix"),
    [
        ("monitoring.amazonaws.com", "CloudWatch", "cloudwatch"),
        ("ec2.amazonaws.com", "EC2", "ec2"),
        ("swf.amazonaws.com", "Simple Workflow Service", "swf"),
        ("cloudformation.amazonaws.com", "CloudFormation", "cloudformation"),
        ("email.amazonaws.com", "SES", "ses"),
        ("tagging.amazonaws.com", "Resource Groups Tagging", "tag"),
        ("s3.amazonaws.com.cn", "S3", "s3"),
        ("tomorrow.amazonaws.com", "tomorrow", "tomorrow"),
        ("", "unknown", ""),
    ],
)
def test_services(source, name, prefix):
    """An event source tells its service, the exceptions to AWS's convention included."""
    assert service_name(source) == name
    assert action_prefix(source) == prefix


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "2001:db8::1", "evil-amazonaws.com", "amazonaws.com.evil.example", ""]
)
def test_no_service_hosts(text):
    """An address, or a name that only resembles AWS's, is no AWS service."""
    assert not is_service_host(text)
