"""Collecting over real HTTP: two accounts, two regions, refusals and nonsense."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto.moto_api._internal import moto_api_backend
from tests.respond.recorded_server import Recorded, query, query_error, serve, xml
from typer.testing import CliRunner

from clew.cli.main import app
from clew.collect.asking import Clock, Question, ask
from clew.collect.clients import Clients
from clew.collect.collector import Scale, collect
from clew.collect.reads import Read
from clew.collect.redact import redacted
from clew.collect.table import LAST_ACCESSED, chosen, named
from clew.errors import InputError
from clew.snapshot import collected_items, file, history
from clew.snapshot.answers import GLOBAL, Answer, Answers, Status

if TYPE_CHECKING:
    from pathlib import Path

    from clew.snapshot.items import Item

OWN, OTHER = "123456789012", "222233334444"
REGIONS = ("eu-west-1", "us-east-1")
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "All",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::pay/*",
        }
    ],
}
JOB = "examplef-1305-c245-eba4-71fe298bcda7"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CLOCK = Clock(now=lambda: NOW, sleep=lambda _: None)


@pytest.fixture(autouse=True)
def _aws(_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator of AWS without anything in it, behind AWS_ENDPOINT_URL."""
    for name, value in {
        "AWS_ENDPOINT_URL": _server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    moto_api_backend.reset()


def plant(session: Any) -> None:
    """A bucket, a key and a trail of all regions."""
    s3 = session.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="pay")
    s3.put_bucket_policy(Bucket="pay", Policy=json.dumps(PUBLIC))
    session.client("kms", region_name="eu-west-1").create_key(Description="own")
    trail = session.client("cloudtrail", region_name="us-east-1")
    trail.create_trail(Name="everywhere", S3BucketName="pay", IsMultiRegionTrail=True)


def collected(*only: str, **scale: Any) -> Answers:
    """The answers about these services in two regions."""
    return collect(chosen(only), Scale(regions=REGIONS, **scale), CLOCK)


def run(*words: str) -> Any:
    """The outcome of a command."""
    return CliRunner().invoke(app, words)


def test_two_accounts_and_two_regions_in_one_run() -> None:
    """Each account is asked as itself, and every call stands with its region, time and status."""
    plant(boto3.session.Session())
    found = collected("s3", "kms", role="Audit", accounts=(OWN, OTHER))
    assert found.accounts == (OWN, OTHER)
    assert {a.call.region for a in found.each("kms", "ListKeys", OTHER)} == set(REGIONS)
    assert found.get(OWN, GLOBAL, "s3", "GetBucketPolicy", Bucket="pay").status is Status.OK
    assert not found.get(OTHER, GLOBAL, "s3", "ListBuckets").list("Buckets")
    arn = f"arn:aws:iam::{OTHER}:role/Audit"
    assert found.get(OTHER, GLOBAL, "sts", "AssumeRole", RoleArn=arn).status is Status.OK
    assert {a.collected_at for a in found} == {"2026-01-02T03:04:05Z"}
    assert not [a for a in found if not a.status.is_known]


def test_organisation_gives_the_accounts() -> None:
    """`--organization` asks every active account of it."""
    client = boto3.client("organizations")
    client.create_organization(FeatureSet="ALL")
    made = client.create_account(AccountName="second", Email="a@example.com")["CreateAccountStatus"]
    found = collected("sns", "organizations", role="Audit", organization=True)
    assert found.accounts == tuple(sorted((OWN, made["AccountId"])))
    # A member may ask who manages it, and no more.
    assert [a.call.account for a in found.each("organizations", "ListRoots")] == [OWN]
    assert len(list(found.each("organizations", "DescribeOrganization"))) == 2


def test_without_an_organisation_the_run_ends_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--organization` outside an organisation is an error with AWS's code and what to do."""
    from moto.organizations.exceptions import AWSOrganizationsNotInUseException
    from moto.organizations.models import OrganizationsBackend

    def refuse(*_: object, **__: object) -> None:
        raise AWSOrganizationsNotInUseException

    monkeypatch.setattr(OrganizationsBackend, "list_accounts", refuse)
    with pytest.raises(InputError, match=r"AWSOrganizationsNotInUseException.*--accounts"):
        collected("sns", role="Audit", organization=True)


def test_trail_of_all_regions_is_asked_about_at_home() -> None:
    """A trail shows in both regions as a shadow, and its status is asked once, where it was made."""
    plant(boto3.session.Session())
    found = collected("cloudtrail")
    homes = [t["HomeRegion"] for a in found.each("cloudtrail", "DescribeTrails") for t in a.list("trailList")]
    assert homes == ["us-east-1", "us-east-1"]
    assert [a.call.region for a in found.each("cloudtrail", "GetTrailStatus")] == ["us-east-1"]


def test_what_is_not_there_is_a_fact() -> None:
    """No bucket policy, no account-wide block: absent, and none of it a failure."""
    boto3.client("s3").create_bucket(Bucket="bare")
    found = collected("s3")
    absent = {str(a.call) for a in found if a.status is Status.ABSENT}
    assert "s3:GetBucketPolicy (Bucket=bare)" in absent
    assert f"s3control:GetPublicAccessBlock (AccountId={OWN})" in absent


def test_s3_control_is_asked_under_the_endpoint_s_own_name() -> None:
    """Behind a private endpoint the account's id is not put before the host, so that the call arrives."""
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True}
    boto3.client("s3").create_bucket(Bucket="bare")
    clients = Clients(boto3.session.Session(), "us-east-1", 2)
    clients.of("s3control", GLOBAL).put_public_access_block(
        AccountId=OWN, PublicAccessBlockConfiguration={**block, "RestrictPublicBuckets": False}
    )
    body = collected("s3").get(OWN, GLOBAL, "s3control", "GetPublicAccessBlock", AccountId=OWN).body
    assert body is not None
    assert body["PublicAccessBlockConfiguration"] == {**block, "RestrictPublicBuckets": False}


def test_credential_report_is_waited_for() -> None:
    """The report is asked for until IAM has written it, and kept as text."""
    boto3.client("iam").create_user(UserName="ana")
    found = collected("iam")
    body = found.get(OWN, GLOBAL, "iam", "GetCredentialReport").body
    assert body is not None
    assert str(body["Content"]).startswith("user,arn,")
    assert str(body["GeneratedTime"]).endswith("Z")
    assert found.get(OWN, GLOBAL, "iam", "GetAccountPasswordPolicy").status is Status.ABSENT


def job(state: str, more: str = "") -> Recorded:
    """An answer about a job of IAM in that state."""
    when = "<JobCreationDate>2026-01-02T03:04:05Z</JobCreationDate>"
    return query("GetServiceLastAccessedDetails", f"<JobStatus>{state}</JobStatus>{when}{more}")


def last_accessed(**answers: Any) -> Answer:
    """What IAM says of the services that the user `ana` last used, with its wire format."""
    ana = f"<member><UserName>ana</UserName><Arn>arn:aws:iam::{OWN}:user/ana</Arn></member>"
    details = f"<UserDetailList>{ana}</UserDetailList>"
    said = {
        "GetAccountAuthorizationDetails": query("GetAccountAuthorizationDetails", details),
        "GenerateServiceLastAccessedDetails": query(
            "GenerateServiceLastAccessedDetails", f"<JobId>{JOB}</JobId>"
        ),
        **answers,
    }
    with serve(said) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        found = collect(named({LAST_ACCESSED.name}), Scale(regions=REGIONS), CLOCK)
    asked = [body for operation, body in server.asked if operation == "GetServiceLastAccessedDetails"]
    assert all(f"JobId={JOB}" in body for body in asked)
    [answer] = found.each("iam", "GetServiceLastAccessedDetails")
    assert dict(answer.call.parameters) == {
        "Arn": f"arn:aws:iam::{OWN}:user/ana",
        "Granularity": "ACTION_LEVEL",
    }
    return answer


def test_job_is_waited_for_and_all_pages_are_kept_under_whom_it_is_about() -> None:
    """The job is asked about until it is done; the answer stands under the user, with all its services."""
    service = "<member><ServiceNamespace>{}</ServiceNamespace></member>"
    pages = [
        f"<ServicesLastAccessed>{service.format(name)}</ServicesLastAccessed>{more}"
        for name, more in (
            ("s3", "<IsTruncated>true</IsTruncated><Marker>m</Marker>"),
            ("sqs", "<IsTruncated>false</IsTruncated>"),
        )
    ]
    answer = last_accessed(
        GetServiceLastAccessedDetails=[job("IN_PROGRESS"), *(job("COMPLETED", page) for page in pages)]
    )
    assert answer.status is Status.OK
    assert [each["ServiceNamespace"] for each in answer.list("ServicesLastAccessed")] == ["s3", "sqs"]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (
            {
                "GetServiceLastAccessedDetails": job(
                    "FAILED", "<Error><Message>m</Message><Code>InternalError</Code></Error>"
                )
            },
            Status.FAILED,
            "InternalError",
        ),
        (
            {"GetServiceLastAccessedDetails": job("IN_PROGRESS")},
            Status.FAILED,
            "JobStatus: IN_PROGRESS",
        ),
        ({"GenerateServiceLastAccessedDetails": query_error("AccessDenied")}, Status.DENIED, "AccessDenied"),
        ({"GetServiceLastAccessedDetails": query_error("AccessDenied")}, Status.DENIED, "AccessDenied"),
    ],
)
def test_job_without_an_outcome_is_no_answer(said: dict[str, Recorded], status: Status, code: str) -> None:
    """A job that failed, that never ends, or that was refused at either call is no fact, and has no body."""
    answer = last_accessed(**said)
    assert (answer.status, answer.error_code, answer.body) == (status, code, None)


def test_policies_of_what_else_has_one_are_read() -> None:
    """Tables with their streams, streams, layers, aliases, file systems and images: one call for each sharing."""
    region = "eu-west-1"
    client = partial(boto3.client, region_name=region)
    table = {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }
    arn = client("dynamodb").create_table(**table)["TableDescription"]["TableArn"]
    client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=json.dumps(PUBLIC))
    client("kinesis").create_stream(StreamName="s", ShardCount=1)
    client("efs").create_file_system(CreationToken="a")
    machine = client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]
    client("ec2").create_image(InstanceId=machine["InstanceId"], Name="image")
    found = collected("dynamodb", "kinesis", "elasticfilesystem", "ec2")
    assert found.get(OWN, region, "dynamodb", "GetResourcePolicy", ResourceArn=arn).body
    assert len(list(found.each("dynamodb", "GetResourcePolicy"))) == 2
    for service, operation, status in (
        ("kinesis", "GetResourcePolicy", Status.OK),
        ("efs", "DescribeFileSystemPolicy", Status.ABSENT),
        ("ec2", "DescribeImageAttribute", Status.OK),
    ):
        assert [each.status for each in found.each(service, operation)] == [status]


def test_each_version_of_a_function_is_asked_for_its_policy() -> None:
    """A published version has a policy of its own, which opens it though the function is closed; $LATEST has none."""
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda"}}]
    }
    role = boto3.client("iam").create_role(RoleName="run", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    client = boto3.client("lambda", region_name="eu-west-1")
    code = {"ImageUri": f"{OWN}.dkr.ecr.eu-west-1.amazonaws.com/i:1"}
    client.create_function(FunctionName="f", Role=role["Arn"], PackageType="Image", Code=code)
    number = client.publish_version(FunctionName="f")["Version"]
    found = collected("lambda")
    asked = [dict(each.call.parameters) for each in found.each("lambda", "GetPolicy")]
    assert asked == [{"FunctionName": "f"}, {"FunctionName": "f", "Qualifier": number}]


def test_denied_stays_denied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A refusal is recorded with AWS's code, survives the file, and ends the command with exit code 3."""
    from moto.s3.exceptions import S3ClientError
    from moto.s3.models import s3_backends

    plant(boto3.session.Session())

    def refuse(*_: object) -> None:
        raise S3ClientError("AccessDenied", "Access Denied")

    monkeypatch.setattr(s3_backends[OWN]["aws"], "get_bucket_policy", refuse)
    outcome = run("collect", "--regions", "us-east-1", "--only", "s3", "-o", str(tmp_path / "s"))
    assert outcome.exit_code == 3
    assert "denied  s3:GetBucketPolicy: AccessDenied, 1 call" in outcome.stdout
    answer = file.read(tmp_path / "s").answers.get(OWN, GLOBAL, "s3", "GetBucketPolicy", Bucket="pay")
    assert (answer.status, answer.error_code, answer.body) == (Status.DENIED, "AccessDenied", None)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("accessanalyzer", "ListAnalyzers"),
        ("ec2", "GetSnapshotBlockPublicAccessState"),
        ("ec2", "NoSuchThing"),
    ],
)
def test_nonsense_is_a_failure(service: str, operation: str) -> None:
    """A 500, an answer that is not AWS's, and an operation the SDK does not know are failures, no more."""
    clients = Clients(boto3.session.Session(), "us-east-1", 2)
    answer = ask(Question(Read(service, operation), OWN, "us-east-1", {}), clients, CLOCK)
    assert answer.status is Status.FAILED
    assert answer.error_code


@dataclass(frozen=True)
class Unreachable:
    """Clients whose services cannot be reached, for that reason; the SDK places them in `us-east-1`."""

    reason: str

    def of(self, service: str, region: str) -> Any:
        raise EndpointConnectionError(endpoint_url=f"https://{service}.{region}", error=self.reason)

    def has_endpoint(self, _: str, region: str) -> bool:
        return region == "us-east-1"


@pytest.mark.parametrize(
    ("region", "reason", "status"),
    [
        ("eu-west-1", "Failed to resolve 'macie2.eu-west-1'", Status.ABSENT),
        ("us-east-1", "Failed to resolve 'macie2.us-east-1'", Status.FAILED),
        ("eu-west-1", "Connection refused", Status.FAILED),
    ],
)
def test_service_is_not_in_a_region_on_two_witnesses(region: str, reason: str, status: Status) -> None:
    """Only where no such host exists and the SDK places the service elsewhere is it a fact that it is not there."""
    clients: Any = Unreachable(reason)
    question = Question(Read("macie2", "GetMacieSession"), OWN, region, {})
    assert ask(question, clients, CLOCK).status is status


def test_account_that_cannot_be_entered_is_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other accounts are read, and of the one whose role is refused nothing is claimed."""
    from moto.core.exceptions import AccessDeniedError
    from moto.sts.models import STSBackend

    def refuse(*_: object, **__: object) -> None:
        raise AccessDeniedError(user_arn=f"arn:aws:iam::{OWN}:user/x", action="sts:AssumeRole")

    monkeypatch.setattr(STSBackend, "assume_role", refuse)
    found = collected("sns", role="Audit", accounts=(OWN, OTHER))
    assert [(str(a.call.operation), a.status) for a in found if a.call.account == OTHER] == [
        ("AssumeRole", Status.DENIED)
    ]
    assert found.get(OTHER, "eu-west-1", "sns", "ListTopics").error_code == "NotCollected"
    assert found.get(OWN, "eu-west-1", "sns", "ListTopics").status is Status.OK


def test_same_account_gives_the_same_file(tmp_path: Path) -> None:
    """Two collections of an account that did not change differ in nothing but their times."""
    plant(boto3.session.Session())
    for name in ("a", "b"):
        file.write(tmp_path / name, collected("kms", "sns"), tool_version="1", collected_at=CLOCK.stamp())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_collections_make_a_history() -> None:
    """A second collection of the same account adds nothing to its history; a third adds what changed."""
    session = boto3.session.Session()
    plant(session)
    s3 = session.client("s3")
    known: list[Item] = []

    def added(hour: int) -> list[tuple[str, str]]:
        clock = Clock(now=lambda: NOW + timedelta(hours=hour), sleep=lambda _: None)
        look = collected_items.look(collect(chosen(("s3", "kms")), Scale(regions=REGIONS), clock))
        new = list(history.news(history.state_at(known, look.time), look.items, look.scopes, look.time))
        known.extend(new)
        return sorted((item.name, item.status.value) for item in new if item.key.type == "AWS::S3::Bucket")

    assert added(1) == [("pay", "discovered")]
    before = len(known)
    assert (added(2), len(known)) == ([], before)
    s3.delete_bucket_policy(Bucket="pay")
    s3.create_bucket(Bucket="new")
    assert added(3) == [("new", "discovered"), ("pay", "changed")]


def test_secrets_never_reach_the_file(tmp_path: Path) -> None:
    """Variables of functions, tokens in addresses and the values of secrets are not in the snapshot."""
    boto3.client("secretsmanager").create_secret(Name="db", SecretString="hunter2")
    topic = boto3.client("sns").create_topic(Name="t")["TopicArn"]
    boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="https", Endpoint="https://me:hunter2@example.com/hook?token=hunter2"
    )
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(PUBLIC))
    boto3.client("lambda").create_function(
        FunctionName="f",
        Role=role["Role"]["Arn"],
        Runtime="python3.12",
        Handler="x.y",
        Code={"ZipFile": b"hunter2"},
        Environment={"Variables": {"DB_PASSWORD": "hunter2"}},
    )
    path = tmp_path / "s"
    found = collected("sns", "lambda", "secretsmanager")
    file.write(path, found, tool_version="1", collected_at=CLOCK.stamp())
    text = gzip.decompress(path.read_bytes())
    assert b"DB_PASSWORD" in text
    assert b"https://example.com/hook?[redacted]" in text
    assert b"hunter2" not in text


def test_simulator_reads_what_was_collected(tmp_path: Path) -> None:
    """`clew simulate --policies` takes the file as it is: the bucket's policy lets anybody in."""
    plant(boto3.session.Session())
    boto3.client("iam").create_user(UserName="ana")
    path = str(tmp_path / "s")
    assert run("collect", "--regions", "us-east-1", "--only", "s3", "-o", path).exit_code == 0
    assert file.is_snapshot((tmp_path / "s").read_bytes())
    outcome = run(
        *("simulate", "-p", f"arn:aws:iam::{OWN}:user/ana", "-a", "s3:GetObject"),
        *("-r", "arn:aws:s3:::pay/x", "--policies", path),
    )
    assert outcome.stdout.startswith("ALLOWED  s3:GetObject on arn:aws:s3:::pay/x by user ana")
    assert "statement `All` of the bucket policy" in outcome.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--only", "quicksight"), "`quicksight` is no service that is collected; there are access-analyzer"),
        (("--accounts", "12"), "`12` is no account id; an id has 12 digits"),
        (("--organization",), "which role? give `--role NAME`"),
        (("--only", "s3", "--check", "kms-rotation"), "checks say themselves what they read"),
        (("--check", "kms-rotations"), "no check `kms-rotations`; did you mean `kms-rotation`?"),
        (("--framework", "cis"), "no framework `cis`; known are"),
    ],
)
def test_words_that_do_not_fit_are_refused(words: tuple[str, ...], message: str) -> None:
    """A wrong service, a wrong account id and a missing role are told before anything is asked."""
    outcome = run("collect", *words)
    assert message in str(outcome.exception)


REPLICATION = """<ReplicationConfiguration><Role>r</Role><Rule><ID>all</ID><Status>Enabled</Status><Destination>
<Bucket>arn:aws:s3:::copies</Bucket></Destination></Rule></ReplicationConfiguration>"""


def replicated(path: Path, kind: str) -> str:
    """What the rule of AWS Config says of a snapshot, where copies must be of that kind."""
    rule = "s3-bucket-replication-enabled"
    given = ("--framework", "config-rules", "--parameter", f"{rule}.ReplicationType={kind}")
    told = json.loads(run("audit", str(path), *given, "--no-trend", "-o", "json").stdout)
    return next(str(each["verdict"]) for each in told["controls"] if each["id"] == rule)


def test_destinations_of_copies_are_asked_where_they_lie(tmp_path: Path) -> None:
    """The region of a destination in another account is known, and the rule of AWS Config can be judged by it."""
    plant(boto3.session.Session())
    role = {"RoleArn": f"arn:aws:iam::{OTHER}:role/Audit", "RoleSessionName": "test"}
    keys = boto3.client("sts").assume_role(**role)["Credentials"]
    other = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    s3, theirs = boto3.client("s3"), other.client("s3", region_name="eu-central-1")
    there = {"LocationConstraint": "eu-central-1"}
    theirs.create_bucket(Bucket="copies", CreateBucketConfiguration=there)
    for client, name in ((s3, "pay"), (theirs, "copies")):
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "all", "Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::copies"}}
    s3.put_bucket_replication(Bucket="pay", ReplicationConfiguration={"Role": "r", "Rules": [rule]})
    path = tmp_path / "s"
    assert run("collect", "-c", "s3-bucket-replication", "-o", str(path)).exit_code == 0
    head = file.read(path).answers.get(OWN, GLOBAL, "s3", "HeadBucket", Bucket="copies")
    assert (head.status, head.body) == (Status.OK, {"BucketRegion": "eu-central-1"})
    assert replicated(path, "CROSS-REGION") == "pass"
    assert replicated(path, "SAME-REGION") == "fail"


@pytest.mark.parametrize(
    ("said", "status", "verdict"),
    [
        (Recorded(status=403, headers=(("x-amz-bucket-region", "eu-central-1"),)), Status.OK, "pass"),
        (Recorded(status=403), Status.DENIED, "unknown"),
        (Recorded(status=404), Status.ABSENT, "fail"),
        (Recorded(status=500), Status.FAILED, "unknown"),
    ],
)
def test_a_refused_destination_tells_its_region_in_a_header(
    said: Recorded, status: Status, verdict: str, tmp_path: Path
) -> None:
    """AWS names the region in a refusal too; without the header nobody knows, which decides nothing."""
    answers = {
        "DescribeRegions": query("DescribeRegions", "<regionInfo/>"),
        "GET /": xml(
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>pay</Name></Bucket></Buckets></ListAllMyBucketsResult>"
        ),
        "GET /pay?location": xml(
            '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>'
        ),
        "GET /pay?replication": xml(REPLICATION),
        "HEAD /copies": said,
    }
    path = tmp_path / "s"
    with serve(answers) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        run("collect", "-c", "s3-bucket-replication", "--regions", "eu-west-1", "-o", str(path))
    head = file.read(path).answers.get(OWN, GLOBAL, "s3", "HeadBucket", Bucket="copies")
    assert head.status is status
    assert replicated(path, "CROSS-REGION") == verdict


def test_policy_for_checks_is_for_what_they_read() -> None:
    """With `--check` and `--framework` the policy names the calls of the checks, and those that these follow."""
    printed = json.loads(run("collect", "--print-policy", "--check", "kms-rotation").stdout)
    assert printed["Statement"][0]["Action"] == [
        "ec2:DescribeRegions",
        "kms:DescribeKey",
        "kms:GetKeyRotationStatus",
        "kms:ListKeys",
    ]
    both = run(
        "collect", "--print-policy", "-c", "kms-rotation", "-f", "s3-default", "--last-accessed"
    ).stdout
    assert {"kms:ListKeys", "s3:GetBucketLogging"} < set(json.loads(both)["Statement"][0]["Action"])
    assert "iam:GenerateServiceLastAccessedDetails" in both


def test_checks_are_collected_for_and_judged(tmp_path: Path) -> None:
    """`--check` makes just the calls of the check, and the audit of the file knows the answer."""
    plant(boto3.session.Session())
    path = str(tmp_path / "s")
    assert run("collect", "--regions", "eu-west-1", "-c", "kms-rotation", "-o", path).exit_code == 0
    found = file.read(tmp_path / "s").answers
    assert {f"{a.call.service}:{a.call.operation}" for a in found} == {
        "sts:GetCallerIdentity",
        "ec2:DescribeRegions",
        "kms:ListKeys",
        "kms:DescribeKey",
        "kms:GetKeyRotationStatus",
    }
    judged = json.loads(run("audit", path, "-c", "kms-rotation", "--no-trend", "-o", "json").stdout)
    assert judged["counts"]["fail"] == 1


def test_policy_is_printed_without_credentials() -> None:
    """`--print-policy` asks nothing of AWS."""
    outcome = run("collect", "--print-policy", "--only", "s3,kms")
    assert "s3:ListAllMyBuckets" in outcome.stdout
    assert json.loads(outcome.stdout)["Version"] == "2012-10-17"


def test_headers_that_distributions_send_to_origins_are_left_out() -> None:
    """What a distribution adds to prove itself to its origin is a shared secret, and does not reach the file."""
    headers = {"Items": [{"HeaderName": "x-origin", "HeaderValue": "hunter2"}]}
    body = {"DistributionConfig": {"Origins": {"Items": [{"CustomHeaders": headers}]}}}
    assert "hunter2" not in json.dumps(redacted(body))
    assert "x-origin" in json.dumps(redacted(body))
