"""What a finding says in words: the rule's template filled from the records, then who, how, where and with what end.

Templates name values in braces: `{actor}`, `{source_ip}`, `{request.userName}`, `{response.…}`, `{additional.…}`,
`{clew.<fact>}` or any path of the record. They are filled by plain substitution, never by Python's format language:
what a record holds is text, whatever it looks like. A value that no record holds is called unknown. Inside backticks a
value is quoted for the shell, because people paste commands.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from clew.detect.facts import FACTS
from clew.events.channel import ChannelKind, channel
from clew.events.contradictions import contradictions
from clew.events.identity import Mfa, Principal, principal
from clew.events.outcome import Result, outcome
from clew.events.paths import at, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Event = Mapping[str, object]

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.\-]*)\}")
_ROOTS = {
    "request": "requestParameters",
    "response": "responseElements",
    "additional": "additionalEventData",
    "user": "userIdentity",
}
_LONGEST = 160
_SHOWN = 3
_NAME = 60


@dataclass(frozen=True, slots=True)
class Story:
    """What a finding is told from.

    Shape: `events` are its decoded records in order of time (the first and last ones of a long finding), `texts` their
    texts. `actor` is the name that questions about it use. Units: times are UTC. `figure` is what the rule counted,
    `window` the time span in which, if it has one.
    """

    events: Sequence[Event]
    texts: Sequence[str]
    actor: str
    count: int
    figure: float
    first: datetime
    last: datetime
    window: timedelta | None = None
    source_ips: Sequence[str] = ()
    access_keys: Sequence[str] = ()
    regions: Sequence[str] = ()
    accounts: Sequence[str] = ()
    resources: Sequence[str] = ()


def explanation(template: str, title: str, story: Story) -> str:
    """The finding in a few sentences."""
    told = _filled(template, story) if template else f"{title}: {_who(story)}."
    names = frozenset(_PLACEHOLDER.findall(template))
    sentences = [told[:1].upper() + told[1:], _how(story, names), _touched(story), *_contradicted(story)]
    return " ".join(_ended(sentence) for sentence in sentences if sentence)


def next_steps(templates: Iterable[str], story: Story) -> tuple[str, ...]:
    """The first response steps, with names and commands for this finding."""
    return tuple(_filled(template, story) for template in templates)


def summary(event: Event) -> str:
    """One record in a line: which call, on what, with what end."""
    ended = outcome(event)
    end = "" if ended.result in {Result.SUCCESS, Result.NOT_A_CALL} else f", {ended}"
    return f"{text_at(event, 'eventName') or 'unknown call'}{end}"


def duration(span: timedelta) -> str:
    """A time span in words.

    >>> duration(timedelta(minutes=15)), duration(timedelta(seconds=200)), duration(timedelta())
    ('15 minutes', '3 minutes 20 seconds', 'one second')
    """
    seconds = int(span.total_seconds())
    if seconds <= 1:
        return "one second"
    parts = []
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {name}{'s' if number > 1 else ''}")
    return " ".join(parts[:2])


def who(person: Principal) -> str:
    """The principal as people say it: kind, name and account."""
    account = f" of account {person.account}" if person.account else ""
    match person.type:
        case "Root":
            return f"the root user{account}"
        case "IAMUser":
            return f"user {person.name}{account}"
        case "AssumedRole":
            session = f" (session {person.session_name})" if person.session_name else ""
            role = person.issuer_name or person.name.partition("/")[0]
            return f"role {role}{session}{account}"
        case "AWSService":
            return f"the AWS service {person.name}"
        case _:
            return f"{person.name}{account if person.account and person.account not in person.name else ''}"


def _filled(template: str, story: Story) -> str:
    """The template with its values; every second piece between backticks is code."""
    filled = []
    for index, piece in enumerate(" ".join(template.split()).split("`")):
        quoted = index % 2 == 1
        filled.append(_PLACEHOLDER.sub(_filler(story, quoted=quoted), piece))
    return "`".join(filled)


def _filler(story: Story, *, quoted: bool) -> Callable[[re.Match[str]], str]:
    return lambda found: _value(found[1], story, quoted=quoted)


def _value(name: str, story: Story, *, quoted: bool) -> str:
    """The value of a placeholder, `quoted` for the shell: then the one name that a command takes."""
    if name == "actor" and not quoted:
        return _clean(_who(story))
    values = _values(name, story)
    if not values:
        return f"<{name}>" if quoted else f"unknown {_words(name)}"
    if quoted:
        return shlex.quote(_clean(values[0]))
    # What a client calls itself may be as long as it likes; its first words name it.
    longest = _NAME if name == "user_agent" else _LONGEST
    return _listed([_short(_clean(value), longest) for value in values])


def _values(name: str, story: Story) -> list[str]:
    """The distinct values of a placeholder, in order."""
    own: dict[str, Callable[[], Sequence[str]]] = {
        "actor": lambda: [story.actor] if story.actor and story.actor != "unknown" else [],
        "source_ip": lambda: story.source_ips,
        "access_key": lambda: story.access_keys,
        "region": lambda: story.regions,
        "account": lambda: story.accounts,
        "resource": lambda: story.resources,
        "count": lambda: [f"{round(story.figure):,}"],
        "distinct": lambda: [f"{round(story.figure):,}"],
        "events": lambda: [f"{story.count:,}"],
        "window": lambda: [duration(story.window or story.last - story.first)],
        "first_seen": lambda: [_moment(story.first)],
        "last_seen": lambda: [_moment(story.last)],
        "channel": lambda: _each(story, lambda event: str(channel(event))),
        "outcome": lambda: _each(story, lambda event: str(outcome(event))),
        "session": lambda: _each(story, lambda event: principal(event).session_name),
        "event_name": lambda: _texts_at(story, ("eventName",)),
        "event_source": lambda: _texts_at(story, ("eventSource",)),
        "error_code": lambda: _texts_at(story, ("errorCode",)),
        "error_message": lambda: _texts_at(story, ("errorMessage",)),
        "user_agent": lambda: _texts_at(story, ("userAgent",)),
    }
    if name in own:
        return list(own[name]())
    first, *rest = name.split(".")
    if first == "clew" and len(rest) == 1:
        fact = FACTS.get(rest[0])
        return _each(story, lambda event: _as_text(fact.function(event))) if fact else []
    return _texts_at(story, (_ROOTS.get(first, first), *rest))


def _texts_at(story: Story, path: tuple[str, ...]) -> list[str]:
    return _each(story, lambda event: _as_text(at(event, *path)))


def _each(story: Story, read: Callable[[Event], str]) -> list[str]:
    """The distinct texts that the events give, in order."""
    return [text for text in dict.fromkeys(map(read, story.events)) if text]


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_as_text, value)))
    return str(value) if isinstance(value, str | int | float) else ""


def _who(story: Story) -> str:
    people = Counter(who(principal(event)) for event in story.events)
    if not people:
        return story.actor or "an unknown principal"
    named = sorted(people, key=lambda name: (-people[name], name))
    return _listed(named)


def _how(story: Story, told: frozenset[str]) -> str:
    """When, which calls, from where, how, with which key, with or without MFA, and how it ended; nothing twice.

    `told` are the names of the values that the rule's own sentence holds.
    """
    if not story.events:
        return ""
    when = (
        f"at {_moment(story.first)}"
        if story.first == story.last
        else f"between {_moment(story.first)} and {_moment(story.last)}"
    )
    count = "One event" if story.count == 1 else f"{story.count:,} events"
    calls = _listed([_clean(name) for name in _each(story, _call)]) or "unknown call"
    addresses = _listed([_clean(ip) for ip in story.source_ips]) or "an unknown address"
    parts = [
        f"{count} {when}" if "event_name" in told else f"{count} {when}: {calls}",
        "" if "source_ip" in told else f"from {addresses}",
        f"in {_listed(list(story.regions))}" if story.regions and "region" not in told else "",
        "" if "user_agent" in told else f"by {_channels(story)}",
        _keys(story.access_keys),
        _second_factor(story),
        _ends(story),
    ]
    return ", ".join(part for part in parts if part)


def _call(event: Event) -> str:
    service = text_at(event, "eventSource").removesuffix(".amazonaws.com")
    name = text_at(event, "eventName")
    return f"{service}:{name}" if service and name else name


def _channels(story: Story) -> str:
    """How the calls were made; clients that no table knows are called, once, by the names they gave themselves."""
    made = [channel(event) for event in story.events]
    known = [_clean(str(each)) for each in made if each.kind is not ChannelKind.UNKNOWN]
    own = [_clean(each.detail)[:_NAME] for each in made if each.kind is ChannelKind.UNKNOWN and each.detail]
    parts = [_listed(list(dict.fromkeys(known)))] if known else []
    if own:
        calls = "a client that calls itself" if len(set(own)) == 1 else "clients that call themselves"
        parts.append(f"{calls} {_listed(list(dict.fromkeys(own)))}")
    return ", ".join(parts) or "an unknown client"


def _keys(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    return f"with access key{'s' if len(keys) > 1 else ''} {_listed([_clean(key) for key in keys])}"


def _second_factor(story: Story) -> str:
    said = {principal(event).mfa for event in story.events}
    if said == {Mfa.USED}:
        return "with MFA"
    return "without MFA" if said == {Mfa.NOT_USED} else ""


def _ends(story: Story) -> str:
    """How the calls ended; of a long finding only the shown records are known."""
    ends = Counter(outcome(event).result for event in story.events)
    codes = _listed(
        [_clean(text) for text in _each(story, lambda e: outcome(e).code or _short(outcome(e).message))]
    )
    why = f" ({codes})" if codes else ""
    failed = ends[Result.DENIED] + ends[Result.FAILED]
    if not failed:
        return "all succeeded" if story.count > 1 else "it succeeded"
    if failed == len(story.events):
        word = "denied" if ends[Result.DENIED] == failed else "failed"
        verb = (
            {"denied": "were denied", "failed": "failed"}
            if story.count > 1
            else {"denied": "was denied", "failed": "failed"}
        )
        return f"{'all' if story.count > 1 else 'it'} {verb[word]}{why}"
    shown = "" if story.count == len(story.events) else f" of the {len(story.events)} shown"
    return f"{failed}{shown} did not succeed{why}"


def _touched(story: Story) -> str:
    return f"Touched: {_listed([_clean(r) for r in story.resources])}" if story.resources else ""


def _contradicted(story: Story) -> list[str]:
    found = dict.fromkeys(
        str(one)
        for event, text in zip(story.events, story.texts, strict=True)
        for one in contradictions(event, text)
    )
    if not found:
        return []
    return [
        f"A record contradicts itself: {_listed([_clean(text, keep_ticks=True) for text in found], '; ')}"
    ]


def _listed(values: Sequence[str], separator: str = ", ") -> str:
    shown = separator.join(values[:_SHOWN])
    return f"{shown} and {len(values) - _SHOWN} more" if len(values) > _SHOWN else shown


def _clean(text: str, *, keep_ticks: bool = False) -> str:
    """The text on one line, short, and without backticks, which would end a piece of code."""
    line = " ".join(text.split())
    return _short(line if keep_ticks else line.replace("`", "'"))


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _words(name: str) -> str:
    return {"source_ip": "address", "actor": "principal"}.get(name, name.rsplit(".", 1)[-1].replace("_", " "))


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
