"""A region that stops answering in the middle of a collection: what is there is unknown, and nothing else changes."""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from tests.collect.test_collect import REGIONS, _aws, plant, run
from tests.respond.recorded_server import Quiet, listening

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["_aws"]  # the emulator behind AWS_ENDPOINT_URL
BROKEN = "eu-west-1"
SERVICES = "ec2,kms,cloudtrail,guardduty,s3"
WORLD = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_REGION = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/")
_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}


@contextmanager
def breaking(behind: str, answered: int, how: int) -> Iterator[str]:
    """The emulator through a proxy that fails a region after so many answers: with a status, or by hanging up for 0."""
    given = urlsplit(behind)
    counted: Counter[str] = Counter()
    lock = threading.Lock()

    class Handler(Quiet):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = _REGION.search(self.headers.get("Authorization", ""))
            with lock:
                counted[found[1] if found else ""] += 1
                is_broken = found is not None and found[1] == BROKEN and counted[BROKEN] > answered
            if is_broken and how == 0:
                self.close_connection = True
                return
            if is_broken:
                self.reply(how, {}, b"<html>out of order</html>")
                return
            connection = HTTPConnection(given.hostname or "", given.port)
            connection.request(self.command, self.path, body, dict(self.headers))
            said = connection.getresponse()
            self.reply(said.status, dict(said.getheaders()), said.read())

        def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = respond  # noqa: N815  # as the library calls them

    with listening(Handler) as url:
        yield url


def audited(path: Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of every check over a snapshot."""
    told = run("audit", str(path), "--framework", "all", "--no-trend", "-o", "json")
    return told.exit_code, json.loads(told.stdout)


@pytest.mark.parametrize(("answered", "how"), [(3, 500), (20, 0)])
def test_region_that_fails_midway_decides_nothing(
    answered: int, how: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, each failed call on record with its region, and no verdict but unknown where it is another."""
    plant(boto3.session.Session())
    for region in REGIONS:
        ec2 = boto3.client("ec2", region_name=region)
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        group = ec2.create_security_group(GroupName="open", Description="open", VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[WORLD])
    words = ("--regions", ",".join(REGIONS), "--only", SERVICES, "--workers", "4")
    run("collect", *words, "-o", str(tmp_path / "whole"))
    with breaking(os.environ["AWS_ENDPOINT_URL"], answered, how) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        outcome = run("collect", *words, "-o", str(tmp_path / "broken"))
    assert outcome.exit_code == 3
    assert BROKEN in outcome.output
    (_, whole), (code, broken) = audited(tmp_path / "whole"), audited(tmp_path / "broken")
    assert code == 3
    before = {(each["framework"], each["id"]): each["verdict"] for each in whole["controls"]}
    after = {(each["framework"], each["id"]): each["verdict"] for each in broken["controls"]}
    turned = {
        name: (before[name], now) for name, now in after.items() if now not in {before[name], "unknown"}
    }
    assert not turned
    assert {f["rule"] for f in broken["findings"] if "us-east-1" in f["regions"]} >= {
        "ec2-security-group-admin-ipv4"
    }
    assert broken["counts"]["unknown"] > whole["counts"]["unknown"]
