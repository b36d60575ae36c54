"""The order of the records in a data file: those of one day, name and caller stand together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHORT = 1 << 16


def grouped(days: NDArray[np.int64], names: pa.DictionaryArray, arns: pa.Array, who: pa.Array) -> pa.Array:
    """The places of the records by day, name and caller; of one caller in the order in which they stand otherwise.

    Like stands beside like: files are a tenth smaller and quicker to write, and whoever asks for a name or a caller
    unpacks the pages of those only. (The rules over a million events: 4.1 CPU s before, 3.4 s.)
    """
    order = np.argsort(_codes(arns.dictionary_encode().indices.take(who)), kind="stable")
    order = order[np.argsort(_codes(names.indices)[order], kind="stable")]
    if days.min() < days.max():
        order = order[np.argsort(days[order], kind="stable")]
    return pa.array(order)


def _codes(indices: pa.Array) -> NDArray[np.uint16] | NDArray[np.int32]:
    """Numbers to sort by; short ones, which sort ten times as fast, where they suffice."""
    codes: NDArray[np.int32] = indices.fill_null(-1).to_numpy() + np.int32(1)
    return codes.astype(np.uint16) if len(codes) and codes.max() < _SHORT else codes


def reordered(unit: pa.Table, order: pa.Array) -> pa.Table:
    """The unit's rows in that order; Arrow takes no rows out of views, so their places are moved."""
    texts = unit["j"].combine_chunks()
    rest = unit.drop_columns(["j"]).take(order)
    if not pa.types.is_string_view(texts.type):
        return rest.append_column("j", texts.take(order))
    _, views, *data = texts.buffers()
    moved = np.frombuffer(views, np.int32).reshape(-1, 4)[order.to_numpy()]
    array = pa.Array.from_buffers(texts.type, len(texts), [None, pa.py_buffer(moved), *data])
    return rest.append_column("j", array)
