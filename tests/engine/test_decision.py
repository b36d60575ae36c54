"""What a decision tells: verdicts, statements with places, blocking gates, missing keys, facts."""

from __future__ import annotations

import pytest

from clew.engine import Context, Decision, Effect, Gate, Policies, Request, Verdict, authorize, prepare
from clew.engine.derive import derived
from clew.engine.request import UNKNOWN
from clew.policy.parse import from_document, parse

HOME, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{HOME}:user/ana"
QUEUE = f"arn:aws:sqs:us-east-1:{HOME}:q"
SEND = "sqs:SendMessage"


def policy(*statements: dict[str, object]):
    """A policy of statements in which Effect, Action and Resource have defaults."""
    defaults = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return from_document(
        {"Version": "2012-10-17", "Statement": [{**defaults, **each} for each in statements]}
    )


ALLOW = policy({})
DENY = policy({"Effect": "Deny", "Sid": "No"})
NOTHING = policy({"Action": "ec2:RunInstances"})


def decide(
    policies: Policies, *, principal: str = USER, resource: str = QUEUE, context: Context | None = None
) -> Decision:
    """The decision on sending a message."""
    return authorize(Request(principal, SEND, resource, context=context or Context()), policies)


def test_without_policies_everything_is_denied() -> None:
    """Nothing granted is an implicit denial that no gate caused."""
    decision = decide(Policies())
    assert (decision.effect, decision.allowed) == (Effect.IMPLICIT_DENY, False)
    assert (decision.blocked_by, decision.determined_by, decision.missing_context) == ((), (), ())


def test_a_statement_is_named_with_its_place() -> None:
    """A statement read from text is named with file, line and column."""
    statement = '{"Sid": "S", "Effect": "Deny", "Action": "*", "Resource": "*"}'
    text = f'{{"Version": "2012-10-17",\n "Statement": [\n  {statement}]}}'
    [told] = decide(Policies(identity=(ALLOW, parse(text, "draft.json")))).determined_by
    assert (told.gate, told.policy, told.statement) == ("identity", "identity_policies/1", 0)
    assert (told.sid, told.effect) == ("S", "Deny")
    assert told.place == "draft.json:3"
    assert told.document()["column"] == 3


def test_every_gate_has_a_verdict_and_those_without_policies_are_absent() -> None:
    """Each gate tells its own verdict, also when another one settled the matter."""
    decision = decide(Policies(identity=(ALLOW,), boundaries=(NOTHING,), scps=((ALLOW,), (DENY,))))
    assert decision.gates == {
        Gate.IDENTITY: Verdict.ALLOW,
        Gate.RESOURCE: Verdict.ABSENT,
        Gate.BOUNDARY: Verdict.IMPLICIT_DENY,
        Gate.SESSION: Verdict.ABSENT,
        Gate.SCP: Verdict.EXPLICIT_DENY,
        Gate.RCP: Verdict.ABSENT,
        Gate.ENDPOINT: Verdict.ABSENT,
        Gate.BLOCK_PUBLIC_ACCESS: Verdict.ABSENT,
    }
    assert decision.effect is Effect.EXPLICIT_DENY
    assert decision.blocked_by == (Gate.BOUNDARY, Gate.SCP)
    assert [each.policy for each in decision.determined_by] == ["scps/1/0"]


def test_every_matching_statement_is_named() -> None:
    """An allow names the allows of every gate, a denial every deny, in the order of gates."""
    policies = Policies(identity=(ALLOW, ALLOW), boundaries=(ALLOW,), scps=((ALLOW,),), endpoint=())
    paths = [each.policy for each in decide(policies).determined_by]
    assert paths == ["identity_policies/0", "identity_policies/1", "permissions_boundaries/0", "scps/0/0"]


@pytest.mark.parametrize("gate", ["boundaries", "session", "scps", "endpoint"])
def test_a_limiting_gate_blocks_by_not_allowing(gate: str) -> None:
    """What an identity policy grants, each limiting gate can stop, and is named; alone it grants nothing."""
    nobody = policy({"Principal": {"AWS": OTHER}})
    stopping = {"scps": ((NOTHING,),), "endpoint": (nobody,)}.get(gate, (NOTHING,))
    passing = {"scps": ((ALLOW,),), "endpoint": (policy({"Principal": "*"}),)}.get(gate, (ALLOW,))
    names = {
        "boundaries": Gate.BOUNDARY,
        "session": Gate.SESSION,
        "scps": Gate.SCP,
        "endpoint": Gate.ENDPOINT,
    }
    stopped = decide(Policies(identity=(ALLOW,), **{gate: stopping}))
    assert (stopped.effect, stopped.blocked_by) == (Effect.IMPLICIT_DENY, (names[gate],))
    assert decide(Policies(identity=(ALLOW,), **{gate: passing})).effect is Effect.ALLOW
    alone = decide(Policies(**{gate: passing}))
    assert (alone.effect, alone.blocked_by) == (Effect.IMPLICIT_DENY, ())


def test_what_an_absent_key_could_change_is_named_in_its_own_spelling() -> None:
    """Keys of conditions and variables of statements that otherwise match are missing; others are not."""
    statements = (
        {"Condition": {"StringEquals": {"aws:PrincipalTag/Team": "x"}}},
        {"Resource": f"arn:aws:sqs:*:{HOME}:${{aws:username}}"},
        {"Action": "ec2:*", "Condition": {"StringEquals": {"ec2:Region": "x"}}},
        {"Condition": {"StringEquals": {"aws:username": "x", "aws:SourceIp": "y"}}},
    )
    given = Context({"aws:SourceIp": "z"})
    decision = decide(Policies(identity=(policy(*statements),)), context=given)
    assert decision.missing_context == ("aws:PrincipalTag/Team", "aws:username")


def test_an_unknown_key_that_cannot_change_the_answer_is_not_missing() -> None:
    """With unknown keys only those count on which the answer depends."""
    conditional = policy({"Condition": {"StringEquals": {"aws:username": "x"}}})
    unknown = Context(unknown=None)
    assert decide(Policies(identity=(ALLOW, conditional)), context=unknown).missing_context == ()
    stopped = decide(Policies(identity=(conditional,), scps=((NOTHING,),)), context=unknown)
    assert (stopped.effect, stopped.missing_context) == (Effect.IMPLICIT_DENY, ())
    assert decide(Policies(identity=(conditional,)), context=unknown).missing_context == ("aws:username",)


def test_a_denial_that_may_be_explicit_is_undetermined_but_not_allowed() -> None:
    """Where nothing grants, an unknown deny leaves open which denial it is, and not whether."""
    conditional = policy({"Effect": "Deny", "Condition": {"StringEquals": {"aws:username": "x"}}})
    decision = decide(Policies(identity=(conditional,)), context=Context(unknown=None))
    assert (decision.effect, decision.allowed) == (Effect.UNDETERMINED, False)
    open_decision = decide(Policies(identity=(ALLOW, conditional)), context=Context(unknown=None))
    assert (open_decision.effect, open_decision.allowed) == (Effect.UNDETERMINED, None)


def test_statements_that_mean_nothing_where_they_stand_are_noted() -> None:
    """A Principal in an identity policy, none in a resource policy, and principals that are nobody."""
    policies = Policies(
        identity=(policy({"Principal": "*"}),),
        resource=policy({}, {"Principal": {"AWS": ["AIDAEXAMPLEEXAMPLEEXA", f"arn:aws:iam::{HOME}:user/*"]}}),
    )
    decision = decide(policies)
    assert decision.effect is Effect.IMPLICIT_DENY
    assert len([note for note in decision.notes if "identity_policies/0: statement 0" in note]) == 1
    assert len([note for note in decision.notes if note.startswith("resource_policy: statement")]) == 3


def test_notes_stay_few_however_many_principals_are_nobody() -> None:
    """Thousands of misspelt principals are counted, not listed."""
    listed = [f"nobody-{number}" for number in range(1000)]
    notes = decide(Policies(resource=policy({"Principal": {"AWS": listed}}))).notes
    assert len(notes) == 6
    assert notes[-1].endswith("names 995 more principals that are nobody")


@pytest.mark.parametrize(
    ("principal", "policies", "word"),
    [
        (
            f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForX/s",
            Policies(scps=((DENY,),)),
            "service-linked role",
        ),
        (USER, Policies(scps=((DENY,),), management_account=True), "management account"),
        (f"arn:aws:iam::{HOME}:root", Policies(identity=(DENY,)), "root user"),
        ("sns.amazonaws.com", Policies(identity=(DENY,)), "service"),
        (f"arn:aws:sts::{HOME}:federated-user/x", Policies(identity=(ALLOW,)), "federated-user session"),
    ],
)
def test_exemptions_are_facts(principal: str, policies: Policies, word: str) -> None:
    """Policies that do not apply to a caller decide nothing, and the decision says so."""
    decision = decide(policies, principal=principal)
    assert decision.effect is not Effect.EXPLICIT_DENY
    assert any(note.startswith(word) for note in decision.notes)


def test_an_assumed_resource_account_is_told() -> None:
    """A bucket's ARN has no account: the caller's is assumed, and told."""
    decision = authorize(Request(USER, "s3:GetObject", "arn:aws:s3:::b/k"), Policies(identity=(ALLOW,)))
    assert (decision.resource_account, decision.assumed) == (HOME, ("resource_account",))
    told = authorize(Request(USER, "s3:GetObject", "arn:aws:s3:::b/k", OTHER), Policies(identity=(ALLOW,)))
    assert (told.effect, told.assumed, told.blocked_by) == (Effect.IMPLICIT_DENY, (), (Gate.RESOURCE,))


def test_a_prepared_question_and_a_single_one_agree() -> None:
    """`prepare` answers many requests as `authorize` answers each, and `effect` is the decision's effect."""
    prepared = prepare(Policies(identity=(policy({"Action": "s3:*"}),)))
    for action in ("s3:GetObject", "sqs:SendMessage", "s3:getobject"):
        request = Request(USER, action, "*")
        assert prepared.effect(request) is prepared.authorize(request).effect
        assert prepared.effect(request) is authorize(request, prepared.policies).effect


def test_only_certain_keys_are_derived() -> None:
    """A session's role path is not in its ARN, so its `aws:PrincipalArn` is not made up; a given key stays."""
    session = Request(
        f"arn:aws:sts::{HOME}:assumed-role/R/s", SEND, QUEUE, context=Context({"aws:PrincipalType": "x"})
    )
    context = derived(session).context
    assert context.get("aws:principalarn") is None
    assert context.get("aws:principaltype") == "x"
    assert context.get("aws:principalaccount") == HOME
    assert context.get("aws:requestedregion") == "us-east-1"
    service = derived(Request("sns.amazonaws.com", SEND, QUEUE)).context
    assert (service.get("aws:principalisawsservice"), service.get("aws:username")) == ("true", None)


# AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, "Availability" of each.
@pytest.mark.parametrize(
    ("principal", "key", "is_known_to_be_absent"),
    [
        (f"arn:aws:iam::{HOME}:user/ana", "aws:SourceAccount", True),
        (f"arn:aws:iam::{HOME}:user/ana", "aws:SourceIdentity", True),
        (f"arn:aws:iam::{HOME}:user/ana", "aws:TokenIssueTime", False),
        (f"arn:aws:iam::{HOME}:user/ana", "aws:PrincipalOrgID", False),
        (f"arn:aws:sts::{HOME}:assumed-role/R/s", "aws:SourceArn", True),
        (f"arn:aws:sts::{HOME}:assumed-role/R/s", "aws:username", True),
        (f"arn:aws:sts::{HOME}:assumed-role/R/s", "aws:SourceIdentity", False),
        (f"arn:aws:iam::{HOME}:root", "aws:username", True),
        ("*", "aws:PrincipalArn", True),
        ("*", "aws:PrincipalOrgID", True),
        ("*", "aws:MultiFactorAuthPresent", True),
        ("*", "aws:SourceVpce", False),
        ("sns.amazonaws.com", "aws:PrincipalOrgID", True),
        ("sns.amazonaws.com", "aws:SourceArn", False),
        ("sns.amazonaws.com", "aws:SourceOrgID", False),
    ],
)
def test_keys_that_a_caller_never_has_are_absent(
    principal: str, key: str, is_known_to_be_absent: bool
) -> None:
    """A key that AWS gives to other callers only is known to be absent; one that may be there stays unknown."""
    found = derived(Request(principal, SEND, QUEUE, context=Context(unknown=None))).context.get(key.lower())
    assert found is (None if is_known_to_be_absent else UNKNOWN)


# AWS: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html, endpoint policies.
@pytest.mark.parametrize(
    ("action", "principal", "is_told"),
    [
        ("s3:GetObject", {"AWS": HOME}, True),
        ("dynamodb:GetItem", {"AWS": f"arn:aws:iam::{HOME}:root"}, True),
        ("s3:GetObject", "*", False),
        ("sqs:SendMessage", {"AWS": HOME}, False),
    ],
)
def test_an_account_in_the_policy_of_a_gateway_endpoint_is_remarked(
    action: str, principal: object, is_told: bool
) -> None:
    """A gateway endpoint would take the account for its root user, which a request does not tell."""
    policies = Policies(identity=(ALLOW,), endpoint=(policy({"Principal": principal}),))
    asked = Request(USER, action, "*", HOME)
    found = authorize(asked, policies)
    assert found.effect is Effect.ALLOW
    assert any("gateway endpoint" in note for note in found.notes) is is_told


@pytest.mark.parametrize(
    ("resource", "is_told"), [("arn:aws:s3:::*", True), ("*", False), ("arn:aws:s3:::b", False)]
)
def test_what_the_pages_disagree_on_is_remarked(resource: str, is_told: bool) -> None:
    """Whether the ARN of every bucket is about the list of buckets is told as a doubt where it may matter."""
    found = authorize(
        Request(USER, "s3:ListAllMyBuckets", "*", HOME), Policies(identity=(policy({"Resource": resource}),))
    )
    assert any("pages disagree" in note for note in found.notes) is is_told


@pytest.mark.parametrize(
    ("given", "key", "is_known_to_be_absent"),
    [
        ({"aws:SourceIp": "203.0.113.9"}, "aws:SourceVpce", True),
        ({"aws:SourceIp": "2001:db8::9"}, "aws:VpcSourceIp", True),
        ({"aws:SourceIp": "10.0.0.9"}, "aws:SourceVpce", False),
        ({"aws:SourceVpce": "vpce-1a2b3c4d"}, "aws:SourceIp", True),
        ({"aws:SourceVpc": "vpc-111bbb22"}, "aws:SourceIp", True),
        ({"aws:SourceVpc": "vpc-111bbb22"}, "aws:SourceVpce", False),
        ({"aws:MultiFactorAuthPresent": "false"}, "aws:MultiFactorAuthAge", True),
        ({"aws:MultiFactorAuthPresent": "true"}, "aws:MultiFactorAuthAge", False),
        ({"aws:ViaAWSService": "False"}, "aws:CalledVia", True),
        ({"aws:ViaAWSService": "true"}, "aws:CalledVia", False),
        ({}, "aws:SourceIp", False),
    ],
)
def test_keys_that_exclude_each_other_are_known_to_be_absent(
    given: dict[str, str], key: str, is_known_to_be_absent: bool
) -> None:
    """The keys of an address and of an endpoint are never there together, nor those of MFA without MFA."""
    asked = Request(USER, SEND, QUEUE, context=Context(given, unknown=None))
    found = derived(asked).context.get(key.lower())
    assert found is (None if is_known_to_be_absent else UNKNOWN)


# AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, aws:PrincipalArn: for a
# role session the ARN of the role, whose path the session's ARN leaves out.
@pytest.mark.parametrize(
    ("condition", "effect"),
    [
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}, Effect.EXPLICIT_DENY),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/dev"}}, Effect.UNDETERMINED),
        ({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/*"}}, Effect.ALLOW),
        ({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/ops/*"}}, Effect.UNDETERMINED),
        ({"StringNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:user/dev"}}, Effect.EXPLICIT_DENY),
        ({"StringLike": {"aws:PrincipalArn": "*:root"}}, Effect.ALLOW),
        ({"ForAnyValue:ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}, Effect.ALLOW),
        ({"Null": {"aws:PrincipalArn": "true"}}, Effect.ALLOW),
        ({"Null": {"aws:PrincipalArn": "false"}}, Effect.EXPLICIT_DENY),
    ],
)
def test_a_session_tells_its_role_but_for_the_path(condition: dict[str, object], effect: Effect) -> None:
    """What holds of the role whatever its path is certain; what hangs on the path is open."""
    policies = Policies(identity=(ALLOW, policy({"Effect": "Deny", "Condition": condition})))
    asked = Request(f"arn:aws:sts::{HOME}:assumed-role/dev/s", SEND, QUEUE, context=Context(unknown=None))
    assert authorize(derived(asked), policies).effect is effect
