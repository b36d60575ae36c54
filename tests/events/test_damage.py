"""Damage and extremes: what is whole is kept, what is not is refused with its reason, nothing is lost silently."""

from __future__ import annotations

import json
import sys

import pytest

from clew.events import cloudtrail, json_text, s3_access, vpc_flow
from clew.events.json_text import balance, repeated_keys
from clew.events.limits import MAX_DAMAGED_PLACES, MAX_DEPTH, MAX_RECORD_BYTES
from clew.events.record import EXCERPT_CHARACTERS, Reason, Record, Rejected
from clew.events.sources import decode

GOOD = '{"eventVersion":"1.08","eventName":"Good"}'


def among_good(odd: str) -> list[Record | Rejected]:
    """What a log file gives that holds the odd record between two good ones."""
    return list(decode(f'{{"Records":[{GOOD},{odd},{GOOD}]}}'.encode()))


def only_refusal(odd: str) -> Rejected:
    first, middle, last = among_good(odd)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(middle, Rejected)
    assert middle.number == 1
    return middle


def fields_of(odd: str) -> dict[str, object]:
    first, middle, last = among_good(odd)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(middle, Record)
    assert middle.text == odd
    return dict(middle.fields)


def nested(levels: int) -> str:
    return '{"eventName":"Deep","requestParameters":' + "[" * levels + "]" * levels + "}"


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        pytest.param(nested(MAX_DEPTH), Reason.TOO_DEEP, id="one level too deep"),
        pytest.param(nested(100_000), Reason.TOO_DEEP, id="deeper than Python's stack"),
        pytest.param('{"eventName":"' + "x" * MAX_RECORD_BYTES + '"}', Reason.TOO_LARGE, id="too large"),
        pytest.param(
            '{"eventName":"' + "é" * (MAX_RECORD_BYTES // 2) + '"}', Reason.TOO_LARGE, id="large in bytes"
        ),
        pytest.param('{"eventName":NaN}', Reason.NOT_JSON, id="NaN"),
        pytest.param('{"eventName":-Infinity}', Reason.NOT_JSON, id="Infinity"),
        pytest.param('{"eventName":"a" "b"}', Reason.NOT_JSON, id="comma missing"),
        pytest.param("{'eventName':'a'}", Reason.NOT_JSON, id="single quotes"),
        pytest.param('{"eventName":"a",}', Reason.NOT_JSON, id="comma too many"),
        pytest.param('{"eventName":"a\x01"}', Reason.NOT_JSON, id="control character in a string"),
        pytest.param('"text"', Reason.NOT_AN_OBJECT, id="a string"),
        pytest.param("[[]]", Reason.NOT_AN_OBJECT, id="an array"),
        pytest.param("null", Reason.NOT_AN_OBJECT, id="null"),
        pytest.param("{}", Reason.NOT_AN_EVENT, id="an empty object"),
    ],
)
def test_one_bad_record_costs_only_itself(odd, reason):
    """A record that cannot be read is refused by its number and reason; its neighbours are kept."""
    refusal = only_refusal(odd)
    assert refusal.reason is reason
    assert len(refusal.excerpt) <= EXCERPT_CHARACTERS


def test_large_events_are_kept():
    """An event of 300 KB, larger than AWS's documented limit, is kept whole."""
    odd = '{"eventName":"Big","requestParameters":{"userData":"' + "x" * 300_000 + '"}}'
    assert fields_of(odd)["eventName"] == "Big"


def test_deep_events_are_kept_up_to_the_limit():
    """Nesting up to the limit is kept."""
    assert fields_of(nested(MAX_DEPTH - 1))["eventName"] == "Deep"


@pytest.mark.parametrize("digits", [1, 19, 400, 401, sys.int_info.default_max_str_digits + 1])
def test_integers_of_any_length_are_kept(digits):
    """An integer keeps all its digits; where it is too long to compute with, as text."""
    value = fields_of(f'{{"eventName":"N","requestParameters":{{"n":{"9" * digits}}}}}')["requestParameters"]
    assert isinstance(value, dict)
    assert value["n"] == (
        int("9" * digits) if digits <= sys.int_info.default_max_str_digits else "9" * digits
    )


def test_numbers_beyond_floating_point_keep_their_digits():
    """A number that floating point would call infinite stays as text, so that it can be written as JSON again."""
    assert fields_of('{"eventName":"N","n":1e999}')["n"] == "1e999"


def test_lone_surrogates_can_be_encoded():
    """A lone surrogate becomes U+FFFD in the fields and stays as it stood in the text."""
    fields = fields_of('{"eventName":"\\ud800","a\\udfff":["\\uDC00x"]}')
    assert fields == {"eventName": "\ufffd", "a\ufffd": ["\ufffdx"]}
    json.dumps(fields, ensure_ascii=False).encode()


def test_paired_surrogates_are_one_character():
    """An escaped pair is the character that it encodes."""
    assert fields_of('{"eventName":"\\ud83d\\ude00"}')["eventName"] == "\U0001f600"


def test_of_repeated_keys_the_first_counts():
    """A repeated key takes its first value, as in the columns of the lake, and can be named."""
    odd = '{"eventName":"StopLogging","eventName":"DescribeTrails"}'
    assert fields_of(odd) == {"eventName": "StopLogging"}
    assert repeated_keys(odd) == ("eventName",)


@pytest.mark.parametrize("cut", range(1, len(GOOD) + 2))
def test_a_truncated_file_keeps_what_is_whole(cut):
    """Wherever a log file is cut off, the records before the cut are kept and the cut is reported once."""
    found = list(decode(f'{{"Records":[{GOOD},{GOOD},{GOOD}]}}'.encode()[: -(cut + 1)]))
    assert [type(piece) for piece in found] == [Record] * (len(found) - 1) + [Rejected]
    assert len(found) - 1 == (3 if cut == 1 else 2)
    assert isinstance(found[-1], Rejected)
    assert found[-1].reason is Reason.TRUNCATED


def test_a_missing_last_brace_loses_no_record():
    """A log file without its very last brace gives all its records, and the report of the cut."""
    found = list(decode(f'{{"Records":[{GOOD}]'.encode()))
    assert [type(piece) for piece in found] == [Record, Rejected]


def test_text_after_the_records_is_refused():
    """What follows a complete file is reported, not dropped."""
    found = list(decode(f'{{"Records":[{GOOD}]}} and more'.encode()))
    assert [type(piece) for piece in found] == [Record, Rejected]


def test_records_under_a_repeated_key_are_all_read():
    """A second `Records` array does not hide the first."""
    found = list(decode(f'{{"Records":[{GOOD}],"x":1,"Records":[{GOOD},{GOOD}]}}'.encode()))
    assert [type(piece) for piece in found] == [Record] * 3


def test_damage_without_end_is_given_up():
    """After many damaged places the rest is refused as one piece, so that hostile input costs bounded time."""
    found = list(decode(b'{"Records":[' + b'{"eventVersion":x},' * (MAX_DAMAGED_PLACES + 50) + b"{}]}"))
    assert len(found) == MAX_DAMAGED_PLACES
    assert all(isinstance(piece, Rejected) for piece in found)


@pytest.mark.parametrize("prefix", ['{"eventVersion":', "[", '{"a":', '{"Records":[', '"', "{", "\\"])
def test_hostile_repetition_ends_soon(prefix):
    """A file that opens brackets a hundred thousand times over is refused, without a crash and without delay."""
    found = list(cloudtrail.decode((prefix * 100_000).encode()))
    assert found
    assert not any(isinstance(piece, Record) for piece in found)


def test_envelopes_in_envelopes_end():
    """A log message that holds an envelope that holds an event is opened."""
    text = GOOD
    for _ in range(4):
        text = json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"message": text}]})
    (found,) = decode(text.encode())
    assert isinstance(found, Record)
    assert found.text == GOOD


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("not json", Reason.NOT_JSON),
        (GOOD[:-1], Reason.TRUNCATED),
        (GOOD + GOOD, Reason.NOT_JSON),
        ("", Reason.TRUNCATED),
        ("[]", Reason.NOT_AN_OBJECT),
    ],
)
def test_bad_messages_in_an_envelope(message, reason):
    """A log message that is no event is refused by its own reason; the others are kept."""
    envelope = {
        "messageType": "DATA_MESSAGE",
        "logEvents": [{"message": GOOD}, {"message": message}, {"x": 1}],
    }
    first, second, third = decode(json.dumps(envelope).encode())
    assert isinstance(first, Record)
    assert isinstance(second, Rejected)
    assert second.reason is reason
    assert isinstance(third, Rejected)


def test_the_same_content_has_the_same_identity():
    """A record without eventID is known by its content, whatever its spacing and the order of its keys."""
    (one,) = decode(b'{"eventName":"A","eventTime":"t"}')
    (other,) = decode(b'{ "eventTime": "t",\n "eventName": "A" }')
    (different,) = decode(b'{"eventName":"B","eventTime":"t"}')
    assert isinstance(one, Record)
    assert isinstance(other, Record)
    assert isinstance(different, Record)
    assert cloudtrail.record_id(one.fields) == cloudtrail.record_id(other.fields)
    assert cloudtrail.record_id(one.fields) != cloudtrail.record_id(different.fields)


@pytest.mark.parametrize("identity", [None, "", 7, ["e"]])
def test_an_odd_event_id_is_no_identity(identity):
    """An eventID that is not a text is replaced by the hash of the content."""
    assert cloudtrail.record_id({"eventID": identity}).startswith("sha256:")


def test_brackets_in_strings_do_not_count():
    """The end of a broken value is found by its brackets, those inside strings left out."""
    assert balance('{"a": "}]", "b": [1', 0).end is None
    assert balance('{"a": "}]\\"", b: [1]} rest', 0).end == 21


def test_access_log_quotes():
    """A quote inside a request line, a referrer or a user agent stays part of it."""
    head = "o b [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - R REST.GET.OBJECT k "
    row = s3_access.parse_line(head + '"GET /a"b HTTP/1.1" 200 - 1 2 3 4 "https://x/?q="y"" "agent "z"" - h')
    assert isinstance(row, dict)
    assert row["request_uri"] == 'GET /a"b HTTP/1.1'
    assert row["referrer"] == 'https://x/?q="y"'
    assert row["useragent"] == 'agent "z"'
    assert (row["versionid"], row["hostid"], row["sigv"]) == ("-", "h", None)


def test_access_log_later_fields_are_kept():
    """Fields that AWS adds after the last one known are kept in order."""
    head = "o b [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - R REST.GET.OBJECT k "
    tail = " ".join(f"f{number}" for number in range(len(s3_access.TAIL_COLUMNS) + 2))
    row = s3_access.parse_line(f'{head}"GET / HTTP/1.1" 200 - 1 2 3 4 "-" "-" {tail}')
    assert isinstance(row, dict)
    assert row["sourceregion"] == "f9"
    assert row["extra"] == ("f10", "f11")


def test_access_log_line_without_quotes():
    """A lifecycle line has `-` where others have quoted fields."""
    head = "o b [06/Feb/2019:00:00:38 +0000] - AmazonS3 R S3.EXPIRE.OBJECT k "
    row = s3_access.parse_line(f"{head}- - - - 2048 - - - - - h")
    assert isinstance(row, dict)
    assert (row["request_uri"], row["referrer"], row["useragent"], row["hostid"]) == ("-", "-", "-", "h")


def test_access_log_columns_are_complete():
    """Every line gives every column, older generations None for those they lack."""
    head = "o b [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - R REST.GET.OBJECT k "
    row = s3_access.parse_line(f'{head}"GET / HTTP/1.1" 200 - 1 2 3 4 "-" "-"')
    assert isinstance(row, dict)
    assert set(row) == {*s3_access.COLUMNS, "extra"}
    assert all(row[column] is None for column in s3_access.TAIL_COLUMNS)


def test_flow_log_columns_are_complete():
    """Every record gives every column of every version, None where the format lacks it, and keeps unknown fields."""
    row = vpc_flow.parse_line("2 eni-1 x", ("version", "interface-id", "of-tomorrow"))
    assert isinstance(row, dict)
    assert set(row) == {*vpc_flow.COLUMNS, "extra"}
    assert (row["version"], row["interface_id"], row["extra"]) == (2, "eni-1", {"of-tomorrow": "x"})


def test_flow_log_parquet_columns_map_to_the_same():
    """A field's Parquet spelling gives the same column as its text spelling."""
    assert [vpc_flow.column(field.replace("-", "_")) for field in vpc_flow.FIELDS] == list(vpc_flow.COLUMNS)


def test_flow_log_without_header_names_what_is_missing():
    """A custom format without its header line is refused, and the refusal says what would be needed."""
    (found,) = vpc_flow.decode(b"5 vpc-1 eni-1 ACCEPT OK\n")
    assert isinstance(found, Rejected)
    assert found.detail == "5 fields; without a header line the default format has 14"


def test_a_damaged_csv_row_is_refused():
    """A row of a CSV export that holds bytes which are not UTF-8 is refused; the others are kept."""
    first, second = decode(b"eventID,eventName\n1,Zo\xeb\n2,Good\n")
    assert isinstance(first, Rejected)
    assert first.reason is Reason.WRONG_ENCODING
    assert isinstance(second, Record)


def test_a_cut_after_a_key_is_reported():
    """A file that ends right after a key, behind its records, keeps the records and reports the cut."""
    found = list(decode(f'{{"Records":[{GOOD}],"next":'.encode()))
    assert [type(piece) for piece in found] == [Record, Rejected]


_MANY = ", ".join(f'"k{number}": {number}' for number in range(200))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'{{"a": {{{_MANY}}}}}', Reason.TOO_LARGE),
        (f'{{"a": "{"x" * 500}", {_MANY}}}', Reason.TOO_LARGE),
        (f"[{_MANY.replace(':', ',')}]", Reason.TOO_LARGE),
        (f'{{"a": "x\ny", {_MANY}}}', Reason.NOT_JSON),
        (f'{{"a": 1, b {_MANY}}}', Reason.TOO_LARGE),
        (f'{{"a": 1, b}} {_MANY}', Reason.NOT_JSON),
        (f'{{"a": [1, 2]}} {_MANY}', None),
        (f'"{"x" * 150}" {_MANY}', None),
    ],
)
def test_a_value_beyond_the_limit_is_refused_before_it_is_decoded(monkeypatch, text, reason):
    """However many keys follow, no more than the limit is decoded; what ends in time is read or told as before."""
    monkeypatch.setattr(json_text, "MAX_RECORD_BYTES", 300)
    decoded_characters = []
    decode = json_text._raw_decode

    def watched(whole: str, position: int) -> tuple[object, int]:
        decoded_characters.append(len(whole))
        return decode(whole, position)

    monkeypatch.setattr(json_text, "_raw_decode", watched)
    found = json_text.decode_at(text, 0)
    assert (found.reason if isinstance(found, json_text.Damage) else None) is reason
    assert bool(decoded_characters) is (reason is not Reason.TOO_LARGE)
