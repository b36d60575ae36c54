"""What findings say: filled templates, plain words for what is unknown, and text that stays text."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.detect.explain import Story, explanation, next_steps

START = datetime(2023, 7, 10, 11, 42, 18, tzinfo=UTC)
BOB = {
    "type": "IAMUser",
    "userName": "Bob",
    "arn": "arn:aws:iam::111122223333:user/Bob",
    "accountId": "111122223333",
}
STOP = {
    "eventSource": "ec2.amazonaws.com",
    "eventName": "StartInstances",
    "userIdentity": BOB,
    "userAgent": "aws-cli/2.13.5 Python/3.11.4",
    "requestParameters": {"instancesSet": "i-0abc1234def567890"},
    "errorCode": "Client.UnauthorizedOperation",
}


def story(*events, **parts):
    values = {
        "events": events,
        "texts": [""] * len(events),
        "actor": "arn:aws:iam::111122223333:user/Bob",
        "count": len(events),
        "figure": len(events),
        "first": START,
        "last": START,
        "source_ips": ["192.0.2.7"],
        "regions": ["us-east-1"],
    }
    return Story(**{**values, **parts})


def test_a_finding_says_who_what_where_how_and_the_end():
    """One call is told with its caller, address, region, channel and refusal."""
    told = explanation(
        "{actor} tried {event_name} from {source_ip}.", "Title", story(STOP, access_keys=["AKIAEXAMPLE"])
    )
    assert told == (
        "User Bob of account 111122223333 tried StartInstances from 192.0.2.7. One event at 2023-07-10 11:42:18 UTC, "
        "in us-east-1, by CLI (2.13.5), with access key AKIAEXAMPLE, "
        "it was denied (Client.UnauthorizedOperation)."
    )


def test_contradictions_show_both_values():
    """A record whose ARN and user name differ is told with both."""
    told = explanation("", "Title", story({**STOP, "userIdentity": {**BOB, "userName": "Jane"}}))
    assert "contradicts itself" in told
    assert "`Jane`" in told
    assert "user/Bob" in told


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{request.userName} is gone.", "unknown userName"),
        ("{source_ip}.", "unknown address"),
        ("{clew.nosuch}.", "unknown nosuch"),
        ("{no.such.path}.", "unknown path"),
    ],
)
def test_what_no_record_holds_is_called_unknown(template, said):
    """A missing value never leaves a hole in the sentence."""
    assert said in explanation(template, "Title", story(STOP, source_ips=[])).lower().replace(
        "username", "userName"
    )


def test_counts_and_spans_are_words():
    """Figures have separators, spans have units."""
    told = explanation(
        "{count} within {window}", "T", story(STOP, figure=12000, window=timedelta(minutes=15))
    )
    assert told.startswith("12,000 within 15 minutes. ")


def test_format_language_in_records_is_text():
    """Braces, percent signs and attribute look-ups that a record holds are shown, not run."""
    odd = {**STOP, "userAgent": "{actor.__class__} %s {0!r}"}
    assert "{actor.__class__} %s {0!r}" in explanation("{user_agent}", "T", story(odd))


def test_commands_are_quoted_for_the_shell():
    """What an attacker names cannot leave its argument when a command is pasted."""
    evil = story(STOP, actor="x; rm -rf ~ `id`")
    step = next_steps(["Run `clew events --user {actor}` and ask {actor}."], evil)[0]
    command = step.split("`")[1]
    assert shlex.split(command) == ["clew", "events", "--user", "x; rm -rf ~ 'id'"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_record_can_be_told(name, agent):
    """Whatever stands in a record, the sentences keep one line and balanced backticks."""
    event = {**STOP, "eventName": name, "userAgent": agent, "userIdentity": {"userName": name}}
    told = explanation("{actor} ran `{event_name}` with {user_agent}", "T", story(event))
    assert "\n" not in told
    assert told.split(". ")[0].count("`") % 2 == 0


def test_clients_that_no_table_knows_are_named_once():
    """Several names that clients gave themselves stand in one list, behind the clients that are known."""
    named = [STOP | {"userAgent": agent} for agent in ("mine/1", "mine/2", "mine/1")]
    told = explanation("{actor} did it.", "Title", story(STOP, *named))
    assert ", by CLI (2.13.5), clients that call themselves mine/1, mine/2, " in told
    assert ", by a client that calls itself mine/1, " in explanation("{actor}.", "Title", story(named[0]))
