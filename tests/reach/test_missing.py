"""The law of what is not at hand: a determined answer holds whatever the missing document says."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clew.engine import Context, Effect, Request, authorize
from clew.reach.applied import Given, applied
from clew.snapshot.model import Account, Attached, Document, Snapshot, User

ANA = "arn:aws:iam::111122223333:user/ana"
ARN = "arn:aws:iam::111122223333:policy/Unknown"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:q"


def statement(effect: str, action: str, resource: str, **more: Any) -> dict[str, Any]:
    """A statement of JSON."""
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


STATEMENTS = st.sampled_from(
    [
        statement(effect, action, resource)
        for effect in ("Allow", "Deny")
        for action in ("*", "sqs:SendMessage", "sqs:Receive*")
        for resource in ("*", QUEUE, "arn:aws:sqs:*:*:other")
    ]
)
DOCUMENTS = st.lists(STATEMENTS, max_size=2).map(
    lambda found: Document("D", {"Version": "2012-10-17", "Statement": found})
)


def effect(user: User, policies: dict[str, Document], brought: Given) -> Effect:
    """The decision about ana's message to the queue."""
    account = Account("111122223333", {ANA: user}, {}, {}, policies)
    found = applied(Snapshot({"111122223333": account}), ANA, "sqs:SendMessage", QUEUE, given=brought)
    context = Context(unknown=[missing.key for missing in found.missing])
    return authorize(Request(ANA, "sqs:SendMessage", QUEUE, None, context), found.policies).effect


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS, st.booleans(), st.booleans())
def test_determined_answer_holds_whatever_the_missing_document_says(
    own: Document, resource: Document, missing: Document, as_boundary: bool, with_resource: bool
) -> None:
    """With a document missing the answer is open, or it is the answer for every document that could stand there."""
    written = [{**each, "Principal": {"AWS": ANA}} for each in resource.content["Statement"]]  # type: ignore[index]  # a policy's JSON
    bucket = Document("R", {"Version": "2012-10-17", "Statement": written})
    brought = Given(resource=bucket if with_resource else None)
    attached = () if as_boundary else (Attached(ARN, "Unknown"),)
    user = User(ANA, "ana", inline=(own,), attached=attached, boundary=ARN if as_boundary else None)
    without = effect(user, {}, brought)
    assert without in {Effect.UNDETERMINED, effect(user, {ARN: missing}, brought)}
