"""Which policies apply: what tests/cases/simulate does not ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from clew.engine import Context, Effect, Request, authorize
from clew.errors import InputError, UsageError
from clew.reach.applied import Choice, Given, applied
from clew.reach.attached import UNKNOWN_DOCUMENT, unknown_policy
from clew.reach.resource_policy import resource_side
from clew.snapshot.load import Inputs, load
from clew.snapshot.model import Account, Attached, Document, Organization, Resource, Snapshot, User

if TYPE_CHECKING:
    from pathlib import Path

    from clew.reach.applied import Applied

ANA = "arn:aws:iam::111122223333:user/ana"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
ADMIN = Document("Admin", EVERYTHING)


def snapshot(user: User | None = None, **more: object) -> Snapshot:
    """An account with one user, who may do everything."""
    ana = user or User(ANA, "ana", inline=(ADMIN,))
    account = Account("111122223333", {ANA: ana}, {}, {}, {})
    return Snapshot(accounts={"111122223333": account}, **more)  # type: ignore[arg-type]  # as the fields are named


def effect(found: Applied, resource: str = "*", context: Context | None = None) -> Effect:
    """The decision about ana and an SQS message."""
    return authorize(
        Request(ANA, "sqs:SendMessage", resource, None, context or Context()), found.policies
    ).effect


def test_unit_that_cannot_be_placed_leaves_the_answer_open() -> None:
    """Policies of units without the tree of the organisation apply nobody knows where."""
    organization = Organization(scps={"ou-1": (Document("No", DENY),)})
    found = applied(snapshot(organization=organization), ANA, "sqs:SendMessage", "*")
    assert "the SCPs above account 111122223333" in found.missing[0].why
    assert effect(found, context=Context(unknown=None)) is Effect.UNDETERMINED


def test_roots_and_the_account_need_no_tree() -> None:
    """Policies of the root and of the account itself apply without the tree."""
    organization = Organization(
        scps={"r-1": (ADMIN,), "111122223333": (Document("No", DENY),), "222233334444": ()}
    )
    found = applied(snapshot(organization=organization), ANA, "sqs:SendMessage", "*")
    assert len(found.policies.scps) == 2
    assert effect(found) is Effect.EXPLICIT_DENY


def test_level_that_is_not_named_has_full_access_and_that_is_said() -> None:
    """A unit that the file does not name has FullAWSAccess alone, and the reader is told."""
    organization = Organization(paths={"111122223333": ("r-1", "ou-1")}, scps={"r-1": (ADMIN,)})
    found = applied(snapshot(organization=organization), ANA, "sqs:SendMessage", "*")
    assert effect(found) is Effect.ALLOW
    assert "ou-1, 111122223333: no SCPs named, taken as FullAWSAccess alone" in found.assumed


def test_named_level_without_a_policy_allows_nothing() -> None:
    """An empty level allows nothing."""
    organization = Organization(paths={"111122223333": ("r-1",)}, scps={"r-1": ()})
    assert (
        effect(applied(snapshot(organization=organization), ANA, "sqs:SendMessage", "*"))
        is Effect.IMPLICIT_DENY
    )


def test_management_account_is_exempt_and_that_is_said() -> None:
    """SCPs do not apply to principals of the management account, RCPs not to its resources."""
    denial = {
        "r-1": (
            Document(
                "No", {"Version": "2012-10-17", "Statement": [{**DENY["Statement"][0], "Principal": "*"}]}
            ),
        )
    }  # type: ignore[dict-item]  # a policy's JSON
    organization = Organization(
        management_account="111122223333", paths={"111122223333": ("r-1",)}, scps=denial, rcps=denial
    )
    found = applied(
        snapshot(organization=organization), ANA, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q"
    )
    assert effect(found, "arn:aws:sqs:eu-west-1:111122223333:q") is Effect.ALLOW
    assert sum("management account" in text for text in found.assumed) == 2


def test_resource_control_policies_follow_the_resource() -> None:
    """RCPs are those above the resource's account, whoever calls, and only for the services that they cover."""
    denial = Document(
        "No",
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}],
        },
    )
    organization = Organization(
        paths={"111122223333": ("r-1",), "444455556666": ("r-1", "ou-2")}, rcps={"ou-2": (denial,)}
    )
    state = snapshot(organization=organization)
    assert applied(state, ANA, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q").policies.rcps == ()
    other = applied(state, ANA, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:444455556666:q")
    assert len(other.policies.rcps) == 1
    assert other.policies.rcp_services_only


def test_block_public_access_is_on_where_bucket_or_account_has_it_on() -> None:
    """A setting counts when the bucket or its account has it on."""
    resources = {
        "arn:aws:s3:::b": Resource(
            "arn:aws:s3:::b", "111122223333", block_public_access={"BlockPublicPolicy": True}
        ),
        "arn:aws:iam::111122223333:root": Resource(
            "arn:aws:iam::111122223333:root",
            block_public_access={"RestrictPublicBuckets": True, "BlockPublicPolicy": False},
        ),
    }
    found = applied(
        snapshot(resources=resources), ANA, "s3:GetObject", "arn:aws:s3:::b/x"
    ).policies.block_public_access
    assert found == {"BlockPublicPolicy": True, "RestrictPublicBuckets": True}


def test_bucket_list_says_who_lists_and_writes_not_who_reads_its_objects() -> None:
    """AWS: "Access control list (ACL) overview": READ on a bucket lists it; an object has a list of its own."""
    bucket, everybody = "arn:aws:s3:::b", {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    acl = {"Owner": {"ID": "o"}, "Grants": [{"Grantee": everybody, "Permission": "FULL_CONTROL"}]}
    held = {bucket: Resource(bucket, "111122223333", acl=acl, object_ownership="ObjectWriter")}
    assert applied(snapshot(resources=held), ANA, "s3:ListBucket", bucket).policies.acl == acl
    assert applied(snapshot(resources=held), ANA, "s3:PutObject", f"{bucket}/x").policies.acl == acl
    found = applied(snapshot(resources=held), ANA, "s3:GetObject", f"{bucket}/x")
    assert found.policies.acl is None
    assert any("is taken as the bucket owner's" in text for text in found.assumed)


def test_object_may_have_an_owner_and_a_list_of_its_own() -> None:
    """The policy and the settings of an object's bucket rule it; owner and list are the object's."""
    bucket, own = "arn:aws:s3:::b", {"Owner": {"ID": "o"}, "Grants": []}
    held = {
        bucket: Resource(bucket, "111122223333", ADMIN, object_ownership="ObjectWriter"),
        f"{bucket}/x": Resource(f"{bucket}/x", "444455556666", acl=own),
    }
    found = applied(snapshot(resources=held), ANA, "s3:GetObject", f"{bucket}/x")
    assert (found.policies.object_owner, found.policies.acl) == ("444455556666", own)
    assert found.policies.resource is not None
    assert (found.resource_account, found.policies.object_ownership) == ("111122223333", "ObjectWriter")


def test_write_is_taken_to_set_no_acl_where_only_block_public_access_asks() -> None:
    """A write to a bucket that blocks public ACLs is answered; a policy that asks about the ACL leaves it open."""
    bucket = "arn:aws:s3:::b"
    resources = {bucket: Resource(bucket, "111122223333", block_public_access={"BlockPublicAcls": True})}
    found = applied(snapshot(resources=resources), ANA, "s3:PutObject", f"{bucket}/x")
    assert "s3:x-amz-acl" in found.absent
    assert any("carries none of s3:x-amz-acl, s3:x-amz-grant-full-control" in text for text in found.assumed)
    assert applied(snapshot(resources=resources), ANA, "s3:PutObjectAcl", f"{bucket}/x").absent == ()
    condition = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    asks = {"Version": "2012-10-17", "Statement": [{**EVERYTHING["Statement"][0], "Condition": condition}]}  # type: ignore[dict-item]  # a policy's JSON
    given = Given(identity=(Document("Asks", asks),))
    assert (
        "s3:x-amz-acl"
        not in applied(snapshot(resources=resources), ANA, "s3:PutObject", f"{bucket}/x", given=given).absent
    )


@pytest.mark.parametrize(
    ("asked", "holder"),
    [
        ("arn:aws:s3:::b/a/b/c", "arn:aws:s3:::b"),
        (
            "arn:aws:lambda:eu-west-1:111122223333:function:f:live",
            "arn:aws:lambda:eu-west-1:111122223333:function:f",
        ),
        (
            "arn:aws:dynamodb:eu-west-1:111122223333:table/t/index/i",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/t",
        ),
        (
            "arn:aws:s3:eu-west-1:111122223333:accesspoint/p/object/k",
            "arn:aws:s3:eu-west-1:111122223333:accesspoint/p",
        ),
        ("arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws:sqs:eu-west-1:111122223333:q"),
    ],
)
def test_policy_of_what_contains_the_resource_decides(asked: str, holder: str) -> None:
    """An object is ruled by its bucket's policy, an alias by its function's, an index by its table's."""
    state = Snapshot(resources={holder: Resource(holder, policy=ADMIN)})
    assert resource_side(state, "x:Y", asked).attachment is not None
    assert resource_side(state, "x:Y", asked.replace("arn:aws", "arn:aws-cn")).attachment is None


def test_given_policies_stand_in_the_place_of_the_accounts() -> None:
    """A boundary that the question brings replaces the attached one; identity policies are added."""
    ana = User(
        ANA,
        "ana",
        attached=(Attached("arn:aws:iam::aws:policy/X", "X"),),
        boundary="arn:aws:iam::aws:policy/B",
    )
    state = snapshot(ana)
    found = applied(state, ANA, "sqs:SendMessage", "*", given=Given(identity=(ADMIN,), boundaries=(ADMIN,)))
    assert [missing.key for missing in found.missing] == [f"{UNKNOWN_DOCUMENT}arn:aws:iam::aws:policy/X"]
    without = applied(
        state,
        ANA,
        "sqs:SendMessage",
        "*",
        given=Given(identity=(ADMIN,), boundaries=(ADMIN,)),
        choice=Choice(without=("X",)),
    )
    assert effect(without) is Effect.ALLOW
    assert without.excluded == ("X",)


def test_unreadable_document_of_an_account_is_unknown() -> None:
    """A document that cannot be read is not left out: what it says is unknown."""
    ana = User(ANA, "ana", inline=(ADMIN, Document("Odd", {"Statement": [{"Effect": "Perhaps"}]})))
    found = applied(snapshot(ana), ANA, "sqs:SendMessage", "*")
    assert "Odd (user ana) cannot be read" in found.missing[0].why
    assert effect(found, context=Context(unknown=None)) is Effect.UNDETERMINED


def test_unknown_policy_may_say_anything() -> None:
    """Completed one way the unknown policy allows, another way it denies, a third way it says nothing."""
    key = f"{UNKNOWN_DOCUMENT}x"
    from clew.engine import Policies

    policies = Policies(identity=(unknown_policy(key),))
    answers = {
        value: authorize(Request(ANA, "sqs:SendMessage", "*", None, Context({key: value})), policies).effect
        for value in ("allows it", "denies it", "")
    }
    assert list(answers.values()) == [Effect.ALLOW, Effect.EXPLICIT_DENY, Effect.IMPLICIT_DENY]


def test_choice_of_a_policy_that_is_not_there_is_refused() -> None:
    """A misspelt policy in --without would otherwise leave the answer as it is, unnoticed."""
    with pytest.raises(UsageError, match="no attached policy is called `Adnim`; there are `Admin`"):
        applied(snapshot(), ANA, "sqs:SendMessage", "*", choice=Choice(without=("Adnim",)))


def test_group_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A group that the account does not have is refused with those that it has."""
    group = {"GroupName": "Ops", "Arn": "arn:aws:iam::111122223333:group/Ops"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"GroupDetailList": [group]}))
    with pytest.raises(InputError, match="there are `arn:aws:iam::111122223333:group/Ops`"):
        applied(load(Inputs((str(path),))), "arn:aws:iam::111122223333:group/Opps", "sqs:SendMessage", "*")


@pytest.mark.parametrize(
    ("resource", "is_told"),
    [
        ("arn:aws:ec2:us-east-1:222222222222:subnet/subnet-1", True),
        ("arn:aws:rds:us-east-1:222222222222:snapshot:s", True),
        ("arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1", False),
        ("arn:aws:sqs:us-east-1:222222222222:q", False),
    ],
)
def test_sharing_beside_policies_is_told_as_not_looked_at(resource: str, is_told: bool) -> None:
    """What another account shares of a service without resource policies is said to be unseen, not to be nothing."""
    found = applied(snapshot(), ANA, "ec2:RunInstances", resource)
    assert any("AWS RAM" in text for text in found.assumed) is is_told


def test_a_method_of_an_api_is_ruled_by_the_policy_of_the_api() -> None:
    """An API's policy is found under either of its names, and its short form is read."""
    stage = "arn:aws:execute-api:us-east-2:111122223333:aabbccddee/test/GET/pets"
    closed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "execute-api:/*"}],
    }
    for name in (stage.partition("/")[0], "arn:aws:apigateway:us-east-2::/restapis/aabbccddee"):
        api = Resource(name, policy=Document("policy", closed))
        found = applied(snapshot(resources={name: api}), ANA, "execute-api:Invoke", stage)
        asked = Request(ANA, "execute-api:Invoke", stage)
        assert authorize(asked, found.policies).effect is Effect.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("part", "holder"),
    [
        ("events:eu-west-1:111122223333:rule/central/r", "events:eu-west-1:111122223333:event-bus/central"),
        ("events:eu-west-1:111122223333:rule/r", "events:eu-west-1:111122223333:event-bus/default"),
        (
            "codeartifact:eu-west-1:111122223333:package/d/r/npm//left-pad",
            "codeartifact:eu-west-1:111122223333:repository/d/r",
        ),
        ("es:eu-west-1:111122223333:domain/logs/i/_search", "es:eu-west-1:111122223333:domain/logs"),
        ("dynamodb:eu-west-1:111122223333:table/t/index/i", "dynamodb:eu-west-1:111122223333:table/t"),
    ],
)
def test_a_part_is_ruled_by_the_policy_of_what_holds_it(part: str, holder: str) -> None:
    """The policy of a bus is about its rules, that of a repository about its packages, and so on."""
    held = Resource(f"arn:aws:{holder}", policy=Document("policy", DENY))
    side = resource_side(snapshot(resources={held.arn: held}), "es:ESHttpGet", f"arn:aws:{part}")
    assert side.resource is held
