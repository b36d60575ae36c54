"""Configuration items from AWS Config's files and from snapshots, and the histories that they make."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.case_files import read_case_file

from clew.errors import InputError
from clew.snapshot import collected_items, config_files, history, item_kinds, json_diff, looks
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status
from clew.snapshot.items import Item, Key, of_row, row
from clew.snapshot.items import Status as ItemStatus
from clew.snapshot.model import Source

CASES = Path(__file__).resolve().parent.parent / "cases" / "config"
ACCOUNT = "111122223333"


def rows(name: str) -> list[dict]:
    return read_case_file(CASES / name)["rows"]


@pytest.mark.parametrize("case", rows("changes.yaml"), ids=lambda case: case["name"])
def test_differences_of_two_values(case: dict) -> None:
    """Every value that differs is found at its place, and nothing else."""
    assert [each.place for each in json_diff.changes(case["old"], case["new"])] == case["places"]


@pytest.mark.parametrize("case", rows("files.yaml"), ids=lambda case: case["name"])
def test_items_of_a_file(case: dict) -> None:
    """A file of AWS Config gives its items, or an error that says where and what was expected."""
    source = Source("config.json", json.dumps(case["content"]))
    if "error" in case:
        with pytest.raises(InputError, match=r"config\.json") as error:
            config_files.items(source)
        assert case["error"] in str(error.value)
        return
    found = config_files.items(source)
    assert [[item.status.value, list(item.unknown)] for item in found] == case["items"]
    for name, value in case.get("parts", {}).items():
        assert found[0].supplements[name] == value
    assert all(item.key.id == "logs" and item.captured_at == at(6) for item in found)


def test_the_same_item_from_a_file_and_from_the_api_is_one() -> None:
    """Text in place of objects, and another zone of time, make no other item."""
    content = {case["name"]: case["content"] for case in rows("files.yaml")}
    texts = (
        content["a configuration snapshot"],
        content["the answer to get-resource-config-history writes objects as text"],
    )
    first, second = (config_files.items(Source("f", json.dumps(text)))[0] for text in texts)
    assert first.hash == second.hash


def at(hour: int) -> datetime:
    return datetime(2026, 3, 10, hour, tzinfo=UTC)


def snapshot(hour: int, *said: Answer, buckets: tuple[str, ...] = ("logs",)) -> collected_items.Look:
    listed = answer("ListBuckets", {"Buckets": [{"Name": name} for name in buckets]})
    stamp = at(hour).isoformat()
    return collected_items.look(Answers(replace(each, collected_at=stamp) for each in (listed, *said)))


def answer(operation: str, body: dict | None, status: Status = Status.OK, **parameters: str) -> Answer:
    call = Call(ACCOUNT, GLOBAL, "s3", operation, tuple(sorted(parameters.items())))
    return Answer(call, "", status, body)


def policy(text: str) -> Answer:
    return answer("GetBucketPolicy", {"Policy": text}, Bucket="logs")


def denied() -> Answer:
    return answer("GetBucketPolicy", None, Status.DENIED, Bucket="logs")


def told(*looks: collected_items.Look) -> list[Item]:
    known: list[Item] = []
    for look in looks:
        state = history.state_at(known, look.time)
        known += history.news(state, look.items, look.scopes, look.time)
    return known


def statuses(*looks: collected_items.Look) -> list[str]:
    return [item.status.value for item in told(*looks)]


OPEN, CLOSED = (
    '{"Statement": [{"Sid": "A", "Effect": "Allow"}]}',
    '{"Statement":[{"Sid":"A","Effect":"Deny"}]}',
)


def test_equal_snapshots_make_no_second_item() -> None:
    """A look that shows nothing new adds nothing, however the policy's text is spaced."""
    assert statuses(snapshot(1, policy(OPEN)), snapshot(2, policy(OPEN.replace(" ", "")))) == ["discovered"]


@pytest.mark.parametrize(
    ("listed", "item", "asked", "member", "part"),
    [
        (
            "efs:DescribeFileSystems",
            {"FileSystemId": "r"},
            "DescribeFileSystemPolicy",
            "Policy",
            "FileSystemPolicy",
        ),
        (
            "ecr:DescribeRepositories",
            {"repositoryName": "r"},
            "GetRepositoryPolicy",
            "policyText",
            "RepositoryPolicyText",
        ),
    ],
)
def test_policies_of_what_is_listed_are_parts(
    listed: str, item: dict, asked: str, member: str, part: str
) -> None:
    """A policy that changes in meaning is a change of the file system or repository; its spacing is none."""
    service, _, operation = listed.partition(":")
    parameters = tuple(item.items())

    def look(hour: int, text: str) -> collected_items.Look:
        [path] = [kind.path[0] for kind in item_kinds.KINDS if kind.operation == operation]
        said = ((operation, (), {path: [item]}), (asked, parameters, {member: text}))
        return collected_items.look(
            Answers(
                Answer(
                    Call(ACCOUNT, "eu-west-1", service, name, given), at(hour).isoformat(), Status.OK, body
                )
                for name, given, body in said
            )
        )

    assert statuses(look(1, OPEN), look(2, OPEN.replace(" ", ""))) == ["discovered"]
    changed = told(look(1, OPEN), look(2, CLOSED))
    assert [each.place for each in history.timeline(changed)[1].changes] == [f"{part}.Statement[A].Effect"]


def test_a_refused_call_is_no_change() -> None:
    """What could not be read neither changed nor went, and what it hid in between is found afterwards."""
    looks = (snapshot(1, policy(OPEN)), snapshot(2, denied()), snapshot(3, policy(CLOSED)))
    assert statuses(*looks) == ["discovered", "changed"]
    steps = history.timeline(told(*looks))
    assert [change.place for change in steps[1].changes] == ["BucketPolicy.Statement[A].Effect"]


def test_what_was_never_read_before_is_no_change() -> None:
    """A part that is known for the first time did not change."""
    assert statuses(snapshot(1, denied()), snapshot(2, policy(OPEN))) == ["discovered"]


def test_what_a_complete_list_no_longer_shows_is_deleted() -> None:
    """A bucket that is not in the list is gone, and comes back as a change of its own."""
    looks = (snapshot(1), snapshot(2, buckets=()), snapshot(3))
    assert statuses(*looks) == ["discovered", "deleted", "discovered"]


def test_a_refused_list_deletes_nothing() -> None:
    """Where the list could not be read nothing is concluded."""
    refused = Answers([replace(answer("ListBuckets", None, Status.DENIED), collected_at=at(2).isoformat())])
    assert statuses(snapshot(1), collected_items.look(refused)) == ["discovered"]


def test_differences_between_two_moments() -> None:
    """A resource that came, one that changed and one that went are told as such."""
    known = told(
        snapshot(1, policy(OPEN), buckets=("logs", "old")),
        snapshot(2, policy(CLOSED), buckets=("logs", "new")),
    )
    found = history.differences(history.state_at(known, at(1)), history.state_at(known, at(2)))
    assert [(each.key.id, each.old is None, each.new is None) for each in found] == [
        ("logs", False, False),
        ("new", True, False),
        ("old", False, True),
    ]


def test_items_of_two_recorders_are_not_compared() -> None:
    """AWS Config writes configuration in its own way: its item is no change of what Clew collected."""
    collected = told(snapshot(1))
    config = Item(Key(ACCOUNT, GLOBAL, "AWS::S3::Bucket", "logs", "config"), at(2), ItemStatus.CHANGED)
    assert all(
        len(history.timeline(each)) == 1 for each in history.by_resource([*collected, config]).values()
    )


def test_rows_of_the_lake_give_the_item_back() -> None:
    """What is kept is what was taken in."""
    item = told(snapshot(1, policy(OPEN)))[0]
    assert of_row(row(item), item.captured_at) == item


def test_relationships_name_what_the_configuration_mentions() -> None:
    """A security group is related to its VPC, also where nobody listed the VPC."""
    listed = Answer(
        Call(ACCOUNT, "eu-west-1", "ec2", "DescribeSecurityGroups"),
        at(1).isoformat(),
        Status.OK,
        {"SecurityGroups": [{"GroupId": "sg-12341234", "VpcId": "vpc-0123456789abcdef0"}]},
    )
    item = collected_items.look(Answers([listed])).items[0]
    assert [(each.name, each.id) for each in item.relationships] == [
        ("is associated with", "vpc-0123456789abcdef0")
    ]
    assert item.arn == f"arn:aws:ec2:eu-west-1:{ACCOUNT}:security-group/sg-12341234"


def looked(*seen: collected_items.Look) -> tuple[tuple[history.Step, ...], list[Item]]:
    known = told(*seen)
    steps = [step for each in history.by_resource(known).values() for step in history.timeline(each)]
    return tuple(steps), [item for look in seen for item in looks.recorded(look, "")]


def test_a_look_without_news_brings_a_change_nearer() -> None:
    """The change lies after the last look that showed the resource as before."""
    seen = (snapshot(1, policy(OPEN)), snapshot(2, policy(OPEN)), snapshot(3, policy(CLOSED)))
    steps, kept = looked(*seen)
    assert looks.last_as_before(steps[1], kept) == at(2)


def test_a_look_that_could_not_read_the_part_says_nothing_of_it() -> None:
    """A refused call, and a collection of other services, leave the change where it was."""
    for blind in (snapshot(2, denied()), collected_items.look(Answers([]))):
        steps, kept = looked(snapshot(1, policy(OPEN)), blind, snapshot(3, policy(CLOSED)))
        assert looks.last_as_before(steps[1], kept) is None


def test_a_look_that_did_not_show_a_resource_dates_its_making() -> None:
    """A resource that a complete list did not hold was made after it; one that was held was deleted after it."""
    steps, kept = looked(
        snapshot(1, buckets=()),
        snapshot(2, buckets=("new",)),
        snapshot(3, buckets=("new",)),
        snapshot(4, buckets=()),
    )
    assert [looks.last_as_before(step, kept) for step in steps] == [at(1), at(3)]
