"""A decoded authorization message tells the request with its context, and which statements matched it."""

from __future__ import annotations

import json

import pytest

from clew.engine import Effect
from clew.explain import decoded_message
from clew.explain.cause import Agreement, CauseId
from clew.explain.explanation import of_decoded, of_text
from clew.reach.predict import Predictor
from clew.snapshot import details
from clew.snapshot.model import Snapshot, Source

_ANA = "arn:aws:iam::111122223333:user/ana"
_LARGE = {"StringNotLike": {"ec2:InstanceType": "t3.*"}}
_ENCODED = "4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcdefghijklmn"
_REFUSAL = (
    "An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not authorized to "
    f"perform this operation. Encoded authorization failure message: {_ENCODED}"
)


def message(instance_type: str = "x1.32xlarge", **more: object) -> dict[str, object]:
    """A message as STS decodes it; page: "Use DecodeAuthorizationMessage with an AWS SDK or CLI"."""
    conditions = [("ec2:InstanceType", instance_type), ("aws:Region", "eu-west-1"), ("aws:Type", "instance")]
    matched = {
        "statementId": "NoLarge",
        "effect": "DENY",
        "actions": {"items": [{"value": "ec2:RunInstances"}]},
    }
    found: dict[str, object] = {
        "allowed": False,
        "explicitDeny": True,
        "matchedStatements": {"items": [matched]},
        "failures": {"items": []},
        "context": {
            "principal": {"id": "AIDA1", "name": "ana", "arn": _ANA},
            "action": "RunInstances",
            "resource": "arn:aws:ec2:eu-west-1:111122223333:instance/*",
            "conditions": {
                "items": [{"key": key, "values": {"items": [{"value": value}]}} for key, value in conditions]
            },
        },
    }
    return found | more


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """Ana may run what she likes, but for large instances."""
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
            {
                "Sid": "NoLarge",
                "Effect": "Deny",
                "Action": "ec2:RunInstances",
                "Resource": "*",
                "Condition": _LARGE,
            },
        ],
    }
    user = {
        "UserName": "ana",
        "Arn": _ANA,
        "UserPolicyList": [{"PolicyName": "Run", "PolicyDocument": document}],
    }
    lists = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    collected = details.Collected()
    assert collected.add(Source("details.json", json.dumps(lists)))
    return Predictor(Snapshot(collected.accounts()))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(message()),
        json.dumps({"DecodedMessage": json.dumps(message())}),
        json.dumps({"DecodedMessage": message()}),
    ],
    ids=["message", "as the command line prints it", "as a tool nests it"],
)
def test_statement_is_found_by_the_context_of_the_message(text: str, predictor: Predictor) -> None:
    """The context decides the request, so that the statement is named with its policy."""
    (found,) = of_text(text, predictor)
    assert found.cause.id is CauseId.EXPLICIT_DENY
    assert [each.sid for each in found.cause.statements] == ["NoLarge"]
    assert found.agreement is Agreement.AGREE


def test_message_alone_tells_the_statement() -> None:
    """Without policies the cause is what the message says, and no more than that."""
    (found,) = of_text(json.dumps(message()), None)
    assert found.cause.id is CauseId.MESSAGE_ONLY
    assert "`NoLarge` about `ec2:RunInstances`" in found.cause.sentence


def test_policies_that_say_otherwise_disagree(predictor: Predictor) -> None:
    """A message that tells of a deny where the policies allow is told as a disagreement."""
    (found,) = of_text(json.dumps(message("t3.micro")), predictor)
    assert found.agreement is Agreement.DISAGREE
    (missing,) = of_text(json.dumps(message(explicitDeny=False, matchedStatements={"items": []})), predictor)
    assert missing.prediction is not None
    assert missing.prediction.decision.effect is Effect.EXPLICIT_DENY
    assert missing.agreement is Agreement.DISAGREE


def test_live_decoder_answers_for_the_encoded_message(predictor: Predictor) -> None:
    """What the decoder answers stands in for the message; the text around it keeps its operation and code."""
    asked: list[str] = []

    def decode(token: str) -> decoded_message.Decoded | None:
        asked.append(token)
        return decoded_message.read(json.dumps(message()))

    (found,) = of_text(_REFUSAL, predictor, decode)
    assert asked == [_ENCODED]
    assert found.cause.id is CauseId.EXPLICIT_DENY
    assert found.denial is not None
    assert (found.denial.operation, found.denial.code) == ("RunInstances", "UnauthorizedOperation")
    assert not any("decode-authorization-message" in each for each in found.settle)
    (encoded,) = of_text(_REFUSAL, predictor, lambda _: None)
    assert any("decode-authorization-message" in each for each in encoded.settle)


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"DecodedMessage": "no"}', '{"allowed": 1, "explicitDeny": 0}', "["]
)
def test_other_json_is_no_decoded_message(text: str) -> None:
    """What lacks the members of a decoded message is none."""
    assert decoded_message.read(text) is None


@pytest.mark.parametrize(
    "broken", [None, [], {"items": "x"}, {"items": [1, {"key": "k"}], "more": 3}], ids=str
)
def test_odd_members_lose_nothing_else(broken: object) -> None:
    """Members of another type are left out; what is there is still told."""
    context = {"principal": broken, "action": "ec2:StopInstances", "conditions": broken}
    found = decoded_message.read(json.dumps(message(context=context, matchedStatements=broken)))
    assert found is not None
    assert (found.action, found.principal, found.context) == ("ec2:StopInstances", "", {})
    assert decoded_message.request(found) is None
    assert of_decoded(found, None).cause.id is CauseId.MESSAGE_ONLY
