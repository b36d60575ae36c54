"""The problems of one document, collected with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.policy.model import FindingType, Location, Position, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.json_positions import Node, Path
    from clew.policy.json_tokens import Lines
    from clew.policy.words import Word


class Problems:
    """What is wrong with a document, in the order in which it is found; `listed` sorts by place."""

    def __init__(self, lines: Lines | None = None, source: str | None = None) -> None:
        """Turn offsets into lines by `lines`; a decoded document has none."""
        self._lines = lines
        self._source = source
        self._found: list[Problem] = []
        self.malformed = 0

    def add(
        self,
        code: str,
        message: str,
        path: Path,
        node: Node | None,
        *,
        corrected: str | None = None,
        finding_type: FindingType = FindingType.ERROR,
        written: str | None = None,
    ) -> None:
        """Note a problem of the node at the path; `corrected` is what to write instead."""
        start, end = (node.start, node.end) if node is not None else (-1, -1)
        span = self.position(start), self.position(end)
        self._found.append(
            Problem(code, message, path, *span, self._source, corrected, finding_type, written)
        )

    def add_span(self, code: str, message: str, path: Path, start: int, end: int) -> None:
        """Note an error of the text from `start` up to `end`."""
        self._found.append(
            Problem(code, message, path, self.position(start), self.position(end), self._source)
        )

    def tell(
        self,
        code: str,
        message: str,
        places: Sequence[Word],
        corrected: str | None,
        finding_type: FindingType,
    ) -> None:
        """Note a problem that is about several places, the first one first of all."""
        locations = [
            Location(each.path, self.position(each.node.start), self.position(each.node.end), each.is_key)
            for each in places
        ]
        first, *others = locations
        written = places[0].text if first.is_key else None
        place = first.path, first.position, first.end
        self._found.append(
            Problem(code, message, *place, self._source, corrected, finding_type, written, tuple(others))
        )

    def spoil(
        self,
        code: str,
        message: str,
        path: Path,
        node: Node | None,
        *,
        corrected: str | None = None,
        written: str | None = None,
    ) -> None:
        """Note a problem that makes the whole statement malformed."""
        self.malformed += 1
        self.add(code, message, path, node, corrected=corrected, written=written)

    def position(self, offset: int) -> Position | None:
        """The place of an offset; None without a text."""
        return None if self._lines is None or offset < 0 else self._lines.position(offset)

    @property
    def listed(self) -> tuple[Problem, ...]:
        """Every problem, from the top of the document to its end."""
        return tuple(sorted(self._found, key=_offset))


def _offset(problem: Problem) -> int:
    return problem.position.offset if problem.position is not None else 0
