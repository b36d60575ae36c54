"""What an audit costs: accounts of growing size, generated, by CIS 7.0; then a collected one over HTTP.

    python benchmarks/audit.py [--resources 100000] [--collect]

With `--collect`, 100 buckets, 50 users and 20 security groups are collected from a moto server and audited.
Reference: Prowler 5 on such an account of moto, measured once on another machine: 33 s, and 2,353 MB installed; it is
run beside where it is found. Seconds are those of the processor, which a busy machine does not stretch.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.cli.main import GARBAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.results import Audit
    from clew.snapshot.answers import Answer

ACCOUNT, REGION = "111122223333", "eu-west-1"
AT = "2026-03-11T06:00:00Z"
NOW = datetime(2026, 3, 11, 6, tzinfo=UTC)
SIZES = (1_000, 10_000, 100_000)
REFERENCE_SECONDS, REFERENCE_MB = 33, 2_353
FORMATS = ("text", "html", "csv", "ocsf", "pdf")


def generated(count: int) -> Iterator[Answer]:
    """Answers about that many resources: half buckets, a quarter security groups, a quarter IAM users and roles."""
    from clew.snapshot.answers import Answer, Call, Status

    def ok(
        service: str, operation: str, body: dict[str, Any], region: str = "global", **given: str
    ) -> Answer:
        call = Call(ACCOUNT, region, service, operation, tuple(sorted(given.items())))
        return Answer(call, AT, Status.OK, body)

    def absent(operation: str, code: str, bucket: str) -> Answer:
        return Answer(
            Call(ACCOUNT, "global", "s3", operation, (("Bucket", bucket),)), AT, Status.ABSENT, None, code
        )

    buckets = [f"bucket-{number}" for number in range(count // 2)]
    yield ok(
        "ec2", "DescribeRegions", {"Regions": [{"RegionName": REGION, "OptInStatus": "opt-in-not-required"}]}
    )
    yield ok("s3", "ListBuckets", {"Buckets": [{"Name": name} for name in buckets]})
    yield ok("s3control", "GetPublicAccessBlock", block(False), AccountId=ACCOUNT)
    for number, name in enumerate(buckets):
        yield ok("s3", "GetBucketLocation", {"LocationConstraint": REGION}, Bucket=name)
        yield ok("s3", "GetBucketAcl", {"Owner": {"ID": "o"}, "Grants": []}, Bucket=name)
        yield ok("s3", "GetBucketVersioning", {"Status": "Enabled"} if number % 3 else {}, Bucket=name)
        yield ok("s3", "GetBucketLogging", {}, Bucket=name)
        yield ok("s3", "GetPublicAccessBlock", block(number % 2 == 0), Bucket=name)
        controls = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
        yield ok("s3", "GetBucketOwnershipControls", controls, Bucket=name)
        if number % 4:
            yield absent("GetBucketPolicy", "NoSuchBucketPolicy", name)
        else:
            yield ok("s3", "GetBucketPolicy", {"Policy": json.dumps(policy(name, number))}, Bucket=name)
    yield ok("ec2", "DescribeSecurityGroups", {"SecurityGroups": list(map(group, range(count // 4)))}, REGION)
    for operation, member in (("DescribeNetworkInterfaces", "NetworkInterfaces"), ("DescribeVpcs", "Vpcs")):
        yield ok("ec2", operation, {member: []}, REGION)
    yield ok("ec2", "DescribeManagedPrefixLists", {"PrefixLists": []}, REGION)
    yield ok("iam", "GetAccountAuthorizationDetails", details(count // 8))
    yield ok("iam", "GetCredentialReport", {"Content": report(count // 8), "GeneratedTime": AT})


def block(on: bool) -> dict[str, Any]:
    """A public access block that is on or off."""
    flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {"PublicAccessBlockConfiguration": dict.fromkeys(flags, on)}


def policy(name: str, number: int) -> dict[str, Any]:
    """A bucket policy that is public for some buckets."""
    principal = "*" if number % 8 else {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def group(number: int) -> dict[str, Any]:
    """A security group; every tenth is open to the world."""
    source = "0.0.0.0/0" if number % 10 == 0 else "10.0.0.0/8"
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": source}]}
    return {
        "GroupId": f"sg-{number:017x}",
        "GroupName": f"group-{number}",
        "OwnerId": ACCOUNT,
        "VpcId": "vpc-1",
        "IpPermissions": [rule],
        "IpPermissionsEgress": [],
    }


def details(count: int) -> dict[str, Any]:
    """Authorization details with that many users and as many roles."""
    users = [
        {
            "Path": "/",
            "UserName": f"u{n}",
            "UserId": f"AIDA{n}",
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/u{n}",
            "GroupList": [],
        }
        for n in range(count)
    ]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    roles = [
        {
            "Path": "/",
            "RoleName": f"r{n}",
            "RoleId": f"AROA{n}",
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/r{n}",
            "AssumeRolePolicyDocument": trust,
        }
        for n in range(count)
    ]
    return {"UserDetailList": users, "GroupDetailList": [], "RoleDetailList": roles, "Policies": []}


def report(count: int) -> str:
    """A credential report in which every third user has no MFA."""
    from clew.snapshot.credential_report import COLUMNS, ROOT

    columns = [each for each in COLUMNS if each != "additional_credentials_info"]
    lines = [",".join(columns)]
    for name in (ROOT, *(f"u{number}" for number in range(count))):
        cells = dict.fromkeys(columns, "N/A") | {
            each: "false" for each in columns if each.endswith("_active")
        }
        end = "root" if name == ROOT else f"user/{name}"
        cells |= {"user": name, "arn": f"arn:aws:iam::{ACCOUNT}:{end}", "password_enabled": "true"}
        cells |= dict.fromkeys(("user_creation_time", "password_last_used", "password_last_changed"), AT)
        cells["mfa_active"] = "true" if len(name) % 3 else "false"
        lines.append(",".join(cells[each] for each in columns))
    return "\n".join(lines)


def audited(path: Path) -> tuple[Audit, dict[str, float]]:
    """The audit of a snapshot file by CIS 7.0, and the seconds of each stage."""
    from clew.audit import frameworks
    from clew.audit.results import Origin
    from clew.audit.run import run
    from clew.audit.state import of_snapshot
    from clew.snapshot import file

    clock = Clock()
    recorded = file.read(path)
    clock.lap("read")
    states, problems = of_snapshot(recorded, str(path))
    clock.lap("state")
    header = recorded.header
    origin = Origin(path.name, header.regions, header.answers)
    asked = [frameworks.load("cis-7.0")]
    found = run(states, asked, now=NOW, origin=origin, problems=problems)
    clock.lap("checks")
    return found, clock.laps


class Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, name: str) -> None:
        """Note the seconds since the lap before under that name."""
        now = time.process_time()
        self.laps[name], self._last = now - self._last, now


def sizes(largest: int) -> None:
    """Audit accounts of growing size, and write and keep the largest."""
    from clew.snapshot import file
    from clew.snapshot.answers import Answers

    chosen = [size for size in SIZES if size < largest] + [largest]
    before: tuple[int, float] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for size in chosen:
            path = Path(folder) / f"{size}.json.gz"
            file.write(path, Answers(generated(size)), tool_version="0", collected_at=AT)
            found, laps = audited(path)
            total = sum(laps.values())
            grown = f"; {total / before[1]:.1f} times the seconds" if before else ""
            grown += f" for {size / before[0]:.0f} times the resources" if before else ""
            told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in laps.items())
            print(f"{size:>8,} resources: {total:6.2f} s ({told}), {len(found.findings):,} findings{grown}")
            before = size, total
        written(found)
        kept(found, Path(folder))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def written(found: Audit) -> None:
    """Write the audit in each format."""
    from clew.report.audit_formats import render

    for name in FORMATS:
        clock = Clock()
        told = render(found, name)
        clock.lap(name)
        print(f"         {name:<6} {clock.laps[name]:6.2f} s, {len(told) / 1e6:,.1f} MB")


def kept(found: Audit, folder: Path) -> None:
    """Keep the findings twice: the first time all are new, the second all are known."""
    os.environ["CLEW_WORKSPACE"] = str(folder / "workspace")
    from clew.cli.audit_keeping import kept as keep

    for word in ("first", "second"):
        clock = Clock()
        keep(found, NOW)
        clock.lap("keep")
        print(f"         kept the {word} time {clock.laps['keep']:6.2f} s")


def collected() -> None:
    """Collect and audit 100 buckets, 50 users and 20 groups over HTTP; Prowler beside where it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert server.stdout is not None  # noqa: S101  # a pipe was asked for
            endpoint = server.stdout.readline().strip()
            environment = os.environ | {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_MAX_ATTEMPTS": "1",
                "CLEW_WORKSPACE": folder,
            }
            for name, more in (("clew collect", ()), ("  for cis-7.0", ("-f", "cis-7.0"))):
                before = _processor(server.pid)
                words = [sys.executable, "-m", "clew", "-q", "collect", "--regions", REGION, *more]
                timed(name, words, environment)
                print(
                    f"{'':14}the emulator beside it: {_processor(server.pid) - before:.1f} s of the processor"
                )
            timed("clew audit", [sys.executable, "-m", "clew", "-q", "audit", "-f", "cis-7.0"], environment)
            if shutil.which("prowler"):
                asked = ["prowler", "aws", "-f", REGION, "--compliance", "cis_6.0_aws", "-o", folder]
                timed("prowler", asked, environment)
            else:
                print(
                    f"prowler is not installed; reference: {REFERENCE_SECONDS} s, {REFERENCE_MB:,} MB installed"
                )
        finally:
            server.terminate()
            server.wait()
    print(f"installed size of clew with the extra aws: {installed():,.0f} MB")


def timed(name: str, command: list[str], environment: dict[str, str]) -> None:
    """Run a command and print how long it took, by the clock and by the processor."""
    began, used = time.perf_counter(), _children()
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    code = done.returncode
    seconds = time.perf_counter() - began
    print(f"{name:<14}{seconds:6.1f} s ({_children() - used:.1f} s of the processor), exit code {code}")


def _processor(pid: int) -> float:
    """Seconds of the processor that a running process has taken so far; needs Linux's /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def installed() -> float:
    """Megabytes of the packages that `clew-aws[aws]` needs, found by their metadata, and of Clew itself."""
    from importlib.metadata import PackageNotFoundError, distribution

    from packaging.requirements import Requirement

    todo = ["boto3", "typer", "rich", "pyyaml", "jinja2"]
    seen: set[str] = set()
    ours = Path(__file__).parent.parent.joinpath("src").rglob("*")
    total = sum(each.stat().st_size for each in ours if each.is_file())
    while todo:
        name = todo.pop()
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        files = (found.locate_file(each) for each in found.files or ())
        total += sum(Path(str(each)).stat().st_size for each in files if Path(str(each)).is_file())
        needs = (Requirement(text) for text in found.requires or ())
        todo += [each.name for each in needs if each.marker is None or each.marker.evaluate({"extra": ""})]
    return total / 1e6


_SERVER = f"""
import json, os, time
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "testing"
import logging; logging.getLogger("werkzeug").setLevel("CRITICAL")
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False); server.start()
endpoint = "http://%s:%s" % server.get_host_and_port()
import boto3
make = lambda name: boto3.client(name, region_name="{REGION}", endpoint_url=endpoint)
s3, iam, ec2 = make("s3"), make("iam"), make("ec2")
for n in range(100):
    s3.create_bucket(Bucket=f"bucket-{{n}}", CreateBucketConfiguration={{"LocationConstraint": "{REGION}"}})
for n in range(50):
    iam.create_user(UserName=f"user-{{n}}")
vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
for n in range(20):
    group = ec2.create_security_group(GroupName=f"group-{{n}}", Description="g", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
print(endpoint, flush=True)
while True:
    time.sleep(1)
"""


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=SIZES[-1])
    parser.add_argument("--collect", action="store_true")
    chosen = parser.parse_args()
    gc.set_threshold(*GARBAGE)
    sizes(chosen.resources)
    if chosen.collect:
        collected()
    return 0


if __name__ == "__main__":
    sys.exit(main())
