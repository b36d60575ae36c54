"""Texts of one spelling to values; whatever is spelled otherwise has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIME = pa.timestamp("us", tz="UTC")
_SPELLED = b"0000-00-00T00:00:00Z"
_DIGITS = [place for place, letter in enumerate(_SPELLED) if letter == ord("0")]
_MARKS = [place for place, letter in enumerate(_SPELLED) if letter != ord("0")]
_MARKED = np.frombuffer(_SPELLED, np.uint8)[_MARKS][:, None]
_EPOCH_MONTH = 1970 * 12
_HOURS, _SIXTY = 24, 60


def moments(texts: pa.Array) -> pa.Array:
    """The times of texts as AWS writes them in records; null for another spelling, or a day or second there is not.

    >>> texts = ["2024-02-29T23:59:59Z", "2023-02-29T00:00:00Z", "2024-02-29T24:00:00Z", None]
    >>> moments(pa.array(texts)).cast(pa.int64()).to_pylist()
    [1709251199000000, None, None, None]
    """
    letters, is_odd = of_length(texts, len(_SPELLED))
    places = letters.T.copy()  # all first letters, all second ones: a third of the time
    is_odd |= (places[_MARKS] != _MARKED).any(axis=0)
    digits = places[_DIGITS] - np.uint8(ord("0"))  # what is no digit is 10 or more
    is_odd |= (digits > 9).any(axis=0)  # noqa: PLR2004 - the greatest digit
    century, year, month, day, hour, minute, second = (digits[::2] * np.uint8(10) + digits[1::2]).astype(
        np.int64
    )
    is_odd |= (month < 1) | (month > 12)  # noqa: PLR2004
    months = (century * 100 + year) * 12 + month - 1 - _EPOCH_MONTH
    earliest = months.min()
    # Where the months begin, each looked up: to reckon it for each record takes three times as long as all the rest.
    begins = (
        np.arange(earliest, months.max() + 2).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    )
    days = begins[months - earliest] + day - 1
    is_odd |= (day < 1) | (days >= begins[months - earliest + 1])
    is_odd |= (hour >= _HOURS) | (minute >= _SIXTY) | (second >= _SIXTY)
    seconds = ((days * _HOURS + hour) * _SIXTY + minute) * _SIXTY + second
    return pa.array(seconds * 1_000_000, mask=is_odd).cast(_TIME)


def truths(texts: pa.Array) -> pa.Array:
    """Whether JSON texts say true or false; null for anything else: a cast would read "yes" and 1 as true.

    >>> truths(pa.array(["true", "false", '"true"', "1", None])).to_pylist()
    [True, False, None, None, None]
    """
    is_true = pc.equal(texts, "true")
    return pc.if_else(pc.or_(is_true, pc.equal(texts, "false")), is_true, None)


def of_length(texts: pa.Array, length: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The bytes of the texts, a row for each, and which texts have another length: dots stand for those."""
    lengths = pc.binary_length(texts).fill_null(0).to_numpy()
    is_odd: NDArray[np.bool_] = np.not_equal(lengths, length)
    if is_odd.any():
        texts = pc.if_else(pa.array(is_odd), "." * length, texts)
    return _bytes(texts).reshape(-1, length), is_odd


def _bytes(texts: pa.Array) -> NDArray[np.uint8]:
    """The bytes of all texts, one after the other."""
    _, offsets, data = texts.buffers()
    places = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[places[0] : places[-1]]
