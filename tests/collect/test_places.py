"""What is said of accounts and regions of which a collection tells nothing."""

from __future__ import annotations

import pytest

from clew.cli.snapshots import told_places
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

OWN, OTHER = "111122223333", "444455556666"
REGIONS = ("af-south-1", "eu-south-1", "eu-west-1", "us-east-1")
SOME = ("eu-west-1", "us-east-1")


def said(account: str, region: str, service: str, operation: str, status: Status = Status.OK) -> Answer:
    """An answer without more than its status; that to DescribeRegions names one region that is not enabled."""
    body = {
        "Regions": [
            *({"RegionName": name, "OptInStatus": "opted-in"} for name in REGIONS),
            {"RegionName": "me-south-1", "OptInStatus": "not-opted-in"},
        ]
    }
    code = "" if status.is_known else "AccessDenied"
    call = Call(account, region, service, operation)
    return Answer(call, "", status, body if status is Status.OK else None, code)


def account(name: str, *regions: str, refused: tuple[str, ...] = ()) -> tuple[Answer, ...]:
    """An account of which SNS was asked in these regions, and of which it was refused in those."""
    return (
        said(name, GLOBAL, "ec2", "DescribeRegions"),
        *(said(name, region, "sns", "ListTopics") for region in regions),
        *(said(name, region, "sns", "ListTopics", Status.DENIED) for region in refused),
    )


NOT_ENTERED = said(OTHER, GLOBAL, "sts", "AssumeRole", Status.DENIED)


@pytest.mark.parametrize(
    ("answers", "lines"),
    [
        (account(OWN, *REGIONS), []),
        (account(OWN, *SOME), ["2 enabled regions not asked: af-south-1, eu-south-1"]),
        (account(OWN), []),
        (
            (*account(OWN, *SOME), *account(OTHER, *SOME)),
            ["2 enabled regions not asked: af-south-1, eu-south-1"],
        ),
        (
            (*account(OWN, *REGIONS), *account(OTHER, *REGIONS[1:])),
            [f"1 enabled region of {OTHER} not asked: af-south-1"],
        ),
        (account(OWN, *SOME, refused=REGIONS[:2]), ["no call was answered in af-south-1, eu-south-1"]),
        (
            (*account(OWN, *REGIONS), *account(OTHER, *REGIONS[1:], refused=REGIONS[:1])),
            [f"no call was answered in af-south-1 of {OTHER}"],
        ),
        (
            (*account(OWN, *REGIONS), NOT_ENTERED),
            [f"1 account could not be entered (AccessDenied): {OTHER}"],
        ),
    ],
    ids=(
        "everywhere",
        "two of four",
        "nothing that has a region",
        "the same in both accounts",
        "one account's",
        "regions that refuse",
        "a region of one account",
        "an account that refuses",
    ),
)
def test_what_has_no_answer_is_one_sentence(answers: tuple[Answer, ...], lines: list[str]) -> None:
    """Accounts that could not be entered, regions that were refused and such that nobody asked are named once."""
    assert list(told_places(Answers(answers))) == lines
