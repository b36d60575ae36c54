"""How files are dealt to decoding processes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clew.lake.ingest.deal import BATCH_PACKED_BYTES, Deal
from clew.lake.ingest.messages import InputFile

_HALF = BATCH_PACKED_BYTES // 2


def _files(sizes: list[int]) -> list[InputFile]:
    return [InputFile(f"{n}.json.gz", f"{n:04}", size, 0) for n, size in enumerate(sizes)]


@given(
    sizes=st.lists(st.sampled_from([0, 1, 1000, _HALF, 3 * _HALF, 40 * _HALF]), max_size=40),
    processes=st.integers(1, 4),
    data=st.data(),
)
def test_every_file_is_dealt_once(sizes: list[int], processes: int, data: st.DataObject):
    """Whoever asks when, and whatever it holds, all files are read, each by one process."""
    files = _files(sizes)
    deal = Deal(files, processes)
    asking = list(range(processes))
    dealt: list[InputFile] = []
    while asking:
        process = data.draw(st.sampled_from(asking))
        batch = deal.next(process, data.draw(st.sampled_from([0, 1000, 48 << 20])))
        if batch is None:
            asking.remove(process)
        else:
            assert batch
            dealt += batch
    assert sorted(dealt, key=lambda file: file.name) == files


def test_each_process_reads_a_stretch_of_time():
    """Processes that are equally quick read half of the files each, the first and the second."""
    files = _files([_HALF] * 80)
    deal = Deal(files, 2)
    read: list[list[InputFile]] = [[], []]
    asking = [0, 1]
    while asking:
        for process in list(asking):
            batch = deal.next(process, 0)
            if batch is None:
                asking.remove(process)
            read[process] += batch or ()
    assert (read[0], read[1]) == (files[:40], files[40:])


def test_who_holds_much_leaves_the_last_files_to_who_holds_little():
    """All are done at about the same time: what is read and not written counts."""
    deal = Deal(_files([_HALF // 2] * 4), 2)
    assert deal.next(0, 0)
    assert deal.next(1, 48 << 20) is None
    rest = [deal.next(0, 0) for _ in range(4)]
    assert [len(batch or ()) for batch in rest] == [1, 1, 1, 0]
