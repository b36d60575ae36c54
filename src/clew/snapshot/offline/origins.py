"""Where in a file the declaration of a resource stands, for answers that a file gave in AWS's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.snapshot.offline.told import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.answers import Answer, Answers

_NAMES = ("Arn", "ARN", "Id", "Name", "name")
_ARN_PARTS = 6


class Origins:
    """The files that declare resources, by service and name, and by ARN."""

    def __init__(self, answers: Answers) -> None:
        """Note where each answer's source is said; nothing for answers of AWS itself."""
        self._found: dict[tuple[str, str], str] = {}
        for answer in answers:
            for name, source in _named(answer):
                self._found.setdefault((answer.call.service, name), source)

    def of(self, resource: str) -> str:
        """The file, with line or address, that declares the resource of this ARN; empty where no file does."""
        parts = resource.split(":", _ARN_PARTS - 1)
        service = parts[2] if len(parts) == _ARN_PARTS else ""
        last = parts[-1].split("/")[-1].rpartition(":")[2]
        return self._found.get((service, resource)) or self._found.get((service, last), "")


def _named(answer: Answer) -> Iterator[tuple[str, str]]:
    if answer.source:
        for _, given in answer.call.parameters:
            yield given, answer.source
    body: Mapping[str, object] = answer.body or {}
    for value in body.values():
        for item in value if isinstance(value, list) else ():
            source = item.get(SOURCE) if isinstance(item, dict) else None
            if isinstance(source, str):
                yield from ((str(item[key]), source) for key in item if key.endswith(_NAMES))
