"""A decoding process: reads batches from its standard input, answers each on its standard output.

Started as `python -m clew.lake.ingest.worker`, so that it loads neither the command line nor the catalogue. It ends
when its input ends, which is also what happens when the process that started it is killed.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import TYPE_CHECKING

from clew.errors import ClewError
from clew.lake.ingest.decode import Decoder
from clew.lake.ingest.messages import send

if TYPE_CHECKING:
    from typing import BinaryIO

    from clew.lake.ingest.messages import InputFile, Outcome


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer every request: first the Setting, then batches of files; None asks to write what is held back."""
    decoder = Decoder(pickle.load(requests))  # noqa: S301 - comes from the process that started this one
    while True:
        try:
            batch = pickle.load(requests)  # noqa: S301 - as above
        except EOFError:
            return
        send(answers, _answer(decoder, batch))


def _answer(decoder: Decoder, batch: list[InputFile] | None) -> Outcome | ClewError:
    try:
        return decoder.flush() if batch is None else decoder.take(batch)
    except ClewError as error:
        return error


def main() -> None:
    """Serve on the pipes that the starting process made."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever a library prints must not land among the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
