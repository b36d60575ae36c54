"""A request as the engine judges it: who, which action, on what, in which context."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

ContextValue = str | tuple[str, ...]
"""Text for a single-valued key; a tuple for a list, also for a list of one and for an empty one."""


class Unknown(Enum):
    """The third state of a context key: present or absent, and with which value, is not known."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class Context:
    """The request context: each key is present with its value, absent, or unknown. Keys are matched without case.

    `unknown=None` makes every key that has no value unknown, but for those in `absent`; the default makes every such
    key absent.

    >>> context = Context({"aws:SourceIp": "192.0.2.7"}, unknown=["aws:username"])
    >>> context.get("aws:sourceip"), context.get("aws:username"), context.get("s3:prefix")
    ('192.0.2.7', <Unknown.UNKNOWN: 'unknown'>, None)
    """

    __slots__ = ("_default", "_ends", "_states", "spelling")

    def __init__(
        self,
        values: Mapping[str, ContextValue] | None = None,
        *,
        unknown: Iterable[str] | None = (),
        absent: Iterable[str] = (),
    ) -> None:
        """Keep the values under lower-case keys, and the spelling of each for display."""
        given = values or {}
        self._states: dict[str, ContextValue | Unknown | None] = {
            key.lower(): UNKNOWN for key in (() if unknown is None else unknown)
        }
        self._states.update({key.lower(): None for key in absent})
        self._states.update({key.lower(): value for key, value in given.items()})
        self._default: Unknown | None = UNKNOWN if unknown is None else None
        self._ends: dict[str, tuple[str, str]] = {}
        self.spelling: Mapping[str, str] = MappingProxyType({key.lower(): key for key in given})

    def get(self, key: str) -> ContextValue | Unknown | None:
        """The value of the lower-case key, UNKNOWN, or None where the key is absent."""
        return self._states.get(key, self._default)

    def ends(self, key: str) -> tuple[str, str] | None:
        """The beginning and the end of the lower-case key's value, where the value is unknown and these are not."""
        return self._ends.get(key) if self.get(key) is UNKNOWN else None

    def with_ends(self, key: str, begin: str, end: str) -> Context:
        """This context, which knows of the key's value how it begins and ends.

        >>> context = Context(unknown=None).with_ends("aws:PrincipalArn", "arn:aws:iam::111122223333:role/", "dev")
        >>> context.ends("aws:principalarn")
        ('arn:aws:iam::111122223333:role/', 'dev')
        """
        made = Context()
        made._default, made._states, made.spelling = self._default, self._states, self.spelling
        made._ends = {**self._ends, key.lower(): (begin, end)}
        return made

    @property
    def values(self) -> dict[str, ContextValue]:
        """The keys that are present, in lower case."""
        return {key: value for key, value in self._states.items() if isinstance(value, (str, tuple))}

    def has_no_other(self, prefix: str, names: Container[str]) -> bool | None:
        """Whether no key begins with the prefix but those with one of the names after it; None while unknown.

        >>> Context({"kms:EncryptionContext:team": "x"}).has_no_other("kms:encryptioncontext:", {"team"})
        True
        """
        states = [
            state
            for key, state in self._states.items()
            if state is not None and key.startswith(prefix) and key[len(prefix) :] not in names
        ]
        if any(state is not UNKNOWN for state in states):
            return False
        return None if states or self._default is UNKNOWN else True

    @property
    def has_unknown(self) -> bool:
        """Whether any key may be unknown."""
        return self._default is UNKNOWN or UNKNOWN in self._states.values()

    def with_defaults(self, values: Mapping[str, ContextValue], *, absent: Iterable[str] = ()) -> Context:
        """This context with the given keys present, and others absent, where it says nothing of them.

        >>> context = Context({"aws:SourceIp": "192.0.2.7"}, unknown=None)
        >>> fuller = context.with_defaults({"aws:SourceIp": "198.51.100.1"}, absent=["aws:PrincipalTag/team"])
        >>> fuller.get("aws:sourceip"), fuller.get("aws:principaltag/team")
        ('192.0.2.7', None)
        """
        made = Context()
        made._default, made._ends = self._default, self._ends
        made._states = dict.fromkeys(map(str.lower, absent))
        made._states.update({key.lower(): value for key, value in values.items()})
        made._states.update(self._states)
        made.spelling = MappingProxyType({**{key.lower(): key for key in values}, **self.spelling})
        return made

    def with_values(self, values: Mapping[str, ContextValue]) -> Context:
        """This context with the given keys present, whatever it said of them.

        >>> Context(unknown=["aws:username"]).with_values({"aws:username": "ana"}).get("aws:username")
        'ana'
        """
        made = Context()
        made._default, made._ends = self._default, self._ends
        made._states = {**self._states, **{key.lower(): value for key, value in values.items()}}
        made.spelling = MappingProxyType({**self.spelling, **{key.lower(): key for key in values}})
        return made

    def completed(self, values: Mapping[str, ContextValue]) -> Context:
        """This context with the given keys present and every other key that was unknown absent."""
        return Context({**self.values, **{key.lower(): value for key, value in values.items()}})


NO_CONTEXT: Final = Context()


@dataclass(frozen=True, slots=True)
class Request:
    """One request: may `principal` do `action` on `resource`?

    `principal` is an ARN, a service name such as `lambda.amazonaws.com`, or `*` for an anonymous caller; a role's ARN
    means some session of it. `resource` is an ARN or `*`, and its own wildcards are literal. `resource_account` is
    the owner's account where the ARN does not say it.
    """

    principal: str
    action: str
    resource: str
    resource_account: str | None = None
    context: Context = field(default=NO_CONTEXT)
