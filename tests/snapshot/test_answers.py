"""Recorded answers: looked up by call, and never taken for more than they are."""

from __future__ import annotations

from clew.snapshot.answers import GLOBAL, NOT_COLLECTED, Answer, Answers, Call, Status

ACCOUNT = "111122223333"


def answer(operation: str, status: Status = Status.OK, region: str = GLOBAL, **parameters: str) -> Answer:
    """An answer of S3 or EC2."""
    call = Call(ACCOUNT, region, "s3", operation, tuple(sorted(parameters.items())))
    return Answer(call, "2026-01-02T03:04:05Z", status, {} if status is Status.OK else None)


def test_answers_are_found_by_their_call() -> None:
    """A call finds its own answer, with its parameters in any order."""
    found = Answers(
        [answer("GetBucketPolicy", Bucket="a"), answer("GetBucketPolicy", Status.ABSENT, Bucket="b")]
    )
    assert found.get(ACCOUNT, GLOBAL, "s3", "GetBucketPolicy", Bucket="b").status is Status.ABSENT
    assert [a.call.parameters for a in found.each("s3", "GetBucketPolicy")] == [
        (("Bucket", "a"),),
        (("Bucket", "b"),),
    ]


def test_call_never_made_is_a_failure_and_no_fact() -> None:
    """What was not asked has the status `failed` and the code `NotCollected`."""
    found = Answers([]).get(ACCOUNT, GLOBAL, "s3", "ListBuckets")
    assert (found.status, found.error_code, found.status.is_known) == (Status.FAILED, NOT_COLLECTED, False)


def test_only_answers_and_absence_are_known() -> None:
    """Denied and failed answers are nothing to build on."""
    assert {status for status in Status if status.is_known} == {Status.OK, Status.ABSENT}


def test_order_is_that_of_the_calls() -> None:
    """Answers come in the order of their calls, whatever the order in which they were made."""
    given = [answer("ListBuckets", region=region) for region in ("us-east-1", GLOBAL, "eu-west-1")]
    assert list(Answers(given)) == list(Answers(reversed(given)))
    assert Answers(given).regions == ("eu-west-1", "us-east-1")


def test_iteration_keeps_to_account_and_region() -> None:
    """Asking for one region gives the answers of that region alone."""
    found = Answers([answer("ListBuckets", region="us-east-1"), answer("ListBuckets", region="eu-west-1")])
    assert [a.call.region for a in found.each("s3", "ListBuckets", ACCOUNT, "eu-west-1")] == ["eu-west-1"]
    assert not list(found.each("s3", "ListBuckets", "999999999999"))


def test_answers_are_found_by_their_error_code() -> None:
    """The answers with an error code are those of every account, and are noted by who asks for them."""
    gone = Answer(Call(ACCOUNT, GLOBAL, "s3", "GetBucketAcl"), "", Status.ABSENT, None, "NoSuchBucket")
    read: dict[Call, Answer] = {}
    found = Answers([answer("ListBuckets"), gone]).noting(read)
    assert list(found.coded("NoSuchBucket")) == [gone]
    assert list(read) == [gone.call]
    assert not list(found.coded("AccessDenied"))
