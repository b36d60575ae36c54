"""Laws that hold for any bytes: no decoder crashes, and nothing that went in is lost silently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.events import cloudtrail, s3_access, vpc_flow
from clew.events.category import category
from clew.events.channel import channel
from clew.events.contradictions import contradictions
from clew.events.identity import principal
from clew.events.outcome import outcome
from clew.events.record import EXCERPT_CHARACTERS, Reason, Record, Rejected
from clew.events.resources import resources
from clew.events.sources import SOURCES, decode, kind_of

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*/*"))
DECODERS = {"any": decode, **{kind: source.decode for kind, source in SOURCES.items()}}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_names = [
    "eventVersion",
    "eventTime",
    "eventName",
    "eventID",
    "userIdentity",
    "requestParameters",
    "resources",
]
events = st.dictionaries(st.sampled_from(_names), json_values).map(
    lambda event: {"eventVersion": "1.08", **event}
)
layouts = st.sampled_from([
    lambda many: json.dumps({"Records": many}),
    lambda many: json.dumps({"Records": many}, indent=2, ensure_ascii=False),
    json.dumps,
    lambda many: "\n".join(json.dumps(one) for one in many),
    lambda many: "".join(json.dumps(one, ensure_ascii=False) for one in many),
    lambda many: json.dumps({"Events": [{"EventId": "e", "CloudTrailEvent": json.dumps(one)} for one in many]}),
    lambda many: json.dumps({"events": [{"message": json.dumps(one)} for one in many]}),
    lambda many: json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"message": json.dumps(o)} for o in many]}),
    lambda many: "\n".join(json.dumps({"detail-type": "x", "detail": one}) for one in many),
])  # fmt: skip


def check(found: list[Record | Rejected]) -> None:
    """What holds for the answer of every decoder."""
    for number, piece in enumerate(found):
        assert piece.number == number or (piece.number is None and len(found) == 1)
        if isinstance(piece, Record):
            piece.text.encode()
            json.dumps(piece.fields, ensure_ascii=False).encode()
        else:
            assert isinstance(piece.reason, Reason)
            assert piece.detail
            assert len(piece.excerpt) <= EXCERPT_CHARACTERS
            (piece.detail + piece.excerpt).encode()


@pytest.mark.parametrize("kind", DECODERS)
@given(data=st.binary(max_size=400))
def test_no_bytes_crash_a_decoder(kind, data):
    """Any bytes give records and refusals, never an exception."""
    check(list(DECODERS[kind](data)))
    assert kind_of(data) != "unknown" or list(decode(data))


@pytest.mark.parametrize("kind", DECODERS)
@given(data=st.text(alphabet='{}[]":,\\ \n-\ud7ffaeE1.truflsn"Records-0', max_size=300))
def test_no_text_crashes_a_decoder(kind, data):
    """Any text made of what JSON is made of gives records and refusals, never an exception."""
    check(list(DECODERS[kind](data.encode())))


mutations = st.lists(
    st.tuples(
        st.sampled_from(["cut", "drop", "flip", "insert", "double"]), st.floats(0, 1), st.integers(0, 255)
    ),
    min_size=1,
    max_size=4,
)


def mutated(data: bytes, steps: list[tuple[str, float, int]]) -> bytes:
    for step, place, value in steps:
        at = int(place * len(data))
        tail = data[at:]
        data = (
            data[:at]
            + {
                "cut": b"",
                "drop": tail[1 + value % 8 :],
                "flip": bytes([tail[0] ^ value]) + tail[1:] if tail else b"",
                "insert": bytes([value]) + tail,
                "double": tail[: value % 64] + tail,
            }[step]
        )
    return data


def _mutation_law(path: Path, steps: list[tuple[str, float, int]]) -> None:
    data = mutated(path.read_bytes(), steps)
    for decoder in DECODERS.values():
        check(list(decoder(data)))
    # Nothing may come of an empty list of records, or of a control message; what is unknown is refused.
    assert kind_of(data) != "unknown" or list(decode(data))


@settings(max_examples=150)
@given(path=st.sampled_from(SAMPLES), steps=mutations)
def test_no_damage_to_a_sample_crashes_a_decoder(path, steps):
    """A sample that is cut, bent or stretched gives records and refusals, never an exception."""
    _mutation_law(path, steps)


@pytest.mark.long
@settings(max_examples=20_000)
@given(path=st.sampled_from(SAMPLES), steps=mutations)
def test_no_damage_to_a_sample_crashes_a_decoder_at_length(path, steps):
    """The same law, for many more samples."""
    _mutation_law(path, steps)


@given(many=st.lists(events, min_size=1, max_size=5), layout=layouts)
def test_every_event_comes_back(many, layout):
    """Whatever wraps them, as many pieces come out as events went in, in order, with their fields."""
    found = list(cloudtrail.decode(layout(many).encode("utf-8", "replace")))
    assert len(found) == len(many)
    for piece, event in zip(found, many, strict=True):
        assert isinstance(piece, Record), piece
        expected = json.loads(json.dumps(event).encode("utf-8", "replace"))
        assert json.loads(piece.text) == piece.fields
        assert set(piece.fields) == set(expected)


@given(many=st.lists(events, min_size=2, max_size=5), cut=st.floats(0.05, 0.99))
def test_a_cut_keeps_a_prefix(many, cut):
    """Of a log file that is cut off, the records that come out are the first ones, and the cut is reported."""
    whole = json.dumps({"Records": many})
    expected = [piece.text for piece in cloudtrail.decode(whole.encode()) if isinstance(piece, Record)]
    found = list(cloudtrail.decode(whole[: int(len(whole) * cut)].encode()))
    texts = [piece.text for piece in found if isinstance(piece, Record)]
    assert texts == expected[: len(texts)]
    assert any(isinstance(piece, Rejected) for piece in found)


@given(event=st.dictionaries(st.sampled_from([*_names, "errorCode", "userAgent", "awsRegion"]), json_values))
def test_judgements_accept_any_event(event):
    """Whatever stands in an event, each judgement has an answer."""
    channel(event)
    principal(event)
    outcome(event)
    category(event)
    contradictions(event)
    resources(event)


_token = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Z", "Cs"]), min_size=1, max_size=8)
_quoted = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=12)


@given(
    tokens=st.lists(_token.filter(lambda t: '"' not in t), min_size=7, max_size=7),
    agent=_quoted,
    tail=st.integers(0, 12),
)
def test_access_log_user_agents_come_back(tokens, agent, tail):
    """Whatever a client calls itself, quotes included, the line is read and its user agent comes back."""
    owner, bucket, address, requester, identity, operation, key = tokens
    line = (
        f"{owner} {bucket} [06/Feb/2019:00:00:38 +0000] {address} {requester} {identity} {operation} {key} "
        f'"GET / HTTP/1.1" 200 - 1 2 3 4 "-" "{agent}"' + " f" * tail
    )
    row = s3_access.parse_line(line)
    assert isinstance(row, dict)
    assert row["useragent"] == agent
    assert row["requester"] == requester


@given(fields=st.lists(st.sampled_from(vpc_flow.FIELDS), unique=True, min_size=3), data=st.data())
def test_flow_log_fields_come_back(fields, data):
    """Any custom format comes back field by field."""
    numbers = st.integers(0, 10**12).map(str)
    texts = st.from_regex(r"[a-zA-Z][a-zA-Z0-9:./-]{0,12}", fullmatch=True)
    values = [data.draw(st.just("-") | (numbers if field in vpc_flow.NUMBERS else texts)) for field in fields]
    found = list(vpc_flow.decode(f"{' '.join(fields)}\n{' '.join(values)}\n".encode()))
    if vpc_flow.is_header(" ".join(values)):
        return
    (record,) = found
    assert isinstance(record, Record)
    for field, value in zip(fields, values, strict=True):
        typed = int(value) if field in vpc_flow.NUMBERS and value != "-" else value
        assert record.fields[vpc_flow.column(field)] == (None if value == "-" else typed)
