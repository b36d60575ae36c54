"""JSON read with care: positions kept, limits enforced, every failure a value.

Decided here, because JSON leaves it open: of a repeated key the first value counts (as in the lake's columns, which
DuckDB reads), and `repeated_keys` names them; `NaN` and `Infinity` are no JSON; a number too large to compute with is
kept as its digits; a lone surrogate in a decoded string becomes U+FFFD (the record's text keeps it as it stood).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.decoder import JSONDecoder
from typing import NoReturn

from clew.events.limits import MAX_DEPTH, MAX_RECORD_BYTES
from clew.events.record import Reason, printable
from clew.events.text import is_damaged

_SPACE = re.compile(r"[ \t\r\n\x1e]*")
_TOKEN = re.compile(r'[\[\]{}]|"(?:[^"\\\n]++|\\.)*+"|"')
_LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_EXACT_DIGITS = 400


@dataclass(frozen=True, slots=True)
class Decoded:
    """One JSON value and where it ends in the text."""

    value: object
    end: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Why no value could be read; `structural` when the brackets themselves cannot be trusted.

    `reach` is the position up to which the text was read in vain.
    """

    reason: Reason
    detail: str
    structural: bool = True
    reach: int = 0


@dataclass(frozen=True, slots=True)
class Balance:
    """Where brackets close (None: never), and up to where the text was searched for it."""

    end: int | None
    reach: int


class _NotJsonError(ValueError):
    """A word that Python accepts and JSON does not."""


def _refuse_constant(word: str) -> NoReturn:
    raise _NotJsonError(word)


def _number(digits: str) -> float | str:
    value = float(digits)
    return digits if value in (float("inf"), float("-inf")) else value


def _integer(digits: str) -> int | str:
    return digits if len(digits) > _EXACT_DIGITS else int(digits)


def _first_of_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # 55 µs for a record of 1,400 bytes without this hook, 59 µs with it.
    found = dict(pairs)
    if len(found) < len(pairs):
        found.update(reversed(pairs))
    return found


_DECODER = JSONDecoder(parse_constant=_refuse_constant, parse_float=_number, object_pairs_hook=_first_of_each)
# Slower: calls back for every integer. Needed only where Python refuses to convert thousands of digits.
_PATIENT_DECODER = JSONDecoder(
    parse_constant=_refuse_constant,
    parse_float=_number,
    parse_int=_integer,
    object_pairs_hook=_first_of_each,
)


def skip_space(text: str, position: int) -> int:
    """The position of the next character that is not white space."""
    match = _SPACE.match(text, position)
    return match.end() if match else position


def decode_at(text: str, position: int) -> Decoded | Damage:
    """The JSON value that begins at the position, or what is wrong with it."""
    if len(text) - position > MAX_RECORD_BYTES and _is_endless(text, position):
        return Damage(Reason.TOO_LARGE, f"more than {MAX_RECORD_BYTES} bytes, the limit", structural=False)
    try:
        value, end = _raw_decode(text, position)
    except json.JSONDecodeError as error:
        return _syntax(text, error)
    except _NotJsonError as error:
        return Damage(Reason.NOT_JSON, f"`{error}` is not JSON", structural=False)
    except RecursionError:
        return Damage(Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} levels deep", structural=False)
    return _limits(text, position, end) or Decoded(_encodable(value, text, position, end), end)


def _is_endless(text: str, position: int) -> bool:
    """Whether an object or list goes on beyond the longest record: decoded, it might fill the memory."""
    if not text.startswith(("{", "["), position):
        return False
    found, limit = balance(text, position), position + MAX_RECORD_BYTES
    if found.end is not None:
        return False
    # A string that is not closed is damage where its line ends; else it reaches beyond the limit.
    return found.reach > limit or text.find("\n", found.reach, limit) < 0


def object_of(text: str) -> dict[str, object]:
    """The object which the text of a record is; empty where it is none.

    >>> object_of('{"a": 1, "a": 2}'), object_of("[]")
    ({'a': 1}, {})
    """
    decoded = decode_at(text, skip_space(text, 0))
    return decoded.value if isinstance(decoded, Decoded) and isinstance(decoded.value, dict) else {}


def _raw_decode(text: str, position: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except (json.JSONDecodeError, _NotJsonError):
        raise
    except ValueError:
        return _PATIENT_DECODER.raw_decode(text, position)


def _syntax(text: str, error: json.JSONDecodeError) -> Damage:
    if skip_space(text, error.pos) >= len(text) or error.msg.startswith("Unterminated string"):
        return Damage(
            Reason.TRUNCATED, f"the text ends at character {len(text)}, inside a value", reach=error.pos
        )
    where = f"line {error.lineno} column {error.colno}"
    return Damage(Reason.NOT_JSON, f"{where}: {_lower(error.msg)}", reach=error.pos)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _limits(text: str, start: int, end: int) -> Damage | None:
    # A character is at most 4 bytes: only a long text is worth encoding to count.
    if (end - start) * 4 > MAX_RECORD_BYTES:
        size = len(text[start:end].encode("utf-8", "surrogatepass"))
        if size > MAX_RECORD_BYTES:
            return Damage(
                Reason.TOO_LARGE, f"{size} bytes; the limit is {MAX_RECORD_BYTES}", structural=False
            )
    if depth(text, start, end) > MAX_DEPTH:
        return Damage(Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} levels deep", structural=False)
    if is_damaged(text[start:end]):
        return Damage(Reason.WRONG_ENCODING, "holds bytes that are not UTF-8", structural=False)
    return None


def _encodable(value: object, text: str, start: int, end: int) -> object:
    return without_surrogates(value) if _LONE_SURROGATE.search(text, start, end) else value


def without_surrogates(value: object) -> object:
    """The decoded value with each lone surrogate in its strings replaced by U+FFFD."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {printable(key): without_surrogates(item) for key, item in value.items()}
    return value


def depth(text: str, start: int, end: int) -> int:
    """How deep brackets nest in the slice, at most; exact only when the answer may exceed the limit."""
    bound = text.count("{", start, end) + text.count("[", start, end)
    if bound <= MAX_DEPTH:
        return bound
    level = deepest = 0
    for token in _TOKEN.finditer(text, start, end):
        level += _STEP.get(token[0], 0)
        deepest = max(deepest, level)
    return deepest


_STEP = {"{": 1, "[": 1, "}": -1, "]": -1}


def balance(text: str, position: int) -> Balance:
    """Where the brackets that open at the position close again, whatever stands between.

    Looks no further than the longest record that would be accepted.
    """
    level = 0
    limit = min(len(text), position + MAX_RECORD_BYTES + 1)
    for token in _TOKEN.finditer(text, position, limit):
        if token[0] == '"':
            return Balance(None, token.end())
        level += _STEP.get(token[0], 0)
        if level <= 0:
            return Balance(token.end(), token.end())
    return Balance(None, limit)


def repeated_keys(text: str) -> tuple[str, ...]:
    """The keys that stand twice in one object of a JSON text, in the order in which they end.

    >>> repeated_keys('{"a": 1, "b": {"c": 1, "c": 2}}')
    ('c',)
    """
    repeated: list[str] = []

    def pairs(items: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in items:
            if key in seen:
                repeated.append(key)
            seen.add(key)

    try:
        json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return ()
    return tuple(dict.fromkeys(repeated))
