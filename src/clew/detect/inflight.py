"""Rules over events in flight: one line in, one answer out, no lake and no memory of earlier lines.

Every input line gives one answer, in order: a blank line, a line that is no event and a line that holds several
events are errors, never silence. A line may hold the event bare or in any envelope that Clew reads (EventBridge, say).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from clew.detect.catalog import single_event
from clew.detect.facts import FACTS
from clew.detect.rule import BUILT_IN
from clew.events import cloudtrail
from clew.events.cloudtrail_lake import TOP_LEVEL_KEYS
from clew.events.json_text import object_of
from clew.events.limits import MAX_RECORD_BYTES
from clew.events.predicate import compile_all
from clew.events.predicate_tree import FACT, Leaf, leaves
from clew.events.record import Reason, Record, Rejected
from clew.events.text import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from clew.detect.rule import Rule

    Matcher = Callable[[Mapping[str, object]], list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules say of one input line; `index` counts input lines from 0. With an error there are no rules."""

    index: int
    event_id: str | None = None
    rules: tuple[str, ...] = ()
    error: str = ""

    def document(self) -> dict[str, object]:
        """The answer as it is printed."""
        if self.error:
            return {"index": self.index, "error": self.error}
        return {"index": self.index, "event_id": self.event_id, "rules": list(self.rules)}


def matcher(rules: Iterable[Rule], *, silent: bool = False) -> Matcher:
    """A function that lists the ids of the rules whose single-event predicate is true of an event.

    Built-in rules that serve a correlation only are left out, unless `silent` rules are asked for too.
    """
    chosen = [
        (rule.id, sigma.predicate)
        for rule, sigma in single_event(rules)
        if rule.reports or silent or rule.origin != BUILT_IN
    ]
    return compile_all(chosen, {name: fact.function for name, fact in FACTS.items()})


def reads_other_fields(rules: Iterable[Rule]) -> bool:
    """Whether a rule reads a field that no CloudTrail record has at its top: then every JSON object is its business."""
    known = {*TOP_LEVEL_KEYS, FACT}
    paths = (
        path
        for _, sigma in single_event(rules)
        for leaf in leaves(sigma.predicate)
        for path in ([leaf.path] if isinstance(leaf, Leaf) else [leaf.path, leaf.other])
    )
    return any(path and path[0] not in known for path in paths)


def answers(lines: Iterable[bytes], matching: Matcher, *, any_object: bool = False) -> Iterator[Answer]:
    """The answer to each line; `any_object` lets an object without any field of CloudTrail be an event."""
    for index, line in enumerate(lines):
        event = _event(line, any_object=any_object)
        if isinstance(event, str):
            yield Answer(index, error=event)
        else:
            identity = event.get("eventID")
            yield Answer(index, identity if isinstance(identity, str) else None, tuple(matching(event)))


def lines_of(stream: BinaryIO, limit: int = MAX_RECORD_BYTES) -> Iterator[bytes]:
    """The lines of a stream, without their ends, in constant memory: of a longer line `limit` + 1 bytes are kept."""
    while line := stream.readline(limit + 1):
        end = line
        while len(end) > limit and not end.endswith(b"\n"):
            end = stream.readline(limit + 1) or b"\n"
        yield line.rstrip(b"\r\n")


def _event(line: bytes, *, any_object: bool) -> Mapping[str, object] | str:
    """The one event of a line, or what is wrong with it; any object is an event to rules that read other fields."""
    if len(line) > MAX_RECORD_BYTES:
        return f"the line is longer than {MAX_RECORD_BYTES:,} bytes"
    if not line.strip():
        return "the line is blank"
    found = list(islice(cloudtrail.decode(line), 2))
    match found:
        case [Record() as record]:
            return record.fields
        case [Rejected(reason=Reason.NOT_AN_EVENT)] if any_object:
            return object_of(found_text if isinstance(found_text := read_text(line), str) else "")
        case [Rejected() as rejected]:
            return f"{rejected.reason}: {rejected.detail}"
        case []:
            return "the line holds no event"
        case _:
            return "the line holds several events, expected one"
