"""Lines in flight: every line has an answer, long ones cost no memory."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from clew.detect import catalog
from clew.detect.inflight import answers, lines_of, matcher
from clew.events.limits import MAX_RECORD_BYTES

RULES = catalog.load_builtin().rules
MATCHING = matcher(RULES, silent=True)


def test_lines_are_bounded():
    """Of a line beyond the limit only one byte more is kept, and the next line is whole."""
    stream = io.BytesIO(b"a" * 100 + b"\nbb\r\n\ncc")
    assert list(lines_of(stream, 10)) == [b"a" * 11, b"bb", b"", b"cc"]


def test_a_line_beyond_the_limit_is_an_error():
    """A line that is too long is refused, and the lines around it are answered."""
    lines = [b'{"eventName": "A"}', b" " * (MAX_RECORD_BYTES + 1), b'{"eventName": "B"}']
    found = list(answers(lines, matcher(())))
    assert [bool(answer.error) for answer in found] == [False, True, False]


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(lambda t: json.dumps(t).encode())))
)
def test_every_line_has_an_answer(lines):
    """Whatever stands in the lines, there is one answer each, in order, and it can be printed."""
    found = list(answers(lines, MATCHING))
    assert [answer.index for answer in found] == list(range(len(lines)))
    assert all(json.dumps(answer.document()) for answer in found)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_KEYS = (
    "eventName",
    "userIdentity",
    "requestParameters",
    "responseElements",
    "errorCode",
    "additionalEventData",
)


@given(
    st.dictionaries(st.sampled_from(_KEYS), _JSON),
    st.sampled_from(["PutBucketPolicy", "CreateRole", "ConsoleLogin"]),
)
def test_odd_events_break_no_rule(event, name):
    """An event whose fields have any type is judged by every rule without an error."""
    assert isinstance(MATCHING({**event, "eventName": name}), list)
