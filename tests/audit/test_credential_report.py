"""Reading the credential report: every column, old and new reports, spreadsheets, and hostile files."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.cases import WRITTEN, row, written

from clew.errors import InputError
from clew.snapshot.credential_report import COLUMNS, ROOT, CredentialReport, Gap, read

SAMPLE = Path(__file__).resolve().parent.parent.parent / "samples" / "credential-report.csv"


def _report(**cells: str) -> CredentialReport:
    return read(written([row(ROOT, {}), row("alice", cells)]), "r.csv")


def test_every_column_is_read() -> None:
    """Each column that AWS documents has its place in the value."""
    cells = {
        "password_enabled": "TRUE",
        "password_last_used": "2026-03-01T10:00:00+00:00",
        "password_last_changed": "2026-01-01T10:00:00Z",
        "password_next_rotation": "N/A",
        "mfa_active": "true",
        "access_key_2_active": "false",
        "access_key_2_last_rotated": "2026-01-02T10:00:00Z",
        "access_key_2_last_used_date": "2026-01-03T10:00:00Z",
        "access_key_2_last_used_region": "eu-west-1",
        "access_key_2_last_used_service": "ec2",
        "cert_1_active": "true",
        "cert_1_last_rotated": "2026-01-04T10:00:00Z",
        "additional_credentials_info": "1 more access key; see ListAccessKeys",
    }
    report = read(written([row(ROOT, {}), row("alice", cells)], COLUMNS), "r.csv")
    [alice] = report.users
    assert (alice.user, alice.line, alice.password_enabled, alice.mfa_active) == ("alice", 3, True, True)
    assert alice.password_last_used == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert alice.password_next_rotation is Gap.NOT_APPLICABLE
    assert alice.access_keys[1].last_used_service == "ec2"
    assert alice.access_keys[1].last_used_region == "eu-west-1"
    assert alice.access_keys[0].last_rotated is Gap.NOT_APPLICABLE
    assert alice.certificates[0].active is True
    assert report.account == "111122223333"
    assert any("`alice`" in note for note in report.notes)


def test_sample_reads_without_a_word() -> None:
    """The sample that the repository ships is a report as AWS writes it."""
    report = read(SAMPLE.read_bytes(), "sample")
    assert (len(report.users), report.notes, report.problems) == (4, (), ())
    assert not SAMPLE.read_bytes().endswith(b"\n")


def test_json_of_the_command_line_has_the_time_of_the_report() -> None:
    """What `aws iam get-credential-report` prints is read, and says when the report was made."""
    content = base64.b64encode(SAMPLE.read_bytes()).decode()
    answer = {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": "2026-03-11T02:00:00+00:00"}
    report = read(json.dumps(answer).encode(), "r.json")
    assert report.generated_at == datetime(2026, 3, 11, 2, tzinfo=UTC)
    assert report.rows == read(SAMPLE.read_bytes(), "r.json").rows


def test_columns_are_found_by_their_names() -> None:
    """Order does not matter, missing columns are gaps, further ones are kept and not judged."""
    columns = (*reversed(WRITTEN[:10]), "new_column")
    report = read(written([row(ROOT, {}), row("alice", {"new_column": "x"})], columns), "r.csv")
    [alice] = report.users
    assert alice.other == (("new_column", "x"),)
    assert alice.access_keys[1].active is Gap.NOT_SAID
    assert any("`access_key_2_active`" in note for note in report.notes)
    assert any("`new_column`" in note for note in report.notes)


@pytest.mark.parametrize(
    ("content", "noted"),
    [
        (lambda text: text.encode("utf-8-sig"), "byte order mark"),
        (lambda text: text.encode("utf-16"), "UTF-16"),
        (lambda text: text.replace("\n", "\r\n").encode(), "Windows"),
        (lambda text: text.replace(",", ";").encode(), "semicolons"),
        (lambda text: text.replace(",", "\t").encode(), "tabs"),
    ],
)
def test_what_a_spreadsheet_saved_is_read_and_noted(content, noted: str) -> None:
    """A report that went through a spreadsheet says the same, with a note."""
    text = SAMPLE.read_text(encoding="utf-8")
    report = read(content(text), "r.csv")
    assert report.rows == read(text.encode(), "r.csv").rows
    assert any(noted in note for note in report.notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "r.csv: empty"),
        (b"\n\n", "r.csv: empty"),
        (b"a,b\n1,2\n", "r.csv:1: no column `user`"),
        (b"user,arn\n", "r.csv: a header and no rows"),
        (b"user,arn,arn\n", "r.csv:1: column `arn` stands there more than once"),
        (b"\xff\xfe\xff", "not UTF-8"),
        (b"user,arn\n\x00\n", "r.csv:2: a zero byte"),
        (b"user,arn\n\xe9,x\n", "r.csv:2: not UTF-8"),
        (b'user,arn\n"never closed,x\n', "r.csv:2: not CSV"),
        (b"user,arn\n" + b"x" * 200_000 + b",y\n", "r.csv:2: not CSV"),
        (b"user,arn\nuser,arn\n", "r.csv:2: a second header"),
        (
            b"user,arn\na,arn:aws:iam::111122223333:user/a\nb,arn:aws:iam::444455556666:user/b\n",
            "r.csv:3: account `444455556666` in a report of `111122223333`",
        ),
        (b"{}", "JSON without a credential report"),
        (b'{"Content": "%%%"}', "JSON without a credential report"),
        (b'{"Content": "dXNlcg==", "GeneratedTime": "soon"}', "`GeneratedTime` is `soon`"),
        (b"PK\x03\x04\x14\x00", "r.csv:1: a zero byte"),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(content: bytes, message: str) -> None:
    """A file that is no credential report gives one located line."""
    with pytest.raises(InputError) as caught:
        read(content, "r.csv")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("alice,arn:aws:iam::111122223333:user/alice", "2 fields where the header has 3"),
        ("alice,arn:aws:iam::111122223333:user/alice,true,x", "4 fields where the header has 3"),
        ("alice,alice,true", "`alice` is no ARN"),
        ("alice,arn:aws:iam::111122223333:root,true", "user `alice` with the ARN"),
        ("alice,arn:aws:iam::111122223333:user/team/carol,true", "user `alice` with the ARN"),
        (",arn:aws:iam::111122223333:user/alice,true", "no user name"),
        ("<root_account>,arn:aws:iam::111122223333:user/alice,true", "user `<root_account>` with the ARN"),
    ],
)
def test_damaged_row_is_set_apart(line: str, reason: str) -> None:
    """A row that cannot be read hides nobody else, and is not forgotten."""
    text = f"user,arn,mfa_active\nbob,arn:aws:iam::111122223333:user/bob,true\n{line}"
    report = read(text.encode(), "r.csv")
    assert [each.user for each in report.rows] == ["bob"]
    assert reason in report.damaged[0].reason
    assert report.problems[0].startswith("r.csv:3: ")


def test_cell_that_cannot_be_read_is_located() -> None:
    """A value that is neither what it should be nor a gap is a problem with its line and column."""
    report = _report(password_last_used="10/03/2026 10:00", mfa_active="perhaps")  # noqa: S106  # a column's value
    assert report.users[0].password_last_used is Gap.UNREADABLE
    assert report.users[0].mfa_active is Gap.UNREADABLE
    assert [problem.split(":")[:2] for problem in report.problems] == [["r.csv", "3"], ["r.csv", "3"]]
    assert "`password_last_used` is `10/03/2026 10:00`" in report.problems[0]


def test_user_twice_is_noted() -> None:
    """A user on two lines is judged twice and named."""
    report = read(written([row(ROOT, {}), row("alice", {}), row("alice", {})]), "r.csv")
    assert any("2 times, on lines 3, 4" in note for note in report.notes)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-eusc"])
def test_every_partition_is_read(partition: str) -> None:
    """Reports of other partitions are reports."""
    text = f"user,arn\n{ROOT},arn:{partition}:iam::111122223333:root\n"
    assert read(text.encode(), "r.csv").root is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Nothing that a file can hold ends in anything but a report or one located line."""
    _read_or_refuse(content)


@given(
    st.lists(
        st.sampled_from(["N/A", "true", "", "=1+1", '"', "2026-03-01T10:00:00Z", "\n", ","]), max_size=30
    )
)
def test_any_cells_are_read_or_refused(cells: list[str]) -> None:
    """Nor does anything that stands below a right header."""
    _read_or_refuse(written([]) + b"\n" + ",".join(cells).encode())


def _read_or_refuse(content: bytes) -> None:
    refusal = ""
    try:
        report = read(content, "r.csv")
    except InputError as error:
        refusal = str(error)
    else:
        assert len(report.rows) + len(report.damaged) > 0
    assert not refusal or refusal.startswith("r.csv")
