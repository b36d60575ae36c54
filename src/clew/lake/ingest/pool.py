"""Decoding processes and how batches are dealt to them; small inputs are decoded in this process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO, cast

from clew.errors import ClewError, WorkspaceError
from clew.lake.ingest.deal import Deal, unpacked_guess
from clew.lake.ingest.messages import send

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.lake.ingest.decode import Decoder
    from clew.lake.ingest.messages import InputFile, Outcome, Setting

_ENVIRONMENT = {
    # numpy would start a thread for each processor that spins while it waits.
    "OPENBLAS_NUM_THREADS": "1",
    # glibc gives large blocks back to the system; faulting them in again costs up to a quarter of the decoding.
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296"
    ":glibc.malloc.top_pad=67108864",
    # Arrow's allocator does so too: 12 of 347 ms a unit, for 14 MB more.
    "MIMALLOC_PURGE_DELAY": "-1",
}
# Python 3.12 and later warn of a fork beside other threads: the only one is the allocator's own, which expects it.
_COMMAND = (sys.executable, "-W", "ignore::DeprecationWarning", "-m", "clew.lake.ingest.worker")
_IN_PROCESS_BYTES = 48 << 20


class Pool:
    """Workers that decode batches; `run` may be called several times, each time all that was taken is answered."""

    def __init__(self, workers: Sequence[_Worker | _Local]) -> None:
        self._workers = workers

    def run(self, files: Sequence[InputFile]) -> Iterator[Outcome]:
        """The outcomes for these files, as they come; at the end every file has been answered."""
        deal = Deal(files, len(self._workers))
        answers = [_answers(worker, deal, process) for process, worker in enumerate(self._workers)]
        if len(answers) == 1:
            yield from answers[0]
            return
        done: SimpleQueue[Outcome | Exception | None] = SimpleQueue()
        threads = [Thread(target=_pump, args=(answer, done), daemon=True) for answer in answers]
        for thread in threads:
            thread.start()
        yield from _collected(done, len(threads))


def _collected(done: SimpleQueue[Outcome | Exception | None], pumps: int) -> Iterator[Outcome]:
    while pumps:
        answer = done.get()
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            pumps -= 1
        else:
            yield answer


def _answers(worker: _Worker | _Local, deal: Deal, process: int) -> Iterator[Outcome]:
    """The outcomes of what this worker is dealt."""
    held_bytes = 0
    while (batch := deal.next(process, held_bytes)) is not None:
        answer = worker.ask(batch)
        held_bytes = answer.held_bytes
        yield answer
    yield worker.ask(None)


def _pump(answers: Iterator[Outcome], done: SimpleQueue[Outcome | Exception | None]) -> None:
    try:
        for answer in answers:
            done.put(answer)
    except (ClewError, OSError) as error:
        done.put(error)
    done.put(None)


@dataclass(frozen=True, slots=True)
class Process:
    """A decoding process by its pipes; `first` is the process that was started, of which the others are copies."""

    first: subprocess.Popen[bytes]
    requests: BinaryIO
    answers: BinaryIO


@dataclass(frozen=True, slots=True)
class _Local:
    """Decoding in this process."""

    decoder: Decoder

    def ask(self, batch: Sequence[InputFile] | None) -> Outcome:
        """What is finished with these files; None asks to write what is held back."""
        return self.decoder.flush() if batch is None else self.decoder.take(batch)


@dataclass(frozen=True, slots=True)
class _Worker:
    """Decoding in a process of its own."""

    process: Process

    def ask(self, batch: Sequence[InputFile] | None) -> Outcome:
        """What is finished with these files; None asks to write what is held back."""
        try:
            send(self.process.requests, batch)
            answer = pickle.load(self.process.answers)  # noqa: S301 - from a process we started
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            code = self.process.first.poll()
            raise WorkspaceError(
                f"a decoding process ended early (exit code {code}); run the ingest again"
            ) from error
        if isinstance(answer, ClewError):
            raise answer
        return cast("Outcome", answer)


def process_count(files: Iterable[InputFile], wanted: int | None) -> int:
    """How many processes decode: one, this one, when starting others would take longer than it saves."""
    if sum(map(unpacked_guess, files)) < _IN_PROCESS_BYTES:
        return 1
    return wanted or min(os.cpu_count() or 1, 8)


@contextmanager
def pool(setting: Setting, count: int, started: Sequence[Process] = ()) -> Iterator[Pool]:
    """A pool of that many processes, ended afterwards; none for one worker, which is this process.

    Those that are `started` already are used first, and left to whoever started them.
    """
    if count <= 1:
        from clew.lake.ingest.decode import Decoder

        yield Pool([_Local(Decoder(setting))])
        return
    ready = started[:count]
    further = start(count - len(ready))
    try:
        processes = [*ready, *further]
        for process in processes:
            send(process.requests, setting)
        yield Pool([_Worker(process) for process in processes])
    finally:
        stop(further)


def start(count: int) -> list[Process]:
    """That many decoding processes, which wait for their setting."""
    if count < 1:
        return []
    pairs = [(os.pipe(), os.pipe()) for _ in range(count - 1)]
    inherited = [(requests[0], answers[1]) for requests, answers in pairs]
    first = subprocess.Popen(  # noqa: S603 - our own module
        [*_COMMAND, *(f"{requests},{answers}" for requests, answers in inherited)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[end for ends in inherited for end in ends],
        env={**os.environ, **_ENVIRONMENT},
    )
    for end in (end for ends in inherited for end in ends):
        os.close(end)
    return [
        Process(first, cast("BinaryIO", first.stdin), cast("BinaryIO", first.stdout)),
        *(Process(first, os.fdopen(r[1], "wb"), os.fdopen(a[0], "rb")) for r, a in pairs),
    ]


def stop(processes: Iterable[Process]) -> None:
    """End the processes, when what they are doing is done."""
    listed = list(processes)
    for process in listed:
        for pipe in (process.requests, process.answers):
            with suppress(BrokenPipeError):
                pipe.close()
    for process in listed:
        process.first.wait()
