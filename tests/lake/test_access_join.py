"""EV15: the access line and the CloudTrail record of one request, joined by request id."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.case_files import read_case_file

from clew.lake.access_join import join
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake
from clew.lake.sql.run import open_query

if TYPE_CHECKING:
    from clew.lake.reader import Lake

CASES = Path(__file__).parent.parent / "cases" / "events"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = "4RDM0X7KAX9P6Y6Y"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with the two records of EV15 and the access line of EV13."""
    home = tmp_path_factory.mktemp("join")
    for name in ("EV13", "EV15"):
        for number, given in enumerate(read_case_file(CASES / f"{name}.yaml")["inputs"]):
            (home / f"{name}-{number}.log").write_text(given["text"])
    ingest(home / "lake", sorted(home.glob("*.log")), now=NOW)
    return open_lake(home / "lake")


def test_both_logs_tell_of_the_request(lake):
    """Each fact is told by one log or both: only the access line knows the TLS version and the times."""
    facts = {fact.fact: fact for fact in join(lake, REQUEST).facts}
    assert facts["authentication"].agree
    assert facts["operation"].agree
    assert facts["caller"].agree
    assert facts["bytes received"].access_log == facts["bytes received"].cloudtrail == "353"
    assert (facts["TLS version"].access_log, facts["TLS version"].cloudtrail) == ("TLSv1.2", "")
    assert (facts["MFA"].access_log, facts["MFA"].cloudtrail) == ("", "false")


def test_disagreements_are_named(lake):
    """The example's two logs disagree on the host id and on the key: nothing is smoothed over."""
    assert [fact.fact for fact in join(lake, REQUEST).disagreements] == ["access key", "host id"]


def test_presigned_request_is_read(lake):
    """The query string says when it was signed and that it was valid for 300 seconds."""
    signed = join(lake, REQUEST).presigned
    assert signed is not None
    assert signed.signed_at == datetime(2020, 12, 3, 2, 41, 16, tzinfo=UTC)
    assert signed.expires_seconds == 300
    assert "x-amz-acl" in signed.signed_headers


def test_one_side_is_enough(lake):
    """EV13: a request that only the access log knows is told without CloudTrail; an unknown id is told as empty."""
    alone = join(lake, "3E57427F3EXAMPLE")
    assert (len(alone.lines), len(alone.entries)) == (1, 0)
    assert alone.presigned is None
    unknown = join(lake, "nobody")
    assert (unknown.lines, unknown.entries, unknown.facts) == ((), (), ())


def test_view_joins_both_logs(lake):
    """The SQL view has one row for each request, and says which log saw it."""
    query = "SELECT requestid, seen_in, eventname, tlsversion, presigned_expires FROM s3_requests ORDER BY 1"
    with open_query(lake, query, now=datetime(2026, 11, 1, tzinfo=UTC)) as answer:
        rows = list(answer.rows)
    assert rows == [
        ("3E57427F3EXAMPLE", "access log", None, "TLSV1.1", None),
        (REQUEST, "both", "PutObject", "TLSv1.2", "300"),
    ]
