"""Each type of value is read exactly, and what cannot be read matches nothing."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.engine.conditions import OPERATORS, addresses, arns, binary, dates, numeric
from clew.policy.pattern import nothing

NUMBERS = st.from_regex(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?", fullmatch=True)
SIGNS = {"==": "__eq__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}


@given(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=4), st.sampled_from(sorted(SIGNS)))
def test_numbers_are_compared_exactly(value: str, listed: list[str], sign: str) -> None:
    """A comparison with a list holds when it holds, in exact arithmetic, with one of the list."""
    expected = any(getattr(Fraction(value), SIGNS[sign])(Fraction(each)) for each in listed)
    assert numeric.compare(sign)(listed)(value) is expected


@pytest.mark.parametrize(
    "text", ["", "ten", "1e3", "NaN", "Infinity", "1_000", " 1", "1 ", "1.", ".5", "0x10", "١", "--1"]
)
def test_what_is_no_plain_number_is_unreadable(text: str) -> None:
    """Exponents, words, blanks and foreign digits are no numbers, on either side."""
    assert numeric.read(text) is None
    assert numeric.compare("==")([text]) is nothing
    assert numeric.compare(">=")(["0"])(text) is False


def test_a_number_of_a_million_digits_is_compared() -> None:
    """The size of a number is no obstacle."""
    assert numeric.compare(">")(["9" * 1_000_000])("1" + "0" * 1_000_000)


@given(
    st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9998, 12, 30)),  # noqa: DTZ001  # the zone follows
    st.integers(-23 * 60, 23 * 60),
)
def test_a_moment_is_the_same_in_every_spelling(moment: datetime, minutes: int) -> None:
    """Zones, fractions and epoch seconds of one moment are equal."""
    utc = moment.replace(tzinfo=UTC)
    elsewhere = utc.astimezone(timezone(timedelta(minutes=minutes)))
    microseconds = (utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    spelled = elsewhere.strftime("%Y-%m-%dT%H:%M:%S.%f") + _zone(minutes)
    read = dates.read(spelled.rjust(len(spelled), "0"))
    assert read is not None
    assert Fraction(read) == Fraction(microseconds, 1_000_000)


def _zone(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970", 0),
        ("1971", 31_536_000),
        ("1970-02", 2_678_400),
        ("1970-01-02", 86_400),
        ("1970-01-01T00:01Z", 60),
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("0", 0),
        ("86400", 86_400),
        ("1700000000", 1_700_000_000),
        ("12345.5", 12_345.5),
    ],
)
def test_the_forms_of_the_w3c_and_epoch_seconds_are_read(text: str, seconds: float) -> None:
    """A shorter form is the first moment of its period; four digits are a year."""
    assert dates.read(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "today", "2020-1-1", "2020-13", "2020-02-30", "0000", "2020-01-01T00:00:00", "2020-01-01T24:00Z", "-5", "1e9",
     "2020-01-01 00:00Z", "2020-01-01T00:60Z", "2020-01-01T00:00:00.Z", "2020-01-01T00:00+0100", "2020-01-01T00Z",
     "2020*", "1" * 100, "2020-01-01T00:00+24:00"],
)  # fmt: skip
def test_what_is_no_date_is_unreadable(text: str) -> None:
    """Other spellings of dates, times without a zone and impossible days match nothing."""
    assert dates.read(text) is None
    assert dates.compare("<")([text]) is nothing
    assert dates.compare(">")(["1970"])(text) is False


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.data())
def test_an_address_is_in_a_network_as_the_standard_library_says(
    address: object, data: st.DataObject
) -> None:
    """Membership is a matter of the prefix, whatever bits follow it."""
    family = ip_address(str(address)).version
    other = data.draw(st.ip_addresses(v=family))
    prefix = data.draw(st.integers(0, 32 if family == 4 else 128))
    expected = ip_address(str(address)) in ip_network(f"{other}/{prefix}", strict=False)
    assert addresses.within([f"{other}/{prefix}"])(str(address)) is expected


def test_families_do_not_mix() -> None:
    """IPv4 addresses are in no IPv6 network, also when they are mapped, and the reverse."""
    assert not addresses.within(["::/0"])("192.0.2.1")
    assert not addresses.within(["0.0.0.0/0"])("::ffff:192.0.2.1")
    assert addresses.within(["203.0.113.0/24", "2001:DB8::/32"])("2001:db8::1")


@pytest.mark.parametrize(
    "text", ["", "192.0.2", "192.0.2.256", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/", "192.0.2.1/x", "192.0.2.*",
             "10.0.0.0/255.0.0.0", "fe80::1%eth0", "::1/129", "1", "192.0.2.1/٣"],
)  # fmt: skip
def test_what_is_no_network_matches_nothing(text: str) -> None:
    """Netmasks, zone ids, wildcards and impossible prefixes are no networks."""
    assert addresses.within([text]) is nothing


def test_an_address_alone_is_a_network_of_one() -> None:
    """A policy value without a prefix means that address only."""
    match = addresses.within(["192.0.2.7", "2001:db8::7"])
    assert [match(text) for text in ("192.0.2.7", "192.0.2.8", "2001:db8:0::7", "192.0.2.7/32")] == [
        True,
        False,
        True,
        False,
    ]


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_bytes_are_compared_decoded(one: bytes, other: bytes) -> None:
    """Two base64 texts are equal when their bytes are."""
    spelled = [base64.b64encode(each).decode() for each in (one, other)]
    assert binary.equal(spelled[:1])(spelled[1]) is (one == other)


@pytest.mark.parametrize("text", ["a", "QQ", "Q Q==", "QQ=\n=", "É===", "****"])
def test_what_is_no_base64_matches_nothing(text: str) -> None:
    """Padding, blanks and foreign characters are errors, and errors match nothing."""
    assert binary.equal([text]) is nothing
    assert not binary.equal(["QQ=="])(text)


@pytest.mark.parametrize(
    ("wanted", "arn", "expected"),
    [
        ("arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sns:us-east-1:111122223333:t", True),
        ("arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sns:us-east-1:111122223333:T", False),
        ("arn:aws:sns:*:*:t?pic*", "arn:aws:sns:us-east-1:111122223333:topic:sub:1", True),
        (
            "arn:aws:x:*:111122223333:finance/*",
            "arn:aws:x:us-east-2:999999999999:store/a:111122223333:finance/d",
            False,
        ),
        ("arn:aws:sns:*", "arn:aws:sns:us-east-1:111122223333:t", False),
        ("*", "arn:aws:sns:us-east-1:111122223333:t", False),
        ("*:*:*:*:*:*", "arn:aws:sns:us-east-1:111122223333:t", True),
        ("arn:aws:s3:::*", "arn:aws:s3:::bucket/a:b", True),
        ("arn:aws:s3:::*", "arn:aws:s3::", False),
        ("arn:aws:s3:::b", "no arn", False),
    ],
)
def test_arns_are_compared_part_by_part(wanted: str, arn: str, expected: bool) -> None:
    """A wildcard stays within its part of the ARN, but for the last, which may hold colons."""
    assert arns.like([wanted])(arn) is expected
    assert arns.like(["arn:aws:none:::x", wanted])(arn) is expected
    assert arns.like_resolved([(wanted, True)])(arn) is expected


def test_every_operator_of_aws_has_its_row() -> None:
    """The table holds the operators of AWS's page and no others."""
    kinds = {"Numeric", "Date"}
    compared = {f"{kind}{sign}" for kind in kinds for sign in ("Equals", "NotEquals", "LessThan", "LessThanEquals",
                                                                "GreaterThan", "GreaterThanEquals")}  # fmt: skip
    text = {
        f"String{verb}"
        for verb in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
    }
    others = {
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnNotEquals",
        "ArnLike",
        "ArnNotLike",
        "Null",
    }
    assert set(OPERATORS) == compared | text | others


def test_a_negated_operator_is_a_positive_one_with_a_flag() -> None:
    """No operator has a second implementation: each negated row shares its matcher's behaviour with its positive."""
    for name, operator in OPERATORS.items():
        assert operator.negated is ("Not" in name)
        positive = OPERATORS[name.replace("NotIpAddress", "IpAddress").replace("Not", "")]
        assert (positive.says, positive.resolved, positive.quoted) == (
            operator.says,
            operator.resolved,
            operator.quoted,
        )
