"""Account files and side files: every arrangement is read alike, and what cannot be read is located."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.errors import InputError
from clew.snapshot.load import Inputs, load, near
from clew.snapshot.model import Source
from clew.snapshot.pages import pages

if TYPE_CHECKING:
    from pathlib import Path

    from clew.snapshot.model import Snapshot

READ = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}],
}


def user(account: str, name: str, document: object = READ) -> dict[str, Any]:
    """A user with one inline policy."""
    return {
        "UserName": name,
        "Arn": f"arn:aws:iam::{account}:user/{name}",
        "UserPolicyList": [{"PolicyName": "P", "PolicyDocument": document}],
        "GroupList": [],
        "AttachedManagedPolicies": [],
    }


def page(*users: dict[str, Any], truncated: bool = False) -> dict[str, Any]:
    """One output of the command."""
    return {"UserDetailList": list(users), "IsTruncated": truncated}


def loaded(folder: Path, text: str | bytes, name: str = "account.json") -> Snapshot:
    """The snapshot of one account file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(Inputs(accounts=(str(path),)))


ONE, TWO = page(user("111122223333", "ana")), page(user("444455556666", "bob"))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ONE, TWO]),
        json.dumps(ONE) + "\n" + json.dumps(TWO),
        json.dumps({"111122223333": ONE, "444455556666": TWO}),
        json.dumps(page(user("111122223333", "ana"), user("444455556666", "bob"))),
        json.dumps({"accounts": [{"details": ONE}, {"details": TWO}]}, indent=4),
        "\ufeff" + json.dumps([ONE, TWO]),
        gzip.compress(json.dumps([ONE, TWO]).encode()),
    ],
    ids=["list", "one-after-the-other", "by-account", "mixed", "wrapped", "byte-order-mark", "gzip"],
)
def test_every_arrangement_of_accounts_is_read_alike(tmp_path: Path, text: str | bytes) -> None:
    """However several outputs were put together, each user is in the account of its ARN."""
    snapshot = loaded(tmp_path, text)
    assert {name: list(account.users) for name, account in snapshot.accounts.items()} == {
        "111122223333": ["arn:aws:iam::111122223333:user/ana"],
        "444455556666": ["arn:aws:iam::444455556666:user/bob"],
    }
    found = snapshot.accounts["111122223333"].users["arn:aws:iam::111122223333:user/ana"]
    assert found.inline[0].policy.statements[0].sid == "Read"


@pytest.mark.parametrize(
    "text", [json.dumps(READ), quote(json.dumps(READ)), quote(json.dumps(READ), safe="")]
)
def test_document_as_text_is_read_as_the_api_writes_it(tmp_path: Path, text: str) -> None:
    """A document may be JSON, JSON text, or the percent-encoded text of IAM's API."""
    snapshot = loaded(tmp_path, json.dumps(page(user("111122223333", "ana", text))))
    document = next(iter(snapshot.accounts["111122223333"].users.values())).inline[0]
    assert document.policy.statements[0].actions == ("s3:Get*",)
    span = document.statement(0)
    assert span is not None
    assert span.in_file is None


@given(st.integers(0, 8), st.sampled_from([None, 1, 4]), st.integers(1, 4))
def test_statement_is_found_where_it_stands(before: int, indent: int | None, statements: int) -> None:
    """The place that a statement is said to have is where its text begins, whatever stands before."""
    document = {
        "Version": "2012-10-17",
        "Statement": [{**READ["Statement"][0], "Sid": f"S{n}"} for n in range(statements)],
    }
    users = [user("111122223333", f"u{n}") for n in range(before)] + [user("111122223333", "ana", document)]
    text = " \n" + json.dumps({"Marker": "é", **page(*users)}, indent=indent, ensure_ascii=False)
    entries = pages(Source("a.json", text))[0].entries
    from clew.snapshot.details import Collected

    collected = Collected()
    assert collected.add(Source("a.json", text))
    assert len(entries) == before + 1
    found = collected.accounts()["111122223333"].users["arn:aws:iam::111122223333:user/ana"].inline[0]
    lines = text.splitlines()
    for number in range(statements):
        span = found.statement(number)
        assert span is not None
        assert span.in_file is not None
        line, column = span.in_file
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0]["Sid"] == f"S{number}"


def test_truncated_output_is_known_to_be_truncated(tmp_path: Path) -> None:
    """An account is truncated when the last of its pages says that there is more."""
    first, last = page(user("111122223333", "ana"), truncated=True), page(user("111122223333", "bob"))
    assert loaded(tmp_path, json.dumps([first])).accounts["111122223333"].truncated
    whole = loaded(tmp_path, json.dumps([first, last])).accounts["111122223333"]
    assert not whole.truncated
    assert len(whole.users) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "holds no output of"),
        ("[]", "holds no output of"),
        ('{"Users": []}', "holds no output of"),
        (
            '{"UserDetailList": [\n{"UserName": "x"}]}',
            "account.json:2: in `UserDetailList`: expected `Arn` as text",
        ),
        ('{"UserDetailList": [\n\n7]}', "account.json:3: in `UserDetailList`: expected an object"),
        ('{"UserDetailList": [{"Arn": "bob"}]}', "`bob` is no ARN of an account"),
        ('{"UserDetailList": [\n{"Arn" "x"}]}', "account.json:2: not JSON"),
        ('{"UserDetailList": [{}', "account.json:1: not JSON"),
        ('{"UserDetailList": [],}', "not JSON"),
        ('{"UserDetailList": []', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        (
            '{"Policies": [{"Arn": "arn:aws:iam::aws:policy/X", "PolicyVersionList": 3}]}',
            "as a list of objects",
        ),
        (
            json.dumps(
                {
                    "RoleDetailList": [
                        {
                            "Arn": "arn:aws:iam::1:role/r",
                            "RoleName": "r",
                            "RolePolicyList": [{"PolicyName": "P"}],
                        }
                    ]
                }
            ),
            "expected the document of `P`",
        ),
    ],
)
def test_file_that_is_something_else_is_refused_with_its_place(
    tmp_path: Path, text: str, expected: str
) -> None:
    """A file that is no account file is refused in one line that says where and why."""
    with pytest.raises(InputError) as refused:
        loaded(tmp_path, text)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.data())
def test_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever is damaged in an account file, it is read or refused with a located line, and nothing else happens."""
    text = json.dumps([ONE, TWO])
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    damaged = text[:start] + data.draw(st.text('{}[]",:\\x0', max_size=4)) + text[end:]
    from clew.snapshot.details import Collected

    collected = Collected()
    try:
        collected.add(Source("a.json", damaged))
    except InputError as error:
        refused = str(error)
    else:
        refused = ""
        collected.accounts()
    assert not refused or (refused.startswith("a.json") and "\n" not in refused)


def test_folder_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    """Of a folder, side files are known by their names, and a file that is none of all is left out and named."""
    (tmp_path / "prod.json").write_text(json.dumps(ONE))
    (tmp_path / "resource-policies.json").write_text('{"arn:aws:s3:::b": null}')
    (tmp_path / "scps.json").write_text('{"r-1": "FullAWSAccess"}')
    (tmp_path / "rcps.json").write_text('{"r-1": ["RCPFullAWSAccess"]}')
    (tmp_path / "organization.json").write_text('{"Accounts": {"111122223333": ["r-1"]}}')
    (tmp_path / "readme.json").write_text("{}")
    snapshot = load(Inputs(accounts=(str(tmp_path),)))
    assert list(snapshot.accounts) == ["111122223333"]
    assert snapshot.resources["arn:aws:s3:::b"].policy is None
    assert snapshot.organization.paths == {"111122223333": ("r-1",)}
    assert snapshot.organization.scps is not None
    assert snapshot.organization.rcps is not None
    assert snapshot.notes == (
        f"`{tmp_path}/readme.json` holds no output of `aws iam get-account-authorization-details`; it is left out",
    )


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("resources", '{"bucket": {}}', "`bucket` is no ARN; the keys are the ARNs of resources"),
        ("resources", '{"arn:aws:s3:::b": {"Polcy": {}}}', "unknown key `Polcy`; there are Account, Acl"),
        (
            "resources",
            '{"arn:aws:s3:::b": {"Account": 111122223333}}',
            "expected `Account` as 12 digits in quotes",
        ),
        ("resources", '{"arn:aws:s3:::b": 7}', "expected an object"),
        ("resources", "[]", "expected an object"),
        ("resources", "{\n,}", ":2: not JSON"),
        ("scps", '{"r-1": "NoSuchPolicy"}', "expected a policy, a list of policies, or `FullAWSAccess`"),
        ("scps", '{"r-1": [{"Name": "x"}]}', "expected a policy document"),
        ("rcps", '{"r-1": 7}', "expected a policy, a list of policies, or `FullAWSAccess`"),
        (
            "organization",
            '{"Acounts": {}}',
            "unknown key `Acounts`; there are `ManagementAccount` and `Accounts`",
        ),
        ("organization", '{"Accounts": {"1": "r-1"}}', "expected the list of what is above it, root first"),
    ],
)
def test_side_file_is_refused_with_what_was_expected(
    tmp_path: Path, kind: str, text: str, expected: str
) -> None:
    """A side file that does not have its form is refused with what was expected where."""
    path = tmp_path / "side.json"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        load(Inputs(**{kind: (str(path),)}))
    assert expected in str(refused.value)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(
    "held",
    [
        READ,
        json.dumps(READ),
        {"Policy": READ},
        {"Policy": json.dumps(READ)},
        {"ResourcePolicy": json.dumps(READ)},
        {"Attributes": {"Policy": json.dumps(READ)}},
    ],
)
def test_resource_policy_is_read_in_every_form_that_aws_prints(tmp_path: Path, held: object) -> None:
    """The output of get-bucket-policy, get-queue-attributes and the like may stand as it is."""
    path = tmp_path / "resources.json"
    path.write_text(json.dumps({"arn:aws:sqs:eu-west-1:111122223333:q": held}))
    found = load(Inputs(resources=(str(path),))).resources["arn:aws:sqs:eu-west-1:111122223333:q"].policy
    assert found is not None
    assert found.policy.statements[0].sid == "Read"


def test_near_names_are_found_by_name(tmp_path: Path) -> None:
    """A misspelt name, another path, and a session's role find who was meant."""
    account = {
        **ONE,
        "RoleDetailList": [{"RoleName": "Auditor", "Arn": "arn:aws:iam::111122223333:role/ops/Auditor"}],
    }
    snapshot = loaded(tmp_path, json.dumps(account))
    assert near("arn:aws:iam::111122223333:role/Auditor", snapshot) == (
        "arn:aws:iam::111122223333:role/ops/Auditor",
    )
    assert near("arn:aws:sts::111122223333:assumed-role/Auditr/x", snapshot) == (
        "arn:aws:iam::111122223333:role/ops/Auditor",
    )
    assert near("arn:aws:iam::111122223333:user/anna", snapshot) == ("arn:aws:iam::111122223333:user/ana",)


def test_thousand_roles_load_at_once(tmp_path: Path) -> None:
    """A file of 1,000 roles is read in well under a second of processor time."""
    role = {"RoleName": "r", "RolePolicyList": [{"PolicyName": "P", "PolicyDocument": READ}] * 5, "Tags": []}
    roles = [
        {**role, "RoleName": f"r{n}", "Arn": f"arn:aws:iam::111122223333:role/r{n}"} for n in range(1000)
    ]
    for each in roles:
        each["AssumeRolePolicyDocument"] = READ
    text = json.dumps({"RoleDetailList": roles}, indent=4)
    began = time.process_time()
    snapshot = loaded(tmp_path, text)
    assert time.process_time() - began < 1
    assert len(snapshot.accounts["111122223333"].roles) == 1000
