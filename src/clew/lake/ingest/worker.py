"""A decoding process: reads batches from its standard input, answers each on its standard output.

Started as `python -m clew.lake.ingest.worker`, so that it loads neither the command line nor the catalogue; with
further pairs of pipes it makes a copy of itself for each. It ends when its input ends, which is also what happens when
the process that started it is killed.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from clew.errors import ClewError
from clew.lake.ingest.decode import Decoder
from clew.lake.ingest.messages import send

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, BinaryIO

    from clew.lake.ingest.messages import InputFile, Outcome


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request: first the Setting, then batches of files; None asks to write what is held back."""
    messages = _messages(requests)
    for setting in messages:
        decoder = Decoder(setting)
        for batch in messages:
            try:
                send(answers, _answer(decoder, batch))
            except BrokenPipeError:
                return


def _messages(requests: BinaryIO) -> Iterator[Any]:
    while True:
        try:
            yield pickle.load(requests)  # noqa: S301 - comes from the process that started this one
        except EOFError:
            return


def _answer(decoder: Decoder, batch: list[InputFile] | None) -> Outcome | ClewError:
    try:
        return decoder.flush() if batch is None else decoder.take(batch)
    except ClewError as error:
        return error


def main(pipes: Sequence[str]) -> None:
    """Serve on standard input and output, and in a copy of this process on each further pair of pipes.

    Loading what decoding needs takes 0.4 s of CPU; a copy has it at once.
    """
    # The first array of all loads modules of NumPy's: 14 ms, before there are copies.
    pa.array(np.zeros(1))
    # What is loaded stays: looking through it for garbage finds none, and would copy it in every further process.
    gc.freeze()
    answers = os.dup(sys.stdout.fileno())
    # Whatever a library prints must not land among the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for pipe in pipes:
        _copy(answers, *map(int, pipe.split(",")))
    serve(sys.stdin.buffer, os.fdopen(answers, "wb"))
    for _ in pipes:
        os.wait()


def _copy(answers: int, further_requests: int, further_answers: int) -> None:
    """Start a copy of this process that serves on these pipes; none of them stays open here."""
    if os.fork():
        os.close(further_requests)
        os.close(further_answers)
        return
    # Whoever waits for an answer of the first process must see the end of its pipe when that process is gone.
    os.close(answers)
    os.close(sys.stdin.fileno())
    try:
        serve(os.fdopen(further_requests, "rb"), os.fdopen(further_answers, "wb"))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # taking down what is loaded takes longer than letting go of it
